// test_wal.c -- write-ahead logs come, follow each other and go: L1 to L5 on a
// disk that says what was done, or fails.
// SPDX-License-Identifier: MIT

#include "common/disk_fault.h"
#include "common/disk_sim.h"
#include "common/disk_trace.h"

#include "tests/support/test.h"
#include "wal.h"

enum { STORE = 1 };

static const kv_why why = {KV_FOR_READ, false};

// A trace over a disk of rules over one in memory.
typedef struct bench {
    kv_disk *fault, *disk;
    kv_buf said; // a line for each sync and each removal
    lsm_wal wal;
    lsm_closed closed;
    _Atomic uint64_t next;
} bench;

static void note(void *arg, const kv_trace_event *event)
{
    bench *b = arg;
    if (event->kind == KV_TRACE_SYNC || event->kind == KV_TRACE_REMOVE) {
        kv_buf_printf(&b->said, "%s %s\n", kv_trace_word(event->kind),
                      event->name);
    }
}

static void bench_open(bench *b)
{
    kv_disk *sim = NULL;
    memset(b, 0, sizeof *b);
    b->next = 1;
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &sim));
    assert_ok(kv_disk_open_fault(sim, "", &b->fault));
    assert_ok(kv_disk_open_trace(b->fault, note, b, &b->disk));
    lsm_wal_open(&b->wal, b->disk, STORE, false);
}

static void bench_close(bench *b)
{
    kv_disk_close(b->disk);
    kv_buf_free(&b->said);
}

static void expect_said(bench *b, const char *wanted)
{
    assert_slice(kv_buf_slice(&b->said), wanted);
    kv_buf_clear(&b->said);
}

static void next_log(bench *b)
{
    assert_ok(lsm_wal_prepare(&b->wal, &b->next, false));
    lsm_wal_switch(&b->wal);
    kv_buf_clear(&b->said);
}

static kv_status put(bench *b, const char *key, bool syncs)
{
    kv_change change = {KV_PUT, kv_str(key), kv_str("value")};
    kv_commit_entry entry = {&change, 1};
    return lsm_wal_write(&b->wal, &entry, 1, syncs);
}

// What a log holds when it is recovered: "key " for each change, "<7 " for a
// switch from log 7, "+" behind a record whose group goes on; "." if sealed.
static kv_status tell_record(void *arg, uint64_t offset,
                             const kv_record *record)
{
    kv_buf *text = arg;
    lsm_switch before;
    (void)offset;
    if (lsm_get_switch(record->payload, &before)) {
        kv_buf_printf(text, "<%llu:%llu:%llu ",
                      (unsigned long long)before.number,
                      (unsigned long long)before.size,
                      (unsigned long long)before.synced_size);
        return KV_OK;
    }
    for (size_t at = 0; at < record->payload.len;) {
        kv_change change;
        kv_slice rest =
            kv_slice_of(record->payload.data + at, record->payload.len - at);
        size_t size = lsm_get_change(rest, &change);
        assert_true(size > 0);
        kv_buf_printf(text, "%.*s%s", (int)change.key.len,
                      (const char *)change.key.data, record->more ? "+" : " ");
        at += size;
    }
    return KV_OK;
}

static void expect_log(bench *b, uint64_t number, const char *wanted)
{
    kv_file *f = NULL;
    kv_recovery found;
    kv_buf text = {0};
    kv_recordlog_id id = lsm_log_id(STORE, number);
    assert_ok(kv_file_open(b->disk, lsm_log_name(number).text,
                           (kv_open_how){.mode = KV_OPEN_READ}, why, &f));
    assert_ok(kv_recordlog_recover(f, &id, tell_record, &text, why, &found));
    if (found.sealed) kv_buf_append(&text, kv_str("."));
    assert_slice(kv_buf_slice(&text), wanted);
    kv_buf_free(&text);
    kv_file_close(f);
}

static bool exists(bench *b, uint64_t number)
{
    kv_file *f = NULL;
    kv_status st = kv_file_open(b->disk, lsm_log_name(number).text,
                                (kv_open_how){.mode = KV_OPEN_READ}, why, &f);
    if (st == KV_OK) kv_file_close(f);
    return st == KV_OK;
}

// ---- logs come and go -------------------------------------------------------

