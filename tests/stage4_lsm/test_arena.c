// test_arena.c -- memory taken piece by piece: pieces stay apart and where they
// are, and a block that is done with serves the next arena.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "common/rng.h"

#include "arena.h"
#include "tests/support/test.h"

enum { PIECES = 2000, SMALL = 4096, LARGE = 1 << 20 };

// Pieces of all sizes, far more than the arena was made for, each filled with a
// byte of its own, then all looked at.
static void pieces_stay_as_they_were(void **state)
{
    (void)state;
    static uint8_t *piece[PIECES];
    static size_t len[PIECES];
    kv_rng rng;
    lsm_arena a;
    kv_rng_seed(&rng, 5);
    lsm_arena_open(&a, SMALL, NULL);
    for (size_t i = 0; i < PIECES; i++) {
        uint64_t most = i % 100 == 0 ? 2 * SMALL / 16 : 20;
        len[i] = 16 * (1 + (size_t)kv_rng_below(&rng, most));
        piece[i] = lsm_arena_take(&a, len[i]);
        assert_int_equal((uintptr_t)piece[i] % 16, 0);
        memset(piece[i], (int)(i % 251), len[i]);
    }
    for (size_t i = 0; i < PIECES; i++) { // A1
        for (size_t j = 0; j < len[i]; j++) {
            assert_int_equal(piece[i][j], i % 251);
        }
    }
    lsm_arena_free(&a);
}

static void the_first_block_serves_the_next_arena(void **state)
{
    (void)state;
    static lsm_attic attic;
    lsm_arena a;
    lsm_arena_open(&a, LARGE, &attic);
    void *first = lsm_arena_take(&a, 16);
    assert_int_equal(attic.bytes, LARGE);
    assert_int_equal(attic.kept_bytes, 0);
    lsm_arena_free(&a);
    assert_int_equal(attic.bytes, LARGE);
    assert_int_equal(attic.kept_bytes, LARGE);
    lsm_arena_open(&a, LARGE, &attic);
    assert_ptr_equal(lsm_arena_take(&a, 16), first);
    assert_int_equal(attic.kept_bytes, 0); // A2
    // Another meanwhile finds the attic empty; of two, one is kept.
    lsm_arena b;
    lsm_arena_open(&b, LARGE, &attic);
    assert_ptr_not_equal(lsm_arena_take(&b, 16), first);
    assert_int_equal(attic.bytes, 2 * LARGE);
    lsm_arena_free(&a);
    lsm_arena_free(&b);
    assert_int_equal(attic.bytes, LARGE);
    assert_int_equal(attic.kept_bytes, LARGE);
    assert_int_equal(attic.peak_bytes, 2 * LARGE);
    lsm_attic_reset_peak(&attic);
    assert_int_equal(attic.peak_bytes, LARGE);
    lsm_attic_empty(&attic);
    assert_int_equal(attic.bytes + attic.kept_bytes, 0);
}

// A block of another size is given back, and none but the first is kept.
static void only_what_fits_is_kept(void **state)
{
    (void)state;
    static lsm_attic attic;
    lsm_arena a;
    lsm_arena_open(&a, LARGE, &attic);
    lsm_arena_free(&a);
    lsm_arena_open(&a, 2 * LARGE, &attic);
    assert_int_equal(attic.bytes, 2 * LARGE);
    for (int i = 0; i < 5; i++) (void)lsm_arena_take(&a, LARGE);
    assert_true(attic.bytes >= 5 * LARGE);
    lsm_arena_free(&a);
    assert_int_equal(attic.bytes, 2 * LARGE);
    assert_int_equal(attic.kept_bytes, 2 * LARGE);
    lsm_arena_open(&a, LARGE, &attic); // too large is none that fits
    assert_int_equal(attic.bytes, LARGE);
    lsm_arena_free(&a);
    lsm_attic_empty(&attic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_stay_as_they_were),
        cmocka_unit_test(the_first_block_serves_the_next_arena),
        cmocka_unit_test(only_what_fits_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
