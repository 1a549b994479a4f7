// engine.c -- stage 5's door: what engine.h asks, told to the store.
// SPDX-License-Identifier: MIT

#include "common/engine_impl.h"
#include "common/workers.h"

#include "backup.h"
#include "bt.h"
#include "cursor.h"
#include "look.h"
#include "store.h"
#include "xray.h"

enum {
    KNOB_PAGE,
    KNOB_JOURNAL,
    KNOB_TORN,
    KNOB_CHECKPOINT,
    KNOB_BACKGROUND,
    KNOBS
};

static const kv_knob knobs[KNOBS] = {
    [KNOB_PAGE] = {"page_bytes", 4 << 10, BT_PAGE_MIN, BT_PAGE_MAX, NULL,
                   "size of a new store's pages, rounded down to a power of "
                   "two; an old one keeps its own"},
    [KNOB_JOURNAL] = {"journal", 0, 0, 1, "log cow",
                      "of a new store: pages in place and a log, or copies; an "
                      "old one keeps its own"},
    [KNOB_TORN] = {"torn_pages", BT_TORN_REPAIR, 0, 2, "repair images unsafe",
                   "mend pages that a power cut tore: from the log's patches, "
                   "from page images in it, or not at all"},
    [KNOB_CHECKPOINT] = {"checkpoint_bytes", 64 << 20, 1 << 10, 1 << 30, NULL,
                         "of log, after which recovery need not begin before"},
    [KNOB_BACKGROUND] = {"background", 1, 0, 4, NULL,
                         "threads that write pages back; 0: writers do it"},
};

struct bt_engine_store {
    kv base;
    bt_store store;
    kv_workers workers;
};

struct bt_engine_cursor {
    kv_cursor base;
    bt_cursor cursor;
};

static struct bt_engine_store *self_of(kv *db)
{
    return (struct bt_engine_store *)db;
}

// A full disk is the writer's to hear of, who tries again when there is room;
// what leaves the disk in doubt ends all writing.
static kv_status judge(kv *db, kv_status st)
{
    if (st != KV_IO && !bt_store_in_doubt(&self_of(db)->store)) return st;
    return st == KV_OK ? st : kv_go_read_only(db, st);
}

static kv_status background_step(void *arg, bool *did_work)
{
    kv *db = arg;
    bt_store *s = &self_of(db)->store;
    *did_work = false;
    if (!bt_store_needs_step(s)) return KV_OK;
    kv_status st = judge(db, bt_store_step(s, false, false, did_work));
    if (st == KV_OK) return KV_OK;
    *did_work = false;
    return st == KV_NO_SPACE || st == KV_CORRUPT ? KV_OK : st;
}

// ---- open and close ---------------------------------------------------------

static uint32_t rounded_down(uint64_t page_bytes)
{
    uint32_t n = BT_PAGE_MIN;
    while (n <= page_bytes / 2) n *= 2;
    return n;
}

static kv_status bt_open(kv *db)
{
    struct bt_engine_store *self = self_of(db);
    bt_config config = {
        .disk = db->disk,
        .store_id = db->store_id,
        .is_new = db->is_new,
        .read_only = db->read_only,
        .sync_commits = db->sync == KV_SYNC_COMMIT,
        .steps_inline = db->knob[KNOB_BACKGROUND] == 0,
        .page_bytes = rounded_down(db->knob[KNOB_PAGE]),
        .is_cow = db->knob[KNOB_JOURNAL] == 1,
        .insists_on_page = kv_knob_is_given(db, KNOB_PAGE),
        .insists_on_journal = kv_knob_is_given(db, KNOB_JOURNAL),
        .torn = (bt_torn)db->knob[KNOB_TORN],
        .checkpoint_bytes = db->knob[KNOB_CHECKPOINT],
        .memory_bytes = db->memory_bytes,
    };
    KV_TRY(bt_store_open(&self->store, &config, &db->explain));
    db->read_only = self->store.config.read_only;
    db->key_max = bt_key_max(self->store.config.page_bytes);
    if (!db->read_only && !self->store.config.is_cow) {
        kv_workers_open(&self->workers, (unsigned)db->knob[KNOB_BACKGROUND],
                        background_step, db);
    }
    return KV_OK;
}

