// front.c -- see front.h.
// SPDX-License-Identifier: MIT

#include "tests/common/front.h"

front_script script;

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
    if (script.open_within != NULL) {
        assert_ok(kv_scan(db, (kv_range){0}, script.open_within));
    }
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

const kv_engine fake_engine = {
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

int front_setup(void **state)
{
    static fixture f;
    script = (front_script){0};
    f = (fixture){.dir = test_make_dir()};
    f.options = (kv_options){.path = f.dir, .create = true};
    assert_ok(kv_open(&fake_engine, &f.options, &f.db));
    *state = &f;
    return 0;
}

int front_teardown(void **state)
{
    fixture *f = *state;
    kv_close(f->db);
    test_remove_dir(f->dir);
    return 0;
}
