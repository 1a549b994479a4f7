// test_recordlog.c -- the record log: its bytes, its writer, its reader.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "common/disk_fault.h"
#include "common/disk_sim.h"
#include "common/recordlog.h"

#include "tests/support/test.h"

static const kv_why why = {KV_FOR_WAL, false};
static const kv_recordlog_id binary_id = {"DEMO", 1, 7, 0, KV_FRAMING_BINARY};
static const kv_recordlog_id text_id = {"DEMO", 1, 7, 120, KV_FRAMING_TEXT};

static kv_disk *open_sim(uint64_t capacity)
{
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_sim(&(kv_sim_options){.capacity = capacity}, &disk));
    return disk;
}

static kv_buf read_whole(kv_disk *disk, const char *name)
{
    kv_file *f = NULL;
    uint64_t size = 0;
    size_t got = 0;
    kv_buf bytes = {0};
    assert_ok(
        kv_file_open(disk, name, (kv_open_how){.mode = KV_OPEN_READ}, why, &f));
    assert_ok(kv_file_size(f, &size));
    kv_buf_reserve(&bytes, size);
    assert_ok(kv_file_read(f, 0, bytes.data, size, &got, why));
    bytes.len = got;
    kv_file_close(f);
    return bytes;
}

static void add(kv_recordlog *log, const char *payload, bool more)
{
    (void)kv_recordlog_add(log, kv_str(payload), more);
}

// ---- bytes ------------------------------------------------------------------

// The example of recordlog.h.
static void the_header_comment_tells_the_truth(void **state)
{
    (void)state;
    static const uint8_t want[] = {
        0x53, 0x43, 0x52, 0x4c, 0x4f, 0x47, 0x0d, 0x0a, 0x01, 0x00, 0x00,
        0x00, 0x44, 0x45, 0x4d, 0x4f, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x5f, 0x07, 0xd3, 0x5c,
        0x00, 0x00, 0x00, 0x00, 0x40, 0x1b, 0x12, 0x9b, 0x71, 0xbf, 0x42,
        0xe1, 0x34, 0x00, 0x00, 0x00, 0x06, 0x63, 0x61, 0x74, 0xd5, 0x1f,
        0x92, 0x4c, 0x40, 0x00, 0x00, 0x00, 0x00};
    kv_disk *disk = open_sim(0);
    kv_recordlog log = {0};
    assert_ok(kv_recordlog_create(&log, disk, "a", &binary_id, 0, why));
    add(&log, "cat", false);
    assert_ok(kv_recordlog_flush(&log, why));
    assert_ok(kv_recordlog_seal(&log, why));
    assert_ok(kv_recordlog_close(&log));
    kv_buf got = read_whole(disk, "a");
    assert_int_equal(got.len, sizeof want);
    assert_memory_equal(got.data, want, sizeof want);
    kv_buf_free(&got);
    kv_disk_close(disk);
}

// What was reserved (R8).
static void cut_zeroes(kv_buf *bytes)
{
    while (bytes->len > 0 && bytes->data[bytes->len - 1] == 0) bytes->len--;
}

static void a_text_log_reads_like_text(void **state)
{
    (void)state;
    kv_disk *disk = open_sim(0);
    kv_recordlog log = {0};
    assert_ok(kv_recordlog_create(&log, disk, "a", &text_id, 0, why));
    add(&log, "SET cat meow", true);
    add(&log, "SET dog  ~woof", false);
    assert_ok(kv_recordlog_flush(&log, why));
    assert_ok(kv_recordlog_close(&log));
    kv_buf got = read_whole(disk, "a");
    cut_zeroes(&got);
    assert_slice(kv_buf_slice(&got),
                 "# stagecoach log DEMO 1.0 store 0000000000000001 number 7 "
                 "previous 120 salt 5cd3075f ~92ead6a9\n"
                 "SET cat meow  ~05f469fa@0000005f+\n"
                 "SET dog  ~woof  ~ef29d5ae@0000005f\n");
    kv_buf_free(&got);
    kv_disk_close(disk);
}

