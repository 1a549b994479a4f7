// test_compress.c -- blocks made smaller and back: what comes out is what went
// in, what would not shrink stays as it is, and damage gives no bytes away.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "common/mem.h"
#include "common/rng.h"

#include "compress.h"
#include "tests/support/test.h"

enum { BLOCK = 4096, KINDS = 3 };

// Words that come again and again; or no two bytes alike.
static void fill(uint8_t *to, size_t len, bool repeats, kv_rng *rng)
{
    static const char word[] = "the same again, ";
    for (size_t i = 0; i < len; i++) {
        to[i] = repeats ? (uint8_t)word[i % 16] : (uint8_t)kv_rng_next(rng);
    }
}

static void what_goes_in_comes_out(void **state)
{
    (void)state;
    static const size_t lens[] = {64, 1000, BLOCK, 1 << 20};
    static uint8_t block[1 << 20], back[1 << 20];
    lsm_compressor c = {0};
    lsm_unpacker u = {0};
    kv_rng rng;
    kv_rng_seed(&rng, 2);
    for (int i = 0; i < 4 * 2 * (KINDS - 1); i++) {
        size_t len = lens[i % 4];
        lsm_compression how =
            i / 4 % 2 == 0 ? LSM_COMPRESS_LZ4 : LSM_COMPRESS_ZSTD;
        kv_buf to = {0};
        kv_buf_append(&to, kv_str("before")); // stays
        fill(block, len, true, &rng);
        assert_int_equal(lsm_compress(&c, how, kv_slice_of(block, len), &to),
                         how);
        kv_slice payload = kv_slice_of(to.data + 6, to.len - 6);
        assert_memory_equal(to.data, "before", 6);
        assert_true(payload.len <= len - len / 8);
        assert_int_equal(lsm_get_raw_size(payload), len);
        bool keeps = i >= 4 * (KINDS - 1);
        assert_true(lsm_decompress(keeps ? &u : NULL, how, payload, back, len));
        assert_memory_equal(back, block, len);
        kv_buf_free(&to);
    }
    lsm_compressor_free(&c);
    lsm_unpacker_free(&u);
}

static void what_would_not_shrink_stays(void **state)
{
    (void)state;
    uint8_t block[BLOCK];
    lsm_compressor c = {0};
    kv_rng rng;
    kv_rng_seed(&rng, 3);
    for (int how = 0; how < KINDS; how++) {
        fill(block, sizeof block, how == LSM_COMPRESS_NONE, &rng);
        kv_buf to = {0};
        assert_int_equal(lsm_compress(&c, (lsm_compression)how,
                                      kv_slice_of(block, BLOCK), &to),
                         LSM_COMPRESS_NONE);
        assert_int_equal(to.len, BLOCK);
        assert_memory_equal(to.data, block, BLOCK);
        kv_buf_free(&to);
    }
    lsm_compressor_free(&c);
}

// Behind a checksum this is a matter of a wrong program, not of a bad disk; but
// no byte is written beyond what was asked for, whatever stands there.
static void damage_stays_within_its_bounds(void **state)
{
    (void)state;
    enum { LEN = 600 };
    uint8_t block[LEN];
    lsm_compressor c = {0};
    lsm_unpacker u = {0};
    kv_rng rng;
    kv_rng_seed(&rng, 4);
    fill(block, LEN, true, &rng);
    fill(block + LEN / 2, LEN / 4, false, &rng);
    for (int how = LSM_COMPRESS_LZ4; how < KINDS; how++) {
        kv_buf to = {0};
        assert_int_equal(lsm_compress(&c, (lsm_compression)how,
                                      kv_slice_of(block, LEN), &to),
                         how);
        for (size_t len = LSM_RAW_SIZE_BYTES; len < to.len; len++) {
            uint8_t *back = kv_alloc(LEN); // its end is watched by sanitizers
            assert_false(lsm_decompress(&u, (lsm_compression)how,
                                        kv_slice_of(to.data, len), back, LEN));
            kv_free(back);
        }
        for (size_t bit = 8 * LSM_RAW_SIZE_BYTES; bit < 8 * to.len; bit++) {
            uint8_t *back = kv_alloc(LEN);
            to.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            (void)lsm_decompress(&u, (lsm_compression)how, kv_buf_slice(&to),
                                 back, LEN);
            to.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            kv_free(back);
        }
        uint8_t *less = kv_alloc(LEN - 1);
        assert_false(lsm_decompress(&u, (lsm_compression)how, kv_buf_slice(&to),
                                    less, LEN - 1));
        kv_free(less);
        kv_buf_free(&to);
    }
    lsm_compressor_free(&c);
    lsm_unpacker_free(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(what_would_not_shrink_stays),
        cmocka_unit_test(damage_stays_within_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
