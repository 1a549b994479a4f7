// test_workload.c -- property files: YCSB's, ours, and broken ones.
// SPDX-License-Identifier: MIT

#include "compare/workload.h"
#include "tests/support/test.h"

static cmp_workload parse(const char *text)
{
    cmp_workload w;
    assert_ok(cmp_workload_parse(&w, "test", kv_str(text)));
    return w;
}

static void every_built_in_one_is_right(void **state)
{
    (void)state;
    const char *name;
    for (size_t i = 0; (name = cmp_workload_name(i)) != NULL; i++) {
        cmp_workload w;
        assert_ok(cmp_workload_find(&w, name));
        assert_string_equal(w.name, name);
        assert_true(w.about[0] != '\0');
    }
}

// The core workloads as YCSB defines them.
static void ycsb_is_ycsb(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double read, update, insert, scan, modify;
        cmp_pattern pattern;
    } core[] = {
        {"workloada", .50, .50, 0, 0, 0, CMP_YCSB_ZIPF},
        {"workloadb", .95, .05, 0, 0, 0, CMP_YCSB_ZIPF},
        {"workloadc", 1.0, 0, 0, 0, 0, CMP_YCSB_ZIPF},
        {"workloadd", .95, 0, .05, 0, 0, CMP_LATEST},
        {"workloade", 0, 0, .05, .95, 0, CMP_YCSB_ZIPF},
        {"workloadf", .50, 0, 0, 0, .50, CMP_YCSB_ZIPF},
    };
    for (size_t i = 0; i < sizeof core / sizeof *core; i++) {
        cmp_workload w;
        assert_ok(cmp_workload_find(&w, core[i].name));
        print_message("%s\n", w.name);
        assert_float_equal(w.share[CMP_READ], core[i].read, 1e-12);
        assert_float_equal(w.share[CMP_UPDATE], core[i].update, 1e-12);
        assert_float_equal(w.share[CMP_INSERT], core[i].insert, 1e-12);
        assert_float_equal(w.share[CMP_SCAN], core[i].scan, 1e-12);
        assert_float_equal(w.share[CMP_MODIFY], core[i].modify, 1e-12);
        assert_int_equal(w.pattern, core[i].pattern);
        assert_int_equal(w.order, CMP_SHUFFLED);
        if (core[i].scan > 0) {
            assert_int_equal(w.scan_min, 1);
            assert_int_equal(w.scan_max, 100);
        }
    }
}

// As they are found in the wild: blanks, carriage returns, properties that mean
// nothing to a key-value store, no newline at the end.
static void a_foreign_file_is_read(void **state)
{
    (void)state;
    cmp_workload w = parse("# a comment\r\n"
                           "recordcount=1000\r\n"
                           "operationcount = 1000\r\n"
                           "workload=site.example.CoreWorkload\r\n"
                           "\r\n"
                           "  readallfields=true\r\n"
                           "readproportion=0.6\r\n"
                           "updateproportion=0.2\r\n"
                           "requestdistribution=hotspot\r\n"
                           "hotspotdatafraction=0.1\r\n"
                           "hotspotopnfraction=0.7\r\n"
                           "insertorder=ordered");
    assert_float_equal(w.share[CMP_READ], 0.75, 1e-12);
    assert_float_equal(w.share[CMP_UPDATE], 0.25, 1e-12);
    assert_int_equal(w.pattern, CMP_HOTSPOT);
    assert_float_equal(w.hot_data, 0.1, 1e-12);
    assert_float_equal(w.hot_requests, 0.7, 1e-12);
    assert_int_equal(w.order, CMP_SORTED);
    assert_true(w.loads);
}

static void silence_means_what_ycsb_assumes(void **state)
{
    (void)state;
    cmp_workload w = parse("");
    assert_float_equal(w.share[CMP_READ], 0.95, 1e-12);
    assert_float_equal(w.share[CMP_UPDATE], 0.05, 1e-12);
    assert_int_equal(w.pattern, CMP_UNIFORM);
    assert_int_equal(w.scan_max, 1000);
}

static void nonsense_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        kv_status st;
        const char *says;
    } cases[] = {
        {"# fine\nreadproportion 0.5\n", KV_INVALID, "line 2"},
        {"=0.5\n", KV_INVALID, "line 1"},
        {"readproportion=\n", KV_INVALID, "number"},
        {"readproportion=half\n", KV_INVALID, "\"half\""},
        {"readproportion=0.5x\n", KV_INVALID, "0.5x"},
        {"readproportion=-0.5\n", KV_INVALID, "from 0 to 1"},
        {"readproportion=1.5\n", KV_INVALID, "from 0 to 1"},
        {"readproportion=nan\n", KV_INVALID, "nan"},
        {"readproportion=0\nupdateproportion=0\n", KV_INVALID, "no operation"},
        {"requestdistribution=exponential\n", KV_UNSUPPORTED, "exponential"},
        {"insertorder=sideways\n", KV_INVALID, "sideways"},
        {"minscanlength=9\nmaxscanlength=3\n", KV_INVALID, "minscanlength"},
        {"maxscanlength=0\n", KV_INVALID, "from 1"},
        {"maxscanlength=99999999\n", KV_INVALID, "to 1e+06"},
        {"kv.group=100000\n", KV_INVALID, "to 1024"},
        {"kv.group=4\nscanproportion=1\n", KV_UNSUPPORTED, "groups"},
        {"kv.load=none\n", KV_INVALID, "insert"},
        {"kv.nonsense=1\n", KV_INVALID, "kv.nonsense"},
        {"kv.scan=sideways\n", KV_INVALID, "sideways"},
        {"kv.sync=never\n", KV_INVALID, "never"},
        {"kv.valuesizes=pareto 1\n", KV_INVALID, "SHAPE SCALE"},
        {"kv.valuesizes=pareto 1 2 3\n", KV_INVALID, "SHAPE SCALE"},
        {"kv.keybytes=7\n", KV_INVALID, "from 8"},
        {"kv.zipf=0\n", KV_INVALID, "from 0.01"},
        {"kv.records=2\n", KV_INVALID, "to 1"},
        {"kv.purge=1.5\n", KV_INVALID, "to 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cmp_workload w;
        print_message("%s", cases[i].text);
        assert_status(cmp_workload_parse(&w, "test", kv_str(cases[i].text)),
                      cases[i].st);
        print_message("  %s\n", kv_last_error());
        assert_non_null(strstr(kv_last_error(), cases[i].says));
    }
}

