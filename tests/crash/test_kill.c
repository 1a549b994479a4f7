// test_kill.c -- kill -9, for real: the named engine in a process of its own is
// killed at any moment, and what is left is judged by another.
// SPDX-License-Identifier: MIT
//
//     test_kill ENGINE [KILLS [SEED]]
//
//   this process, the oracle          the victim
//   ------------------------          ----------
//   fork ───────────────────────────▶ open, then write, write …
//   reads `issued` and `acked` ◀───── both in memory that the two share
//   kill -9
//   opens the store itself: its content is that after n of the victim's
//   commits, acked <= n <= issued; then the next victim
//
// The same store is killed a number of times, also while it recovers. Threads
// of the engine run where it has a knob for them. A kill loses no byte that the
// system has, so all sync modes promise the same here.

#define _DEFAULT_SOURCE // MAP_ANONYMOUS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/crash/workload.h"
#include "common/rng.h"

#include "tests/support/test.h"

enum {
    KILLS_DEFAULT = 100,
    KILLS_PER_STORE = 10,
    STEPS = 4000, // more than a victim lives to do
};

// What the two processes share.
typedef struct board {
    _Atomic uint32_t issued, acked; // commits
    _Atomic bool is_open, failed;
    char sentence[300];
} board;

typedef struct history {
    uint32_t commit[KV_CRASH_KEYS]; // that each key's value is from; 0: none
    uint32_t commits;               // so far, over all victims
} history;

static const kv_engine *subject;
static uint64_t kills_wanted = KILLS_DEFAULT, first_seed;
static board *shared;
static char *path, *knobs;
static uint64_t killed_opening, commits_done;

static kv_options options_of(uint64_t kill)
{
    return (kv_options){.path = path,
                        .knobs = knobs,
                        .sync = (kv_sync_mode)(kill % 3),
                        .interval_ms = 1,
                        .memory_bytes = 1 << 20,
                        .create = true};
}

// Tiny sizes, so that there is housekeeping to be killed in; threads, so that
// it is done by more than one.
static void make_knobs(bool with_threads)
{
    const kv_engine_info *info = kv_describe(subject);
    kv_buf text = {0};
    for (size_t i = 0; i < info->knob_count; i++) {
        const kv_knob *knob = &info->knobs[i];
        bool is_threads = strcmp(knob->name, "background") == 0;
        bool is_size = strstr(knob->name, "_bytes") != NULL;
        if (!is_threads && !(is_size && knob->min > 0)) continue;
        if (text.len > 0) kv_buf_printf(&text, ",");
        kv_knob_print(knob, is_threads ? with_threads * 2u : knob->min, &text);
    }
    kv_buf_append(&text, kv_slice_of("", 1));
    knobs = (char *)text.data;
}

// ---- the victim -------------------------------------------------------------

static void give_up(void)
{
    snprintf(shared->sentence, sizeof shared->sentence, "%s", kv_last_error());
    atomic_store(&shared->failed, true);
    _exit(1);
}

static void do_step(kv *db, const kv_crash_step *step)
{
    bool did_work;
    kv_status st = KV_OK;
    if (step->kind == KV_CRASH_WRITE) {
        atomic_store(&shared->issued, step->commit);
        st = kv_crash_write(db, step);
        if (st == KV_OK) atomic_store(&shared->acked, step->commit);
    } else if (step->kind == KV_CRASH_SYNC) {
        st = kv_sync(db);
    } else {
        st = kv_maintain(db, &did_work);
    }
    if (st != KV_OK) give_up();
}

static void live(const kv_crash_workload *work, uint64_t kill)
{
    kv *db = NULL;
    kv_options options = options_of(kill);
    if (kv_open(subject, &options, &db) != KV_OK) give_up();
    atomic_store(&shared->is_open, true);
    for (size_t i = 0; i < work->count; i++) do_step(db, &work->steps[i]);
    (void)kv_close(db);
    _exit(0);
}

// ---- the oracle -------------------------------------------------------------

// Half of them die while they open or soon after; the others once they have
// done a number of commits.
static void wait_for_the_moment(kv_rng *rng, uint32_t before)
{
    if (kv_rng_below(rng, 2) == 0) {
        uint64_t end = kv_now_ns() + kv_rng_below(rng, 3000000);
        while (kv_now_ns() < end) {
        }
        return;
    }
    uint32_t target = before + (uint32_t)kv_rng_below(rng, 300);
    uint64_t end = kv_now_ns() + 5000000000u; // it may have died by itself
    while (atomic_load(&shared->acked) < target && kv_now_ns() < end) {
        if (atomic_load(&shared->failed)) return;
        usleep(50);
    }
}

static void kill_one(const kv_crash_workload *work, const history *h,
                     uint64_t kill_number, kv_rng *rng)
{
    *shared = (board){.issued = h->commits, .acked = h->commits};
    fflush(NULL);
    pid_t victim = fork();
    assert_true(victim >= 0);
    if (victim == 0) live(work, kill_number);
    wait_for_the_moment(rng, h->commits);
    assert_int_equal(kill(victim, SIGKILL), 0);
    int status = 0;
    assert_int_equal(waitpid(victim, &status, 0), victim);
    if (atomic_load(&shared->failed)) {
        print_error("kill %llu: the victim failed by itself: %s\n",
                    (unsigned long long)kill_number, shared->sentence);
        fail();
    }
    killed_opening += !atomic_load(&shared->is_open);
    commits_done += atomic_load(&shared->acked) - h->commits;
}

