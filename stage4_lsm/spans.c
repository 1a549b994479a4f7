// spans.c -- see spans.h.
// SPDX-License-Identifier: MIT

#include "spans.h"

#include "common/mem.h"

int lsm_end_cmp(kv_slice a, kv_slice b)
{
    if (a.len == 0 || b.len == 0) return (a.len == 0) - (b.len == 0);
    return kv_slice_cmp(a, b);
}

static kv_slice lower_end(kv_slice a, kv_slice b)
{
    return lsm_end_cmp(a, b) <= 0 ? a : b;
}

// Joins it to the span before where nothing tells the two apart.
void lsm_spans_append(lsm_spans *s, const lsm_range_tombstone *range)
{
    kv_slice from = range->from, to = range->to;
    if (to.len > 0 && kv_slice_cmp(from, to) >= 0) return;
    lsm_range_tombstone *last = s->count > 0 ? &s->at[s->count - 1] : NULL;
    if (last != NULL && last->seq == range->seq && last->to.len > 0 &&
        kv_slice_equal(last->to, from)) {
        last->to = to;
        return;
    }
    if (s->count == s->cap) {
        s->cap = s->cap > 0 ? 2 * s->cap : 1;
        s->at = kv_realloc(s->at, s->cap * sizeof *s->at);
    }
    s->at[s->count++] = *range;
}

void lsm_spans_free(lsm_spans *s)
{
    kv_free(s->at);
    *s = (lsm_spans){0};
}

// ---- join -------------------------------------------------------------------

// What is left of a list: the span at `at` from `from` on, and those behind.
typedef struct rest {
    const lsm_range_tombstone *at, *limit;
    kv_slice from;
} rest;

static rest rest_of(const lsm_spans *s)
{
    rest r = {s->at, s->at + s->count, {0}};
    if (s->count > 0) r.from = s->at->from;
    return r;
}

// Goes on to `end`, at most to where the span ends.
static void pass(rest *r, kv_slice end)
{
    if (lsm_end_cmp(end, r->at->to) < 0) r->from = end;
    else if (++r->at < r->limit) r->from = r->at->from;
}

// Moves what comes first, up to `limit`, to `out`.
static void move(lsm_spans *out, rest *r, kv_slice limit)
{
    kv_slice end = lower_end(r->at->to, limit);
    lsm_spans_append(out, &(lsm_range_tombstone){r->from, end, r->at->seq});
    pass(r, end);
}

// Both begin at the same key: moves what they share.
static void move_both(lsm_spans *out, rest *x, rest *y)
{
    kv_slice end = lower_end(x->at->to, y->at->to);
    uint64_t seq = x->at->seq > y->at->seq ? x->at->seq : y->at->seq;
    lsm_spans_append(out, &(lsm_range_tombstone){x->from, end, seq});
    pass(x, end);
    pass(y, end);
}

lsm_spans lsm_spans_join(const lsm_spans *a, const lsm_spans *b)
{
    lsm_spans out = {.cap = a->count + b->count};
    out.at = kv_alloc((out.cap + 1) * sizeof *out.at);
    rest x = rest_of(a), y = rest_of(b);
    while (x.at < x.limit && y.at < y.limit) {
        int order = kv_slice_cmp(x.from, y.from);
        if (order < 0) move(&out, &x, y.from);
        else if (order > 0) move(&out, &y, x.from);
        else move_both(&out, &x, &y);
    }
    while (x.at < x.limit) move(&out, &x, (kv_slice){0});
    while (y.at < y.limit) move(&out, &y, (kv_slice){0});
    return out;
}

// ---- one key ----------------------------------------------------------------

// How many spans begin at or before the key.
static size_t begun(const lsm_spans *s, kv_slice key)
{
    size_t first = 0, limit = s->count;
    while (first < limit) {
        size_t middle = first + (limit - first) / 2;
        if (kv_slice_cmp(s->at[middle].from, key) <= 0) first = middle + 1;
        else limit = middle;
    }
    return first;
}

uint64_t lsm_spans_seq(const lsm_spans *s, kv_slice key)
{
    size_t i = begun(s, key);
    return i > 0 && lsm_range_covers(&s->at[i - 1], key) ? s->at[i - 1].seq : 0;
}

void lsm_stretch_cut(lsm_range_tombstone *stretch,
                     const lsm_range_tombstone *other)
{
    if (kv_slice_cmp(stretch->from, other->from) < 0) {
        stretch->from = other->from;
    }
    stretch->to = lower_end(stretch->to, other->to);
    if (stretch->seq < other->seq) stretch->seq = other->seq;
}

void lsm_spans_cut(const lsm_spans *s, kv_slice key,
                   lsm_range_tombstone *stretch)
{
    size_t i = begun(s, key);
    lsm_range_tombstone gap = {0};
    if (i > 0 && lsm_range_covers(&s->at[i - 1], key)) {
        lsm_stretch_cut(stretch, &s->at[i - 1]);
        return;
    }
    if (i > 0) gap.from = s->at[i - 1].to;
    if (i < s->count) gap.to = s->at[i].from;
    lsm_stretch_cut(stretch, &gap);
}

// ---- layers -----------------------------------------------------------------

lsm_layer *lsm_layer_add(lsm_layer *top, const lsm_range_tombstone *range)
{
    lsm_layer *now = kv_zalloc(sizeof *now);
    lsm_spans_append(&now->spans, range);
    now->seq = range->seq;
    now->before = top;
    now->below = top;
    while (now->below != NULL &&
           now->below->spans.count <= now->spans.count) { // N3
        lsm_spans joined = lsm_spans_join(&now->below->spans, &now->spans);
        lsm_spans_free(&now->spans);
        now->spans = joined;
        now->below = now->below->below;
    }
    return now;
}

const lsm_layer *lsm_layer_at(const lsm_layer *top, uint64_t seq_max)
{
    while (top != NULL && top->seq > seq_max) top = top->before;
    return top;
}

void lsm_layers_free(lsm_layer *top)
{
    while (top != NULL) {
        lsm_layer *before = top->before;
        lsm_spans_free(&top->spans);
        kv_free(top);
        top = before;
    }
}

uint64_t lsm_layers_seq(const lsm_layer *top, kv_slice key)
{
    uint64_t seq = 0; // the first that is found is the highest (N3)
    for (; top != NULL && seq == 0; top = top->below) {
        seq = lsm_spans_seq(&top->spans, key);
    }
    return seq;
}

void lsm_layers_cut(const lsm_layer *top, kv_slice key,
                    lsm_range_tombstone *stretch)
{
    for (; top != NULL; top = top->below) {
        lsm_spans_cut(&top->spans, key, stretch);
    }
}

lsm_spans lsm_layers_join(const lsm_layer *top)
{
    lsm_spans all = {0};
    for (; top != NULL; top = top->below) {
        lsm_spans joined = lsm_spans_join(&all, &top->spans);
        lsm_spans_free(&all);
        all = joined;
    }
    return all;
}
