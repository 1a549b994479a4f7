// ops_run.c -- see ops.h: doing a run, in a child process.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"

#include "tests/engine/ops_impl.h"

enum { RUN_SECONDS_MAX = 120 };

typedef struct state {
    const run *r;
    const char *parent;
    kv *db;
    kv_options options;
    model model;
    kv_buf key, key2, value, got;
    unsigned copies;
    // The held cursor.
    kv_cursor *cursor;
    kv_range range;
    kv_buf from, to;
    model moment;                 // what was there when it was opened
    bool wrote, may_have_written; // since then
} state;

static bool can(const state *s, unsigned caps)
{
    return (kv_describe(s->r->engine)->caps & caps) == caps;
}

static kv_status wrong(const char *what)
{
    return kv_fail(KV_INVALID, "%s", what);
}

// ---- one operation of each kind ---------------------------------------------

static kv_status do_put(state *s, const op *o)
{
    ops_value(o->seed, o->size, &s->value);
    KV_TRY(kv_put(s->db, kv_buf_slice(&s->key), kv_buf_slice(&s->value)));
    model_put(&s->model, kv_buf_slice(&s->key), kv_buf_slice(&s->value));
    s->wrote = true;
    return KV_OK;
}

static kv_status do_del(state *s)
{
    KV_TRY(kv_del(s->db, kv_buf_slice(&s->key)));
    model_del(&s->model, kv_buf_slice(&s->key));
    s->wrote = true;
    return KV_OK;
}

static kv_status judge_get(const state *s, kv_slice key, kv_status st,
                           const kv_buf *got)
{
    const kv_buf *want = model_get(&s->model, key);
    if (st != KV_OK && st != KV_NOT_FOUND) return st;
    if (want == NULL && st == KV_OK)
        return wrong("get finds what is not there");
    if (want != NULL && st != KV_OK) return wrong("get does not find");
    if (want == NULL) {
        return got->len == 0 ? KV_OK : wrong("not found, but bytes came back");
    }
    bool is_same = kv_slice_equal(kv_buf_slice(want), kv_buf_slice(got));
    return is_same ? KV_OK : wrong("get shows another value than was put last");
}

static kv_status do_get(state *s)
{
    kv_status st = kv_get(s->db, kv_buf_slice(&s->key), &s->got);
    return judge_get(s, kv_buf_slice(&s->key), st, &s->got);
}

static kv_status do_get_many(state *s, const op *o)
{
    enum { COUNT = 24 };
    kv_buf keys[COUNT] = {{0}}, values[COUNT] = {{0}};
    kv_slice slices[COUNT];
    bool found[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        ops_key((o->key + i * (o->key2 + 1)) % s->r->key_count, s->r->key_max,
                &keys[i]);
        slices[i] = kv_buf_slice(&keys[i]);
    }
    kv_status st = kv_get_many(s->db, COUNT, slices, values, found);
    for (uint32_t i = 0; i < COUNT; i++) {
        if (st == KV_OK) {
            st = judge_get(s, slices[i], found[i] ? KV_OK : KV_NOT_FOUND,
                           &values[i]);
        }
        kv_buf_free(&keys[i]);
        kv_buf_free(&values[i]);
    }
    return st;
}

static kv_status do_batch(state *s, const op *o)
{
    kv_batch batch = {0};
    model after = {0};
    model_copy(&after, &s->model);
    for (uint32_t i = 0; i < o->size; i++) {
        op change = ops_batch_change(s->r, o, i);
        ops_key(change.key, s->r->key_max, &s->key);
        ops_value(change.seed, change.size, &s->value);
        kv_slice key = kv_buf_slice(&s->key), value = kv_buf_slice(&s->value);
        if (change.kind == OP_PUT) {
            kv_batch_put(&batch, key, value);
            model_put(&after, key, value);
        } else {
            kv_batch_del(&batch, key);
            model_del(&after, key);
        }
    }
    kv_status st = kv_write(s->db, &batch);
    kv_batch_free(&batch);
    if (st == KV_OK) {
        s->wrote |= o->size > 0;
        model_free(&s->model);
        s->model = after;
    } else {
        model_free(&after);
    }
    return st;
}

static kv_status do_del_range(state *s)
{
    size_t before = s->model.count;
    kv_slice from = kv_buf_slice(&s->key), to = kv_buf_slice(&s->key2);
    KV_TRY(kv_del_range(s->db, from, to));
    if (kv_slice_cmp(from, to) < 0) model_del_range(&s->model, from, to);
    s->wrote |= s->model.count != before;
    s->may_have_written = true;
    return KV_OK;
}

