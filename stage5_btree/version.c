// version.c -- which versions of a page there are: snapshots, and the writer;
// see cache.h.
// SPDX-License-Identifier: MIT

#include <assert.h>

#include "frame.h"

// ---- snapshots --------------------------------------------------------------

void bt_cache_open_snapshot(bt_cache *c, bt_snapshot *snapshot)
{
    kv_mutex_lock(&c->lock);
    *snapshot = (bt_snapshot){.seq = atomic_load(&c->visible),
                              .root = atomic_load(&c->root),
                              .previous = c->newest};
    if (c->newest != NULL) c->newest->next = snapshot;
    else c->oldest = snapshot;
    c->newest = snapshot;
    kv_mutex_unlock(&c->lock);
}

// Does a registered snapshot fall on the version of `first`..`limit`-1?
static bool is_needed(const bt_cache *c, uint64_t first, uint64_t limit)
{
    for (const bt_snapshot *s = c->oldest; s != NULL; s = s->next) {
        if (s->seq >= first && s->seq < limit) return true;
    }
    return false;
}

// Takes a kept version out of its chain, if no snapshot needs it.
static bool unlink_kept(bt_cache *c, bt_frame *kept)
{
    bt_frame *newer = bt_frame_at(c, atomic_load(&c->table[kept->page_id]));
    while (atomic_load(&newer->older) != kept) {
        newer = atomic_load(&newer->older);
    }
    uint64_t first = bt_lsn(bt_frame_bytes(c, kept));
    if (is_needed(c, first, bt_lsn(bt_frame_bytes(c, newer)))) return false;
    atomic_store(&newer->older, atomic_load(&kept->older));
    return true;
}

static void sweep(bt_cache *c)
{
    bt_frame *all = c->kept;
    c->kept = NULL;
    c->kept_count = 0;
    while (all != NULL) {
        bt_frame *f = all;
        all = f->next;
        if (unlink_kept(c, f)) {
            bt_frame_retire(c, f);
        } else {
            f->next = c->kept;
            c->kept = f;
            c->kept_count++;
        }
    }
    c->sweep_at = c->kept_count * 2 + BT_SWEEP_MIN;
}

void bt_cache_close_snapshot(bt_cache *c, bt_snapshot *s)
{
    kv_mutex_lock(&c->lock);
    if (s->previous != NULL) s->previous->next = s->next;
    else c->oldest = s->next;
    if (s->next != NULL) s->next->previous = s->previous;
    else c->newest = s->previous;
    if (c->kept != NULL &&
        (c->oldest == NULL || c->kept_count >= c->sweep_at)) {
        sweep(c);
        bt_frame_shrink(c);
    }
    kv_mutex_unlock(&c->lock);
    *s = (bt_snapshot){0};
}

uint64_t bt_cache_oldest_snapshot(bt_cache *c)
{
    kv_mutex_lock(&c->lock);
    uint64_t seq = c->oldest != NULL ? c->oldest->seq : UINT64_MAX;
    kv_mutex_unlock(&c->lock);
    return seq;
}

// ---- the one writer ---------------------------------------------------------

const uint8_t *bt_cache_newest(const bt_cache *c, uint64_t id)
{
    if (id >= BT_PAGES_MAX) return NULL;
    uintptr_t entry = atomic_load(&c->table[id]);
    if (entry == 0) return NULL;
    bt_cache_touch(c, (const uint8_t *)(entry & ~(uintptr_t)1));
    return (const uint8_t *)(entry & ~(uintptr_t)1);
}

bool bt_cache_is_private(const bt_cache *c, uint64_t id)
{
    return id < BT_PAGES_MAX &&
           (atomic_load_explicit(&c->table[id], memory_order_relaxed) & 1);
}

uint8_t *bt_cache_private(const bt_cache *c, uint64_t id)
{
    uintptr_t entry = atomic_load(&c->table[id]);
    assert(entry & 1);
    return bt_frame_bytes(c, bt_frame_at(c, entry));
}

const uint8_t *bt_cache_base(const bt_cache *c, uint64_t id)
{
    const bt_frame *f = bt_frame_at(c, atomic_load(&c->table[id]));
    assert(f->state == BT_FRAME_PRIVATE);
    return f->is_created ? NULL : bt_frame_bytes(c, atomic_load(&f->older));
}

// Hangs a private version before what the table has.
static void hang(bt_cache *c, uint64_t id, bt_frame *f)
{
    uintptr_t entry = atomic_load(&c->table[id]);
    assert(!(entry & 1));
    if (entry != 0) {
        bt_frame *base = bt_frame_at(c, entry);
        base->state = BT_FRAME_BASE; // which evict leaves alone
        atomic_store(&f->older, base);
    }
    atomic_store(&c->table[id], bt_frame_entry(c, f) | 1);
}

