// test_cli_request.c -- command lines taken apart.
// SPDX-License-Identifier: MIT

#include "common/cli/request.h"
#include "common/cli/words.h"

#include "tests/support/test.h"

static bool is_crash(const char *word) { return strcmp(word, "crash") == 0; }

typedef struct fixture {
    kv_cli_words argv;
    kv_cli_request r;
    kv_status st;
} fixture;

static fixture parse(kv_cli_request_kind kind, const char *line)
{
    fixture f = {0};
    assert_ok(kv_cli_words_cut(&f.argv, "program", kv_str(line)));
    f.st =
        kv_cli_request_parse(&f.r, kind, f.argv.count, f.argv.word, is_crash);
    return f;
}

static void finish(fixture *f)
{
    kv_cli_request_free(&f->r);
    kv_cli_words_free(&f->argv);
}

static void expect_words(const fixture *f, const char *want)
{
    kv_buf got = {0};
    assert_int_equal(f->st, KV_OK);
    for (int i = 0; i < f->r.word_count; i++) {
        kv_buf_printf(&got, "%s|", f->r.words[i]);
    }
    assert_slice(kv_buf_slice(&got), want);
    kv_buf_free(&got);
}

static void refuses(kv_cli_request_kind kind, const char *line, const char *why)
{
    fixture f = parse(kind, line);
    assert_int_equal(f.st, KV_INVALID);
    assert_string_equal(kv_last_error(), why);
    finish(&f);
}

static void test_options_stand_anywhere(void **state)
{
    (void)state;
    const char *const lines[] = {
        "--limit 3 dir scan a --reverse",
        "dir --limit=3 scan --reverse a",
        "dir scan a --reverse --limit 3",
    };
    for (size_t i = 0; i < 3; i++) {
        fixture f = parse(CLI_COMMAND_LINE, lines[i]);
        expect_words(&f, "dir|scan|a|");
        assert_int_equal(f.r.flags, CLI_REVERSE | CLI_LIMIT);
        assert_int_equal(f.r.limit, 3);
        finish(&f);
    }
}

static void test_first_group(void **state)
{
    (void)state;
    fixture f = parse(CLI_COMMAND_LINE,
                      "--set a=1 --sync none --memory 2MiB d --set b=2 "
                      "--fault x:y:1:EIO --fault z --color never repl");
    expect_words(&f, "d|repl|");
    assert_string_equal((char *)f.r.knobs.data, "a=1,b=2");
    assert_string_equal((char *)f.r.faults.data, "x:y:1:EIO z");
    assert_int_equal(f.r.sync, KV_SYNC_NONE);
    assert_int_equal(f.r.memory_bytes, 2 << 20);
    assert_int_equal(f.r.color, CLI_COLOR_NEVER);
    assert_int_equal(f.r.batch, 1000);
    finish(&f);
    refuses(CLI_REPL_LINE, "get a --sync none",
            "--sync belongs on the command line of the program: the store is "
            "open already");
}

static void test_behind_two_dashes_all_are_words(void **state)
{
    (void)state;
    fixture f = parse(CLI_COMMAND_LINE, "d put -- --limit -5");
    expect_words(&f, "d|put|--limit|-5|");
    assert_int_equal(f.r.flags, 0);
    finish(&f);
    f = parse(CLI_COMMAND_LINE, "- put - -");
    expect_words(&f, "-|put|-|-|");
    finish(&f);
}

static void test_a_part_may_be_spelled_as_an_option(void **state)
{
    (void)state;
    fixture f = parse(CLI_COMMAND_LINE, "d inspect --history --json");
    expect_words(&f, "d|inspect|");
    assert_int_equal(f.r.flags, CLI_HISTORY | CLI_JSON);
    assert_string_equal(kv_cli_flag_name(CLI_HISTORY), "history");
    finish(&f);
}

static void test_a_foreign_command_keeps_its_options(void **state)
{
    (void)state;
    fixture f = parse(CLI_COMMAND_LINE, "--json crash explore --ops 20 --help");
    expect_words(&f, "crash|explore|--ops|20|--help|");
    assert_int_equal(f.r.flags, CLI_JSON);
    assert_false(f.r.help);
    finish(&f);
}

static void test_refusals_say_what_to_do(void **state)
{
    (void)state;
    refuses(CLI_COMMAND_LINE, "d scan --revrese",
            "there is no option \"--revrese\"; did you mean --reverse");
    refuses(CLI_COMMAND_LINE, "d scan --wobble",
            "there is no option \"--wobble\"");
    refuses(CLI_COMMAND_LINE, "d scan --limit",
            "--limit needs a value: --limit=N");
    refuses(CLI_COMMAND_LINE, "d scan --json=3", "--json takes no value");
    refuses(CLI_COMMAND_LINE, "d put a -5",
            "there is no option \"-5\" (--help says which there are); "
            "if it is a word, write -- before it");
    refuses(CLI_COMMAND_LINE, "d put a -55 b",
            "there is no option \"-55\" (--help says which there are); "
            "if it is a word, write -- before it");
    refuses(CLI_COMMAND_LINE, "--limit -3",
            "--limit takes a number from 0 up, not \"-3\"");
    refuses(CLI_COMMAND_LINE, "--limit 99999999999999999999",
            "--limit takes a number from 0 up, not \"99999999999999999999\"");
    refuses(CLI_COMMAND_LINE, "--batch 0",
            "--batch takes a number from 1 up, not \"0\"");
    refuses(CLI_COMMAND_LINE, "--sync maybe",
            "--sync takes commit, interval or none, not \"maybe\"");
}

static void test_offsets_may_be_hexadecimal(void **state)
{
    (void)state;
    fixture f = parse(CLI_COMMAND_LINE, "d xray x --at 0x1f0");
    assert_int_equal(f.st, KV_OK);
    assert_int_equal(f.r.at, 0x1f0);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_stand_anywhere),
        cmocka_unit_test(test_first_group),
        cmocka_unit_test(test_behind_two_dashes_all_are_words),
        cmocka_unit_test(test_a_part_may_be_spelled_as_an_option),
        cmocka_unit_test(test_a_foreign_command_keeps_its_options),
        cmocka_unit_test(test_refusals_say_what_to_do),
        cmocka_unit_test(test_offsets_may_be_hexadecimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
