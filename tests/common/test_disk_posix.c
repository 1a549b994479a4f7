// test_disk_posix.c -- the disk of the operating system: files, names, locks.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "common/disk.h"
#include "common/recordlog.h"

#include "tests/support/test.h"

static const kv_why why = {KV_FOR_DATA, false};

typedef struct fixture {
    char *dir;
    kv_disk *disk;
} fixture;

static int setup(void **state)
{
    static fixture f;
    f.dir = test_make_dir();
    assert_ok(kv_disk_open_real(f.dir, false, &f.disk));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    kv_disk_close(f->disk);
    test_remove_dir(f->dir);
    return 0;
}

static kv_file *open_file(fixture *f, const char *name, kv_open_mode mode)
{
    kv_file *file = NULL;
    assert_ok(
        kv_file_open(f->disk, name, (kv_open_how){.mode = mode}, why, &file));
    return file;
}

static void what_is_written_is_read(void **state)
{
    kv_file *file = open_file(*state, "a", KV_OPEN_CREATE);
    char got[20] = "";
    size_t len = 0;
    uint64_t size = 0;
    assert_string_equal(kv_file_name(file), "a");
    assert_ok(kv_file_write(file, 0, kv_str("hello world"), why));
    assert_ok(kv_file_write(file, 6, kv_str("there"), why));
    assert_ok(kv_file_size(file, &size));
    assert_int_equal(size, 11);
    assert_ok(kv_file_read(file, 0, got, 20, &len, why));
    assert_int_equal(len, 11);
    assert_memory_equal(got, "hello there", 11);
    assert_ok(kv_file_read(file, 11, got, 5, &len, why));
    assert_int_equal(len, 0);
    assert_ok(kv_file_read(file, 500, got, 5, &len, why));
    assert_int_equal(len, 0);
    assert_ok(kv_file_read(file, 0, got, 0, &len, why));
    assert_int_equal(len, 0);
    assert_ok(kv_file_sync(file, why));
    assert_ok(kv_file_close(file));
    assert_ok(kv_file_close(NULL));
}

static void read_all_wants_all(void **state)
{
    kv_file *file = open_file(*state, "short", KV_OPEN_CREATE);
    char got[8];
    assert_ok(kv_file_write(file, 0, kv_str("12345"), why));
    assert_ok(kv_file_read_all(file, 1, got, 4, why));
    assert_memory_equal(got, "2345", 4);
    assert_status(kv_file_read_all(file, 1, got, 5, why), KV_CORRUPT);
    assert_non_null(strstr(kv_last_error(), "short"));
    assert_non_null(strstr(kv_last_error(), "offset 1"));
    assert_ok(kv_file_close(file));
}

static void modes_say_what_has_to_be_there(void **state)
{
    fixture *f = *state;
    kv_file *file = NULL;
    kv_open_how read = {.mode = KV_OPEN_READ}, write = {.mode = KV_OPEN_WRITE},
                create = {.mode = KV_OPEN_CREATE};
    kv_fail(KV_OK, "untouched");
    assert_status(kv_file_open(f->disk, "x", read, why, &file), KV_NOT_FOUND);
    assert_status(kv_file_open(f->disk, "x", write, why, &file), KV_NOT_FOUND);
    assert_string_equal(kv_last_error(), "untouched"); // bare
    assert_null(file);
    assert_ok(kv_file_open(f->disk, "x", create, why, &file));
    kv_file *again = NULL;
    assert_status(kv_file_open(f->disk, "x", create, why, &again), KV_IO);
    assert_null(again);
    assert_ok(kv_file_close(file));
    file = open_file(f, "x", KV_OPEN_READ);
    assert_status(kv_file_write(file, 0, kv_str("no"), why), KV_IO);
    assert_ok(kv_file_close(file));
    file = open_file(f, "x", KV_OPEN_WRITE);
    assert_ok(kv_file_write(file, 0, kv_str("yes"), why));
    assert_ok(kv_file_close(file));
}

