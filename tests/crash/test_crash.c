// test_crash.c -- the named engine, however it is set, leaves no disk at a
// crash that the contract forbids.
// SPDX-License-Identifier: MIT

//
//     test_crash ENGINE [DISKS [SEED]]
//
// The first exploration with a violation ends it. A disk counts once, however
// many of them meet it, and only if it was not left by a crash within a
// recovery: those are counted beside.

#include <stdlib.h>

#include "common/crash/crash.h"
#include "common/crash/ledger.h"
#include "common/crash/workload.h"

#include "tests/support/test.h"

enum {
    OPS = 40,
    WIDE_OPS = 80,   // of a workload that grows and shrinks
    OTHERS_PART = 8, // of a share, beside it
    DISKS_DEFAULT = 20000,
    SHARE_OF = 34000, // for so many; some of a share are met elsewhere, too
    ROUNDS_MAX = 12,  // with other seeds, for each so many disks
    SEED_DEFAULT = 20,
};

static const char *const model_words[] = {"kill", "ext4", "posix"};
static const char *const sync_words[] = {"commit", "interval", "none"};

static const kv_engine *engine;
static uint64_t disks_wanted = DISKS_DEFAULT, first_seed = SEED_DEFAULT;
static kv_crash_ledger met;

// Rows of the table: a sum over all settings and rounds.
static kv_crash_result rows[KV_CRASH_MODELS][3];

static void add_result(kv_crash_result *sum, const kv_crash_result *r)
{
    sum->epochs += r->epochs;
    sum->states += r->states;
    sum->distinct += r->distinct;
    sum->nested += r->nested;
    sum->fresh += r->fresh;
    sum->violations += r->violations;
    if (r->pending_max > sum->pending_max) sum->pending_max = r->pending_max;
}

static void explore(const char *knobs, int round, uint64_t seed, uint64_t disks,
                    int model, int sync)
{
    // Small sectors tear records that 512 bytes keep together.
    static const uint32_t sectors[] = {512, 32, 64};
    bool is_wide = seed >= KV_CRASH_WIDE && seed < KV_CRASH_RANGED;
    kv_crash_options options = {.model = (kv_crash_model)model,
                                .sync = (kv_sync_mode)sync,
                                .seed = seed,
                                .ops = is_wide ? WIDE_OPS : OPS,
                                .depth = 2,
                                .states_max = disks,
                                .knobs = knobs,
                                .met = &met};
    if (model == KV_CRASH_POSIX) options.sector = sectors[round % 3];
    kv_crash_result r;
    assert_ok(kv_crash_explore(engine, &options, stdout, &r));
    add_result(&rows[model][sync], &r);
}

static kv_crash_result sum_of_rows(void)
{
    kv_crash_result sum = {0};
    for (int model = 0; model < KV_CRASH_MODELS; model++) {
        for (int sync = 0; sync < 3; sync++) {
            add_result(&sum, &rows[model][sync]);
        }
    }
    return sum;
}

// Of a few disks one exploration may get none, but no row all of them.
static uint64_t fewest_of_a_row(void)
{
    uint64_t fewest = UINT64_MAX;
    for (int model = 0; model < KV_CRASH_MODELS; model++) {
        for (int sync = 0; sync < 3; sync++) {
            uint64_t distinct = rows[model][sync].distinct;
            if (distinct < fewest) fewest = distinct;
        }
    }
    return fewest;
}

static void print_row(const char *model, const char *sync,
                      const kv_crash_result *r)
{
    printf("%-6s %-9s %8llu %8llu %9llu %9llu %9llu %9llu %11llu\n", model,
           sync, (unsigned long long)r->epochs,
           (unsigned long long)r->pending_max, (unsigned long long)r->states,
           (unsigned long long)r->distinct, (unsigned long long)r->nested,
           (unsigned long long)r->fresh, (unsigned long long)r->violations);
}

