// test_table.c -- the table alone: codes and places, no keys.
// SPDX-License-Identifier: MIT

#include "common/mem.h"
#include "common/rng.h"

#include "table.h"
#include "tests/support/test.h"

typedef struct fixture {
    hash_pool pool;
    hash_table table;
} fixture;

static int setup(void **state)
{
    fixture *f = kv_zalloc(sizeof *f);
    hash_pool_init(&f->pool);
    hash_table_init(&f->table, &f->pool, 1);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    hash_table_free(&f->table);
    assert_int_equal(f->pool.chunks_used, 0);
    hash_pool_free(&f->pool);
    kv_free(f);
    return 0;
}

static hash_probe find(hash_table *t, uint32_t code, uint64_t place,
                       bool *found)
{
    hash_probe p = hash_probe_begin(t, code);
    *found = false;
    while (!*found && hash_probe_next(&p)) {
        *found = hash_probe_place(&p) == place;
    }
    return p;
}

static bool has(hash_table *t, uint32_t code, uint64_t place)
{
    bool found;
    find(t, code, place, &found);
    return found;
}

static void add(hash_table *t, uint32_t code, uint64_t place)
{
    bool found;
    hash_probe p = find(t, code, place, &found);
    assert_false(found);
    hash_table_add(t, code, p.index, place);
}

static void del(hash_table *t, uint32_t code, uint64_t place)
{
    bool found;
    hash_probe p = find(t, code, place, &found);
    assert_true(found);
    hash_table_remove(t, p.index, p.slot);
}

// T1 and T2, slot by slot.
static void check(const hash_table *t)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->group_count; i++) {
        for (unsigned slot = 0; slot < HASH_SLOTS; slot++) {
            const hash_group *g = &t->groups[i];
            if (hash_group_tag(g, slot) == 0) continue;
            count++;
            uint32_t at = hash_home(hash_group_code(g, slot), t->group_count);
            for (; at != i; at = (at + 1) % t->group_count) {
                assert_false(hash_group_has_hole(&t->groups[at]));
            }
        }
    }
    assert_int_equal(count, t->count);
    assert_true(t->count <= t->limit);
}

static void a_match_shows_equal_tags_only(void **state)
{
    (void)state;
    const uint16_t tags[] = {0, 1, 2, 0x7fff, 0x8000, 0x8001, 0xfffe, 0xffff};
    for (size_t i = 0; i < 8; i++) {
        for (size_t j = 0; j < 8; j++) {
            hash_group g = {0};
            for (unsigned s = 0; s < HASH_SLOTS; s++) {
                uint64_t tag = s == j ? tags[i] : tags[(i + 1 + s % 7) % 8];
                g.tags[s / 4] |= tag << s % 4 * 16;
            }
            uint64_t match = hash_group_match(&g, tags[i]);
            assert_int_equal(match & (match - 1), 0);
            assert_int_not_equal(match, 0);
            assert_int_equal(hash_match_slot(match), j);
            assert_int_equal(hash_group_tag(&g, (unsigned)j), tags[i]);
        }
    }
}

static void an_empty_table_has_nothing(void **state)
{
    fixture *f = *state;
    assert_false(has(&f->table, 1, 1));
    assert_int_equal(hash_table_bytes(&f->table), 0);
    add(&f->table, 1, 1);
    assert_true(has(&f->table, 1, 1));
    assert_false(has(&f->table, 1, 2));
}

static void keeps_places_of_five_bytes(void **state)
{
    fixture *f = *state;
    uint64_t large = ((uint64_t)1 << 40) - 1;
    add(&f->table, 0xabcdef, large);
    assert_true(has(&f->table, 0xabcdef, large));
    assert_false(has(&f->table, 0xabcdef, large - ((uint64_t)1 << 32)));
}

static void a_code_never_looks_like_a_hole(void **state)
{
    (void)state;
    for (uint64_t high = 0; high < 256; high++) {
        uint32_t code = hash_code(0xdead000000000000 | high << 16);
        assert_int_not_equal(code & 0xffff, 0);
        assert_int_equal(code >> 16, high);
    }
}

