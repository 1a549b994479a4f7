// test_mem.c -- memory that is zeroed, aligned, and large without being used.
// SPDX-License-Identifier: MIT

#include <stdint.h>

#include "common/mem.h"

#include "tests/support/test.h"

static void pages_are_zeroed_and_aligned(void **state)
{
    (void)state;
    for (size_t bytes = 64; bytes <= 4 << 20; bytes *= 8) {
        uint8_t *memory = kv_alloc_pages(bytes);
        assert_int_equal((uintptr_t)memory % 64, 0);
        assert_int_equal(memory[0] | memory[bytes - 1], 0);
        memory[0] = memory[bytes - 1] = 1;
        kv_free_pages(memory, bytes);
    }
}

// More than any machine of ours has, and it costs what is touched.
static void a_reserved_range_costs_what_is_touched(void **state)
{
    (void)state;
    const size_t bytes = (size_t)1 << 38;
    uint8_t *memory = kv_reserve(bytes);
    kv_reserve_large(memory + 5, bytes - 5);
    for (size_t at = 0; at < bytes; at += bytes / 8) {
        assert_int_equal(memory[at], 0);
        memory[at] = 1;
    }
    memory[bytes - 1] = 1;
    kv_reserve_large(memory, 10); // too small for one: nothing happens
    // What is given back is zero when it is touched again; its neighbours stay.
    memory[4095] = memory[4096] = memory[8191] = memory[8192] = 7;
    kv_reserve_forget(memory + 4000, 4000); // no whole page
    assert_int_equal(memory[4096], 7);
    kv_reserve_forget(memory + 4000, 5000);
    assert_int_equal(memory[4096] + memory[8191], 0);
    assert_int_equal(memory[4095] + memory[8192], 14);
    kv_unreserve(memory, bytes);
    kv_unreserve(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_zeroed_and_aligned),
        cmocka_unit_test(a_reserved_range_costs_what_is_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
