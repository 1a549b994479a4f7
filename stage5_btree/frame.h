// frame.h -- the frames of a page cache: which state each is in, and where free
// ones come from. For cache.c and version.c alone.
// SPDX-License-Identifier: MIT
//
// The states and the ways between them are drawn in cache.h. All functions here
// want the cache's lock.

#ifndef BT_FRAME_H
#define BT_FRAME_H

#include "cache.h"

typedef enum bt_frame_state {
    BT_FRAME_FREE,
    BT_FRAME_CURRENT,
    BT_FRAME_PRIVATE,
    BT_FRAME_BASE, // what a private version will replace
    BT_FRAME_KEPT, // replaced; a snapshot may need it
    BT_FRAME_LIMBO,
} bt_frame_state;

struct bt_frame {
    _Atomic(bt_frame *) older; // the version before, where somebody needs it
    bt_frame *next;            // in the list that the state says
    uint64_t page_id;
    uint64_t tag; // of its retirement
    uint8_t state;
    bool is_dirty;
    bool is_wanted;  // dirty, and evict would have taken it if it were not
    bool is_created; // private: without a base
    // Of a commit that failed, and may have written other bytes to the page's
    // place in the file: for moments before it, they are here only. 0: none.
    uint64_t spoiled_by;
};

static inline uint8_t *bt_frame_bytes(const bt_cache *c, const bt_frame *f)
{
    return c->pages + ((size_t)(f - c->frames) << c->shift);
}

static inline bt_frame *bt_frame_at(const bt_cache *c, uintptr_t entry)
{
    const uint8_t *bytes = (const uint8_t *)(entry & ~(uintptr_t)1);
    return &c->frames[(size_t)(bytes - c->pages) >> c->shift];
}

static inline uintptr_t bt_frame_entry(const bt_cache *c, const bt_frame *f)
{
    return (uintptr_t)bt_frame_bytes(c, f);
}

enum {
    BT_SWEEP_MIN = 64, // kept versions
};

// Frames that snapshots hold on to: a version that is kept, and the one that
// leads to it.
static inline size_t bt_frame_pinned(const bt_cache *c)
{
    return 2 * atomic_load(&c->kept_count);
}

// Frames that the cache should have in memory: the budget, of which snapshots
// leave a quarter to the tree as it is now (K5).
size_t bt_frame_allowance(const bt_cache *c);

// A frame of no content for a page, or NULL when all
// addresses are in use.
bt_frame *bt_frame_take(bt_cache *c, uint64_t id, bt_frame_state state);
// Marks dirty frames as wanted, those first that were not looked at, until so
// many are, or all.
void bt_frame_want(bt_cache *c, size_t count);
// What was dirty is not any more.
void bt_frame_clean(bt_cache *c, bt_frame *f);
// Back to the free ones, or its memory to the system: nobody ever saw it.
void bt_frame_release(bt_cache *c, bt_frame *f);
// The same for one that readers may still see. Requires that no newcomer can
// reach it (E2).
void bt_frame_retire(bt_cache *c, bt_frame *f);
// Those in limbo that nobody can see any more are free.
void bt_frame_reclaim(bt_cache *c);
// Gives back what is above the allowance, as far as it is clean.
void bt_frame_shrink(bt_cache *c);

#endif
