// test_commit.c -- group commit: C1, C2, C3, one status for all, many threads.
// SPDX-License-Identifier: MIT

#include <sched.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/commit.h"

#include "tests/support/test.h"

enum { THREADS = 8, ROUNDS = 400, SEEN_MAX = THREADS * ROUNDS * 2 };

// What the group function saw. Not guarded: C1 says it need not be, and the
// sanitizer for threads says whether that is so.
typedef struct journal {
    kv_commit_line line;
    uint32_t seen[SEEN_MAX]; // thread << 16 | round, one for each change
    size_t seen_count;
    size_t largest_group;
    size_t sizes[4];       // of the first groups
    uint64_t second_lasts; // nanoseconds that the second group takes
    bool was_cut;          // C3 broken
    _Atomic int inside;    // C1: never more than one
    _Atomic bool overlapped;
    _Atomic bool hold;   // the group function waits while this is set
    uint32_t fail_round; // groups with this round fail; 0: none
} journal;

static uint32_t read_mark(const kv_change *change)
{
    uint32_t mark;
    memcpy(&mark, change->key.data, sizeof mark);
    return mark;
}

static kv_status run(void *arg, const kv_commit_entry *entries, size_t count)
{
    journal *j = arg;
    kv_status st = KV_OK;
    if (atomic_fetch_add(&j->inside, 1) != 0)
        atomic_store(&j->overlapped, true);
    while (atomic_load(&j->hold)) sched_yield();
    if (count > j->largest_group) j->largest_group = count;
    if (j->line.groups <= 4) j->sizes[j->line.groups - 1] = count;
    if (j->line.groups == 2) kv_sleep_ns(j->second_lasts);
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < entries[i].count; c++) {
            uint32_t mark = read_mark(&entries[i].changes[c]);
            if (mark != read_mark(&entries[i].changes[0])) j->was_cut = true;
            if (j->seen_count < SEEN_MAX) j->seen[j->seen_count++] = mark;
            if (j->fail_round != 0 && (mark & 0xffff) == j->fail_round) {
                st = kv_fail(KV_IO, "round %u is unlucky", j->fail_round);
            }
        }
    }
    atomic_fetch_sub(&j->inside, 1);
    return st;
}

static kv_status commit_mark(journal *j, uint32_t mark, size_t count)
{
    kv_change changes[3] = {{0}};
    for (size_t i = 0; i < count; i++) {
        changes[i].key = kv_slice_of(&mark, sizeof mark);
    }
    return kv_commit(&j->line, changes, count);
}

static journal *open_journal(void)
{
    journal *j = calloc(1, sizeof *j);
    assert_non_null(j);
    kv_commit_open(&j->line, run, j);
    return j;
}

static void close_journal(journal *j)
{
    kv_commit_close(&j->line);
    kv_commit_close(&j->line);
    free(j);
}

typedef struct caller {
    kv_thread thread;
    journal *journal;
    uint32_t number;
    kv_status status;
    char sentence[100];
    bool missed; // C2 broken: it returned before its change was seen
} caller;

static void alone_each_call_is_a_group(void **state)
{
    (void)state;
    journal *j = open_journal();
    for (uint32_t i = 1; i <= 10; i++) assert_ok(commit_mark(j, i, 1 + i % 3));
    assert_int_equal(j->line.groups, 10);
    assert_int_equal(j->line.entries, 10);
    j->fail_round = 11;
    assert_status(commit_mark(j, 11, 1), KV_IO);
    assert_string_equal(kv_last_error(), "round 11 is unlucky");
    assert_ok(commit_mark(j, 12, 1));
    close_journal(j);
}

static void *commit_many(void *arg)
{
    caller *c = arg;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        kv_status st =
            commit_mark(c->journal, c->number << 16 | round, 1 + round % 2);
        if (st != KV_OK) c->status = st;
    }
    return NULL;
}