// One in four is open at an end.
static kv_range range_of(const state *s, const op *o)
{
    kv_range range = {kv_buf_slice(&s->key), kv_buf_slice(&s->key2),
                      ops_is_reverse(s->r, o)};
    if (o->seed / 2 % 8 == 0) range.from.len = 0;
    if (o->seed / 2 % 8 == 1) range.to.len = 0;
    return range;
}

static kv_status do_scan(state *s, const op *o)
{
    return model_compare_range(&s->model, s->db, range_of(s, o),
                               can(s, KV_CAP_ORDERED));
}

// ---- the held cursor --------------------------------------------------------

static void let_go(state *s)
{
    kv_cursor_close(s->cursor);
    s->cursor = NULL;
    model_free(&s->moment);
}

static kv_status do_hold(state *s, const op *o)
{
    if (s->cursor != NULL) return KV_OK;
    kv_range range = range_of(s, o);
    kv_buf_set(&s->from, range.from);
    kv_buf_set(&s->to, range.to);
    s->range =
        (kv_range){kv_buf_slice(&s->from), kv_buf_slice(&s->to), range.reverse};
    KV_TRY(kv_scan(s->db, s->range, &s->cursor));
    model_copy(&s->moment, &s->model);
    s->wrote = s->may_have_written = false;
    return KV_OK;
}

// Takes each entry that the cursor shows off the moment's model; what has to
// remain is what is outside the range.
static kv_status walk(state *s)
{
    size_t first, limit;
    model_find_range(&s->moment, s->range.from, s->range.to, &first, &limit);
    size_t outside = s->moment.count - (limit - first);
    bool is_ordered = can(s, KV_CAP_ORDERED);
    kv_slice key, value;
    kv_status st;
    kv_buf_clear(&s->got);
    while ((st = kv_cursor_next(s->cursor, &key, &value)) == KV_OK) {
        const kv_buf *want = model_get(&s->moment, key);
        if (want == NULL)
            return wrong("a held cursor shows what was not there");
        if (!kv_slice_equal(kv_buf_slice(want), value)) {
            return wrong("a held cursor shows another value than was there");
        }
        int order = kv_slice_cmp(key, kv_buf_slice(&s->got));
        if (s->range.reverse) order = -order;
        if (is_ordered && s->got.len > 0 && order <= 0) {
            return wrong("a held cursor goes back");
        }
        kv_buf_set(&s->got, key);
        model_del(&s->moment, key);
    }
    if (st == KV_END && s->moment.count != outside) {
        return wrong("a held cursor left entries out, or left its range");
    }
    return st;
}

static kv_status do_drop(state *s)
{
    if (s->cursor == NULL) return KV_OK;
    kv_status st = walk(s);
    let_go(s);
    bool is_snapshot = can(s, KV_CAP_SNAPSHOT);
    if (st == KV_END && (is_snapshot || !s->wrote)) return KV_OK;
    if (st == KV_STALE && !is_snapshot && (s->wrote || s->may_have_written)) {
        return KV_OK;
    }
    if (st == KV_END) return wrong("a held cursor outlived a write");
    if (st == KV_STALE) return wrong("a cursor went stale and nothing changed");
    return st;
}

// ---- the store --------------------------------------------------------------

static kv_status compare(state *s)
{
    return model_compare(&s->model, s->db, can(s, KV_CAP_ORDERED));
}

static kv_status check(state *s)
{
    kv_report report = {0};
    kv_status st = kv_check(s->db, &report);
    kv_report_free(&report);
    return st;
}

static kv_status do_reopen(state *s)
{
    let_go(s);
    kv *db = s->db;
    s->db = NULL;
    KV_TRY(kv_close(db));
    if (!can(s, KV_CAP_DURABLE)) model_free(&s->model);
    return kv_open(s->r->engine, &s->options, &s->db);
}

static kv_status do_backup(state *s)
{
    if (!can(s, KV_CAP_BACKUP)) return KV_OK;
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/copy%u%c", s->parent, s->copies++, '\0');
    kv_options options = s->options;
    options.path = (const char *)path.data;
    kv *copy = NULL;
    kv_status st = kv_backup(s->db, options.path);
    options.create = false;
    if (st == KV_OK) st = kv_open(s->r->engine, &options, &copy);
    if (st == KV_OK) {
        st = model_compare(&s->model, copy, can(s, KV_CAP_ORDERED));
    }
    kv_status closed = kv_close(copy);
    kv_buf_free(&path);
    return st != KV_OK ? st : closed;
}

