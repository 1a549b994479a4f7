// view.c -- see view.h.
// SPDX-License-Identifier: MIT

#include "view.h"

#include "common/mem.h"

sst_view *sst_view_new(sst_memtable *active, sst_memtable *frozen,
                       sst_segment *const *segments, size_t count)
{
    sst_view *v = kv_zalloc(sizeof *v);
    v->refs = 1;
    v->active = sst_memtable_ref(active);
    if (frozen != NULL) v->frozen = sst_memtable_ref(frozen);
    v->segments = kv_alloc((count + 1) * sizeof(sst_segment *));
    for (; v->count < count; v->count++) {
        v->segments[v->count] = sst_segment_ref(segments[v->count]);
    }
    return v;
}

sst_view *sst_view_ref(sst_view *v)
{
    atomic_fetch_add(&v->refs, 1);
    return v;
}

void sst_view_unref(sst_view *v)
{
    if (v == NULL || atomic_fetch_sub(&v->refs, 1) != 1) return;
    sst_memtable_unref(v->active);
    sst_memtable_unref(v->frozen);
    for (size_t i = 0; i < v->count; i++) sst_segment_unref(v->segments[i]);
    kv_free(v->segments);
    kv_free(v);
}