static void headers_come_back(void **state)
{
    (void)state;
    kv_recordlog_id ids[] = {
        {"WAL ", UINT64_MAX, UINT64_MAX, UINT64_MAX, KV_FRAMING_BINARY},
        {"WAL ", UINT64_MAX, UINT64_MAX, UINT64_MAX, KV_FRAMING_TEXT},
        {"a b ", 0, 0, 0, KV_FRAMING_TEXT},
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        kv_buf bytes = {0};
        kv_recordlog_id got;
        size_t size = 0;
        kv_recordlog_encode_header(&ids[i], &bytes);
        assert_true(bytes.len <= KV_RECORDLOG_HEADER_MAX);
        assert_ok(
            kv_recordlog_decode_header(kv_buf_slice(&bytes), "f", &got, &size));
        assert_int_equal(size, bytes.len);
        assert_string_equal(got.kind, ids[i].kind);
        assert_true(got.number == ids[i].number);
        assert_true(got.store_id == ids[i].store_id);
        assert_true(got.previous_size == ids[i].previous_size);
        for (size_t bit = 0; bit < bytes.len * 8; bit++) {
            bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            kv_status st = kv_recordlog_decode_header(kv_buf_slice(&bytes), "f",
                                                      &got, &size);
            // A digit of the version, in text, is a newer program's log.
            assert_true(st == KV_CORRUPT || st == KV_UNSUPPORTED);
            bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        kv_buf_free(&bytes);
    }
}

static void records_come_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,    63,   64,    4095,   4096,
                                   8191, 8192, 70000, 1 << 21};
    kv_buf payload = {0};
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
        kv_recordlog_id id = i % 2 ? text_id : binary_id;
        kv_buf bytes = {0};
        kv_record got;
        kv_buf_clear(&payload);
        kv_buf_reserve(&payload, sizes[i / 2]);
        memset(payload.data, 'x', sizes[i / 2]);
        payload.len = sizes[i / 2];
        kv_record_encode(&bytes, &id, 1000, 999, true, kv_buf_slice(&payload));
        assert_true(bytes.len <= payload.len + KV_RECORD_OVERHEAD_MAX);
        size_t claim = kv_record_claim(kv_buf_slice(&bytes), &id, 1000);
        assert_int_equal(claim, bytes.len);
        kv_buf_append(&bytes, kv_str("more\n"));
        assert_true(kv_record_decode(kv_buf_slice(&bytes), &id, 1000, &got));
        assert_int_equal(got.size, bytes.len - 5);
        assert_true(kv_slice_equal(got.payload, kv_buf_slice(&payload)));
        assert_true(got.mark == 999 && got.more);
        // Not in another place, nor in another file, nor shorter.
        assert_false(kv_record_decode(kv_buf_slice(&bytes), &id, 1001, &got));
        id.number++;
        assert_false(kv_record_decode(kv_buf_slice(&bytes), &id, 1000, &got));
        id.number--;
        bytes.len -= 6;
        assert_false(kv_record_decode(kv_buf_slice(&bytes), &id, 1000, &got));
        kv_buf_free(&bytes);
    }
    kv_buf_free(&payload);
}

// ---- writing ----------------------------------------------------------------

static kv_status collect(void *arg, uint64_t offset, const kv_record *record)
{
    kv_buf *to = arg;
    kv_buf_printf(to, "%llu:", (unsigned long long)offset);
    kv_buf_append(to, record->payload);
    kv_buf_append(to, kv_str(record->more ? "+ " : " "));
    return KV_OK;
}

static void expect_records(kv_disk *disk, const char *name, const char *want,
                           kv_recovery *found)
{
    kv_file *f = NULL;
    kv_buf got = {0};
    assert_ok(
        kv_file_open(disk, name, (kv_open_how){.mode = KV_OPEN_READ}, why, &f));
    assert_ok(kv_recordlog_recover(f, NULL, collect, &got, why, found));
    assert_slice(kv_buf_slice(&got), want);
    kv_buf_free(&got);
    kv_file_close(f);
}

