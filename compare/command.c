// command.c -- any program as an engine, in any language: a module that speaks
// lines with it over two pipes.
// SPDX-License-Identifier: MIT
//
//     compare run --engines log,cmd:./mine --records 1000
//
// The program is started once per open store, with the store's directory as
// its only argument: what it keeps, it keeps there. It reads requests from
// standard input and answers each on standard output, a line for a line, cells
// parted by one tab, bytes escaped as in TSV files (\t \n \r \\ \xHH):
//
//     open                           ok, when it is ready
//     put KEY VALUE                  ok
//     get KEY                        ok VALUE   or   none
//     del KEY                        ok, there or not
//     scan                           row KEY VALUE, for each key, then end
//     sync                           ok, when all of it is on the disk
//     close                          ok, and it ends
//
// and instead of any of them `error` and a sentence. A batch is its changes
// one by one: nobody demands more of a program of ten lines.
//
// The command is in the environment (KV_COMMAND), where the loader puts it, so
// that every program that can load an engine can use this one.

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/engine_impl.h"
#include "common/mem.h"

#include "compare/yardsticks/refusing.h"
#include "compare/yardsticks/yardstick.h"

enum { COMMAND_VALUE_MAX = 4 << 20, COMMAND_KEY_MAX = 64 << 10 };

extern char **environ;

struct command_store {
    kv base;
    kv_mutex lock; // a request and its answer
    pid_t pid;
    FILE *to, *from;
    char *line; // getline's
    size_t line_cap;
    kv_buf request, key, value;
};

struct command_cursor {
    kv_cursor base;
    kv_buf rows; // what the program told: u32 length and bytes, twice a row
    size_t at;
    kv_buf key, value;
};

static const char *program(void)
{
    const char *command = getenv("KV_COMMAND");
    return command != NULL ? command : "";
}

// ---- lines ------------------------------------------------------------------

static kv_status broken(const struct command_store *s, const char *what)
{
    return kv_fail(KV_IO, "%s: the program \"%s\" %s", s->base.path, program(),
                   what);
}

#define ENDED "ended without an answer"

// The next answer without its newline; `*rest` is what follows its first word.
static kv_status hear(struct command_store *s, char **rest)
{
    ssize_t len = getline(&s->line, &s->line_cap, s->from);
    if (len <= 0) return broken(s, ENDED);
    if (s->line[len - 1] == '\n') s->line[len - 1] = '\0';
    char *tab = strchr(s->line, '\t');
    if (tab != NULL) *tab = '\0';
    *rest = tab != NULL ? tab + 1 : s->line + strlen(s->line);
    if (strcmp(s->line, "error") != 0) return KV_OK;
    return kv_fail(KV_IO, "%s: the program \"%s\" says: %s", s->base.path,
                   program(), *rest);
}

static kv_status say(struct command_store *s, const char *word, kv_slice key,
                     const kv_slice *value)
{
    kv_buf_clear(&s->request);
    kv_buf_append(&s->request, kv_str(word));
    if (key.len > 0) {
        kv_buf_append(&s->request, kv_str("\t"));
        kv_escape(&s->request, key);
    }
    if (value != NULL) {
        kv_buf_append(&s->request, kv_str("\t"));
        kv_escape(&s->request, *value);
    }
    kv_buf_append(&s->request, kv_str("\n"));
    EXPLAIN(&s->base.explain, "ask the program: %s", word);
    size_t len = s->request.len;
    if (fwrite(s->request.data, 1, len, s->to) == len && fflush(s->to) == 0) {
        return KV_OK;
    }
    // EPIPE: it ended before, or after, we had written; both are told alike.
    return broken(s, errno == EPIPE ? ENDED : "does not listen");
}

// A request that is answered by "ok" and nothing else.
static kv_status demand(struct command_store *s, const char *word, kv_slice key,
                        const kv_slice *value)
{
    char *rest = NULL;
    KV_TRY(say(s, word, key, value));
    KV_TRY(hear(s, &rest));
    return strcmp(s->line, "ok") == 0 ? KV_OK : broken(s, "did not say ok");
}

// ---- the program ------------------------------------------------------------

