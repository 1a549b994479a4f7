// wiredtiger.c -- yardstick: WiredTiger, a B-tree or an LSM-tree.
// SPDX-License-Identifier: MIT
//
// The cache has the memory budget. Its log is on and written at each commit,
// as the stages' is: KV_SYNC_COMMIT syncs it too. Each thread has a session
// with a cursor of its own; a scan has a session with a snapshot. A checkpoint
// is taken each 60 seconds or 64 MiB of log: by itself it would take none, and
// its log would grow without end. Berkeley DB's are set to the same 64 MiB.

#include <stdio.h>
#include <wiredtiger.h>

#include "common/mem.h"

#include "compare/yardsticks/handles.h"
#include "compare/yardsticks/refusing.h"
#include "compare/yardsticks/yardstick.h"

enum { KNOB_TYPE };

static const kv_knob knobs[] = {
    [KNOB_TYPE] = {.name = "type",
                   .words = "btree lsm",
                   .max = 1,
                   .help = "what the table is made of"},
};

struct wired_store {
    kv base;
    WT_CONNECTION *connection;
    handles sessions;
};

struct session {
    WT_SESSION *session;
    WT_CURSOR *cursor;
};

struct wired_cursor {
    kv_cursor base;
    struct session *session;
    bool is_begun;
};

static const char table[] = "table:kv";

static kv_status failed(const kv *db, const char *doing, int code)
{
    if (code == 0) return KV_OK;
    return kv_fail(KV_IO, "%s: %s: WiredTiger says %s", db->path, doing,
                   wiredtiger_strerror(code));
}

static void end_session(void *handle)
{
    struct session *s = handle;
    s->session->close(s->session, NULL);
    kv_free(s);
}

static kv_status begin_session(kv *db, void **handle)
{
    WT_CONNECTION *connection = ((struct wired_store *)db)->connection;
    struct session *s = kv_zalloc(sizeof *s);
    int code = connection->open_session(connection, NULL, NULL, &s->session);
    if (code != 0) {
        kv_free(s);
        return failed(db, "open a session", code);
    }
    code = s->session->open_cursor(s->session, table, NULL, "overwrite=true",
                                   &s->cursor);
    if (code != 0) {
        end_session(s);
        return failed(db, "open a cursor", code);
    }
    *handle = s;
    return KV_OK;
}

static int open_connection(struct wired_store *store)
{
    kv *db = &store->base;
    kv_buf config = {0};
    kv_buf_printf(&config,
                  "create,cache_size=%llu,session_max=200,mmap=false,"
                  "log=(enabled=true,file_max=64MB,archive=true),"
                  "transaction_sync=(enabled=true,method=%s),"
                  "checkpoint=(wait=60,log_size=64MB)%c",
                  (unsigned long long)db->memory_bytes,
                  db->sync == KV_SYNC_COMMIT ? "fsync" : "none", '\0');
    int code = wiredtiger_open(db->path, NULL, (char *)config.data,
                               &store->connection);
    kv_buf_free(&config);
    return code;
}

static int create_table(struct wired_store *store)
{
    WT_CONNECTION *connection = store->connection;
    WT_SESSION *session;
    bool is_lsm = store->base.knob[KNOB_TYPE] == 1;
    int code = connection->open_session(connection, NULL, NULL, &session);
    if (code != 0) return code;
    code = session->create(session, table,
                           is_lsm ? "key_format=u,value_format=u,type=lsm"
                                  : "key_format=u,value_format=u");
    session->close(session, NULL);
    return code;
}

static kv_status wired_open(kv *db)
{
    struct wired_store *store = (struct wired_store *)db;
    KV_TRY(failed(db, "open", open_connection(store)));
    KV_TRY(failed(db, "create", create_table(store)));
    handles_init(&store->sessions, begin_session, end_session);
    return KV_OK;
}

static kv_status wired_close(kv *db)
{
    struct wired_store *store = (struct wired_store *)db;
    handles_free(&store->sessions);
    if (store->connection == NULL) return KV_OK;
    return failed(db, "close",
                  store->connection->close(store->connection, NULL));
}

static WT_ITEM item(kv_slice bytes)
{
    return (WT_ITEM){.data = bytes.data, .size = bytes.len};
}

static kv_status wired_get(kv *db, kv_slice key, kv_buf *value)
{
    struct wired_store *store = (struct wired_store *)db;
    void *handle = NULL;
    KV_TRY(handles_mine(&store->sessions, db, &handle));
    WT_CURSOR *cursor = ((struct session *)handle)->cursor;
    WT_ITEM k = item(key), v;
    cursor->set_key(cursor, &k);
    int code = cursor->search(cursor);
    if (code == 0) code = cursor->get_value(cursor, &v);
    if (code == 0) kv_buf_set(value, kv_slice_of(v.data, v.size));
    cursor->reset(cursor);
    handles_done(&store->sessions, handle);
    return code == WT_NOTFOUND ? KV_NOT_FOUND : failed(db, "get", code);
}

static int apply(WT_CURSOR *cursor, const kv_change *change)
{
    WT_ITEM k = item(change->key), v = item(change->value);
    cursor->set_key(cursor, &k);
    if (change->kind == KV_PUT) {
        cursor->set_value(cursor, &v);
        return cursor->insert(cursor);
    }
    int code = cursor->remove(cursor);
    return code == WT_NOTFOUND ? 0 : code;
}

