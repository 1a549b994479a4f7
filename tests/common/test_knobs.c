// test_knobs.c -- settings as text: numbers, words, and what is refused.
// SPDX-License-Identifier: MIT

#include "common/knobs.h"

#include "tests/support/test.h"

enum { READ, SEGMENT, GARBAGE, COUNT };

static const kv_knob knobs[COUNT] = {
    [READ] = {.name = "read", .words = "copy map none"},
    [SEGMENT] = {"segment_bytes", 64 << 20, 4096, 1 << 30, NULL, "size"},
    [GARBAGE] = {"garbage", 50, 0, 100, NULL, "percent"},
};

static void assert_refused(const char *text, const char *because)
{
    uint64_t values[COUNT];
    assert_status(kv_knobs_parse(knobs, COUNT, text, values), KV_INVALID);
    if (strstr(kv_last_error(), because) == NULL) {
        fail_msg("\"%s\" is refused with \"%s\", which does not say \"%s\"",
                 text, kv_last_error(), because);
    }
}

static void nothing_said_means_the_defaults(void **state)
{
    (void)state;
    static const char *const nothing[] = {NULL, "", ",", ",,"};
    for (int i = 0; i < 4; i++) {
        uint64_t values[COUNT] = {7, 7, 7};
        assert_ok(kv_knobs_parse(knobs, COUNT, nothing[i], values));
        assert_int_equal(values[READ], 0);
        assert_int_equal(values[SEGMENT], 64 << 20);
        assert_int_equal(values[GARBAGE], 50);
    }
    assert_ok(kv_knobs_parse(NULL, 0, "", NULL));
}

static void numbers_words_and_units_are_read(void **state)
{
    (void)state;
    uint64_t values[COUNT];
    assert_ok(kv_knobs_parse(
        knobs, COUNT, "read=map,segment_bytes=4KiB,garbage=100", values));
    assert_int_equal(values[READ], 1);
    assert_int_equal(values[SEGMENT], 4096);
    assert_int_equal(values[GARBAGE], 100);
    assert_ok(
        kv_knobs_parse(knobs, COUNT, "read=none,segment_bytes=1GiB", values));
    assert_int_equal(values[READ], 2);
    assert_int_equal(values[SEGMENT], 1 << 30);
    // Of two settings of one knob the later counts.
    assert_ok(kv_knobs_parse(knobs, COUNT, "garbage=1,garbage=2", values));
    assert_int_equal(values[GARBAGE], 2);
}

static void what_was_asked_for_is_told_from_a_default(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t given;
    } cases[] = {
        {NULL, 0},
        {",", 0},
        {"read=copy", 1 << READ}, // a default, but asked for
        {"garbage=1,,segment_bytes=4KiB", 1 << GARBAGE | 1 << SEGMENT},
        {"reads=1,read", 1 << READ},
        {"rea=1,=2", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(kv_knobs_given(knobs, COUNT, cases[i].text),
                         cases[i].given);
    }
}

static void bad_settings_are_named(void **state)
{
    (void)state;
    assert_refused("raed=map", "\"read\"");
    assert_refused("segment_byte=4KiB", "\"segment_bytes\"");
    assert_refused("garbage", "name=value");
    assert_refused("garbage=101", "0 to 100");
    assert_refused("segment_bytes=1", "4KiB to 1GiB");
    assert_refused("segment_bytes=2GiB", "4KiB to 1GiB");
    assert_refused("read=mapp", "copy map none");
    assert_refused("read=1", "copy map none");
    assert_refused("read=", "copy map none");
    assert_refused("garbage=", "0 to 100");
    assert_refused("garbage= 5", "0 to 100");
    assert_refused("garbage=-5", "0 to 100");
    assert_refused("garbage=5x", "0 to 100");
    assert_refused("garbage=18446744073709551616", "0 to 100");
    assert_refused("segment_bytes=99999999999999999999GiB", "to 1GiB");
    assert_refused("=5", "");
    assert_refused("read=map,oops=1,garbage=2", "oops");
    uint64_t value;
    assert_status(kv_knobs_parse(NULL, 0, "a=1", &value), KV_INVALID);
}

static void a_very_long_name_is_refused_too(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'x', sizeof text);
    text[4000] = '=';
    text[4999] = '\0';
    assert_refused(text, "no knob");
}

static void sizes_are_read_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},
                {"1", 1},
                {"1KiB", 1024},
                {"64MiB", 64 << 20},
                {"3GiB", (uint64_t)3 << 30},
                {"18446744073709551615", UINT64_MAX},
                {"17179869183GiB", UINT64_MAX - (1 << 30) + 1}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t bytes;
        assert_ok(kv_parse_bytes(good[i].text, &bytes));
        assert_true(bytes == good[i].bytes);
    }
    static const char *const bad[] = {"",
                                      "KiB",
                                      "1kib",
                                      "1KB",
                                      "1 KiB",
                                      " 1",
                                      "1.5MiB",
                                      "0x10",
                                      "-1",
                                      "+1",
                                      "1KiBx",
                                      "18446744073709551616",
                                      "17179869184GiB"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t bytes = 7;
        assert_status(kv_parse_bytes(bad[i], &bytes), KV_INVALID);
        assert_int_equal(bytes, 7);
    }
}

// What is printed is what is parsed.
static void printing_and_parsing_are_inverse(void **state)
{
    (void)state;
    static const uint64_t tries[][COUNT] = {
        {0, 4096, 0}, {1, 5000, 7}, {2, 1 << 30, 100}, {0, (5 << 20) + 1, 64}};
    for (int i = 0; i < 4; i++) {
        kv_buf text = {0};
        uint64_t back[COUNT];
        for (int k = 0; k < COUNT; k++) {
            if (k > 0) kv_buf_append(&text, kv_str(","));
            kv_knob_print(&knobs[k], tries[i][k], &text);
        }
        kv_buf_append(&text, kv_slice_of("", 1));
        kv_status st =
            kv_knobs_parse(knobs, COUNT, (const char *)text.data, back);
        kv_buf_free(&text);
        assert_ok(st);
        assert_memory_equal(back, tries[i], sizeof back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_means_the_defaults),
        cmocka_unit_test(numbers_words_and_units_are_read),
        cmocka_unit_test(what_was_asked_for_is_told_from_a_default),
        cmocka_unit_test(bad_settings_are_named),
        cmocka_unit_test(a_very_long_name_is_refused_too),
        cmocka_unit_test(sizes_are_read_exactly),
        cmocka_unit_test(printing_and_parsing_are_inverse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
