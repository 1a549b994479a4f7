// test_coding.c -- integers as bytes, and the checksum.
// SPDX-License-Identifier: MIT

#include "common/coding.h"
#include "common/rng.h"

#include "tests/support/test.h"

uint32_t crc_bytewise(uint32_t seed, kv_slice bytes); // crc_bytewise.c

static void fixed_width_is_low_byte_first(void **state)
{
    (void)state;
    uint8_t b[8];
    kv_put_u16(b, 0x0102);
    assert_memory_equal(b, "\x02\x01", 2);
    assert_int_equal(kv_get_u16(b), 0x0102);
    kv_put_u32(b, 0x01020384);
    assert_memory_equal(b, "\x84\x03\x02\x01", 4);
    assert_int_equal(kv_get_u32(b), 0x01020384);
    kv_put_u64(b, 0xf102030405060788);
    assert_memory_equal(b, "\x88\x07\x06\x05\x04\x03\x02\xf1", 8);
    assert_true(kv_get_u64(b) == 0xf102030405060788);
    kv_put_u32(b, UINT32_MAX);
    assert_true(kv_get_u32(b) == UINT32_MAX);
    kv_put_u16(b, UINT16_MAX);
    assert_int_equal(kv_get_u16(b), UINT16_MAX);
}

static void check_varint(uint64_t n, size_t size)
{
    uint8_t b[KV_VARINT_MAX];
    uint64_t back = ~n;
    assert_int_equal(kv_varint_size(n), size);
    assert_int_equal(kv_put_varint(b, n), size);
    assert_int_equal(kv_get_varint(kv_slice_of(b, size), &back), size);
    assert_true(back == n);
    // With bytes behind it the same; with one byte less, nothing.
    uint8_t longer[KV_VARINT_MAX + 4];
    memset(longer, 0xff, sizeof longer);
    memcpy(longer, b, size);
    assert_int_equal(kv_get_varint(kv_slice_of(longer, sizeof longer), &back),
                     size);
    for (size_t len = 0; len < size; len++) {
        assert_int_equal(kv_get_varint(kv_slice_of(b, len), &back), 0);
    }
}

static void varints_at_every_boundary(void **state)
{
    (void)state;
    check_varint(0, 1);
    for (size_t size = 1; size <= 9; size++) {
        uint64_t limit = (uint64_t)1 << (7 * size);
        check_varint(limit - 1, size);
        check_varint(limit, size + 1);
        check_varint(limit + 1, size + 1);
    }
    check_varint(UINT32_MAX, 5);
    check_varint(UINT64_MAX, 10);
    check_varint(UINT64_MAX - 1, 10);
}

static void varints_between_boundaries(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 3);
    for (int i = 0; i < 20000; i++) {
        uint64_t n = kv_rng_next(&rng) >> kv_rng_below(&rng, 64);
        check_varint(n, kv_varint_size(n));
    }
}

static void only_the_shortest_form_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\x80\x00", 2},                                  // 0 in two bytes
        {"\xff\x00", 2},                                  // 127 in two
        {"\x80\x80\x00", 3},                              // 0 in three
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 10}, // 0 in ten
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10}, // over 64 bits
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11},
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11},
        {"", 0},
    };
    uint64_t n;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(
            kv_get_varint(kv_slice_of(bad[i].bytes, bad[i].len), &n), 0);
    }
}

// Every one, two and three byte string either fails or encodes back to itself.
static void one_number_one_encoding(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 1 << 24; bits += bits < 1 << 16 ? 1 : 7) {
        uint8_t b[4] = {(uint8_t)bits, (uint8_t)(bits >> 8),
                        (uint8_t)(bits >> 16), 0};
        uint8_t again[KV_VARINT_MAX];
        uint64_t n;
        size_t size = kv_get_varint(kv_slice_of(b, 3), &n);
        if (size == 0) continue;
        if (kv_put_varint(again, n) != size || memcmp(again, b, size) != 0) {
            fail_msg("%06x is taken, but is not what is written", bits);
        }
    }
}

static void crc_of_the_standard_text(void **state)
{
    (void)state;
    kv_slice text = kv_str("123456789");
    assert_true(kv_crc32c(0, text) == 0xe3069283);
    assert_true(crc_bytewise(0, text) == 0xe3069283);
    assert_true(kv_crc32c(0, (kv_slice){0}) == 0);
    // RFC 3720, B.4: 32 bytes of zeroes, and of ones.
    uint8_t bytes[32] = {0};
    assert_true(kv_crc32c(0, kv_slice_of(bytes, 32)) == 0x8a9136aa);
    memset(bytes, 0xff, 32);
    assert_true(kv_crc32c(0, kv_slice_of(bytes, 32)) == 0x62a8ab43);
}

static void crc_continues_over_a_cut_anywhere(void **state)
{
    (void)state;
    uint8_t bytes[300];
    for (int i = 0; i < 300; i++) bytes[i] = (uint8_t)(i * 31);
    uint32_t whole = kv_crc32c(0, kv_slice_of(bytes, 300));
    for (size_t cut = 0; cut <= 300; cut++) {
        uint32_t first = kv_crc32c(0, kv_slice_of(bytes, cut));
        assert_true(kv_crc32c(first, kv_slice_of(bytes + cut, 300 - cut)) ==
                    whole);
    }
}

static void both_checksums_agree(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 4);
    static uint8_t bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)kv_rng_next(&rng);
    }
    for (size_t len = 0; len < 2000; len++) {
        size_t from = (size_t)kv_rng_below(&rng, 64);
        uint32_t seed = (uint32_t)kv_rng_next(&rng);
        kv_slice s = kv_slice_of(bytes + from, len);
        assert_true(kv_crc32c(seed, s) == crc_bytewise(seed, s));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_width_is_low_byte_first),
        cmocka_unit_test(varints_at_every_boundary),
        cmocka_unit_test(varints_between_boundaries),
        cmocka_unit_test(only_the_shortest_form_is_taken),
        cmocka_unit_test(one_number_one_encoding),
        cmocka_unit_test(crc_of_the_standard_text),
        cmocka_unit_test(crc_continues_over_a_cut_anywhere),
        cmocka_unit_test(both_checksums_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