// The commits of a workload continue those of the victims before.
static void number_on(kv_crash_workload *work, uint32_t from)
{
    for (size_t i = 0; i < work->count; i++) work->steps[i].commit += from;
}

static void apply(history *h, const kv_crash_step *step)
{
    kv_crash_apply(h->commit, step);
    h->commits = step->commit;
}

static uint32_t commit_of(kv_slice value, uint32_t key)
{
    char text[24] = {0};
    kv_buf want = {0};
    memcpy(text, value.data, value.len < 10 ? value.len : 10);
    uint32_t commit = (uint32_t)strtoul(text, NULL, 10);
    kv_crash_value(&want, commit, key);
    bool is_ours = kv_slice_equal(kv_buf_slice(&want), value);
    kv_buf_free(&want);
    assert_true(is_ours); // never bytes that nobody wrote
    return commit;
}

static void read_store(kv *db, uint32_t found[KV_CRASH_KEYS])
{
    kv_buf key = {0}, value = {0};
    kv_report report = {0};
    for (uint32_t i = 0; i < KV_CRASH_KEYS; i++) {
        kv_crash_key(&key, i);
        kv_status st = kv_get(db, kv_buf_slice(&key), &value);
        if (st != KV_NOT_FOUND) assert_ok(st);
        found[i] = st == KV_OK ? commit_of(kv_buf_slice(&value), i) : 0;
    }
    kv_status st = kv_check(db, &report);
    kv_report_free(&report);
    kv_buf_free(&key);
    kv_buf_free(&value);
    assert_ok(st);
}

// The store is left open for a moment only: what it recovered is what the next
// victim finds.
static void judge(const kv_crash_workload *work, history *h, uint64_t kill)
{
    uint32_t found[KV_CRASH_KEYS];
    uint32_t acked = atomic_load(&shared->acked);
    uint32_t issued = atomic_load(&shared->issued);
    kv *db = NULL;
    kv_options options = options_of(kill);
    assert_ok(kv_open(subject, &options, &db));
    read_store(db, found);
    assert_ok(kv_close(db));
    history at = *h, best = *h;
    bool is_there =
        acked == h->commits && memcmp(at.commit, found, sizeof found) == 0;
    for (size_t i = 0; i < work->count && at.commits < issued; i++) {
        if (work->steps[i].kind != KV_CRASH_WRITE) continue;
        apply(&at, &work->steps[i]);
        if (at.commits < acked || memcmp(at.commit, found, sizeof found) != 0) {
            continue;
        }
        is_there = true;
        best = at;
    }
    if (!is_there) {
        print_error("%s{%s}, kill %llu, seed %llu: the state after none of "
                    "commits %u to %u\n",
                    kv_describe(subject)->name, knobs, (unsigned long long)kill,
                    (unsigned long long)first_seed, acked, issued);
        fail();
    }
    *h = best;
    h->commits = issued; // numbers that were used are not used again
}

static void kill_a_store(uint64_t first, uint64_t count)
{
    history h = {.commits = 0};
    kv_rng rng;
    char *parent = test_make_dir();
    kv_buf store = {0};
    kv_rng_seed(&rng, first_seed + first);
    kv_buf_printf(&store, "%s/store%c", parent, '\0');
    path = (char *)store.data;
    make_knobs(first / KILLS_PER_STORE % 2 == 1);
    for (uint64_t i = 0; i < count; i++) {
        kv_crash_workload work;
        kv_crash_workload_make(&work, first_seed + first + i, STEPS);
        number_on(&work, h.commits);
        kill_one(&work, &h, first + i, &rng);
        judge(&work, &h, first + i);
        kv_crash_workload_free(&work);
    }
    kv_buf text = {.data = (uint8_t *)knobs};
    kv_buf_free(&text);
    kv_buf_free(&store);
    test_remove_dir(parent);
}

static void no_kill_loses_what_was_acknowledged(void **state)
{
    (void)state;
    assert_true(kv_describe(subject)->caps & KV_CAP_DURABLE);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    for (uint64_t i = 0; i < kills_wanted; i += KILLS_PER_STORE) {
        uint64_t left = kills_wanted - i;
        kill_a_store(i, left < KILLS_PER_STORE ? left : KILLS_PER_STORE);
    }
    munmap(shared, sizeof *shared);
    const char *name = kv_describe(subject)->name;
    test_figure("R12", name, "kills", kills_wanted);
    test_figure("R12", name, "of them before the store was open",
                killed_opening);
    test_figure("R12", name, "commits acknowledged", commits_done);
    assert_true(commits_done > kills_wanted); // they did live
}

int main(int argc, char **argv)
{
    subject = argc >= 2 && argc <= 4 ? test_engine(argv[1]) : NULL;
    if (argc > 2) kills_wanted = strtoull(argv[2], NULL, 10);
    first_seed = argc > 3 ? strtoull(argv[3], NULL, 10) : kv_entropy() >> 32;
    if (subject == NULL || kills_wanted == 0) {
        fprintf(stderr, "say test_kill ENGINE [KILLS [SEED]], an engine that "
                        "this build has\n");
        return 2;
    }
    printf("seed %llu\n", (unsigned long long)first_seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_kill_loses_what_was_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
