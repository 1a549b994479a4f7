// leveldb.c -- yardstick: LevelDB, a log-structured merge-tree.
// SPDX-License-Identifier: MIT
//
// The memory budget is divided in the library's own proportion: a third for
// the memtable (as there are two of them, and it is written in whole), the rest
// for the block cache. A Bloom filter of 10 bits, no compression: the others
// have none. Its compactions run on its own thread, so its counts of bytes vary
// a little from run to run.

#include <leveldb/c.h>
#include <stdio.h>

#include "common/mem.h"

#include "compare/yardsticks/refusing.h"
#include "compare/yardsticks/yardstick.h"

enum { BLOOM_BITS = 10, FILES = 1000, MEMTABLE_MAX = 16 << 20 };

struct level_store {
    kv base;
    leveldb_t *db;
    leveldb_options_t *options;
    leveldb_cache_t *cache;
    leveldb_filterpolicy_t *filter;
    leveldb_readoptions_t *reading;
    leveldb_writeoptions_t *writing;
};

struct level_cursor {
    kv_cursor base;
    leveldb_iterator_t *iterator;
    bool is_begun;
};

// Takes over LevelDB's message.
static kv_status failed(const kv *db, const char *doing, char *message)
{
    if (message == NULL) return KV_OK;
    kv_status st =
        kv_fail(KV_IO, "%s: %s: LevelDB says %s", db->path, doing, message);
    leveldb_free(message);
    return st;
}

static kv_status level_open(kv *db)
{
    struct level_store *store = (struct level_store *)db;
    size_t memtable = db->memory_bytes / 3;
    if (memtable > MEMTABLE_MAX) memtable = MEMTABLE_MAX;
    store->cache = leveldb_cache_create_lru(db->memory_bytes - 2 * memtable);
    store->filter = leveldb_filterpolicy_create_bloom(BLOOM_BITS);
    store->options = leveldb_options_create();
    leveldb_options_set_create_if_missing(store->options, 1);
    leveldb_options_set_write_buffer_size(store->options, memtable);
    leveldb_options_set_cache(store->options, store->cache);
    leveldb_options_set_filter_policy(store->options, store->filter);
    leveldb_options_set_compression(store->options, leveldb_no_compression);
    leveldb_options_set_max_open_files(store->options, FILES);
    store->reading = leveldb_readoptions_create();
    store->writing = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(store->writing, db->sync == KV_SYNC_COMMIT);
    char *message = NULL;
    // In the store's own directory: it passes over names it does not know, and
    // so do we.
    store->db = leveldb_open(store->options, db->path, &message);
    return failed(db, "open", message);
}

static kv_status level_close(kv *db)
{
    struct level_store *store = (struct level_store *)db;
    if (store->db != NULL) leveldb_close(store->db);
    if (store->options == NULL) return KV_OK;
    leveldb_options_destroy(store->options);
    leveldb_readoptions_destroy(store->reading);
    leveldb_writeoptions_destroy(store->writing);
    leveldb_filterpolicy_destroy(store->filter);
    leveldb_cache_destroy(store->cache);
    return KV_OK;
}

static kv_status level_get(kv *db, kv_slice key, kv_buf *value)
{
    struct level_store *store = (struct level_store *)db;
    char *message = NULL;
    size_t len = 0;
    char *found = leveldb_get(store->db, store->reading, (const char *)key.data,
                              key.len, &len, &message);
    if (message != NULL) return failed(db, "get", message);
    if (found == NULL) return KV_NOT_FOUND;
    kv_buf_set(value, kv_slice_of(found, len));
    leveldb_free(found);
    return KV_OK;
}

