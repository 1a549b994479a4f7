// toy.c -- see toy.h.
// SPDX-License-Identifier: MIT

#include "tests/crash/toy.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/engine_impl.h"
#include "common/recordlog.h"

enum { KNOB_BUG, KNOB_BACKGROUND };
enum { KEYS_MAX = 32, NAME_BYTES = 24 };

typedef struct toy_entry {
    kv_buf key, value;
    bool is_there;
} toy_entry;

typedef struct toy_store {
    kv base;
    toy_entry entry[KEYS_MAX];
    size_t count;
    kv_recordlog log;
    uint64_t number; // of the log
} toy_store;

typedef struct toy_cursor {
    kv_cursor base;
    size_t next;
} toy_cursor;

static const kv_knob knobs[] = {
    [KNOB_BUG] = {"bug", TOY_SOUND, 0, TOY_BUGS - 1,
                  "sound no_sync no_dir_sync split_batch hole early_remove "
                  "forgetful",
                  "the step that is left out"},
    [KNOB_BACKGROUND] = {"background", 1, 0, 4, NULL,
                         "threads of a store that has none"},
};

static const kv_why why = {KV_FOR_WAL, false};

static toy_store *store_of(kv *db) { return (toy_store *)db; }

static bool has(const toy_store *s, toy_bug bug)
{
    return s->base.knob[KNOB_BUG] == (uint64_t)bug;
}

// ---- in memory --------------------------------------------------------------

static toy_entry *find(toy_store *s, kv_slice key)
{
    for (size_t i = 0; i < s->count; i++) {
        if (kv_slice_equal(kv_buf_slice(&s->entry[i].key), key)) {
            return &s->entry[i];
        }
    }
    return NULL;
}

static kv_status apply(toy_store *s, bool is_put, kv_slice key, kv_slice value)
{
    toy_entry *e = find(s, key);
    if (e == NULL) {
        if (s->count == KEYS_MAX) return kv_fail(KV_TOO_BIG, "the toy is full");
        e = &s->entry[s->count++];
        kv_buf_set(&e->key, key);
    }
    kv_buf_set(&e->value, value);
    e->is_there = is_put;
    return KV_OK;
}

// ---- in the log -------------------------------------------------------------
//
//   payload   'P' or 'D', length of the key, key, value

static void log_change(toy_store *s, bool is_put, kv_slice key, kv_slice value,
                       bool more)
{
    kv_buf payload = {0};
    kv_buf_printf(&payload, "%c%c", is_put ? 'P' : 'D', (int)key.len);
    kv_buf_append(&payload, key);
    kv_buf_append(&payload, value);
    (void)kv_recordlog_add(&s->log, kv_buf_slice(&payload), more);
    kv_buf_free(&payload);
}

static kv_status replay(void *arg, uint64_t offset, const kv_record *record)
{
    kv_slice p = record->payload;
    if (p.len < 2 || p.len < 2u + p.data[1]) {
        return kv_fail(KV_CORRUPT, "a toy's record at byte %" PRIu64, offset);
    }
    size_t len = p.data[1];
    return apply(arg, p.data[0] == 'P', kv_slice_of(p.data + 2, len),
                 kv_slice_of(p.data + 2 + len, p.len - 2 - len));
}

static bool number_of(const char *name, uint64_t *number)
{
    return sscanf(name, "toy%" SCNu64, number) == 1; // NOLINT(cert-err34-c)
}

static kv_status replay_file(toy_store *s, const char *name)
{
    kv_file *f = NULL;
    kv_recovery found;
    kv_recordlog_id expect = {"TOY ", s->base.store_id, s->number, 0,
                              KV_FRAMING_BINARY};
    KV_TRY(kv_file_open(s->base.disk, name, (kv_open_how){.mode = KV_OPEN_READ},
                        why, &f));
    kv_status st = kv_recordlog_recover(f, &expect, replay, s, why, &found);
    kv_file_close(f);
    return st;
}

static kv_status start_log(toy_store *s)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "toy%06" PRIu64, ++s->number);
    kv_recordlog_id id = {"TOY ", s->base.store_id, s->number, 0,
                          KV_FRAMING_BINARY};
    KV_TRY(kv_recordlog_create(&s->log, s->base.disk, name, &id, 0, why));
    return has(s, TOY_NO_DIR_SYNC) ? KV_OK
                                   : kv_disk_sync_dir(s->base.disk, why);
}

static kv_status write_snapshot(toy_store *s)
{
    size_t left = 0;
    for (size_t i = 0; i < s->count; i++) left += s->entry[i].is_there;
    for (size_t i = 0; i < s->count; i++) {
        const toy_entry *e = &s->entry[i];
        if (!e->is_there) continue;
        log_change(s, true, kv_buf_slice(&e->key), kv_buf_slice(&e->value),
                   --left > 0);
    }
    return kv_recordlog_flush(&s->log, why);
}

