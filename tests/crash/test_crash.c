// test_crash.c -- no durable engine, however it is set, has a disk that a crash
// may leave and the contract forbids.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "common/crash/crash.h"

#include "tests/support/test.h"

enum {
    OPS = 40,
    DISKS_PER_RUN = 300, // distinct, for one setting, model and sync mode
    DISKS_PER_ENGINE = 20000,
    ROUNDS_MAX = 12, // of other seeds and sectors until there are so many
    SEED = 20,
};

static uint64_t engines, violations;

static uint64_t explore(const kv_engine *engine, const char *knobs, int round,
                        kv_crash_model model, kv_sync_mode sync)
{
    // Small sectors tear records that 512 bytes keep together.
    static const uint32_t sectors[] = {512, 32, 64};
    kv_crash_options options = {.model = model,
                                .sync = sync,
                                .seed = SEED + (uint64_t)round,
                                .ops = OPS,
                                .depth = 2,
                                .states_max = DISKS_PER_RUN,
                                .knobs = knobs};
    if (model == KV_CRASH_POSIX) options.sector = sectors[round % 3];
    kv_crash_result r;
    assert_ok(kv_crash_explore(engine, &options, stdout, &r));
    violations += r.violations;
    return r.distinct;
}

static uint64_t explore_round(const kv_engine *engine, const kv_names *knobs,
                              int round, uint64_t so_far)
{
    uint64_t distinct = 0;
    for (size_t k = 0; k < knobs->count; k++) {
        for (int model = 0; model < KV_CRASH_MODELS; model++) {
            for (int sync = 0; sync < 3; sync++) {
                if (so_far + distinct >= DISKS_PER_ENGINE && round > 0) break;
                distinct += explore(engine, knobs->name[k], round,
                                    (kv_crash_model)model, (kv_sync_mode)sync);
            }
        }
    }
    return distinct;
}

static void no_crash_breaks_the_contract(void **state)
{
    (void)state;
    for (size_t i = 0; kv_all_engines[i] != NULL; i++) {
        const kv_engine *engine = kv_all_engines[i];
        if (!(kv_describe(engine)->caps & KV_CAP_DURABLE)) continue;
        kv_names knobs = {0};
        uint64_t distinct = 0;
        engines++;
        kv_crash_knobs(engine, &knobs);
        for (int n = 0; n < ROUNDS_MAX && distinct < DISKS_PER_ENGINE; n++) {
            distinct += explore_round(engine, &knobs, n, distinct);
        }
        print_message("%s: %llu distinct disks, %llu violations\n",
                      kv_describe(engine)->name, (unsigned long long)distinct,
                      (unsigned long long)violations);
        assert_int_equal(violations, 0);
        assert_true(distinct >= DISKS_PER_ENGINE);
        kv_names_free(&knobs);
    }
    assert_true(engines > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_crash_breaks_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
