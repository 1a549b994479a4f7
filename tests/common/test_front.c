// test_front.c -- calls at the front door (engine.c): arguments, failures and
// cursors, before an engine that records what it is called with.
// SPDX-License-Identifier: MIT

#include "common/clock.h"

#include "tests/common/front.h"

static void reopen(fixture *f)
{
    assert_ok(kv_close(f->db));
    f->db = NULL;
    assert_ok(kv_open(&fake_engine, &f->options, &f->db));
}

// ---- arguments --------------------------------------------------------------

static void keys_and_values_are_measured(void **state)
{
    fixture *f = *state;
    kv_buf value = {0};
    kv_slice key11 = kv_str("12345678901"), key10 = kv_str("1234567890");
    kv_slice value21 = kv_str("123456789012345678901");
    assert_status(kv_put(f->db, kv_str(""), kv_str("v")), KV_INVALID);
    assert_status(kv_put(f->db, key11, kv_str("v")), KV_TOO_BIG);
    assert_non_null(strstr(kv_last_error(), "11"));
    assert_non_null(strstr(kv_last_error(), "10"));
    assert_status(kv_put(f->db, key10, value21), KV_TOO_BIG);
    assert_non_null(strstr(kv_last_error(), "21"));
    assert_status(kv_get(f->db, key11, &value), KV_TOO_BIG);
    assert_status(kv_del(f->db, key11), KV_TOO_BIG);
    assert_int_equal(script.writes, 0);
    assert_ok(kv_put(f->db, key10, kv_slice_of(value21.data, 20)));
    assert_int_equal(script.writes, 1);
    kv_buf_free(&value);
}

// A setting may leave less room for a key than the engine has at most.
static void a_store_may_take_shorter_keys_than_its_engine(void **state)
{
    fixture *f = *state;
    assert_int_equal(kv_key_max(f->db), 10);
    assert_ok(kv_close(f->db));
    f->db = NULL;
    f->options.knobs = "size=9";
    assert_ok(kv_open(&fake_engine, &f->options, &f->db));
    assert_int_equal(kv_key_max(f->db), 9);
    assert_ok(kv_put(f->db, kv_str("123456789"), kv_str("v")));
    assert_status(kv_put(f->db, kv_str("1234567890"), kv_str("v")), KV_TOO_BIG);
    assert_non_null(strstr(kv_last_error(), "up to 9"));
}

static void a_batch_is_checked_before_it_is_passed_on(void **state)
{
    fixture *f = *state;
    kv_batch batch = {0};
    kv_batch_put(&batch, kv_str("a"), kv_str("1"));
    kv_batch_del_range(&batch, kv_str("a"), kv_str("b"));
    assert_status(kv_write(f->db, &batch), KV_UNSUPPORTED);
    kv_batch_clear(&batch);
    kv_batch_put(&batch, kv_str("a"), kv_str("1"));
    kv_batch_del(&batch, kv_str(""));
    assert_status(kv_write(f->db, &batch), KV_INVALID);
    kv_batch_clear(&batch);
    assert_ok(kv_write(f->db, &batch));
    assert_int_equal(script.writes, 0);
    kv_batch_put(&batch, kv_str("a"), kv_str("1"));
    kv_batch_del(&batch, kv_str("b"));
    assert_ok(kv_write(f->db, &batch));
    assert_int_equal(script.writes, 1);
    assert_int_equal(script.last_count, 2);
    kv_batch_free(&batch);
}

static void not_found_leaves_no_bytes(void **state)
{
    fixture *f = *state;
    kv_buf values[2] = {{0}, {0}};
    kv_slice keys[2] = {kv_str("x"), kv_str("y")};
    bool found[2];
    assert_status(kv_get(f->db, keys[0], &values[0]), KV_NOT_FOUND);
    assert_int_equal(values[0].len, 0); // whatever the engine left there
    assert_ok(kv_get_many(f->db, 2, keys, values, found));
    assert_false(found[0]);
    assert_true(found[1]);
    assert_int_equal(values[0].len, 0);
    assert_slice(kv_buf_slice(&values[1]), "some bytes");
    kv_buf_free(&values[0]);
    kv_buf_free(&values[1]);
}