static void sizes_change_as_told(void **state)
{
    kv_file *file = open_file(*state, "sizes", KV_OPEN_CREATE);
    uint64_t size = 0;
    char got[100];
    assert_ok(kv_file_write(file, 0, kv_str("0123456789"), why));
    assert_ok(kv_file_truncate(file, 4, why));
    assert_ok(kv_file_size(file, &size));
    assert_int_equal(size, 4);
    assert_ok(kv_file_allocate(file, 60, why));
    assert_ok(kv_file_size(file, &size));
    assert_int_equal(size, 60);
    assert_ok(kv_file_read_all(file, 0, got, 60, why));
    assert_memory_equal(got, "0123\0\0\0\0\0\0", 10);
    assert_ok(kv_file_truncate(file, 0, why));
    assert_ok(kv_file_size(file, &size));
    assert_int_equal(size, 0);
    assert_ok(kv_file_close(file));
}

static void a_view_shows_what_was_written(void **state)
{
    fixture *f = *state;
    kv_file *file = NULL;
    kv_open_how how = {.mode = KV_OPEN_CREATE, .map_bytes = 1 << 20};
    kv_slice view = {0};
    assert_ok(kv_file_open(f->disk, "mapped", how, why, &file));
    assert_ok(kv_file_write(file, 0, kv_str("first"), why));
    assert_ok(kv_file_map(file, 0, 5, why, &view));
    assert_slice(view, "first");
    // What is appended later is in the same mapping; the first view stays.
    kv_slice later;
    assert_ok(kv_file_write(file, 5, kv_str("second"), why));
    assert_ok(kv_file_map(file, 5, 6, why, &later));
    assert_slice(later, "second");
    assert_slice(view, "first");
    assert_status(kv_file_map(file, (1 << 20) - 2, 5, why, &later), KV_CORRUPT);
    assert_status(kv_file_map(file, UINT64_MAX - 1, 5, why, &later),
                  KV_CORRUPT);
    assert_ok(kv_file_close(file));
    // Without a promise of more: as large as the file is.
    file = open_file(f, "mapped", KV_OPEN_READ);
    assert_status(kv_file_map(file, 8, 5, why, &later), KV_CORRUPT);
    assert_ok(kv_file_map(file, 0, 11, why, &later));
    assert_slice(later, "firstsecond");
    assert_ok(kv_file_close(file));
}

// The same bytes as calls would leave: from page to page, across the end of
// what was reserved, after a truncation and through another handle.
static void writes_into_reserved_space_are_copies(void **state)
{
    enum { SIZE = 20000, WINDOW = 8192, STEP = 37 };
    kv_why ways[] = {why, kv_for_background(KV_FOR_WAL)};
    fixture *f = *state;
    kv_file *file = NULL;
    kv_open_how how = {.mode = KV_OPEN_CREATE, .maps_writes = true};
    static uint8_t want[SIZE], got[SIZE];
    uint64_t writes, bytes, writes_before, bytes_before;
    uint64_t size;
    size_t len = 0, calls = 0;
    for (size_t i = 0; i < SIZE; i++) want[i] = (uint8_t)(i * 7 + i / 256);
    kv_disk_mapped_writes(&writes_before, &bytes_before);
    assert_ok(kv_file_open(f->disk, "copied", how, why, &file));
    for (uint64_t at = 0, end = 0; at + STEP <= SIZE; at += STEP) {
        if (at + STEP > end && at > 0) {
            end += WINDOW;
            assert_ok(kv_file_allocate(file, end, ways[end / WINDOW % 2]));
            calls += at + STEP > end || at < end - WINDOW;
        }
        calls += at == 0;
        kv_slice piece = kv_slice_of(want + at, STEP);
        assert_ok(kv_file_write(file, at, piece, why));
        len = (size_t)at + STEP;
    }
    kv_disk_mapped_writes(&writes, &bytes);
    assert_true(writes - writes_before >= len / STEP - calls);
    assert_int_equal(bytes - bytes_before, (writes - writes_before) * STEP);
    assert_ok(kv_file_sync(file, why));
    kv_file *other = open_file(f, "copied", KV_OPEN_READ);
    assert_ok(kv_file_read_all(other, 0, got, len, why));
    assert_memory_equal(got, want, len);
    assert_ok(kv_file_close(other));
    // Cut within the window: what is written then is behind the file's end.
    assert_ok(kv_file_truncate(file, len - 100, why));
    assert_ok(kv_file_write(file, len - 100, kv_str("the end"), why));
    assert_ok(kv_file_size(file, &size));
    assert_int_equal(size, len - 93);
    assert_ok(kv_file_close(file));
}