static kv_status level_write(kv *db, const kv_change *changes, size_t count)
{
    struct level_store *store = (struct level_store *)db;
    leveldb_writebatch_t *batch = leveldb_writebatch_create();
    for (size_t i = 0; i < count; i++) {
        kv_slice key = changes[i].key, value = changes[i].value;
        if (changes[i].kind == KV_PUT) {
            leveldb_writebatch_put(batch, (const char *)key.data, key.len,
                                   (const char *)value.data, value.len);
        } else {
            leveldb_writebatch_delete(batch, (const char *)key.data, key.len);
        }
    }
    char *message = NULL;
    leveldb_write(store->db, store->writing, batch, &message);
    leveldb_writebatch_destroy(batch);
    return failed(db, "write", message);
}

// It has no call to sync: an empty batch with sync on does it.
static kv_status level_sync(kv *db)
{
    struct level_store *store = (struct level_store *)db;
    leveldb_writeoptions_t *writing = leveldb_writeoptions_create();
    leveldb_writeoptions_set_sync(writing, 1);
    leveldb_writebatch_t *batch = leveldb_writebatch_create();
    char *message = NULL;
    leveldb_write(store->db, writing, batch, &message);
    leveldb_writebatch_destroy(batch);
    leveldb_writeoptions_destroy(writing);
    return failed(db, "sync", message);
}

static kv_status level_scan(kv *db, kv_cursor *cursor)
{
    struct level_store *store = (struct level_store *)db;
    struct level_cursor *c = (struct level_cursor *)cursor;
    kv_slice from = cursor->range.from;
    if (cursor->range.reverse) return refuse_scan(db, cursor);
    c->iterator = leveldb_create_iterator(store->db, store->reading);
    if (from.len == 0) leveldb_iter_seek_to_first(c->iterator);
    else leveldb_iter_seek(c->iterator, (const char *)from.data, from.len);
    return KV_OK;
}

static kv_status level_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    struct level_cursor *c = (struct level_cursor *)cursor;
    if (c->is_begun) leveldb_iter_next(c->iterator);
    c->is_begun = true;
    if (!leveldb_iter_valid(c->iterator)) {
        char *message = NULL;
        leveldb_iter_get_error(c->iterator, &message);
        return message ? failed(cursor->db, "scan", message) : KV_END;
    }
    key->data = (const uint8_t *)leveldb_iter_key(c->iterator, &key->len);
    value->data = (const uint8_t *)leveldb_iter_value(c->iterator, &value->len);
    kv_slice to = cursor->range.to;
    return to.len > 0 && kv_slice_cmp(*key, to) >= 0 ? KV_END : KV_OK;
}

static void level_end(kv_cursor *cursor)
{
    struct level_cursor *c = (struct level_cursor *)cursor;
    if (c->iterator != NULL) leveldb_iter_destroy(c->iterator);
}

static void level_measure(kv *db, kv_stats *stats) { (void)db, (void)stats; }

static const char *library(void)
{
    static char name[32];
    snprintf(name, sizeof name, "LevelDB %d.%d", leveldb_major_version(),
             leveldb_minor_version());
    return name;
}

KV_API extern const kv_engine kv_engine_plugin;
const kv_engine kv_engine_plugin = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "leveldb",
             .title = "LevelDB, a log-structured merge-tree",
             .book = "SSTables and LSM-Trees",
             .caps = KV_CAP_DURABLE | KV_CAP_ORDERED | KV_CAP_KEYS_ON_DISK |
                     KV_CAP_SNAPSHOT,
             .key_max = KV_KEY_MAX,
             .value_max = KV_VALUE_MAX,
             .format_major = 1},
    .store_size = sizeof(struct level_store),
    .cursor_size = sizeof(struct level_cursor),
    .open = level_open,
    .close = level_close,
    .get = level_get,
    .write = level_write,
    .sync = level_sync,
    .scan = level_scan,
    .next = level_next,
    .end = level_end,
    .measure = level_measure,
    .inspect = refuse_inspect,
    .check = refuse_check,
};

// It maps its tables to read them (up to a thousand), so that nobody sees what
// it reads; what it writes goes through calls.
KV_API extern const cmp_yardstick kv_yardstick;
const cmp_yardstick kv_yardstick = {library, CMP_BYTES_WRITTEN};