static kv_status open_logs(toy_store *s, const kv_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!number_of(names->name[i], &s->number)) continue;
        KV_TRY(replay_file(s, names->name[i]));
    }
    uint64_t last = s->number, number = 0;
    KV_TRY(start_log(s));
    KV_TRY(write_snapshot(s));
    if (!has(s, TOY_EARLY_REMOVE)) KV_TRY(kv_recordlog_sync(&s->log, why));
    for (size_t i = 0; i < names->count; i++) {
        if (!number_of(names->name[i], &number) || number > last) continue;
        KV_TRY(kv_disk_remove(s->base.disk, names->name[i], why));
    }
    return KV_OK;
}

static kv_status toy_open(kv *db)
{
    kv_names names = {0};
    KV_TRY(kv_disk_list(db->disk, &names));
    kv_status st = open_logs(store_of(db), &names);
    kv_names_free(&names);
    return st;
}

static kv_status toy_sync(kv *db)
{
    toy_store *s = store_of(db);
    kv_status st = kv_recordlog_sync(&s->log, why);
    return st == KV_OK ? st : kv_go_read_only(db, st);
}

static kv_status toy_close(kv *db)
{
    toy_store *s = store_of(db);
    kv_status st = KV_OK;
    if (s->log.file != NULL) {
        if (s->log.synced_size < s->log.size) st = toy_sync(db);
        kv_status closed = kv_recordlog_close(&s->log);
        if (st == KV_OK) st = closed;
    }
    for (size_t i = 0; i < s->count; i++) {
        kv_buf_free(&s->entry[i].key);
        kv_buf_free(&s->entry[i].value);
    }
    return st;
}

static kv_status toy_write(kv *db, const kv_change *changes, size_t count)
{
    toy_store *s = store_of(db);
    for (size_t i = 0; i < count; i++) {
        bool is_put = changes[i].kind == KV_PUT;
        if (!is_put && has(s, TOY_FORGETFUL)) continue;
        bool more =
            i + 1 < count && !has(s, TOY_SPLIT_BATCH) && !has(s, TOY_FORGETFUL);
        log_change(s, is_put, changes[i].key, changes[i].value, more);
    }
    kv_status st = kv_recordlog_flush(&s->log, why);
    if (st == KV_NO_SPACE) kv_recordlog_drop_pending(&s->log);
    else if (st != KV_OK) return kv_go_read_only(db, st);
    if (st == KV_OK && db->sync == KV_SYNC_COMMIT && !has(s, TOY_NO_SYNC)) {
        st = toy_sync(db);
    }
    for (size_t i = 0; i < count && st == KV_OK; i++) {
        st = apply(s, changes[i].kind == KV_PUT, changes[i].key,
                   changes[i].value);
    }
    return st;
}

// Housekeeping: the next log.
static kv_status toy_maintain(kv *db, bool *did_work)
{
    toy_store *s = store_of(db);
    *did_work = false;
    if (s->log.size < 400) return KV_OK;
    if (!has(s, TOY_HOLE)) KV_TRY(kv_recordlog_sync(&s->log, why));
    KV_TRY(kv_recordlog_close(&s->log));
    *did_work = true;
    return start_log(s);
}

// ---- reading ----------------------------------------------------------------

static kv_status toy_get(kv *db, kv_slice key, kv_buf *value)
{
    const toy_entry *e = find(store_of(db), key);
    if (e == NULL || !e->is_there) return KV_NOT_FOUND;
    kv_buf_set(value, kv_buf_slice(&e->value));
    return KV_OK;
}

static kv_status toy_scan(kv *db, kv_cursor *cursor)
{
    (void)db, (void)cursor;
    return KV_OK;
}

static kv_status toy_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    toy_cursor *c = (toy_cursor *)cursor;
    const toy_store *s = store_of(cursor->db);
    while (c->next < s->count && !s->entry[c->next].is_there) c->next++;
    if (c->next == s->count) return KV_END;
    *key = kv_buf_slice(&s->entry[c->next].key);
    *value = kv_buf_slice(&s->entry[c->next++].value);
    return KV_OK;
}

static void toy_end(kv_cursor *cursor) { (void)cursor; }

static void toy_measure(kv *db, kv_stats *stats)
{
    stats->key_count = store_of(db)->count;
}

static kv_status toy_inspect(kv *db, const char *what, kv_report *report)
{
    (void)what;
    kv_report_count(report, "keys", store_of(db)->count);
    return KV_OK;
}

static kv_status toy_check(kv *db, kv_report *report)
{
    return toy_inspect(db, NULL, report);
}

const kv_engine toy_engine = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "toy",
             .title = "a store of one screen",
             .book = "none",
             .caps = KV_CAP_DURABLE,
             .key_max = 200,
             .value_max = 1 << 20,
             .format_major = 1,
             .knobs = knobs,
             .knob_count = sizeof knobs / sizeof knobs[0]},
    .store_size = sizeof(toy_store),
    .cursor_size = sizeof(toy_cursor),
    .open = toy_open,
    .close = toy_close,
    .get = toy_get,
    .write = toy_write,
    .scan = toy_scan,
    .next = toy_next,
    .end = toy_end,
    .measure = toy_measure,
    .inspect = toy_inspect,
    .check = toy_check,
    .sync = toy_sync,
    .maintain = toy_maintain,
};
