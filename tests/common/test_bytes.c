// test_bytes.c -- slices, buffers, and the one escaping.
// SPDX-License-Identifier: MIT

#include "common/bytes.h"
#include "common/rng.h"

#include "tests/support/test.h"

static int sign(int n) { return (n > 0) - (n < 0); }

static void order_is_memcmp_then_length(void **state)
{
    (void)state;
    static const char *const sorted[] = {"",  "a",  "aa",  "ab",
                                         "b", "ba", "\xff"};
    enum { COUNT = sizeof sorted / sizeof sorted[0] };
    for (int i = 0; i < COUNT; i++) {
        for (int j = 0; j < COUNT; j++) {
            kv_slice a = kv_str(sorted[i]), b = kv_str(sorted[j]);
            assert_int_equal(sign(kv_slice_cmp(a, b)), sign(i - j));
            assert_int_equal(kv_slice_equal(a, b), i == j);
        }
    }
    assert_int_equal(kv_slice_cmp((kv_slice){0}, kv_str("")), 0);
    assert_true(kv_slice_equal((kv_slice){0}, kv_str("")));
    assert_true(kv_slice_cmp(kv_slice_of("a\0", 2), kv_str("a")) > 0);
}

static void a_buffer_grows_and_keeps_its_bytes(void **state)
{
    (void)state;
    kv_buf b = {0};
    for (int i = 0; i < 5000; i++) {
        uint8_t byte = (uint8_t)i;
        kv_buf_append(&b, kv_slice_of(&byte, 1));
    }
    assert_int_equal(b.len, 5000);
    for (int i = 0; i < 5000; i++) assert_int_equal(b.data[i], (uint8_t)i);
    size_t cap = b.cap;
    kv_buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, cap);
    kv_buf_free(&b);
    assert_null(b.data);
    kv_buf_free(&b);
}

static void reserve_makes_room_behind_the_content(void **state)
{
    (void)state;
    kv_buf b = {0};
    kv_buf_append(&b, kv_str("abc"));
    kv_buf_reserve(&b, 100000);
    assert_true(b.cap - b.len >= 100000);
    assert_slice(kv_buf_slice(&b), "abc");
    memset(b.data + b.len, 'x', 100000);
    kv_buf_reserve(&b, 0);
    kv_buf_free(&b);
}

static void set_replaces(void **state)
{
    (void)state;
    kv_buf b = {0};
    kv_buf_set(&b, kv_str("a longer text than the next"));
    kv_buf_set(&b, kv_str("short"));
    assert_slice(kv_buf_slice(&b), "short");
    kv_buf_set(&b, (kv_slice){0});
    assert_int_equal(b.len, 0);
    kv_buf_free(&b);
}

static void printf_appends_without_a_nul(void **state)
{
    (void)state;
    kv_buf b = {0};
    kv_buf_printf(&b, "%s", "");
    assert_int_equal(b.len, 0);
    for (int i = 0; i < 100; i++) kv_buf_printf(&b, "%d,", i);
    kv_buf_printf(&b, "%0300d", 7);
    assert_int_equal(b.len, 10 * 2 + 90 * 3 + 300);
    assert_memory_equal(b.data, "0,1,2,3,", 8);
    assert_int_equal(b.data[b.len - 1], '7');
    kv_buf_free(&b);
}

static void escaping_shows_every_byte(void **state)
{
    (void)state;
    kv_buf b = {0};
    kv_escape(&b, kv_slice_of("a b\t\n\r\\\0\x1f\x7f\xff\"'", 13));
    assert_slice(kv_buf_slice(&b), "a b\\t\\n\\r\\\\\\x00\\x1f\\x7f\\xff\"'");
    kv_buf_free(&b);
}

