// test_fault.c -- the named engine on a disk that fails, fills up or lies. The
// promises: an error is reported, what was acknowledged stays, nothing is made
// up.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "common/crash/crash.h"
#include "common/crash/workload.h"
#include "common/disk_fault.h"
#include "common/disk_sim.h"

#include "tests/support/test.h"

enum { OPS = 24, SEED = 3 };

static kv_crash_workload work;
static const kv_engine *subject;
static uint64_t injections;

// ---- a store and its history ------------------------------------------------

typedef struct life {
    const kv_engine *engine;
    const char *knobs;
    kv_disk *disk;
    kv *db;
    uint32_t acked;         // commits: the last one that returned KV_OK
    uint32_t issued;        // the last one that was tried
    bool in_doubt[OPS + 1]; // tried, and failed in a way that tells nothing
    bool done[OPS + 1];     // acknowledged
} life;

static kv_status open_store(life *l)
{
    return kv_open(l->engine,
                   &(kv_options){.path = "fault",
                                 .knobs = l->knobs,
                                 .disk = l->disk,
                                 .seed = 1,
                                 .create = true},
                   &l->db);
}

// An answer that says that nothing was changed.
static bool is_refusal(kv_status st)
{
    return st == KV_NO_SPACE || st == KV_READ_ONLY;
}

static void run(life *l)
{
    for (size_t i = 0; i < work.count && l->db != NULL; i++) {
        const kv_crash_step *step = &work.steps[i];
        bool did_work;
        kv_status st = KV_OK;
        if (step->kind == KV_CRASH_WRITE) {
            st = kv_crash_write(l->db, step);
            l->issued = step->commit;
            if (st == KV_OK) l->done[l->acked = step->commit] = true;
            else l->in_doubt[step->commit] = !is_refusal(st);
        } else if (step->kind == KV_CRASH_REOPEN) {
            st = kv_close(l->db);
            l->db = NULL;
            if (open_store(l) != KV_OK) l->db = NULL;
        } else if (step->kind == KV_CRASH_SYNC) {
            st = kv_sync(l->db);
        } else {
            st = kv_maintain(l->db, &did_work);
        }
        if (st != KV_OK) assert_true(strlen(kv_last_error()) > 10);
    }
}

// What a key may hold: the last acknowledged change, or a later doubtful one.
static bool may_hold(const life *l, uint32_t key, uint32_t commit)
{
    uint32_t sure = 0;
    for (size_t i = 0; i < work.count; i++) {
        const kv_crash_step *step = &work.steps[i];
        if (step->kind != KV_CRASH_WRITE) continue;
        for (uint32_t c = 0; c < step->count; c++) {
            if (step->change[c].key != key) continue;
            uint32_t holds = step->change[c].is_del ? 0 : step->commit;
            if (l->done[step->commit]) sure = holds;
        }
    }
    if (commit == sure) return true;
    for (size_t i = 0; i < work.count; i++) {
        const kv_crash_step *step = &work.steps[i];
        if (step->kind != KV_CRASH_WRITE || !l->in_doubt[step->commit])
            continue;
        for (uint32_t c = 0; c < step->count; c++) {
            uint32_t holds = step->change[c].is_del ? 0 : step->commit;
            if (step->change[c].key == key && holds == commit) return true;
        }
    }
    return false;
}

static uint32_t held(kv *db, uint32_t key)
{
    kv_buf name = {0}, value = {0}, want = {0};
    kv_crash_key(&name, key);
    kv_status st = kv_get(db, kv_buf_slice(&name), &value);
    uint32_t commit = 0;
    if (st == KV_OK) {
        bool known = false;
        while (!known && commit <= work.commits + 1) {
            kv_crash_value(&want, ++commit, key);
            known = kv_slice_equal(kv_buf_slice(&want), kv_buf_slice(&value));
        }
        assert_true(known); // never bytes that nobody wrote
    } else {
        assert_int_equal(st, KV_NOT_FOUND);
    }
    kv_buf_free(&name);
    kv_buf_free(&value);
    kv_buf_free(&want);
    return commit;
}

static void check_content(const life *l, const char *rule)
{
    for (uint32_t key = 0; key < KV_CRASH_KEYS; key++) {
        uint32_t commit = held(l->db, key);
        if (may_hold(l, key, commit)) continue;
        print_error("%s, rule %s: key%02u is of commit %u\n",
                    kv_describe(l->engine)->name, rule, key, commit);
        fail();
    }
}

static kv_status check(kv *db)
{
    kv_report report = {0};
    kv_status st = kv_check(db, &report);
    kv_report_free(&report);
    return st;
}

typedef void engine_test(const kv_engine *engine, const char *knobs);

static void run_engine(engine_test *test)
{
    assert_true(kv_describe(subject)->caps & KV_CAP_DURABLE);
    injections = 0;
    kv_names knobs = {0};
    kv_crash_knobs(subject, &knobs);
    kv_crash_workload_make(&work, SEED, OPS);
    test(subject, knobs.name[0]);
    kv_crash_workload_free(&work);
    kv_names_free(&knobs);
    print_message("%s: %llu injections\n", kv_describe(subject)->name,
                  (unsigned long long)injections);
    assert_true(injections > 50);
}

// ---- the nth call fails -----------------------------------------------------

