// engine.c -- the log engine: its knobs, and the door to its parts.
// SPDX-License-Identifier: MIT
//
//   put, del, batch ─▶ write.c          get, get_many ─▶ find.c
//   merge, sync, backup, close ─▶ house.c        scan ─▶ scan.c
//   inspect ─▶ look.c     check ─▶ check.c        xray ─▶ xray.c
//
// Book: hash indexes

#include "common/mem.h"
#include "common/rng.h"

#include "log.h"
#include "recover.h"
#include "store.h"

static const kv_knob knobs[LOG_KNOBS] = {
    [LOG_KNOB_INDEX] = {.name = "index",
                        .max = LOG_INDEX_OFF,
                        .words = "hash off",
                        .help = "keep places of keys in memory, or read the "
                                "log for each lookup"},
    [LOG_KNOB_FORMAT] = {.name = "format",
                         .max = LOG_FORMAT_TEXT,
                         .words = "auto binary text",
                         .help = "of the files: auto is what is there, and "
                                 "binary in a new store"},
    [LOG_KNOB_READ] = {.name = "read",
                       .max = LOG_READ_MAP,
                       .words = "copy map",
                       .help = "copy records with a read, or map the files"},
    [LOG_KNOB_SEGMENT_BYTES] = {.name = "segment_bytes",
                                .max = 512 << 20,
                                .help = "size at which a segment is closed; 0: "
                                        "a 64th of the store, at least 8MiB"},
    [LOG_KNOB_MERGE] = {.name = "merge",
                        .max = LOG_MERGE_NEVER,
                        .words = "segment all never",
                        .help = "clean the emptiest segments, or rewrite all, "
                                "or keep the dead"},
    [LOG_KNOB_GARBAGE_PERCENT] = {.name = "garbage_percent",
                                  .max = 95,
                                  .help = "garbage in the log that starts a "
                                          "merge; 0: 25 for segment, 50 for "
                                          "all"},
    [LOG_KNOB_BACKGROUND] = {.name = "background",
                             .value = 1,
                             .max = 4,
                             .help = "threads that merge; 0: writers do it"},
    [LOG_KNOB_HINTS] = {.name = "hints",
                        .value = 1,
                        .max = 1,
                        .words = "off on",
                        .help = "save the index at close for a fast start"},
};

// ---- open -------------------------------------------------------------------

static kv_status check_format(const log_store *store)
{
    static const char *const words[] = {"binary", "text"};
    uint64_t wanted = log_knob_of(store, LOG_KNOB_FORMAT);
    kv_framing found = store->segments.framing;
    if (wanted == LOG_FORMAT_AUTO || store->segments.count == 0 ||
        (wanted == LOG_FORMAT_TEXT) == (found == KV_FRAMING_TEXT)) {
        return KV_OK;
    }
    return kv_fail(KV_INVALID,
                   "%s: the store is in format=%s, and a store keeps the "
                   "format it began with; leave format out, or begin a new "
                   "store",
                   store->base.path, words[found == KV_FRAMING_TEXT]);
}

static void set_up(log_store *store)
{
    kv *db = &store->base;
    bool is_text = log_knob_of(store, LOG_KNOB_FORMAT) == LOG_FORMAT_TEXT;
    bool has_index = log_knob_of(store, LOG_KNOB_INDEX) == LOG_INDEX_HASH;
    log_index_init(&store->index);
    log_segments_init(&store->segments, db->disk, db->store_id,
                      is_text ? KV_FRAMING_TEXT : KV_FRAMING_BINARY,
                      log_knob_of(store, LOG_KNOB_READ) == LOG_READ_MAP);
    // The hash has to be the same after a restart, for the hint file: so its
    // seed is the store's, which is random and leaves the store nowhere.
    store->finder = (log_finder){.index = has_index ? &store->index : NULL,
                                 .segments = &store->segments,
                                 .seed = kv_mix64(db->store_id),
                                 .explain = &db->explain};
    store->old.view.bytes = &store->old_bytes;
    store->round_from = 1;
    kv_mutex_init(&store->work_lock);
    kv_commit_open(&store->line, log_write_group, store);
    store->merge.finder = &store->finder;
    store->merge.line = &store->line;
}

static kv_status recover(log_store *store)
{
    log_recovery recovery = {.finder = &store->finder,
                             .uses_hints =
                                 log_knob_of(store, LOG_KNOB_HINTS) != 0 &&
                                 store->finder.index != NULL};
    kv_status st = log_recover(&recovery);
    if (st == KV_OK) st = check_format(store);
    if (st == KV_OK && !store->base.read_only)
        st = log_recovery_tidy(&recovery);
    atomic_store(&store->unsealed, recovery.unsealed);
    store->hint_says = recovery.hint_says;
    store->opened_records = recovery.records;
    store->opened_bytes = recovery.read_bytes;
    store->torn_bytes = recovery.torn_bytes;
    if (recovery.records > 0) atomic_store(&store->is_changed, true);
    log_recovery_free(&recovery);
    return st;
}

