// test_rate.c -- bytes a second, on a clock of the test's own.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "common/clock.h"
#include "common/rate.h"
#include "common/rng.h"

#include "tests/support/test.h"

// A name that the linker makes, hence reserved.
// NOLINTNEXTLINE
uint64_t __wrap_kv_now_ns(void);

#define SECOND UINT64_C(1000000000)

static uint64_t clock_ns = SECOND;

uint64_t __wrap_kv_now_ns(void) { return clock_ns; }

static void what_was_taken_is_waited_for(void **state)
{
    (void)state;
    kv_rate r = {.bytes = 1000};
    assert_int_equal(kv_rate_wait_ns(&r), 0);
    kv_rate_take(&r, 3000);
    assert_int_equal(kv_rate_wait_ns(&r), 3 * SECOND);
    clock_ns += SECOND;
    kv_rate_take(&r, 500); // who had begun before
    assert_int_equal(kv_rate_wait_ns(&r), 2 * SECOND + SECOND / 2);
    clock_ns += 2 * SECOND + SECOND / 2 - 1;
    assert_int_equal(kv_rate_wait_ns(&r), 1);
    clock_ns += 1;
    assert_int_equal(kv_rate_wait_ns(&r), 0);
    assert_int_equal(r.waited_ns, 3 * SECOND + SECOND / 2);
}

// Nor is time of waiting what passes after all is paid.
static void time_is_not_saved_up(void **state)
{
    (void)state;
    kv_rate r = {.bytes = 1000};
    clock_ns += 100 * SECOND;
    kv_rate_take(&r, 1000);
    assert_int_equal(kv_rate_wait_ns(&r), SECOND);
    clock_ns += 100 * SECOND;
    assert_int_equal(kv_rate_wait_ns(&r), 0);
    assert_int_equal(r.waited_ns, SECOND);
    kv_rate_take(&r, 1000);
    clock_ns += SECOND / 4; // nobody asks meanwhile
    assert_int_equal(kv_rate_wait_ns(&r), SECOND * 3 / 4);
    assert_int_equal(r.waited_ns, SECOND);
}

static void no_rate_is_any_rate(void **state)
{
    (void)state;
    kv_rate r = {0};
    kv_rate_take(&r, UINT64_MAX);
    assert_int_equal(kv_rate_wait_ns(&r), 0);
}

// However much is taken at a time, and whenever: in the end it is the rate.
static void the_sum_is_exact(void **state)
{
    (void)state;
    for (uint64_t bytes = 1; bytes <= UINT64_C(1) << 40; bytes <<= 8) {
        kv_rate r = {.bytes = bytes};
        kv_rng rng;
        kv_rng_seed(&rng, bytes);
        uint64_t begun = clock_ns, sum = 0;
        for (int i = 0; i < 1000; i++) {
            uint64_t some = kv_rng_below(&rng, 1 << 20);
            clock_ns += kv_rate_wait_ns(&r);
            kv_rate_take(&r, some);
            sum += some;
        }
        clock_ns += kv_rate_wait_ns(&r);
        double wanted = (double)sum * 1e9 / (double)bytes;
        double took = (double)(clock_ns - begun);
        assert_true(fabs(took - wanted) < wanted * 1e-9 + 2000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_taken_is_waited_for),
        cmocka_unit_test(time_is_not_saved_up),
        cmocka_unit_test(no_rate_is_any_rate),
        cmocka_unit_test(the_sum_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
