// life.c -- see life.h.
// SPDX-License-Identifier: MIT

#include "tests/fault/life.h"

#include <string.h>

#include "common/crash/crash.h"

uint64_t life_injections, life_seeds[2] = {3, 0};

kv_status life_open(life *l)
{
    return kv_open(l->engine,
                   &(kv_options){.path = "fault",
                                 .knobs = l->knobs,
                                 .memory_bytes = 1 << 20, // two dozen keys
                                 .disk = l->disk,
                                 .sync = l->sync,
                                 .interval_ms = 3600 * 1000, // never by itself
                                 .seed = 1,
                                 .create = true},
                   &l->db);
}

kv_status life_close(life *l)
{
    kv *db = l->db;
    l->db = NULL;
    return kv_close(db);
}

// An answer that says that nothing was changed.
static bool is_refusal(kv_status st)
{
    return st == KV_NO_SPACE || st == KV_READ_ONLY;
}

static kv_status write(life *l, const kv_crash_step *step)
{
    kv_status st = kv_crash_write(l->db, step);
    l->commits = step->commit;
    if (st == KV_OK) l->done[step->commit] = true;
    else l->in_doubt[step->commit] = !is_refusal(st);
    return st;
}

void life_run(life *l, size_t steps)
{
    assert_true(steps <= l->work->count);
    for (size_t i = 0; i < steps && l->db != NULL; i++) {
        const kv_crash_step *step = &l->work->steps[i];
        bool did_work;
        kv_status st = KV_OK;
        if (step->kind == KV_CRASH_WRITE) {
            st = write(l, step);
        } else if (step->kind == KV_CRASH_REOPEN) {
            st = life_close(l);
            if (life_open(l) != KV_OK) l->db = NULL;
        } else if (step->kind == KV_CRASH_SYNC) {
            st = kv_sync(l->db);
        } else {
            st = kv_maintain(l->db, &did_work);
        }
        if (st != KV_OK) assert_true(strlen(kv_last_error()) > 10);
    }
}

// The commit that a step leaves the key with, if it changes it.
static bool changes(const kv_crash_step *step, uint32_t key, uint32_t *commit)
{
    bool found = false;
    for (uint32_t i = 0; i < step->count; i++) {
        if (step->change[i].key != key) continue;
        *commit = step->change[i].is_del ? 0 : step->commit;
        found = true;
    }
    return found && step->kind == KV_CRASH_WRITE;
}

// The last acknowledged change, or any doubtful one.
static bool may_hold(const life *l, uint32_t key, uint32_t commit)
{
    uint32_t sure = 0, left = 0;
    for (size_t i = 0; i < l->work->count; i++) {
        const kv_crash_step *step = &l->work->steps[i];
        if (!changes(step, key, &left)) continue;
        if (l->done[step->commit]) sure = left;
        if (l->in_doubt[step->commit] && left == commit) return true;
    }
    return commit == sure;
}

uint32_t life_held(const life *l, uint32_t key)
{
    kv_buf name = {0}, value = {0}, want = {0};
    kv_crash_key(&name, key);
    kv_status st = kv_get(l->db, kv_buf_slice(&name), &value);
    uint32_t commit = 0;
    if (st == KV_OK) {
        bool known = false;
        while (!known && commit <= l->work->commits + 1) {
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

void life_check(const life *l, const char *what)
{
    for (uint32_t key = 0; key < KV_CRASH_FEW; key++) {
        uint32_t commit = life_held(l, key);
        if (may_hold(l, key, commit)) continue;
        print_error("%s, %s: key%02u is of commit %u\n",
                    kv_describe(l->engine)->name, what, key, commit);
        fail();
    }
}

kv_status life_look(kv *db)
{
    kv_report report = {0};
    kv_status st = kv_check(db, &report);
    kv_report_free(&report);
    return st;
}

void life_try(const kv_engine *engine, const char *goal, const char *what,
              life_test *test)
{
    assert_true(kv_describe(engine)->caps & KV_CAP_DURABLE);
    life_injections = 0;
    kv_names knobs = {0};
    kv_crash_workload work;
    kv_crash_knobs(engine, &knobs);
    for (int i = 0; i < 2 && life_seeds[i] != 0; i++) {
        kv_crash_workload_make(&work, life_seeds[i], LIFE_OPS);
        test(&(life){.engine = engine, .knobs = knobs.name[0], .work = &work});
        kv_crash_workload_free(&work);
    }
    kv_names_free(&knobs);
    test_figure(goal, kv_describe(engine)->name, what, life_injections);
    assert_true(life_injections > 5);
}