// ---- failures ---------------------------------------------------------------

static void a_failed_sync_ends_all_writing(void **state)
{
    fixture *f = *state;
    script.sync = KV_IO;
    script.go_read_only = true;
    assert_status(kv_sync(f->db), KV_IO);
    script.sync = KV_OK;
    unsigned ticks = atomic_load(&script.ticks);
    assert_status(kv_put(f->db, kv_str("a"), kv_str("b")), KV_READ_ONLY);
    assert_non_null(strstr(kv_last_error(), "the disk is gone"));
    assert_status(kv_del(f->db, kv_str("a")), KV_READ_ONLY);
    assert_status(kv_del_range(f->db, kv_str("a"), kv_str("")), KV_READ_ONLY);
    assert_status(kv_sync(f->db), KV_READ_ONLY);
    assert_int_equal(atomic_load(&script.ticks), ticks); // never again (D4)
    assert_int_equal(script.writes, 0);
    kv_buf value = {0};
    assert_ok(kv_get(f->db, kv_str("a"), &value)); // reads go on
    kv_buf_free(&value);
    reopen(f);
    assert_ok(kv_put(f->db, kv_str("a"), kv_str("b")));
}

static void a_full_disk_is_not_the_end(void **state)
{
    fixture *f = *state;
    script.write = KV_NO_SPACE;
    assert_status(kv_put(f->db, kv_str("a"), kv_str("b")), KV_NO_SPACE);
    script.write = KV_OK;
    assert_ok(kv_put(f->db, kv_str("a"), kv_str("b")));
}

static void the_first_reason_is_the_one_that_is_told(void **state)
{
    fixture *f = *state;
    kv_fail(KV_IO, "the first");
    assert_int_equal(kv_go_read_only(f->db, KV_IO), KV_IO);
    kv_fail(KV_IO, "the second");
    kv_go_read_only(f->db, KV_IO);
    assert_status(kv_put(f->db, kv_str("a"), kv_str("b")), KV_READ_ONLY);
    assert_non_null(strstr(kv_last_error(), "the first"));
}

static void what_open_said_survives_the_closing(void **state)
{
    fixture *f = *state;
    assert_ok(kv_close(f->db));
    f->db = NULL;
    kv *db = NULL;
    script.open = KV_CORRUPT;
    unsigned closed = script.closed;
    assert_status(kv_open(&fake_engine, &f->options, &db), KV_CORRUPT);
    assert_string_equal(kv_last_error(), "cannot open, said");
    assert_null(db);
    assert_int_equal(script.closed, closed + 1);
    script.open = KV_OK;
    assert_ok(kv_open(&fake_engine, &f->options, &f->db)); // nothing stayed
}

// A ticking sync that failed is not tried again (D4).
static void the_ticker_syncs_and_stops_at_a_failure(void **state)
{
    fixture *f = *state;
    assert_ok(kv_close(f->db));
    f->db = NULL;
    f->options.sync = KV_SYNC_INTERVAL;
    f->options.interval_ms = 1;
    assert_ok(kv_open(&fake_engine, &f->options, &f->db));
    assert_ok(kv_put(f->db, kv_str("a"), kv_str("b")));
    while (atomic_load(&script.ticks) < 1) {
    }
    unsigned ticks = atomic_load(&script.ticks); // before one may be the last
    script.go_read_only = true;
    script.sync = KV_IO;
    while (kv_put(f->db, kv_str("a"), kv_str("b")) == KV_OK) {
    }
    for (int i = 0; i < 200; i++) {
        assert_status(kv_put(f->db, kv_str("a"), kv_str("b")), KV_READ_ONLY);
    }
    assert_true(atomic_load(&script.ticks) > ticks);
    ticks = atomic_load(&script.ticks);
    kv_sleep_ns(20000000); // twenty intervals
    assert_int_equal(atomic_load(&script.ticks), ticks);
    script.sync = KV_OK;
}

// ---- cursors ----------------------------------------------------------------

