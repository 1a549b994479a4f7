// test_report_charts.c -- from a tiny run directory, every chart's table is
// the one computed by hand; pictures are there, or it is said why not.
// SPDX-License-Identifier: MIT

// setenv is POSIX: one test hides gnuplot.
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdlib.h>

#include "compare/charts/axis.h"
#include "compare/charts/looks.h"
#include "compare/report/palette.h"
#include "compare/report/report.h"
#include "tests/support/test.h"

static void put(const char *dir, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    test_write_file(path, kv_str(text));
}

// The whole file as a string; the caller frees it with free_text.
static kv_buf text_of(const char *dir, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    kv_buf text = test_read_file(path);
    kv_buf_append(&text, kv_slice_of("", 1));
    return text;
}

static void assert_file(const char *dir, const char *name, const char *want)
{
    kv_buf text = text_of(dir, name);
    assert_string_equal((char *)text.data, want);
    kv_buf_free(&text);
}

static void assert_has(const char *dir, const char *name, const char *words,
                       bool wanted)
{
    kv_buf text = text_of(dir, name);
    bool has = strstr((char *)text.data, words) != NULL;
    if (has != wanted) {
        fail_msg("%s %s '%s'", name, has ? "has" : "lacks", words);
    }
    kv_buf_free(&text);
}

static char *make_run(void)
{
    char *dir = test_make_dir();
    put(dir, "manifest.tsv",
        "key\tvalue\nengines\thash log old\nworkloads\tfill wordnet-read\n"
        "data\twordnet\nbytes.hash\tnone\nbytes.log\tcounted\n"
        "bytes.old\tmapped\nengine.old\tOld 1 (yardstick)\nrecords\t1000\n");
    put(dir, "measures.tsv",
        "engine\tworkload\tphase\trep\tmeasure\tvalue\n"
        "hash\tfill\trun\t1\tops_per_s\t3000000\n"
        "log\tfill\trun\t1\tops_per_s\t1000000\n"
        "log\tfill\trun\t2\tops_per_s\t1200000\n"
        "log\tfill\trun\t3\tops_per_s\t1100000\n"
        "old\tfill\trun\t1\tops_per_s\t500000\n"
        "old\tfill\trun\t2\tops_per_s\t550000\n"
        "log\twordnet-read\trun\t1\tops_per_s\t400000\n"
        "old\twordnet-read\trun\t1\tops_per_s\t390000\n"
        "old\twordnet-read\trun\t2\tops_per_s\t410000\n"
        "log\tfill\trun\t0\twa_total\t2\n"
        "log\tfill\trun\t0\twa_data\t1.25\n"
        "log\tfill\trun\t0\twa_compact\t0.7\n"
        "log\twordnet-read\trun\t0\tra_io_hit\t1\n"
        "log\tfill\trun\t0\tsa_peak\t3.5\n"
        "log\tfill\trun\t4\tlatency_p50_ns\t100\n"
        "log\tfill\trun\t4\tlatency_p999_ns\t1600\n");
    put(dir, "space.tsv",
        "engine\tworkload\trep\tuser_bytes\tdisk_bytes\tlive_bytes\n"
        "log\tfill\t0\t0\t0\t0\nlog\tfill\t0\t1000\t1200\t1000\n"
        "log\tfill\t0\t2000\t2400\t1000\nlog\tfill\t0\t3000\t1500\t1000\n"
        "log\tfill\t1\t9999\t9999\t1\n");
    put(dir, "latency.tsv",
        "engine\tworkload\top\tns\tcount\n"
        "log\tfill\tinsert\t400\t90\n"
        "log\tfill\tinsert\t100\t900\n"
        "log\tfill\tinsert\t1600\t10\n");
    put(dir, "claims.tsv",
        "claim\tverdict\ttext\tfirst\tsecond\tsetup\tx\ty\tcounted\t"
        "records\tseed\n"
        "C04\tconfirmed\tOne read.\tA\tB\tC\tfound, absent\treads\t1\t"
        "1000\t1\n"
        "C29\tconfirmed\tIt breaks.\tA\tB\tC\twhole, torn\tshare\t1\t"
        "1000\t1\n"
        "C15\tdepends\tHopeless.\tA\tB\tC\tflushes\tratio\t1\t1000\t"
        "1\n");
    put(dir, "points.tsv",
        "claim\tseries\tx\ty\ttheory\n"
        "C04\tfound\t0\t1\t1\nC04\tabsent\t1\t0\t0\n"
        "C15\tall\t1\t2\t2.5\nC15\tfew\t1\t2\tNA\n"
        "C15\tall\t10\t6.5\t6.5\n"
        "C29\tno log\t0\t0.05\tNA\nC29\tno log\t1\t0.125\tNA\n"
        "C29\tcopies\t0\t0\tNA\n");
    put(dir, "void.tsv",
        "engine\tworkload\trep\treason\n"
        "old\tfill\t3\twrong: found a <deleted> key\n"
        "far\t*\tNA\tabsent: install libfar-dev\n");
    return dir;
}

