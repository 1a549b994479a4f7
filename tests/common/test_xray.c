// test_xray.c -- fields with their meaning, damage, and the window.
// SPDX-License-Identifier: MIT

#include "common/xray.h"

#include "tests/support/test.h"

static void walk(kv_xray *x)
{
    kv_xray_title(x, 0, "record %d", 1);
    kv_xray_field(x, 0, kv_slice_of("\x5b\x3c\x1f\x0a", 4), "checksum", "good");
    kv_xray_field(x, 4, kv_slice_of("0123456789", 10), "payload", "%d bytes",
                  10);
    kv_xray_damage(x, 14, "cut short");
    kv_xray_field(x, 20, kv_slice_of("", 0), "end", "nothing");
}

static void a_walk_is_drawn_line_by_line(void **state)
{
    (void)state;
    kv_xray x = {.limit = UINT64_MAX};
    walk(&x);
    kv_buf_append(&x.text, kv_slice_of("", 1));
    const char *text = (const char *)x.text.data;
    assert_non_null(strstr(text, "record 1"));
    assert_non_null(strstr(text, "00000000  5b 3c 1f 0a"));
    assert_non_null(strstr(text, "checksum"));
    assert_non_null(strstr(text, "30 31 32 33 34 35 36 37 .."));
    assert_non_null(strstr(text, "10 bytes"));
    assert_non_null(strstr(text, "cut short"));
    assert_int_equal(x.field_count, 3);
    assert_int_equal(x.damage_count, 1);
    kv_buf_free(&x.text);
}

static void only_what_touches_the_window_is_drawn(void **state)
{
    (void)state;
    static const struct {
        uint64_t from, limit, fields;
    } windows[] = {{0, 0, 0}, {0, 1, 1},   {3, 4, 1},   {3, 5, 2},
                   {4, 5, 1}, {13, 14, 1}, {14, 20, 0}, {14, 21, 1}};
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        kv_xray x = {.from = windows[i].from, .limit = windows[i].limit};
        walk(&x);
        kv_buf_free(&x.text);
        assert_int_equal(x.field_count, windows[i].fields);
        assert_int_equal(x.damage_count, 1); // counted, drawn or not
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_is_drawn_line_by_line),
        cmocka_unit_test(only_what_touches_the_window_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