static void print_table(size_t settings, int rounds)
{
    printf("%s: %zu settings, %d rounds from seed %llu\n",
           kv_describe(engine)->name, settings, rounds,
           (unsigned long long)first_seed);
    printf("%-6s %-9s %8s %8s %9s %9s %9s %9s %11s\n", "model", "sync",
           "moments", "pending", "states", "judged", "nested", "distinct",
           "violations");
    for (int model = 0; model < KV_CRASH_MODELS; model++) {
        for (int sync = 0; sync < 3; sync++) {
            print_row(model_words[model], sync_words[sync], &rows[model][sync]);
        }
    }
    kv_crash_result sum = sum_of_rows();
    print_row("all", "all", &sum);
}

// Twelve keys do not fill two pages, of however few bytes: a tree of pages
// would be one leaf in most workloads, and so is given wide ones alone.
static bool has_pages(void)
{
    const kv_engine_info *info = kv_describe(engine);
    for (size_t i = 0; i < info->knob_count; i++) {
        if (strcmp(info->knobs[i].name, "page_bytes") == 0) return true;
    }
    return false;
}

// Workloads of other kinds, with a part of a share: one that outgrows a table,
// and shrinks, unless all do; and, under every third, one of ranges.
static void explore_others(const char *knobs, size_t k, uint64_t seed,
                           uint64_t share, int model, int sync)
{
    uint64_t part = share / OTHERS_PART + 1;
    if (!has_pages()) {
        explore(knobs, 0, KV_CRASH_WIDE + seed, part, model, sync);
    }
    if ((k + (size_t)model + (size_t)sync) % 3 != 0) return;
    explore(knobs, 0, KV_CRASH_RANGED + seed, part, model, sync);
}

// Every setting under every model and sync mode, each with the same share. A
// seed for each setting and mode: much of a disk does not depend on them.
static void explore_round(const kv_names *knobs, int round)
{
    uint64_t width = has_pages() ? KV_CRASH_WIDE : 0;
    uint64_t disks = SHARE_OF;
    if (disks_wanted < DISKS_DEFAULT)
        disks = disks * disks_wanted / DISKS_DEFAULT;
    if (width > 0) disks -= disks / OTHERS_PART; // each takes longer
    uint64_t share = disks / (knobs->count * KV_CRASH_MODELS * 3) + 1;
    for (size_t k = 0; k < knobs->count; k++) {
        for (int model = 0; model < KV_CRASH_MODELS; model++) {
            for (int sync = 0; sync < 3; sync++) {
                uint64_t seed = first_seed + (uint64_t)round * 1000 + k * 3;
                seed += (uint64_t)sync;
                explore(knobs->name[k], round, width + seed, share, model,
                        sync);
                if (round == 0) {
                    explore_others(knobs->name[k], k, seed, share, model, sync);
                }
                if (sum_of_rows().violations > 0) return;
            }
        }
    }
}

static void no_crash_breaks_the_contract(void **state)
{
    (void)state;
    assert_true(kv_describe(engine)->caps & KV_CAP_DURABLE);
    kv_names knobs = {0};
    int rounds = 0;
    uint64_t most = ROUNDS_MAX * (1 + disks_wanted / DISKS_DEFAULT);
    kv_crash_knobs(engine, &knobs);
    while ((uint64_t)rounds < most && sum_of_rows().fresh < disks_wanted &&
           sum_of_rows().violations == 0) {
        explore_round(&knobs, rounds++);
    }
    print_table(knobs.count, rounds);
    kv_names_free(&knobs);
    kv_crash_ledger_free(&met);
    kv_crash_result sum = sum_of_rows();
    const char *name = kv_describe(engine)->name;
    test_figure("R1", name, "crash disks", sum.fresh);
    test_figure("R1", name, "violations", sum.violations);
    test_figure("R3", name, "crash disks within recovery", sum.nested);
    assert_int_equal(sum.violations, 0);
    assert_true(sum.fresh >= disks_wanted);
    assert_true(fewest_of_a_row() > 0);
}

int main(int argc, char **argv)
{
    engine = argc >= 2 && argc <= 4 ? test_engine(argv[1]) : NULL;
    if (argc > 2) disks_wanted = strtoull(argv[2], NULL, 10);
    if (argc > 3) first_seed = strtoull(argv[3], NULL, 10);
    if (engine == NULL || disks_wanted == 0) {
        fprintf(stderr, "say test_crash ENGINE [DISKS [SEED]], an engine that "
                        "this build has\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_crash_breaks_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
