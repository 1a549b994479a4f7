// test_chooser.c -- the ways of choosing, against their published figures.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdlib.h>

#include "common/mem.h"

#include "compare/chooser.h"
#include "tests/support/test.h"

enum { ITEMS = 1000000, DRAWS = 1000000, SEED = 42 };

// How often each of the items is chosen.
static uint32_t *draw(cmp_pattern pattern, uint32_t items)
{
    uint32_t *times = kv_zalloc(items * sizeof *times);
    cmp_chooser c;
    cmp_chooser_init(&c, pattern, SEED);
    for (int i = 0; i < DRAWS; i++) {
        uint64_t item = cmp_choose(&c, items);
        assert_true(item < items);
        times[item]++;
    }
    return times;
}

static double share(const uint32_t *times, uint32_t from, uint32_t to)
{
    uint64_t sum = 0;
    for (uint32_t i = from; i < to; i++) sum += times[i];
    return (double)sum / DRAWS;
}

static void assert_near(double got, double want, double by)
{
    if (fabs(got - want) <= by) return;
    print_error("%g is not within %g of %g (seed %d)\n", got, by, want, SEED);
    fail();
}

// Of a million records the hottest gets 6.50 % of the requests, the hottest
// hundredth 66 %, the hottest fifth 88 %.
static void zipf_has_its_hot_records(void **state)
{
    (void)state;
    uint32_t *times = draw(CMP_ZIPF, ITEMS);
    assert_near(share(times, 0, 1), 0.0650, 0.001);
    assert_near(share(times, 0, ITEMS / 100), 0.66, 0.01);
    assert_near(share(times, 0, ITEMS / 5), 0.88, 0.01);
    kv_free(times);
}

// Any exponent: the share of each of the first ranks and of the rest is that of
// the sum it is defined by.
static void zipf_takes_any_exponent(void **state)
{
    (void)state;
    static const double exponents[] = {0.02, 0.5, 0.99001, 1, 1.3, 2.1};
    enum { FEW = 1000 };
    for (size_t e = 0; e < sizeof exponents / sizeof *exponents; e++) {
        cmp_chooser c;
        cmp_chooser_init(&c, CMP_ZIPF, SEED);
        c.exponent = exponents[e];
        uint32_t *times = kv_zalloc(FEW * sizeof *times);
        for (int i = 0; i < DRAWS; i++) {
            uint64_t item = cmp_choose(&c, FEW);
            assert_true(item < FEW);
            times[item]++;
        }
        double sum = 0, first_ten = 0;
        for (int rank = 1; rank <= FEW; rank++) {
            double weight = pow(rank, -exponents[e]);
            sum += weight;
            if (rank <= 10) first_ten += weight;
        }
        print_message("exponent %g\n", exponents[e]);
        assert_near(share(times, 0, 1), 1 / sum, 0.002);
        assert_near(share(times, 0, 10), first_ten / sum, 0.002);
        assert_true(times[FEW - 1] < 3 * DRAWS / FEW);
        kv_free(times);
    }
    cmp_chooser c;
    cmp_chooser_init(&c, CMP_ZIPF, SEED);
    c.exponent = 1.3;
    for (int i = 0; i < 1000; i++) assert_int_equal(cmp_choose(&c, 1), 0);
}

// The weights of the thirty ranges: 0.78 of 1.2 for the hottest, which is the
// eighth of them; and a few keys of it have most of that.
static void hot_ranges_are_hot_together(void **state)
{
    (void)state;
    uint32_t *times = draw(CMP_RANGES, ITEMS);
    double sum = 0, hottest = 0;
    for (int rank = 1; rank <= 30; rank++) {
        double weight =
            14.18 * exp(-2.917 * rank) + 0.0164 * exp(-0.08082 * rank);
        sum += weight;
        if (rank == 1) hottest = weight;
    }
    assert_near(share(times, ITEMS / 30 * 7 + 1, ITEMS / 30 * 8), hottest / sum,
                0.01);
    uint32_t most = 0;
    for (uint32_t i = 0; i < ITEMS; i++)
        most = times[i] > most ? times[i] : most;
    assert_true(most > DRAWS / 100);
    cmp_chooser c;
    cmp_chooser_init(&c, CMP_RANGES, SEED);
    for (uint64_t few = 1; few < 100; few++) {
        for (int i = 0; i < 100; i++) assert_true(cmp_choose(&c, few) < few);
    }
    kv_free(times);
}

