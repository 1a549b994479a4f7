// test_pressure.c -- how full a store is, and what a writer pays for it.
// SPDX-License-Identifier: MIT

#include "store.h"
#include "tests/support/test.h"

enum { N = 4, B = 1000 };

static const lsm_shape shape = {
    .policy = LSM_LEVELED, .size_ratio = 10, .level0_runs = N, .base_bytes = B};

// Of a store with so many runs in level 0, which weigh nothing, so many bytes
// in the level above the last, and in the last.
static uint32_t fullness(size_t runs, uint64_t above, uint64_t last)
{
    lsm_run all[64] = {0};
    for (size_t i = 0; i < runs; i++) all[i] = (lsm_run){.id = i};
    all[runs] = (lsm_run){.level = LSM_LEVELS - 2, .bytes = above};
    all[runs + 1] = (lsm_run){.level = LSM_LEVELS - 1, .bytes = last};
    lsm_version v = {.refs = 1, .runs = all, .run_count = runs + 2};
    return lsm_fullness(&v, &shape);
}

static void few_runs_are_free_and_many_stop(void **state)
{
    (void)state;
    uint32_t before = 0;
    for (size_t runs = 0; runs < 5 * N; runs++) {
        uint32_t now = fullness(runs, 0, 10 * B);
        assert_int_equal(now > 0, runs > 2 * N);
        assert_true(now >= before && now <= 100);
        if (runs > 2 * N) assert_true(now > before);
        before = now;
    }
    assert_int_equal(fullness(5 * N, 0, 10 * B), LSM_FULL);
    assert_int_equal(fullness(5 * N + 7, 0, 10 * B), LSM_FULL);
}

// The level above the last one may hold a tenth of 10·B.
static void debt_slows_and_never_stops(void **state)
{
    (void)state;
    uint32_t before = 0;
    for (uint64_t debt = 0; debt < 20 * B; debt += 100) {
        uint32_t now = fullness(0, B + debt, 10 * B);
        assert_int_equal(now > 0, debt > 4 * B);
        assert_true(now >= before);
        before = now;
    }
    assert_int_equal(before, 100);
    assert_int_equal(fullness(0, B + 10 * B, 10 * B), 50);
    // The fuller of both counts.
    assert_int_equal(fullness(2 * N + 1, B + 10 * B, 10 * B), 50);
    assert_int_equal(fullness(5 * N - 1, B + 10 * B, 10 * B),
                     fullness(5 * N - 1, 0, 10 * B));
}

static void a_byte_pays_more_and_more(void **state)
{
    (void)state;
    assert_int_equal(lsm_credit_bytes(1), 1 << 20);
    assert_int_equal(lsm_credit_bytes(100), 16 << 10);
    for (uint32_t at = 1; at < 100; at++) {
        assert_true(lsm_credit_bytes(at + 1) <= lsm_credit_bytes(at));
        // Evenly: from 1 to 64 times the least, in steps of at most that.
        uint64_t pays = (1 << 20) / lsm_credit_bytes(at);
        assert_in_range((1 << 20) / lsm_credit_bytes(at + 1), pays, pays + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_runs_are_free_and_many_stop),
        cmocka_unit_test(debt_slows_and_never_stops),
        cmocka_unit_test(a_byte_pays_more_and_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
