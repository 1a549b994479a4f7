// rocksdb.c -- yardstick: RocksDB, a log-structured merge-tree.
// SPDX-License-Identifier: MIT
//
// The memory budget as for LevelDB: a quarter for each of two memtables (at
// most 16 MiB), the rest for the block cache. A Bloom filter of 10 bits, no
// compression: the others have none. Two background threads, as the machine
// has two cores; the rest is the library's own choice.

#include <rocksdb/c.h>
#include <threads.h>
#include <time.h>

#include "common/mem.h"

#include "compare/yardsticks/refusing.h"
#include "compare/yardsticks/yardstick.h"

enum { BLOOM_BITS = 10, JOBS = 2, MEMTABLE_MAX = 16 << 20 };
enum { KNOB_COMPACTION };

static const kv_knob knobs[] = {
    [KNOB_COMPACTION] = {.name = "compaction",
                         .words = "leveled dynamic universal",
                         .max = 2,
                         .help = "dynamic: leveled with dynamic level sizes"},
};

struct rocks_store {
    kv base;
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_block_based_table_options_t *tables;
    rocksdb_cache_t *cache;
    rocksdb_readoptions_t *reading;
    rocksdb_writeoptions_t *writing;
};

struct rocks_cursor {
    kv_cursor base;
    rocksdb_iterator_t *iterator;
    bool is_begun;
};

// Takes over RocksDB's message.
static kv_status failed(const kv *db, const char *doing, char *message)
{
    if (message == NULL) return KV_OK;
    kv_status st =
        kv_fail(KV_IO, "%s: %s: RocksDB says %s", db->path, doing, message);
    rocksdb_free(message);
    return st;
}

static void set_options(struct rocks_store *store)
{
    kv *db = &store->base;
    size_t memtable = db->memory_bytes / 4;
    if (memtable > MEMTABLE_MAX) memtable = MEMTABLE_MAX;
    store->cache = rocksdb_cache_create_lru(db->memory_bytes - 2 * memtable);
    store->tables = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(store->tables, store->cache);
    rocksdb_block_based_options_set_filter_policy(
        store->tables, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS));
    store->options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(store->options, 1);
    rocksdb_options_set_write_buffer_size(store->options, memtable);
    rocksdb_options_set_compression(store->options, rocksdb_no_compression);
    rocksdb_options_increase_parallelism(store->options, JOBS);
    rocksdb_options_set_block_based_table_factory(store->options,
                                                  store->tables);
    if (db->knob[KNOB_COMPACTION] == 1) {
        rocksdb_options_set_level_compaction_dynamic_level_bytes(store->options,
                                                                 1);
    } else if (db->knob[KNOB_COMPACTION] == 2) {
        rocksdb_options_set_compaction_style(store->options,
                                             rocksdb_universal_compaction);
    }
}

static kv_status rocks_open(kv *db)
{
    struct rocks_store *store = (struct rocks_store *)db;
    set_options(store);
    store->reading = rocksdb_readoptions_create();
    store->writing = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(store->writing, db->sync == KV_SYNC_COMMIT);
    char *message = NULL;
    // In a directory of its own: it has a file IDENTITY, as every store here.
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/rocksdb%c", db->path, '\0');
    store->db = rocksdb_open(store->options, (char *)path.data, &message);
    kv_buf_free(&path);
    return failed(db, "open", message);
}

static kv_status rocks_close(kv *db)
{
    struct rocks_store *store = (struct rocks_store *)db;
    if (store->db != NULL) rocksdb_close(store->db);
    if (store->options == NULL) return KV_OK;
    rocksdb_options_destroy(store->options);
    rocksdb_block_based_options_destroy(store->tables);
    rocksdb_cache_destroy(store->cache);
    if (store->reading == NULL) return KV_OK;
    rocksdb_readoptions_destroy(store->reading);
    rocksdb_writeoptions_destroy(store->writing);
    return KV_OK;
}

static kv_status rocks_get(kv *db, kv_slice key, kv_buf *value)
{
    struct rocks_store *store = (struct rocks_store *)db;
    char *message = NULL;
    rocksdb_pinnableslice_t *found = rocksdb_get_pinned(
        store->db, store->reading, (const char *)key.data, key.len, &message);
    if (message != NULL) return failed(db, "get", message);
    if (found == NULL) return KV_NOT_FOUND;
    size_t len = 0;
    const char *bytes = rocksdb_pinnableslice_value(found, &len);
    kv_buf_set(value, kv_slice_of(bytes, len));
    rocksdb_pinnableslice_destroy(found);
    return KV_OK;
}

