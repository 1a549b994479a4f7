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
        cmocka_unit_test(a_path_is_a_workload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
