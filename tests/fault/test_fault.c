// test_fault.c -- the named engine on a disk that fails, fills up, or lies.
// SPDX-License-Identifier: MIT

#include <stdlib.h>
#include <string.h>

#include "common/thread.h"

#include "tests/fault/crowd.h"

static const kv_engine *subject;

// ---- the nth call fails -----------------------------------------------------

// False when the rule met no call.
typedef bool rule_test(const life *begin, const char *rule);

// Tries every kind of failure at every call, until there are no more calls.
static void try_every_call(const life *begin, rule_test *test)
{
    static const struct {
        const char *call, *what;
    } faults[] = {
        {"open", "EMFILE"},  {"read", "EIO"},     {"write", "EIO"},
        {"write", "ENOSPC"}, {"write", "short"},  {"write", "torn"},
        {"sync", "EIO"},     {"sync_dir", "EIO"}, {"rename", "EIO"},
        {"remove", "EIO"},   {"truncate", "EIO"}, {"close", "EIO"},
        {"list", "EIO"},     {"size", "EIO"},     {"lock", "EIO"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        for (int ever = 0; ever < 2; ever++) {
            bool met = true;
            // "For ever" from each call on differs little from the next: steps.
            for (int n = 1; met; n += ever ? 1 + n / 2 : 1) {
                char rule[64];
                snprintf(rule, sizeof rule, "*:%s:%d%s:%s", faults[i].call, n,
                         ever ? "+" : "", faults[i].what);
                met = test(begin, rule);
                life_injections += met;
            }
        }
    }
}

// On a healthy disk the store opens, and holds what it has to.
static void expect_all(life *l, const char *rule)
{
    kv_status st = life_open(l);
    if (st != KV_OK) print_error("rule %s: %s\n", rule, kv_last_error());
    assert_int_equal(st, KV_OK);
    life_check(l, rule);
    assert_ok(life_look(l->db));
    assert_ok(life_close(l));
}

// Runs the workload with a rule; then the disk is healthy again, and all that
// was acknowledged is there.
static bool survive(const life *begin, const char *rule)
{
    life l = *begin;
    kv_disk *sim = NULL;
    uint64_t calls = 0, hits = 0;
    assert_ok(kv_disk_open_sim(NULL, &sim));
    assert_ok(kv_disk_open_fault(sim, rule, &l.disk));
    if (life_open(&l) == KV_OK) life_run(&l, LIFE_OPS);
    kv_disk_fault_counts(l.disk, &calls, &hits);
    assert_ok(kv_disk_fault_set(l.disk, ""));
    if (l.db != NULL) {
        life_check(&l, rule); // what can be read now is right
        (void)life_close(&l);
    }
    expect_all(&l, rule);
    assert_int_equal(kv_disk_sim_open_count(sim), 0);
    kv_disk_close(l.disk);
    return hits > 0;
}

static void every_call_may_fail(const life *begin)
{
    try_every_call(begin, survive);
}

static void no_failure_loses_what_was_acknowledged(void **state)
{
    (void)state;
    life_try(subject, "R4", "calls that failed", every_call_may_fail);
}

// A store whose process was killed is opened with a rule; then the disk is
// healthy again, and it opens with all there was.
static bool survive_opening(const life *begin, const char *rule)
{
    life l = *begin;
    kv_disk *killed = kv_disk_sim_kill(begin->disk);
    uint64_t calls = 0, hits = 0;
    assert_ok(kv_disk_open_fault(killed, rule, &l.disk));
    kv_status st = life_open(&l);
    kv_disk_fault_counts(l.disk, &calls, &hits);
    assert_ok(kv_disk_fault_set(l.disk, ""));
    if (st == KV_OK) life_check(&l, rule);
    (void)life_close(&l);
    expect_all(&l, rule);
    assert_int_equal(kv_disk_sim_open_count(killed), 0);
    kv_disk_close(l.disk);
    return hits > 0;
}

static void every_opening_may_fail(const life *begin)
{
    life l = *begin;
    assert_ok(kv_disk_open_sim(NULL, &l.disk));
    assert_ok(life_open(&l));
    life_run(&l, LIFE_OPS);
    life left = l; // by a kill: what is on the disk, and nobody has it open
    left.db = NULL;
    left.moment = NULL;
    left.disk = kv_disk_sim_kill(l.disk);
    assert_ok(life_close(&l));
    try_every_call(&left, survive_opening);
    kv_disk_close(left.disk);
    kv_disk_close(l.disk);
}

static void no_failure_at_the_start_loses_anything(void **state)
{
    (void)state;
    life_try(subject, "R4", "calls that failed", every_opening_may_fail);
}

// ---- a disk that fills up ---------------------------------------------------

// Larger values than the workload's, each followed by the smallest there is: a
// large one that half fits must leave nothing behind that a small one, or the
// end of a file, would stand before.
static void press(life *l, unsigned size)
{
    kv_buf value = {0};
    kv_buf_reserve(&value, size);
    memset(value.data, 'v', size);
    value.len = size;
    kv_status large = kv_put(l->db, kv_str("large"), kv_buf_slice(&value));
    kv_status small = kv_put(l->db, kv_str("l"), kv_str(""));
    kv_buf_free(&value);
    assert_true(large == KV_OK || large == KV_NO_SPACE);
    assert_true(small == KV_OK || small == KV_NO_SPACE);
}

static size_t count_files(const life *l)
{
    kv_names names = {0};
    assert_ok(kv_disk_list(l->disk, &names));
    size_t count = names.count;
    kv_names_free(&names);
    return count;
}

// Steps until one finds nothing to do, or no room to do it in.
static void keep_house(const life *l)
{
    enum { STEPS_MAX = 1000 }; // more than a few dozen keys can need
    bool did_work = true;
    kv_status st = KV_OK;
    for (int i = 0; st == KV_OK && did_work; i++) {
        if (i == STEPS_MAX) fail_msg("housekeeping on a full disk never ends");
        st = kv_maintain(l->db, &did_work);
    }
    assert_true(st == KV_OK || st == KV_NO_SPACE);
}

// Housekeeping comes to an end, and what it could not finish leaves no files
// behind, however often it is tried.
static void settle_in_vain(const life *l)
{
    enum { TIMES = 20 };
    keep_house(l);
    size_t before = count_files(l);
    for (int i = 0; i < TIMES; i++) {
        keep_house(l);
        kv_status st = kv_describe(l->engine)->caps & KV_CAP_COMPACT
                           ? kv_compact(l->db, kv_str(""), kv_str(""))
                           : KV_OK;
        assert_true(st == KV_OK || st == KV_NO_SPACE);
    }
    // What does fit may be done with a few files more.
    assert_true(count_files(l) < before + TIMES / 2);
}

static void fill(const life *begin, uint64_t bytes)
{
    life l = *begin;
    assert_ok(kv_disk_open_sim(&(kv_sim_options){.capacity = bytes}, &l.disk));
    if (life_open(&l) == KV_OK) {
        life_run(&l, LIFE_OPS);
        assert_non_null(l.db);
        for (unsigned i = 0; i < 3; i++) press(&l, 300 + (unsigned)bytes % 700);
        settle_in_vain(&l);
        life_check(&l, "full");
        life_injections += kv_disk_sim_used(l.disk) > 0;
        // There is room again: writes resume without reopening.
        kv_disk_sim_set_capacity(l.disk, 0);
        assert_ok(kv_put(l.db, kv_str("later"), kv_str("room")));
        press(&l, 3000); // as much as ends a file, and begins the next
        assert_ok(life_look(l.db));
        assert_ok(life_close(&l));
    }
    kv_disk_sim_set_capacity(l.disk, 0);
    expect_all(&l, "full, reopened");
    kv_disk_close(l.disk);
}

static void every_capacity(const life *begin)
{
    for (uint64_t bytes = 512; bytes < 16384; bytes += 256) fill(begin, bytes);
}

// The same, with housekeeping on a thread of its own.
static void every_capacity_in_the_background(const life *begin)
{
    static const char inside[] = "background=0";
    char knobs[512];
    life l = *begin;
    snprintf(knobs, sizeof knobs, "%s", begin->knobs);
    char *at = strstr(knobs, inside);
    if (at == NULL) return; // this engine has no threads
    at[strlen(inside) - 1] = '1';
    l.knobs = knobs;
    every_capacity(&l);
}

static void a_full_disk_is_no_disaster(void **state)
{
    (void)state;
    life_try(subject, "R6", "capacities", every_capacity);
}

static void a_full_disk_is_no_disaster_in_the_background(void **state)
{
    (void)state;
    life_try(subject, "R6", "capacities", every_capacity_in_the_background);
}

// ---- a sync that fails ------------------------------------------------------

// Power goes, and nothing that was not synced is there.
static void cut_power(life *l)
{
    uint8_t none[4096] = {0};
    size_t atoms = 0;
    (void)kv_disk_sim_atoms(l->disk, &atoms);
    assert_true(atoms < sizeof none);
    kv_disk *cut = kv_disk_sim_crash(l->disk, none, KV_SIM_SHORT);
    (void)life_close(l);
    kv_disk_close(l->disk);
    l->disk = cut;
}

// The disk forgets what it could not write, whatever reads show meanwhile. Then
// the store is reopened on what reads show, lives on, and power goes.
static bool survive_sync(const life *begin, uint64_t nth, kv_sim_loss loss)
{
    life l = *begin;
    char rule[40];
    snprintf(rule, sizeof rule, "sync %d lost in way %d", (int)nth, (int)loss);
    assert_ok(kv_disk_open_sim(NULL, &l.disk));
    kv_disk_sim_fail_sync(l.disk, nth, loss);
    if (life_open(&l) == KV_OK) {
        life_run(&l, LIFE_OPS);
        if (l.db != NULL) {
            life_check(&l, rule);
            (void)life_close(&l);
        }
    }
    bool met = kv_disk_sim_syncs(l.disk) >= nth;
    kv_disk_sim_fail_sync(l.disk, 0, loss); // it must not be met later
    assert_ok(life_open(&l));
    life_check(&l, rule);
    assert_ok(kv_put(l.db, kv_str("later"), kv_str("on")));
    cut_power(&l);
    assert_ok(life_open(&l));
    life_check(&l, rule);
    kv_buf value = {0};
    assert_ok(kv_get(l.db, kv_str("later"), &value));
    kv_buf_free(&value);
    assert_ok(life_look(l.db));
    assert_ok(life_close(&l));
    kv_disk_close(l.disk);
    life_injections += met;
    return met;
}

static void every_sync_may_fail(const life *begin)
{
    for (int loss = 0; loss < KV_SIM_LOSSES; loss++) {
        uint64_t nth = 1;
        while (survive_sync(begin, nth, (kv_sim_loss)loss)) nth++;
    }
}

static void a_failed_sync_is_believed(void **state)
{
    (void)state;
    life_try(subject, "R5", "syncs that failed", every_sync_may_fail);
}

// One of several writers: what it was told is there.
typedef struct writer {
    kv *db;
    unsigned number, told;
} writer;

enum { WRITERS = 6, WRITES = 40 };

static kv_slice key_of(char to[16], unsigned number, unsigned n)
{
    snprintf(to, 16, "%u-%02u", number, n);
    return kv_str(to);
}

static void *write_on(void *arg)
{
    writer *w = arg;
    char name[16];
    kv_status st = KV_OK;
    while (st == KV_OK && w->told < WRITES) {
        st = kv_put(w->db, key_of(name, w->number, w->told), kv_str("v"));
        w->told += st == KV_OK;
    }
    return NULL;
}

// Who stands in line when another's sync fails writes nothing behind what was
// lost, and is not told that it did, though its own sync would be good.
static void lose_a_sync_among_many(const life *begin, uint64_t nth)
{
    life l = *begin;
    writer w[WRITERS];
    kv_thread thread[WRITERS];
    kv_buf value = {0};
    char name[16];
    assert_ok(kv_disk_open_sim(NULL, &l.disk));
    assert_ok(life_open(&l));
    kv_disk_sim_fail_sync(l.disk, nth, KV_SIM_KEEPS);
    for (unsigned i = 0; i < WRITERS; i++) {
        w[i] = (writer){l.db, i, 0};
        kv_thread_start(&thread[i], write_on, &w[i]);
    }
    for (unsigned i = 0; i < WRITERS; i++) kv_thread_join(&thread[i]);
    cut_power(&l);
    assert_ok(life_open(&l));
    for (unsigned i = 0; i < WRITERS; i++) {
        life_injections += w[i].told < WRITES;
        for (unsigned n = 0; n < w[i].told; n++) {
            assert_ok(kv_get(l.db, key_of(name, i, n), &value));
        }
    }
    kv_buf_free(&value);
    assert_ok(life_close(&l));
    kv_disk_close(l.disk);
}

static void every_sync_among_many(const life *begin)
{
    for (uint64_t nth = 2; nth < 60; nth++) lose_a_sync_among_many(begin, nth);
}

static void nobody_writes_behind_a_lost_sync(void **state)
{
    (void)state;
    life_try(subject, "R5", "writers refused", every_sync_among_many);
}

// Without a sync for each write, a close that says KV_OK is the promise that
// all is there when power goes.
static bool survive_close(const life *begin, size_t steps, uint64_t nth)
{
    life l = *begin;
    char rule[40];
    kv_sim_loss loss = (kv_sim_loss)(steps % KV_SIM_LOSSES);
    snprintf(rule, sizeof rule, "close after %d, sync %d", (int)steps,
             (int)nth);
    l.sync = KV_SYNC_NONE;
    assert_ok(kv_disk_open_sim(NULL, &l.disk));
    assert_ok(life_open(&l));
    life_run(&l, steps);
    kv_disk_sim_fail_sync(l.disk, nth, loss);
    uint64_t before = kv_disk_sim_syncs(l.disk);
    bool is_promised = life_close(&l) == KV_OK;
    bool met = kv_disk_sim_syncs(l.disk) >= before + nth;
    kv_disk_sim_fail_sync(l.disk, 0, loss);
    cut_power(&l);
    assert_ok(life_open(&l));
    if (is_promised) life_check(&l, rule);
    assert_ok(life_look(l.db));
    assert_ok(life_close(&l));
    kv_disk_close(l.disk);
    life_injections += met;
    return met;
}

static void every_close_may_fail(const life *begin)
{
    for (size_t steps = 1; steps <= LIFE_OPS; steps++) {
        uint64_t nth = 1;
        while (survive_close(begin, steps, nth)) nth++;
    }
}

static void a_close_that_says_so_has_synced(void **state)
{
    (void)state;
    life_try(subject, "R5", "power cuts behind a close", every_close_may_fail);
}

// ---- more data than memory --------------------------------------------------

static void an_old_cursor_outlives_what_fails(void **state)
{
    (void)state;
    crowd_outlive(subject);
}

static void nothing_older_is_read_after_a_failed_sync(void **state)
{
    (void)state;
    crowd_lose_syncs(subject);
}

int main(int argc, char **argv)
{
    subject = argc == 2 || argc == 3 ? test_engine(argv[1]) : NULL;
    life_seeds[1] = 77; // begins a log on a disk that is full just then
    life_seeds[2] = KV_CRASH_RANGED + 3;
    if (argc == 3) {
        life_seeds[0] = strtoull(argv[2], NULL, 10);
        life_seeds[1] = life_seeds[0] + 1;
    }
    if (subject == NULL) {
        fprintf(stderr, "say test_fault ENGINE [SEED], an engine that this "
                        "build has\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_failure_loses_what_was_acknowledged),
        cmocka_unit_test(no_failure_at_the_start_loses_anything),
        cmocka_unit_test(a_full_disk_is_no_disaster),
        cmocka_unit_test(a_full_disk_is_no_disaster_in_the_background),
        cmocka_unit_test(a_failed_sync_is_believed),
        cmocka_unit_test(nobody_writes_behind_a_lost_sync),
        cmocka_unit_test(a_close_that_says_so_has_synced),
        cmocka_unit_test(an_old_cursor_outlives_what_fails),
        cmocka_unit_test(nothing_older_is_read_after_a_failed_sync),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
