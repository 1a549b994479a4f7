// engine.c -- stage 3's door: what engine.h asks, told to the store.
// SPDX-License-Identifier: MIT

#include "common/engine_impl.h"
#include "common/workers.h"

#include "look.h"
#include "sst.h"
#include "store.h"

enum {
    KNOB_MEMTABLE,
    KNOB_INDEX,
    KNOB_MERGE,
    KNOB_EVERY,
    KNOB_FORMAT,
    KNOB_READ,
    KNOB_BACKGROUND,
    KNOBS
};

static const kv_knob knobs[KNOBS] = {
    [KNOB_MEMTABLE] = {"memtable_bytes", 16 << 20, 1 << 10, 1 << 30, NULL,
                       "size at which the memtable is flushed to a segment"},
    [KNOB_INDEX] = {"index_bytes", 4 << 10, 64, 1 << 20, NULL,
                    "one entry of the sparse index per so many bytes"},
    [KNOB_MERGE] = {"merge", SST_MERGE_EVERY, 0, 2, "every all never",
                    "merge segments when `every` of them have gathered, at "
                    "all flushes, or never"},
    [KNOB_EVERY] = {"every", 4, 2, 1000, NULL,
                    "with merge=every: how many segments gather first"},
    [KNOB_FORMAT] = {"format", 0, 0, 1, "binary text",
                     "of a new store's files; an old one keeps its own"},
    [KNOB_READ] = {"read", 0, 0, 1, "copy map",
                   "copy an interval with a read, or map the file"},
    [KNOB_BACKGROUND] = {"background", 1, 0, 4, NULL,
                         "threads that flush and merge; 0: writers do it"},
};

struct sst_engine_store {
    kv base;
    sst_store store;
    kv_workers workers;
};

struct sst_engine_cursor {
    kv_cursor base;
    sst_cursor cursor;
};

static struct sst_engine_store *self_of(kv *db)
{
    return (struct sst_engine_store *)db;
}

// A full disk is the writer's to hear of, who tries again when there is room;
// what else fails on the disk leaves it in doubt.
static kv_status judge(kv *db, kv_status st)
{
    return st == KV_IO ? kv_go_read_only(db, st) : st;
}

static kv_status background_step(void *arg, bool *did_work)
{
    kv *db = arg;
    kv_status st = judge(db, sst_store_step(&self_of(db)->store, did_work));
    if (st == KV_OK) return KV_OK;
    *did_work = false;
    return st == KV_NO_SPACE || st == KV_CORRUPT ? KV_OK : st;
}

// ---- open and close ---------------------------------------------------------

static kv_status sst_open(kv *db)
{
    struct sst_engine_store *self = self_of(db);
    uint64_t memtable = db->knob[KNOB_MEMTABLE];
    // Two memtables, and as much again for indexes and what merges hold.
    uint64_t quarter = db->memory_bytes / 4;
    sst_config config = {
        .disk = db->disk,
        .store_id = db->store_id,
        .is_new = db->is_new,
        .read_only = db->read_only,
        .sync_commits = db->sync == KV_SYNC_COMMIT,
        .steps_inline = db->knob[KNOB_BACKGROUND] == 0,
        .use_map = db->knob[KNOB_READ] == 1,
        .is_text = db->knob[KNOB_FORMAT] == 1,
        .insists_on_format = kv_knob_is_given(db, KNOB_FORMAT),
        .memtable_bytes = memtable < quarter ? memtable : quarter,
        .index_bytes = db->knob[KNOB_INDEX],
        .merge = (sst_merge_policy)db->knob[KNOB_MERGE],
        .every = db->knob[KNOB_EVERY],
    };
    KV_TRY(sst_store_open(&self->store, &config, &db->explain));
    if (!db->read_only) {
        kv_workers_open(&self->workers, (unsigned)db->knob[KNOB_BACKGROUND],
                        background_step, db);
    }
    return KV_OK;
}

