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

// Appends [from, to), unless it is empty; joins it to the span before where
// nothing tells the two apart.
static void append(lsm_spans *s, kv_slice from, kv_slice to, uint64_t seq)
{
    if (to.len > 0 && kv_slice_cmp(from, to) >= 0) return;
    lsm_range_tombstone *last = s->count > 0 ? &s->at[s->count - 1] : NULL;
    if (last != NULL && last->seq == seq && last->to.len > 0 &&
        kv_slice_equal(last->to, from)) {
        last->to = to;
        return;
    }
    if (s->count == s->cap) {
        s->cap = s->cap > 0 ? 2 * s->cap : 4;
        s->at = kv_realloc(s->at, s->cap * sizeof *s->at);
    }
    s->at[s->count++] = (lsm_range_tombstone){from, to, seq};
}

// Cuts the span `x` where `r` begins and ends; what both cover gets the higher
// number. *from is how far `r` has come, and moves to where `x` ends.
static void lay_over(lsm_spans *out, const lsm_range_tombstone *x,
                     const lsm_range_tombstone *r, kv_slice *from)
{
    kv_slice begin = x->from;
    if (kv_slice_cmp(begin, r->from) < 0) {
        append(out, begin, r->from, x->seq);
        begin = r->from;
    }
    // An empty beginning is the first of all keys, not an open end.
    if (begin.len > 0) append(out, *from, begin, r->seq);
    kv_slice end = lower_end(x->to, r->to);
    append(out, begin, end, x->seq > r->seq ? x->seq : r->seq);
    if (lsm_end_cmp(end, x->to) < 0) append(out, end, x->to, x->seq);
    *from = end;
}

void lsm_spans_add(lsm_spans *s, const lsm_range_tombstone *range)
{
    if (range->to.len > 0 && kv_slice_cmp(range->from, range->to) >= 0) return;
    lsm_spans out = {0};
    kv_slice from = range->from;
    bool is_done = false;
    for (size_t i = 0; i < s->count; i++) {
        const lsm_range_tombstone *x = &s->at[i];
        bool is_before = x->to.len > 0 && kv_slice_cmp(x->to, range->from) <= 0;
        bool is_behind =
            range->to.len > 0 && kv_slice_cmp(range->to, x->from) <= 0;
        if (is_behind && !is_done) append(&out, from, range->to, range->seq);
        is_done = is_done || is_behind;
        if (is_before || is_behind) {
            append(&out, x->from, x->to, x->seq);
        } else {
            lay_over(&out, x, range, &from);
            is_done = lsm_end_cmp(from, range->to) >= 0;
        }
    }
    if (!is_done) append(&out, from, range->to, range->seq);
    kv_free(s->at);
    *s = out;
}

void lsm_spans_free(lsm_spans *s)
{
    kv_free(s->at);
    *s = (lsm_spans){0};
}

uint64_t lsm_spans_seq(const lsm_spans *s, kv_slice key)
{
    // The last span that begins at or before the key.
    size_t first = 0, limit = s->count;
    while (first < limit) {
        size_t middle = first + (limit - first) / 2;
        if (kv_slice_cmp(s->at[middle].from, key) <= 0) first = middle + 1;
        else limit = middle;
    }
    if (first == 0 || !lsm_range_covers(&s->at[first - 1], key)) return 0;
    return s->at[first - 1].seq;
}

// ---- as they were -----------------------------------------------------------

static lsm_spans copy_of(const lsm_spans *s)
{
    lsm_spans copy = {.count = s->count, .cap = s->count};
    copy.at = kv_alloc((s->count + 1) * sizeof *copy.at);
    if (s->count > 0) memcpy(copy.at, s->at, s->count * sizeof *copy.at);
    return copy;
}

lsm_spans_past *lsm_spans_past_add(lsm_spans_past *p,
                                   const lsm_range_tombstone *range)
{
    lsm_spans_past *now = kv_zalloc(sizeof *now);
    if (p != NULL) now->spans = copy_of(&p->spans);
    lsm_spans_add(&now->spans, range);
    now->seq = range->seq;
    now->older = p;
    return now;
}

const lsm_spans *lsm_spans_past_at(const lsm_spans_past *p, uint64_t seq_max)
{
    static const lsm_spans none;
    while (p != NULL && p->seq > seq_max) p = p->older;
    return p != NULL ? &p->spans : &none;
}

void lsm_spans_past_free(lsm_spans_past *p)
{
    while (p != NULL) {
        lsm_spans_past *older = p->older;
        lsm_spans_free(&p->spans);
        kv_free(p);
        p = older;
    }
}
