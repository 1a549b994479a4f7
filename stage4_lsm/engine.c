// engine.c -- stage 4's door: what engine.h asks, told to the store.
// SPDX-License-Identifier: MIT

#include "common/engine_impl.h"
#include "common/workers.h"

#include "look.h"
#include "lsm.h"
#include "store.h"

enum {
    KNOB_MEMTABLE,
    KNOB_COMPACTION,
    KNOB_RATIO,
    KNOB_TIER,
    KNOB_LEVEL0,
    KNOB_TABLE,
    KNOB_GROWTH,
    KNOB_BLOCK,
    KNOB_COMPRESSION,
    KNOB_LAST_COMPRESSION,
    KNOB_BITS,
    KNOB_FILTER,
    KNOB_READ,
    KNOB_MANIFEST,
    KNOB_RATE,
    KNOB_PARALLEL,
    KNOB_BACKGROUND,
    KNOBS
};

static const kv_knob knobs[KNOBS] = {
    [KNOB_MEMTABLE] = {"memtable_bytes", 16 << 20, 256, 1 << 30, NULL,
                       "size at which the memtable is frozen, to be flushed"},
    [KNOB_COMPACTION] = {"compaction", LSM_LEVELED, 0, 1, "leveled tiered",
                         "keep one sorted run in each level, or several"},
    [KNOB_RATIO] = {"size_ratio", 10, 2, 100, NULL,
                    "leveled: how much larger each level is than the one "
                    "above"},
    [KNOB_TIER] = {"tier_runs", 4, 2, 100, NULL,
                   "tiered: runs that gather in a level before they are "
                   "merged"},
    [KNOB_LEVEL0] = {"level0_runs", 4, 1, 100, NULL,
                     "leveled: runs that gather in level 0 before they are "
                     "merged"},
    [KNOB_TABLE] = {"table_bytes", 8 << 20, 256, 1 << 30, NULL,
                    "size of a compaction's output tables in the last level"},
    [KNOB_GROWTH] = {"table_growth", 1, 1, 10, NULL,
                     "how many times larger tables are in each level than in "
                     "the one above"},
    [KNOB_BLOCK] = {"block_bytes", 4 << 10, 64, 1 << 20, NULL,
                    "size of a table's data blocks, before compression"},
    [KNOB_COMPRESSION] = {"compression", LSM_COMPRESS_LZ4, 0, 2,
                          "none lz4 zstd", "of data blocks"},
    [KNOB_LAST_COMPRESSION] = {"last_compression", 0, 0, 3,
                               "same none lz4 zstd",
                               "of data blocks in the last level"},
    [KNOB_BITS] = {"bits_per_key", 10, 0, 30, NULL,
                   "of the Bloom filters; 0: no filters"},
    [KNOB_FILTER] = {"filter", 0, 0, 1, "uniform monkey",
                     "give every level the same bits per key, or small "
                     "levels more"},
    [KNOB_READ] = {"read", 0, 0, 1, "copy map",
                   "copy blocks into the cache, or map the file"},
    [KNOB_MANIFEST] = {"manifest_bytes", 1 << 20, 256, 1 << 30, NULL,
                       "size at which the manifest is rolled over"},
    [KNOB_RATE] = {"rate_bytes", 0, 0, 1ull << 40, NULL,
                   "bytes a second that compactions write while nobody "
                   "waits for them, at most; 0: any"},
    [KNOB_PARALLEL] = {"parallel", 1, 1, LSM_JOBS_MAX, NULL,
                       "compactions under way at once"},
    [KNOB_BACKGROUND] = {"background", 1, 0, 4, NULL,
                         "threads that flush and compact; 0: writers do it"},
};

struct lsm_engine_store {
    kv base;
    lsm_store store;
    kv_workers workers;
};

struct lsm_engine_cursor {
    kv_cursor base;
    lsm_cursor cursor;
};

static struct lsm_engine_store *self_of(kv *db)
{
    return (struct lsm_engine_store *)db;
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
    lsm_store *s = &self_of(db)->store;
    kv_status st = judge(db, lsm_store_paced_step(s, did_work));
    if (st == KV_OK) return KV_OK;
    *did_work = false;
    return st == KV_NO_SPACE || st == KV_CORRUPT ? KV_OK : st;
}

static void wake_workers(void *arg, uint64_t in_ns)
{
    if (in_ns == 0) kv_workers_wake(arg);
    else kv_workers_wake_in(arg, in_ns);
}

// ---- open and close ---------------------------------------------------------

static lsm_shape make_shape(const kv *db, uint64_t memtable_bytes)
{
    bool is_tiered = db->knob[KNOB_COMPACTION] == LSM_TIERED;
    uint64_t runs = db->knob[is_tiered ? KNOB_TIER : KNOB_LEVEL0];
    return (lsm_shape){
        .policy = (lsm_policy)db->knob[KNOB_COMPACTION],
        .size_ratio = db->knob[is_tiered ? KNOB_TIER : KNOB_RATIO],
        .level0_runs = runs,
        .base_bytes = runs * memtable_bytes,
    };
}