// A frame for a private version of the page, whose newest one taking a frame
// must not evict.
static bt_frame *take_beside(bt_cache *c, uint64_t id)
{
    uintptr_t entry = atomic_load(&c->table[id]);
    if (entry == 0) return bt_frame_take(c, id, BT_FRAME_PRIVATE);
    bt_frame *base = bt_frame_at(c, entry);
    assert(base->state == BT_FRAME_CURRENT);
    base->state = BT_FRAME_BASE;
    bt_frame *f = bt_frame_take(c, id, BT_FRAME_PRIVATE);
    if (f == NULL) base->state = BT_FRAME_CURRENT;
    return f;
}

uint8_t *bt_cache_change(bt_cache *c, uint64_t id)
{
    kv_mutex_lock(&c->lock);
    bool is_there = atomic_load(&c->table[id]) != 0;
    bt_frame *f = is_there ? take_beside(c, id) : NULL;
    kv_mutex_unlock(&c->lock);
    if (f == NULL) return NULL;
    memcpy(bt_frame_bytes(c, f), bt_cache_newest(c, id), c->config.page_bytes);
    kv_mutex_lock(&c->lock);
    hang(c, id, f);
    kv_mutex_unlock(&c->lock);
    return bt_frame_bytes(c, f);
}

uint8_t *bt_cache_create(bt_cache *c, uint64_t id, bool keeps_old)
{
    assert(id >= BT_FIRST_PAGE && id < BT_PAGES_MAX);
    // A reader that is late may be loading the old content: it ends first.
    kv_mutex *loading = &c->loading[id % BT_LOADING_LOCKS];
    kv_mutex_lock(loading);
    kv_mutex_lock(&c->lock);
    bool is_there = atomic_load(&c->table[id]) != 0;
    bt_frame *f = is_there || !keeps_old ? take_beside(c, id) : NULL;
    if (f != NULL) {
        f->is_created = true;
        hang(c, id, f);
    }
    kv_mutex_unlock(&c->lock);
    kv_mutex_unlock(loading);
    return f != NULL ? bt_frame_bytes(c, f) : NULL;
}

// The private version of a page becomes the newest that readers see.
static void make_current(bt_cache *c, uint64_t id)
{
    bt_frame *f = bt_frame_at(c, atomic_load(&c->table[id]));
    bt_frame *base = atomic_load(&f->older);
    assert(f->state == BT_FRAME_PRIVATE);
    f->state = BT_FRAME_CURRENT;
    f->is_dirty = true;
    if (base != NULL && base->is_dirty) bt_frame_clean(c, base);
    else atomic_fetch_add(&c->dirty_count, 1);
    atomic_store(&c->table[id], bt_frame_entry(c, f));
}

// Keeps what a page's newest version replaced (K3), or takes it out of the
// chain and returns it.
static bt_frame *keep_or_unlink(bt_cache *c, uint64_t id)
{
    bt_frame *f = bt_frame_at(c, atomic_load(&c->table[id]));
    bt_frame *base = atomic_load(&f->older);
    if (base == NULL) return NULL;
    if (c->newest != NULL &&
        c->newest->seq >= bt_lsn(bt_frame_bytes(c, base))) {
        base->state = BT_FRAME_KEPT;
        base->next = c->kept;
        c->kept = base;
        c->kept_count++;
        return NULL;
    }
    atomic_store(&f->older, atomic_load(&base->older));
    return base;
}

void bt_cache_publish(bt_cache *c, const uint64_t *ids, size_t count,
                      uint64_t seq, uint64_t root)
{
    bt_frame *replaced = NULL;
    kv_mutex_lock(&c->lock);
    for (size_t i = 0; i < count; i++) make_current(c, ids[i]);
    for (size_t i = 0; i < count; i++) {
        bt_frame *base = keep_or_unlink(c, ids[i]);
        if (base == NULL) continue;
        base->next = replaced;
        replaced = base;
    }
    atomic_store(&c->root, root);
    atomic_store(&c->visible, seq);
    while (replaced != NULL) {
        bt_frame *base = replaced;
        replaced = base->next;
        bt_frame_retire(c, base);
    }
    bt_frame_shrink(c);
    kv_mutex_unlock(&c->lock);
}

void bt_cache_forget(bt_cache *c, const uint64_t *ids, size_t count,
                     uint64_t spoiled_by)
{
    kv_mutex_lock(&c->lock);
    for (size_t i = 0; i < count; i++) {
        bt_frame *f = bt_frame_at(c, atomic_load(&c->table[ids[i]]));
        bt_frame *base = atomic_load(&f->older);
        assert(f->state == BT_FRAME_PRIVATE);
        if (base != NULL) base->state = BT_FRAME_CURRENT;
        if (base != NULL) base->spoiled_by = spoiled_by;
        atomic_store(&c->table[ids[i]],
                     base != NULL ? bt_frame_entry(c, base) : 0);
        bt_frame_retire(c, f);
    }
    kv_mutex_unlock(&c->lock);
}
