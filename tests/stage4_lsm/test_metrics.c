// test_metrics.c -- what a store says of itself in numbers: they add up, and
// what they show is what the knobs ask for.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "common/report.h"
#include "common/rng.h"

#include "lsm.h"
#include "store.h"
#include "tests/support/test.h"

enum { KEYS = 20 * 1000, KEY_BYTES = 16, VALUE_BYTES = 100 };

#define SMALL                                                                  \
    "background=0,memtable_bytes=64KiB,table_bytes=32KiB,block_bytes=1KiB,"    \
    "level0_runs=2,size_ratio=4"

static kv *open_at(const char *path, const char *knobs, uint64_t memory_bytes)
{
    kv *db = NULL;
    kv_options options = {.path = path,
                          .knobs = knobs,
                          .sync = KV_SYNC_NONE,
                          .memory_bytes = memory_bytes,
                          .seed = 1,
                          .create = true};
    assert_ok(kv_open(&lsm_engine, &options, &db));
    return db;
}

static kv_slice key_of(char *text, uint64_t n)
{
    snprintf(text, KEY_BYTES + 1, "%016llu", (unsigned long long)n);
    return kv_slice_of(text, KEY_BYTES);
}

static void put_number(kv *db, uint64_t n, bool packs)
{
    char key[KEY_BYTES + 1], value[VALUE_BYTES] = {0};
    for (size_t i = 0; i < sizeof value && !packs; i++) {
        value[i] = (char)kv_mix64(n * VALUE_BYTES + i);
    }
    assert_ok(kv_put(db, key_of(key, n), kv_slice_of(value, sizeof value)));
}

// A fact of `inspect metrics`: of a branch, or with NULL of the whole. 0 if
// there is no such branch; a fact that no branch has fails the test.
static double fact(kv *db, const char *branch, const char *name)
{
    kv_report r = {0};
    double value = 0;
    bool is_inside = branch == NULL, has_branch = branch == NULL;
    bool is_found = false;
    size_t depth = 0;
    assert_ok(kv_inspect(db, "metrics", &r));
    for (size_t i = 0; i < r.count; i++) {
        const kv_fact *f = &r.facts[i];
        if (f->kind == KV_FACT_BRANCH_BEGIN) {
            depth++;
            is_inside = branch != NULL && strcmp(f->name, branch) == 0;
            has_branch = has_branch || is_inside;
        } else if (f->kind == KV_FACT_BRANCH_END) {
            is_inside = --depth == 0 && branch == NULL;
        } else if (is_inside && strcmp(f->name, name) == 0) {
            value = f->kind == KV_FACT_RATIO ? f->ratio : (double)f->count;
            is_found = true;
        }
    }
    kv_report_free(&r);
    assert_true(is_found || !has_branch);
    return value;
}

static double sum_of_levels(kv *db, const char *name)
{
    double sum = 0;
    for (int level = 0; level < LSM_LEVELS; level++) {
        char branch[20];
        snprintf(branch, sizeof branch, "level %d", level);
        sum += fact(db, branch, name);
    }
    return sum;
}

// ---- compression ------------------------------------------------------------

#define LAST "level 7"