static kv_status bt_close(kv *db)
{
    struct bt_engine_store *self = self_of(db);
    kv_workers_close(&self->workers);
    return bt_store_close(&self->store);
}

// ---- reading and writing ----------------------------------------------------

static kv_status bt_get(kv *db, kv_slice key, kv_buf *value)
{
    return bt_store_get(&self_of(db)->store, key, value);
}

static kv_status bt_get_many(kv *db, size_t count, const kv_slice *keys,
                             kv_buf *values, bool *found)
{
    return bt_store_get_many(&self_of(db)->store, count, keys, values, found);
}

static kv_status bt_write(kv *db, const kv_change *changes, size_t count)
{
    struct bt_engine_store *self = self_of(db);
    kv_status st = judge(db, bt_store_write(&self->store, changes, count));
    if (!self->store.config.steps_inline && bt_store_needs_step(&self->store)) {
        kv_workers_wake(&self->workers);
    }
    return st;
}

static kv_status bt_sync(kv *db)
{
    return judge(db, bt_store_sync(&self_of(db)->store));
}

static kv_status bt_maintain(kv *db, bool *did_work)
{
    return judge(db, bt_store_step(&self_of(db)->store, true, false, did_work));
}

static kv_status bt_copy(kv *db, kv_disk *target)
{
    return bt_backup(&self_of(db)->store, target);
}

// ---- scanning ---------------------------------------------------------------

static kv_status bt_scan(kv *db, kv_cursor *cursor)
{
    struct bt_engine_cursor *c = (struct bt_engine_cursor *)cursor;
    return bt_cursor_open(&c->cursor, &self_of(db)->store, cursor->range.from,
                          cursor->range.to, cursor->range.reverse);
}

static kv_status bt_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    return bt_cursor_next(&((struct bt_engine_cursor *)cursor)->cursor, key,
                          value);
}

static void bt_end(kv_cursor *cursor)
{
    bt_cursor_close(&((struct bt_engine_cursor *)cursor)->cursor);
}

// ---- looking inside ---------------------------------------------------------

static void bt_measure(kv *db, kv_stats *stats)
{
    bt_store *s = &self_of(db)->store;
    stats->memory_bytes = bt_cache_memory(&s->cache);
    stats->key_count = 0;
}

static kv_status bt_inspect(kv *db, const char *what, kv_report *report)
{
    if (what != NULL && strcmp(what, "metrics") == 0) {
        kv_stats stats;
        kv_stats_read(db, &stats);
        return bt_look_metrics(&self_of(db)->store, &stats, report);
    }
    return bt_look_inspect(&self_of(db)->store, what, report);
}

static kv_status bt_check(kv *db, kv_report *report)
{
    return bt_look_check(&self_of(db)->store, report);
}

const kv_engine bt_engine = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "bt",
             .title = "B+tree of pages, with a write-ahead log",
             .book = "B-Trees",
             .caps = KV_CAP_ORDERED | KV_CAP_KEYS_ON_DISK | KV_CAP_RECLAIMS |
                     KV_CAP_DURABLE | KV_CAP_SNAPSHOT | KV_CAP_BACKUP,
             .key_max = BT_PAGE_MAX / 4 - 32,
             .value_max = KV_VALUE_MAX,
             .format_major = BT_FORMAT_MAJOR,
             .format_minor = BT_FORMAT_MINOR,
             .knobs = knobs,
             .knob_count = KNOBS},
    .store_size = sizeof(struct bt_engine_store),
    .cursor_size = sizeof(struct bt_engine_cursor),
    .open = bt_open,
    .close = bt_close,
    .get = bt_get,
    .write = bt_write,
    .scan = bt_scan,
    .next = bt_next,
    .end = bt_end,
    .measure = bt_measure,
    .inspect = bt_inspect,
    .check = bt_check,
    .get_many = bt_get_many,
    .xray = bt_xray,
    .sync = bt_sync,
    .maintain = bt_maintain,
    .backup = bt_copy,
};
