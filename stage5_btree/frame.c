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

static void evict(bt_cache *c)
{
    size_t evicted = 0;
    for (int i = 0; i < EVICT_STEPS && evicted < EVICT_BATCH; i++) {
        size_t at = c->hand;
        bt_frame *f = &c->frames[at];
        c->hand = at + 1 < c->frames_made ? at + 1 : 0;
        if (f->state != BT_FRAME_CURRENT) continue;
        if (atomic_exchange_explicit(&c->used[at], 0, memory_order_relaxed)) {
            continue;
        }
        if (f->is_dirty) { // K4
            if (!f->is_wanted) atomic_fetch_add(&c->wanted_count, 1);
            f->is_wanted = true;
            continue;
        }
        if (atomic_load(&f->older) != NULL) continue; // K2
        atomic_store(&c->table[f->page_id], 0);
        bt_frame_retire(c, f);
        evicted++;
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