static void many_threads_keep_each_callers_order(void **state)
{
    (void)state;
    journal *j = open_journal();
    caller callers[THREADS] = {{.number = 0}};
    for (uint32_t i = 0; i < THREADS; i++) {
        callers[i] = (caller){.journal = j, .number = i};
        kv_thread_start(&callers[i].thread, commit_many, &callers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        kv_thread_join(&callers[i].thread);
        assert_ok(callers[i].status);
    }
    assert_false(atomic_load(&j->overlapped)); // C1
    assert_false(j->was_cut);                  // C3
    uint32_t last[THREADS] = {0}, changes[THREADS] = {0};
    for (size_t i = 0; i < j->seen_count; i++) {
        uint32_t number = j->seen[i] >> 16, round = j->seen[i] & 0xffff;
        assert_true(round == last[number] || round == last[number] + 1);
        last[number] = round;
        changes[number]++;
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(last[i], ROUNDS);
        assert_int_equal(changes[i], ROUNDS * 3 / 2);
    }
    assert_int_equal(j->line.entries, THREADS * ROUNDS);
    assert_true(j->line.groups <= THREADS * ROUNDS);
    close_journal(j);
}

// In a writer's place, where nobody adds to what was seen.
static kv_status look_for_mine(void *arg)
{
    caller *c = arg;
    c->missed = true;
    for (size_t i = 0; i < c->journal->seen_count; i++) {
        if (c->journal->seen[i] >> 16 == c->number) c->missed = false;
    }
    return KV_OK;
}

static void *commit_once(void *arg)
{
    caller *c = arg;
    c->status = commit_mark(c->journal, c->number << 16 | c->number, 1);
    snprintf(c->sentence, sizeof c->sentence, "%s", kv_last_error());
    if (kv_commit_exclusive(&c->journal->line, look_for_mine, c) != KV_OK) {
        c->missed = true;
    }
    return NULL;
}

static int line_length(journal *j)
{
    kv_mutex_lock(&j->line.lock);
    int length = (int)j->line.length;
    kv_mutex_unlock(&j->line.lock);
    return length;
}

// One leads and is held up; the others arrive meanwhile, one after the other.
static void start_behind_a_held_leader(journal *j, caller *callers, int count,
                                       void *(*call)(void *caller))
{
    atomic_store(&j->hold, true);
    for (int i = 0; i < count; i++) {
        callers[i] = (caller){.journal = j, .number = (uint32_t)i + 1};
        kv_thread_start(&callers[i].thread, call, &callers[i]);
        while (line_length(j) <= i) sched_yield();
        while (atomic_load(&j->inside) == 0) sched_yield();
    }
}

// Whoever comes while a group is written shares the next one.
static void those_who_wait_share_a_group_and_its_fate(void **state)
{
    (void)state;
    for (int trial = 0; trial < 20; trial++) {
        journal *j = open_journal();
        caller callers[6];
        j->fail_round = 4; // everybody behind the leader fails with number 4
        start_behind_a_held_leader(j, callers, 6, commit_once);
        atomic_store(&j->hold, false);
        int failed = 0;
        for (int i = 0; i < 6; i++) {
            kv_thread_join(&callers[i].thread);
            assert_false(callers[i].missed); // C2
            failed += callers[i].status != KV_OK;
            if (callers[i].status != KV_OK) {
                assert_string_equal(callers[i].sentence, "round 4 is unlucky");
            }
        }
        assert_ok(callers[0].status);
        assert_status(callers[3].status, KV_IO);
        assert_int_equal(failed, 5); // all who waited while the first led
        close_journal(j);
    }
}

static void a_group_has_a_limit(void **state)
{
    (void)state;
    enum { MANY = KV_COMMIT_GROUP_MAX + 10 };
    journal *j = open_journal();
    static caller callers[MANY];
    start_behind_a_held_leader(j, callers, MANY, commit_once);
    atomic_store(&j->hold, false);
    for (int i = 0; i < MANY; i++) {
        kv_thread_join(&callers[i].thread);
        assert_ok(callers[i].status);
    }
    assert_true(j->largest_group <= KV_COMMIT_GROUP_MAX);
    assert_int_equal(j->line.entries, MANY);
    close_journal(j);
}

static void *commit_twice(void *arg)
{
    caller *c = arg;
    for (uint32_t round = 1; round <= 2; round++) {
        kv_status st = commit_mark(c->journal, c->number << 16 | round, 1);
        if (st != KV_OK) c->status = st;
        if (round == 1 && c->number > 1) kv_sleep_ns(20000000);
    }
    return NULL;
}

// Three share the second group and come again a little later; the first is in
// line before them. Whether they come in time is the machine's to say, so there
// are a few trials.
static void who_shared_a_slow_group_is_waited_for(void **state)
{
    (void)state;
    bool did_wait = false;
    for (int trial = 0; trial < 10 && !did_wait; trial++) {
        journal *j = open_journal();
        j->second_lasts = 200000000;
        caller callers[4];
        start_behind_a_held_leader(j, callers, 4, commit_twice);
        atomic_store(&j->hold, false);
        for (int i = 0; i < 4; i++) {
            kv_thread_join(&callers[i].thread);
            assert_ok(callers[i].status);
        }
        assert_int_equal(j->sizes[0], 1);
        assert_true(j->sizes[1] >= 3);
        did_wait = j->sizes[2] >= 3;
        close_journal(j);
    }
    assert_true(did_wait);
}

static kv_status look_around(void *arg)
{
    journal *j = arg;
    if (atomic_fetch_add(&j->inside, 1) != 0)
        atomic_store(&j->overlapped, true);
    sched_yield();
    atomic_fetch_sub(&j->inside, 1);
    return j->fail_round != 0 ? kv_fail(KV_CORRUPT, "by itself") : KV_OK;
}

static void *exclude_many(void *arg)
{
    caller *c = arg;
    for (int i = 0; i < ROUNDS; i++) {
        kv_status st =
            kv_commit_exclusive(&c->journal->line, look_around, c->journal);
        if (st != KV_OK) c->status = st;
    }
    return NULL;
}

static void exclusive_work_runs_alone(void **state)
{
    (void)state;
    journal *j = open_journal();
    caller callers[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        callers[i] = (caller){.journal = j, .number = i};
        kv_thread_start(&callers[i].thread,
                        i % 2 == 0 ? exclude_many : commit_many, &callers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        kv_thread_join(&callers[i].thread);
        assert_ok(callers[i].status);
    }
    assert_false(atomic_load(&j->overlapped));
    j->fail_round = 0xffff;
    assert_status(kv_commit_exclusive(&j->line, look_around, j), KV_CORRUPT);
    assert_string_equal(kv_last_error(), "by itself");
    close_journal(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone_each_call_is_a_group),
        cmocka_unit_test(many_threads_keep_each_callers_order),
        cmocka_unit_test(those_who_wait_share_a_group_and_its_fate),
        cmocka_unit_test(a_group_has_a_limit),
        cmocka_unit_test(who_shared_a_slow_group_is_waited_for),
        cmocka_unit_test(exclusive_work_runs_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
