// test_report.c -- a tree of facts, as text and as JSON.
// SPDX-License-Identifier: MIT

#include "common/report.h"

#include "tests/support/test.h"

static void tell(kv_report *r)
{
    kv_report_count(r, "segments", 2);
    kv_report_begin(r, "segment %d", 1);
    kv_report_bytes(r, "size", 3 << 20);
    kv_report_share(r, "live", 0.58);
    kv_report_end(r);
    kv_report_begin(r, "segment %d", 2);
    kv_report_bytes(r, "size", 12);
    kv_report_ratio(r, "probes", 1.256);
    kv_report_key(r, "first", kv_slice_of("a\n\xff", 3));
    kv_report_end(r);
    kv_report_text(r, "note", "%s", "say \"hi\"");
}

static void text_is_indented(void **state)
{
    (void)state;
    kv_report r = {0};
    kv_buf out = {0};
    tell(&r);
    kv_report_draw_text(&r, &out);
    assert_slice(kv_buf_slice(&out),
                 "segments                 2\n"
                 "segment 1\n"
                 "  size                   3.0 MiB\n"
                 "  live                   [######....] 58 %\n"
                 "segment 2\n"
                 "  size                   12 B\n"
                 "  probes                 1.26\n"
                 "  first                  a\\n\\xff\n"
                 "note                     say \"hi\"\n");
    kv_buf_free(&out);
    kv_report_free(&r);
    assert_int_equal(r.count, 0);
    kv_report_free(&r);
}

static void a_long_key_is_cut_for_people_only(void **state)
{
    (void)state;
    enum { LONG = 65535 };
    kv_report r = {0};
    kv_buf key = {0}, out = {0};
    for (int i = 0; i < LONG; i++) kv_buf_append(&key, kv_str("k"));
    kv_report_key(&r, "first", kv_buf_slice(&key));
    kv_report_draw_text(&r, &out);
    assert_in_range(out.len, 80, 120);
    assert_memory_equal(out.data + out.len - 5, "k...\n", 5);
    kv_buf_clear(&out);
    kv_report_draw_json(&r, &out);
    assert_true(out.len > LONG);
    kv_buf_free(&key);
    kv_buf_free(&out);
    kv_report_free(&r);
}

static void json_is_an_object(void **state)
{
    (void)state;
    kv_report r = {0};
    kv_buf out = {0};
    tell(&r);
    kv_report_draw_json(&r, &out);
    assert_slice(kv_buf_slice(&out),
                 "{\"segments\":2,\"segment 1\":{\"size\":3145728,"
                 "\"live\":0.58},\"segment 2\":{\"size\":12,\"probes\":1.256,"
                 "\"first\":\"a\\\\n\\\\xff\"},\"note\":\"say \\\"hi\\\"\"}\n");
    kv_buf_free(&out);
    kv_report_free(&r);
}

static void branches_of_one_name_become_an_array(void **state)
{
    (void)state;
    kv_report r = {0};
    kv_buf out = {0};
    for (uint64_t i = 1; i <= 3; i++) {
        kv_report_begin(&r, "level");
        kv_report_count(&r, "n", i);
        kv_report_begin(&r, "empty");
        kv_report_end(&r);
        kv_report_end(&r);
        if (i == 2) kv_report_count(&r, "other", 9);
    }
    kv_report_draw_json(&r, &out);
    assert_slice(kv_buf_slice(&out),
                 "{\"level\":[{\"n\":1,\"empty\":{}},{\"n\":2,\"empty\":{}},"
                 "{\"n\":3,\"empty\":{}}],\"other\":9}\n");
    kv_buf_free(&out);
    kv_report_free(&r);
}

static void nothing_told_is_an_empty_object(void **state)
{
    (void)state;
    kv_report r = {0};
    kv_buf out = {0};
    kv_report_draw_text(&r, &out);
    assert_int_equal(out.len, 0);
    kv_report_draw_json(&r, &out);
    assert_slice(kv_buf_slice(&out), "{}\n");
    kv_buf_free(&out);
    kv_report_free(&r);
}

// JSON has no infinity and no NaN.
static void odd_numbers_stay_valid(void **state)
{
    (void)state;
    kv_report r = {0};
    kv_buf out = {0};
    double zero = 0;
    kv_report_ratio(&r, "infinite", 1 / zero);
    kv_report_ratio(&r, "none", zero / zero);
    kv_report_share(&r, "share", zero / zero);
    kv_report_share(&r, "over", 7.5);
    kv_report_share(&r, "under", -2);
    kv_report_count(&r, "most", UINT64_MAX);
    kv_report_draw_json(&r, &out);
    assert_slice(kv_buf_slice(&out),
                 "{\"infinite\":null,\"none\":null,\"share\":null,"
                 "\"over\":7.5,\"under\":-2,"
                 "\"most\":18446744073709551615}\n");
    kv_buf_clear(&out);
    kv_report_draw_text(&r, &out); // draws something, and no bar of a mile
    assert_in_range(out.len, 50, 400);
    kv_buf_free(&out);
    kv_report_free(&r);
}

static void assert_json(const char *bytes, size_t len, const char *want)
{
    kv_buf out = {0};
    kv_json_string(&out, kv_slice_of(bytes, len));
    assert_slice(kv_buf_slice(&out), want);
    kv_buf_free(&out);
}

static void json_strings_of_any_bytes(void **state)
{
    (void)state;
    assert_json("", 0, "\"\"");
    assert_json("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
    assert_json("\n\t\0\x1f\x7f", 5, "\"\\u000a\\u0009\\u0000\\u001f\\u007f\"");
    // UTF-8 passes as it is, of two, three and four bytes.
    assert_json("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x88", 9,
                "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x88\"");
    // Not UTF-8: a stray byte, a cut character, an overlong one, a surrogate,
    // what is beyond Unicode.
    assert_json("\xff", 1, "\"\\\\xff\"");
    assert_json("\xe2\x82", 2, "\"\\\\xe2\\\\x82\"");
    assert_json("\xc0\x80", 2, "\"\\\\xc0\\\\x80\"");
    assert_json("\xe0\x80\x80", 3, "\"\\\\xe0\\\\x80\\\\x80\"");
    assert_json("\xed\xa0\x80", 3, "\"\\\\xed\\\\xa0\\\\x80\"");
    assert_json("\xf4\x90\x80\x80", 4, "\"\\\\xf4\\\\x90\\\\x80\\\\x80\"");
    assert_json("\xf5\x80\x80\x80", 4, "\"\\\\xf5\\\\x80\\\\x80\\\\x80\"");
}

static void long_texts_are_cut_not_overrun(void **state)
{
    (void)state;
    kv_report r = {0};
    kv_buf out = {0};
    kv_report_text(&r, "long", "%05000d", 1);
    kv_report_begin(&r, "%05000d", 1);
    for (int depth = 0; depth < 40; depth++) kv_report_begin(&r, "deep");
    for (int depth = 0; depth < 41; depth++) kv_report_end(&r);
    kv_report_draw_text(&r, &out);
    kv_report_draw_json(&r, &out);
    assert_true(out.len > 100);
    kv_buf_free(&out);
    kv_report_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_indented),
        cmocka_unit_test(a_long_key_is_cut_for_people_only),
        cmocka_unit_test(json_is_an_object),
        cmocka_unit_test(branches_of_one_name_become_an_array),
        cmocka_unit_test(nothing_told_is_an_empty_object),
        cmocka_unit_test(odd_numbers_stay_valid),
        cmocka_unit_test(json_strings_of_any_bytes),
        cmocka_unit_test(long_texts_are_cut_not_overrun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
