// kyoto.c -- yardstick: Kyoto Cabinet's HashDB, a hash table in a file.
// SPDX-License-Identifier: MIT
//
// With the library's own defaults: a million buckets, updates in place, the
// first 64 MiB of the file mapped into memory. GPL: loaded when asked for, part
// of none of our programs.

#include <kclangc.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"

#include "compare/yardsticks/refusing.h"
#include "compare/yardsticks/yardstick.h"

enum { KNOB_BUCKETS, KNOB_MAPPED };

static const kv_knob knobs[] = {
    [KNOB_BUCKETS] = {.name = "buckets",
                      .value = 1048583,
                      .min = 1,
                      .max = UINT64_C(1) << 36,
                      .help = "of the hash table, fixed when it is made"},
    [KNOB_MAPPED] = {.name = "mapped_bytes",
                     .value = 64 << 20,
                     .min = 0,
                     .max = UINT64_C(1) << 40,
                     .help = "how much of the file is mapped into memory"},
};

struct kyoto_store {
    kv base;
    KCDB *db;
};

static kv_status failed(const struct kyoto_store *store, const char *doing)
{
    return kv_fail(KV_IO, "%s: %s: Kyoto Cabinet says %s", store->base.path,
                   doing, kcdbemsg(store->db));
}

static kv_status kyoto_open(kv *db)
{
    struct kyoto_store *store = (struct kyoto_store *)db;
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/data.kch#bnum=%llu#msiz=%llu%c", db->path,
                  (unsigned long long)db->knob[KNOB_BUCKETS],
                  (unsigned long long)db->knob[KNOB_MAPPED], '\0');
    store->db = kcdbnew();
    unsigned mode = db->read_only ? KCOREADER : KCOWRITER | KCOCREATE;
    bool is_open = kcdbopen(store->db, (char *)path.data, mode) != 0;
    kv_buf_free(&path);
    return is_open ? KV_OK : failed(store, "open");
}

static kv_status kyoto_close(kv *db)
{
    struct kyoto_store *store = (struct kyoto_store *)db;
    if (store->db == NULL) return KV_OK;
    kv_status st = kcdbclose(store->db) ? KV_OK : failed(store, "close");
    kcdbdel(store->db);
    return st;
}

struct reader {
    kv_buf *value;
    bool found;
};

static const char *read_full(const char *key, size_t key_len, const char *value,
                             size_t value_len, size_t *new_len, void *arg)
{
    struct reader *reader = arg;
    (void)key, (void)key_len, (void)new_len;
    kv_buf_set(reader->value, kv_slice_of(value, value_len));
    reader->found = true;
    return KCVISNOP;
}

static const char *read_empty(const char *key, size_t key_len, size_t *new_len,
                              void *arg)
{
    (void)key, (void)key_len, (void)new_len, (void)arg;
    return KCVISNOP;
}

static kv_status kyoto_get(kv *db, kv_slice key, kv_buf *value)
{
    struct kyoto_store *store = (struct kyoto_store *)db;
    struct reader reader = {.value = value};
    if (!kcdbaccept(store->db, (const char *)key.data, key.len, read_full,
                    read_empty, &reader, 0)) {
        return failed(store, "get");
    }
    return reader.found ? KV_OK : KV_NOT_FOUND;
}

static kv_status kyoto_sync(kv *db)
{
    struct kyoto_store *store = (struct kyoto_store *)db;
    return kcdbsync(store->db, 1, NULL, NULL) ? KV_OK : failed(store, "sync");
}

static kv_status apply(struct kyoto_store *store, const kv_change *change)
{
    const char *key = (const char *)change->key.data;
    size_t key_len = change->key.len;
    if (change->kind == KV_PUT) {
        const char *value =
            change->value.len ? (const char *)change->value.data : "";
        return kcdbset(store->db, key, key_len, value, change->value.len)
                   ? KV_OK
                   : failed(store, "set");
    }
    if (kcdbremove(store->db, key, key_len)) return KV_OK;
    return kcdbecode(store->db) == KCENOREC ? KV_OK : failed(store, "remove");
}

static kv_status kyoto_write(kv *db, const kv_change *changes, size_t count)
{
    struct kyoto_store *store = (struct kyoto_store *)db;
    for (size_t i = 0; i < count; i++) KV_TRY(apply(store, &changes[i]));
    return db->sync == KV_SYNC_COMMIT ? kyoto_sync(db) : KV_OK;
}

static void kyoto_measure(kv *db, kv_stats *stats)
{
    struct kyoto_store *store = (struct kyoto_store *)db;
    int64_t count = kcdbcount(store->db);
    stats->key_count = count > 0 ? (uint64_t)count : 0;
}

static const char *library(void)
{
    static char name[48];
    snprintf(name, sizeof name, "Kyoto Cabinet %.20s", KCVERSION);
    return name;
}

KV_API extern const kv_engine kv_engine_plugin;
const kv_engine kv_engine_plugin = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "kyoto",
             .title = "HashDB of Kyoto Cabinet, a hash table in a file",
             .book = "Hash Indexes",
             .caps = KV_CAP_DURABLE | KV_CAP_KEYS_ON_DISK,
             .key_max = KV_KEY_MAX,
             .value_max = KV_VALUE_MAX,
             .format_major = 1,
             .knobs = knobs,
             .knob_count = sizeof knobs / sizeof *knobs},
    .store_size = sizeof(struct kyoto_store),
    .cursor_size = sizeof(kv_cursor),
    .open = kyoto_open,
    .close = kyoto_close,
    .get = kyoto_get,
    .write = kyoto_write,
    .sync = kyoto_sync,
    .measure = kyoto_measure,
    REFUSING,
};

KV_API extern const cmp_yardstick kv_yardstick;
const cmp_yardstick kv_yardstick = {library, CMP_BYTES_MAPPED};
