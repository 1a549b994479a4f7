// arena.c -- see arena.h.
// SPDX-License-Identifier: MIT

#include "arena.h"

#include <assert.h>

#include "common/mem.h"

void hash_arena_init(hash_arena *a, hash_pool *pool, uint16_t owner)
{
    a->pool = pool;
    a->owner = owner;
}

static uint64_t outside_size(const hash_outside *outside)
{
    return sizeof *outside + outside->key_len + outside->value_len;
}

// What lies outside is freed record by record; the chunks go with the pool.
void hash_arena_free(hash_arena *a)
{
    if (a->outside_bytes == 0) return;
    for (hash_chunk *c = a->open; c != NULL; c = c->older) {
        uint8_t *at = (uint8_t *)c;
        for (uint32_t offset = sizeof *c; offset < c->used;) {
            hash_record r = hash_record_read(at + offset);
            if (!r.is_dead) kv_free(r.outside);
            offset += r.size;
        }
    }
}

void hash_arena_open_chunk(hash_arena *a)
{
    uint64_t place = hash_pool_take(a->pool, a->owner, 1);
    hash_chunk *chunk = hash_arena_chunk(a, place);
    *chunk =
        (hash_chunk){.older = a->open, .place = place, .used = sizeof *chunk};
    if (a->open != NULL) a->open->newer = chunk;
    a->open = chunk;
    a->chunk_count++;
}

void hash_arena_drop_chunk(hash_arena *a, hash_chunk *chunk)
{
    assert(chunk != a->open);                           // A3
    assert(chunk->dead == chunk->used - sizeof *chunk); // A2
    a->record_bytes -= chunk->dead;
    a->dead_bytes -= chunk->dead;
    a->chunk_count--;
    chunk->newer->older = chunk->older;
    if (chunk->older != NULL) chunk->older->newer = chunk->newer;
    hash_pool_give(a->pool, chunk->place, 1);
}

// `size` bytes at the end of the open chunk, or of a new one.
static uint8_t *extend(hash_arena *a, uint32_t size, uint64_t *place)
{
    if (a->open == NULL || a->open->used + size > HASH_CHUNK_BYTES) {
        hash_arena_open_chunk(a);
    }
    hash_chunk *chunk = a->open;
    uint8_t *at = (uint8_t *)chunk + chunk->used;
    *place = chunk->place + chunk->used;
    chunk->used += size;
    a->record_bytes += size;
    return at;
}

static void copy_pair(uint8_t *to, kv_slice key, kv_slice value)
{
    memcpy(to, key.data, key.len);
    if (value.len > 0) memcpy(to + key.len, value.data, value.len);
}

static uint64_t add_outside(hash_arena *a, kv_slice key, kv_slice value)
{
    hash_outside *outside = kv_alloc(sizeof *outside + key.len + value.len);
    outside->key_len = (uint32_t)key.len;
    outside->value_len = (uint32_t)value.len;
    copy_pair(outside->bytes, key, value);
    a->outside_bytes += outside_size(outside);
    uint64_t place;
    uint8_t *at = extend(a, HASH_HEAD_BYTES + sizeof outside, &place);
    hash_head_write(at, HASH_IS_OUTSIDE);
    memcpy(at + HASH_HEAD_BYTES, &outside, sizeof outside);
    return place;
}

uint64_t hash_arena_add(hash_arena *a, kv_slice key, kv_slice value)
{
    if (key.len + value.len > HASH_INSIDE_MAX) {
        return add_outside(a, key, value);
    }
    uint32_t key_len = (uint32_t)key.len, value_len = (uint32_t)value.len;
    uint64_t place;
    uint8_t *at = extend(a, HASH_HEAD_BYTES + key_len + value_len, &place);
    hash_head_write(at, key_len | value_len << 11);
    copy_pair(at + HASH_HEAD_BYTES, key, value);
    return place;
}

static hash_chunk *mark_dead(hash_arena *a, uint64_t place, uint32_t size)
{
    uint8_t *at = hash_pool_at(a->pool, place);
    uint32_t head = hash_head_read(at);
    assert((head & HASH_IS_DEAD) == 0);
    hash_head_write(at, head | HASH_IS_DEAD);
    hash_chunk *chunk = hash_arena_chunk(a, place);
    chunk->dead += size;
    a->dead_bytes += size;
    return chunk;
}

uint64_t hash_arena_move(hash_arena *a, uint64_t place)
{
    uint8_t *from = hash_pool_at(a->pool, place);
    hash_record r = hash_record_read(from);
    uint64_t target;
    memcpy(extend(a, r.size, &target), from, r.size);
    mark_dead(a, place, r.size); // what lies outside has moved along
    return target;
}

hash_chunk *hash_arena_kill(hash_arena *a, uint64_t place)
{
    hash_record r = hash_arena_read(a, place);
    if (r.outside != NULL) {
        a->outside_bytes -= outside_size(r.outside);
        kv_free(r.outside);
    }
    return mark_dead(a, place, r.size);
}
