// cache.h -- blocks in memory, within a budget.
// SPDX-License-Identifier: MIT
//
//   a table's slots, one per block       a shard's frames, in two rings
//
//   [ · │ ● │ · │ ghost │ ● │ · ]        probation  ○ ○ ● ○ ──▶ out, or if hit:
//         │               │              protected  ● ○ ● ● ──▶ round, until it
//         └───────────────┴────────────▶                        was not hit
//
//   Who looks for a block has found its number in the index already, so there
//   is no hash table: the table keeps a slot per block, and the slot says where
//   the block is. A hit takes no lock: load the slot, pin the frame, look once
//   more whether it is still this slot's.
//
//   A new block is on probation, an eighth of the memory. If nobody asks for it
//   again while it passes through, it goes: so a scan leaves the protected
//   blocks alone. Its slot remembers for a while that it was here (a ghost),
//   and a block that comes back in that time is protected at once.
//
// Invariants
//   C1  A frame that is pinned keeps its bytes and its home.
//   C2  Over the budget there is only what is pinned.
//   C3  A slot names a frame only while the frame's home is that slot. Frames
//       are never freed before the cache: who follows an old slot finds a
//       frame, and that its home is another.
//
// Book: "Performance optimizations"

#ifndef LSM_CACHE_H
#define LSM_CACHE_H

#include <stdatomic.h>

#include "block.h"
#include "compress.h"

typedef struct lsm_cache lsm_cache;

// 0: not here. Otherwise a frame's address, or in the low bits a mark: a ghost,
// or LSM_SLOT_VERIFIED, which the table sets itself for a block that it reads
// in a mapping and has verified.
typedef struct lsm_slot {
    _Atomic uint64_t word;
} lsm_slot;
#define LSM_SLOT_MARKS    UINT64_C(3)
#define LSM_SLOT_GHOST    UINT64_C(1)
#define LSM_SLOT_VERIFIED UINT64_C(2)

typedef struct lsm_frame {
    _Alignas(64) _Atomic uint32_t pins; // or claimed: see cache.c
    _Atomic uint32_t uses;              // hits since it last came by, up to 3
    _Atomic(lsm_slot *) home;           // C3; NULL while it is nobody's
    lsm_block block; // in `bytes`, as whoever filled the frame says
    uint8_t *bytes;
    size_t size;
    struct lsm_shard *shard;       // NULL: of no cache
    struct lsm_frame *next, *prev; // in its ring
    uint8_t *page;                 // the memory that is always its own, or NULL
    bool is_protected;
} lsm_frame;

typedef struct lsm_cache_stats {
    uint64_t hits, misses, evictions;
    uint64_t bytes;      // of the blocks that are here
    uint64_t held_bytes; // and of memory that waits for others
    uint64_t budget_bytes;
} lsm_cache_stats;

// Whether the block could be had without the disk, just now.
static inline bool lsm_slot_is_filled(const lsm_slot *slot)
{
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);
    return word != 0 && (word & LSM_SLOT_MARKS) != LSM_SLOT_GHOST;
}

// Asks for the memory of the block, without waiting for it: of its end, where
// it is searched first. `bytes` is its size if it is not compressed; a wrong
// guess costs a little time.
static inline void lsm_slot_prefetch(const lsm_slot *slot, size_t bytes)
{
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
    const uint8_t *end = NULL;
    if ((word & LSM_SLOT_MARKS) == LSM_SLOT_VERIFIED) {
        end = (const uint8_t *)(uintptr_t)(word >> 2);
    } else if (word != 0 && (word & LSM_SLOT_MARKS) == 0) {
        const lsm_frame *frame = (const lsm_frame *)(uintptr_t)word;
        if (frame->page != NULL) end = frame->page + bytes; // never changes
    }
    if (end == NULL) return;
    __builtin_prefetch(end - 64);
    __builtin_prefetch(end - 128);
}

// A cache that may have up to `most_bytes`, which is its budget at first. For
// blocks of up to block_bytes an address range is reserved, in one piece, of
// which what is used becomes memory; what is larger gets memory of its own.
lsm_cache *lsm_cache_new(uint64_t most_bytes, size_t block_bytes);
// Requires that no frame is pinned and every slot is forgotten. NULL is fine.
void lsm_cache_free(lsm_cache *c);
// A smaller budget holds at once, but for what is pinned: blocks are evicted,
// and their memory goes back to the system. A larger one than at first is cut.
void lsm_cache_resize(lsm_cache *c, uint64_t budget_bytes);
// Has `lacks` called where the cache turns out to be small, by whoever claims a
// frame, who holds no lock then. Requires that nobody claims frames yet.
void lsm_cache_watch(lsm_cache *c, void (*lacks)(void *arg), void *arg);
// Small is: blocks of so many bytes had to go for others, from now on. It is
// said once; for more, ask anew.
void lsm_cache_have_patience(lsm_cache *c, uint64_t bytes);
// For unpacking blocks; NULL without a cache.
lsm_unpacker *lsm_cache_unpacker(lsm_cache *c);
void lsm_cache_read_stats(lsm_cache *c, lsm_cache_stats *out);

// The frame that the slot names, pinned, or NULL. Takes no lock.
lsm_frame *lsm_cache_pin(lsm_cache *c, lsm_slot *slot);
// A pinned frame of the caller's own with room for so many bytes: read a block
// into it, then publish or unpin it. Evicts what would be over the budget.
// With `c` NULL, or for a block that is large beside the budget, it is a frame
// for one use, which publishing leaves as it is.
lsm_frame *lsm_cache_claim(lsm_cache *c, lsm_slot *slot, size_t bytes);
// Lets others find the frame by the slot it was claimed for. Returns it, or if
// somebody was quicker the other's, pinned instead.
lsm_frame *lsm_cache_publish(lsm_frame *frame, lsm_slot *slot);
// Gives back a pin; a frame that was not published is gone. NULL is fine.
void lsm_frame_unpin(lsm_frame *frame);
// Empties the slots of a table that is being closed. Requires that none of its
// frames is pinned.
void lsm_cache_forget(lsm_slot *slots, size_t count);

#endif
