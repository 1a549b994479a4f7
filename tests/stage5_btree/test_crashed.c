// test_crashed.c -- what the tree does in the workloads that the crash explorer
// crashes: pages split and merge, and the root changes.
// SPDX-License-Identifier: MIT

#include "common/crash/crash.h"
#include "common/crash/workload.h"

#include "stage5_btree/bt.h"
#include "tests/stage5_btree/yard.h"
#include "tests/support/test.h"

// The workloads of test_crash, from its first seed on: one for each round,
// setting and sync mode.
enum { FIRST = 20, ROUNDS = 3, PER_ROUND = 1000, SYNC_MODES = 3, OPS = 80 };

typedef struct deeds {
    unsigned splits, merges; // steps that left more leaves, or fewer
    unsigned rises, falls;   // of the root
    unsigned reuses;         // steps that left fewer free pages
    unsigned leaves_max;
} deeds;

typedef struct shape {
    unsigned leaves, levels, free;
} shape;

static uint64_t fact(const kv_report *report, const char *name)
{
    for (size_t i = 0; i < report->count; i++) {
        if (report->facts[i].name != NULL &&
            strcmp(report->facts[i].name, name) == 0) {
            return report->facts[i].count;
        }
    }
    fail_msg("check does not say: %s", name);
    return 0;
}

static shape look(kv *db)
{
    kv_report report = {0};
    assert_ok(kv_check(db, &report));
    shape s = {(unsigned)fact(&report, "leaves"),
               (unsigned)fact(&report, "levels"),
               (unsigned)fact(&report, "free pages")};
    kv_report_free(&report);
    return s;
}

static void note(deeds *d, const shape *was, const shape *is)
{
    d->splits += is->leaves > was->leaves;
    d->merges += is->leaves < was->leaves;
    d->rises += is->levels > was->levels;
    d->falls += is->levels < was->levels;
    d->reuses += is->free < was->free;
    if (is->leaves > d->leaves_max) d->leaves_max = is->leaves;
}

static void add(deeds *sum, const deeds *d)
{
    sum->splits += d->splits;
    sum->merges += d->merges;
    sum->rises += d->rises;
    sum->falls += d->falls;
    sum->reuses += d->reuses;
    if (d->leaves_max > sum->leaves_max) sum->leaves_max = d->leaves_max;
}

static void run_step(yard *y, const kv_crash_step *step)
{
    bool did_work;
    if (step->kind == KV_CRASH_WRITE) assert_ok(kv_crash_write(y->db, step));
    if (step->kind == KV_CRASH_SYNC) assert_ok(kv_sync(y->db));
    if (step->kind == KV_CRASH_MAINTAIN) {
        assert_ok(kv_maintain(y->db, &did_work));
    }
    if (step->kind == KV_CRASH_SETTLE) assert_ok(kv_settle(y->db));
    if (step->kind == KV_CRASH_REOPEN) yard_reopen(y);
}

static deeds deeds_of(const char *knobs, uint64_t seed)
{
    kv_crash_workload work;
    yard y;
    deeds d = {0};
    kv_crash_workload_make(&work, seed, OPS);
    yard_open(&y, knobs);
    shape was = look(y.db);
    for (size_t i = 0; i < work.count; i++) {
        run_step(&y, &work.steps[i]);
        shape is = look(y.db);
        note(&d, &was, &is);
        was = is;
    }
    yard_close(&y);
    kv_crash_workload_free(&work);
    return d;
}

static void expect_all(const deeds *d, const char *knobs, uint64_t seed)
{
    if (d->splits > 0 && d->merges > 0 && d->rises > 0 && d->falls > 0 &&
        d->reuses > 0) {
        return;
    }
    fail_msg("{%s}, seed %llu: splits %u, merges %u, root up %u, down %u, "
             "free pages taken %u times",
             knobs, (unsigned long long)seed, d->splits, d->merges, d->rises,
             d->falls, d->reuses);
}

static void every_workload_changes_the_tree(void **state)
{
    (void)state;
    kv_names knobs = {0};
    kv_crash_knobs(&bt_engine, &knobs);
    for (size_t k = 0; k < knobs.count; k++) {
        deeds sum = {0};
        for (uint64_t i = 0; i < ROUNDS * SYNC_MODES; i++) {
            uint64_t round = i / SYNC_MODES, mode = i % SYNC_MODES;
            uint64_t seed = KV_CRASH_WIDE + FIRST + round * PER_ROUND +
                            k * SYNC_MODES + mode;
            deeds d = deeds_of(knobs.name[k], seed);
            expect_all(&d, knobs.name[k], seed);
            add(&sum, &d);
        }
        print_message("%s: splits %u, merges %u, root up %u, down %u, free "
                      "pages taken %u times, up to %u leaves\n",
                      knobs.name[k], sum.splits, sum.merges, sum.rises,
                      sum.falls, sum.reuses, sum.leaves_max);
        assert_true(sum.leaves_max >= 3);
    }
    kv_names_free(&knobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_workload_changes_the_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
