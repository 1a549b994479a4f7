// test_histogram.c -- the histogram against a sorted array.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdlib.h>

#include "common/rng.h"

#include "compare/histogram.h"
#include "tests/support/test.h"

enum { VALUES = 20000, SEEDS = 8 };

// Even over the exponents, so that every size of bucket is met.
static uint64_t any_size(kv_rng *rng)
{
    return kv_rng_next(rng) >> kv_rng_below(rng, 64);
}

// H1, H2.
static void check_bucket(uint64_t ns)
{
    unsigned index = cmp_histogram_index(ns);
    assert_in_range(index, 0, CMP_HISTOGRAM_BUCKETS - 1);
    uint64_t upper = cmp_histogram_edge(index);
    assert_true(upper >= ns);
    if (index == 0) return;
    uint64_t lower = cmp_histogram_edge(index - 1) + 1;
    assert_true(lower <= ns);
    assert_true(upper - lower < lower / 128 + 1);
}

static void every_value_lies_in_its_bucket(void **state)
{
    (void)state;
    for (uint64_t ns = 0; ns < 5000; ns++) check_bucket(ns);
    for (int bit = 0; bit < 64; bit++) {
        uint64_t power = UINT64_C(1) << bit;
        check_bucket(power - 1);
        check_bucket(power);
        check_bucket(power + 1);
    }
    check_bucket(UINT64_MAX);
    kv_rng rng;
    kv_rng_seed(&rng, 7);
    for (int i = 0; i < 100000; i++) check_bucket(any_size(&rng));
}

static void buckets_follow_each_other(void **state)
{
    (void)state;
    for (unsigned i = 1; i < CMP_HISTOGRAM_BUCKETS; i++) {
        uint64_t first = cmp_histogram_edge(i - 1) + 1;
        assert_int_equal(cmp_histogram_index(first), i);
        assert_int_equal(cmp_histogram_index(cmp_histogram_edge(i)), i);
    }
    assert_true(cmp_histogram_edge(CMP_HISTOGRAM_BUCKETS - 1) == UINT64_MAX);
}

static int by_size(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void quantiles_agree_with_a_sorted_array(void **state)
{
    (void)state;
    static uint64_t values[VALUES];
    static const double shares[] = {0.0001, 0.01, 0.07,  0.5,    0.57, 0.9,
                                    0.95,   0.99, 0.999, 0.9999, 1};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        kv_rng rng;
        kv_rng_seed(&rng, seed);
        size_t count = 1 + kv_rng_below(&rng, VALUES);
        static cmp_histogram h;
        h = (cmp_histogram){0};
        for (size_t i = 0; i < count; i++) {
            values[i] = any_size(&rng);
            cmp_histogram_add(&h, values[i]);
        }
        qsort(values, count, sizeof *values, by_size);
        for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
            double rank = ceil(shares[k] * (double)count - 1e-6);
            uint64_t right = values[rank < 1 ? 0 : (size_t)rank - 1];
            uint64_t got = cmp_histogram_quantile(&h, shares[k]);
            print_message("seed %u, share %g of %zu\n", (unsigned)seed,
                          shares[k], count);
            assert_true(got >= right);
            assert_true((double)got <= 1.01 * (double)right);
        }
    }
}

static void the_largest_is_exact(void **state)
{
    (void)state;
    static cmp_histogram h;
    assert_int_equal(cmp_histogram_quantile(&h, 0.5), 0);
    cmp_histogram_add(&h, 1000003);
    assert_int_equal(cmp_histogram_quantile(&h, 0.5), 1000003);
    assert_int_equal(cmp_histogram_quantile(&h, 1), 1000003);
}

static void merged_parts_are_the_whole(void **state)
{
    (void)state;
    static cmp_histogram whole, part[3], sum;
    kv_rng rng;
    kv_rng_seed(&rng, 11);
    for (int i = 0; i < VALUES; i++) {
        uint64_t ns = any_size(&rng);
        cmp_histogram_add(&whole, ns);
        cmp_histogram_add(&part[i % 3], ns);
    }
    for (int i = 0; i < 3; i++) cmp_histogram_merge(&sum, &part[i]);
    assert_memory_equal(&sum, &whole, sizeof sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_lies_in_its_bucket),
        cmocka_unit_test(buckets_follow_each_other),
        cmocka_unit_test(quantiles_agree_with_a_sorted_array),
        cmocka_unit_test(the_largest_is_exact),
        cmocka_unit_test(merged_parts_are_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
