// glib.c -- yardstick: GLib's hash table, as a C program would use it: a set of
// records with their own copies of key and value, behind one lock.
// SPDX-License-Identifier: MIT

#include <glib.h>

#include "common/hash.h"
#include "common/mem.h"

#include "compare/yardsticks/refusing.h"
#include "compare/yardsticks/yardstick.h"

struct record {
    const uint8_t *key; // into `bytes`; of a key to look up: the caller's
    uint32_t key_len, value_len;
    uint8_t bytes[]; // the key, then the value
};

struct glib_store {
    kv base;
    GHashTable *table;
    kv_mutex lock;
};

static guint record_hash(gconstpointer record)
{
    const struct record *r = record;
    return (guint)kv_hash(kv_slice_of(r->key, r->key_len), 0);
}

static gboolean record_equal(gconstpointer left, gconstpointer right)
{
    const struct record *a = left, *b = right;
    return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

static kv_status glib_open(kv *db)
{
    struct glib_store *store = (struct glib_store *)db;
    kv_mutex_init(&store->lock);
    store->table =
        g_hash_table_new_full(record_hash, record_equal, kv_free, NULL);
    return KV_OK;
}

static kv_status glib_close(kv *db)
{
    struct glib_store *store = (struct glib_store *)db;
    if (store->table == NULL) return KV_OK;
    g_hash_table_destroy(store->table);
    kv_mutex_free(&store->lock);
    return KV_OK;
}

static kv_status glib_get(kv *db, kv_slice key, kv_buf *value)
{
    struct glib_store *store = (struct glib_store *)db;
    struct record probe = {.key = key.data, .key_len = (uint32_t)key.len};
    kv_mutex_lock(&store->lock);
    const struct record *r = g_hash_table_lookup(store->table, &probe);
    if (r != NULL) {
        kv_buf_set(value, kv_slice_of(r->bytes + r->key_len, r->value_len));
    }
    kv_mutex_unlock(&store->lock);
    return r != NULL ? KV_OK : KV_NOT_FOUND;
}

static void put(struct glib_store *store, const kv_change *change)
{
    kv_slice key = change->key, value = change->value;
    struct record *r = kv_alloc(sizeof *r + key.len + value.len);
    r->key = r->bytes;
    r->key_len = (uint32_t)key.len;
    r->value_len = (uint32_t)value.len;
    memcpy(r->bytes, key.data, key.len);
    if (value.len > 0) memcpy(r->bytes + key.len, value.data, value.len);
    g_hash_table_add(store->table, r);
}

static kv_status glib_write(kv *db, const kv_change *changes, size_t count)
{
    struct glib_store *store = (struct glib_store *)db;
    kv_mutex_lock(&store->lock);
    for (size_t i = 0; i < count; i++) {
        if (changes[i].kind == KV_PUT) {
            put(store, &changes[i]);
            continue;
        }
        struct record probe = {.key = changes[i].key.data,
                               .key_len = (uint32_t)changes[i].key.len};
        g_hash_table_remove(store->table, &probe);
    }
    kv_mutex_unlock(&store->lock);
    return KV_OK;
}

static void glib_measure(kv *db, kv_stats *stats)
{
    struct glib_store *store = (struct glib_store *)db;
    kv_mutex_lock(&store->lock);
    stats->key_count = g_hash_table_size(store->table);
    kv_mutex_unlock(&store->lock);
}

static const char *library(void)
{
    static char name[32];
    g_snprintf(name, sizeof name, "GLib %u.%u.%u", glib_major_version,
               glib_minor_version, glib_micro_version);
    return name;
}

KV_API extern const kv_engine kv_engine_plugin;
const kv_engine kv_engine_plugin = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "glib",
             .title = "hash table of GLib behind a lock",
             .book = "Hash Indexes",
             .key_max = KV_KEY_MAX,
             .value_max = KV_VALUE_MAX},
    .store_size = sizeof(struct glib_store),
    .cursor_size = sizeof(kv_cursor),
    .open = glib_open,
    .close = glib_close,
    .get = glib_get,
    .write = glib_write,
    .measure = glib_measure,
    REFUSING,
};

KV_API extern const cmp_yardstick kv_yardstick;
const cmp_yardstick kv_yardstick = {library, CMP_BYTES_NONE};
