// lmdb.c -- yardstick: LMDB, a copy-on-write B+tree in a mapped file.
// SPDX-License-Identifier: MIT
//
// One transaction per call, as a server would use it. KV_SYNC_COMMIT syncs
// each; otherwise it is left to the operating system. Its memory is the page
// cache: the budget means nothing to it.

#include <lmdb.h>
#include <stdio.h>

#include "common/mem.h"

#include "compare/yardsticks/refusing.h"
#include "compare/yardsticks/yardstick.h"

enum { KNOB_WRITEMAP };

static const kv_knob knobs[] = {
    [KNOB_WRITEMAP] = {.name = "writemap",
                       .words = "off on",
                       .max = 1,
                       .help = "write through the mapping, too"},
};

// An address range, not memory.
static const size_t map_bytes = (size_t)64 << 30;
enum { KEY_MAX = 511 }; // bytes: what the library was built with

struct lmdb_store {
    kv base;
    MDB_env *env;
    MDB_dbi dbi;
};

struct lmdb_cursor {
    kv_cursor base;
    MDB_txn *txn;
    MDB_cursor *cursor;
    bool is_begun;
};

static kv_status failed(const kv *db, const char *doing, int code)
{
    if (code == 0) return KV_OK;
    return kv_fail(code == MDB_MAP_FULL ? KV_NO_SPACE : KV_IO,
                   "%s: %s: LMDB says %s", db->path, doing, mdb_strerror(code));
}

static MDB_val val(kv_slice bytes)
{
    // It takes pointers to bytes it will not change without `const`.
    union {
        const void *borrowed;
        void *given;
    } pointer = {.borrowed = bytes.data};
    return (MDB_val){.mv_size = bytes.len, .mv_data = pointer.given};
}

static int open_env(struct lmdb_store *store, unsigned flags)
{
    MDB_txn *txn = NULL;
    int code;
    if ((code = mdb_env_create(&store->env)) != 0) return code;
    if ((code = mdb_env_set_mapsize(store->env, map_bytes)) != 0) return code;
    code = mdb_env_open(store->env, store->base.path, flags, 0644);
    if (code != 0) return code;
    if ((code = mdb_txn_begin(store->env, NULL, 0, &txn)) != 0) return code;
    if ((code = mdb_dbi_open(txn, NULL, 0, &store->dbi)) != 0) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn);
}

static kv_status lmdb_open(kv *db)
{
    // Read transactions belong to threads only with MDB_NOTLS off, which a
    // cursor that outlives a get cannot have.
    unsigned flags = MDB_NOTLS | MDB_NORDAHEAD;
    if (db->sync != KV_SYNC_COMMIT) flags |= MDB_NOSYNC;
    if (db->knob[KNOB_WRITEMAP] == 1) flags |= MDB_WRITEMAP;
    return failed(db, "open", open_env((struct lmdb_store *)db, flags));
}

static kv_status lmdb_close(kv *db)
{
    struct lmdb_store *store = (struct lmdb_store *)db;
    if (store->env != NULL) mdb_env_close(store->env);
    return KV_OK;
}

static kv_status lmdb_get(kv *db, kv_slice key, kv_buf *value)
{
    struct lmdb_store *store = (struct lmdb_store *)db;
    MDB_txn *txn = NULL;
    MDB_val k = val(key), v;
    int code = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (code != 0) return failed(db, "get", code);
    code = mdb_get(txn, store->dbi, &k, &v);
    if (code == 0) kv_buf_set(value, kv_slice_of(v.mv_data, v.mv_size));
    mdb_txn_abort(txn);
    return code == MDB_NOTFOUND ? KV_NOT_FOUND : failed(db, "get", code);
}

static int apply(MDB_txn *txn, MDB_dbi dbi, const kv_change *change)
{
    MDB_val k = val(change->key), v = val(change->value);
    if (change->kind == KV_PUT) return mdb_put(txn, dbi, &k, &v, 0);
    int code = mdb_del(txn, dbi, &k, NULL);
    return code == MDB_NOTFOUND ? 0 : code;
}

