// frame.c -- see frame.h.
// SPDX-License-Identifier: MIT

#include "frame.h"

#include "common/mem.h"

enum {
    AHEAD = 16,            // frames that are free, or soon will be
    EVICT_BATCH = 16,      // frames
    EVICT_STEPS = 1 << 12, // of the clock's hand, at most, in one call
    EVICT_PAUSE = 64,      // frames taken after a call that was in vain
    SPARE_PART = 32,       // of the budget, or
    SPARE_MIN = 64,        // frames, before memory is given back
    WAYS = 32,             // frames that lookups need at once, from the root on
};

size_t bt_frame_allowance(const bt_cache *c)
{
    size_t least = bt_frame_pinned(c) + c->frames_budget / 4;
    return least > c->frames_budget ? least : c->frames_budget;
}

// Beyond the allowance are some that each commit needs and gives back: to have
// their memory anew each time costs more than to keep it.
static size_t limit_of(const bt_cache *c)
{
    size_t spare = c->frames_budget / SPARE_PART;
    return bt_frame_allowance(c) + (spare > SPARE_MIN ? spare : SPARE_MIN);
}

static void push(bt_frame **list, bt_frame *f)
{
    f->next = *list;
    *list = f;
}

static bt_frame *pop(bt_frame **list)
{
    bt_frame *f = *list;
    *list = f->next;
    return f;
}

static bt_frame *pop_free(bt_cache *c)
{
    c->free_count--;
    return pop(&c->free);
}

void bt_frame_release(bt_cache *c, bt_frame *f)
{
    f->state = BT_FRAME_FREE;
    if (c->frames_held <= limit_of(c)) {
        push(&c->free, f);
        c->free_count++;
        return;
    }
    kv_reserve_forget(bt_frame_bytes(c, f), c->config.page_bytes);
    c->frames_held--;
    push(&c->empty, f);
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

void bt_frame_reclaim(bt_cache *c)
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

// Was it not looked at since the last time?
static bool was_unused(bt_cache *c, const bt_frame *f)
{
    _Atomic uint8_t *used = &c->used[f - c->frames];
    return !atomic_exchange_explicit(used, 0, memory_order_relaxed);
}

static void want(bt_cache *c, bt_frame *f)
{
    if (f->is_wanted) return;
    f->is_wanted = true;
    atomic_fetch_add(&c->wanted_count, 1);
}

static bt_frame *turn(bt_cache *c)
{
    bt_frame *f = &c->frames[c->hand];
    c->hand = c->hand + 1 < c->frames_made ? c->hand + 1 : 0;
    return f;
}

void bt_frame_want(bt_cache *c, size_t count)
{
    // In the second round whatever is dirty: there has to be an end.
    for (size_t i = 0; i < 2 * c->frames_made; i++) {
        if (atomic_load(&c->wanted_count) >= count) return;
        bt_frame *f = turn(c);
        bool is_unused = was_unused(c, f) || i >= c->frames_made;
        if (f->is_dirty && is_unused) want(c, f);
    }
}

// Would a registered snapshot look for this version in the file, in vain?
static bool is_here_only(const bt_cache *c, const bt_frame *f)
{
    return c->oldest != NULL && c->oldest->seq < f->spoiled_by;
}

// Takes the frame from its page, if it is clean, was not looked at since the
// hand came by, and no snapshot needs it or what is behind it (K2, K4).
static bool evict_one(bt_cache *c, bt_frame *f)
{
    if (f->state != BT_FRAME_CURRENT || !was_unused(c, f)) return false;
    if (f->is_dirty) want(c, f);
    if (f->is_dirty || is_here_only(c, f)) return false;
    if (atomic_load(&f->older) != NULL) return false;
    atomic_store(&c->table[f->page_id], 0);
    bt_frame_retire(c, f);
    c->evicted++;
    return true;
}

// Could it be taken when the hand comes by again?
static bool is_spared(const bt_cache *c, bt_frame *f)
{
    return f->state == BT_FRAME_CURRENT && !f->is_dirty &&
           !is_here_only(c, f) && atomic_load(&f->older) == NULL;
}

// First those that only had to be written, then where the hand points. False
// if there is none.
static bool evict(bt_cache *c)
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
    // One that can be taken now is found all the same (K5).
    size_t limit = atomic_load(&c->wanted_count) + EVICT_BATCH;
    // A second round takes what the first one spared; not if that is so little
    // that lookups would lose the pages on their way, and begin again for ever.
    size_t spared = 0;
    for (size_t i = 0; i < EVICT_STEPS && evicted < EVICT_BATCH; i++) {
        size_t found = atomic_load(&c->wanted_count) + evicted;
        if (evicted > 0 && found >= limit) break;
        if (i >= c->frames_made && spared < WAYS) break;
        bt_frame *f = turn(c);
        bool is_gone = evict_one(c, f);
        evicted += is_gone;
        spared += !is_gone && is_spared(c, f);
    }
    return evicted > 0;
}

// While everything is in use, which a large commit can bring about, looking
// for a frame each time would take longer than all else.
static void make_room(bt_cache *c)
{
    if (c->evict_pause > 0) {
        c->evict_pause--;
        return;
    }
    if (!evict(c)) c->evict_pause = EVICT_PAUSE;
    bt_frame_reclaim(c);
}

void bt_frame_shrink(bt_cache *c)
{
    while (c->frames_held > limit_of(c)) {
        size_t held = c->frames_held;
        (void)evict(c);
        bt_frame_reclaim(c);
        while (c->free != NULL && c->frames_held == held) {
            bt_frame_release(c, pop_free(c));
        }
        if (c->frames_held == held) return; // the rest is in use
    }
}

static bt_frame *take(bt_cache *c)
{
    if (c->free_count < AHEAD && c->limbo_count >= AHEAD) bt_frame_reclaim(c);
    // Ahead of need, for who takes this one may be looking at pages, and what
    // is evicted now is then not free before the next change.
    if (c->free_count + c->limbo_count < AHEAD &&
        c->frames_held >= bt_frame_allowance(c)) {
        make_room(c);
    }
    if (c->free != NULL) return pop_free(c);
    // None yet, or all are in use: K5's exceptions.
    if (c->empty == NULL && c->frames_made == c->frames_max) return NULL;
    c->frames_held++;
    return c->empty != NULL ? pop(&c->empty) : &c->frames[c->frames_made++];
}

bt_frame *bt_frame_take(bt_cache *c, uint64_t id, bt_frame_state state)
{
    bt_frame *f = take(c);
    if (f != NULL) {
        f->page_id = id;
        if (id >= c->ids_limit) c->ids_limit = id + 1;
        f->state = (uint8_t)state;
        f->is_dirty = f->is_wanted = f->is_created = false;
        f->spoiled_by = 0;
        atomic_store(&f->older, NULL);
        atomic_store_explicit(&c->used[f - c->frames], 1, memory_order_relaxed);
    }
    return f;
}
