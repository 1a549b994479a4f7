// test_dataset.c -- real records: files as they should be and as they are.
// SPDX-License-Identifier: MIT

#include "compare/dataset.h"
#include "compare/records.h"
#include "tests/support/test.h"

static char *dir, path[300];

static int make_dir(void **state)
{
    (void)state;
    dir = test_make_dir();
    snprintf(path, sizeof path, "%s/words.tsv", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    test_remove_dir(dir);
    return 0;
}

static void records_are_by_key_and_remember_the_file(void **state)
{
    (void)state;
    test_write_file(path, kv_str("dog\tbarks\ncat\tmeows\nemu\t\nant\tx y\n"));
    cmp_dataset d;
    assert_ok(cmp_dataset_read(&d, path));
    assert_int_equal(d.count, 4);
    assert_slice(d.key[0], "ant");
    assert_slice(d.value[0], "x y");
    assert_slice(d.key[3], "emu");
    assert_slice(d.value[3], "");
    static const uint32_t order[] = {2, 1, 3, 0};
    assert_memory_equal(d.order, order, sizeof order);
    assert_int_equal(d.key_bytes, 12);
    assert_int_equal(d.value_bytes, 13);
    cmp_dataset_free(&d);
}

static void escapes_are_undone(void **state)
{
    (void)state;
    test_write_file(path, kv_str("a\\tb\tline\\nline\n\\x00\\\\\t\\xff"));
    cmp_dataset d;
    assert_ok(cmp_dataset_read(&d, path));
    assert_int_equal(d.count, 2);
    assert_true(kv_slice_equal(d.key[0], kv_slice_of("\0\\", 2)));
    assert_true(kv_slice_equal(d.value[0], kv_slice_of("\xff", 1)));
    assert_slice(d.key[1], "a\tb");
    assert_slice(d.value[1], "line\nline");
    cmp_dataset_free(&d);
}

static void of_equal_keys_the_last_counts(void **state)
{
    (void)state;
    test_write_file(path, kv_str("k\t1\na\t2\nk\t3\nk\t4\nz\t5\n"));
    cmp_dataset d;
    assert_ok(cmp_dataset_read(&d, path));
    assert_int_equal(d.count, 3);
    assert_int_equal(d.repeated, 2);
    assert_slice(d.key[1], "k");
    assert_slice(d.value[1], "4");
    static const uint32_t order[] = {0, 1, 2};
    assert_memory_equal(d.order, order, sizeof order);
    cmp_dataset_free(&d);
}

static void nonsense_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "no records"},           {"a\t1\nb 2\n", "line 2: no tab"},
        {"a\t1\n\nb\t2\n", "line 2"}, {"\t1\n", "line 1: the key is empty"},
        {"a\t1\nb\t\\q\n", "line 2"}, {"a\t1\na\\x00\t2\n", "byte 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cmp_dataset d;
        test_write_file(path, kv_str(cases[i].text));
        assert_status(cmp_dataset_read(&d, path), KV_INVALID);
        print_message("%s\n", kv_last_error());
        assert_non_null(strstr(kv_last_error(), cases[i].says));
    }
    cmp_dataset d;
    assert_status(cmp_dataset_read(&d, "/not/there.tsv"), KV_IO);
}

// R1, of real and of made-up records.
static void check_order(const cmp_records *r)
{
    static uint8_t at[4][300];
    for (uint32_t place = 0; place + 1 < r->count; place++) {
        kv_slice key = cmp_records_key(r, place, at[0]);
        kv_slice absent = cmp_records_absent(r, place, at[1]);
        kv_slice next = cmp_records_key(r, place + 1, at[2]);
        assert_true(kv_slice_cmp(key, absent) < 0);
        assert_true(kv_slice_cmp(absent, next) < 0);
        assert_true(key.len <= cmp_records_key_max(r));
        assert_true(absent.len <= cmp_records_key_max(r));
    }
}

static void absent_keys_lie_between_present_ones(void **state)
{
    (void)state;
    test_write_file(path, kv_str("b\t1\nab\t2\na\t3\nabc\t4\nb!\t5\n"));
    cmp_dataset d;
    assert_ok(cmp_dataset_read(&d, path));
    cmp_records r;
    cmp_records_init(&r, (cmp_records){.count = d.count, .data = &d},
                     CMP_AS_FILED);
    check_order(&r);
    assert_int_equal(cmp_records_place(&r, 0), 3);
    cmp_records_free(&r);
    cmp_dataset_free(&d);
    cmp_records_init(
        &r,
        (cmp_records){
            .count = 12000, .key_bytes = 16, .value_bytes = 100, .seed = 3},
        CMP_SORTED);
    check_order(&r);
    cmp_records_free(&r);
}

static void versions_differ_and_come_back(void **state)
{
    (void)state;
    cmp_records r;
    cmp_records_init(
        &r,
        (cmp_records){
            .count = 100, .key_bytes = 8, .value_bytes = 40, .seed = 5},
        CMP_SHUFFLED);
    uint8_t a[40], b[40];
    for (uint32_t place = 0; place < 100; place++) {
        kv_slice one = cmp_records_value(&r, place, 1, a);
        kv_slice again = cmp_records_value(&r, place, 1, b);
        assert_true(kv_slice_equal(one, again));
        kv_slice two = cmp_records_value(&r, place, 2, b);
        assert_int_equal(two.len, 40);
        assert_true(cmp_fingerprint(one) != cmp_fingerprint(two));
        kv_slice other = cmp_records_value(&r, (place + 1) % 100, 1, b);
        assert_true(cmp_fingerprint(one) != cmp_fingerprint(other));
    }
    cmp_records_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_by_key_and_remember_the_file),
        cmocka_unit_test(escapes_are_undone),
        cmocka_unit_test(of_equal_keys_the_last_counts),
        cmocka_unit_test(nonsense_is_refused_with_its_line),
        cmocka_unit_test(absent_keys_lie_between_present_ones),
        cmocka_unit_test(versions_differ_and_come_back),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
