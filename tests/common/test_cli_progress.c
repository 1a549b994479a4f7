// test_cli_progress.c -- the line that says how far a long command is.
// SPDX-License-Identifier: MIT

#include "common/cli/progress.h"

#include "tests/support/test.h"

static void expect(double seconds, uint64_t records, uint64_t done,
                   uint64_t total, const char *want)
{
    kv_buf line = {0};
    kv_cli_progress_line(&line, "loading", seconds, records, done, total);
    assert_slice(kv_buf_slice(&line), want);
    kv_buf_free(&line);
}

static void test_rate_share_and_time_left(void **state)
{
    (void)state;
    expect(2, 1000, 25, 100, "loading 1,000 records  25 %  500/s  0:06 left");
    expect(1, 1234567, 1, 601,
           "loading 1,234,567 records  0 %  1,234,567/s  10:00 left");
    expect(2, 10, 100, 100, "loading 10 records  100 %  5/s");
}

static void test_unknown_totals_are_not_guessed(void **state)
{
    (void)state;
    expect(2, 1000, 500, 0, "loading 1,000 records  500/s");
    expect(0, 0, 0, 0, "loading 0 records");
    expect(0, 5, 200, 100, "loading 5 records  100 %");
}

static void test_digits_are_grouped(void **state)
{
    (void)state;
    const struct {
        uint64_t n;
        const char *text;
    } rows[] = {{0, "0"},
                {999, "999"},
                {1000, "1,000"},
                {1000001, "1,000,001"},
                {UINT64_MAX, "18,446,744,073,709,551,615"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kv_buf text = {0};
        kv_cli_print_grouped(&text, rows[i].n);
        assert_slice(kv_buf_slice(&text), rows[i].text);
        kv_buf_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate_share_and_time_left),
        cmocka_unit_test(test_unknown_totals_are_not_guessed),
        cmocka_unit_test(test_digits_are_grouped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