static kv_status sst_close(kv *db)
{
    struct sst_engine_store *self = self_of(db);
    kv_workers_close(&self->workers);
    return sst_store_close(&self->store);
}

// ---- reading and writing ----------------------------------------------------

static kv_status sst_get(kv *db, kv_slice key, kv_buf *value)
{
    return sst_store_get(&self_of(db)->store, key, value);
}

static kv_status sst_write(kv *db, const kv_change *changes, size_t count)
{
    struct sst_engine_store *self = self_of(db);
    uint64_t log_before = atomic_load(&self->store.next_number);
    kv_status st = judge(db, sst_store_write(&self->store, changes, count));
    // A new number means a freeze, and so work.
    if (atomic_load(&self->store.next_number) != log_before) {
        kv_workers_wake(&self->workers);
    }
    return st;
}

static kv_status sst_sync(kv *db)
{
    return judge(db, sst_store_sync(&self_of(db)->store));
}

static kv_status sst_maintain(kv *db, bool *did_work)
{
    return judge(db, sst_store_settle_step(&self_of(db)->store, did_work));
}

static kv_status sst_backup(kv *db, kv_disk *target)
{
    return sst_store_backup(&self_of(db)->store, target);
}

// ---- scanning ---------------------------------------------------------------

static kv_status sst_scan(kv *db, kv_cursor *cursor)
{
    struct sst_engine_cursor *c = (struct sst_engine_cursor *)cursor;
    return sst_cursor_open(&c->cursor, &self_of(db)->store, cursor->range.from,
                           cursor->range.to, cursor->range.reverse);
}

static kv_status sst_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    return sst_cursor_next(&((struct sst_engine_cursor *)cursor)->cursor, key,
                           value);
}

static void sst_end(kv_cursor *cursor)
{
    sst_cursor_close(&((struct sst_engine_cursor *)cursor)->cursor);
}

// ---- looking inside ---------------------------------------------------------

static void sst_measure(kv *db, kv_stats *stats)
{
    sst_view *view = sst_store_view(&self_of(db)->store);
    for (size_t i = 0; i < view->count; i++) {
        stats->index_bytes += sst_segment_index_bytes(view->segments[i]);
    }
    stats->memory_bytes = stats->index_bytes + sst_memtable_bytes(view->active);
    if (view->frozen != NULL) {
        stats->memory_bytes += sst_memtable_bytes(view->frozen);
    }
    sst_view_unref(view);
}

static kv_status sst_inspect(kv *db, const char *what, kv_report *report)
{
    return sst_look_inspect(&self_of(db)->store, what, report);
}

static kv_status sst_check(kv *db, kv_report *report)
{
    return sst_look_check(&self_of(db)->store, report);
}

const kv_engine sst_engine = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "sst",
             .title = "sorted segments with a sparse index",
             .book = "SSTables and LSM-Trees",
             .caps = KV_CAP_ORDERED | KV_CAP_KEYS_ON_DISK | KV_CAP_RECLAIMS |
                     KV_CAP_DURABLE | KV_CAP_SNAPSHOT | KV_CAP_BACKUP,
             .key_max = KV_KEY_MAX,
             .value_max = SST_VALUE_MAX,
             .format_major = SST_FORMAT_MAJOR,
             .format_minor = SST_FORMAT_MINOR,
             .knobs = knobs,
             .knob_count = KNOBS},
    .store_size = sizeof(struct sst_engine_store),
    .cursor_size = sizeof(struct sst_engine_cursor),
    .open = sst_open,
    .close = sst_close,
    .get = sst_get,
    .write = sst_write,
    .scan = sst_scan,
    .next = sst_next,
    .end = sst_end,
    .measure = sst_measure,
    .inspect = sst_inspect,
    .check = sst_check,
    .sync = sst_sync,
    .maintain = sst_maintain,
    .backup = sst_backup,
    .xray = sst_xray,
};