static void a_log_says_what_it_follows(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    next_log(&b);
    assert_ok(put(&b, "cat", false));
    next_log(&b);
    next_log(&b); // a log into which nothing was written
    assert_ok(put(&b, "dog", false));
    expect_log(&b, 1, "cat ");
    expect_log(&b, 2, "");
    // Log 2 ends behind its header, and that was synced.
    expect_log(&b, 3, "<2:52:52 dog ");
    assert_ok(lsm_wal_close(&b.wal, true, &b.closed));
    expect_log(&b, 1, "cat .");
    expect_log(&b, 2, ".");
    expect_log(&b, 3, "<2:52:52 dog .");
    bench_close(&b);
}

static void a_clean_close_says_where_the_logs_end(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    next_log(&b);
    assert_ok(put(&b, "cat", false));
    next_log(&b);
    assert_ok(lsm_wal_close(&b.wal, true, &b.closed));
    expect_log(&b, 1, "cat .");
    expect_log(&b, 2, "<1:72:52 ."); // L5
    assert_int_equal(b.closed.log, 2);
    assert_int_equal(b.closed.bytes, 74);
    bench_close(&b);
    bench_open(&b);
    next_log(&b);
    assert_ok(lsm_wal_close(&b.wal, true, &b.closed));
    expect_log(&b, 1, ".");
    assert_int_equal(b.closed.log, 0); // there is nothing to lose
    bench_close(&b);
}

static void one_spare_is_made_and_thrown_away(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    assert_false(lsm_wal_has_spare(&b.wal));
    assert_ok(lsm_wal_prepare(&b.wal, &b.next, false));
    assert_ok(lsm_wal_prepare(&b.wal, &b.next, false));
    assert_true(lsm_wal_has_spare(&b.wal));
    assert_int_equal(b.next, 2);
    expect_said(&b, "sync 000001.log\n"); // before anything is written to it
    lsm_wal_switch(&b.wal);
    assert_ok(lsm_wal_prepare(&b.wal, &b.next, false));
    assert_true(exists(&b, 2));
    assert_ok(lsm_wal_close(&b.wal, true, &b.closed));
    assert_true(exists(&b, 1));
    assert_false(exists(&b, 2));
    bench_close(&b);
}

// So that no writer waits for it; one that needs a log now gets it as it is.
static void a_spare_has_the_space_that_the_last_log_needed(void **state)
{
    enum { PUTS = 200, HEADER = 52, BLOCK = 4096 };
    (void)state;
    for (int background = 0; background < 2; background++) {
        bench b;
        bench_open(&b);
        next_log(&b);
        for (int i = 0; i < PUTS; i++) assert_ok(put(&b, "key", false));
        uint64_t size, needed = b.wal.active.size;
        next_log(&b);
        assert_ok(lsm_wal_prepare(&b.wal, &b.next, background));
        assert_ok(kv_file_size(b.wal.spare.file, &size));
        if (!background) assert_int_equal(size, HEADER);
        else assert_in_range(size, needed, needed + needed / 8 + BLOCK);
        assert_ok(lsm_wal_close(&b.wal, true, &b.closed));
        bench_close(&b);
    }
}

// A flush that finds the disk full must not be kept from its room by space that
// nobody uses yet.
static void a_full_disk_gets_the_spare_s_space_back(void **state)
{
    enum { PUTS = 200, HEADER = 52 };
    (void)state;
    bench b;
    uint64_t size;
    bench_open(&b);
    lsm_wal_yield_space(&b.wal); // there is none
    next_log(&b);
    for (int i = 0; i < PUTS; i++) assert_ok(put(&b, "key", false));
    next_log(&b);
    assert_ok(lsm_wal_prepare(&b.wal, &b.next, true));
    assert_ok(kv_file_size(b.wal.spare.file, &size));
    assert_true(size > HEADER);
    lsm_wal_yield_space(&b.wal);
    assert_ok(kv_file_size(b.wal.spare.file, &size));
    assert_int_equal(size, HEADER);
    lsm_wal_switch(&b.wal);
    for (int i = 0; i < PUTS; i++) assert_ok(put(&b, "key", false));
    assert_ok(lsm_wal_close(&b.wal, true, &b.closed));
    assert_true(exists(&b, 3));
    bench_close(&b);
}

