// pool.c -- see pool.h.
// SPDX-License-Identifier: MIT

#include "pool.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"

// Both tables are as long as they can ever be, so that they never move; they
// are addresses, and become memory where they are first written.
enum {
    BASE_BYTES = HASH_SLABS_MAX * sizeof(uint8_t *),
    SLABS_BYTES = HASH_SLABS_MAX * sizeof(hash_slab),
};

void hash_pool_init(hash_pool *pool)
{
    pool->base = kv_reserve(BASE_BYTES);
    pool->slabs = kv_reserve(SLABS_BYTES);
    kv_mutex_init(&pool->lock);
}

void hash_pool_free(hash_pool *pool)
{
    if (pool->base == NULL) return;
    for (uint32_t i = 0; i < pool->slab_limit; i++) {
        if (pool->base[i] != NULL) {
            kv_free_pages(pool->base[i], HASH_SLAB_BYTES);
        }
    }
    kv_unreserve(pool->base, BASE_BYTES);
    kv_unreserve(pool->slabs, SLABS_BYTES);
    kv_mutex_free(&pool->lock);
    memset(pool, 0, sizeof *pool);
}

// The first of `count` adjacent chunks without an owner, or HASH_SLAB_CHUNKS.
static uint32_t find_run(const hash_slab *slab, uint32_t count)
{
    if (HASH_SLAB_CHUNKS - slab->used < count) return HASH_SLAB_CHUNKS;
    uint32_t run = 0;
    for (uint32_t i = 0; i < HASH_SLAB_CHUNKS; i++) {
        run = slab->owner[i] == 0 ? run + 1 : 0;
        if (run == count) return i + 1 - count;
    }
    return HASH_SLAB_CHUNKS;
}

static void map_slab(hash_pool *pool, uint32_t index)
{
    pool->base[index] = kv_alloc_pages(HASH_SLAB_BYTES);
    pool->slab_count++;
    if (index == pool->slab_limit) pool->slab_limit++;
}

static void unmap_slab(hash_pool *pool, uint32_t index)
{
    kv_free_pages(pool->base[index], HASH_SLAB_BYTES);
    pool->base[index] = NULL; // P3
    pool->slab_count--;
    while (pool->slab_limit > 0 && pool->base[pool->slab_limit - 1] == NULL) {
        pool->slab_limit--;
    }
}

uint64_t hash_pool_take(hash_pool *pool, uint16_t owner, uint32_t count)
{
    assert(owner != 0 && count > 0 && count <= HASH_SLAB_CHUNKS);
    kv_mutex_lock(&pool->lock);
    uint32_t index = pool->first_free, chunk;
    while ((chunk = find_run(&pool->slabs[index], count)) == HASH_SLAB_CHUNKS) {
        index++;
        assert(index < HASH_SLABS_MAX);
    }
    hash_slab *slab = &pool->slabs[index];
    if (slab->used == 0) map_slab(pool, index);
    for (uint32_t i = 0; i < count; i++) slab->owner[chunk + i] = owner;
    slab->used += count;
    pool->chunks_used += count;
    while (pool->slabs[pool->first_free].used == HASH_SLAB_CHUNKS) {
        pool->first_free++; // P2
    }
    kv_mutex_unlock(&pool->lock);
    return (uint64_t)index * HASH_SLAB_BYTES +
           (uint64_t)chunk * HASH_CHUNK_BYTES;
}

void hash_pool_give(hash_pool *pool, uint64_t place, uint32_t count)
{
    uint32_t index = (uint32_t)(place / HASH_SLAB_BYTES);
    uint32_t chunk = (uint32_t)(place % HASH_SLAB_BYTES / HASH_CHUNK_BYTES);
    kv_mutex_lock(&pool->lock);
    hash_slab *slab = &pool->slabs[index];
    for (uint32_t i = 0; i < count; i++) {
        assert(slab->owner[chunk + i] != 0); // P1
        slab->owner[chunk + i] = 0;
    }
    slab->used -= count;
    pool->chunks_used -= count;
    if (index < pool->first_free) pool->first_free = index;
    if (slab->used == 0) unmap_slab(pool, index);
    kv_mutex_unlock(&pool->lock);
}

// More free chunks than this are given back: a sixteenth, and two slabs so
// that a small store does not go up and down.
static uint64_t keep_free(const hash_pool *pool)
{
    return pool->chunks_used / 16 + (uint64_t)2 * HASH_SLAB_CHUNKS;
}

bool hash_pool_pick(hash_pool *pool, uint64_t *place, uint16_t *owner)
{
    bool picked = false;
    kv_mutex_lock(&pool->lock);
    uint64_t chunks = (uint64_t)pool->slab_count * HASH_SLAB_CHUNKS;
    if (chunks - pool->chunks_used > keep_free(pool)) {
        uint32_t index = pool->slab_limit - 1, chunk = 0;
        while (pool->slabs[index].owner[chunk] == 0) chunk++;
        *place = (uint64_t)index * HASH_SLAB_BYTES +
                 (uint64_t)chunk * HASH_CHUNK_BYTES;
        *owner = pool->slabs[index].owner[chunk];
        picked = true;
    }
    kv_mutex_unlock(&pool->lock);
    return picked;
}

bool hash_pool_is_owner(hash_pool *pool, uint64_t place, uint16_t owner)
{
    kv_mutex_lock(&pool->lock);
    const hash_slab *slab = &pool->slabs[place / HASH_SLAB_BYTES];
    bool is_owner =
        slab->owner[place % HASH_SLAB_BYTES / HASH_CHUNK_BYTES] == owner;
    kv_mutex_unlock(&pool->lock);
    return is_owner;
}

uint64_t hash_pool_bytes(hash_pool *pool)
{
    kv_mutex_lock(&pool->lock);
    uint64_t bytes =
        (uint64_t)pool->slab_count * HASH_SLAB_BYTES +
        pool->slab_limit * (sizeof *pool->base + sizeof *pool->slabs);
    kv_mutex_unlock(&pool->lock);
    return bytes;
}