static lsm_config make_config(const kv *db)
{
    uint64_t memtable = db->knob[KNOB_MEMTABLE];
    if (memtable > db->memory_bytes / 4) memtable = db->memory_bytes / 4;
    uint64_t last = db->knob[KNOB_LAST_COMPRESSION];
    return (lsm_config){
        .disk = db->disk,
        .store_id = db->store_id,
        .is_new = db->is_new,
        .read_only = db->read_only,
        .sync_commits = db->sync == KV_SYNC_COMMIT,
        .steps_inline = db->knob[KNOB_BACKGROUND] == 0,
        .use_map = db->knob[KNOB_READ] == 1,
        .memory_bytes = db->memory_bytes,
        .memtable_bytes = memtable,
        .frozen_max = 2,
        .manifest_bytes = db->knob[KNOB_MANIFEST],
        .rate_bytes = db->knob[KNOB_RATE],
        .parallel = (size_t)db->knob[KNOB_PARALLEL],
        .shape = make_shape(db, memtable),
        .table_bytes = db->knob[KNOB_TABLE],
        .table_growth = db->knob[KNOB_GROWTH],
        .block_bytes = (uint32_t)db->knob[KNOB_BLOCK],
        .compression = (lsm_compression)db->knob[KNOB_COMPRESSION],
        .last_compression =
            (lsm_compression)(last == 0 ? db->knob[KNOB_COMPRESSION]
                                        : last - 1),
        .bits_per_key = (double)db->knob[KNOB_BITS],
        .allots_bits = db->knob[KNOB_FILTER] == 1,
    };
}

static kv_status lsm_open(kv *db)
{
    struct lsm_engine_store *self = self_of(db);
    lsm_config config = make_config(db);
    config.wake = wake_workers;
    config.wake_arg = &self->workers;
    KV_TRY(lsm_store_open(&self->store, &config, &db->explain));
    if (!db->read_only) {
        kv_workers_open(&self->workers, (unsigned)db->knob[KNOB_BACKGROUND],
                        background_step, db);
    }
    return KV_OK;
}

static kv_status lsm_close(kv *db)
{
    struct lsm_engine_store *self = self_of(db);
    kv_workers_close(&self->workers);
    return lsm_store_close(&self->store);
}

// ---- reading and writing ----------------------------------------------------

static kv_status lsm_get(kv *db, kv_slice key, kv_buf *value)
{
    return lsm_store_get(&self_of(db)->store, key, value);
}

static kv_status lsm_get_many(kv *db, size_t count, const kv_slice *keys,
                              kv_buf *values, bool *found)
{
    return lsm_store_get_many(&self_of(db)->store, count, keys, values, found);
}

static kv_status lsm_write(kv *db, const kv_change *changes, size_t count)
{
    struct lsm_engine_store *self = self_of(db);
    uint64_t before = atomic_load(&self->store.freezes);
    kv_status st = judge(db, lsm_store_write(&self->store, changes, count));
    // A freeze means work.
    if (atomic_load(&self->store.freezes) != before) {
        kv_workers_wake(&self->workers);
    }
    return st;
}

static kv_status lsm_sync(kv *db)
{
    return judge(db, lsm_store_sync(&self_of(db)->store));
}

static kv_status lsm_maintain(kv *db, bool *did_work)
{
    return judge(db, lsm_store_settle_step(&self_of(db)->store, did_work));
}

static kv_status lsm_compact(kv *db, kv_slice from, kv_slice to)
{
    return judge(db, lsm_store_compact(&self_of(db)->store, from, to));
}

static kv_status lsm_backup(kv *db, kv_disk *target)
{
    return lsm_store_backup(&self_of(db)->store, target);
}

// ---- scanning ---------------------------------------------------------------

static kv_status lsm_scan(kv *db, kv_cursor *cursor)
{
    struct lsm_engine_cursor *c = (struct lsm_engine_cursor *)cursor;
    return lsm_cursor_open(&c->cursor, &self_of(db)->store, cursor->range.from,
                           cursor->range.to, cursor->range.reverse);
}

static kv_status lsm_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    return lsm_cursor_next(&((struct lsm_engine_cursor *)cursor)->cursor, key,
                           value);
}

static void lsm_end(kv_cursor *cursor)
{
    lsm_cursor_close(&((struct lsm_engine_cursor *)cursor)->cursor);
}

// ---- looking inside ---------------------------------------------------------

static void lsm_measure(kv *db, kv_stats *stats)
{
    lsm_memory memory;
    lsm_store_memory(&self_of(db)->store, &memory);
    stats->index_bytes = memory.tables;
    stats->memory_bytes = memory.used;
}

static kv_status lsm_inspect(kv *db, const char *what, kv_report *report)
{
    return lsm_look_inspect(&self_of(db)->store, what, report);
}

static kv_status lsm_check(kv *db, kv_report *report)
{
    return lsm_look_check(&self_of(db)->store, report);
}

const kv_engine lsm_engine = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "lsm",
             .title = "log-structured merge-tree",
             .book = "SSTables and LSM-Trees",
             .caps = KV_CAP_ORDERED | KV_CAP_KEYS_ON_DISK | KV_CAP_RECLAIMS |
                     KV_CAP_DURABLE | KV_CAP_SNAPSHOT | KV_CAP_RANGE_DELETE |
                     KV_CAP_BACKUP | KV_CAP_COMPACT,
             .key_max = LSM_KEY_MAX,
             .value_max = LSM_VALUE_MAX,
             .format_major = LSM_TABLE_MAJOR,
             .format_minor = LSM_TABLE_MINOR,
             .knobs = knobs,
             .knob_count = KNOBS},
    .store_size = sizeof(struct lsm_engine_store),
    .cursor_size = sizeof(struct lsm_engine_cursor),
    .open = lsm_open,
    .close = lsm_close,
    .get = lsm_get,
    .get_many = lsm_get_many,
    .write = lsm_write,
    .scan = lsm_scan,
    .next = lsm_next,
    .end = lsm_end,
    .measure = lsm_measure,
    .inspect = lsm_inspect,
    .check = lsm_check,
    .sync = lsm_sync,
    .maintain = lsm_maintain,
    .backup = lsm_backup,
    .compact = lsm_compact,
    .xray = lsm_xray,
};
