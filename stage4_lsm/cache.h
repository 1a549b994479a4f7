// cache.h -- blocks in memory, within a budget.
// SPDX-License-Identifier: MIT
//
//   a table's slots, one per block          frames, of 16 shards
//
//   [ · │ ● │ · │ ghost │ ● │ · ]           probation ──▶ ○ ○ ● ○   one hit: no
//         │               │                 protected ──▶ ● ○ ● ●   hits stay
//         └───────────────┴───────────────▶ (each a ring with a clock hand)
//
//   Who looks for a block has found its number in the index already, so there
//   is no hash table: the table keeps a slot per block, and the slot says where
//   the block is. A hit takes no lock: load the slot, pin the frame, look once
//   more whether it is still this slot's.
//
//   A new block is on probation. If nobody asks for it again before the hand
//   comes round, it goes: a scan passes through probation and leaves the
//   protected blocks alone. Its slot remembers for a while that it was there
//   (a ghost), and a block that comes back in that time is protected at once.
//
// Invariants
//   C1  A frame that is pinned stays, with its bytes.
//   C2  The bytes of all frames are at most the budget plus what is pinned.
//   C3  A slot names a frame only while the frame's home is that slot.
//
// Book: "Performance optimizations"

#ifndef LSM_CACHE_H
#define LSM_CACHE_H

#include <stdatomic.h>

#include "block.h"

typedef struct lsm_cache lsm_cache;

// 0: not here. Otherwise a frame's address, or a mark in the low bits: the
// ghost of a frame; LSM_SLOT_VERIFIED, which the table itself sets for a block
// that it reads in a mapping and has verified.
typedef _Atomic uint64_t lsm_slot;
#define LSM_SLOT_VERIFIED UINT64_C(2)

typedef struct lsm_frame {
    _Atomic uint32_t pins;
    _Atomic uint32_t uses;         // hits since the hand passed, up to 3
    _Atomic(lsm_slot *) home;      // C3; NULL while it is nobody's
    struct lsm_shard *shard;       // NULL: no cache's, freed with its last pin
    struct lsm_frame *next, *prev; // in its ring
    uint8_t *bytes;
    size_t cap; // of bytes
    bool is_protected;
    lsm_block block; // in `bytes`, as whoever filled the frame says
} lsm_frame;

typedef struct lsm_cache_stats {
    uint64_t hits, misses; // of lsm_cache_pin
    uint64_t evictions;
    uint64_t bytes, budget_bytes;
} lsm_cache_stats;

lsm_cache *lsm_cache_new(uint64_t budget_bytes);
// Requires that no frame is pinned and all slots are forgotten.
void lsm_cache_free(lsm_cache *c);
// From now on; a smaller budget is reached as frames come.
void lsm_cache_resize(lsm_cache *c, uint64_t budget_bytes);
void lsm_cache_read_stats(lsm_cache *c, lsm_cache_stats *out);

// The frame that the slot names, pinned, or NULL. Lock-free.
lsm_frame *lsm_cache_pin(lsm_cache *c, lsm_slot *slot);
// A frame of the caller's own, pinned, with room for so many bytes: read a
// block into it, then publish it. Evicts what is over the budget. `c` may be
// NULL: a frame for one use.
lsm_frame *lsm_cache_claim(lsm_cache *c, size_t bytes);
// Lets others find the frame by the slot. Returns it, or the frame that
// somebody else published first, pinned instead.
lsm_frame *lsm_cache_publish(lsm_cache *c, lsm_frame *frame, lsm_slot *slot);
// Gives back a pin; a frame that was never published is gone. NULL is fine.
void lsm_frame_unpin(lsm_frame *frame);
// Empties a table's slots, which is being closed. Requires that none of its
// frames is pinned.
void lsm_cache_forget(lsm_cache *c, lsm_slot *slots, size_t count);

#endif