// A long write is a call, and lies between two copies as if it were one.
static void long_writes_into_reserved_space_are_calls(void **state)
{
    enum { SHORT = 100, LONG = 40000, SIZE = SHORT + LONG + SHORT };
    fixture *f = *state;
    kv_file *file = NULL;
    kv_open_how how = {.mode = KV_OPEN_CREATE, .maps_writes = true};
    static uint8_t want[SIZE], got[SIZE];
    uint64_t writes, bytes, writes_before, bytes_before;
    for (size_t i = 0; i < SIZE; i++) want[i] = (uint8_t)(i * 7 + i / 256);
    assert_ok(kv_file_open(f->disk, "long", how, why, &file));
    assert_ok(kv_file_allocate(file, SIZE, why));
    kv_disk_mapped_writes(&writes_before, &bytes_before);
    kv_slice first = {want, SHORT}, middle = {want + SHORT, LONG};
    kv_slice last = {want + SHORT + LONG, SHORT};
    assert_ok(kv_file_write(file, 0, first, why));
    assert_ok(kv_file_write(file, SHORT, middle, why));
    assert_ok(kv_file_write(file, SHORT + LONG, last, why));
    kv_disk_mapped_writes(&writes, &bytes);
    assert_int_equal(writes - writes_before, 2);
    assert_int_equal(bytes - bytes_before, SHORT + SHORT);
    assert_ok(kv_file_read_all(file, 0, got, SIZE, why));
    assert_memory_equal(got, want, SIZE);
    assert_ok(kv_file_close(file));
}

// Space that is written ahead reads as any that is reserved.
static void space_for_syncs_is_written(void **state)
{
    enum { SPACE = 300000, AT = 5000 };
    fixture *f = *state;
    kv_open_how how = {.mode = KV_OPEN_CREATE, .zeroes_from = 4000};
    static uint8_t want[SPACE], got[SPACE];
    uint64_t writes, bytes, writes_before, bytes_before;
    kv_file *file = NULL;
    uint64_t size;
    kv_disk_mapped_writes(&writes_before, &bytes_before);
    assert_ok(kv_file_open(f->disk, "zeroes", how, why, &file));
    assert_ok(kv_file_write(file, 0, kv_str("begin"), why));
    assert_ok(kv_file_allocate(file, SPACE, why));
    assert_ok(kv_file_write(file, AT, kv_str("later"), why));
    assert_ok(kv_file_allocate(file, AT, why)); // is there
    assert_ok(kv_file_size(file, &size));
    assert_int_equal(size, SPACE);
    kv_disk_mapped_writes(&writes, &bytes);
    assert_int_equal(writes - writes_before, 0);
    assert_int_equal(bytes - bytes_before, 0);
    memcpy(want, "begin", 5);
    memcpy(want + AT, "later", 5);
    assert_ok(kv_file_read_all(file, 0, got, SPACE, why));
    assert_memory_equal(got, want, SPACE);
    assert_ok(kv_file_close(file));
}

