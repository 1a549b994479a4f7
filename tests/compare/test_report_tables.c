// test_report_tables.c -- sheets, run directories, numbers and escapes.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdlib.h>

#include "compare/report/report.h"
#include "compare/report/rundir.h"
#include "compare/report/text.h"
#include "tests/support/test.h"

static const char measures_head[] =
    "engine\tworkload\tphase\trep\tmeasure\tvalue\n";

static void put(const char *dir, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    test_write_file(path, kv_str(text));
}

static void put_measures(const char *dir, const char *rows)
{
    char text[2048];
    snprintf(text, sizeof text, "%s%s", measures_head, rows);
    put(dir, "measures.tsv", text);
}

// Reading the directory fails, and the sentence has these words in it.
static void refused(const char *dir, const char *words)
{
    cmp_rundir r = {0};
    kv_status st = cmp_rundir_read(dir, &r);
    assert_true(st == KV_INVALID || st == KV_NOT_FOUND);
    if (strstr(kv_last_error(), words) == NULL) {
        fail_msg("'%s' does not say '%s'", kv_last_error(), words);
    }
    assert_int_equal(cmp_report_write(dir), st);
}

static void malformed_files_are_named_with_their_line(void **state)
{
    (void)state;
    char *dir = test_make_dir();
    refused(dir, "manifest.tsv");
    put(dir, "manifest.tsv", "key\tvalue\nrecords\t10\n");
    refused(dir, "measures.tsv");
    put(dir, "measures.tsv", "");
    refused(dir, "measures.tsv line 1: the file is empty");
    put(dir, "measures.tsv", "engine\tvalue\nlog\t1\n");
    refused(dir, "measures.tsv line 1: the columns should be: engine workload");
    put_measures(dir, "");
    refused(dir, "measured nothing");
    put_measures(dir, "log\tw\trun\t1\twa_total\t1\nlog\tw\trun\t1\tx\n");
    refused(dir, "measures.tsv line 3: 5 cells, and the header has 6");
    put_measures(dir, "log\tw\trun\t1\twa_total\t1.5x\n");
    refused(dir, "measures.tsv line 2: value is '1.5x', which is no number");
    put_measures(dir, "log\tw\trun\t1\twa_total\tinf\n");
    refused(dir, "measures.tsv line 2");
    put_measures(dir, "log\tw\trun\t1\twa_total\t1");
    refused(dir, "line 2: ends without a newline");
    put_measures(dir, "log\tw\trun\t1\twa_total\t1\n");
    put(dir, "space.tsv",
        "engine\tworkload\trep\tuser_bytes\tdisk_bytes\t"
        "live_bytes\nlog\tw\t0\t1\ttwo\t3\n");
    refused(dir, "space.tsv line 2: disk_bytes is 'two'");
    test_remove_dir(dir);
}

static void medians_are_over_repetitions_and_skip_what_is_unknown(void **state)
{
    (void)state;
    char *dir = test_make_dir();
    cmp_rundir r = {0};
    put(dir, "manifest.tsv",
        "key\tvalue\nengines\thash log\n"
        "workloads\tw wordnet-read\ndata\twordnet\n"
        "bytes.log\tcounted\nbytes.hash\tnone\n"
        "engine.old\tOld DB 1.0 (yardstick)\n");
    put_measures(dir, "log\tw\trun\t1\tops_per_s\t30\n"
                      "log\tw\trun\t2\tops_per_s\t10\n"
                      "log\tw\trun\t3\tops_per_s\tNA\n"
                      "log\tw\trun\t4\tops_per_s\t20\n"
                      "log\tw\tload\t1\tops_per_s\t999\n"
                      "old\tv\trun\t1\tops_per_s\t4\n"
                      "old\tv\trun\t2\tops_per_s\t7\n");
    assert_ok(cmp_rundir_read(dir, &r));
    cmp_spread s = cmp_rundir_spread(&r, "log", "w", "ops_per_s");
    assert_int_equal(s.count, 3);
    assert_true(s.median == 20 && s.min == 10 && s.max == 30);
    assert_true(cmp_rundir_spread(&r, "old", "v", "ops_per_s").median == 5.5);
    assert_int_equal(cmp_rundir_spread(&r, "hash", "w", "ops_per_s").count, 0);
    assert_int_equal(r.engines.count, 3);
    assert_string_equal(r.engines.names[2], "old");
    assert_int_equal(r.workloads.count, 3);
    assert_int_equal(cmp_rundir_group(&r, "wordnet-read"), 1);
    assert_int_equal(cmp_rundir_group(&r, "w"), 0);
    assert_int_equal(cmp_rundir_origin(&r, "log"), CMP_FROM_COUNTERS);
    assert_int_equal(cmp_rundir_origin(&r, "hash"), CMP_FROM_NOTHING);
    assert_int_equal(cmp_rundir_origin(&r, "old"), CMP_FROM_UNKNOWN);
    assert_true(cmp_rundir_is_yardstick(&r, "old"));
    assert_false(cmp_rundir_is_yardstick(&r, "log"));
    cmp_rundir_free(&r);
    test_remove_dir(dir);
}

static void numbers_are_written_for_people(void **state)
{
    (void)state;
    cmp_number n;
    assert_string_equal(cmp_si(&n, 1234567), "1.23 M");
    assert_string_equal(cmp_si(&n, 999600), "1.00 M");
    assert_string_equal(cmp_si(&n, 200000), "200 k");
    assert_string_equal(cmp_ratio(&n, 1.125), "1.12");
    assert_string_equal(cmp_ratio(&n, 0), "0.00");
    assert_string_equal(cmp_ratio(&n, 0.0012), "0.001");
    assert_string_equal(cmp_ratio(&n, 14.19), "14.2");
    assert_string_equal(cmp_bytes(&n, 67108864), "64 MiB");
    assert_string_equal(cmp_duration(&n, 850), "850 ns");
    assert_string_equal(cmp_duration(&n, 1200), "1.20 \302\265s");
    assert_string_equal(cmp_count(&n, 117659), "117,659");
    assert_string_equal(cmp_count(&n, 999), "999");
}

static void hostile_text_is_escaped_for_each_language(void **state)
{
    (void)state;
    kv_buf to = {0};
    cmp_html(&to, "<a b='\"&\001");
    assert_slice(kv_buf_slice(&to), "&lt;a b=&#39;&quot;&amp;\\x01");
    kv_buf_clear(&to);
    cmp_quoted(&to, "it's 5 \n");
    assert_slice(kv_buf_slice(&to), "'it''s 5 %0A'");
    kv_buf_clear(&to);
    cmp_quoted_tic(&to, "5 %s");
    assert_slice(kv_buf_slice(&to), "'5 %%s'");
    kv_buf_free(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_files_are_named_with_their_line),
        cmocka_unit_test(medians_are_over_repetitions_and_skip_what_is_unknown),
        cmocka_unit_test(numbers_are_written_for_people),
        cmocka_unit_test(hostile_text_is_escaped_for_each_language),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