// Any bytes, there and back; and what comes out is printable ASCII.
static void unescape_undoes_escape(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 1);
    for (int round = 0; round < 3000; round++) {
        uint8_t bytes[64];
        size_t len = (size_t)kv_rng_below(&rng, sizeof bytes);
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (uint8_t)(kv_rng_next(&rng) >> 56);
            if (round % 3 == 0) bytes[i] = (uint8_t) "\\xtnr0a"[bytes[i] % 7];
        }
        kv_buf text = {0}, back = {0};
        kv_escape(&text, kv_slice_of(bytes, len));
        bool is_printable = true;
        for (size_t i = 0; i < text.len; i++) {
            is_printable &= text.data[i] >= 0x20 && text.data[i] < 0x7f;
        }
        kv_status st = kv_unescape(&back, kv_buf_slice(&text));
        bool is_same =
            kv_slice_equal(kv_buf_slice(&back), kv_slice_of(bytes, len));
        kv_buf_free(&text);
        kv_buf_free(&back);
        assert_true(is_printable);
        assert_ok(st);
        assert_true(is_same);
    }
}

// Any text: refused with its column, or taken; and then escaping what came
// out and reading that again gives the same.
static void escape_undoes_unescape(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 2);
    int taken = 0;
    for (int round = 0; round < 20000; round++) {
        char text[12];
        size_t len = (size_t)kv_rng_below(&rng, sizeof text);
        for (size_t i = 0; i < len; i++) {
            text[i] = "\\\\xtnr09afF \n"[kv_rng_below(&rng, 13)];
        }
        kv_buf bytes = {0}, again = {0}, back = {0};
        kv_status st = kv_unescape(&bytes, kv_slice_of(text, len));
        bool is_same = true;
        if (st == KV_OK) {
            taken++;
            kv_escape(&again, kv_buf_slice(&bytes));
            is_same = kv_unescape(&back, kv_buf_slice(&again)) == KV_OK &&
                      kv_slice_equal(kv_buf_slice(&back), kv_buf_slice(&bytes));
        } else {
            is_same =
                st == KV_INVALID && strstr(kv_last_error(), "column") != NULL;
        }
        kv_buf_free(&bytes);
        kv_buf_free(&again);
        kv_buf_free(&back);
        assert_true(is_same);
    }
    assert_true(taken > 100);
}

static void what_is_no_escape_is_refused_by_column(void **state)
{
    (void)state;
    static const char *const bad[] = {"\\",    "abc\\", "\\q",   "\\x",
                                      "\\x1",  "\\xg0", "\\x0G", "\\xFF",
                                      "\\X41", "\\0",   "\\ "};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        kv_buf b = {0};
        kv_status st = kv_unescape(&b, kv_str(bad[i]));
        kv_buf_free(&b);
        assert_status(st, KV_INVALID);
    }
    kv_buf b = {0};
    assert_status(kv_unescape(&b, kv_str("abc\\q")), KV_INVALID);
    kv_buf_free(&b);
    assert_non_null(strstr(kv_last_error(), "column 4"));
}

static void a_quote_fits_its_box(void **state)
{
    (void)state;
    kv_quoted q;
    assert_string_equal(kv_quote(&q, kv_str("cat\n")), "cat\\n");
    assert_string_equal(kv_quote(&q, (kv_slice){0}), "");
    uint8_t bytes[200];
    for (int fill = 0; fill < 256; fill += 5) {
        memset(bytes, fill, sizeof bytes);
        for (size_t len = 0; len <= sizeof bytes; len++) {
            const char *text = kv_quote(&q, kv_slice_of(bytes, len));
            assert_true(strlen(text) < sizeof q.text);
        }
        assert_string_equal(q.text + strlen(q.text) - 3, "...");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_memcmp_then_length),
        cmocka_unit_test(a_buffer_grows_and_keeps_its_bytes),
        cmocka_unit_test(reserve_makes_room_behind_the_content),
        cmocka_unit_test(set_replaces),
        cmocka_unit_test(printf_appends_without_a_nul),
        cmocka_unit_test(escaping_shows_every_byte),
        cmocka_unit_test(unescape_undoes_escape),
        cmocka_unit_test(escape_undoes_unescape),
        cmocka_unit_test(what_is_no_escape_is_refused_by_column),
        cmocka_unit_test(a_quote_fits_its_box),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