static void marks_follow_the_syncs(void **state)
{
    (void)state;
    kv_disk *disk = open_sim(0);
    kv_recordlog log = {0};
    kv_recovery found;
    assert_ok(kv_recordlog_create(&log, disk, "a", &binary_id, 0, why));
    assert_int_equal(kv_recordlog_end(&log), 52);
    add(&log, "one", false);
    assert_int_equal(kv_recordlog_end(&log), 64);
    assert_ok(kv_recordlog_flush(&log, why));
    add(&log, "two", true);
    add(&log, "three", false);
    assert_ok(kv_recordlog_flush(&log, why));
    expect_records(disk, "a", "52:one 64:two+ 76:three ", &found);
    assert_int_equal(found.durable_size, 52);
    assert_int_equal(found.good_size, 90);
    assert_int_equal(found.record_count, 3);
    assert_false(found.sealed);
    assert_ok(kv_recordlog_sync(&log, why));
    add(&log, "four", false);
    assert_ok(kv_recordlog_flush(&log, why));
    expect_records(disk, "a", "52:one 64:two+ 76:three 90:four ", &found);
    assert_int_equal(found.durable_size, 90);
    assert_ok(kv_recordlog_seal(&log, why));
    expect_records(disk, "a", "52:one 64:two+ 76:three 90:four ", &found);
    assert_true(found.sealed);
    assert_int_equal(found.good_size, found.file_size);
    assert_ok(kv_recordlog_close(&log));
    assert_ok(kv_recordlog_close(&log)); // a zeroed one is fine
    kv_disk_close(disk);
}

// R8: zeroes follow while the log is written, nothing does once it is closed.
static void space_is_reserved_ahead(void **state)
{
    (void)state;
    enum { BLOCK = 4096 };
    kv_disk *disk = open_sim(0);
    kv_recordlog log = {0};
    kv_recovery found;
    uint64_t size;
    assert_ok(kv_recordlog_create(&log, disk, "a", &binary_id, 0, why));
    add(&log, "x", false);
    assert_ok(kv_recordlog_flush(&log, why));
    assert_ok(kv_file_size(log.file, &size));
    assert_int_equal(size, BLOCK);
    while (kv_recordlog_end(&log) <= BLOCK) {
        assert_ok(
            kv_recordlog_recover(log.file, NULL, NULL, NULL, why, &found));
        assert_int_equal(found.file_size, BLOCK);
        assert_int_equal(found.torn_bytes, 0);
        add(&log, "a record like any other", false);
        if (kv_recordlog_end(&log) <= BLOCK) {
            assert_ok(kv_recordlog_flush(&log, why));
        }
    }
    assert_ok(kv_recordlog_flush(&log, why));
    assert_ok(kv_file_size(log.file, &size));
    assert_true(size > log.size && size <= log.size + log.size / 8 + BLOCK);
    assert_ok(kv_recordlog_seal(&log, why));
    assert_ok(kv_file_size(log.file, &size));
    assert_int_equal(size, log.size);
    assert_ok(kv_recordlog_close(&log));
    kv_disk_close(disk);
}

// What was reserved for the whole log is not reserved again bit by bit, and
// goes as the rest does; what cannot be had is no failure.
static void space_is_reserved_for_a_whole_log(void **state)
{
    (void)state;
    enum { WHOLE = 40000, RESERVED = 45056 }; // an eighth more, whole blocks
    kv_disk *disk = open_sim(RESERVED + 100);
    kv_recordlog log = {0}, other = {0};
    kv_recovery found;
    uint64_t size;
    assert_ok(kv_recordlog_create(&log, disk, "a", &binary_id, 0, why));
    kv_recordlog_reserve(&log, WHOLE, kv_for_background(KV_FOR_WAL));
    while (kv_recordlog_end(&log) < WHOLE) {
        add(&log, "a record like any other", false);
        assert_ok(kv_recordlog_flush(&log, why));
        assert_ok(kv_file_size(log.file, &size));
        assert_int_equal(size, RESERVED);
    }
    assert_ok(kv_recordlog_recover(log.file, NULL, NULL, NULL, why, &found));
    assert_int_equal(found.torn_bytes, 0);
    assert_ok(kv_recordlog_create(&other, disk, "b", &binary_id, 0, why));
    kv_recordlog_reserve(&other, WHOLE, why);
    add(&other, "x", false);
    assert_ok(kv_recordlog_flush(&other, why));
    assert_ok(kv_recordlog_seal(&other, why));
    assert_ok(kv_recordlog_close(&other));
    assert_ok(kv_recordlog_seal(&log, why));
    assert_ok(kv_file_size(log.file, &size));
    assert_int_equal(size, log.size);
    assert_ok(kv_recordlog_close(&log));
    kv_disk_close(disk);
}