static void binary_is_refused(void **state)
{
    (void)state;
    cmp_workload w;
    assert_status(cmp_workload_parse(&w, "test", kv_slice_of("a=\0b", 4)),
                  KV_INVALID);
    static char line[4000];
    memset(line, 'x', sizeof line - 1);
    assert_status(cmp_workload_parse(&w, "test", kv_str(line)), KV_INVALID);
}

static void a_typo_gets_the_nearest_name(void **state)
{
    (void)state;
    cmp_workload w;
    assert_status(cmp_workload_find(&w, "workloda"), KV_INVALID);
    assert_non_null(strstr(kv_last_error(), "\"workloada\""));
    assert_status(cmp_workload_find(&w, "./not/there"), KV_INVALID);
}

// db_bench's names, as its users write them.
static void hyphens_and_case_do_not_matter(void **state)
{
    (void)state;
    static const char *const names[] = {
        "fillseq",   "fillrandom",  "fillbatch",    "fillsync",
        "fill100K",  "overwrite",   "readrandom",   "readseq",
        "readhot",   "readmissing", "seekrandom",   "deleterandom",
        "deleteseq", "readreverse", "updaterandom", "readwhilewriting",
    };
    cmp_workload w;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        print_message("%s\n", names[i]);
        assert_ok(cmp_workload_find(&w, names[i]));
    }
    assert_ok(cmp_workload_find(&w, "fill100K"));
    assert_string_equal(w.name, "fill-100k");
    assert_int_equal(w.value_bytes, 100000);
    assert_false(w.is_default);
    assert_status(cmp_workload_find(&w, "fillseqq"), KV_INVALID);
    assert_status(cmp_workload_find(&w, "fill"), KV_INVALID);
}

static void our_own_properties_are_read(void **state)
{
    (void)state;
    cmp_workload w = parse("requestdistribution=zipf\nkv.zipf=1.21\n"
                           "kv.keybytes=20\nkv.valuebytes=273\n"
                           "kv.valuesizes=pareto 0.2615 25.45\n"
                           "kv.scan=all-reversed\nkv.sync=commit\n"
                           "kv.records=0.5\nkv.writers=2\nkv.default=no\n"
                           "kv.purge=0.8\n");
    assert_int_equal(w.pattern, CMP_ZIPF);
    assert_float_equal(w.zipf, 1.21, 1e-12);
    assert_int_equal(w.key_bytes, 20);
    assert_int_equal(w.value_bytes, 273);
    assert_float_equal(w.value_sizes.scale, 25.45, 1e-12);
    assert_int_equal(w.extent, CMP_ALL_REVERSED);
    assert_true(w.has_sync);
    assert_int_equal(w.sync, KV_SYNC_COMMIT);
    assert_float_equal(w.records, 0.5, 1e-12);
    assert_int_equal(w.writers, 2);
    assert_float_equal(w.purge, 0.8, 1e-12);
    assert_false(w.is_default);
    assert_true(parse("requestdistribution=ycsb-zipf").is_default);
}

// The mean of the published fit, as its authors' sizes have it: 35 to 37 bytes.
static void pareto_sizes_have_the_published_mean(void **state)
{
    (void)state;
    cmp_pareto p = {.shape = 0.2615, .scale = 25.45};
    double sum = 0;
    enum { STEPS = 100000 };
    for (int i = 0; i < STEPS; i++) {
        sum += cmp_pareto_of(p, (i + 0.5) / STEPS, 10, 1024);
    }
    assert_in_range((int)(sum / STEPS), 35, 37);
    assert_int_equal(cmp_pareto_of(p, 0, 10, 1024), 10);
    assert_int_equal(cmp_pareto_of(p, 1, 10, 1024), 1024);
}

static void a_path_is_a_workload(void **state)
{
    (void)state;
    char *dir = test_make_dir();
    char path[300];
    snprintf(path, sizeof path, "%s/mine", dir);
    test_write_file(path, kv_str("readproportion=0\nscanproportion=1\n"));
    cmp_workload w;
    assert_ok(cmp_workload_find(&w, path));
    assert_string_equal(w.name, "mine");
    test_remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_built_in_one_is_right),
        cmocka_unit_test(ycsb_is_ycsb),
        cmocka_unit_test(a_foreign_file_is_read),
        cmocka_unit_test(silence_means_what_ycsb_assumes),
        cmocka_unit_test(nonsense_is_refused_with_its_line),
        cmocka_unit_test(binary_is_refused),
        cmocka_unit_test(a_typo_gets_the_nearest_name),
        cmocka_unit_test(hyphens_and_case_do_not_matter),
        cmocka_unit_test(our_own_properties_are_read),
        cmocka_unit_test(pareto_sizes_have_the_published_mean),
        cmocka_unit_test(a_path_is_a_workload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
