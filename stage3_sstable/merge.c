// merge.c -- see merge.h.
// SPDX-License-Identifier: MIT

#include "merge.h"

#include "common/mem.h"

// True if `a` comes out before `b` (K1).
static bool is_before(const sst_merge *m, const sst_source *a,
                      const sst_source *b)
{
    int order = kv_slice_cmp(a->entry.key, b->entry.key);
    if (order == 0) return a->rank < b->rank;
    return m->reverse ? order > 0 : order < 0;
}

static void swap(sst_merge *m, size_t i, size_t j)
{
    sst_source *source = m->heap[i];
    m->heap[i] = m->heap[j];
    m->heap[j] = source;
}

static void sift_up(sst_merge *m, size_t i)
{
    for (; i > 0 && is_before(m, m->heap[i], m->heap[(i - 1) / 2]);
         i = (i - 1) / 2) {
        swap(m, i, (i - 1) / 2);
    }
}

static void sift_down(sst_merge *m, size_t i)
{
    for (;;) {
        size_t first = i, left = 2 * i + 1, right = 2 * i + 2;
        if (left < m->count && is_before(m, m->heap[left], m->heap[first])) {
            first = left;
        }
        if (right < m->count && is_before(m, m->heap[right], m->heap[first])) {
            first = right;
        }
        if (first == i) return;
        swap(m, i, first);
        i = first;
    }
}

// Takes the source at `i` on to its next entry, or off the heap. On failure it
// stays, so that sst_merge_free frees it.
static kv_status advance(sst_merge *m, size_t i)
{
    sst_source *source = m->heap[i];
    KV_TRY(source->next(source));
    if (!source->has_entry) {
        source->free(source);
        m->heap[i] = m->heap[--m->count];
    }
    if (i < m->count) sift_down(m, i);
    return KV_OK;
}

kv_status sst_merge_add(sst_merge *m, sst_source *source, uint32_t rank)
{
    source->rank = rank;
    kv_status st = source->next(source);
    if (st != KV_OK || !source->has_entry) {
        source->free(source);
        return st;
    }
    if (m->count == m->cap) {
        m->cap = m->cap > 0 ? 2 * m->cap : 8;
        m->heap = kv_realloc(m->heap, m->cap * sizeof(sst_source *));
    }
    m->heap[m->count++] = source;
    sift_up(m, m->count - 1);
    return KV_OK;
}

// Passes over the key on top: first in the older sources that hold it, too,
// while the top still shows which key it is; then on top.
static kv_status pass_top(sst_merge *m)
{
    kv_slice key = m->heap[0]->entry.key;
    for (;;) {
        // The next in order is a child of the top (K1).
        size_t next = 1;
        if (m->count > 2 && is_before(m, m->heap[2], m->heap[1])) next = 2;
        if (next >= m->count ||
            !kv_slice_equal(m->heap[next]->entry.key, key)) {
            return advance(m, 0);
        }
        KV_TRY(advance(m, next));
    }
}

kv_status sst_merge_next(sst_merge *m, sst_entry *entry)
{
    if (m->has_started && m->count > 0) KV_TRY(pass_top(m));
    m->has_started = true;
    if (m->count == 0) return KV_END;
    *entry = m->heap[0]->entry;
    return KV_OK;
}

uint32_t sst_merge_rank(const sst_merge *m) { return m->heap[0]->rank; }

void sst_merge_free(sst_merge *m)
{
    for (size_t i = 0; i < m->count; i++) m->heap[i]->free(m->heap[i]);
    kv_free(m->heap);
    *m = (sst_merge){0};
}