static kv_status do_op(state *s, const op *o)
{
    uint32_t key_max = s->r->key_max;
    bool did_work;
    ops_key(o->key, key_max, &s->key);
    ops_key(o->key2, key_max, &s->key2);
    switch (o->kind) {
    case OP_PUT:
        return do_put(s, o);
    case OP_DEL:
        return do_del(s);
    case OP_GET:
        return do_get(s);
    case OP_GET_MANY:
        return do_get_many(s, o);
    case OP_BATCH:
        return do_batch(s, o);
    case OP_DEL_RANGE:
        return do_del_range(s);
    case OP_SCAN:
        return do_scan(s, o);
    case OP_HOLD:
        return do_hold(s, o);
    case OP_DROP:
        return do_drop(s);
    case OP_SYNC:
        return kv_sync(s->db);
    case OP_MAINTAIN:
        return kv_maintain(s->db, &did_work);
    case OP_SETTLE:
        return ops_is_compact(s->r, o)
                   ? kv_compact(s->db, kv_buf_slice(&s->key),
                                kv_buf_slice(&s->key2))
                   : kv_settle(s->db);
    case OP_REOPEN:
        return do_reopen(s);
    case OP_CHECK:
        return check(s);
    case OP_BACKUP:
        return do_backup(s);
    case OP_COMPARE:
        return compare(s);
    case OP_KINDS:
        break;
    }
    return wrong("an operation of no kind");
}

// ---- the run ----------------------------------------------------------------

static kv_status do_all(state *s, size_t *done)
{
    KV_TRY(kv_open(s->r->engine, &s->options, &s->db));
    for (; *done < s->r->count; ++*done) {
        KV_TRY(do_op(s, &s->r->ops[*done]));
    }
    let_go(s);
    KV_TRY(compare(s));
    KV_TRY(check(s));
    KV_TRY(do_reopen(s));
    return compare(s);
}

// Where and what, as a sentence.
static void describe(const state *s, size_t done, kv_status st, kv_buf *to)
{
    kv_buf line = {0};
    if (done < s->r->count) ops_print_one(s->r, &s->r->ops[done], &line);
    else kv_buf_append(&line, kv_str("the comparison at the end\n"));
    size_t len = line.len - 1 < 70 ? line.len - 1 : 70;
    kv_buf_printf(to, "operation %zu, %.*s: %s: %s", done + 1, (int)len,
                  (const char *)line.data, kv_status_name(st), kv_last_error());
    kv_buf_free(&line);
}

// In the child: the message goes to the pipe; returns the exit code.
static int run_child(const run *r, const char *parent, int pipe)
{
    char path[512];
    snprintf(path, sizeof path, "%s/store", parent);
    state s = {.r = r, .parent = parent};
    s.options = (kv_options){.path = path,
                             .knobs = r->knobs,
                             .sync = r->sync,
                             .interval_ms = 1,
                             .memory_bytes = r->memory_bytes,
                             .seed = 1,
                             .create = true};
    size_t done = 0;
    kv_status st = do_all(&s, &done);
    if (st != KV_OK) {
        kv_buf message = {0};
        describe(&s, done, st, &message);
        (void)!write(pipe, message.data, message.len);
        kv_buf_free(&message);
        _exit(1); // as it stands: closing may be what does not work
    }
    kv_close(s.db);
    model_free(&s.model);
    kv_buf *bufs[] = {&s.key, &s.key2, &s.value, &s.got, &s.from, &s.to};
    for (int i = 0; i < 6; i++) kv_buf_free(bufs[i]);
    return 0;
}

static void read_all(int from, kv_buf *to)
{
    ssize_t got = 1;
    while (got > 0) {
        kv_buf_reserve(to, 512);
        got = read(from, to->data + to->len, 512);
        if (got > 0) to->len += (size_t)got;
    }
}

bool ops_fail(const run *r, kv_buf *message)
{
    char *parent = test_make_dir();
    int ends[2];
    assert_return_code(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        alarm(RUN_SECONDS_MAX); // a hang is a failure, too
        exit(run_child(r, parent, ends[1]));
    }
    close(ends[1]);
    read_all(ends[0], message);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    test_remove_dir(parent);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return false;
    if (message->len == 0) {
        kv_buf_printf(message, "the process died (%s %d)",
                      WIFSIGNALED(status) ? "signal" : "exit code",
                      WIFSIGNALED(status) ? WTERMSIG(status)
                                          : WEXITSTATUS(status));
    }
    return true;
}