// YCSB's is weaker: 3.78 % for the hottest, 39 % for the hottest hundredth, and
// they are scattered over the records.
static void ycsb_zipf_is_weaker_and_scattered(void **state)
{
    (void)state;
    uint32_t *times = draw(CMP_YCSB_ZIPF, ITEMS);
    assert_near((double)times[cmp_fnv64(0) % ITEMS] / DRAWS, 0.0378, 0.001);
    double hottest = 0;
    for (uint64_t rank = 0; rank < ITEMS / 100; rank++) {
        uint32_t *hot = &times[cmp_fnv64(rank) % ITEMS];
        hottest += *hot;
        *hot = 0; // ranks that fall together count once
    }
    // 38.6 % by the sum, and the ranks that the hash puts on the same keys.
    assert_near(hottest / DRAWS, 0.395, 0.01);
    // What is left is spread evenly.
    double rest = 1 - hottest / DRAWS;
    assert_near(share(times, 0, ITEMS / 2), rest / 2, 0.01);
    kv_free(times);
}

static void fnv_is_fnv(void **state)
{
    (void)state;
    assert_true(cmp_fnv64(0) == UINT64_C(0xa8c7f832281a39c5));
    assert_true(cmp_fnv64(1) == UINT64_C(0x89cd31291d2aefa4));
    assert_true(cmp_fnv64(12345678901) == UINT64_C(0x4eeaabc3253b9607));
}

static void latest_prefers_the_newest(void **state)
{
    (void)state;
    uint32_t *times = draw(CMP_LATEST, ITEMS);
    assert_near(share(times, ITEMS - 1, ITEMS), 0.0650, 0.001);
    assert_near(share(times, ITEMS - ITEMS / 100, ITEMS), 0.66, 0.01);
    kv_free(times);
}

// Records are added all the time; the sum must be that of a fresh start.
static void zipf_grows_with_its_records(void **state)
{
    (void)state;
    cmp_chooser grown, fresh;
    cmp_chooser_init(&grown, CMP_LATEST, SEED);
    cmp_chooser_init(&fresh, CMP_LATEST, SEED);
    for (uint64_t count = 1; count <= 5000; count++) {
        assert_true(cmp_choose(&grown, count) < count);
    }
    cmp_choose(&fresh, 5000);
    assert_near(grown.zeta, fresh.zeta, 1e-9);
    assert_near(grown.eta, fresh.eta, 1e-12);
    cmp_choose(&grown, 100); // and back
    cmp_choose(&fresh, 100);
    assert_near(grown.zeta, fresh.zeta, 1e-9);
}

static void hotspot_gives_a_fifth_four_fifths(void **state)
{
    (void)state;
    uint32_t *times = draw(CMP_HOTSPOT, 1000);
    assert_near(share(times, 0, 200), 0.8, 0.005);
    assert_near(share(times, 0, 100), 0.4, 0.005);
    assert_near(share(times, 200, 600), 0.1, 0.005);
    kv_free(times);
}

static void uniform_is_even(void **state)
{
    (void)state;
    uint32_t *times = draw(CMP_UNIFORM, 100);
    for (uint32_t i = 0; i < 100; i++) {
        assert_near(share(times, i, i + 1), 0.01, 0.0005);
    }
    kv_free(times);
}

static void sequential_goes_round(void **state)
{
    (void)state;
    cmp_chooser c;
    cmp_chooser_init(&c, CMP_SEQUENTIAL, SEED);
    for (uint64_t i = 0; i < 25; i++) {
        assert_int_equal(cmp_choose(&c, 10), i % 10);
    }
}

static void few_records_are_enough(void **state)
{
    (void)state;
    for (int pattern = CMP_UNIFORM; pattern <= CMP_SEQUENTIAL; pattern++) {
        for (uint64_t count = 1; count <= 3; count++) {
            cmp_chooser c;
            cmp_chooser_init(&c, (cmp_pattern)pattern, SEED);
            bool seen[3] = {false};
            for (int i = 0; i < 3000; i++) {
                uint64_t item = cmp_choose(&c, count);
                assert_true(item < count);
                seen[item] = true;
            }
            for (uint64_t i = 0; i < count; i++) assert_true(seen[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zipf_has_its_hot_records),
        cmocka_unit_test(zipf_takes_any_exponent),
        cmocka_unit_test(hot_ranges_are_hot_together),
        cmocka_unit_test(ycsb_zipf_is_weaker_and_scattered),
        cmocka_unit_test(fnv_is_fnv),
        cmocka_unit_test(latest_prefers_the_newest),
        cmocka_unit_test(zipf_grows_with_its_records),
        cmocka_unit_test(hotspot_gives_a_fifth_four_fifths),
        cmocka_unit_test(uniform_is_even),
        cmocka_unit_test(sequential_goes_round),
        cmocka_unit_test(few_records_are_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
