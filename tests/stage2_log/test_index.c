// test_index.c -- the index against a plain array of what should be in it.
// SPDX-License-Identifier: MIT

#include <stdlib.h>

#include "common/mem.h"
#include "common/rng.h"

#include "index.h"
#include "tests/support/test.h"

typedef struct pair {
    uint64_t hash;
    log_place place;
    bool is_in;
} pair;

static log_place place_no(uint64_t n) { return log_place_of(n, 100); }

static bool finds(log_index *index, uint64_t hash, log_place place)
{
    log_place places[256];
    log_table *t = log_index_lock(index, hash);
    size_t count = log_index_search(t, hash, places, 256);
    log_index_unlock(t);
    for (size_t i = 0; i < count && i < 256; i++) {
        if (places[i] == place) return true;
    }
    return false;
}

static void expect_all(log_index *index, const pair *pairs, size_t count)
{
    uint64_t in = 0;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(finds(index, pairs[i].hash, pairs[i].place),
                         pairs[i].is_in);
        in += pairs[i].is_in;
    }
    assert_int_equal(log_index_count(index), in);
    assert_int_equal(log_index_check(index), 0);
}

// Adds, moves and removes at random. `mask` makes hashes alike.
static void run_random(uint64_t mask, size_t count, uint64_t seed)
{
    print_message("seed %llu\n", (unsigned long long)seed);
    log_index *index = kv_zalloc(sizeof *index);
    pair *pairs = kv_zalloc(count * sizeof *pairs);
    kv_rng rng;
    kv_rng_seed(&rng, seed);
    uint64_t next = 1;
    for (size_t i = 0; i < count; i++) {
        pairs[i].hash = kv_rng_next(&rng) & mask;
        pairs[i].place = place_no(next++);
    }
    for (size_t step = 0; step < count * 8; step++) {
        pair *p = &pairs[kv_rng_below(&rng, count)];
        if (!p->is_in) {
            log_index_add(index, p->hash, p->place);
            p->is_in = true;
        } else if (step % 2) {
            log_place to = place_no(next++);
            assert_true(log_index_move(index, p->hash, p->place, to));
            p->place = to;
        } else {
            assert_true(log_index_remove(index, p->hash, p->place));
            assert_false(log_index_remove(index, p->hash, p->place));
            p->is_in = false;
        }
        if (step % (count * 2) == 0) expect_all(index, pairs, count);
    }
    expect_all(index, pairs, count);
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].is_in) {
            assert_true(log_index_remove(index, pairs[i].hash, pairs[i].place));
        }
    }
    // Nothing is left behind (I2): no group is passed any more.
    for (uint32_t t = 0; t < LOG_INDEX_TABLES; t++) {
        for (uint32_t g = 0; g < index->tables[t].group_count; g++) {
            assert_int_equal(index->tables[t].groups[g].passed, 0);
            assert_int_equal(index->tables[t].groups[g].used, 0);
        }
    }
    log_index_free(index);
    kv_free(index);
    kv_free(pairs);
}

static void does_what_an_array_does(void **state)
{
    (void)state;
    run_random(UINT64_MAX, 20000, 1);
}

static void entries_of_one_hash_stay_apart(void **state)
{
    (void)state;
    run_random(0x3, 40, 2);                  // 4 hashes
    run_random(0xffc0000000000000u, 300, 3); // one home in every table
    run_random(0, 200, 4);                   // all alike
}

static void takes_under_13_bytes_a_key(void **state)
{
    (void)state;
    log_index *index = kv_zalloc(sizeof *index);
    kv_rng rng;
    kv_rng_seed(&rng, 5);
    double sum = 0;
    unsigned samples = 0;
    for (uint64_t n = 1; n <= 400000; n++) {
        log_index_add(index, kv_rng_next(&rng), place_no(n));
        if (n >= 100000 && n % 5000 == 0) {
            sum += (double)log_index_bytes(index) / (double)n;
            samples++;
        }
    }
    assert_true(sum / samples <= 13.0);
    assert_int_equal(log_index_check(index), 0);
    log_index_free(index);
    kv_free(index);
}

static void a_held_table_can_be_changed(void **state)
{
    (void)state;
    log_index *index = kv_zalloc(sizeof *index);
    uint64_t hashes[] = {1, (uint64_t)7 << 54, 1, (uint64_t)7 << 54 | 9};
    log_index_hold(index, hashes, 4);
    for (uint64_t i = 0; i < 4; i++) {
        log_index_add(index, hashes[i], place_no(i + 1));
    }
    log_index_let_go(index);
    for (uint64_t i = 0; i < 4; i++) {
        assert_true(finds(index, hashes[i], place_no(i + 1)));
        assert_true(log_index_has(index, hashes[i], i + 1));
    }
    assert_false(log_index_has(index, hashes[0], 99));
    log_index_free(index);
    kv_free(index);
}

static void room_is_made_beforehand(void **state)
{
    (void)state;
    log_index *index = kv_zalloc(sizeof *index);
    log_index_reserve(index, 3, 1000);
    uint64_t before = log_index_bytes(index);
    kv_rng rng;
    kv_rng_seed(&rng, 6);
    for (uint64_t n = 1; n <= 1000; n++) {
        log_index_entry entry = {(uint32_t)kv_rng_next(&rng), place_no(n)};
        log_index_restore(index, 3, entry);
    }
    assert_int_equal(log_index_bytes(index), before);
    assert_int_equal(log_index_check(index), 0);
    log_index_free(index);
    kv_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_what_an_array_does),
        cmocka_unit_test(entries_of_one_hash_stay_apart),
        cmocka_unit_test(takes_under_13_bytes_a_key),
        cmocka_unit_test(a_held_table_can_be_changed),
        cmocka_unit_test(room_is_made_beforehand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