static kv_status rocks_write(kv *db, const kv_change *changes, size_t count)
{
    struct rocks_store *store = (struct rocks_store *)db;
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    for (size_t i = 0; i < count; i++) {
        kv_slice key = changes[i].key, value = changes[i].value;
        if (changes[i].kind == KV_PUT) {
            rocksdb_writebatch_put(batch, (const char *)key.data, key.len,
                                   (const char *)value.data, value.len);
        } else {
            rocksdb_writebatch_delete(batch, (const char *)key.data, key.len);
        }
    }
    char *message = NULL;
    rocksdb_write(store->db, store->writing, batch, &message);
    rocksdb_writebatch_destroy(batch);
    return failed(db, "write", message);
}

static kv_status rocks_sync(kv *db)
{
    struct rocks_store *store = (struct rocks_store *)db;
    char *message = NULL;
    rocksdb_flush_wal(store->db, 1, &message);
    return failed(db, "sync", message);
}

static kv_status rocks_scan(kv *db, kv_cursor *cursor)
{
    struct rocks_store *store = (struct rocks_store *)db;
    struct rocks_cursor *c = (struct rocks_cursor *)cursor;
    kv_slice from = cursor->range.from;
    if (cursor->range.reverse) return refuse_scan(db, cursor);
    c->iterator = rocksdb_create_iterator(store->db, store->reading);
    if (from.len == 0) rocksdb_iter_seek_to_first(c->iterator);
    else rocksdb_iter_seek(c->iterator, (const char *)from.data, from.len);
    return KV_OK;
}

static kv_status rocks_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    struct rocks_cursor *c = (struct rocks_cursor *)cursor;
    if (c->is_begun) rocksdb_iter_next(c->iterator);
    c->is_begun = true;
    if (!rocksdb_iter_valid(c->iterator)) {
        char *message = NULL;
        rocksdb_iter_get_error(c->iterator, &message);
        return message ? failed(cursor->db, "scan", message) : KV_END;
    }
    size_t len = 0;
    const char *bytes = rocksdb_iter_key(c->iterator, &len);
    *key = kv_slice_of(bytes, len);
    bytes = rocksdb_iter_value(c->iterator, &len);
    *value = kv_slice_of(bytes, len);
    kv_slice to = cursor->range.to;
    return to.len > 0 && kv_slice_cmp(*key, to) >= 0 ? KV_END : KV_OK;
}

static void rocks_end(kv_cursor *cursor)
{
    struct rocks_cursor *c = (struct rocks_cursor *)cursor;
    if (c->iterator != NULL) rocksdb_iter_destroy(c->iterator);
}

static uint64_t property(struct rocks_store *store, const char *name)
{
    uint64_t value = 0;
    rocksdb_property_int(store->db, name, &value);
    return value;
}

// All of settling: writes out what is in memory, then waits until the library
// finds nothing to compact.
static kv_status rocks_maintain(kv *db, bool *did_work)
{
    struct rocks_store *store = (struct rocks_store *)db;
    rocksdb_flushoptions_t *flush = rocksdb_flushoptions_create();
    char *message = NULL;
    rocksdb_flush(store->db, flush, &message);
    rocksdb_flushoptions_destroy(flush);
    while (property(store, "rocksdb.compaction-pending") != 0 ||
           property(store, "rocksdb.num-running-compactions") != 0) {
        thrd_sleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    *did_work = false;
    return failed(db, "flush", message);
}

static void rocks_measure(kv *db, kv_stats *stats) { (void)db, (void)stats; }

// The C interface has no call for it; the build was told by the package.
static const char *library(void) { return "RocksDB " CMP_ROCKSDB_VERSION; }

KV_API extern const kv_engine kv_engine_plugin;
const kv_engine kv_engine_plugin = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "rocksdb",
             .title = "RocksDB, a log-structured merge-tree",
             .book = "SSTables and LSM-Trees",
             .caps = KV_CAP_DURABLE | KV_CAP_ORDERED | KV_CAP_KEYS_ON_DISK |
                     KV_CAP_SNAPSHOT,
             .key_max = KV_KEY_MAX,
             .value_max = KV_VALUE_MAX,
             .format_major = 1,
             .knobs = knobs,
             .knob_count = sizeof knobs / sizeof *knobs},
    .store_size = sizeof(struct rocks_store),
    .cursor_size = sizeof(struct rocks_cursor),
    .open = rocks_open,
    .close = rocks_close,
    .get = rocks_get,
    .write = rocks_write,
    .sync = rocks_sync,
    .maintain = rocks_maintain,
    .scan = rocks_scan,
    .next = rocks_next,
    .end = rocks_end,
    .measure = rocks_measure,
    .inspect = refuse_inspect,
    .check = refuse_check,
};

KV_API extern const cmp_yardstick kv_yardstick;
const cmp_yardstick kv_yardstick = {library, CMP_BYTES_CALLS};
