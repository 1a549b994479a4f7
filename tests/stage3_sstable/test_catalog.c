// test_catalog.c -- the catalog: its bytes, and lines that make no sense.
// SPDX-License-Identifier: MIT

#include "common/recordlog.h"

#include "catalog.h"
#include "tests/support/test.h"

static const kv_why why = {KV_FOR_META, false};
enum { STORE = 1 };

typedef struct place {
    char *path, file[400];
    kv_disk *disk;
} place;

static place open_place(void)
{
    place p = {.path = test_make_dir()};
    snprintf(p.file, sizeof p.file, "%s/%s", p.path, sst_catalog_name);
    assert_ok(kv_disk_open_real(p.path, false, &p.disk));
    return p;
}

static void close_place(place *p)
{
    kv_disk_close(p->disk);
    test_remove_dir(p->path);
}

static void the_worked_example(void **state)
{
    (void)state;
    place p = open_place();
    sst_catalog c = {.is_text = false, .next = 12, .log = 11}, back = {0};
    sst_catalog_add(&c, 9, 4194417, false);
    sst_catalog_add(&c, 4, 8388720, true);
    assert_ok(sst_catalog_write(p.disk, STORE, &c, why));
    kv_buf bytes = test_read_file(p.file);
    assert_slice(kv_buf_slice(&bytes),
                 "# stagecoach log CATL 1.0 store 0000000000000001 number 0 "
                 "previous 0 salt c892b50e ~f7f4411b\n"
                 "format binary  ~e83893c2@0000005d\n"
                 "next 12  ~835ede9e@0000005d\n"
                 "log 11  ~76c86766@0000005d\n"
                 "segment 9 4194417  ~41a3aadc@0000005d\n"
                 "merged 4 8388720  ~b47bf972@0000005d\n"
                 "  ~3343c201@00000101\n");
    kv_buf_free(&bytes);
    assert_ok(sst_catalog_read(p.disk, STORE, &back));
    assert_int_equal(back.next, 12);
    assert_int_equal(back.log, 11);
    assert_int_equal(back.count, 2);
    assert_int_equal(back.segments[0].number, 9);
    assert_int_equal(back.segments[1].bytes, 8388720);
    assert_true(back.segments[1].is_merged && !back.segments[0].is_merged);
    assert_int_equal(back.closed.log, 0);
    sst_catalog_free(&back);
    c.closed = (sst_closed){11, 3301};
    assert_ok(sst_catalog_write(p.disk, STORE, &c, why));
    assert_ok(sst_catalog_read(p.disk, STORE, &back));
    assert_int_equal(back.closed.log, 11);
    assert_int_equal(back.closed.bytes, 3301);
    sst_catalog_free(&back);
    assert_status(sst_catalog_read(p.disk, STORE + 1, &back), KV_CORRUPT);
    sst_catalog_free(&c);
    close_place(&p);
}

// A catalog that has good checksums, and this as one of its lines.
static kv_status read_with(place *p, const char *line)
{
    kv_recordlog log = {0};
    kv_recordlog_id id = {
        .kind = "CATL", .store_id = STORE, .framing = KV_FRAMING_TEXT};
    sst_catalog c = {0};
    kv_status st = kv_disk_remove(p->disk, sst_catalog_name, why);
    assert_true(st == KV_OK || st == KV_NOT_FOUND);
    assert_ok(
        kv_recordlog_create(&log, p->disk, sst_catalog_name, &id, 0, why));
    kv_recordlog_add(&log, kv_str("format binary"), false);
    kv_recordlog_add(&log, kv_str(line), false);
    assert_ok(kv_recordlog_flush(&log, why));
    assert_ok(kv_recordlog_seal(&log, why));
    assert_ok(kv_recordlog_close(&log));
    st = sst_catalog_read(p->disk, STORE, &c);
    sst_catalog_free(&c);
    return st;
}

static void lines_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    place p = open_place();
    static const char *const lines[] = {
        "nonsense",  "format music", "next",       "next x",     "log ",
        "segment 9", "segment x 1",  "merged 4 x", "deleted 4 5"};
    assert_ok(read_with(&p, "next 12"));
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_status(read_with(&p, lines[i]), KV_CORRUPT);
        assert_non_null(strstr(kv_last_error(), "CATALOG: offset "));
        assert_non_null(strstr(kv_last_error(), lines[i]));
    }
    close_place(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example),
        cmocka_unit_test(lines_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
