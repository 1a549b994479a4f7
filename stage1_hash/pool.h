// pool.h -- memory in chunks of 8 KiB, taken by shards and given back.
// SPDX-License-Identifier: MIT
//
//   slab 0  2 MiB, one page where the system has such [##########.#####....]
//   slab 1                                            [#.####......#.......]
//   slab 2                                            [....................]
//                                                       goes back to the system
//
// A place is a number for an address that fits five bytes instead of eight:
//
//    39              21 20          13 12           0
//   |      slab        |    chunk     |   byte in it  |
//
// so a byte is one look at a small table away, and no hole can move it.
//
// Chunks are handed out lowest first. The top slabs then run empty, and what
// is still in them can be moved down (hash_pool_pick), until they go back.
//
// Invariants
//   P1  A chunk has one owner, from hash_pool_take to hash_pool_give.
//   P2  Below `first_free` every slab is there and full.
//   P3  A slab without an owned chunk has no memory.
//
// Places end at 1 TiB; a store that needs more has run out of memory.

#ifndef STAGE1_HASH_POOL_H
#define STAGE1_HASH_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/thread.h"

enum {
    HASH_CHUNK_BYTES = 8 << 10,
    HASH_SLAB_BYTES = 2 << 20,
    HASH_SLAB_CHUNKS = HASH_SLAB_BYTES / HASH_CHUNK_BYTES,
    HASH_SLABS_MAX = 1 << 19, // 5 bytes of place
};

// Who holds which chunk of a slab; 0: nobody.
typedef struct hash_slab {
    uint16_t owner[HASH_SLAB_CHUNKS];
    uint32_t used; // chunks with an owner
} hash_slab;

typedef struct hash_pool {
    // The address of each slab. Whoever has a place in a slab may read its
    // entry without the lock: it was set before the place was given out.
    uint8_t **base;
    hash_slab *slabs;    // guarded by lock, as is all below
    uint32_t slab_limit; // no slab from here up has memory
    uint32_t slab_count; // slabs that have memory
    uint32_t first_free;
    uint64_t chunks_used;
    kv_mutex lock;
} hash_pool;

void hash_pool_init(hash_pool *pool);
void hash_pool_free(hash_pool *pool); // a zeroed one is fine

// Takes `count` adjacent chunks of one slab for `owner`, which is not 0;
// returns the place of the first byte. Their content is anything.
uint64_t hash_pool_take(hash_pool *pool, uint16_t owner, uint32_t count);
void hash_pool_give(hash_pool *pool, uint64_t place, uint32_t count);

static inline uint8_t *hash_pool_at(const hash_pool *pool, uint64_t place)
{
    return pool->base[place / HASH_SLAB_BYTES] + place % HASH_SLAB_BYTES;
}

// A chunk of the top slab and its owner, if moving what is in it further down
// brings the day closer when the slab can go back. False: the free chunks are
// few enough to be kept.
bool hash_pool_pick(hash_pool *pool, uint64_t *place, uint16_t *owner);
bool hash_pool_is_owner(hash_pool *pool, uint64_t place, uint16_t owner);

// What the pool holds of the system, its own tables included.
uint64_t hash_pool_bytes(hash_pool *pool);

#endif
