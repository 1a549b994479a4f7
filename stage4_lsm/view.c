// view.c -- see view.h.
// SPDX-License-Identifier: MIT

#include "view.h"

#include <assert.h>

#include "common/mem.h"

lsm_view *lsm_view_new(lsm_memtable *active, lsm_memtable *const *frozen,
                       size_t frozen_count, lsm_version *version)
{
    assert(frozen_count <= LSM_FROZEN_MAX);
    lsm_view *v = kv_zalloc(sizeof *v);
    v->refs = 1;
    v->active = lsm_memtable_ref(active);
    for (size_t i = 0; i < frozen_count; i++) {
        v->frozen[v->frozen_count++] = lsm_memtable_ref(frozen[i]);
    }
    v->version = lsm_version_ref(version);
    return v;
}

lsm_view *lsm_view_ref(lsm_view *v)
{
    atomic_fetch_add(&v->refs, 1);
    return v;
}

void lsm_view_unref(lsm_view *v)
{
    if (v == NULL || atomic_fetch_sub(&v->refs, 1) != 1) return;
    lsm_memtable_unref(v->active);
    for (size_t i = 0; i < v->frozen_count; i++) {
        lsm_memtable_unref(v->frozen[i]);
    }
    lsm_version_unref(v->version);
    kv_free(v);
}

// ---- the gate ---------------------------------------------------------------

// Threads beyond the board's places share the last one, so they cannot use it:
// they count, under a latch that a switch takes as well.
static lsm_view *enter_counted(lsm_gate *g, uint64_t *seq)
{
    kv_latch_read(&g->shared);
    lsm_view *v = lsm_view_ref(atomic_load(&g->current));
    *seq = atomic_load(&g->seq);
    kv_latch_read_end(&g->shared);
    return v;
}

lsm_view *lsm_gate_enter(lsm_gate *g, uint64_t *seq)
{
    unsigned slot = kv_thread_slot();
    if (slot == KV_THREAD_SLOTS - 1) return enter_counted(g, seq);
    lsm_view *v = atomic_load(&g->current);
    for (;;) {
        // On the board before it is looked at again: had it been retired
        // before, we would see the new one; after, reclaim sees us.
        atomic_store(&g->board[slot].view, v);
        lsm_view *now = atomic_load(&g->current);
        if (now == v) {
            // A view that is current on both sides of the number has it (W3).
            *seq = atomic_load(&g->seq);
            now = atomic_load(&g->current);
        }
        if (now == v) return v;
        v = now;
    }
}

void lsm_gate_leave(lsm_gate *g, lsm_view *view)
{
    unsigned slot = kv_thread_slot();
    if (slot == KV_THREAD_SLOTS - 1) {
        lsm_view_unref(view);
    } else {
        atomic_store_explicit(&g->board[slot].view, NULL, memory_order_release);
    }
}

lsm_view *lsm_gate_view(lsm_gate *g, uint64_t *seq)
{
    uint64_t any;
    lsm_view *v = lsm_gate_enter(g, seq != NULL ? seq : &any);
    lsm_view_ref(v);
    lsm_gate_leave(g, v);
    return v;
}

void lsm_gate_switch(lsm_gate *g, lsm_view *view)
{
    kv_latch_write(&g->shared);
    lsm_view *old = atomic_exchange(&g->current, view);
    kv_latch_write_end(&g->shared);
    if (old == NULL) return;
    old->next_retired = g->retired;
    g->retired = old;
}

static bool is_read(lsm_gate *g, const lsm_view *view)
{
    for (unsigned i = 0; i < KV_THREAD_SLOTS; i++) {
        if (atomic_load(&g->board[i].view) == view) return true;
    }
    return false;
}

void lsm_gate_reclaim(lsm_gate *g)
{
    for (lsm_view **link = &g->retired; *link != NULL;) {
        lsm_view *view = *link;
        if (is_read(g, view)) {
            link = &view->next_retired;
        } else {
            *link = view->next_retired;
            lsm_view_unref(view);
        }
    }
}

void lsm_gate_close(lsm_gate *g)
{
    lsm_gate_reclaim(g);
    assert(g->retired == NULL);
    lsm_view_unref(atomic_exchange(&g->current, NULL));
}