static unsigned count_entries(kv *db, const char *from, const char *to)
{
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    unsigned count = 0;
    assert_ok(
        kv_scan(db, (kv_range){kv_str(from), kv_str(to), false}, &cursor));
    while (kv_cursor_next(cursor, &key, &value) == KV_OK) count++;
    kv_cursor_close(cursor);
    return count;
}

static void a_range_filters_what_has_no_order(void **state)
{
    fixture *f = *state;
    assert_int_equal(count_entries(f->db, "", ""), 4);
    assert_int_equal(count_entries(f->db, "b", ""), 3);
    assert_int_equal(count_entries(f->db, "", "dog"), 2);
    assert_int_equal(count_entries(f->db, "cat", "dog"), 1);
    assert_int_equal(count_entries(f->db, "x", ""), 0);
    assert_int_equal(count_entries(f->db, "dog", "cat"), 0);
    kv_cursor *cursor = NULL;
    assert_status(kv_scan(f->db, (kv_range){.reverse = true}, &cursor),
                  KV_UNSUPPORTED);
    assert_int_equal(script.scans, script.ends);
}

// Such a cursor may see the half of the write that was done before it came.
static void a_cursor_opened_during_a_write_is_stale(void **state)
{
    fixture *f = *state;
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    script.open_within = &cursor;
    assert_ok(kv_put(f->db, kv_str("a"), kv_str("b")));
    assert_status(kv_cursor_next(cursor, &key, &value), KV_STALE);
    kv_cursor_close(cursor);
}

static void a_write_makes_cursors_stale(void **state)
{
    fixture *f = *state;
    for (int failing = 0; failing < 2; failing++) {
        kv_cursor *cursor = NULL;
        kv_slice key, value;
        assert_ok(kv_scan(f->db, (kv_range){0}, &cursor));
        assert_ok(kv_cursor_next(cursor, &key, &value));
        assert_status(kv_put(f->db, kv_str(""), kv_str("")), KV_INVALID);
        assert_ok(kv_cursor_next(cursor, &key, &value)); // nothing was written
        script.write = failing ? KV_IO : KV_OK;
        (void)!kv_put(f->db, kv_str("a"), kv_str("b"));
        assert_status(kv_cursor_next(cursor, &key, &value), KV_STALE);
        assert_status(kv_cursor_next(cursor, &key, &value), KV_STALE);
        kv_cursor_close(cursor);
        script.write = KV_OK;
    }
}

static void a_scan_that_fails_is_ended(void **state)
{
    fixture *f = *state;
    kv_cursor *cursor = NULL;
    script.scan = KV_CORRUPT;
    assert_status(kv_scan(f->db, (kv_range){0}, &cursor), KV_CORRUPT);
    assert_null(cursor);
    assert_int_equal(script.ends, 1);
}

static void del_range_is_dels_where_nothing_better_is(void **state)
{
    fixture *f = *state;
    assert_ok(kv_del_range(f->db, kv_str("b"), kv_str("e")));
    assert_int_equal(script.writes, 1);
    assert_int_equal(script.last_count, 2); // dog, cat
    assert_int_equal(script.last_kind, KV_DEL);
    assert_ok(kv_del_range(f->db, kv_str("x"), kv_str("z")));
    assert_ok(kv_del_range(f->db, kv_str("e"), kv_str("b")));
    assert_int_equal(script.writes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(keys_and_values_are_measured),
        IN_DIR(a_store_may_take_shorter_keys_than_its_engine),
        IN_DIR(a_batch_is_checked_before_it_is_passed_on),
        IN_DIR(not_found_leaves_no_bytes),
        IN_DIR(a_failed_sync_ends_all_writing),
        IN_DIR(a_full_disk_is_not_the_end),
        IN_DIR(the_first_reason_is_the_one_that_is_told),
        IN_DIR(what_open_said_survives_the_closing),
        IN_DIR(the_ticker_syncs_and_stops_at_a_failure),
        IN_DIR(a_range_filters_what_has_no_order),
        IN_DIR(a_write_makes_cursors_stale),
        IN_DIR(a_cursor_opened_during_a_write_is_stale),
        IN_DIR(a_scan_that_fails_is_ended),
        IN_DIR(del_range_is_dels_where_nothing_better_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
