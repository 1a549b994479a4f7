// test_front.c -- the front door (open.c, engine.c, look.c) before an engine
// that records what it is called with: durable, unordered, and able to fail.
// SPDX-License-Identifier: MIT

#include "common/clock.h"
#include "common/engine_impl.h"
#include "common/identity.h"

#include "tests/support/memory_engine.h"
#include "tests/support/test.h"

// ---- the engine -------------------------------------------------------------

// What it does next, and what it was called with. One store at a time.
static struct script {
    kv_status open, write, scan, backup;
    _Atomic kv_status sync;
    _Atomic bool go_read_only; // on a write or sync that fails
    unsigned opened, closed, writes, scans, ends;
    size_t last_count; // changes of the last write
    kv_change_kind last_kind;
    uint64_t knob;
    bool is_new, read_only;
    uint64_t store_id, memory_bytes;
    _Atomic unsigned ticks;
} script;

enum { ENTRIES = 4 };
static const char *const entries[ENTRIES] = {"dog", "ant", "eel", "cat"};

typedef struct fake_cursor {
    kv_cursor base;
    unsigned at;
} fake_cursor;

static kv_status fake_open(kv *db)
{
    script.opened++;
    script.knob = db->knob[0];
    script.is_new = db->is_new;
    script.read_only = db->read_only;
    script.store_id = db->store_id;
    script.memory_bytes = db->memory_bytes;
    if (script.open != KV_OK) return kv_fail(script.open, "cannot open, said");
    if (db->knob[0] == 9) db->key_max = 9;
    return KV_OK;
}

static kv_status fake_close(kv *db)
{
    (void)db;
    script.closed++;
    kv_fail(KV_IO, "something that closing says");
    return KV_OK;
}

static kv_status fake_get(kv *db, kv_slice key, kv_buf *value)
{
    (void)db;
    kv_buf_set(value, kv_str("some bytes"));
    return key.data[0] == 'x' ? KV_NOT_FOUND : KV_OK;
}

static kv_status give_up(kv *db, kv_status st)
{
    if (st == KV_OK) return st;
    kv_fail(st, "the disk is gone");
    return script.go_read_only ? kv_go_read_only(db, st) : st;
}

static kv_status fake_write(kv *db, const kv_change *changes, size_t count)
{
    script.writes++;
    script.last_count = count;
    script.last_kind = changes[0].kind;
    return give_up(db, script.write);
}

static kv_status fake_sync(kv *db)
{
    atomic_fetch_add(&script.ticks, 1);
    return give_up(db, script.sync);
}

static kv_status fake_scan(kv *db, kv_cursor *cursor)
{
    (void)db, (void)cursor;
    script.scans++;
    return script.scan == KV_OK ? KV_OK : kv_fail(script.scan, "no scan");
}

static kv_status fake_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    fake_cursor *c = (fake_cursor *)cursor;
    if (c->at == ENTRIES) return KV_END;
    *key = kv_str(entries[c->at++]);
    *value = kv_str("v");
    return KV_OK;
}

static void fake_end(kv_cursor *cursor)
{
    (void)cursor;
    script.ends++;
}

static void fake_measure(kv *db, kv_stats *stats)
{
    (void)db;
    stats->key_count = ENTRIES;
}

static kv_status fake_look(kv *db, const char *what, kv_report *report)
{
    (void)db, (void)what;
    kv_report_count(report, "entries", ENTRIES);
    return KV_OK;
}

static kv_status fake_check(kv *db, kv_report *report)
{
    return fake_look(db, NULL, report);
}

static kv_status fake_backup(kv *db, kv_disk *target)
{
    (void)db;
    kv_file *file = NULL;
    KV_TRY(kv_file_open(target, "data", (kv_open_how){.mode = KV_OPEN_CREATE},
                        kv_for(KV_FOR_DATA), &file));
    kv_file_close(file);
    return script.backup == KV_OK ? KV_OK : kv_fail(script.backup, "no backup");
}

static const kv_knob fake_knobs[] = {{"size", 5, 1, 9, NULL, "a size"}};

static const kv_engine fake_engine = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "fake",
             .caps = KV_CAP_DURABLE | KV_CAP_BACKUP,
             .key_max = 10,
             .value_max = 20,
             .format_major = 2,
             .format_minor = 3,
             .knobs = fake_knobs,
             .knob_count = 1},
    .store_size = sizeof(kv) + 64,
    .cursor_size = sizeof(fake_cursor),
    .open = fake_open,
    .close = fake_close,
    .get = fake_get,
    .write = fake_write,
    .scan = fake_scan,
    .next = fake_next,
    .end = fake_end,
    .measure = fake_measure,
    .inspect = fake_look,
    .check = fake_check,
    .sync = fake_sync,
    .backup = fake_backup,
};

