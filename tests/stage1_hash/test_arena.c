// test_arena.c -- records: inside, outside, dead, moved; and the sums.
// SPDX-License-Identifier: MIT

#include "common/mem.h"

#include "arena.h"
#include "tests/support/test.h"

typedef struct fixture {
    hash_pool pool;
    hash_arena arena;
} fixture;

static int setup(void **state)
{
    fixture *f = kv_zalloc(sizeof *f);
    hash_pool_init(&f->pool);
    hash_arena_init(&f->arena, &f->pool, 1);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    hash_arena_free(&f->arena);
    hash_pool_free(&f->pool);
    kv_free(f);
    return 0;
}

// A slice of `len` bytes that are all `byte`; the next call's own.
static kv_slice filled(uint8_t *to, uint8_t byte, size_t len)
{
    memset(to, byte, len);
    return kv_slice_of(to, len);
}

static void reads_back_what_was_added(void **state)
{
    fixture *f = *state;
    static uint8_t key[70000], value[70000];
    const size_t lens[][2] = {{1, 0},     {1, 1},        {3, 100},  {1024, 0},
                              {24, 1000}, {24, 1001},    {1025, 0}, {65536, 0},
                              {1, 70000}, {65536, 70000}};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        kv_slice k = filled(key, (uint8_t)(i + 1), lens[i][0]);
        kv_slice v = filled(value, (uint8_t)(i + 101), lens[i][1]);
        uint64_t place = hash_arena_add(&f->arena, k, v);
        hash_record r = hash_arena_read(&f->arena, place);
        assert_false(r.is_dead);
        assert_true(kv_slice_equal(hash_record_key(&r), k));
        assert_true(kv_slice_equal(hash_record_value(&r), v));
        bool must_be_outside = k.len + v.len > HASH_INSIDE_MAX;
        assert_int_equal(r.outside != NULL, must_be_outside);
    }
}

static void counts_what_dies(void **state)
{
    fixture *f = *state;
    hash_arena *a = &f->arena;
    static uint8_t big[5000];
    uint64_t small = hash_arena_add(a, kv_str("k"), kv_str("value"));
    uint64_t large =
        hash_arena_add(a, kv_str("big"), filled(big, 7, sizeof big));
    assert_int_equal(a->dead_bytes, 0);
    assert_true(a->outside_bytes >= sizeof big);
    hash_chunk *chunk = hash_arena_kill(a, small);
    assert_ptr_equal(chunk, a->open);
    assert_int_equal(a->dead_bytes, HASH_HEAD_BYTES + 6);
    hash_arena_kill(a, large);
    assert_int_equal(a->outside_bytes, 0);
    assert_int_equal(chunk->dead, a->dead_bytes);
    assert_int_equal(a->dead_bytes, a->record_bytes);
    assert_true(hash_arena_read(a, small).is_dead);
    assert_true(hash_arena_read(a, large).is_dead);
}

static void moves_records_out_of_a_chunk(void **state)
{
    fixture *f = *state;
    hash_arena *a = &f->arena;
    static uint8_t big[5000];
    uint64_t small = hash_arena_add(a, kv_str("k"), kv_str("value"));
    uint64_t large =
        hash_arena_add(a, kv_str("big"), filled(big, 7, sizeof big));
    hash_chunk *old = a->open;
    hash_arena_open_chunk(a);
    small = hash_arena_move(a, small);
    large = hash_arena_move(a, large);
    assert_int_equal(a->chunk_count, 2);
    hash_arena_drop_chunk(a, old);
    assert_int_equal(a->chunk_count, 1);
    assert_int_equal(a->dead_bytes, 0);
    assert_null(a->open->older);
    hash_record r = hash_arena_read(a, small);
    assert_slice(hash_record_value(&r), "value");
    r = hash_arena_read(a, large);
    assert_true(
        kv_slice_equal(hash_record_value(&r), kv_slice_of(big, sizeof big)));
    assert_true(a->outside_bytes >= sizeof big);
}

static void fills_chunks_end_to_end(void **state)
{
    fixture *f = *state;
    hash_arena *a = &f->arena;
    static uint8_t value[HASH_INSIDE_MAX];
    enum { COUNT = 1000 };
    uint64_t bytes = 0;
    for (size_t i = 0; i < COUNT; i++) {
        kv_slice v = filled(value, 1, i % HASH_INSIDE_MAX);
        hash_arena_add(a, kv_str("k"), v);
        bytes += HASH_HEAD_BYTES + 1 + v.len;
    }
    assert_int_equal(a->record_bytes, bytes);
    size_t count = 0;
    for (hash_chunk *c = a->open; c != NULL; c = c->older) {
        assert_true(c->used <= HASH_CHUNK_BYTES);
        for (uint32_t offset = sizeof *c; offset < c->used; count++) {
            offset += hash_arena_read(a, c->place + offset).size;
        }
    }
    assert_int_equal(count, COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_back_what_was_added, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(counts_what_dies, setup, teardown),
        cmocka_unit_test_setup_teardown(moves_records_out_of_a_chunk, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(fills_chunks_end_to_end, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