static int spawn(struct command_store *s, int down[2], int up[2])
{
    char sh[] = "sh", dash_c[] = "-c", run[] = "exec \"$0\" \"$1\"";
    char *command = kv_strdup(program()), *dir = kv_strdup(s->base.path);
    char *argv[] = {sh, dash_c, run, command, dir, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, down[0], 0);
    posix_spawn_file_actions_adddup2(&actions, up[1], 1);
    for (int i = 0; i < 2; i++) {
        posix_spawn_file_actions_addclose(&actions, down[i]);
        posix_spawn_file_actions_addclose(&actions, up[i]);
    }
    int code = posix_spawnp(&s->pid, sh, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    kv_free(command);
    kv_free(dir);
    return code;
}

static kv_status start(struct command_store *s)
{
    int down[2], up[2];
    if (pipe(down) != 0) return broken(s, "gets no pipe");
    if (pipe(up) != 0) {
        close(down[0]), close(down[1]);
        return broken(s, "gets no pipe");
    }
    int code = spawn(s, down, up);
    close(down[0]);
    close(up[1]);
    s->to = fdopen(down[1], "w");
    s->from = fdopen(up[0], "r");
    return code == 0 ? KV_OK : broken(s, strerror(code));
}

static kv_status command_open(kv *db)
{
    struct command_store *s = (struct command_store *)db;
    kv_mutex_init(&s->lock);
    if (program()[0] == '\0') {
        return kv_fail(KV_INVALID, "KV_COMMAND does not name a program");
    }
    // A program that ends early is an answer, not a signal.
    signal(SIGPIPE, SIG_IGN);
    KV_TRY(start(s));
    return demand(s, "open", (kv_slice){0}, NULL);
}

static kv_status command_close(kv *db)
{
    struct command_store *s = (struct command_store *)db;
    kv_status st = KV_OK;
    if (s->pid > 0) {
        st = demand(s, "close", (kv_slice){0}, NULL);
        fclose(s->to);
        fclose(s->from);
        while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
    free(s->line);
    kv_buf_free(&s->request);
    kv_buf_free(&s->key);
    kv_buf_free(&s->value);
    kv_mutex_free(&s->lock);
    return st;
}

// ---- calls ------------------------------------------------------------------

static kv_status get_locked(struct command_store *s, kv_slice key,
                            kv_buf *value)
{
    char *rest = NULL;
    KV_TRY(say(s, "get", key, NULL));
    KV_TRY(hear(s, &rest));
    if (strcmp(s->line, "none") == 0) return KV_NOT_FOUND;
    if (strcmp(s->line, "ok") != 0)
        return broken(s, "said neither ok nor none");
    kv_buf_clear(value);
    return kv_unescape(value, kv_str(rest));
}

static kv_status command_get(kv *db, kv_slice key, kv_buf *value)
{
    struct command_store *s = (struct command_store *)db;
    kv_mutex_lock(&s->lock);
    kv_status st = get_locked(s, key, value);
    kv_mutex_unlock(&s->lock);
    return st;
}

static kv_status command_write(kv *db, const kv_change *changes, size_t count)
{
    struct command_store *s = (struct command_store *)db;
    kv_status st = KV_OK;
    kv_mutex_lock(&s->lock);
    for (size_t i = 0; i < count && st == KV_OK; i++) {
        bool is_put = changes[i].kind == KV_PUT;
        st = demand(s, is_put ? "put" : "del", changes[i].key,
                    is_put ? &changes[i].value : NULL);
    }
    if (st == KV_OK && db->sync == KV_SYNC_COMMIT) {
        st = demand(s, "sync", (kv_slice){0}, NULL);
    }
    kv_mutex_unlock(&s->lock);
    return st;
}

static kv_status command_sync(kv *db)
{
    struct command_store *s = (struct command_store *)db;
    kv_mutex_lock(&s->lock);
    kv_status st = demand(s, "sync", (kv_slice){0}, NULL);
    kv_mutex_unlock(&s->lock);
    return st;
}

// ---- scanning ---------------------------------------------------------------

static void keep(kv_buf *rows, kv_slice bytes)
{
    uint32_t len = (uint32_t)bytes.len;
    kv_buf_append(rows, kv_slice_of(&len, sizeof len));
    kv_buf_append(rows, bytes);
}

static kv_slice kept(const kv_buf *rows, size_t *at)
{
    uint32_t len;
    memcpy(&len, rows->data + *at, sizeof len);
    kv_slice bytes = kv_slice_of(rows->data + *at + sizeof len, len);
    *at += sizeof len + len;
    return bytes;
}

static bool is_inside(const kv_range *range, kv_slice key)
{
    if (kv_slice_cmp(key, range->from) < 0) return false;
    return range->to.len == 0 || kv_slice_cmp(key, range->to) < 0;
}

static kv_status take_row(struct command_store *s, struct command_cursor *c,
                          char *rest)
{
    char *tab = strchr(rest, '\t');
    if (tab == NULL) return broken(s, "told a row without a value");
    kv_buf_clear(&c->key);
    kv_buf_clear(&c->value);
    KV_TRY(kv_unescape(&c->key, kv_slice_of(rest, (size_t)(tab - rest))));
    KV_TRY(kv_unescape(&c->value, kv_str(tab + 1)));
    if (is_inside(&c->base.range, kv_buf_slice(&c->key))) {
        keep(&c->rows, kv_buf_slice(&c->key));
        keep(&c->rows, kv_buf_slice(&c->value));
    }
    return KV_OK;
}

// All rows at once: what the program says afterwards is other answers.
static kv_status take_rows(struct command_store *s, struct command_cursor *c)
{
    char *rest = NULL;
    KV_TRY(say(s, "scan", (kv_slice){0}, NULL));
    for (;;) {
        KV_TRY(hear(s, &rest));
        if (strcmp(s->line, "end") == 0) return KV_OK;
        if (strcmp(s->line, "row") != 0) return broken(s, "told no row");
        KV_TRY(take_row(s, c, rest));
    }
}

static kv_status command_scan(kv *db, kv_cursor *cursor)
{
    struct command_store *s = (struct command_store *)db;
    kv_mutex_lock(&s->lock);
    kv_status st = take_rows(s, (struct command_cursor *)cursor);
    kv_mutex_unlock(&s->lock);
    return st;
}

static kv_status command_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    struct command_cursor *c = (struct command_cursor *)cursor;
    if (c->at == c->rows.len) return KV_END;
    *key = kept(&c->rows, &c->at);
    *value = kept(&c->rows, &c->at);
    return KV_OK;
}

static void command_end(kv_cursor *cursor)
{
    struct command_cursor *c = (struct command_cursor *)cursor;
    kv_buf_free(&c->rows);
    kv_buf_free(&c->key);
    kv_buf_free(&c->value);
}

static void command_measure(kv *db, kv_stats *stats) { (void)db, (void)stats; }

// What it keeps is its own business: there is nothing to look at but answers.
static kv_status command_check(kv *db, kv_report *report)
{
    (void)report;
    return command_sync(db);
}

static kv_status command_inspect(kv *db, const char *what, kv_report *report)
{
    if (what != NULL) {
        return kv_fail(KV_NOT_FOUND, "a program's insides are not told");
    }
    kv_report_begin(report, "%s", program());
    kv_report_end(report);
    return command_sync(db);
}

KV_API extern const kv_engine kv_engine_plugin;
const kv_engine kv_engine_plugin = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "command",
             .title = "a program of your own, over two pipes",
             .book = "Data Structures That Power Your Database",
             .caps = KV_CAP_DURABLE,
             .key_max = COMMAND_KEY_MAX,
             .value_max = COMMAND_VALUE_MAX,
             .format_major = 1},
    .store_size = sizeof(struct command_store),
    .cursor_size = sizeof(struct command_cursor),
    .open = command_open,
    .close = command_close,
    .get = command_get,
    .write = command_write,
    .sync = command_sync,
    .scan = command_scan,
    .next = command_next,
    .end = command_end,
    .measure = command_measure,
    .inspect = command_inspect,
    .check = command_check,
};

// The bytes are another process's.
KV_API extern const cmp_yardstick kv_yardstick;
const cmp_yardstick kv_yardstick = {program, CMP_BYTES_MAPPED};
