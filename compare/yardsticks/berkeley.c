// berkeley.c -- yardstick: Berkeley DB, a B-tree or a hash table with a log.
// SPDX-License-Identifier: MIT
//
// A transactional environment of its own process; the cache has the memory
// budget. A put is a transaction: KV_SYNC_COMMIT syncs its log record, the
// others hand it to the operating system. A checkpoint is taken each 64 MiB of
// log, and logs that nobody needs are removed.

#include <db.h>
#include <stdio.h>

#include "common/mem.h"

#include "compare/yardsticks/refusing.h"
#include "compare/yardsticks/yardstick.h"

enum {
    LOCKS_MAX = 1 << 17, // a transaction of 1,000 changes locks its pages
    CHECKPOINT_KB = 64 << 10,
    CHECKPOINT_EACH = 1024, // writes between two looks at the log's length
};
enum { KNOB_TYPE };

static const kv_knob knobs[] = {
    [KNOB_TYPE] = {.name = "type",
                   .words = "btree hash",
                   .max = 1,
                   .help = "its access method"},
};

struct berkeley_store {
    kv base;
    DB_ENV *env;
    DB *db;
    _Atomic uint64_t writes;
};

struct berkeley_cursor {
    kv_cursor base;
    DBC *cursor;
    bool is_begun;
};

static kv_status failed(const kv *db, const char *doing, int code)
{
    if (code == 0) return KV_OK;
    return kv_fail(KV_IO, "%s: %s: Berkeley DB says %s", db->path, doing,
                   db_strerror(code));
}

static int open_env(struct berkeley_store *store)
{
    kv *db = &store->base;
    int code = db_env_create(&store->env, 0);
    if (code != 0) return code;
    DB_ENV *env = store->env;
    uint64_t memory = db->memory_bytes;
    env->set_cachesize(env, (u_int32_t)(memory >> 30),
                       (u_int32_t)(memory & ((1u << 30) - 1)), 1);
    env->set_lk_max_locks(env, LOCKS_MAX);
    env->set_lk_max_objects(env, LOCKS_MAX);
    env->set_lk_detect(env, DB_LOCK_DEFAULT);
    env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1);
    if (db->sync != KV_SYNC_COMMIT) env->set_flags(env, DB_TXN_WRITE_NOSYNC, 1);
    return env->open(env, db->path,
                     DB_CREATE | DB_INIT_MPOOL | DB_INIT_LOG | DB_INIT_TXN |
                         DB_INIT_LOCK | DB_THREAD | DB_PRIVATE | DB_RECOVER,
                     0644);
}

static int open_database(struct berkeley_store *store)
{
    bool is_hash = store->base.knob[KNOB_TYPE] == 1;
    int code = db_create(&store->db, store->env, 0);
    if (code != 0) return code;
    return store->db->open(store->db, NULL, "data.db", NULL,
                           is_hash ? DB_HASH : DB_BTREE,
                           DB_CREATE | DB_AUTO_COMMIT | DB_THREAD, 0644);
}

static kv_status berkeley_open(kv *db)
{
    struct berkeley_store *store = (struct berkeley_store *)db;
    int code = open_env(store);
    if (code == 0) code = open_database(store);
    return failed(db, "open", code);
}

static kv_status berkeley_close(kv *db)
{
    struct berkeley_store *store = (struct berkeley_store *)db;
    int code = store->db != NULL ? store->db->close(store->db, 0) : 0;
    if (store->env != NULL) {
        int last = store->env->close(store->env, 0);
        if (code == 0) code = last;
    }
    return failed(db, "close", code);
}

static DBT thing(kv_slice bytes)
{
    // It takes pointers to bytes it will not change without `const`.
    union {
        const void *borrowed;
        void *given;
    } pointer = {.borrowed = bytes.data};
    return (DBT){.data = pointer.given, .size = (u_int32_t)bytes.len};
}

// Into the caller's buffer, made larger when the library says how large.
static int get_into(DB *db, DBT *key, kv_buf *value)
{
    kv_buf_clear(value);
    kv_buf_reserve(value, 1);
    DBT v = {.data = value->data,
             .ulen = (u_int32_t)value->cap,
             .flags = DB_DBT_USERMEM};
    int code = db->get(db, NULL, key, &v, 0);
    if (code == DB_BUFFER_SMALL) {
        kv_buf_reserve(value, v.size);
        v.data = value->data;
        v.ulen = (u_int32_t)value->cap;
        code = db->get(db, NULL, key, &v, 0);
    }
    if (code == 0) value->len = v.size;
    return code;
}

static kv_status berkeley_get(kv *db, kv_slice key, kv_buf *value)
{
    struct berkeley_store *store = (struct berkeley_store *)db;
    DBT k = thing(key);
    int code = get_into(store->db, &k, value);
    return code == DB_NOTFOUND ? KV_NOT_FOUND : failed(db, "get", code);
}