// Runs the workload with a rule; then the disk is healthy again, and all that
// was acknowledged is there. False when the rule met no call.
static bool survive(const kv_engine *engine, const char *knobs,
                    const char *rule)
{
    life l = {.engine = engine, .knobs = knobs};
    kv_disk *sim = NULL;
    uint64_t calls = 0, hits = 0;
    assert_ok(kv_disk_open_sim(NULL, &sim));
    assert_ok(kv_disk_open_fault(sim, rule, &l.disk));
    if (open_store(&l) == KV_OK) {
        run(&l);
        if (l.db != NULL) {
            kv_disk_fault_counts(l.disk, &calls, &hits);
            assert_ok(kv_disk_fault_set(l.disk, ""));
            check_content(&l, rule); // what can be read now is right
            (void)kv_close(l.db);
            l.db = NULL;
        }
    }
    if (hits == 0) kv_disk_fault_counts(l.disk, &calls, &hits);
    assert_ok(kv_disk_fault_set(l.disk, ""));
    kv_status st = open_store(&l);
    if (st != KV_OK) print_error("rule %s: %s\n", rule, kv_last_error());
    assert_int_equal(st, KV_OK);
    check_content(&l, rule);
    assert_ok(check(l.db));
    assert_ok(kv_close(l.db));
    assert_int_equal(kv_disk_sim_open_count(sim), 0);
    kv_disk_close(l.disk);
    injections += hits > 0;
    return hits > 0;
}

static void every_call_may_fail(const kv_engine *engine, const char *knobs)
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
                met = survive(engine, knobs, rule);
            }
        }
    }
}

static void no_failure_loses_what_was_acknowledged(void **state)
{
    (void)state;
    run_engine(every_call_may_fail);
}

// ---- a disk that fills up ---------------------------------------------------

static void every_capacity(const kv_engine *engine, const char *knobs)
{
    for (uint64_t bytes = 512; bytes < 16384; bytes += 256) {
        life l = {.engine = engine, .knobs = knobs};
        assert_ok(
            kv_disk_open_sim(&(kv_sim_options){.capacity = bytes}, &l.disk));
        if (open_store(&l) == KV_OK) {
            run(&l);
            assert_non_null(l.db);
            check_content(&l, "full");
            injections += kv_disk_sim_used(l.disk) > 0;
            // There is room again: writes resume without reopening.
            kv_disk_sim_set_capacity(l.disk, 0);
            assert_ok(kv_put(l.db, kv_str("later"), kv_str("room")));
            assert_ok(check(l.db));
            assert_ok(kv_close(l.db));
        }
        kv_disk_sim_set_capacity(l.disk, 0);
        assert_ok(open_store(&l));
        check_content(&l, "full, reopened");
        assert_ok(kv_close(l.db));
        kv_disk_close(l.disk);
    }
}

static void a_full_disk_is_no_disaster(void **state)
{
    (void)state;
    run_engine(every_capacity);
}

// ---- a sync that fails ------------------------------------------------------

// The disk forgets what it could not write, whatever reads show meanwhile. Then
// the store is reopened on what reads show, lives on, and power goes.
static bool survive_sync(const kv_engine *engine, const char *knobs,
                         uint64_t nth, kv_sim_loss loss)
{
    life l = {.engine = engine, .knobs = knobs};
    char rule[40];
    uint8_t none[4096] = {0};
    size_t atoms = 0;
    snprintf(rule, sizeof rule, "sync %d lost in way %d", (int)nth, (int)loss);
    assert_ok(kv_disk_open_sim(NULL, &l.disk));
    kv_disk_sim_fail_sync(l.disk, nth, loss);
    if (open_store(&l) == KV_OK) {
        run(&l);
        if (l.db != NULL) {
            check_content(&l, rule);
            (void)kv_close(l.db);
        }
    }
    bool met = kv_disk_sim_syncs(l.disk) >= nth;
    kv_disk_sim_fail_sync(l.disk, 0, loss); // it must not be met later
    assert_ok(open_store(&l));
    check_content(&l, rule);
    assert_ok(kv_put(l.db, kv_str("later"), kv_str("on")));
    (void)kv_disk_sim_atoms(l.disk, &atoms);
    assert_true(atoms < sizeof none);
    kv_disk *cut = kv_disk_sim_crash(l.disk, none, KV_SIM_SHORT);
    assert_ok(kv_close(l.db));
    kv_disk_close(l.disk);
    l.disk = cut;
    assert_ok(open_store(&l));
    check_content(&l, rule);
    kv_buf value = {0};
    assert_ok(kv_get(l.db, kv_str("later"), &value));
    kv_buf_free(&value);
    assert_ok(check(l.db));
    assert_ok(kv_close(l.db));
    kv_disk_close(cut);
    injections += met;
    return met;
}

static void every_sync_may_fail(const kv_engine *engine, const char *knobs)
{
    for (int loss = 0; loss < KV_SIM_LOSSES; loss++) {
        uint64_t nth = 1;
        while (survive_sync(engine, knobs, nth, (kv_sim_loss)loss)) nth++;
    }
}

static void a_failed_sync_is_believed(void **state)
{
    (void)state;
    run_engine(every_sync_may_fail);
}

int main(int argc, char **argv)
{
    subject = argc == 2 ? test_engine(argv[1]) : NULL;
    if (subject == NULL) {
        fprintf(stderr, "say test_fault ENGINE, one that this build has\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_failure_loses_what_was_acknowledged),
        cmocka_unit_test(a_full_disk_is_no_disaster),
        cmocka_unit_test(a_failed_sync_is_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
