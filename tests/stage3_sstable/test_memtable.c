// test_memtable.c -- order, balance and versions of the tree.
// SPDX-License-Identifier: MIT

#include "common/rng.h"

#include "memtable.h"
#include "tests/support/test.h"

static void put(sst_memtable *m, const char *key, const char *value,
                uint64_t seq, uint64_t snapshot)
{
    sst_entry entry = {.key = kv_str(key), .value = kv_str(value)};
    sst_memtable_put(m, &entry, seq, snapshot);
}

static const char *find(sst_memtable *m, const char *key, uint64_t seq)
{
    static char text[64];
    const sst_version *v = sst_memtable_find(m, kv_str(key), seq);
    if (v == NULL) return NULL;
    memcpy(text, v->value, v->value_len);
    text[v->value_len] = '\0';
    return text;
}

enum { KEYS = 3000 };

static void fill(sst_memtable *m, int order)
{
    kv_rng rng;
    kv_rng_seed(&rng, 7);
    for (unsigned i = 0; i < KEYS; i++) {
        char key[16];
        unsigned n = order > 0   ? i
                     : order < 0 ? KEYS - 1 - i
                                 : (unsigned)kv_rng_below(&rng, KEYS);
        snprintf(key, sizeof key, "key-%04u", n);
        put(m, key, key, i + 1, 0);
    }
}

static void stays_balanced_in_every_order(void **state)
{
    (void)state;
    for (int order = -1; order <= 1; order++) {
        sst_memtable *m = sst_memtable_new(1);
        fill(m, order);
        assert_ok(sst_memtable_check(m));
        if (order != 0) assert_int_equal(sst_memtable_count(m), KEYS);
        sst_memtable_unref(m);
    }
}

static void keys_that_share_a_head_differ(void **state)
{
    (void)state;
    sst_memtable *m = sst_memtable_new(1);
    put(m, "12345678", "a", 1, 0);
    put(m, "123456789", "b", 2, 0);
    put(m, "1234567", "c", 3, 0);
    sst_entry zero = {.key = kv_slice_of("1234567\0", 8), .value = kv_str("d")};
    sst_memtable_put(m, &zero, 4, 0);
    assert_ok(sst_memtable_check(m));
    assert_int_equal(sst_memtable_count(m), 4);
    assert_string_equal(find(m, "12345678", 9), "a");
    assert_string_equal(find(m, "123456789", 9), "b");
    assert_string_equal(find(m, "1234567", 9), "c");
    assert_null(find(m, "123456", 9));
    sst_memtable_unref(m);
}

// M5: what keys share grows shorter as they come, from 9 bytes to none, and is
// never what a key that is looked for has to begin with.
static void what_keys_share_may_shrink(void **state)
{
    (void)state;
    static const char *const keys[] = {"user:0001", "user:0002", "user:01",
                                       "user:",     "used",      "us",
                                       "user:0003", "v",         "a"};
    enum { COUNT = sizeof keys / sizeof keys[0] };
    sst_memtable *m = sst_memtable_new(1);
    assert_null(find(m, "user:0001", 9));
    for (size_t i = 0; i < COUNT; i++) {
        put(m, keys[i], keys[i], i + 1, 0);
        assert_ok(sst_memtable_check(m));
        for (size_t k = 0; k < COUNT; k++) {
            const char *found = find(m, keys[k], SST_SEQ_MAX);
            if (k > i) assert_null(found);
            else assert_string_equal(found, keys[k]);
            sst_handful above, below;
            kv_slice bound = kv_str(keys[k]);
            sst_memtable_walk(m, &bound, true, false, SST_SEQ_MAX, &above);
            sst_memtable_walk(m, &bound, false, true, SST_SEQ_MAX, &below);
            assert_int_equal(above.count + below.count, i + 1);
            for (size_t n = 0; n < above.count; n++) {
                assert_true(kv_slice_cmp(above.at[n].key, bound) >= 0);
            }
        }
    }
    sst_memtable_unref(m);
}

static void a_snapshot_keeps_its_version(void **state)
{
    (void)state;
    sst_memtable *m = sst_memtable_new(1);
    put(m, "k", "old", 1, 0);
    put(m, "k", "mid", 2, 0);   // nobody looks: in place
    put(m, "k", "new", 3, 2);   // a cursor at 2 looks
    put(m, "k", "newer", 4, 2); // replaces 3, which nobody sees
    assert_null(find(m, "k", 1));
    assert_string_equal(find(m, "k", 2), "mid");
    assert_string_equal(find(m, "k", 3), "mid");
    assert_string_equal(find(m, "k", SST_SEQ_MAX), "newer");
    assert_ok(sst_memtable_check(m));
    sst_memtable_unref(m);
}

static void walks_go_both_ways_in_handfuls(void **state)
{
    (void)state;
    sst_memtable *m = sst_memtable_new(1);
    fill(m, 1);
    for (int reverse = 0; reverse < 2; reverse++) {
        sst_handful some = {0};
        kv_slice last;
        size_t seen = 0;
        do {
            last = some.last;
            sst_memtable_walk(m, seen > 0 ? &last : NULL, false, reverse,
                              SST_SEQ_MAX, &some);
            for (size_t i = 0; i < some.count; i++, seen++) {
                char key[16];
                size_t n = reverse ? KEYS - 1 - seen : seen;
                snprintf(key, sizeof key, "key-%04zu", n);
                assert_slice(some.at[i].key, key);
            }
        } while (!some.is_end);
        assert_int_equal(seen, KEYS);
    }
    sst_memtable_unref(m);
}

static void walks_begin_at_their_bound(void **state)
{
    (void)state;
    sst_memtable *m = sst_memtable_new(1);
    put(m, "b", "", 1, 0);
    put(m, "d", "", 2, 0);
    sst_handful some;
    kv_slice bounds[] = {kv_str("a"), kv_str("b"), kv_str("c"), kv_str("d"),
                         kv_str("e")};
    const size_t from[] = {2, 2, 1, 1, 0}, beyond[] = {2, 1, 1, 0, 0},
                 below[] = {0, 0, 1, 1, 2};
    for (int i = 0; i < 5; i++) {
        sst_memtable_walk(m, &bounds[i], true, false, 9, &some);
        assert_int_equal(some.count, from[i]);
        sst_memtable_walk(m, &bounds[i], false, false, 9, &some);
        assert_int_equal(some.count, beyond[i]);
        sst_memtable_walk(m, &bounds[i], false, true, 9, &some);
        assert_int_equal(some.count, below[i]);
    }
    sst_memtable_walk(m, NULL, true, false, 1, &some);
    assert_int_equal(some.count, 1); // "d" came later
    sst_memtable_unref(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_balanced_in_every_order),
        cmocka_unit_test(keys_that_share_a_head_differ),
        cmocka_unit_test(what_keys_share_may_shrink),
        cmocka_unit_test(a_snapshot_keeps_its_version),
        cmocka_unit_test(walks_go_both_ways_in_handfuls),
        cmocka_unit_test(walks_begin_at_their_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