static void a_full_disk_is_refused_cleanly(void **state)
{
    (void)state;
    kv_disk *disk = open_sim(52 + 13 + 6);
    kv_recordlog log = {0};
    kv_recovery found;
    assert_ok(kv_recordlog_create(&log, disk, "a", &binary_id, 0, why));
    add(&log, "fits", false);
    assert_ok(kv_recordlog_flush(&log, why));
    add(&log, "not", true);
    add(&log, "these", false);
    assert_status(kv_recordlog_flush(&log, why), KV_NO_SPACE);
    expect_records(disk, "a", "52:fits ", &found);
    assert_int_equal(found.good_size, found.file_size);
    kv_disk_sim_set_capacity(disk, 0);
    assert_ok(kv_recordlog_flush(&log, why)); // a retry
    kv_recordlog_drop_pending(&log);
    expect_records(disk, "a", "52:fits 65:not+ 77:these ", &found);
    assert_int_equal(found.durable_size, 52);
    assert_ok(kv_recordlog_close(&log));
    kv_disk_close(disk);
}

static void a_disk_that_fails_says_so(void **state)
{
    (void)state;
    kv_disk *disk = NULL;
    kv_recordlog log = {0};
    assert_ok(kv_disk_open_fault(open_sim(0), "wal:sync:1:EIO", &disk));
    assert_status(kv_recordlog_create(&log, disk, "a", &binary_id, 0, why),
                  KV_IO);
    assert_null(log.file);
    assert_ok(kv_recordlog_create(&log, disk, "b", &binary_id, 0, why));
    assert_ok(kv_disk_fault_set(disk, "wal:write:1:torn wal:read:1:EIO"));
    add(&log, "lost", false);
    assert_status(kv_recordlog_flush(&log, why), KV_IO);
    kv_recovery found = {0};
    kv_status st =
        kv_recordlog_recover(log.file, NULL, NULL, NULL, why, &found);
    assert_int_equal(st, KV_IO); // not "there is nothing"
    assert_ok(kv_recordlog_recover(log.file, NULL, NULL, NULL, why, &found));
    assert_int_equal(found.good_size, 52);
    assert_int_equal(found.torn_bytes, 5); // the sixth is a zero
    assert_ok(kv_recordlog_close(&log));
    kv_disk_close(disk);
}

// ---- reading ----------------------------------------------------------------

static kv_status stop_at_two(void *arg, uint64_t offset,
                             const kv_record *record)
{
    (void)offset, (void)record;
    return ++*(int *)arg == 2 ? KV_END : KV_OK;
}

static void recovery_knows_whose_log_it_reads(void **state)
{
    (void)state;
    kv_disk *disk = open_sim(0);
    kv_recordlog log = {0};
    kv_recovery found;
    assert_ok(kv_recordlog_create(&log, disk, "a", &binary_id, 0, why));
    for (int i = 0; i < 3; i++) add(&log, "x", false);
    assert_ok(kv_recordlog_flush(&log, why));
    kv_file *f = log.file;
    kv_recordlog_id expect = binary_id;
    assert_ok(kv_recordlog_recover(f, &expect, NULL, NULL, why, &found));
    expect.number++;
    assert_status(kv_recordlog_recover(f, &expect, NULL, NULL, why, &found),
                  KV_CORRUPT);
    expect = binary_id;
    expect.store_id++;
    assert_status(kv_recordlog_recover(f, &expect, NULL, NULL, why, &found),
                  KV_CORRUPT);
    expect = binary_id;
    expect.kind[0] = 'X';
    assert_status(kv_recordlog_recover(f, &expect, NULL, NULL, why, &found),
                  KV_CORRUPT);
    int seen = 0;
    kv_status st =
        kv_recordlog_recover(f, NULL, stop_at_two, &seen, why, &found);
    assert_int_equal(st, KV_END);
    kv_recordlog_id id;
    assert_ok(kv_recordlog_read_id(f, why, &id));
    assert_int_equal(id.number, 7);
    assert_ok(kv_recordlog_close(&log));
    kv_disk_close(disk);
}

