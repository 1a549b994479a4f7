// test_cli_words.c -- a line of the repl cut into words, and the nearest name.
// SPDX-License-Identifier: MIT

#include "common/cli/words.h"

#include "tests/support/test.h"

// The words of `line` with bars between, or the sentence of the failure.
static void expect(const char *line, const char *want)
{
    kv_cli_words words = {0};
    kv_buf got = {0};
    if (kv_cli_words_cut(&words, "program", kv_str(line)) == KV_OK) {
        assert_string_equal(words.word[0], "program");
        assert_null(words.word[words.count]);
        for (int i = 1; i < words.count; i++) {
            kv_buf_printf(&got, "%s|", words.word[i]);
        }
    } else {
        kv_buf_printf(&got, "%s", kv_last_error());
    }
    assert_slice(kv_buf_slice(&got), want);
    kv_buf_free(&got);
    kv_cli_words_free(&words);
}

static void test_blanks_separate(void **state)
{
    (void)state;
    expect("", "");
    expect("   \t ", "");
    expect("put a 1", "put|a|1|");
    expect("  put\ta   1  ", "put|a|1|");
}

static void test_quotes_keep_blanks_and_may_be_empty(void **state)
{
    (void)state;
    expect("put 'a b' \"c d\"", "put|a b|c d|");
    expect("put '' \"\"", "put|||");
    expect("put \"it's\" 'say \"x\"'", "put|it's|say \"x\"|");
    expect("a'b c'd", "ab cd|");
    expect("put \"a", "column 5: this \" is never closed");
}

static void test_backslashes_are_left_alone(void **state)
{
    (void)state;
    expect("put \\x00 a\\tb", "put|\\x00|a\\tb|");
}

static void test_comments_start_where_a_word_could(void **state)
{
    (void)state;
    expect("# put a 1", "");
    expect("get a # why not", "get|a|");
    expect("get a#b '#'", "get|a#b|#|");
}

static void test_a_byte_zero_is_refused(void **state)
{
    (void)state;
    kv_cli_words words = {0};
    kv_slice line = kv_slice_of("get a\0b", 7);
    assert_status(kv_cli_words_cut(&words, "p", line), KV_INVALID);
    assert_string_equal(kv_last_error(), "column 6: a byte 0 (write \\x00)");
    kv_cli_words_free(&words);
}

static void test_words_can_be_cut_again(void **state)
{
    (void)state;
    kv_cli_words words = {0};
    assert_ok(kv_cli_words_cut(&words, "p", kv_str("a b c d e f")));
    assert_int_equal(words.count, 7);
    assert_ok(kv_cli_words_cut(&words, "p", kv_str("x")));
    assert_int_equal(words.count, 2);
    assert_string_equal(words.word[1], "x");
    kv_cli_words_free(&words);
}

static const char *command(size_t index)
{
    static const char *const commands[] = {"get", "put", "explain", "scan"};
    return index < 4 ? commands[index] : NULL;
}

static void test_the_nearest_name(void **state)
{
    (void)state;
    assert_string_equal(kv_cli_nearest("gte", command), "get");
    assert_string_equal(kv_cli_nearest("exlpain", command), "explain");
    assert_string_equal(kv_cli_nearest("explane", command), "explain");
    assert_string_equal(kv_cli_nearest("scan", command), "scan");
    assert_null(kv_cli_nearest("frobnicate", command));
    assert_null(kv_cli_nearest("", command));
    char endless[100];
    memset(endless, 'g', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(kv_cli_nearest(endless, command));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blanks_separate),
        cmocka_unit_test(test_quotes_keep_blanks_and_may_be_empty),
        cmocka_unit_test(test_backslashes_are_left_alone),
        cmocka_unit_test(test_comments_start_where_a_word_could),
        cmocka_unit_test(test_a_byte_zero_is_refused),
        cmocka_unit_test(test_words_can_be_cut_again),
        cmocka_unit_test(test_the_nearest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
