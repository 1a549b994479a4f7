// trace.c -- see trace.h.
// SPDX-License-Identifier: MIT

#include "compare/trace.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/engine.h"
#include "common/mem.h"

#include "compare/unpack.h"

enum { VALUE_MAX = 1 << 20, SCAN_MAX = 10000 };

// A key as a line gave it. Offsets until everything is read: the text moves.
struct mention {
    kv_slice key;
    uint64_t offset;
    size_t len;
    uint32_t number; // of the operation
};

struct mentions {
    struct mention *mention;
    size_t cap;
};

// ---- lines ------------------------------------------------------------------

// The next cell of a line; an empty slice at its end.
static kv_slice cut_cell(kv_slice *line)
{
    const uint8_t *tab = line->len ? memchr(line->data, '\t', line->len) : NULL;
    size_t len = tab ? (size_t)(tab - line->data) : line->len;
    kv_slice cell = kv_slice_of(line->data, len);
    size_t used = tab ? len + 1 : len;
    *line = kv_slice_of(line->data + used, line->len - used);
    return cell;
}

static kv_status read_number(kv_slice cell, const char *what, uint32_t max,
                             uint32_t *to)
{
    uint64_t n = 0;
    bool is_number = cell.len > 0 && cell.len <= 10;
    for (size_t i = 0; i < cell.len && is_number; i++) {
        is_number = cell.data[i] >= '0' && cell.data[i] <= '9';
        n = 10 * n + (uint64_t)(cell.data[i] - '0');
    }
    if (!is_number || n > max) {
        return kv_fail(KV_INVALID, "its %s is not a number from 0 to %u", what,
                       (unsigned)max);
    }
    *to = (uint32_t)n;
    return KV_OK;
}

static kv_status read_verb(kv_slice cell, cmp_verb *to)
{
    static const char *const verbs[CMP_VERBS] = {"get", "put", "del", "scan"};
    for (int i = 0; i < CMP_VERBS; i++) {
        if (!kv_slice_equal(cell, kv_str(verbs[i]))) continue;
        *to = (cmp_verb)i;
        return KV_OK;
    }
    kv_quoted q;
    return kv_fail(KV_INVALID, "\"%s\" is not get, put, del or scan",
                   kv_quote(&q, cell));
}

static void add_op(cmp_trace *t, struct mentions *m, struct mention mention,
                   cmp_trace_op op)
{
    if (t->count == m->cap) {
        m->cap = m->cap ? 2 * m->cap : 1024;
        m->mention = kv_realloc(m->mention, m->cap * sizeof *m->mention);
        t->op = kv_realloc(t->op, m->cap * sizeof *t->op);
    }
    mention.number = t->count;
    m->mention[t->count] = mention;
    t->op[t->count++] = op;
    t->verbs[op.verb]++;
    if (mention.len > t->key_max) t->key_max = mention.len;
    if (op.value_bytes > t->value_max) t->value_max = op.value_bytes;
    if (op.scan_length > t->scan_max) t->scan_max = op.scan_length;
}

static kv_status read_line(cmp_trace *t, struct mentions *m, kv_slice line)
{
    cmp_trace_op op = {0};
    KV_TRY(read_verb(cut_cell(&line), &op.verb));
    struct mention mention = {.offset = t->text.len};
    KV_TRY(kv_unescape(&t->text, cut_cell(&line)));
    mention.len = t->text.len - mention.offset;
    if (mention.len == 0 || mention.len > KV_KEY_MAX) {
        return kv_fail(KV_INVALID, "its key has not 1 to %d bytes",
                       (int)KV_KEY_MAX);
    }
    KV_TRY(read_number(cut_cell(&line), "value_length", VALUE_MAX,
                       &op.value_bytes));
    if (op.verb == CMP_VERB_SCAN) {
        KV_TRY(read_number(cut_cell(&line), "scan_length", SCAN_MAX,
                           &op.scan_length));
    }
    if (line.len > 0) return kv_fail(KV_INVALID, "it has too many cells");
    if (t->count == INT32_MAX) return kv_fail(KV_TOO_BIG, "too many lines");
    add_op(t, m, mention, op);
    return KV_OK;
}

static kv_status read_lines(cmp_trace *t, struct mentions *m, kv_slice raw,
                            const char *path)
{
    size_t at = 0, number = 1;
    for (; at < raw.len; number++) {
        const uint8_t *from = raw.data + at;
        const uint8_t *end = memchr(from, '\n', raw.len - at);
        size_t len = end ? (size_t)(end - from) : raw.len - at;
        at += len + 1;
        if (len > 0 && from[len - 1] == '\r') len--;
        if (len == 0 || from[0] == '#') continue;
        kv_status st = read_line(t, m, kv_slice_of(from, len));
        if (st == KV_OK) continue;
        char why[200];
        snprintf(why, sizeof why, "%s", kv_last_error());
        return kv_fail(st,
                       "%s, line %zu: %s; a line is OP, KEY, VALUE_LENGTH and, "
                       "of a scan, SCAN_LENGTH, parted by tabs",
                       path, number, why);
    }
    if (t->count > 0) return KV_OK;
    return kv_fail(KV_INVALID, "%s holds no operations", path);
}

// ---- places -----------------------------------------------------------------

static int by_key_then_number(const void *a, const void *b)
{
    const struct mention *left = a, *right = b;
    int order = kv_slice_cmp(left->key, right->key);
    if (order != 0) return order;
    return left->number < right->number ? -1 : 1;
}

// T1, and which of the keys were there before.
static void place_keys(cmp_trace *t, struct mentions *m)
{
    for (uint32_t i = 0; i < t->count; i++) {
        struct mention *mention = &m->mention[i];
        mention->key =
            kv_slice_of(t->text.data + mention->offset, mention->len);
    }
    qsort(m->mention, t->count, sizeof *m->mention, by_key_then_number);
    t->key = kv_alloc(t->count * sizeof *t->key);
    t->loaded = kv_alloc(t->count * sizeof *t->loaded);
    bool *is_first = kv_zalloc(t->count * sizeof *is_first);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct mention *mention = &m->mention[i];
        bool is_new = t->key_count == 0 ||
                      !kv_slice_equal(mention->key, t->key[t->key_count - 1]);
        if (is_new) t->key[t->key_count++] = mention->key;
        is_first[mention->number] = is_new;
        t->op[mention->number].place = t->key_count - 1;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        bool was_there = is_first[i] && t->op[i].verb == CMP_VERB_GET &&
                         t->op[i].value_bytes > 0;
        if (was_there) t->loaded[t->loaded_count++] = i;
    }
    kv_free(is_first);
}

kv_status cmp_trace_read(cmp_trace *t, const char *path)
{
    kv_buf raw = {0};
    struct mentions m = {0};
    *t = (cmp_trace){0};
    kv_status st = cmp_unpack(path, &raw);
    if (st == KV_OK) st = read_lines(t, &m, kv_buf_slice(&raw), path);
    if (st == KV_OK) place_keys(t, &m);
    kv_buf_free(&raw);
    kv_free(m.mention);
    if (st != KV_OK) cmp_trace_free(t);
    return st;
}

void cmp_trace_free(cmp_trace *t)
{
    kv_buf_free(&t->text);
    kv_free(t->key);
    kv_free(t->op);
    kv_free(t->loaded);
    *t = (cmp_trace){0};
}
