// shard.h -- a part of the keys: one table, one arena, one latch.
// SPDX-License-Identifier: MIT
//
//   hash of the key ──▶ shard ──▶ home group ──▶ slot ──▶ record
//    64 bits            high 32    code's high    tag      in the arena
//                       bits       bits           equal
//
// Threads that touch different shards do not meet, and what has to be done as
// a whole (growing a table) is short because a shard is small.
//
// Invariants
//   S1  Every slot's place is that of a live record of the same code, and every
//       live record has one slot.
//   S2  A key is in the shard its hash chooses, and there once.
//
// Every function here requires the shard's latch: shared for those that take a
// const shard, exclusive for the others.

#ifndef STAGE1_HASH_SHARD_H
#define STAGE1_HASH_SHARD_H

#include "common/explain.h"

#include "arena.h"
#include "table.h"

// What all shards of a store have in common.
typedef struct hash_world {
    hash_pool pool;
    uint64_t seed;
    uint32_t shard_count;
    uint32_t garbage_percent; // dead share at which a chunk is emptied
    const kv_explainer *explain;
} hash_world;

typedef struct hash_shard {
    _Alignas(64) kv_latch latch;
    uint32_t number;
    hash_table table;
    hash_arena arena;
    hash_world *world;
} hash_shard;

void hash_shard_init(hash_shard *s, hash_world *world, uint32_t number);
void hash_shard_free(hash_shard *s); // a zeroed one is fine

kv_status hash_shard_get(hash_shard *s, uint64_t hash, kv_slice key,
                         kv_buf *value);
void hash_shard_put(hash_shard *s, uint64_t hash, kv_slice key, kv_slice value);
void hash_shard_del(hash_shard *s, uint64_t hash, kv_slice key);

// The two steps of a get that wait for memory, started and not waited for.
void hash_shard_prefetch_group(const hash_shard *s, uint64_t hash);
void hash_shard_prefetch_record(hash_shard *s, uint64_t hash);

// Empties the worst chunk if more than an eighth of the arena is dead.
bool hash_shard_reclaim(hash_shard *s);
// Moves what is in that chunk of the pool further down; false: no room there.
bool hash_shard_vacate(hash_shard *s, uint64_t chunk);

#endif
