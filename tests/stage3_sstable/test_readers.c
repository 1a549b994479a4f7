// test_readers.c -- readers go on while a flush or a merge is under way (C12).
// SPDX-License-Identifier: MIT
//
// A layer of the disk calls us just before each call that changes a file. What
// is called in the midst of a flush or a merge reads the whole store, with all
// locks held that the step holds: a reader that had to wait for one of them
// would wait for ever, and the test with it. No clock and no thread is needed.

#include "common/disk_trace.h"
#include "common/rng.h"

#include "sst.h"
#include "tests/support/test.h"

enum { KEYS = 250 };

typedef struct watch {
    kv *db;
    int keys;                   // acknowledged so far
    kv_cursor *cursor;          // opened at the first event
    int cursor_keys;            // and how many keys there were then
    bool is_reading;            // reading must not be observed again
    uint64_t steps[KV_REASONS]; // events in the midst of which we read
} watch;

static void key_of(int i, char key[32])
{
    snprintf(key, 32, "%08x", (unsigned)kv_mix64((uint64_t)i) ^ (unsigned)i);
}

static void read_all(watch *w)
{
    kv_buf value = {0};
    for (int i = 0; i < w->keys; i++) {
        char key[32];
        key_of(i, key);
        assert_ok(kv_get(w->db, kv_str(key), &value));
        assert_slice(kv_buf_slice(&value), key);
    }
    kv_buf_free(&value);
}

static int count_all(kv_cursor *cursor)
{
    kv_slice key, value;
    int seen = 0;
    kv_status st;
    while ((st = kv_cursor_next(cursor, &key, &value)) == KV_OK) {
        assert_true(kv_slice_equal(key, value));
        seen++;
    }
    assert_int_equal(st, KV_END);
    kv_cursor_close(cursor);
    return seen;
}

static void scan_all(watch *w)
{
    for (int reverse = 0; reverse < 2; reverse++) {
        kv_cursor *cursor = NULL;
        assert_ok(kv_scan(w->db, (kv_range){.reverse = reverse}, &cursor));
        assert_int_equal(count_all(cursor), w->keys);
    }
}

static void observe(void *arg, const kv_trace_event *event)
{
    watch *w = arg;
    bool is_ours = event->why.reason == KV_FOR_FLUSH ||
                   event->why.reason == KV_FOR_COMPACT;
    if (w->db == NULL || w->is_reading || !is_ours) return;
    w->is_reading = true;
    w->steps[event->why.reason]++;
    read_all(w);
    scan_all(w);
    if (w->cursor == NULL) {
        assert_ok(kv_scan(w->db, (kv_range){0}, &w->cursor));
        w->cursor_keys = w->keys;
    }
    w->is_reading = false;
}

static void nobody_waits(const char *knobs)
{
    char *path = test_make_dir();
    kv_disk *real = NULL, *disk = NULL;
    watch w = {0};
    kv *db = NULL;
    assert_ok(kv_disk_open_real(path, false, &real));
    assert_ok(kv_disk_open_trace(real, observe, &w, &disk));
    kv_options options = {.path = "traced",
                          .disk = disk,
                          .knobs = knobs,
                          .sync = KV_SYNC_NONE,
                          .create = true,
                          .seed = 1};
    assert_ok(kv_open(&sst_engine, &options, &db));
    w.db = db;
    for (; w.keys < KEYS; w.keys++) {
        char key[32];
        key_of(w.keys, key);
        assert_ok(kv_put(db, kv_str(key), kv_str(key)));
    }
    assert_ok(kv_settle(db));
    // The cursor still shows the moment in the midst of the first flush, though
    // all files that it reads were merged away since.
    assert_int_equal(count_all(w.cursor), w.cursor_keys);
    w.db = NULL;
    assert_ok(kv_close(db));
    kv_disk_close(disk);
    print_message("%s: read in the midst of %llu calls of flushes, %llu of "
                  "merges\n",
                  knobs, (unsigned long long)w.steps[KV_FOR_FLUSH],
                  (unsigned long long)w.steps[KV_FOR_COMPACT]);
    assert_true(w.steps[KV_FOR_FLUSH] + w.steps[KV_FOR_COMPACT] > 20);
    assert_true(w.steps[KV_FOR_COMPACT] > 10);
    test_remove_dir(path);
}

static void readers_go_on(void **state)
{
    (void)state;
    nobody_waits("background=0,memtable_bytes=2KiB,every=2");
    nobody_waits("background=0,memtable_bytes=2KiB,merge=all,read=map");
    nobody_waits("background=0,memtable_bytes=2KiB,every=3,format=text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
