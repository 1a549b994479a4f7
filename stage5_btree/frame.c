// frame.c -- see frame.h.
// SPDX-License-Identifier: MIT

#include "frame.h"

enum {
    RECLAIM_AT = 16,       // frames in limbo
    EVICT_BATCH = 16,      // frames
    EVICT_STEPS = 1 << 12, // of the clock's hand, at most, in one call
};

void bt_frame_release(bt_cache *c, bt_frame *f)
{
    f->state = BT_FRAME_FREE;
    f->next = c->free;
    c->free = f;
}

void bt_frame_retire(bt_cache *c, bt_frame *f)
{
    f->state = BT_FRAME_LIMBO;
    f->tag = bt_epochs_retire(&c->epochs);
    f->next = NULL;
    if (c->limbo_last != NULL) c->limbo_last->next = f;
    else c->limbo_first = f;
    c->limbo_last = f;
    c->limbo_count++;
}

void bt_frame_clean(bt_cache *c, bt_frame *f)
{
    f->is_dirty = false;
    if (f->is_wanted) atomic_fetch_sub(&c->wanted_count, 1);
    f->is_wanted = false;
}

static void reclaim(bt_cache *c)
{
    uint64_t safe = bt_epochs_safe(&c->epochs);
    while (c->limbo_first != NULL && c->limbo_first->tag < safe) {
        bt_frame *f = c->limbo_first;
        c->limbo_first = f->next;
        if (f->next == NULL) c->limbo_last = NULL;
        c->limbo_count--;
        bt_frame_release(c, f);
    }
}

// Takes the frame from its page, if it is clean, was not looked at since the
// hand came by, and no snapshot needs what is behind it (K2, K4).
static bool evict_one(bt_cache *c, bt_frame *f)
{
    if (f->state != BT_FRAME_CURRENT) return false;
    _Atomic uint8_t *used = &c->used[f - c->frames];
    if (atomic_exchange_explicit(used, 0, memory_order_relaxed)) return false;
    if (f->is_dirty && !f->is_wanted) {
        f->is_wanted = true;
        atomic_fetch_add(&c->wanted_count, 1);
    }
    if (f->is_dirty || atomic_load(&f->older) != NULL) return false;
    atomic_store(&c->table[f->page_id], 0);
    bt_frame_retire(c, f);
    return true;
}

// First those that only had to be written, then where the hand points.
static void evict(bt_cache *c)
{
    size_t evicted = 0;
    while (c->ready.count > 0 && evicted < EVICT_BATCH) {
        uint64_t id = c->ready.id[--c->ready.count];
        uintptr_t entry = atomic_load(&c->table[id]);
        if (entry == 0 || entry & 1) continue;
        evicted += evict_one(c, bt_frame_at(c, entry));
    }
    // A dirty one counts, too: it will be taken as soon as it is written. Else
    // the hand would go round and round, and everything look equally unused.
    size_t limit = atomic_load(&c->wanted_count) + EVICT_BATCH;
    for (int i = 0; i < EVICT_STEPS && evicted < EVICT_BATCH; i++) {
        if (atomic_load(&c->wanted_count) + evicted >= limit) break;
        bt_frame *f = &c->frames[c->hand];
        c->hand = c->hand + 1 < c->frames_made ? c->hand + 1 : 0;
        evicted += evict_one(c, f);
    }
}

static bt_frame *take(bt_cache *c)
{
    if (c->free == NULL && c->limbo_count >= RECLAIM_AT) reclaim(c);
    if (c->free == NULL && c->frames_made >= c->frames_budget) {
        evict(c);
        reclaim(c);
    }
    if (c->free == NULL) { // none yet, or all are dirty or being looked at
        if (c->frames_made == c->frames_max) return NULL;
        return &c->frames[c->frames_made++];
    }
    bt_frame *f = c->free;
    c->free = f->next;
    return f;
}

bt_frame *bt_frame_take(bt_cache *c, uint64_t id, bt_frame_state state)
{
    bt_frame *f = take(c);
    if (f != NULL) {
        f->page_id = id;
        f->state = (uint8_t)state;
        f->is_dirty = f->is_wanted = f->is_created = false;
        atomic_store(&f->older, NULL);
        atomic_store_explicit(&c->used[f - c->frames], 1, memory_order_relaxed);
    }
    return f;
}
