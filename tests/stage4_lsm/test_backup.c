// test_backup.c -- a copy made of hard links: it costs no data, is the store of
// its moment whatever becomes of the first, and both go on by themselves; where
// there can be no link it is a copy indeed.
// SPDX-License-Identifier: MIT

#include "common/disk_fault.h"
#include "common/rng.h"

#include "lsm.h"
#include "stores.h"
#include "tests/support/test.h"

enum { KEYS = 2000, VALUE_BYTES = 200 };

static kv *open_at(const char *path)
{
    kv *db = NULL;
    kv_options options = {.path = path,
                          .knobs = "background=0,compression=none,"
                                   "memtable_bytes=64KiB,table_bytes=64KiB",
                          .sync = KV_SYNC_NONE,
                          .create = true};
    assert_ok(kv_open(&lsm_engine, &options, &db));
    return db;
}

static void put_all(kv *db, uint64_t version)
{
    for (uint64_t n = 0; n < KEYS; n++) {
        char key[20], value[VALUE_BYTES];
        snprintf(key, sizeof key, "key%06llu", (unsigned long long)n);
        for (size_t i = 0; i < sizeof value; i++) {
            value[i] = (char)kv_mix64(n * VALUE_BYTES + i + version);
        }
        assert_ok(kv_put(db, kv_str(key), kv_slice_of(value, sizeof value)));
    }
}

// Every key is there, with the value of that version.
static void expect_all(kv *db, uint64_t version)
{
    kv_buf value = {0};
    kv_report report = {0};
    for (uint64_t n = 0; n < KEYS; n++) {
        char key[20];
        snprintf(key, sizeof key, "key%06llu", (unsigned long long)n);
        assert_ok(kv_get(db, kv_str(key), &value));
        assert_int_equal(value.len, VALUE_BYTES);
        for (size_t i = 0; i < value.len; i++) {
            assert_int_equal(value.data[i],
                             (uint8_t)kv_mix64(n * VALUE_BYTES + i + version));
        }
    }
    assert_ok(kv_check(db, &report));
    kv_report_free(&report);
    kv_buf_free(&value);
}

static void links_are_no_copies(void **state)
{
    (void)state;
    char *path = test_make_dir(), *parent = test_make_dir();
    char target[600];
    snprintf(target, sizeof target, "%s/copy", parent);
    kv *db = open_at(path);
    put_all(db, 1);
    assert_ok(kv_settle(db));
    uint64_t before = written_bytes(db);
    assert_ok(kv_backup(db, target));
    assert_true(written_bytes(db) - before < 32 << 10); // of 400 KB and more

    // All that was linked is rewritten, and goes from the first.
    put_all(db, 2);
    assert_ok(kv_compact(db, (kv_slice){0}, (kv_slice){0}));
    expect_all(db, 2);
    kv *copy = open_at(target);
    expect_all(copy, 1);
    put_all(copy, 3);
    assert_ok(kv_settle(copy));
    expect_all(copy, 3);
    expect_all(db, 2);
    assert_ok(kv_close(copy));
    assert_ok(kv_close(db));
    test_remove_dir(path);
    test_remove_dir(parent);
}

// What is in memory and in a log only is part of the moment as well.
static void the_memtable_is_in_it(void **state)
{
    (void)state;
    char *path = test_make_dir(), *parent = test_make_dir();
    char target[600];
    snprintf(target, sizeof target, "%s/copy", parent);
    kv *db = open_at(path);
    kv_buf value = {0};
    assert_ok(kv_put(db, kv_str("cat"), kv_str("meow")));
    assert_ok(kv_backup(db, target));
    assert_ok(kv_put(db, kv_str("dog"), kv_str("woof")));
    kv *copy = open_at(target);
    assert_ok(kv_get(copy, kv_str("cat"), &value));
    assert_slice(kv_buf_slice(&value), "meow");
    assert_status(kv_get(copy, kv_str("dog"), &value), KV_NOT_FOUND);
    assert_ok(kv_close(copy));
    assert_ok(kv_close(db));
    kv_buf_free(&value);
    test_remove_dir(path);
    test_remove_dir(parent);
}

// On another file system there can be no link: the same bytes are copied.
static void where_no_link_can_be_it_is_copied(void **state)
{
    (void)state;
    char *path = test_make_dir(), *parent = test_make_dir();
    char target[600];
    snprintf(target, sizeof target, "%s/copy", parent);
    kv_disk *real = NULL, *disk = NULL;
    assert_ok(kv_disk_open_real(path, true, &real));
    assert_ok(kv_disk_open_fault(real, "*:link:1+:EXDEV", &disk));
    kv *db = NULL;
    kv_options options = {.path = path,
                          .knobs = "background=0,compression=none",
                          .sync = KV_SYNC_NONE,
                          .create = true,
                          .disk = disk};
    assert_ok(kv_open(&lsm_engine, &options, &db));
    put_all(db, 1);
    assert_ok(kv_settle(db));
    uint64_t calls, met;
    assert_ok(kv_backup(db, target));
    kv_disk_fault_counts(disk, &calls, &met);
    assert_true(met > 0);
    kv *copy = open_at(target);
    expect_all(copy, 1);
    assert_ok(kv_close(copy));
    assert_ok(kv_close(db));
    kv_disk_close(disk);
    test_remove_dir(path);
    test_remove_dir(parent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_no_copies),
        cmocka_unit_test(the_memtable_is_in_it),
        cmocka_unit_test(where_no_link_can_be_it_is_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
