// test_short.c -- every sequence of three steps, or a share of them, leaves no
// disk at a crash that the contract forbids.
// SPDX-License-Identifier: MIT

//
//     test_short ENGINE [COUNT [FIRST]]
//
// COUNT of the KV_CRASH_SHORT_COUNT sequences, evenly spread, from number FIRST
// on. Models, sync modes and the engine's settings take turns.

#include <stdlib.h>

#include "common/crash/crash.h"
#include "common/crash/workload.h"

#include "tests/support/test.h"

enum { STATES_MAX = 40 }; // of one sequence: more are a sample

static const kv_engine *engine;
static uint64_t count = KV_CRASH_SHORT_COUNT, first;

static void explore(const kv_names *knobs, uint64_t turn, kv_crash_result *sum)
{
    // Spread: the step that comes first changes with each sequence.
    uint64_t stride = KV_CRASH_SHORT_COUNT / count;
    kv_crash_options options = {
        .model = (kv_crash_model)(turn % KV_CRASH_MODELS),
        .sync = (kv_sync_mode)(turn / KV_CRASH_MODELS % 3),
        .seed = KV_CRASH_SHORT + first + turn * stride,
        .sector = turn % 2 == 0 ? 512 : 64,
        .depth = 1,
        .states_max = STATES_MAX,
        .knobs = knobs->name[turn % knobs->count]};
    kv_crash_result r;
    assert_ok(kv_crash_explore(engine, &options, stdout, &r));
    assert_true(r.distinct > 0);
    sum->distinct += r.distinct;
    sum->violations += r.violations;
}

static void no_three_steps_break_the_contract(void **state)
{
    (void)state;
    kv_names knobs = {0};
    kv_crash_result sum = {0};
    kv_crash_knobs(engine, &knobs);
    for (uint64_t i = 0; i < count && sum.violations == 0; i++) {
        explore(&knobs, i, &sum);
    }
    kv_names_free(&knobs);
    const char *name = kv_describe(engine)->name;
    printf("%s: %llu sequences of three steps, %llu disks\n", name,
           (unsigned long long)count, (unsigned long long)sum.distinct);
    test_figure("R2", name, "short workloads", count);
    assert_int_equal(sum.violations, 0);
}

int main(int argc, char **argv)
{
    engine = argc >= 2 && argc <= 4 ? test_engine(argv[1]) : NULL;
    if (argc > 2) count = strtoull(argv[2], NULL, 10);
    if (argc > 3) first = strtoull(argv[3], NULL, 10);
    if (engine == NULL || count == 0 || count > KV_CRASH_SHORT_COUNT) {
        fprintf(stderr,
                "say test_short ENGINE [COUNT [FIRST]], an engine that "
                "this build has and up to %d sequences\n",
                KV_CRASH_SHORT_COUNT);
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_three_steps_break_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
