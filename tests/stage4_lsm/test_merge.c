// test_merge.c -- many sorted walks as one, both ways.
// SPDX-License-Identifier: MIT

#include <stdlib.h>

#include "common/rng.h"

#include "memtable.h"
#include "merge.h"
#include "tests/support/test.h"

// ---- merging ----------------------------------------------------------------

enum { ENTRIES = 400, SOURCES = 7, KEY_MAX = 12 };

static uint8_t bytes[ENTRIES][KEY_MAX];
static lsm_entry all[ENTRIES]; // in the order of E1

static int compare(const void *a, const void *b) { return lsm_entry_cmp(a, b); }

// Short keys of few letters, with and without a beginning that all have.
static void make_entries(kv_rng *rng, bool is_alike)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        size_t len = 1 + (size_t)kv_rng_below(rng, KEY_MAX - 4);
        uint8_t *key = bytes[i];
        for (size_t j = 0; j < len; j++) {
            key[j] = (uint8_t)('a' + kv_rng_below(rng, 2));
        }
        if (is_alike) {
            for (size_t j = len + 3; j >= 3; j--) key[j] = key[j - 3];
            key[0] = key[1] = key[2] = 'k';
            len += 3;
        }
        all[i] = (lsm_entry){kv_slice_of(key, len), {0}, i + 1, LSM_PUT};
    }
    qsort(all, ENTRIES, sizeof *all, compare);
}

// Each entry into one of the sources, some of which may stay empty.
static void deal(kv_rng *rng, lsm_memtable **sources)
{
    size_t order[ENTRIES]; // by number, as a memtable wants them
    for (size_t i = 0; i < ENTRIES; i++) order[all[i].seq - 1] = i;
    for (size_t i = 0; i < ENTRIES; i++) {
        size_t s = (size_t)kv_rng_below(rng, SOURCES - 1);
        lsm_memtable_add(sources[s], &all[order[i]]);
    }
}

static void follow(lsm_merge *m, kv_slice from, bool reverse)
{
    size_t first = 0;
    while (from.len > 0 && first < ENTRIES &&
           kv_slice_cmp(all[first].key, from) < 0) {
        first++;
    }
    size_t limit = reverse && from.len > 0 ? first : ENTRIES;
    if (reverse) first = 0;
    assert_ok(lsm_merge_seek(m, from, reverse));
    for (size_t i = first; i < limit; i++) {
        const lsm_entry *want = &all[reverse ? limit - 1 - i : i];
        const lsm_entry *got = lsm_merge_entry(m);
        assert_non_null(got);
        assert_true(kv_slice_equal(got->key, want->key)); // K2
        assert_int_equal(got->seq, want->seq);
        assert_ok(lsm_merge_next(m));
    }
    assert_null(lsm_merge_entry(m));
}

static void what_comes_out_is_all_and_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        kv_rng rng;
        lsm_memtable *sources[SOURCES];
        lsm_merge m = {0};
        kv_rng_seed(&rng, seed);
        print_message("seed %llu\n", (unsigned long long)seed);
        make_entries(&rng, seed % 2 == 0);
        // What keys begin with alike is a guess, and may be wrong.
        m.prefix = seed % 4 < 2 ? kv_str("kkk") : kv_str("");
        for (size_t i = 0; i < SOURCES; i++) {
            sources[i] = lsm_memtable_new(i, 4096, (kv_slice){0}, NULL);
        }
        deal(&rng, sources);
        for (size_t i = 0; i < SOURCES; i++) {
            lsm_merge_add(&m, lsm_memtable_iter(sources[i], LSM_SEQ_MAX));
            lsm_memtable_unref(sources[i]);
        }
        for (int i = 0; i < 20; i++) {
            kv_slice from =
                i < 2 ? (kv_slice){0} : all[kv_rng_below(&rng, ENTRIES)].key;
            follow(&m, from, i % 2 == 1);
        }
        lsm_merge_free(&m);
    }
}

static void nothing_merged_is_nothing(void **state)
{
    (void)state;
    lsm_merge m = {0};
    assert_ok(lsm_merge_seek(&m, (kv_slice){0}, false));
    assert_null(lsm_merge_entry(&m));
    lsm_merge_free(&m);
    lsm_merge_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_out_is_all_and_in_order),
        cmocka_unit_test(nothing_merged_is_nothing),
    };
    return cmocka_run_group_tests_name("stage4.merge", tests, NULL, NULL);
}