static const char *const charts[] = {
    "throughput",    "wa_breakdown",   "reads_by_class",
    "sa_vs_time",    "latency_ccdf",   "naive_quadratic",
    "claim_figures", "theory_scatter", "crash_matrix"};
enum { CHARTS = sizeof charts / sizeof *charts };

static bool have_gnuplot(void)
{
    return system("gnuplot --version >/dev/null 2>&1") == 0;
}

static void tables_equal_what_was_computed_by_hand(void **state)
{
    (void)state;
    char *dir = make_run();
    kv_status st = cmp_report_write(dir);
    assert_true(st == KV_OK || (st == KV_UNSUPPORTED && !have_gnuplot()));
    assert_file(dir, "throughput.tsv",
                "data\tworkload\trow\tengine\tmedian\tmin\tmax\trepetitions\n"
                "generated records\tfill\t1\thash\t3e+06\t3e+06\t3e+06\t1\n"
                "generated records\tfill\t1\tlog\t1.1e+06\t1e+06\t1.2e+06\t3\n"
                "generated records\tfill\t1\told\t525000\t500000\t550000\t2\n"
                "wordnet\tread\t1\tlog\t400000\t400000\t400000\t1\n"
                "wordnet\tread\t1\told\t400000\t390000\t410000\t2\n");
    assert_file(dir, "wa_breakdown.tsv",
                "workload\tengine\trow\treason\tfrom\tto\tmin\tmax\tlabel_at\t"
                "label\n"
                "fill\tlog\t1\tdata\t0\t1.25\tNA\tNA\tNA\tNA\n"
                "fill\tlog\t1\tmerge\t1.25\t1.95\tNA\tNA\tNA\tNA\n"
                "fill\tlog\t1\tother\t1.95\t2\tNA\tNA\tNA\tNA\n"
                "fill\tlog\t1\ttotal\t0\t2\t2\t2\t2\t2.00\n"
                "fill\told\t2\ttotal\tNA\tNA\tNA\tNA\t0\tn/a\n");
    assert_file(dir, "reads_by_class.tsv",
                "class\trow\tengine\tmedian\tmin\tmax\tlabel_at\tlabel\n"
                "hit, in wordnet-read\t1\tlog\t1\t1\t1\t1\t1.00\n"
                "hit, in wordnet-read\t2\told\tNA\tNA\tNA\t0\tn/a\n");
    assert_file(dir, "sa_vs_time.tsv",
                "workload\tengine\tkind\tuser_bytes\tratio\n"
                "fill\tlog\tsample\t0\tNA\nfill\tlog\tsample\t1000\t1.2\n"
                "fill\tlog\tsample\t2000\t2.4\nfill\tlog\tsample\t3000\t1.5\n"
                "fill\tlog\tpeak\t2000\t3.5\n");
    assert_file(dir, "latency_ccdf.tsv",
                "calls\tengine\tns\tslower\n"
                "fill: insert\tlog\t100\t0.1\n"
                "fill: insert\tlog\t400\t0.01\n"
                "fill: insert\tlog\t1600\t0.0005\n");
    assert_file(dir, "naive_quadratic.tsv",
                "claim\tseries\tx\ty\ttheory\n"
                "C15\tall\t1\t2\t2.5\nC15\tall\t10\t6.5\t6.5\n"
                "C15\tfew\t1\t2\tNA\n");
    assert_file(dir, "claim_figures.tsv",
                "claim\tseries\tx\ty\ttheory\n"
                "C04\tfound\t0\t1\t1\nC04\tabsent\t1\t0\t0\n");
    assert_file(dir, "theory_scatter.tsv",
                "claim\tseries\texpected\tmeasured\tkind\n"
                "C04\tfound\t1\t1\t6\nC15\tall\t2.5\t2\t6\n"
                "C15\tall\t6.5\t6.5\t6\n");
    assert_file(dir, "crash_matrix.tsv",
                "way\tpages\tcolumn\trow\tbroken\tlabel\n"
                "no log\twhole\t0\t1\t0.05\t5 %\n"
                "no log\ttorn\t1\t1\t0.125\t12.5 %\n"
                "copies\twhole\t0\t2\t0\t0 %\n");
    test_remove_dir(dir);
}

