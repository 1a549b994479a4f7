// life.c -- see life.h.
// SPDX-License-Identifier: MIT

#include "tests/fault/life.h"

#include <string.h>

#include "common/crash/crash.h"

uint64_t life_injections, life_seeds[3] = {3, 0, 0};

kv_status life_open(life *l)
{
    uint64_t memory = l->memory_bytes > 0 ? l->memory_bytes : 1 << 20;
    return kv_open(l->engine,
                   &(kv_options){.path = "fault",
                                 .knobs = l->knobs,
                                 .memory_bytes = memory,
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
    kv_cursor_close(l->moment);
    l->moment = NULL;
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

// The commit that a step leaves the key with, if it changes it.
static bool changes(const kv_crash_step *step, uint32_t key, uint32_t *commit)
{
    bool found = false;
    for (uint32_t i = 0; i < step->count; i++) {
        if (!kv_crash_covers(&step->change[i], key)) continue;
        *commit = step->change[i].is_del ? 0 : step->commit;
        found = true;
    }
    return found && step->kind == KV_CRASH_WRITE;
}

// The last acknowledged change of the first `commits`, or any doubtful one.
static bool may_hold(const life *l, uint32_t commits, uint32_t key,
                     uint32_t commit)
{
    uint32_t sure = 0, left = 0;
    for (size_t i = 0; i < l->work->count; i++) {
        const kv_crash_step *step = &l->work->steps[i];
        if (step->commit > commits) break;
        if (!changes(step, key, &left)) continue;
        if (l->done[step->commit]) sure = left;
        if (l->in_doubt[step->commit] && left == commit) return true;
    }
    return commit == sure;
}

// Never bytes that nobody wrote.
static uint32_t commit_of(const life *l, uint32_t key, kv_slice value)
{
    kv_buf want = {0};
    bool known = false;
    uint32_t commit = 0;
    while (!known && commit <= l->work->commits + 1) {
        kv_crash_value(&want, ++commit, key);
        known = kv_slice_equal(kv_buf_slice(&want), value);
    }
    kv_buf_free(&want);
    assert_true(known);
    return commit;
}

uint32_t life_held(const life *l, uint32_t key)
{
    kv_buf name = {0}, value = {0};
    kv_crash_key(&name, key);
    kv_status st = kv_get(l->db, kv_buf_slice(&name), &value);
    assert_true(st == KV_OK || st == KV_NOT_FOUND);
    uint32_t commit = st == KV_OK ? commit_of(l, key, kv_buf_slice(&value)) : 0;
    kv_buf_free(&name);
    kv_buf_free(&value);
    return commit;
}

static void expect_lawful(const life *l, uint32_t commits, uint32_t key,
                          uint32_t commit, const char *what)
{
    if (may_hold(l, commits, key, commit)) return;
    print_error("%s, %s: key%02u is of commit %u\n",
                kv_describe(l->engine)->name, what, key, commit);
    fail();
}

void life_check(const life *l, const char *what)
{
    for (uint32_t key = 0; key < KV_CRASH_KEYS; key++) {
        expect_lawful(l, l->commits, key, life_held(l, key), what);
    }
}

// ---- living -----------------------------------------------------------------

// Walks the cursor: it shows what its moment may have held. A read that fails
// ends it.
static kv_status walk_moment(const life *l)
{
    uint32_t held[KV_CRASH_KEYS] = {0}, at = 0;
    kv_buf name = {0};
    kv_slice key, value;
    kv_status st;
    while ((st = kv_cursor_next(l->moment, &key, &value)) == KV_OK) {
        do { // keys come in order
            assert_true(at < KV_CRASH_KEYS);
            kv_crash_key(&name, at++);
        } while (!kv_slice_equal(key, kv_buf_slice(&name)));
        held[at - 1] = commit_of(l, at - 1, value);
    }
    kv_buf_free(&name);
    if (st != KV_END) return st;
    for (uint32_t i = 0; i < KV_CRASH_KEYS; i++) {
        expect_lawful(l, l->moment_commit, i, held[i], "a moment");
    }
    return KV_OK;
}

static kv_status turn_moment(life *l)
{
    unsigned needs = KV_CAP_SNAPSHOT | KV_CAP_ORDERED;
    if ((kv_describe(l->engine)->caps & needs) != needs) return KV_OK;
    if (l->moment == NULL) {
        l->moment_commit = l->commits;
        return kv_scan(l->db, (kv_range){.reverse = false}, &l->moment);
    }
    kv_status st = walk_moment(l);
    kv_cursor_close(l->moment);
    l->moment = NULL;
    return st;
}

static kv_status do_step(life *l, const kv_crash_step *step)
{
    bool did_work;
    kv_status st;
    switch (step->kind) {
    case KV_CRASH_WRITE:
        return write(l, step);
    case KV_CRASH_REOPEN:
        st = life_close(l);
        if (life_open(l) != KV_OK) l->db = NULL;
        return st;
    case KV_CRASH_SYNC:
        return kv_sync(l->db);
    case KV_CRASH_COMPACT:
        return kv_crash_compact(l->db, step);
    case KV_CRASH_MOMENT:
        return turn_moment(l);
    case KV_CRASH_BACKUP: // whole or refused: the store's own part is looked at
        return kv_crash_backup(l->db);
    default:
        return kv_maintain(l->db, &did_work);
    }
}

void life_run(life *l, size_t steps)
{
    assert_true(steps <= l->work->count);
    for (size_t i = 0; i < steps && l->db != NULL; i++) {
        kv_status st = do_step(l, &l->work->steps[i]);
        if (st != KV_OK) assert_true(strlen(kv_last_error()) > 10);
    }
}

// ---- trying -----------------------------------------------------------------

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
    for (int i = 0; i < 3 && life_seeds[i] != 0; i++) {
        kv_crash_workload_make(&work, life_seeds[i], LIFE_OPS);
        test(&(life){.engine = engine, .knobs = knobs.name[0], .work = &work});
        kv_crash_workload_free(&work);
    }
    kv_names_free(&knobs);
    test_figure(goal, kv_describe(engine)->name, what, life_injections);
    assert_true(life_injections > 5);
}
