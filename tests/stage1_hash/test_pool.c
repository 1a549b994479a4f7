// test_pool.c -- chunks: whose they are, lowest first, and given back.
// SPDX-License-Identifier: MIT

#include "pool.h"
#include "tests/support/test.h"

static uint64_t chunk_number(uint64_t place)
{
    assert_int_equal(place % HASH_CHUNK_BYTES, 0);
    return place / HASH_CHUNK_BYTES;
}

static void takes_the_lowest_run_that_fits(void **state)
{
    (void)state;
    hash_pool pool = {0};
    hash_pool_init(&pool);
    for (uint64_t i = 0; i < 10; i++) {
        assert_int_equal(chunk_number(hash_pool_take(&pool, 1, 1)), i);
    }
    hash_pool_give(&pool, 2 * HASH_CHUNK_BYTES, 1);
    hash_pool_give(&pool, 5 * HASH_CHUNK_BYTES, 3);
    assert_int_equal(chunk_number(hash_pool_take(&pool, 2, 2)), 5);
    assert_int_equal(chunk_number(hash_pool_take(&pool, 2, 1)), 2);
    assert_int_equal(chunk_number(hash_pool_take(&pool, 2, 2)), 10);
    assert_int_equal(chunk_number(hash_pool_take(&pool, 2, 1)), 7);
    assert_true(hash_pool_is_owner(&pool, 5 * HASH_CHUNK_BYTES, 2));
    assert_false(hash_pool_is_owner(&pool, 4 * HASH_CHUNK_BYTES, 2));
    hash_pool_free(&pool);
    hash_pool_free(&pool); // zero is released
}

static void a_run_does_not_cross_slabs(void **state)
{
    (void)state;
    hash_pool pool = {0};
    hash_pool_init(&pool);
    hash_pool_take(&pool, 1, HASH_SLAB_CHUNKS - 1);
    uint64_t run = hash_pool_take(&pool, 1, 2);
    assert_int_equal(chunk_number(run), HASH_SLAB_CHUNKS);
    memset(hash_pool_at(&pool, run), 1, 2 * HASH_CHUNK_BYTES);
    uint64_t last = hash_pool_take(&pool, 1, 1);
    assert_int_equal(chunk_number(last), HASH_SLAB_CHUNKS - 1);
    assert_int_equal(pool.slab_count, 2);
    hash_pool_give(&pool, run, 2); // an empty slab goes back, and comes again
    assert_int_equal(pool.slab_count, 1);
    assert_int_equal(hash_pool_take(&pool, 1, 1), run);
    hash_pool_free(&pool);
}

static void picks_from_the_top_while_much_is_free(void **state)
{
    (void)state;
    enum { SLABS = 5 };
    hash_pool pool = {0};
    hash_pool_init(&pool);
    for (int i = 0; i < SLABS * HASH_SLAB_CHUNKS; i++) {
        hash_pool_take(&pool, 3, 1);
    }
    uint64_t place;
    uint16_t owner;
    assert_false(hash_pool_pick(&pool, &place, &owner));
    // One chunk stays in each slab; all five could be in one.
    for (uint64_t i = 0; i < SLABS * HASH_SLAB_CHUNKS; i++) {
        if (i % HASH_SLAB_CHUNKS != 9) {
            hash_pool_give(&pool, i * HASH_CHUNK_BYTES, 1);
        }
    }
    assert_int_equal(pool.slab_count, SLABS);
    while (hash_pool_pick(&pool, &place, &owner)) {
        assert_int_equal(place / HASH_SLAB_BYTES, pool.slab_count - 1);
        assert_int_equal(owner, 3);
        assert_true(hash_pool_take(&pool, owner, 1) < place);
        hash_pool_give(&pool, place, 1);
    }
    assert_int_equal(pool.chunks_used, SLABS);
    assert_int_equal(pool.slab_count, 2);
    hash_pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_lowest_run_that_fits),
        cmocka_unit_test(a_run_does_not_cross_slabs),
        cmocka_unit_test(picks_from_the_top_while_much_is_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