static void pictures_and_page_are_there(void **state)
{
    (void)state;
    if (!have_gnuplot()) skip();
    char *dir = make_run();
    assert_ok(cmp_report_write(dir));
    assert_ok(cmp_report_png(dir));
    FILE *said = tmpfile();
    assert_ok(cmp_report_text(dir, said));
    assert_true(ftell(said) > 1000);
    fclose(said);
    assert_has(dir, "naive_quadratic.txt", "Rewriting sorted", true);
    for (size_t i = 0; i < CHARTS; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.svg", charts[i]);
        assert_has(dir, name, "</svg>", true);
        snprintf(name, sizeof name, "%s.narrow.svg", charts[i]);
        assert_has(dir, name, "</svg>", true);
        snprintf(name, sizeof name, "%s.png", charts[i]);
        kv_buf png = text_of(dir, name);
        assert_memory_equal(png.data, "\211PNG", 4);
        kv_buf_free(&png);
        snprintf(name, sizeof name, "id=\"%s\"", charts[i]);
        assert_has(dir, "index.html", name, true);
    }
    assert_has(dir, "index.html", "1 figure is void", true);
    assert_has(dir, "index.html", "found a &lt;deleted&gt; key", true);
    assert_has(dir, "index.html", "install libfar-dev", true);
    assert_has(dir, "index.html", "a tie with", true);
    assert_has(dir, "index.html", "one call in a thousand took 16.0 times",
               true);
    assert_has(dir, "index.html", "2 of 3 figures are within 15 %", true);
    assert_has(dir, "index.html", "C15: 1 outside, at worst -20 %", true);
    assert_has(dir, "index.html", "all 2.00 at 1, 6.50 at 10", true);
    assert_has(dir, "index.html", "by some crashes: no log (5 %, 12.5 %).",
               true);
    assert_has(dir, "index.html", "Broken by none: copies.", true);
    // Without data there is a sentence, and no picture.
    assert_has(dir, "index.html", "<code>compare claims C18</code>", true);
    assert_has(dir, "index.html", "id=\"ra_miss_bloom\"", false);
    assert_has(dir, "index.html", "index.html.part", false);
    test_remove_dir(dir);
}

