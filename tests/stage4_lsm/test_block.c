// test_block.c -- one data block: what was added is found, both ways, and bytes
// that are no block hurt nobody.
// SPDX-License-Identifier: MIT

#include "common/hash.h"
#include "common/mem.h"

#include "block.h"
#include "tables.h"
#include "tests/support/test.h"

static uint64_t hash_of(kv_slice key) { return kv_hash(key, LSM_HASH_SEED); }

static lsm_entry entry_of(const char *key, uint64_t seq, lsm_kind kind,
                          const char *value)
{
    return (lsm_entry){kv_str(key), kv_str(value), seq, kind};
}

// The example in block.h, byte for byte.
static void is_what_the_picture_says(void **state)
{
    (void)state;
    const lsm_entry entries[] = {entry_of("car", 9, LSM_PUT, "vroom"),
                                 entry_of("cat", 7, LSM_PUT, "meow"),
                                 entry_of("cat", 4, LSM_DEL, "")};
    lsm_block_builder b = {0};
    lsm_block_begin(&b, 4);
    for (int i = 0; i < 3; i++) {
        assert_true(
            lsm_block_add(&b, &entries[i], hash_of(entries[i].key), SIZE_MAX));
    }
    size_t bytes = lsm_block_bytes(&b);
    kv_slice block = lsm_block_finish(&b, 2);
    assert_int_equal(block.len, bytes + 2);
    const uint8_t car = lsm_block_tag(hash_of(kv_str("car")));
    const uint8_t cat = lsm_block_tag(hash_of(kv_str("cat")));
    const uint8_t want[] = {
        0,   0,                                                // fill
        0,   3,   10,  'c', 'a', 'r', 'v', 'r', 'o', 'o', 'm', //
        2,   1,   6,   't', 'm', 'e', 'o', 'w',                //
        2,   1,   1,   't',                                    //
        car, cat, cat,                                         // tags
        23,  0,   12,  0,   4,   0,                            // places
        4,   0,   0,   0,   0,   0,   0,   0,   3,   0,   16,  2};
    assert_int_equal(block.len, sizeof want);
    assert_memory_equal(block.data, want, sizeof want);
    lsm_block_builder_free(&b);
}

// Makes a block of the oracle's entries, and opens it.
static void make_block(lsm_block_builder *b, const oracle *o, lsm_block *out)
{
    lsm_block_begin(b, 100);
    for (size_t i = 0; i < o->count; i++) {
        assert_true(lsm_block_add(b, &o->entries[i], hash_of(o->entries[i].key),
                                  SIZE_MAX));
    }
    kv_slice bytes = lsm_block_finish(b, o->count % 3);
    assert_true(lsm_block_open(bytes, out));
    assert_int_equal(out->count, o->count);
    uint32_t at;
    assert_true(lsm_block_check(out, bytes, &at));
}

static void finds_each_version(const oracle *o, const lsm_block *b, kv_rng *rng)
{
    kv_buf key = {0};
    for (int i = 0; i < 300; i++) {
        lsm_entry got = {0};
        oracle_pick_key(o, rng, &key);
        uint64_t seq_max = 100 + kv_rng_below(rng, o->count + 1);
        kv_slice k = kv_buf_slice(&key);
        const lsm_entry *want = oracle_get(o, k, seq_max);
        bool found = lsm_block_get(b, k, hash_of(k), seq_max, &got);
        assert_int_equal(found, want != NULL);
        if (want == NULL) continue;
        got.key = want->key;
        assert_entry(&got, want);
    }
    kv_buf_free(&key);
}

// Seeks, then steps at random; the walk must be where the oracle is.
static void walks_both_ways(const oracle *o, const lsm_block *b, kv_rng *rng)
{
    lsm_block_walk w = {.block = *b};
    kv_buf key = {0};
    lsm_entry e;
    for (int round = 0; round < 40; round++) {
        oracle_pick_key(o, rng, &key);
        size_t at = oracle_below(o, kv_buf_slice(&key));
        bool is_there;
        if (kv_rng_below(rng, 2) == 0) {
            is_there = lsm_block_seek(&w, kv_buf_slice(&key), &e);
            assert_int_equal(is_there, at < o->count);
        } else {
            is_there = lsm_block_seek_before(&w, kv_buf_slice(&key), &e);
            assert_int_equal(is_there, at > 0);
            at--;
        }
        for (int step = 0; step < 40 && is_there; step++) {
            assert_entry(&e, &o->entries[at]);
            if (kv_rng_below(rng, 2) == 0) {
                is_there = lsm_block_next(&w, &e);
                assert_int_equal(is_there, ++at < o->count);
            } else {
                is_there = lsm_block_prev(&w, &e);
                assert_int_equal(is_there, at-- > 0);
            }
        }
    }
    lsm_block_first(&w, &e);
    assert_entry(&e, &o->entries[0]);
    lsm_block_last(&w, &e);
    assert_entry(&e, &o->entries[o->count - 1]);
    kv_buf_free(&key);
    kv_buf_free(&w.key);
}

static void agrees_with_the_oracle(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 7, 16, 17, 40, 300, 4000};
    lsm_block_builder b = {0};
    for (uint64_t seed = 1; seed <= 40; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        kv_rng rng;
        kv_rng_seed(&rng, seed);
        oracle o;
        lsm_block block;
        oracle_make(&o, &rng, sizes[seed % 8]); // the last ones over 64 KiB
        make_block(&b, &o, &block);
        assert_int_equal(block.place_bytes, sizes[seed % 8] >= 4000 ? 4 : 2);
        finds_each_version(&o, &block, &rng);
        walks_both_ways(&o, &block, &rng);
        oracle_free(&o);
    }
    lsm_block_builder_free(&b);
}

