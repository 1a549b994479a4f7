// sqlite.c -- yardstick: SQLite, a B-tree with a write-ahead log.
// SPDX-License-Identifier: MIT
//
// One table WITHOUT ROWID, keyed by the bytes; journal_mode=WAL. A put is a
// transaction, as a server would use it; KV_SYNC_COMMIT is synchronous=FULL,
// the others OFF. The page cache has the memory budget; each thread has its
// own connection, and so its own cache, as the library wants it.

#include <sqlite3.h>
#include <stdio.h>

#include "common/mem.h"

#include "compare/yardsticks/handles.h"
#include "compare/yardsticks/refusing.h"
#include "compare/yardsticks/yardstick.h"

enum { BUSY_MS = 60000 };

struct sqlite_store {
    kv base;
    handles connections;
};

enum statement { GET, PUT, DEL, BEGIN, COMMIT, ROLLBACK, SCAN, STATEMENTS };

static const char *const statements[STATEMENTS] = {
    [GET] = "SELECT v FROM kv WHERE k=?1",
    [PUT] = "INSERT OR REPLACE INTO kv VALUES(?1,?2)",
    [DEL] = "DELETE FROM kv WHERE k=?1",
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [SCAN] = "SELECT k,v FROM kv WHERE k>=?1 ORDER BY k",
};

struct connection {
    sqlite3 *db;
    sqlite3_stmt *run[STATEMENTS];
};

struct sqlite_cursor {
    kv_cursor base;
    struct connection *connection;
};

static kv_status failed(const kv *db, const char *doing, sqlite3 *connection)
{
    int code = sqlite3_errcode(connection);
    return kv_fail(code == SQLITE_FULL ? KV_NO_SPACE : KV_IO,
                   "%s: %s: SQLite says %s", db->path, doing,
                   sqlite3_errmsg(connection));
}

static void disconnect(void *handle)
{
    struct connection *c = handle;
    for (size_t i = 0; i < STATEMENTS; i++) sqlite3_finalize(c->run[i]);
    sqlite3_close(c->db);
    kv_free(c);
}

static int set_up(kv *db, struct connection *c)
{
    kv_buf sql = {0};
    kv_buf_printf(
        &sql,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=%s; PRAGMA mmap_size=0;"
        "PRAGMA cache_size=-%llu;"
        "CREATE TABLE IF NOT EXISTS kv(k BLOB PRIMARY KEY, v BLOB NOT NULL)"
        " WITHOUT ROWID;%c",
        db->sync == KV_SYNC_COMMIT ? "FULL" : "OFF",
        (unsigned long long)(db->memory_bytes >> 10), '\0');
    int code = sqlite3_exec(c->db, (char *)sql.data, NULL, NULL, NULL);
    kv_buf_free(&sql);
    for (size_t i = 0; i < STATEMENTS && code == SQLITE_OK; i++) {
        code = sqlite3_prepare_v2(c->db, statements[i], -1, &c->run[i], NULL);
    }
    return code;
}

static kv_status connect_to(kv *db, void **handle)
{
    struct connection *c = kv_zalloc(sizeof *c);
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/data.sqlite%c", db->path, '\0');
    int code = sqlite3_open((char *)path.data, &c->db);
    kv_buf_free(&path);
    sqlite3_busy_timeout(c->db, BUSY_MS);
    if (code == SQLITE_OK) code = set_up(db, c);
    if (code != SQLITE_OK) {
        kv_status st = failed(db, "open", c->db);
        disconnect(c);
        return st;
    }
    *handle = c;
    return KV_OK;
}

static kv_status sqlite_open(kv *db)
{
    struct sqlite_store *store = (struct sqlite_store *)db;
    void *connection = NULL;
    handles_init(&store->connections, connect_to, disconnect);
    kv_status st = handles_mine(&store->connections, db, &connection);
    if (st == KV_OK) handles_done(&store->connections, connection);
    return st;
}

static kv_status sqlite_close(kv *db)
{
    handles_free(&((struct sqlite_store *)db)->connections);
    return KV_OK;
}

static void bind(sqlite3_stmt *statement, int place, kv_slice bytes)
{
    const void *data = bytes.len > 0 ? (const void *)bytes.data : "";
    sqlite3_bind_blob64(statement, place, data, bytes.len, SQLITE_STATIC);
}

static kv_slice column(sqlite3_stmt *statement, int place)
{
    const void *data = sqlite3_column_blob(statement, place);
    return kv_slice_of(data, (size_t)sqlite3_column_bytes(statement, place));
}

// Runs a statement that answers nothing.
static bool run(sqlite3_stmt *statement)
{
    bool is_done = sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    return is_done;
}