static void without_gnuplot_all_but_the_pictures_is_written(void **state)
{
    (void)state;
    char *dir = make_run();
    const char *path = getenv("PATH");
    char saved[4096];
    snprintf(saved, sizeof saved, "%s", path != NULL ? path : "");
    setenv("PATH", dir, 1);
    kv_status st = cmp_report_write(dir);
    setenv("PATH", saved, 1);
    assert_int_equal(st, KV_UNSUPPORTED);
    assert_non_null(strstr(kv_last_error(), "apt-get install gnuplot-nox"));
    assert_has(dir, "index.html", "No picture: gnuplot is not installed", true);
    assert_has(dir, "throughput.tsv", "wordnet", true);
    assert_has(dir, "throughput.gp", "load 'style.gp'", true);
    test_remove_dir(dir);
}

static void hostile_names_stay_names(void **state)
{
    (void)state;
    if (!have_gnuplot()) skip();
    char *dir = test_make_dir();
    put(dir, "manifest.tsv", "key\tvalue\nrecords\t<b>many</b>\n");
    put(dir, "measures.tsv",
        "engine\tworkload\tphase\trep\tmeasure\tvalue\n"
        "a_b'<i>&\"\\%d`\tw_x'; system('touch owned') #<s>\trun\t1\tops_per_s\t"
        "5\n"
        "a_b'<i>&\"\\%d`\tw_x'; system('touch owned') #<s>\trun\t1\twa_total\t"
        "2\n"
        "a_b'<i>&\"\\%d`\tw_x'; system('touch owned') #<s>\trun\t1\tra_io_hit\t"
        "2\n");
    assert_ok(cmp_report_write(dir));
    assert_has(dir, "index.html", "<i>&", false);
    assert_has(dir, "index.html", "<b>many", false);
    assert_has(dir, "index.html", "a_b&#39;&lt;i&gt;&amp;&quot;\\%d`", true);
    assert_has(dir, "wa_breakdown.svg", "a_b", true);
    assert_has(dir, "wa_breakdown.svg", "%d`", true);
    assert_has(dir, "wa_breakdown.svg", "<i>", false);
    char owned[512];
    snprintf(owned, sizeof owned, "%s/owned", dir);
    assert_null(fopen(owned, "rb"));
    test_remove_dir(dir);
}

// palette.c and style.gp say the same of every engine.
static void the_style_file_has_the_colours_of_the_palette(void **state)
{
    (void)state;
    static const char *const names[] = {"hash",    "log",   "sst",     "lsm",
                                        "bt",      "tkrzw", "kyoto",   "glib",
                                        "leveldb", "lmdb",  "rocksdb", "mine"};
    cmp_rundir r = {0};
    kv_buf style = test_read_file(STYLE_FILE);
    kv_buf_append(&style, kv_slice_of("", 1));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cmp_look look = cmp_look_of(&r, names[i]);
        char line[64];
        snprintf(line, sizeof line, "set linetype %d lc rgb '%s'",
                 look.linetype, look.colour);
        if (strstr((char *)style.data, line) == NULL) {
            fail_msg("style.gp lacks: %s", line);
        }
        assert_int_equal(look.is_hollow, i >= 5 && i < 11);
    }
    kv_buf_free(&style);
}

static void labels_keep_their_distance_and_their_order(void **state)
{
    (void)state;
    double at[] = {1.0, 5.0, 1.01, 1.02};
    cmp_spread_out(at, 4, 0.5);
    assert_true(at[0] < at[2] && at[2] < at[3] && at[3] < at[1]);
    assert_true(at[2] - at[0] > 0.49 && at[3] - at[2] > 0.49);
    assert_true(fabs(at[1] - 5) < 1e-9);
    cmp_spread_above(at, 4, 0.5, 2);
    assert_true(fabs(at[0] - 2) < 1e-9 && fabs(at[2] - 2.5) < 1e-9);
    assert_true(fabs(at[3] - 3) < 1e-9 && fabs(at[1] - 5) < 1e-9);
    assert_true(fabs(cmp_axis_step(7, 5) - 2) < 1e-9);
    assert_true(fabs(cmp_axis_step(0.9, 5) - 0.2) < 1e-9);
}

