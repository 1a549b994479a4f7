// test_cli_tsv.c -- records as lines of text, there and back.
// SPDX-License-Identifier: MIT

#include <stdlib.h>

#include "common/cli/tsv.h"
#include "common/rng.h"

#include "tests/support/test.h"

static kv_cli_tsv_reader reader_of(kv_slice text)
{
    FILE *stream = tmpfile();
    assert_non_null(stream);
    assert_int_equal(fwrite(text.data, 1, text.len, stream), text.len);
    rewind(stream);
    return (kv_cli_tsv_reader){
        .stream = stream, .name = "f.tsv", .key_max = 10, .value_max = 20};
}

static void finish(kv_cli_tsv_reader *r)
{
    fclose(r->stream);
    kv_cli_tsv_free(r);
}

// `good` records, then a refusal with this status and sentence.
static void refuses(const char *text, int good, kv_status st, const char *why)
{
    kv_cli_tsv_reader r = reader_of(kv_str(text));
    kv_slice key, value;
    for (int i = 0; i < good; i++) assert_ok(kv_cli_tsv_read(&r, &key, &value));
    assert_status(kv_cli_tsv_read(&r, &key, &value), st);
    assert_string_equal(kv_last_error(), why);
    finish(&r);
}

static void test_reads_records_and_the_end(void **state)
{
    (void)state;
    kv_cli_tsv_reader r = reader_of(kv_str("a\t1\n\\x00\\t\t\nlast\tline"));
    kv_slice key, value;
    assert_ok(kv_cli_tsv_read(&r, &key, &value));
    assert_slice(key, "a");
    assert_slice(value, "1");
    assert_ok(kv_cli_tsv_read(&r, &key, &value));
    assert_true(kv_slice_equal(key, kv_slice_of("\0\t", 2)));
    assert_int_equal(value.len, 0);
    assert_ok(kv_cli_tsv_read(&r, &key, &value));
    assert_slice(value, "line");
    assert_int_equal(r.line, 3);
    assert_status(kv_cli_tsv_read(&r, &key, &value), KV_END);
    finish(&r);
}

static void test_says_line_column_and_why(void **state)
{
    (void)state;
    refuses("a\t1\nb\n", 1, KV_INVALID,
            "f.tsv: line 2, column 2: the line ends without a TAB after the "
            "key");
    refuses("\n", 0, KV_INVALID,
            "f.tsv: line 1, column 1: the line ends without a TAB after the "
            "key");
    refuses("\tvalue\n", 0, KV_INVALID,
            "f.tsv: line 1, column 1: the key is empty");
    refuses("a\tb\tc\n", 0, KV_INVALID,
            "f.tsv: line 1, column 4: a second TAB; inside a value it is "
            "written \\t");
    refuses("abc\tdef\\q\n", 0, KV_INVALID,
            "f.tsv: line 1, column 8: a backslash starts none of \\t \\n \\r "
            "\\\\ \\xHH (lower-case digits)");
    refuses("a\\\t1\n", 0, KV_INVALID,
            "f.tsv: line 1, column 2: a backslash starts none of \\t \\n \\r "
            "\\\\ \\xHH (lower-case digits)");
}

static void test_limits_are_the_engines(void **state)
{
    (void)state;
    refuses("ten bytes!\t\n"
            "eleven byte\t\n",
            1, KV_TOO_BIG,
            "f.tsv: line 2: the key has 11 bytes; this engine takes at most "
            "10");
    refuses("a\t123456789012345678901\n", 0, KV_TOO_BIG,
            "f.tsv: line 1: the value has 21 bytes; this engine takes at most "
            "20");
}

static void test_an_endless_line_is_not_read_into_memory(void **state)
{
    (void)state;
    kv_buf text = {0};
    for (int i = 0; i < 10000; i++) kv_buf_append(&text, kv_str("endless "));
    kv_cli_tsv_reader r = reader_of(kv_buf_slice(&text));
    kv_slice key, value;
    assert_status(kv_cli_tsv_read(&r, &key, &value), KV_TOO_BIG);
    assert_string_equal(kv_last_error(),
                        "f.tsv: line 1: the line is longer than 121 bytes");
    finish(&r);
    kv_buf_free(&text);
}

static void test_any_bytes_survive(void **state)
{
    (void)state;
    uint64_t seed = 20260101;
    print_message("seed %llu\n", (unsigned long long)seed);
    kv_rng rng;
    kv_rng_seed(&rng, seed);
    for (int round = 0; round < 2000; round++) {
        uint8_t bytes[30];
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)kv_rng_next(&rng);
        }
        kv_slice key = kv_slice_of(bytes, 1 + kv_rng_next(&rng) % 10);
        kv_slice value = kv_slice_of(bytes + 10, kv_rng_next(&rng) % 21);
        kv_buf line = {0};
        kv_cli_tsv_append(&line, key, value);
        kv_cli_tsv_reader r = reader_of(kv_buf_slice(&line));
        kv_slice got_key, got_value;
        assert_ok(kv_cli_tsv_read(&r, &got_key, &got_value));
        assert_true(kv_slice_equal(key, got_key));
        assert_true(kv_slice_equal(value, got_value));
        assert_status(kv_cli_tsv_read(&r, &got_key, &got_value), KV_END);
        finish(&r);
        kv_buf_free(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_records_and_the_end),
        cmocka_unit_test(test_says_line_column_and_why),
        cmocka_unit_test(test_limits_are_the_engines),
        cmocka_unit_test(test_an_endless_line_is_not_read_into_memory),
        cmocka_unit_test(test_any_bytes_survive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