static void logs_that_are_needed_stay(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    for (int i = 0; i < 4; i++) {
        next_log(&b);
        assert_ok(put(&b, "cat", false));
    }
    lsm_wal_retire(&b.wal, 3, why);
    expect_said(&b, "remove 000001.log\nremove 000002.log\n");
    lsm_wal_retire(&b.wal, 3, why);
    lsm_wal_retire(&b.wal, 99, why); // the active one never goes
    expect_said(&b, "remove 000003.log\n");
    assert_true(exists(&b, 4));
    assert_ok(put(&b, "dog", true));
    expect_said(&b, "sync 000004.log\n");
    assert_ok(lsm_wal_close(&b.wal, true, &b.closed));
    bench_close(&b);
}

// ---- syncs ------------------------------------------------------------------

static void older_logs_are_synced_first(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    next_log(&b);
    assert_ok(put(&b, "cat", false));
    next_log(&b);
    assert_ok(put(&b, "dog", false));
    next_log(&b);
    assert_ok(put(&b, "eel", true)); // L2
    expect_said(&b, "sync 000001.log\nsync 000002.log\nsync 000003.log\n");
    assert_ok(put(&b, "fox", true));
    expect_said(&b, "sync 000003.log\n");
    assert_ok(lsm_wal_sync(&b.wal)); // nothing to do
    expect_said(&b, "");
    assert_ok(lsm_wal_close(&b.wal, true, &b.closed));
    bench_close(&b);
}

// Where an older log could not be synced, the newer one was not either, and no
// closing record vouches for any of them.
static void nothing_is_synced_behind_a_failure(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    next_log(&b);
    assert_ok(put(&b, "cat", false));
    next_log(&b);
    assert_ok(put(&b, "dog", false));
    assert_ok(kv_disk_fault_set(b.fault, "wal:sync:1:EIO"));
    assert_status(lsm_wal_sync(&b.wal), KV_IO);
    expect_said(&b, "sync 000001.log\n");
    assert_ok(lsm_wal_close(&b.wal, true, &b.closed));
    expect_said(&b, "");
    expect_log(&b, 1, "cat ");
    expect_log(&b, 2, "<1:72:52 dog ");
    bench_close(&b);
}

// ---- writes -----------------------------------------------------------------

static void a_full_disk_changes_nothing(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    next_log(&b);
    assert_ok(put(&b, "cat", false));
    next_log(&b);
    assert_ok(kv_disk_fault_set(b.fault, "wal:write:1:ENOSPC"));
    assert_status(put(&b, "dog", false), KV_NO_SPACE);
    assert_ok(put(&b, "eel", false)); // with the switch's record, once
    expect_log(&b, 2, "<1:72:52 eel ");
    assert_ok(lsm_wal_close(&b.wal, true, &b.closed));
    bench_close(&b);
}

static void a_large_batch_is_a_group(void **state)
{
    (void)state;
    enum { COUNT = 4, BYTES = 40 << 10 };
    static uint8_t value[BYTES];
    static const char *const keys[COUNT] = {"cat", "dog", "eel", "fox"};
    kv_change changes[COUNT];
    bench b;
    bench_open(&b);
    next_log(&b);
    for (int i = 0; i < COUNT; i++) {
        changes[i] = (kv_change){KV_PUT, kv_str(keys[i]),
                                 kv_slice_of(value, sizeof value)};
    }
    kv_commit_entry entry = {changes, COUNT};
    assert_ok(lsm_wal_write(&b.wal, &entry, 1, false));
    // Two fill a record; the last one ends the group.
    expect_log(&b, 1, "cat+dog+eel fox ");
    assert_ok(lsm_wal_close(&b.wal, true, &b.closed));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_says_what_it_follows),
        cmocka_unit_test(a_clean_close_says_where_the_logs_end),
        cmocka_unit_test(one_spare_is_made_and_thrown_away),
        cmocka_unit_test(a_spare_has_the_space_that_the_last_log_needed),
        cmocka_unit_test(a_full_disk_gets_the_spare_s_space_back),
        cmocka_unit_test(logs_that_are_needed_stay),
        cmocka_unit_test(older_logs_are_synced_first),
        cmocka_unit_test(nothing_is_synced_behind_a_failure),
        cmocka_unit_test(a_full_disk_changes_nothing),
        cmocka_unit_test(a_large_batch_is_a_group),
    };
    return cmocka_run_group_tests_name("stage4.wal", tests, NULL, NULL);
}