// ---- a store in a new directory ---------------------------------------------

typedef struct fixture {
    char *dir;
    kv_options options;
    kv *db;
} fixture;

static int setup(void **state)
{
    static fixture f;
    script = (struct script){0};
    f = (fixture){.dir = test_make_dir()};
    f.options = (kv_options){.path = f.dir, .create = true};
    assert_ok(kv_open(&fake_engine, &f.options, &f.db));
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    kv_close(f->db);
    test_remove_dir(f->dir);
    return 0;
}

static void reopen(fixture *f)
{
    assert_ok(kv_close(f->db));
    f->db = NULL;
    assert_ok(kv_open(&fake_engine, &f->options, &f->db));
}

static void write_identity(fixture *f, const char *engine, unsigned major,
                           unsigned minor)
{
    kv_identity identity = {.major = (uint16_t)major, .minor = (uint16_t)minor};
    snprintf(identity.engine, sizeof identity.engine, "%s", engine);
    identity.id = script.store_id;
    kv_buf text = {0}, path = {0};
    kv_identity_encode(&identity, &text);
    kv_buf_printf(&path, "%s/IDENTITY%c", f->dir, '\0');
    test_write_file((const char *)path.data, kv_buf_slice(&text));
    kv_buf_free(&text);
    kv_buf_free(&path);
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
    script.go_read_only = true;
    script.sync = KV_IO;
    unsigned ticks = atomic_load(&script.ticks);
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

// ---- the directory ----------------------------------------------------------

static void the_stage_is_told_what_it_is_opened_with(void **state)
{
    fixture *f = *state;
    assert_true(script.is_new);
    assert_int_equal(script.knob, 5);
    assert_int_equal(script.memory_bytes, KV_MEMORY_DEFAULT);
    uint64_t id = script.store_id;
    f->options.knobs = "size=7";
    f->options.memory_bytes = 1 << 20;
    reopen(f);
    assert_false(script.is_new);
    assert_int_equal(script.knob, 7);
    assert_int_equal(script.memory_bytes, 1 << 20);
    assert_true(script.store_id == id);
    unsigned opened = script.opened;
    kv *db = NULL;
    assert_ok(kv_close(f->db));
    f->db = NULL;
    f->options.knobs = "size=10";
    assert_status(kv_open(&fake_engine, &f->options, &db), KV_INVALID);
    assert_int_equal(script.opened, opened);
}

static void a_seed_makes_the_id(void **state)
{
    (void)state;
    uint64_t ids[3];
    for (int i = 0; i < 3; i++) {
        char *dir = test_make_dir();
        kv_options options = {.path = dir, .create = true, .seed = 7};
        if (i == 2) options.seed = 0;
        kv *db = NULL;
        assert_ok(kv_open(&fake_engine, &options, &db));
        ids[i] = script.store_id;
        assert_ok(kv_close(db));
        test_remove_dir(dir);
    }
    assert_true(ids[0] == ids[1]);
    assert_true(ids[0] != ids[2]);
}

static void other_engines_and_newer_formats_are_refused(void **state)
{
    fixture *f = *state;
    kv *db = NULL;
    assert_ok(kv_close(f->db));
    f->db = NULL;
    write_identity(f, "other", 2, 3);
    assert_status(kv_open(&fake_engine, &f->options, &db), KV_INVALID);
    assert_non_null(strstr(kv_last_error(), "other"));
    write_identity(f, "fake", 3, 0);
    assert_status(kv_open(&fake_engine, &f->options, &db), KV_INVALID); // I3
    assert_non_null(strstr(kv_last_error(), "3.0"));
    assert_non_null(strstr(kv_last_error(), "2.3"));
    write_identity(f, "fake", 2, 4); // a higher minor one: for reading
    assert_ok(kv_open(&fake_engine, &f->options, &f->db));
    assert_true(script.read_only);
    assert_status(kv_put(f->db, kv_str("a"), kv_str("b")), KV_READ_ONLY);
    reopen(f);
    assert_ok(kv_close(f->db));
    f->db = NULL;
    write_identity(f, "fake", 1, 9); // an older one is the stage's to read
    assert_ok(kv_open(&fake_engine, &f->options, &f->db));
    assert_false(script.read_only);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    kv *db = NULL;
    kv_options options = {.create = true};
    assert_status(kv_open(&fake_engine, &options, &db), KV_INVALID);
    kv_engine old = fake_engine;
    old.abi = KV_ENGINE_ABI + 1;
    assert_status(kv_open(&old, &options, &db), KV_INVALID);
    assert_non_null(strstr(kv_last_error(), "build it again"));
    assert_ok(kv_close(NULL));
    assert_null(db);
}

static void a_callers_disk_stays_the_callers(void **state)
{
    fixture *f = *state;
    assert_ok(kv_close(f->db));
    f->db = NULL;
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_real(f->dir, false, &disk));
    kv_options options = {.path = f->dir, .disk = disk, .create = true};
    assert_ok(kv_open(&fake_engine, &options, &f->db));
    kv_stats stats;
    kv_stats_read(f->db, &stats);
    assert_true(stats.disk_bytes > 0);
    assert_ok(kv_close(f->db));
    f->db = NULL;
    kv_names names = {0};
    assert_ok(kv_disk_list(disk, &names));
    assert_int_equal(names.count, 2);
    kv_names_free(&names);
    kv_disk_close(disk);
}

