// tkrzw.c -- yardstick: Tkrzw's HashDBM, a hash table in a file, or its
// TreeDBM, a B+tree kept in one.
// SPDX-License-Identifier: MIT
//
// With the library's own defaults: a million buckets, updates in place, the
// file mapped into memory. It keeps no log, so a crash may cost the last
// writes and a batch may be applied in part.

#include <stdio.h>
#include <tkrzw_langc.h>

#include "common/mem.h"

#include "compare/yardsticks/refusing.h"
#include "compare/yardsticks/yardstick.h"

enum { KNOB_BUCKETS, KNOB_TYPE };

static const kv_knob knobs[] = {
    [KNOB_BUCKETS] = {.name = "buckets",
                      .value = 1048583,
                      .min = 1,
                      .max = UINT64_C(1) << 36,
                      .help = "of the hash table, fixed when it is made"},
    [KNOB_TYPE] = {.name = "type",
                   .words = "hash tree",
                   .max = 1,
                   .help = "the tree is asked for single keys only"},
};

struct tkrzw_store {
    kv base;
    TkrzwDBM *dbm;
};

static kv_status failed(const struct tkrzw_store *store, const char *doing)
{
    TkrzwStatus status = tkrzw_get_last_status();
    return kv_fail(KV_IO, "%s: %s: Tkrzw says %d: %s", store->base.path, doing,
                   status.code, status.message);
}

static kv_status tkrzw_open(kv *db)
{
    struct tkrzw_store *store = (struct tkrzw_store *)db;
    char params[128];
    kv_buf path = {0};
    bool is_tree = db->knob[KNOB_TYPE] == 1;
    kv_buf_printf(&path, "%s/data.%s%c", db->path, is_tree ? "tkt" : "tkh",
                  '\0');
    snprintf(params, sizeof params, "dbm=%s,num_buckets=%llu",
             is_tree ? "TreeDBM" : "HashDBM",
             (unsigned long long)db->knob[KNOB_BUCKETS]);
    store->dbm = tkrzw_dbm_open((char *)path.data, !db->read_only, params);
    kv_buf_free(&path);
    return store->dbm != NULL ? KV_OK : failed(store, "open");
}

static kv_status tkrzw_close(kv *db)
{
    struct tkrzw_store *store = (struct tkrzw_store *)db;
    if (store->dbm == NULL) return KV_OK;
    return tkrzw_dbm_close(store->dbm) ? KV_OK : failed(store, "close");
}

struct reader {
    kv_buf *value;
    bool found;
};

static const char *read_record(void *arg, const char *key, int32_t key_len,
                               const char *value, int32_t value_len,
                               int32_t *new_len)
{
    struct reader *reader = arg;
    (void)key, (void)key_len, (void)new_len;
    if (value != NULL) {
        kv_buf_set(reader->value, kv_slice_of(value, (size_t)value_len));
        reader->found = true;
    }
    return TKRZW_REC_PROC_NOOP;
}

static kv_status tkrzw_get(kv *db, kv_slice key, kv_buf *value)
{
    struct tkrzw_store *store = (struct tkrzw_store *)db;
    struct reader reader = {.value = value};
    if (!tkrzw_dbm_process(store->dbm, (const char *)key.data, (int32_t)key.len,
                           read_record, &reader, false)) {
        return failed(store, "get");
    }
    return reader.found ? KV_OK : KV_NOT_FOUND;
}

static kv_status tkrzw_sync(kv *db)
{
    struct tkrzw_store *store = (struct tkrzw_store *)db;
    return tkrzw_dbm_synchronize(store->dbm, true, NULL, NULL, "")
               ? KV_OK
               : failed(store, "synchronize");
}

static kv_status apply(struct tkrzw_store *store, const kv_change *change)
{
    const char *key = (const char *)change->key.data;
    int32_t key_len = (int32_t)change->key.len;
    if (change->kind == KV_PUT) {
        const char *value =
            change->value.len ? (const char *)change->value.data : "";
        return tkrzw_dbm_set(store->dbm, key, key_len, value,
                             (int32_t)change->value.len, true)
                   ? KV_OK
                   : failed(store, "set");
    }
    if (tkrzw_dbm_remove(store->dbm, key, key_len)) return KV_OK;
    bool was_absent =
        tkrzw_get_last_status_code() == TKRZW_STATUS_NOT_FOUND_ERROR;
    return was_absent ? KV_OK : failed(store, "remove");
}

static kv_status tkrzw_write(kv *db, const kv_change *changes, size_t count)
{
    struct tkrzw_store *store = (struct tkrzw_store *)db;
    for (size_t i = 0; i < count; i++) KV_TRY(apply(store, &changes[i]));
    return db->sync == KV_SYNC_COMMIT ? tkrzw_sync(db) : KV_OK;
}

static void tkrzw_measure(kv *db, kv_stats *stats)
{
    struct tkrzw_store *store = (struct tkrzw_store *)db;
    int64_t count = tkrzw_dbm_count(store->dbm);
    stats->key_count = count > 0 ? (uint64_t)count : 0;
}

static const char *library(void)
{
    static char name[40];
    snprintf(name, sizeof name, "Tkrzw %.30s", TKRZW_PACKAGE_VERSION);
    return name;
}

KV_API extern const kv_engine kv_engine_plugin;
const kv_engine kv_engine_plugin = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "tkrzw",
             .title = "Tkrzw, a hash table (or tree) in a mapped file",
             .book = "Hash Indexes",
             .caps = KV_CAP_DURABLE | KV_CAP_KEYS_ON_DISK,
             .key_max = KV_KEY_MAX,
             .value_max = KV_VALUE_MAX,
             .format_major = 1,
             .knobs = knobs,
             .knob_count = sizeof knobs / sizeof *knobs},
    .store_size = sizeof(struct tkrzw_store),
    .cursor_size = sizeof(kv_cursor),
    .open = tkrzw_open,
    .close = tkrzw_close,
    .get = tkrzw_get,
    .write = tkrzw_write,
    .sync = tkrzw_sync,
    .measure = tkrzw_measure,
    REFUSING,
};

KV_API extern const cmp_yardstick kv_yardstick;
const cmp_yardstick kv_yardstick = {library, CMP_BYTES_MAPPED};