// A record log chooses by what follows its flushes.
static void logs_reserve_for_flushes_or_for_syncs(void **state)
{
    fixture *f = *state;
    kv_recordlog_id id = {"DEMO", 1, 7, 0, KV_FRAMING_BINARY};
    for (int syncs = 0; syncs < 2; syncs++) {
        kv_recordlog log = {.syncs_each = syncs == 1};
        uint64_t writes, bytes, writes_before, bytes_before;
        const char *name = syncs ? "synced" : "flushed";
        assert_ok(kv_recordlog_create(&log, f->disk, name, &id, 0, why));
        kv_disk_mapped_writes(&writes_before, &bytes_before);
        for (int i = 0; i < 5; i++) {
            (void)kv_recordlog_add(&log, kv_str("a record"), false);
            assert_ok(kv_recordlog_flush(&log, why));
        }
        kv_disk_mapped_writes(&writes, &bytes);
        assert_int_equal(writes - writes_before, syncs ? 0 : 5);
        assert_ok(kv_recordlog_seal(&log, why));
        assert_ok(kv_recordlog_close(&log));
    }
}

static void names_are_listed_in_order(void **state)
{
    fixture *f = *state;
    kv_names names = {0};
    assert_ok(kv_disk_list(f->disk, &names));
    assert_int_equal(names.count, 0);
    kv_names_free(&names);
    static const char *const made[] = {"b", "a", "10", "2", "A"};
    for (int i = 0; i < 5; i++) {
        assert_ok(kv_file_close(open_file(f, made[i], KV_OPEN_CREATE)));
    }
    assert_ok(kv_disk_list(f->disk, &names));
    assert_int_equal(names.count, 5);
    for (size_t i = 1; i < names.count; i++) {
        assert_true(strcmp(names.name[i - 1], names.name[i]) < 0);
    }
    kv_names_free(&names);
    kv_names_free(&names);
}

// lost+found, or what a person left there: no reason to refuse the store.
static void directories_below_are_not_listed(void **state)
{
    fixture *f = *state;
    kv_buf below = {0};
    kv_buf_printf(&below, "%s/below%c", f->dir, '\0');
    kv_disk *sub = NULL;
    assert_ok(kv_disk_open_real((char *)below.data, true, &sub));
    assert_ok(kv_file_close(open_file(f, "file", KV_OPEN_CREATE)));
    kv_names names = {0};
    assert_ok(kv_disk_list(f->disk, &names));
    assert_int_equal(names.count, 1);
    assert_string_equal(names.name[0], "file");
    kv_names_free(&names);
    kv_disk_close(sub);
    kv_buf_free(&below);
}

static void names_move_vanish_and_double(void **state)
{
    fixture *f = *state;
    kv_file *file = open_file(f, "old", KV_OPEN_CREATE);
    assert_ok(kv_file_write(file, 0, kv_str("bytes"), why));
    assert_ok(kv_file_close(file));
    assert_ok(kv_file_close(open_file(f, "target", KV_OPEN_CREATE)));
    assert_ok(kv_disk_rename(f->disk, "old", "target", why)); // replaces
    assert_status(kv_disk_rename(f->disk, "old", "other", why), KV_IO);
    char *parent = test_make_dir();
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/beside%c", parent, '\0');
    kv_disk *beside = NULL;
    const char *place = (const char *)path.data;
    assert_status(kv_disk_open_beside(f->disk, place, false, &beside),
                  KV_NOT_FOUND);
    assert_ok(kv_disk_open_beside(f->disk, place, true, &beside));
    assert_ok(kv_disk_link(f->disk, "target", beside, "copy", why));
    assert_status(kv_disk_link(f->disk, "target", beside, "copy", why), KV_IO);
    assert_ok(kv_disk_remove(f->disk, "target", why));
    assert_status(kv_disk_remove(f->disk, "target", why), KV_NOT_FOUND);
    char got[5];
    file = NULL;
    assert_ok(kv_file_open(beside, "copy", (kv_open_how){0}, why, &file));
    assert_ok(kv_file_read_all(file, 0, got, 5, why));
    assert_memory_equal(got, "bytes", 5);
    assert_ok(kv_file_close(file));
    assert_ok(kv_disk_sync_dir(f->disk, why));
    kv_disk_close(beside);
    kv_disk_close(NULL);
    kv_buf_free(&path);
    test_remove_dir(parent);
}