// Another's change of the same key in the meantime is told by WT_ROLLBACK:
// then all of it again.
static int apply_all(struct session *s, const kv_change *changes, size_t count)
{
    int code;
    do {
        bool is_group = count > 1;
        code = is_group ? s->session->begin_transaction(s->session, NULL) : 0;
        if (code != 0) return code;
        for (size_t i = 0; i < count && code == 0; i++) {
            code = apply(s->cursor, &changes[i]);
        }
        if (is_group && code == 0) {
            code = s->session->commit_transaction(s->session, NULL);
        } else if (is_group) {
            s->session->rollback_transaction(s->session, NULL);
        }
    } while (code == WT_ROLLBACK);
    return code;
}

static kv_status wired_write(kv *db, const kv_change *changes, size_t count)
{
    struct wired_store *store = (struct wired_store *)db;
    void *handle = NULL;
    KV_TRY(handles_mine(&store->sessions, db, &handle));
    struct session *s = handle;
    int code = apply_all(s, changes, count);
    s->cursor->reset(s->cursor);
    handles_done(&store->sessions, handle);
    return failed(db, "write", code);
}

static kv_status wired_sync(kv *db)
{
    struct wired_store *store = (struct wired_store *)db;
    void *handle = NULL;
    KV_TRY(handles_mine(&store->sessions, db, &handle));
    WT_SESSION *session = ((struct session *)handle)->session;
    int code = session->log_flush(session, "sync=on");
    handles_done(&store->sessions, handle);
    return failed(db, "sync", code);
}

static kv_status wired_checkpoint(kv *db, bool *did_work)
{
    struct wired_store *store = (struct wired_store *)db;
    void *handle = NULL;
    *did_work = false;
    KV_TRY(handles_mine(&store->sessions, db, &handle));
    WT_SESSION *session = ((struct session *)handle)->session;
    int code = session->checkpoint(session, NULL);
    handles_done(&store->sessions, handle);
    return failed(db, "checkpoint", code);
}

static kv_status wired_scan(kv *db, kv_cursor *cursor)
{
    struct wired_store *store = (struct wired_store *)db;
    struct wired_cursor *c = (struct wired_cursor *)cursor;
    if (cursor->range.reverse) return refuse_scan(db, cursor);
    void *handle = NULL;
    KV_TRY(handles_borrow(&store->sessions, db, &handle));
    c->session = handle;
    WT_SESSION *session = c->session->session;
    return failed(db, "scan",
                  session->begin_transaction(session, "isolation=snapshot"));
}

static int advance(struct wired_cursor *c)
{
    WT_CURSOR *cursor = c->session->cursor;
    bool is_begun = c->is_begun;
    c->is_begun = true;
    if (is_begun || c->base.range.from.len == 0) return cursor->next(cursor);
    WT_ITEM from = item(c->base.range.from);
    int side = 0;
    cursor->set_key(cursor, &from);
    int code = cursor->search_near(cursor, &side);
    return code == 0 && side < 0 ? cursor->next(cursor) : code;
}

static kv_status wired_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    struct wired_cursor *c = (struct wired_cursor *)cursor;
    WT_ITEM k, v;
    int code = advance(c);
    if (code == WT_NOTFOUND) return KV_END;
    WT_CURSOR *at = c->session->cursor;
    if (code == 0) code = at->get_key(at, &k);
    if (code == 0) code = at->get_value(at, &v);
    if (code != 0) return failed(cursor->db, "scan", code);
    *key = kv_slice_of(k.data, k.size);
    *value = kv_slice_of(v.data, v.size);
    kv_slice to = cursor->range.to;
    return to.len > 0 && kv_slice_cmp(*key, to) >= 0 ? KV_END : KV_OK;
}

static void wired_end(kv_cursor *cursor)
{
    struct wired_store *store = (struct wired_store *)cursor->db;
    struct session *s = ((struct wired_cursor *)cursor)->session;
    if (s == NULL) return;
    s->cursor->reset(s->cursor);
    s->session->rollback_transaction(s->session, NULL);
    handles_return(&store->sessions, s);
}

static void wired_measure(kv *db, kv_stats *stats) { (void)db, (void)stats; }

static const char *library(void)
{
    int major, minor, patch;
    (void)wiredtiger_version(&major, &minor, &patch);
    static char name[32];
    snprintf(name, sizeof name, "WiredTiger %d.%d.%d", major, minor, patch);
    return name;
}

KV_API extern const kv_engine kv_engine_plugin;
const kv_engine kv_engine_plugin = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "wiredtiger",
             .title = "WiredTiger, a B-tree or an LSM-tree",
             .book = "B-Trees",
             .caps = KV_CAP_DURABLE | KV_CAP_ORDERED | KV_CAP_KEYS_ON_DISK |
                     KV_CAP_SNAPSHOT,
             .key_max = KV_KEY_MAX,
             .value_max = KV_VALUE_MAX,
             .format_major = 1,
             .knobs = knobs,
             .knob_count = sizeof knobs / sizeof *knobs},
    .store_size = sizeof(struct wired_store),
    .cursor_size = sizeof(struct wired_cursor),
    .open = wired_open,
    .close = wired_close,
    .get = wired_get,
    .write = wired_write,
    .sync = wired_sync,
    .maintain = wired_checkpoint,
    .scan = wired_scan,
    .next = wired_next,
    .end = wired_end,
    .measure = wired_measure,
    .inspect = refuse_inspect,
    .check = refuse_check,
};

// Its mappings are switched off, so that its calls tell all.
KV_API extern const cmp_yardstick kv_yardstick;
const cmp_yardstick kv_yardstick = {library, CMP_BYTES_CALLS};