// Past the size of a slab, too, where its memory is its own.
static void grows_and_shrinks(void **state)
{
    fixture *f = *state;
    hash_table *t = &f->table;
    enum { COUNT = 300000 };
    for (uint64_t i = 0; i < COUNT; i++) {
        add(t, hash_code(kv_mix64(i)), i);
    }
    check(t);
    assert_true(hash_table_bytes(t) > HASH_SLAB_BYTES);
    for (uint64_t i = 0; i < COUNT; i++) {
        assert_true(has(t, hash_code(kv_mix64(i)), i));
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        if (i % 100 != 0) del(t, hash_code(kv_mix64(i)), i);
    }
    check(t);
    assert_true(hash_table_bytes(t) < HASH_SLAB_BYTES / 8);
    for (uint64_t i = 0; i < COUNT; i++) {
        assert_int_equal(has(t, hash_code(kv_mix64(i)), i), i % 100 == 0);
    }
}

// All records have one home, the last group, so that they overflow around the
// table's end; then they are taken out in another order.
static void overflow_survives_deletion(void **state)
{
    fixture *f = *state;
    hash_table *t = &f->table;
    enum { COUNT = 100 };
    const uint32_t code = 0xffffff;
    for (uint64_t i = 0; i < COUNT; i++) add(t, code, i);
    for (uint64_t i = 0; i < 20; i++) add(t, 1, i); // a home in the way
    check(t);
    for (uint64_t n = 0; n < COUNT; n++) {
        uint64_t out = n * 37 % COUNT;
        del(t, code, out);
        check(t);
        assert_false(has(t, code, out));
        for (uint64_t left = n + 1; left < COUNT; left++) {
            assert_true(has(t, code, left * 37 % COUNT));
        }
    }
    for (uint64_t i = 0; i < 20; i++) assert_true(has(t, 1, i));
}

// Few codes, so that every group overflows, against an array of who is there.
static void random_changes_keep_the_invariants(void **state)
{
    fixture *f = *state;
    hash_table *t = &f->table;
    enum { CODES = 40, PLACES = 25, STEPS = 20000 };
    static bool is_there[CODES][PLACES];
    const uint64_t seed = 20261121;
    printf("seed %llu\n", (unsigned long long)seed);
    kv_rng rng;
    kv_rng_seed(&rng, seed);
    for (int step = 0; step < STEPS; step++) {
        uint64_t c = kv_rng_below(&rng, CODES);
        uint64_t place = kv_rng_below(&rng, PLACES);
        uint32_t code = hash_code(kv_mix64(c / 4) ^ c % 4);
        bool *there = &is_there[c][place];
        assert_int_equal(has(t, code, c * PLACES + place), *there);
        if (*there) {
            del(t, code, c * PLACES + place);
        } else {
            add(t, code, c * PLACES + place);
        }
        *there = !*there;
        if (step % 50 == 0) check(t);
    }
    check(t);
}

static void moves_down_only(void **state)
{
    fixture *f = *state;
    hash_table *t = &f->table;
    uint64_t low = hash_pool_take(&f->pool, 2, 1);
    add(t, 5, 50);
    uint64_t before = t->place;
    assert_true(hash_table_is_in(t, before));
    assert_false(hash_table_move_down(t));
    assert_int_equal(t->place, before);
    hash_pool_give(&f->pool, low, 1);
    assert_true(hash_table_move_down(t));
    assert_int_equal(t->place, low);
    assert_true(has(t, 5, 50));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_match_shows_equal_tags_only),
        TEST(an_empty_table_has_nothing),
        TEST(keeps_places_of_five_bytes),
        TEST(a_code_never_looks_like_a_hole),
        TEST(grows_and_shrinks),
        TEST(overflow_survives_deletion),
        TEST(random_changes_keep_the_invariants),
        TEST(moves_down_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