static kv_status lmdb_write(kv *db, const kv_change *changes, size_t count)
{
    struct lmdb_store *store = (struct lmdb_store *)db;
    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(store->env, NULL, 0, &txn);
    if (code != 0) return failed(db, "write", code);
    for (size_t i = 0; i < count && code == 0; i++) {
        code = apply(txn, store->dbi, &changes[i]);
    }
    if (code == 0) code = mdb_txn_commit(txn);
    else mdb_txn_abort(txn);
    return failed(db, "write", code);
}

static kv_status lmdb_sync(kv *db)
{
    struct lmdb_store *store = (struct lmdb_store *)db;
    return failed(db, "sync", mdb_env_sync(store->env, 1));
}

static kv_status lmdb_scan(kv *db, kv_cursor *cursor)
{
    struct lmdb_store *store = (struct lmdb_store *)db;
    struct lmdb_cursor *c = (struct lmdb_cursor *)cursor;
    if (cursor->range.reverse) return refuse_scan(db, cursor);
    int code = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &c->txn);
    if (code == 0) code = mdb_cursor_open(c->txn, store->dbi, &c->cursor);
    return failed(db, "scan", code);
}

static kv_status lmdb_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    struct lmdb_cursor *c = (struct lmdb_cursor *)cursor;
    MDB_val k = val(cursor->range.from), v;
    MDB_cursor_op op = c->is_begun              ? MDB_NEXT
                       : cursor->range.from.len ? MDB_SET_RANGE
                                                : MDB_FIRST;
    c->is_begun = true;
    int code = mdb_cursor_get(c->cursor, &k, &v, op);
    if (code == MDB_NOTFOUND) return KV_END;
    if (code != 0) return failed(cursor->db, "scan", code);
    *key = kv_slice_of(k.mv_data, k.mv_size);
    *value = kv_slice_of(v.mv_data, v.mv_size);
    kv_slice to = cursor->range.to;
    return to.len > 0 && kv_slice_cmp(*key, to) >= 0 ? KV_END : KV_OK;
}

static void lmdb_end(kv_cursor *cursor)
{
    struct lmdb_cursor *c = (struct lmdb_cursor *)cursor;
    if (c->cursor != NULL) mdb_cursor_close(c->cursor);
    if (c->txn != NULL) mdb_txn_abort(c->txn);
}

static void lmdb_measure(kv *db, kv_stats *stats)
{
    struct lmdb_store *store = (struct lmdb_store *)db;
    MDB_stat stat;
    if (mdb_env_stat(store->env, &stat) == 0) {
        stats->key_count = stat.ms_entries;
    }
}

static const char *library(void)
{
    static char name[32];
    int major, minor, patch;
    mdb_version(&major, &minor, &patch);
    snprintf(name, sizeof name, "LMDB %d.%d.%d", major, minor, patch);
    return name;
}

KV_API extern const kv_engine kv_engine_plugin;
const kv_engine kv_engine_plugin = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "lmdb",
             .title = "LMDB, a copy-on-write B+tree in a mapped file",
             .book = "B-Trees",
             .caps = KV_CAP_DURABLE | KV_CAP_ORDERED | KV_CAP_KEYS_ON_DISK |
                     KV_CAP_SNAPSHOT,
             .key_max = KEY_MAX,
             .value_max = KV_VALUE_MAX,
             .format_major = 1,
             .knobs = knobs,
             .knob_count = sizeof knobs / sizeof *knobs},
    .store_size = sizeof(struct lmdb_store),
    .cursor_size = sizeof(struct lmdb_cursor),
    .open = lmdb_open,
    .close = lmdb_close,
    .get = lmdb_get,
    .write = lmdb_write,
    .sync = lmdb_sync,
    .scan = lmdb_scan,
    .next = lmdb_next,
    .end = lmdb_end,
    .measure = lmdb_measure,
    .inspect = refuse_inspect,
    .check = refuse_check,
};

KV_API extern const cmp_yardstick kv_yardstick;
const cmp_yardstick kv_yardstick = {library, CMP_BYTES_MAPPED};