// Whatever lsm_block_open takes is safe to read: every call, on exact memory,
// so that a sanitizer sees a byte too far.
static void use_all(kv_slice bytes)
{
    lsm_block block;
    if (!lsm_block_open(bytes, &block)) return;
    lsm_block_walk w = {.block = block};
    lsm_entry e, got;
    uint32_t at;
    uint64_t sum = 0;
    lsm_block_first(&w, &e);
    do {
        assert_in_range(e.key.len, 1, 65536);
        lsm_block_get(&block, e.key, hash_of(e.key), e.seq, &got);
        for (size_t i = 0; i < e.value.len; i++) sum += e.value.data[i];
    } while (lsm_block_next(&w, &e));
    lsm_block_seek(&w, kv_str("cat"), &e);
    lsm_block_seek_before(&w, kv_str("cat"), &e);
    lsm_block_last(&w, &e);
    while (lsm_block_prev(&w, &e)) sum += e.key.data[0];
    lsm_block_check(&block, bytes, &at);
    assert_true(sum + 1 > 0);
    kv_buf_free(&w.key);
}

static void damaged_blocks_hurt_nobody(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 11);
    oracle o;
    lsm_block_builder b = {0};
    lsm_block block;
    oracle_make(&o, &rng, 20);
    make_block(&b, &o, &block);
    kv_slice whole = kv_buf_slice(&b.bytes);
    uint8_t *copy = kv_alloc(whole.len);
    for (size_t bit = 0; bit < whole.len * 8; bit++) {
        memcpy(copy, whole.data, whole.len);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        use_all(kv_slice_of(copy, whole.len));
    }
    for (size_t len = 0; len < whole.len; len++) {
        uint8_t *prefix = kv_alloc(len + 1);
        memcpy(prefix + 1, whole.data, len);
        use_all(kv_slice_of(prefix + 1, len));
        kv_free(prefix);
    }
    kv_free(copy);
    oracle_free(&o);
    lsm_block_builder_free(&b);
}

// Opens a block of these, and says whether a check finds it good.
static bool check(const lsm_entry *entries, const uint64_t *hashes,
                  size_t count, size_t fill, uint32_t *at)
{
    lsm_block block;
    lsm_block_builder b = {0};
    lsm_block_begin(&b, 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(lsm_block_add(&b, &entries[i], hashes[i], SIZE_MAX));
    }
    kv_slice bytes = lsm_block_finish(&b, fill);
    if (fill > 0) b.bytes.data[fill - 1] = 1;
    assert_true(lsm_block_open(bytes, &block));
    bool is_good = lsm_block_check(&block, bytes, at);
    lsm_block_builder_free(&b);
    return is_good;
}

// A block that opens and is not in order, has a wrong tag, or is filled up with
// something, is found out.
static void check_sees_what_open_does_not(void **state)
{
    (void)state;
    const lsm_entry a = entry_of("a", 5, LSM_PUT, "1");
    const lsm_entry b = entry_of("b", 6, LSM_PUT, "2");
    const uint64_t ha = hash_of(a.key), hb = hash_of(b.key);
    uint32_t at;
    assert_true(check((lsm_entry[]){a, b}, (uint64_t[]){ha, hb}, 2, 0, &at));
    assert_false(check((lsm_entry[]){b, a}, (uint64_t[]){hb, ha}, 2, 0, &at));
    assert_int_equal(at, 1);
    assert_false(check((lsm_entry[]){a, b}, (uint64_t[]){ha, ~hb}, 2, 0, &at));
    assert_int_equal(at, 1);
    assert_false(check((lsm_entry[]){a, b}, (uint64_t[]){ha, hb}, 2, 9, &at));
}

// No block is longer than its limit, unless it has one entry; and one more
// entry would have made it so.
static void the_limit_holds(void **state)
{
    (void)state;
    kv_rng rng;
    oracle o;
    kv_rng_seed(&rng, 4);
    oracle_make(&o, &rng, 3000);
    lsm_block_builder b = {0};
    for (size_t limit = 1; limit < 70000; limit = limit * 3 + 1) {
        lsm_block_begin(&b, 0);
        for (size_t i = 0; i < o.count; i++) {
            size_t before = lsm_block_bytes(&b);
            const lsm_entry *e = &o.entries[i];
            uint64_t hash = hash_of(e->key);
            if (lsm_block_add(&b, e, hash, limit)) {
                assert_true(b.count == 1 || lsm_block_bytes(&b) <= limit);
                continue;
            }
            assert_true(b.count > 0 && lsm_block_bytes(&b) == before);
            assert_true(lsm_block_add(&b, e, hash, SIZE_MAX));
            assert_true(lsm_block_bytes(&b) > limit);
            kv_slice bytes = lsm_block_finish(&b, 0);
            uint32_t at;
            lsm_block block;
            assert_true(lsm_block_open(bytes, &block));
            assert_true(lsm_block_check(&block, bytes, &at));
            lsm_block_begin(&b, 0);
        }
    }
    lsm_block_builder_free(&b);
    oracle_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_what_the_picture_says),
        cmocka_unit_test(agrees_with_the_oracle),
        cmocka_unit_test(damaged_blocks_hurt_nobody),
        cmocka_unit_test(check_sees_what_open_does_not),
        cmocka_unit_test(the_limit_holds),
    };
    return cmocka_run_group_tests_name("stage4.block", tests, NULL, NULL);
}