static int apply(DB *db, DB_TXN *txn, const kv_change *change)
{
    DBT k = thing(change->key), v = thing(change->value);
    if (change->kind == KV_PUT) return db->put(db, txn, &k, &v, 0);
    int code = db->del(db, txn, &k, 0);
    return code == DB_NOTFOUND ? 0 : code;
}

static int apply_all(struct berkeley_store *store, const kv_change *changes,
                     size_t count)
{
    if (count == 1) return apply(store->db, NULL, changes);
    DB_TXN *txn = NULL;
    int code = store->env->txn_begin(store->env, NULL, &txn, 0);
    if (code != 0) return code;
    for (size_t i = 0; i < count && code == 0; i++) {
        code = apply(store->db, txn, &changes[i]);
    }
    if (code == 0) return txn->commit(txn, 0);
    txn->abort(txn);
    return code;
}

static kv_status berkeley_write(kv *db, const kv_change *changes, size_t count)
{
    struct berkeley_store *store = (struct berkeley_store *)db;
    int code;
    do code = apply_all(store, changes, count);
    while (code == DB_LOCK_DEADLOCK);
    uint64_t writes = atomic_fetch_add(&store->writes, 1);
    if (code == 0 && writes % CHECKPOINT_EACH == CHECKPOINT_EACH - 1) {
        code = store->env->txn_checkpoint(store->env, CHECKPOINT_KB, 0, 0);
    }
    return failed(db, "write", code);
}

static kv_status berkeley_sync(kv *db)
{
    struct berkeley_store *store = (struct berkeley_store *)db;
    return failed(db, "sync", store->env->log_flush(store->env, NULL));
}

static kv_status berkeley_checkpoint(kv *db, bool *did_work)
{
    struct berkeley_store *store = (struct berkeley_store *)db;
    *did_work = false;
    return failed(db, "checkpoint",
                  store->env->txn_checkpoint(store->env, 0, 0, DB_FORCE));
}

static kv_status berkeley_scan(kv *db, kv_cursor *cursor)
{
    struct berkeley_store *store = (struct berkeley_store *)db;
    struct berkeley_cursor *c = (struct berkeley_cursor *)cursor;
    if (db->knob[KNOB_TYPE] == 1 || cursor->range.reverse) {
        return refuse_scan(db, cursor);
    }
    return failed(
        db, "scan",
        store->db->cursor(store->db, NULL, &c->cursor, DB_READ_COMMITTED));
}

static kv_status berkeley_next(kv_cursor *cursor, kv_slice *key,
                               kv_slice *value)
{
    struct berkeley_cursor *c = (struct berkeley_cursor *)cursor;
    DBT k = thing(cursor->range.from), v = {0};
    u_int32_t how = c->is_begun                  ? DB_NEXT
                    : cursor->range.from.len > 0 ? DB_SET_RANGE
                                                 : DB_FIRST;
    c->is_begun = true;
    int code = c->cursor->get(c->cursor, &k, &v, how);
    if (code == DB_NOTFOUND) return KV_END;
    if (code != 0) return failed(cursor->db, "scan", code);
    *key = kv_slice_of(k.data, k.size);
    *value = kv_slice_of(v.data, v.size);
    kv_slice to = cursor->range.to;
    return to.len > 0 && kv_slice_cmp(*key, to) >= 0 ? KV_END : KV_OK;
}

static void berkeley_end(kv_cursor *cursor)
{
    struct berkeley_cursor *c = (struct berkeley_cursor *)cursor;
    if (c->cursor != NULL) c->cursor->close(c->cursor);
}

static void berkeley_measure(kv *db, kv_stats *stats) { (void)db, (void)stats; }

static const char *library(void)
{
    static char name[32];
    int major, minor, patch;
    (void)db_version(&major, &minor, &patch);
    snprintf(name, sizeof name, "Berkeley DB %d.%d.%d", major, minor, patch);
    return name;
}

KV_API extern const kv_engine kv_engine_plugin;
const kv_engine kv_engine_plugin = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "berkeley",
             .title = "Berkeley DB, a B-tree or a hash table with a log",
             .book = "B-Trees",
             .caps = KV_CAP_DURABLE | KV_CAP_ORDERED | KV_CAP_KEYS_ON_DISK,
             .key_max = KV_KEY_MAX,
             .value_max = KV_VALUE_MAX,
             .format_major = 1,
             .knobs = knobs,
             .knob_count = sizeof knobs / sizeof *knobs},
    .store_size = sizeof(struct berkeley_store),
    .cursor_size = sizeof(struct berkeley_cursor),
    .open = berkeley_open,
    .close = berkeley_close,
    .get = berkeley_get,
    .write = berkeley_write,
    .sync = berkeley_sync,
    .maintain = berkeley_checkpoint,
    .scan = berkeley_scan,
    .next = berkeley_next,
    .end = berkeley_end,
    .measure = berkeley_measure,
    .inspect = refuse_inspect,
    .check = refuse_check,
};

KV_API extern const cmp_yardstick kv_yardstick;
const cmp_yardstick kv_yardstick = {library, CMP_BYTES_CALLS};
