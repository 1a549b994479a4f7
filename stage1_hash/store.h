// store.h -- what a store of this stage is, for engine.c and inspect.c.
// SPDX-License-Identifier: MIT
//
// A hash has 64 bits. The high 32 choose the shard; of the low ones the shard
// uses 24.

#ifndef STAGE1_HASH_STORE_H
#define STAGE1_HASH_STORE_H

#include "common/engine_impl.h"

#include "shard.h"

enum { HASH_SHARDS_MAX = 1024 };

typedef struct hash_store {
    kv base;
    hash_world world;
    hash_shard *shards;
} hash_store;

static inline hash_store *hash_store_of(kv *db)
{
    return (hash_store *)(void *)db;
}

static inline uint32_t hash_shard_number(const hash_store *store, uint64_t hash)
{
    return kv_hash_place((uint32_t)(hash >> 32), store->world.shard_count);
}

kv_status hash_inspect(kv *db, const char *what, kv_report *report);
kv_status hash_check(kv *db, kv_report *report);
void hash_measure(kv *db, kv_stats *stats);

#endif