// Beside their points: on each other, alone, too low.
static void names_lie_on_nothing(void **state)
{
    (void)state;
    cmp_name n[] = {cmp_name_beside("first", 0.1, 0.5),
                    cmp_name_beside("second", 0.15, 0.5),
                    cmp_name_beside("third", 0.95, 0.5),
                    cmp_name_beside("fourth", 0.1, 0)};
    assert_true(n[0].x > 0.1 && n[2].x < 0.95);
    cmp_place_names(n, 4, 0.1, 0.05);
    assert_true(fabs(n[1].y - 0.5) < 1e-9 && fabs(n[2].y - 0.5) < 1e-9);
    assert_true(fabs(n[3].y - 0.05) < 1e-9);
    // The second's point is where the first's name would be.
    assert_true(fabs(n[0].y - 0.5) > 0.09);
    cmp_name above = cmp_name_above("name", 0.5, 0.5);
    cmp_place_names(&above, 1, 0.1, 0.05);
    assert_true(fabs(above.y - 0.56) < 0.051 && fabs(above.y - 0.5) > 0.059);
}

// The names of lines stand at the right edge, so the lines end there too.
static void a_tight_axis_ends_beside_its_values(void **state)
{
    (void)state;
    const struct {
        cmp_axis axis;
        double max;
    } cases[] = {{{.min = 0, .max = 15}, 20},
                 {{.min = 0, .max = 15, .is_tight = true}, 15.6},
                 {{.min = 1, .max = 1100, .is_log = true}, 2000},
                 {{.min = 1, .max = 1e4, .is_log = true, .is_tight = true},
                  1e4 * pow(1e4, 0.05)}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cmp_figure f = {0};
        cmp_axis a = cases[i].axis;
        cmp_axis_script(&f, 'x', &a);
        assert_true(fabs(a.max / cases[i].max - 1) < 1e-9);
        cmp_figure_free(&f);
    }
}

// What cannot be told by colour can by the point (L1).
static void variants_of_an_engine_look_different(void **state)
{
    (void)state;
    cmp_rundir r = {0};
    cmp_list names = {0};
    static const char *const lines[] = {
        "B-tree",      "LSM-tree, a", "LSM-tree, b",
        "no index",    "LSM-tree: c", "LSM-tree, d",
        "LSM-tree, e", "LSM-tree, f", "LSM-tree, g"};
    enum { LINES = sizeof lines / sizeof *lines };
    cmp_line_look looks[LINES];
    for (size_t i = 0; i < LINES; i++) {
        cmp_list_add(&names, lines[i]);
        looks[i] = cmp_look_among(&r, &names, i);
    }
    assert_int_equal(looks[0].linetype, 6);
    assert_int_equal(looks[1].linetype, 4);
    assert_string_equal(looks[1].mark, "");
    assert_int_equal(cmp_linetype_named(&r, "no index"), 0);
    assert_true(looks[3].linetype > 20);
    for (size_t i = 1; i < LINES; i++) {
        for (size_t k = 1; k < i; k++) {
            bool is_alike = looks[i].linetype == looks[k].linetype &&
                            strcmp(looks[i].mark, looks[k].mark) == 0;
            assert_false(is_alike);
        }
    }
    cmp_list_free(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_equal_what_was_computed_by_hand),
        cmocka_unit_test(pictures_and_page_are_there),
        cmocka_unit_test(without_gnuplot_all_but_the_pictures_is_written),
        cmocka_unit_test(hostile_names_stay_names),
        cmocka_unit_test(the_style_file_has_the_colours_of_the_palette),
        cmocka_unit_test(labels_keep_their_distance_and_their_order),
        cmocka_unit_test(names_lie_on_nothing),
        cmocka_unit_test(a_tight_axis_ends_beside_its_values),
        cmocka_unit_test(variants_of_an_engine_look_different),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