static kv_status sqlite_get(kv *db, kv_slice key, kv_buf *value)
{
    struct sqlite_store *store = (struct sqlite_store *)db;
    void *handle = NULL;
    KV_TRY(handles_mine(&store->connections, db, &handle));
    struct connection *c = handle;
    bind(c->run[GET], 1, key);
    int code = sqlite3_step(c->run[GET]);
    kv_status st = KV_NOT_FOUND;
    if (code == SQLITE_ROW) {
        kv_buf_set(value, column(c->run[GET], 0));
        st = KV_OK;
    } else if (code != SQLITE_DONE) {
        st = failed(db, "get", c->db);
    }
    sqlite3_reset(c->run[GET]);
    handles_done(&store->connections, c);
    return st;
}

static bool apply(struct connection *c, const kv_change *change)
{
    bool is_put = change->kind == KV_PUT;
    sqlite3_stmt *statement = c->run[is_put ? PUT : DEL];
    bind(statement, 1, change->key);
    if (is_put) bind(statement, 2, change->value);
    return run(statement);
}

static kv_status sqlite_write(kv *db, const kv_change *changes, size_t count)
{
    struct sqlite_store *store = (struct sqlite_store *)db;
    void *handle = NULL;
    KV_TRY(handles_mine(&store->connections, db, &handle));
    struct connection *c = handle;
    bool ok = count == 1 || run(c->run[BEGIN]);
    for (size_t i = 0; i < count && ok; i++) ok = apply(c, &changes[i]);
    if (ok && count > 1) ok = run(c->run[COMMIT]);
    kv_status st = ok ? KV_OK : failed(db, "write", c->db);
    if (!ok && count > 1) run(c->run[ROLLBACK]);
    handles_done(&store->connections, c);
    return st;
}

static kv_status sqlite_scan(kv *db, kv_cursor *cursor)
{
    struct sqlite_store *store = (struct sqlite_store *)db;
    struct sqlite_cursor *c = (struct sqlite_cursor *)cursor;
    if (cursor->range.reverse) return refuse_scan(db, cursor);
    void *handle = NULL;
    KV_TRY(handles_borrow(&store->connections, db, &handle));
    c->connection = handle;
    bind(c->connection->run[SCAN], 1, cursor->range.from);
    return KV_OK;
}

static kv_status sqlite_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    struct connection *c = ((struct sqlite_cursor *)cursor)->connection;
    int code = sqlite3_step(c->run[SCAN]);
    if (code == SQLITE_DONE) return KV_END;
    if (code != SQLITE_ROW) return failed(cursor->db, "scan", c->db);
    *key = column(c->run[SCAN], 0);
    *value = column(c->run[SCAN], 1);
    kv_slice to = cursor->range.to;
    return to.len > 0 && kv_slice_cmp(*key, to) >= 0 ? KV_END : KV_OK;
}

static void sqlite_end(kv_cursor *cursor)
{
    struct sqlite_store *store = (struct sqlite_store *)cursor->db;
    struct connection *c = ((struct sqlite_cursor *)cursor)->connection;
    if (c == NULL) return;
    sqlite3_reset(c->run[SCAN]);
    handles_return(&store->connections, c);
}

// Moves the log's pages into the file, which syncs both unless told not to.
static kv_status sqlite_checkpoint(kv *db, bool *did_work)
{
    struct sqlite_store *store = (struct sqlite_store *)db;
    void *handle = NULL;
    KV_TRY(handles_mine(&store->connections, db, &handle));
    struct connection *c = handle;
    int code = sqlite3_wal_checkpoint_v2(
        c->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    kv_status st = code == SQLITE_OK ? KV_OK : failed(db, "checkpoint", c->db);
    handles_done(&store->connections, c);
    *did_work = false;
    return st;
}

static kv_status sqlite_sync(kv *db)
{
    bool did_work;
    return sqlite_checkpoint(db, &did_work);
}

static void sqlite_measure(kv *db, kv_stats *stats) { (void)db, (void)stats; }

static const char *library(void)
{
    static char name[32];
    snprintf(name, sizeof name, "SQLite %s", sqlite3_libversion());
    return name;
}

KV_API extern const kv_engine kv_engine_plugin;
const kv_engine kv_engine_plugin = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "sqlite",
             .title = "SQLite, a B-tree with a write-ahead log",
             .book = "B-Trees",
             .caps = KV_CAP_DURABLE | KV_CAP_ORDERED | KV_CAP_KEYS_ON_DISK |
                     KV_CAP_SNAPSHOT,
             .key_max = KV_KEY_MAX,
             .value_max = KV_VALUE_MAX,
             .format_major = 1},
    .store_size = sizeof(struct sqlite_store),
    .cursor_size = sizeof(struct sqlite_cursor),
    .open = sqlite_open,
    .close = sqlite_close,
    .get = sqlite_get,
    .write = sqlite_write,
    .sync = sqlite_sync,
    .maintain = sqlite_checkpoint,
    .scan = sqlite_scan,
    .next = sqlite_next,
    .end = sqlite_end,
    .measure = sqlite_measure,
    .inspect = refuse_inspect,
    .check = refuse_check,
};

// The index of its log is a mapping, which is not the data's bytes.
KV_API extern const cmp_yardstick kv_yardstick;
const cmp_yardstick kv_yardstick = {library, CMP_BYTES_CALLS};
