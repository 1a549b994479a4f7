// test_filter.c -- the filter: never a false no, and as many false yeses as
// theory says.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "common/mem.h"
#include "common/rng.h"

#include "filter.h"
#include "tests/support/test.h"

enum { KEYS = 50000, STRANGERS = 1000000 };

static void rate_is_theory(void **state)
{
    (void)state;
    uint64_t *hashes = kv_alloc(KEYS * sizeof *hashes);
    kv_buf bytes = {0};
    for (uint64_t i = 0; i < KEYS; i++) hashes[i] = kv_mix64(i + 1);
    for (int bits = 1; bits <= 15; bits++) {
        lsm_filter f;
        kv_buf_clear(&bytes);
        lsm_filter_build(&bytes, hashes, KEYS, bits);
        assert_true(lsm_filter_open(kv_buf_slice(&bytes), &f));
        double per_key = (double)f.bit_count / KEYS;
        assert_true(fabs(per_key - bits) < 0.01);
        for (int i = 0; i < KEYS; i++) { // L1
            assert_true(lsm_filter_may_hold(&f, hashes[i]));
        }
        int yeses = 0;
        for (uint64_t i = 0; i < STRANGERS; i++) {
            yeses += lsm_filter_may_hold(&f, kv_mix64(i + (1 << 30)));
        }
        double rate = (double)yeses / STRANGERS, p = lsm_filter_rate(bits);
        double chance = 3 * sqrt(p / STRANGERS); // three standard deviations
        print_message("%d bits: %.5f, in theory %.5f\n", bits, rate, p);
        assert_true(fabs(rate - p) < 0.1 * p + chance); // L2
    }
    kv_free(hashes);
    kv_buf_free(&bytes);
}

static void no_false_no_at_any_size(void **state)
{
    (void)state;
    static const double bits[] = {0.5, 1, 3.3, 10, 30};
    uint64_t hashes[300];
    kv_buf bytes = {0};
    for (uint64_t i = 0; i < 300; i++) hashes[i] = kv_mix64(i + 99);
    for (size_t count = 1; count <= 300; count++) {
        for (int b = 0; b < 5; b++) {
            lsm_filter f;
            kv_buf_clear(&bytes);
            lsm_filter_build(&bytes, hashes, count, bits[b]);
            assert_true(lsm_filter_open(kv_buf_slice(&bytes), &f));
            for (size_t i = 0; i < count; i++) {
                assert_true(lsm_filter_may_hold(&f, hashes[i]));
            }
        }
    }
    kv_buf_free(&bytes);
}

static void no_filter_says_perhaps(void **state)
{
    (void)state;
    kv_buf bytes = {0};
    lsm_filter f;
    uint64_t hash = 1;
    lsm_filter_build(&bytes, &hash, 1, 0);
    assert_int_equal(bytes.len, 0);
    assert_true(lsm_filter_open(kv_buf_slice(&bytes), &f));
    assert_true(lsm_filter_may_hold(&f, 12345));
}

static void what_is_no_filter_is_refused(void **state)
{
    (void)state;
    static const uint8_t odd[10] = {7}, none[9] = {0}, many[9] = {22};
    lsm_filter f;
    assert_false(lsm_filter_open(kv_slice_of(odd, 1), &f));
    assert_false(lsm_filter_open(kv_slice_of(odd, 10), &f));
    assert_false(lsm_filter_open(kv_slice_of(none, 9), &f));
    assert_false(lsm_filter_open(kv_slice_of(many, 9), &f));
    assert_true(lsm_filter_open(kv_slice_of(odd, 9), &f));
    assert_false(lsm_filter_may_hold(&f, 12345)); // all bits clear
}

static double sum_of_rates(const double *bits, size_t levels)
{
    double sum = 0;
    for (size_t i = 0; i < levels; i++) {
        sum += exp(-bits[i] * 0.69314718 * 0.69314718);
    }
    return sum;
}

// The whole takes as many bits as asked, less a hair, and no shift of bits
// between two levels makes the sum of the rates smaller.
static void allotment_is_best(void **state)
{
    (void)state;
    static const uint64_t keys[][4] = {{1000, 10000, 100000, 1000000},
                                       {50, 0, 70000, 65000},
                                       {0, 0, 0, 12},
                                       {1, 1000000, 1000000, 4000000}};
    for (int c = 0; c < 4; c++) {
        double bits[4], total = 0, used = 0;
        lsm_filter_allot(keys[c], 4, 10, bits);
        for (int i = 0; i < 4; i++) {
            total += (double)keys[c][i] * 10;
            used += (double)keys[c][i] * bits[i];
        }
        assert_true(used <= total * 1.0001 && used >= total * 0.99);
        for (int i = 0; i < 4; i++) {
            for (int k = 0; k < 4; k++) {
                if (keys[c][i] == 0 || keys[c][k] == 0 || i == k) continue;
                double moved[4], step = 0.01 * total;
                memcpy(moved, bits, sizeof moved);
                moved[i] += step / (double)keys[c][i];
                moved[k] -= step / (double)keys[c][k];
                if (moved[i] > LSM_FILTER_BITS_MAX || moved[k] < 0) continue;
                assert_true(sum_of_rates(moved, 4) >=
                            sum_of_rates(bits, 4) * 0.9999);
            }
        }
    }
    double bits[2];
    lsm_filter_allot((const uint64_t[]){0, 0}, 2, 10, bits);
    assert_true(bits[0] == 10 && bits[1] == 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate_is_theory),
        cmocka_unit_test(no_false_no_at_any_size),
        cmocka_unit_test(no_filter_says_perhaps),
        cmocka_unit_test(what_is_no_filter_is_refused),
        cmocka_unit_test(allotment_is_best),
    };
    return cmocka_run_group_tests_name("stage4.filter", tests, NULL, NULL);
}