static void a_removed_file_is_readable_while_open(void **state)
{
    fixture *f = *state;
    kv_file *file = open_file(f, "doomed", KV_OPEN_CREATE);
    char got[4];
    assert_ok(kv_file_write(file, 0, kv_str("last"), why));
    assert_ok(kv_disk_remove(f->disk, "doomed", why));
    assert_ok(kv_file_read_all(file, 0, got, 4, why));
    assert_memory_equal(got, "last", 4);
    assert_ok(kv_file_close(file));
}

static void a_lock_has_one_holder(void **state)
{
    fixture *f = *state;
    kv_file *lock = NULL, *second = NULL;
    assert_ok(kv_disk_lock(f->disk, "LOCK", &lock));
    assert_ok(kv_file_write(lock, 0, kv_str("me"), why));
    // Also from another handle on the directory in the same process.
    kv_disk *again = NULL;
    assert_ok(kv_disk_open_real(f->dir, false, &again));
    assert_status(kv_disk_lock(again, "LOCK", &second), KV_LOCKED);
    char got[2];
    assert_ok(kv_file_read_all(second, 0, got, 2, why)); // who holds it
    assert_memory_equal(got, "me", 2);
    assert_ok(kv_file_close(second));
    // Closing the one that was refused gives nothing away.
    assert_status(kv_disk_lock(again, "LOCK", &second), KV_LOCKED);
    assert_ok(kv_file_close(second));
    assert_ok(kv_file_close(lock));
    assert_ok(kv_disk_lock(again, "LOCK", &second));
    assert_ok(kv_file_close(second));
    kv_disk_close(again);
}

static void opening_a_directory_says_what_is_wrong(void **state)
{
    fixture *f = *state;
    kv_disk *disk = NULL;
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/no/such%c", f->dir, '\0');
    const char *deep = (const char *)path.data;
    assert_status(kv_disk_open_real(deep, false, &disk), KV_NOT_FOUND);
    assert_status(kv_disk_open_real(deep, true, &disk), KV_IO); // no parents
    assert_non_null(strstr(kv_last_error(), "no/such"));
    assert_ok(kv_file_close(open_file(f, "file", KV_OPEN_CREATE)));
    kv_buf_clear(&path);
    kv_buf_printf(&path, "%s/file%c", f->dir, '\0');
    assert_status(kv_disk_open_real((const char *)path.data, true, &disk),
                  KV_IO);
    assert_null(disk);
    kv_buf_free(&path);
}

static void every_reason_has_a_word(void **state)
{
    (void)state;
    for (int i = 0; i < KV_REASONS; i++) {
        const char *word = kv_reason_word((kv_reason)i);
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(word, kv_reason_word((kv_reason)j));
        }
    }
    assert_string_equal(kv_reason_word(KV_REASONS), "unknown");
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(what_is_written_is_read),
        IN_DIR(read_all_wants_all),
        IN_DIR(modes_say_what_has_to_be_there),
        IN_DIR(sizes_change_as_told),
        IN_DIR(a_view_shows_what_was_written),
        IN_DIR(writes_into_reserved_space_are_copies),
        IN_DIR(long_writes_into_reserved_space_are_calls),
        IN_DIR(space_for_syncs_is_written),
        IN_DIR(logs_reserve_for_flushes_or_for_syncs),
        IN_DIR(names_are_listed_in_order),
        IN_DIR(directories_below_are_not_listed),
        IN_DIR(names_move_vanish_and_double),
        IN_DIR(a_removed_file_is_readable_while_open),
        IN_DIR(a_lock_has_one_holder),
        IN_DIR(opening_a_directory_says_what_is_wrong),
        cmocka_unit_test(every_reason_has_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
