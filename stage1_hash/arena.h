// arena.h -- the records of one shard: appended, killed, moved, never edited.
// SPDX-License-Identifier: MIT
//
//   open ──▶ [head|rec|rec|rec|......]   where new records go
//              │ older
//            [head|rec|DEAD|rec|DEAD|rec|]
//              │
//            [head|DEAD|DEAD|rec|DEAD|DEAD|]   worth emptying: its live record
//                                            moves to `open`, the chunk is free
//
// This is what stage 2 does with files, in small: append to a segment, mark
// nothing but count what died, rewrite what lives when too much is dead.
//
// Invariants
//   A1  In a chunk, records lie end to end from the header up to `used`.
//   A2  A chunk's `dead` is the sum of the sizes of its dead records; the
//       arena's counters are the sums over its chunks.
//   A3  Only `open` grows.

#ifndef STAGE1_HASH_ARENA_H
#define STAGE1_HASH_ARENA_H

#include "pool.h"
#include "record.h"

typedef struct hash_chunk {
    struct hash_chunk *newer, *older;
    uint64_t place; // of this header
    uint32_t used;  // bytes from the chunk's start, header included
    uint32_t dead;  // bytes of dead records
} hash_chunk;

typedef struct hash_arena {
    hash_pool *pool;
    hash_chunk *open; // the newest; NULL: none yet
    uint16_t owner;   // in the pool
    uint32_t chunk_count;
    uint64_t record_bytes; // live and dead, in chunks
    uint64_t dead_bytes;
    uint64_t outside_bytes;
} hash_arena;

void hash_arena_init(hash_arena *a, hash_pool *pool, uint16_t owner);
void hash_arena_free(hash_arena *a); // the records too

// Appends; returns the place.
uint64_t hash_arena_add(hash_arena *a, kv_slice key, kv_slice value);
// Appends a copy of the live record at `place`, and kills it there.
uint64_t hash_arena_move(hash_arena *a, uint64_t place);
// Marks a record dead; returns its chunk.
hash_chunk *hash_arena_kill(hash_arena *a, uint64_t place);
// From now on new records go to a new chunk.
void hash_arena_open_chunk(hash_arena *a);
// Gives back a chunk in which nothing lives and which is not open.
void hash_arena_drop_chunk(hash_arena *a, hash_chunk *chunk);

static inline hash_record hash_arena_read(const hash_arena *a, uint64_t place)
{
    return hash_record_read(hash_pool_at(a->pool, place));
}

static inline hash_chunk *hash_arena_chunk(const hash_arena *a, uint64_t place)
{
    uint64_t start = place - place % HASH_CHUNK_BYTES;
    return (hash_chunk *)(void *)hash_pool_at(a->pool, start);
}

#endif