static kv_status seal_meanwhile(void *arg, uint64_t offset,
                                const kv_record *record)
{
    (void)record;
    if (offset == KV_RECORDLOG_HEADER_BYTES) {
        assert_ok(kv_recordlog_seal(arg, why));
    }
    return KV_OK;
}

// The reserve goes away behind the reader's back, beyond its first window.
static void a_log_may_be_closed_while_it_is_read(void **state)
{
    (void)state;
    enum { RECORDS = 1500, RECORD = 1024 };
    static const uint8_t payload[RECORD] = {1};
    kv_disk *disk = open_sim(0);
    kv_recordlog log = {0};
    kv_recovery found;
    uint64_t size;
    assert_ok(kv_recordlog_create(&log, disk, "a", &binary_id, 0, why));
    for (int i = 0; i < RECORDS; i++) {
        (void)kv_recordlog_add(&log, kv_slice_of(payload, RECORD), false);
    }
    assert_ok(kv_recordlog_flush(&log, why));
    assert_ok(kv_recordlog_recover(log.file, NULL, seal_meanwhile, &log, why,
                                   &found));
    assert_int_equal(found.record_count, RECORDS);
    assert_true(found.sealed);
    assert_ok(kv_file_size(log.file, &size));
    assert_int_equal(found.file_size, size);
    assert_ok(kv_recordlog_close(&log));
    kv_disk_close(disk);
}

// Records of all sizes across the reader's window, a group larger than it.
static void large_records_and_groups_are_read(void **state)
{
    (void)state;
    for (int text = 0; text < 2; text++) {
        kv_disk *disk = open_sim(0);
        kv_recordlog log = {0};
        kv_recovery found;
        kv_buf payload = {0};
        assert_ok(kv_recordlog_create(&log, disk, "a",
                                      text ? &text_id : &binary_id, 0, why));
        kv_buf_reserve(&payload, 3 << 20);
        memset(payload.data, 'y', 3 << 20);
        for (size_t i = 0; i < 12; i++) {
            payload.len = i == 6 ? 3 << 20 : 300000 + i;
            (void)kv_recordlog_add(&log, kv_buf_slice(&payload),
                                   i % 6 < 5); // two groups
        }
        assert_ok(kv_recordlog_flush(&log, why));
        kv_file *f = log.file;
        assert_ok(kv_recordlog_recover(f, NULL, NULL, NULL, why, &found));
        assert_int_equal(found.record_count, 12);
        assert_int_equal(found.torn_bytes, 0);
        kv_buf_free(&payload);
        assert_ok(kv_recordlog_close(&log));
        kv_disk_close(disk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_comment_tells_the_truth),
        cmocka_unit_test(a_text_log_reads_like_text),
        cmocka_unit_test(headers_come_back),
        cmocka_unit_test(records_come_back),
        cmocka_unit_test(marks_follow_the_syncs),
        cmocka_unit_test(space_is_reserved_ahead),
        cmocka_unit_test(space_is_reserved_for_a_whole_log),
        cmocka_unit_test(a_full_disk_is_refused_cleanly),
        cmocka_unit_test(a_disk_that_fails_says_so),
        cmocka_unit_test(recovery_knows_whose_log_it_reads),
        cmocka_unit_test(a_log_may_be_closed_while_it_is_read),
        cmocka_unit_test(large_records_and_groups_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