static void a_failed_backup_leaves_nothing(void **state)
{
    fixture *f = *state;
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/copy%c", f->dir, '\0');
    const char *target = (const char *)path.data;
    kv_disk *disk = NULL;
    kv_names names = {0};
    script.backup = KV_NO_SPACE;
    assert_status(kv_backup(f->db, target), KV_NO_SPACE);
    assert_string_equal(kv_last_error(), "no backup");
    assert_ok(kv_disk_open_real(target, false, &disk));
    assert_ok(kv_disk_list(disk, &names));
    assert_int_equal(names.count, 0);
    kv_names_free(&names);
    kv_disk_close(disk);
    script.backup = KV_OK;
    assert_ok(kv_backup(f->db, target));
    kv_options options = {.path = target};
    kv *copy = NULL;
    uint64_t id = script.store_id;
    assert_ok(kv_open(&fake_engine, &options, &copy));
    assert_true(script.store_id == id);
    assert_ok(kv_close(copy));
    kv_buf_free(&path);
}

static void check_notices_a_lost_identity(void **state)
{
    fixture *f = *state;
    kv_report report = {0};
    kv_disk *disk = NULL;
    assert_ok(kv_check(f->db, &report));
    assert_ok(kv_disk_open_real(f->dir, false, &disk));
    assert_ok(kv_disk_remove(disk, "IDENTITY", kv_for(KV_FOR_META)));
    assert_status(kv_check(f->db, &report), KV_CORRUPT);
    kv_disk_close(disk);
    kv_report_free(&report);
}

static void xray_shows_the_files_of_the_house(void **state)
{
    fixture *f = *state;
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_real(f->dir, false, &disk));
    static const char *const files[] = {"IDENTITY", "LOCK"};
    for (int i = 0; i < 2; i++) {
        kv_xray x = {.limit = UINT64_MAX};
        assert_ok(kv_xray_file(&fake_engine, disk, files[i], &x));
        assert_int_equal(x.damage_count, 0);
        assert_true(x.field_count > 0);
        kv_buf_free(&x.text);
    }
    kv_xray x = {.limit = UINT64_MAX};
    assert_status(kv_xray_file(&fake_engine, disk, "IDENTITY.tmp", &x),
                  KV_NOT_FOUND);
    assert_status(kv_xray_file(&fake_engine, disk, "other", &x),
                  KV_UNSUPPORTED);
    kv_buf_free(&x.text);
    kv_disk_close(disk);
}

static void hear(void *arg, const char *sentence)
{
    assert_non_null(strstr(sentence, "binary search"));
    ++*(int *)arg;
}

static void a_listener_hears_until_it_is_gone(void **state)
{
    (void)state;
    kv *db = NULL;
    kv_buf value = {0};
    int heard = 0;
    assert_ok(kv_open(&memory_engine, &(kv_options){.path = NULL}, &db));
    kv_explain(db, hear, &heard);
    assert_status(kv_get(db, kv_str("a"), &value), KV_NOT_FOUND);
    assert_int_equal(heard, 1);
    kv_explain(db, NULL, NULL);
    assert_status(kv_get(db, kv_str("a"), &value), KV_NOT_FOUND);
    assert_int_equal(heard, 1);
    assert_status(kv_backup(db, "nowhere"), KV_UNSUPPORTED);
    kv_buf_free(&value);
    assert_ok(kv_close(db));
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

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
        IN_DIR(a_scan_that_fails_is_ended),
        IN_DIR(del_range_is_dels_where_nothing_better_is),
        IN_DIR(the_stage_is_told_what_it_is_opened_with),
        cmocka_unit_test(a_seed_makes_the_id),
        IN_DIR(other_engines_and_newer_formats_are_refused),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        IN_DIR(a_callers_disk_stays_the_callers),
        IN_DIR(a_failed_backup_leaves_nothing),
        IN_DIR(check_notices_a_lost_identity),
        IN_DIR(xray_shows_the_files_of_the_house),
        cmocka_unit_test(a_listener_hears_until_it_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