static kv_status log_open(kv *db)
{
    log_store *store = log_store_of(db);
    set_up(store);
    KV_TRY(recover(store));
    if (db->read_only) return KV_OK;
    if (store->unsealed != NULL) {
        // Without room for it the store opens all the same: reading works, and
        // the first write tries again.
        kv_status st = log_house_finish_recovery(store);
        if (st != KV_OK && st != KV_NO_SPACE) return st;
    }
    store->is_recovered = true;
    kv_workers_open(&store->workers,
                    (unsigned)log_knob_of(store, LOG_KNOB_BACKGROUND),
                    log_house_step, store);
    return KV_OK;
}

// ---- get --------------------------------------------------------------------

// The record was read into `value`, or mapped; only its value is to stay.
static void keep_value(kv_buf *value, kv_slice found)
{
    bool is_inside = value->data != NULL && found.data >= value->data &&
                     found.data < value->data + value->cap;
    if (is_inside) {
        memmove(value->data, found.data, found.len);
        value->len = found.len;
    } else {
        kv_buf_set(value, found);
    }
}

static kv_status get_hashed(log_store *store, kv_slice key, uint64_t hash,
                            kv_buf *value)
{
    log_record record = {.view.bytes = value};
    KV_TRY(log_find(&store->finder, key, hash, kv_for(KV_FOR_READ), &record));
    keep_value(value, record.view.entry.value);
    log_record_end(&record);
    kv_buf_free(&record.view.text);
    return KV_OK;
}

static kv_status log_get(kv *db, kv_slice key, kv_buf *value)
{
    log_store *store = log_store_of(db);
    if (!KV_LIKELY(store->finder.index != NULL)) {
        return log_find_by_reading(&store->finder, key, value);
    }
    return get_hashed(store, key, log_hash(&store->finder, key), value);
}

// The index's memory for all keys is asked for before the first is looked up,
// and mapped records' before the first is read.
static kv_status log_get_many(kv *db, size_t count, const kv_slice *keys,
                              kv_buf *values, bool *found)
{
    enum { AHEAD = 16 };
    log_store *store = log_store_of(db);
    uint64_t hash[AHEAD];
    for (size_t from = 0; from < count; from += AHEAD) {
        size_t n = count - from < AHEAD ? count - from : AHEAD;
        for (size_t i = 0; i < n && store->finder.index != NULL; i++) {
            hash[i] = log_hash(&store->finder, keys[from + i]);
            log_index_prefetch(&store->index, hash[i]);
        }
        for (size_t i = 0; i < n && store->segments.maps; i++) {
            if (store->finder.index == NULL) break;
            log_find_prefetch(&store->finder, hash[i]);
        }
        for (size_t i = from; i < from + n; i++) {
            kv_status st =
                store->finder.index != NULL
                    ? get_hashed(store, keys[i], hash[i - from], &values[i])
                    : log_get(db, keys[i], &values[i]);
            if (st != KV_OK && st != KV_NOT_FOUND) return st;
            found[i] = st == KV_OK;
        }
    }
    return KV_OK;
}

// ---- write ------------------------------------------------------------------

static kv_status log_write(kv *db, const kv_change *changes, size_t count)
{
    log_store *store = log_store_of(db);
    if (!KV_LIKELY(atomic_load(&store->unsealed) == NULL)) {
        KV_TRY(log_house_finish_recovery(store));
    }
    KV_TRY(kv_commit(&store->line, changes, count));
    // The write is done. What fails in the house now, the next write reports.
    (void)log_house_look(store);
    return KV_OK;
}

const kv_engine log_engine = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "log",
             .title = "append-only log with a hash index in memory",
             .book = "hash indexes",
             .caps = KV_CAP_DURABLE | KV_CAP_RECLAIMS | KV_CAP_BACKUP,
             .key_max = LOG_KEY_MAX,
             .value_max = LOG_VALUE_MAX,
             .format_major = 1,
             .format_minor = 0,
             .knobs = knobs,
             .knob_count = LOG_KNOBS},
    .store_size = sizeof(log_store),
    .cursor_size = sizeof(log_cursor),
    .open = log_open,
    .close = log_close,
    .get = log_get,
    .write = log_write,
    .scan = log_scan,
    .next = log_next,
    .end = log_end,
    .measure = log_measure,
    .inspect = log_inspect,
    .check = log_check,
    .get_many = log_get_many,
    .sync = log_sync,
    .maintain = log_maintain,
    .backup = log_backup,
    .xray = log_xray,
};
