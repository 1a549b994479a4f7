// test_rng.c -- the same seed, the same numbers; hashes; and even choices.
// SPDX-License-Identifier: MIT

#include "common/hash.h"
#include "common/rng.h"

#include "tests/support/test.h"

// Figures that must never change: workloads and tests are named by seeds.
static void a_seed_gives_the_same_numbers_for_ever(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 42);
    assert_true(kv_rng_next(&rng) == 0x15780b2e0c2ec716);
    assert_true(kv_rng_next(&rng) == 0x6104d9866d113a7e);
    for (int i = 2; i < 1000; i++) kv_rng_next(&rng);
    assert_true(kv_rng_next(&rng) == 0xf5028c28f5771b2);
    assert_true(kv_mix64(0) == 0xe220a8397b1dcdaf); // splitmix64's first
}

static void different_seeds_differ(void **state)
{
    (void)state;
    kv_rng a, b;
    kv_rng_seed(&a, 0);
    kv_rng_seed(&b, 1);
    int same = 0;
    for (int i = 0; i < 1000; i++) same += kv_rng_next(&a) == kv_rng_next(&b);
    assert_int_equal(same, 0);
}

static void below_is_below_and_even(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 5);
    assert_int_equal(kv_rng_below(&rng, 0), 0);
    assert_int_equal(kv_rng_below(&rng, 1), 0);
    enum { SIDES = 7, THROWS = 70000 };
    int count[SIDES] = {0};
    for (int i = 0; i < THROWS; i++) count[kv_rng_below(&rng, SIDES)]++;
    for (int i = 0; i < SIDES; i++) assert_in_range(count[i], 9500, 10500);
    uint64_t limit = (uint64_t)3 << 62; // where a plain remainder is uneven
    int low = 0;
    for (int i = 0; i < THROWS; i++) {
        uint64_t n = kv_rng_below(&rng, limit);
        assert_true(n < limit);
        low += n < limit / 3;
    }
    assert_in_range(low, THROWS / 3 - 800, THROWS / 3 + 800);
}

static void unit_is_from_zero_to_below_one(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 6);
    double sum = 0;
    for (int i = 0; i < 100000; i++) {
        double u = kv_rng_unit(&rng);
        assert_true(u >= 0 && u < 1);
        sum += u;
    }
    assert_true(sum > 49000 && sum < 51000);
}

static void hashes_follow_bytes_and_seed(void **state)
{
    (void)state;
    uint64_t h = kv_hash(kv_str("cat"), 1);
    assert_true(h == kv_hash(kv_slice_of("cat", 3), 1));
    assert_true(h != kv_hash(kv_str("cat"), 2));
    assert_true(h != kv_hash(kv_str("cas"), 1));
    assert_true(kv_hash(kv_str(""), 1) == kv_hash((kv_slice){0}, 1));
}

static void places_are_in_range_and_spread(void **state)
{
    (void)state;
    enum { COUNT = 13, KEYS = 13000 };
    int count[COUNT] = {0};
    assert_int_equal(kv_hash_place(UINT32_MAX, COUNT), COUNT - 1);
    assert_int_equal(kv_hash_place(0, COUNT), 0);
    assert_int_equal(kv_hash_place(UINT32_MAX, UINT32_MAX), UINT32_MAX - 1);
    for (int i = 0; i < KEYS; i++) {
        uint64_t hash = kv_hash(kv_slice_of(&i, sizeof i), 9);
        count[kv_hash_place((uint32_t)hash, COUNT)]++;
    }
    for (int i = 0; i < COUNT; i++) assert_in_range(count[i], 850, 1150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_the_same_numbers_for_ever),
        cmocka_unit_test(different_seeds_differ),
        cmocka_unit_test(below_is_below_and_even),
        cmocka_unit_test(unit_is_from_zero_to_below_one),
        cmocka_unit_test(hashes_follow_bytes_and_seed),
        cmocka_unit_test(places_are_in_range_and_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
