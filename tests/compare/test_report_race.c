// test_report_race.c -- a first place is told with the field it was won in, and
// a panel names nobody who was not asked to run.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "compare/charts/chart.h"
#include "compare/report/answer.h"
#include "compare/report/race.h"
#include "tests/support/test.h"

static void put(const char *dir, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    test_write_file(path, kv_str(text));
}

static void overlapping_repetitions_are_a_tie(void **state)
{
    (void)state;
    char *dir = test_make_dir();
    put(dir, "manifest.tsv",
        "key\tvalue\nengines\thash log old\nbytes.hash\tnone\n");
    put(dir, "measures.tsv",
        "engine\tworkload\tphase\trep\tmeasure\tvalue\n"
        "hash\tfill\trun\t1\tops_per_s\t3000000\n"
        "log\tfill\trun\t1\tops_per_s\t1000000\n"
        "log\tfill\trun\t2\tops_per_s\t1200000\n"
        "log\tfill\trun\t3\tops_per_s\t1100000\n"
        "old\tfill\trun\t1\tops_per_s\t500000\n"
        "old\tfill\trun\t2\tops_per_s\t550000\n"
        "log\tread\trun\t1\tops_per_s\t400000\n"
        "old\tread\trun\t1\tops_per_s\t390000\n"
        "old\tread\trun\t2\tops_per_s\t410000\n");
    cmp_rundir r = {0};
    assert_ok(cmp_rundir_read(dir, &r));
    const cmp_contest disk = {"ops_per_s", false, true};
    const cmp_contest memory = {"ops_per_s", false, false};
    cmp_race fill = cmp_race_of(&r, "fill", disk);
    assert_string_equal(fill.winner, "log");
    assert_string_equal(fill.next, "old");
    assert_int_equal(fill.field.count, 2);
    assert_false(fill.is_tie);
    assert_true(fabs(fill.ahead - 1100.0 / 525) < 1e-9);
    // Where less is better, it is the other way round.
    const cmp_contest cost = {"ops_per_s", true, true};
    cmp_race least = cmp_race_of(&r, "fill", cost);
    assert_string_equal(least.winner, "old");
    assert_false(least.is_tie);
    assert_true(fabs(least.ahead - 1100.0 / 525) < 1e-9);
    cmp_race read = cmp_race_of(&r, "read", disk);
    assert_true(read.is_tie && cmp_race_same_field(&read, &fill));
    cmp_race alone = cmp_race_of(&r, "fill", memory);
    assert_string_equal(alone.winner, "hash");
    assert_null(alone.next);
    assert_false(cmp_race_same_field(&alone, &fill));
    assert_null(cmp_race_of(&r, "read", memory).winner);
    cmp_race_free(&fill);
    cmp_race_free(&least);
    cmp_race_free(&read);
    cmp_race_free(&alone);
    cmp_rundir_free(&r);
    test_remove_dir(dir);
}

// A guest that ran one workload of three.
static char *make_run_with_a_guest(void)
{
    char *dir = test_make_dir();
    put(dir, "manifest.tsv",
        "key\tvalue\nengines\tlog bt far\nworkloads\tfill w-read scan\n"
        "data\tw\n");
    put(dir, "measures.tsv",
        "engine\tworkload\tphase\trep\tmeasure\tvalue\n"
        "log\tfill\trun\t1\tops_per_s\t300\n"
        "bt\tfill\trun\t1\tops_per_s\t200\n"
        "far\tfill\trun\t1\tops_per_s\t600\n"
        "log\tw-read\trun\t1\tops_per_s\t200\n"
        "bt\tw-read\trun\t1\tops_per_s\t500\n"
        "log\tscan\trun\t1\tops_per_s\t100\n"
        "bt\tscan\trun\t1\tops_per_s\t300\n"
        "log\tfill\trun\t1\twa_total\t1\n"
        "bt\tfill\trun\t1\twa_total\t4\n"
        "log\tscan\trun\t1\twa_total\t1\n"
        "log\tfill\trun\t1\tra_io_hit\t1\n"
        "log\tscan\trun\t1\tra_io_hit\t1\n");
    return dir;
}

static void assert_in(const kv_buf *text, const char *words, bool wanted)
{
    kv_buf copy = {0};
    kv_buf_append(&copy, kv_buf_slice(text));
    kv_buf_append(&copy, kv_slice_of("", 1));
    bool has = strstr((char *)copy.data, words) != NULL;
    if (has != wanted) {
        fail_msg("%s '%s':\n%s", has ? "has" : "lacks", words,
                 (char *)copy.data);
    }
    kv_buf_free(&copy);
}

// It is not beaten in the other two.
static void a_win_is_told_with_whom_it_was_against(void **state)
{
    (void)state;
    char *dir = make_run_with_a_guest();
    cmp_rundir r = {0};
    kv_buf page = {0};
    assert_ok(cmp_rundir_read(dir, &r));
    cmp_answer_draw(&r, &page);
    assert_in(&page,
              "In fill, among log, bt and far: <b>far</b> was fastest, with "
              "2.00 times the rate of log.<br>In scan, among log and bt: "
              "<b>bt</b> was fastest, with 3.00 times the rate of log.",
              true);
    assert_in(&page, "In w-read, among log and bt: <b>bt</b> was", true);
    assert_in(&page,
              "In fill, among log and bt: <b>log</b> wrote least, against "
              "4.00 times as much by bt.",
              true);
    assert_in(&page, "log, of 3</small>", true);
    assert_in(&page, "log, of 2</small>", true);
    kv_buf_free(&page);
    cmp_rundir_free(&r);
    test_remove_dir(dir);
}

static cmp_figure figure_of(const cmp_rundir *r, const char *name)
{
    cmp_figure f = {0};
    size_t i = 0;
    while (strcmp(cmp_charts[i].name, name) != 0) i++;
    cmp_figure_make(&cmp_charts[i], r, &f);
    return f;
}

// Keys and rows name what is drawn there, and nobody who was not asked to run.
static void a_panel_names_only_who_took_part(void **state)
{
    (void)state;
    char *dir = make_run_with_a_guest();
    cmp_rundir r = {0};
    assert_ok(cmp_rundir_read(dir, &r));
    cmp_figure speed = figure_of(&r, "throughput");
    assert_in(&speed.script, "array Shown[2] = ['1 2 3', '1 2']", true);
    cmp_figure written = figure_of(&r, "wa_breakdown");
    assert_in(&written.data, "fill\tfar\t3\ttotal", true);
    assert_in(&written.data, "scan\tbt\t2\ttotal", true);
    assert_in(&written.data, "scan\tfar", false);
    assert_in(&written.script, "if (p == 2) { set yrange [2.6:0.4]; ", true);
    cmp_figure reads = figure_of(&r, "reads_by_class");
    assert_in(&reads.data, "hit, in fill\t3\tfar", true);
    assert_in(&reads.data, "hit, in scan\t2\tbt", true);
    assert_in(&reads.data, "hit, in scan\t3\tfar", false);
    cmp_figure_free(&speed);
    cmp_figure_free(&written);
    cmp_figure_free(&reads);
    cmp_rundir_free(&r);
    test_remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlapping_repetitions_are_a_tie),
        cmocka_unit_test(a_win_is_told_with_whom_it_was_against),
        cmocka_unit_test(a_panel_names_only_who_took_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