static void keys_in_order_are_packed_as_the_last_level_wants(void **state)
{
    (void)state;
    static const struct {
        const char *knobs;
        bool moves, packs;
    } cases[] = {
        {SMALL ",compression=none", true, false},
        {SMALL ",compression=none,last_compression=none", true, false},
        {SMALL ",compression=none,last_compression=zstd", false, true},
        {SMALL ",compression=lz4,last_compression=none", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = test_make_dir();
        kv *db = open_at(path, cases[i].knobs, 16 << 20);
        for (uint64_t n = 0; n < KEYS; n++) put_number(db, n, true);
        assert_ok(kv_settle(db));
        double bytes = fact(db, LAST, "bytes");
        double unpacked = fact(db, LAST, "unpacked blocks");
        print_message("last level: %.0f bytes of %.0f unpacked\n", bytes,
                      unpacked);
        assert_true(unpacked > 0.2 * KEYS * VALUE_BYTES);
        assert_int_equal(fact(db, LAST, "tables moved") > 0, cases[i].moves);
        if (cases[i].packs) assert_true(bytes < unpacked / 2);
        else assert_true(bytes > unpacked);
        assert_ok(kv_close(db));
        test_remove_dir(path);
    }
}

// ---- what differs from level to level ---------------------------------------

static double bytes_of_a_table(kv *db, const char *level)
{
    return fact(db, level, "bytes") / fact(db, level, "tables");
}

static void tables_grow_from_level_to_level(void **state)
{
    (void)state;
    for (int growth = 1; growth <= 4; growth *= 2) {
        char *path = test_make_dir(), knobs[200];
        snprintf(knobs, sizeof knobs, "%s,compression=none,table_growth=%d",
                 SMALL, growth);
        kv *db = open_at(path, knobs, 16 << 20);
        for (uint64_t n = 0; n < KEYS; n++) {
            put_number(db, n * 7919 % KEYS, false);
        }
        double last = bytes_of_a_table(db, LAST);
        double above = bytes_of_a_table(db, "level 6");
        print_message("growth %d: %.0f, and %.0f in the last level\n", growth,
                      above, last);
        // An output ends early where a table below it does, but not before it
        // is half full.
        double full = 32 << 10;
        assert_true(last > full / 2 && last < full * 1.2);
        assert_true(above > full / growth / 2);
        assert_true(above < full / growth * 1.2);
        assert_true(fact(db, "level 6", "bytes of a table, at most about") ==
                    full / growth);
        assert_ok(kv_close(db));
        test_remove_dir(path);
    }
}

static void filters_have_the_bits_that_the_knob_says(void **state)
{
    (void)state;
    for (int is_monkey = 0; is_monkey < 2; is_monkey++) {
        char *path = test_make_dir();
        kv *db = open_at(
            path, is_monkey ? SMALL ",filter=monkey" : SMALL ",filter=uniform",
            16 << 20);
        for (uint64_t n = 0; n < KEYS; n++) {
            put_number(db, n * 7919 % KEYS, false);
        }
        double last = fact(db, LAST, "filter bits for each entry");
        double above = fact(db, "level 6", "filter bits for each entry");
        print_message("bits: %.2f, and %.2f in the last level\n", above, last);
        if (is_monkey) {
            assert_true(above > last + 1 && last < 10);
        } else {
            assert_true(fabs(above - 10) < 0.7 && fabs(last - 10) < 0.7);
        }
        assert_ok(kv_close(db));
        test_remove_dir(path);
    }
}

// ---- the numbers add up -----------------------------------------------------

static void levels_add_up_to_the_whole(void **state)
{
    (void)state;
    char *path = test_make_dir();
    kv *db = open_at(path, SMALL ",compression=none", 16 << 20);
    kv_rng rng;
    kv_rng_seed(&rng, 3);
    for (int i = 0; i < 2 * KEYS; i++) {
        put_number(db, kv_rng_below(&rng, KEYS), false);
    }
    kv_stats stats;
    kv_stats_read(db, &stats);
    double flushed = (double)stats.disk[KV_FOR_FLUSH].write_bytes;
    double merged = (double)stats.disk[KV_FOR_COMPACT].write_bytes;
    double read = (double)stats.disk[KV_FOR_COMPACT].read_bytes;
    double written = sum_of_levels(db, "written");
    print_message("written %.0f of %.0f, read %.0f of %.0f\n", written,
                  flushed + merged, sum_of_levels(db, "read"), read);
    // The disk counts the manifest's edits as well.
    assert_true(written <= flushed + merged);
    assert_true(written > 0.9 * (flushed + merged));
    double in = sum_of_levels(db, "read");
    assert_true(fabs(in - read) < 0.1 * read);
    double whole = fact(db, NULL, "bytes written to tables for each flushed");
    assert_true(whole > 2);
    assert_true(fabs(sum_of_levels(db, "write amplification") - whole) < 1e-6);
    assert_true(fact(db, "level 0", "write amplification") == 1);
    double bytes = sum_of_levels(db, "bytes");
    assert_true(bytes > 0.8 * KEYS * VALUE_BYTES);
    assert_true(bytes < (double)stats.disk_bytes);
    assert_true(sum_of_levels(db, "tables") > bytes / (70 << 10));
    assert_true(sum_of_levels(db, "filters") == fact(db, NULL, "filters"));
    assert_true(fact(db, "memory", "filters and indexes") ==
                (double)stats.index_bytes);
    assert_ok(kv_close(db));
    test_remove_dir(path);
}

static void every_get_is_counted_where_it_ended(void **state)
{
    (void)state;
    enum { GETS = 3000 };
    char *path = test_make_dir();
    char key[KEY_BYTES + 1];
    kv_buf value = {0};
    kv *db = open_at(path, SMALL, 16 << 20);
    for (uint64_t n = 0; n < KEYS; n++) put_number(db, n * 7919 % KEYS, false);
    double lookups = 0;
    for (uint64_t n = 0; n < GETS; n++) {
        assert_ok(kv_get(db, key_of(key, n * 31 % KEYS), &value));
    }
    lookups = sum_of_levels(db, "gets that found the key") +
              fact(db, NULL, "gets that a memtable answered");
    assert_true(lookups == GETS);
    // Each looked into one block, and so did those that a filter let through.
    double hits = fact(db, NULL, "cache hits");
    double misses = fact(db, NULL, "cache misses");
    assert_true(hits > 0 && misses > 0);
    assert_true(hits + misses >=
                sum_of_levels(db, "gets that found the key") +
                    sum_of_levels(db, "gets that read for nothing"));
    assert_true(fact(db, NULL, "writes stopped") == 0);
    kv_buf_free(&value);
    assert_ok(kv_close(db));
    test_remove_dir(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_in_order_are_packed_as_the_last_level_wants),
        cmocka_unit_test(tables_grow_from_level_to_level),
        cmocka_unit_test(filters_have_the_bits_that_the_knob_says),
        cmocka_unit_test(levels_add_up_to_the_whole),
        cmocka_unit_test(every_get_is_counted_where_it_ended),
    };
    return cmocka_run_group_tests_name("stage4.metrics", tests, NULL, NULL);
}
