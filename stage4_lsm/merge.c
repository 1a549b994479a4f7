// merge.c -- see merge.h.
// SPDX-License-Identifier: MIT

#include "merge.h"

#include "common/mem.h"

#include "head.h"

// ---- the heap ---------------------------------------------------------------

// True if `a` comes out before `b` (K2).
static inline bool is_before(const lsm_merge *m, const lsm_merge_place *a,
                             const lsm_merge_place *b)
{
    if (a->head != b->head) return (a->head < b->head) != m->reverse;
    int order = lsm_entry_cmp(&a->walk->entry, &b->walk->entry);
    return m->reverse ? order > 0 : order < 0;
}

// Moves the place at `i` down to where K1 holds.
static void sift_down(lsm_merge *m, size_t i)
{
    lsm_merge_place moving = m->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= m->standing) break;
        if (child + 1 < m->standing &&
            is_before(m, &m->heap[child + 1], &m->heap[child])) {
            child++;
        }
        if (!is_before(m, &m->heap[child], &moving)) break;
        m->heap[i] = m->heap[child];
        i = child;
    }
    m->heap[i] = moving;
}

static void build_heap(lsm_merge *m)
{
    m->standing = 0;
    for (size_t i = 0; i < m->count; i++) {
        lsm_iter *walk = m->walks[i];
        if (!walk->is_valid) continue;
        m->heap[m->standing++] =
            (lsm_merge_place){lsm_head(m->prefix, walk->entry.key), walk};
    }
    for (size_t i = m->standing; i > 0; i--) sift_down(m, i - 1);
}

// ---- merging ----------------------------------------------------------------

void lsm_merge_add(lsm_merge *m, lsm_iter *walk)
{
    if (m->count == m->cap) {
        m->cap = m->cap > 0 ? 2 * m->cap : 8;
        m->walks = kv_realloc(m->walks, m->cap * sizeof(lsm_iter *));
        m->heap = kv_realloc(m->heap, m->cap * sizeof *m->heap);
    }
    m->walks[m->count++] = walk;
}

kv_status lsm_merge_seek(lsm_merge *m, kv_slice from, bool reverse)
{
    m->reverse = reverse;
    m->standing = 0;
    for (size_t i = 0; i < m->count; i++) {
        lsm_iter *walk = m->walks[i];
        if (from.len > 0) {
            KV_TRY(reverse ? walk->ops->seek_before(walk, from)
                           : walk->ops->seek(walk, from));
        } else {
            KV_TRY(reverse ? walk->ops->last(walk) : walk->ops->first(walk));
        }
    }
    build_heap(m);
    return KV_OK;
}

kv_status lsm_merge_next(lsm_merge *m)
{
    lsm_merge_place *top = &m->heap[0];
    lsm_iter *walk = top->walk;
    kv_status st = m->reverse ? walk->ops->prev(walk) : walk->ops->next(walk);
    if (st != KV_OK) {
        m->standing = 0;
        return st;
    }
    if (walk->is_valid) top->head = lsm_head(m->prefix, walk->entry.key);
    else *top = m->heap[--m->standing];
    if (m->standing > 1) sift_down(m, 0);
    return KV_OK;
}

void lsm_merge_free(lsm_merge *m)
{
    for (size_t i = 0; i < m->count; i++) m->walks[i]->ops->free(m->walks[i]);
    kv_free(m->walks);
    kv_free(m->heap);
    *m = (lsm_merge){0};
}
