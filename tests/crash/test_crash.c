// test_crash.c -- the named engine, however it is set, leaves no disk at a
// crash that the contract forbids.
// SPDX-License-Identifier: MIT

#include "common/crash/crash.h"

#include "tests/support/test.h"

enum {
    OPS = 40,
    DISKS_WANTED = 20000, // distinct within their run, of one engine
    ROUNDS_MAX = 12,      // with other seeds, until there are so many
    SEED = 20,
};

static const char *const model_words[] = {"kill", "ext4", "posix"};
static const char *const sync_words[] = {"commit", "interval", "none"};

static const kv_engine *engine;

// Rows of the table: a sum over all settings and rounds.
static kv_crash_result rows[KV_CRASH_MODELS][3];

static void add_result(kv_crash_result *sum, const kv_crash_result *r)
{
    sum->epochs += r->epochs;
    sum->states += r->states;
    sum->distinct += r->distinct;
    sum->nested += r->nested;
    sum->violations += r->violations;
    if (r->pending_max > sum->pending_max) sum->pending_max = r->pending_max;
}

static void explore(const char *knobs, int round, uint64_t disks, int model,
                    int sync)
{
    // A seed for each sync mode: with the ticker still, interval is as none.
    // Small sectors tear records that 512 bytes keep together.
    static const uint32_t sectors[] = {512, 32, 64};
    kv_crash_options options = {.model = (kv_crash_model)model,
                                .sync = (kv_sync_mode)sync,
                                .seed = SEED + (uint64_t)(round * 3 + sync),
                                .ops = OPS,
                                .depth = 2,
                                .states_max = disks,
                                .knobs = knobs};
    if (model == KV_CRASH_POSIX) options.sector = sectors[round % 3];
    kv_crash_result r;
    assert_ok(kv_crash_explore(engine, &options, stdout, &r));
    assert_true(r.distinct > 0);
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

static void print_row(const char *model, const char *sync,
                      const kv_crash_result *r)
{
    printf("%-6s %-9s %8llu %8llu %9llu %9llu %9llu %11llu\n", model, sync,
           (unsigned long long)r->epochs, (unsigned long long)r->pending_max,
           (unsigned long long)r->states, (unsigned long long)r->distinct,
           (unsigned long long)r->nested, (unsigned long long)r->violations);
}

static void print_table(size_t settings, int rounds)
{
    printf("%s: %zu settings, seeds %d to %d\n", kv_describe(engine)->name,
           settings, SEED, SEED + rounds - 1);
    printf("%-6s %-9s %8s %8s %9s %9s %9s %11s\n", "model", "sync", "moments",
           "pending", "states", "distinct", "nested", "violations");
    for (int model = 0; model < KV_CRASH_MODELS; model++) {
        for (int sync = 0; sync < 3; sync++) {
            print_row(model_words[model], sync_words[sync], &rows[model][sync]);
        }
    }
    kv_crash_result sum = sum_of_rows();
    print_row("all", "all", &sum);
}

// Every setting under every model and sync mode, each with the same share.
static void explore_round(const kv_names *knobs, int round)
{
    uint64_t share = DISKS_WANTED / (knobs->count * KV_CRASH_MODELS * 3);
    for (size_t k = 0; k < knobs->count; k++) {
        for (int model = 0; model < KV_CRASH_MODELS; model++) {
            for (int sync = 0; sync < 3; sync++) {
                explore(knobs->name[k], round, share, model, sync);
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
    kv_crash_knobs(engine, &knobs);
    while (rounds < ROUNDS_MAX && sum_of_rows().distinct < DISKS_WANTED) {
        explore_round(&knobs, rounds++);
    }
    print_table(knobs.count, rounds);
    kv_names_free(&knobs);
    assert_int_equal(sum_of_rows().violations, 0);
    assert_true(sum_of_rows().distinct >= DISKS_WANTED);
}

int main(int argc, char **argv)
{
    engine = argc == 2 ? test_engine(argv[1]) : NULL;
    if (engine == NULL) {
        fprintf(stderr, "say test_crash ENGINE, one that this build has\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_crash_breaks_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
