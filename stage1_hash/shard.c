// shard.c -- see shard.h.
// SPDX-License-Identifier: MIT

#include "shard.h"

#include <assert.h>

void hash_shard_init(hash_shard *s, hash_world *world, uint32_t number)
{
    s->number = number;
    s->world = world;
    uint16_t owner = (uint16_t)(number + 1);
    hash_table_init(&s->table, &world->pool, owner);
    hash_arena_init(&s->arena, &world->pool, owner);
}

void hash_shard_free(hash_shard *s)
{
    hash_arena_free(&s->arena);
    hash_table_free(&s->table);
}

// ---- finding ----------------------------------------------------------------

static void explain_group(const hash_shard *s, const hash_probe *p,
                          const char *outcome)
{
    EXPLAIN(s->world->explain, "shard %u, group %u, tag %04x: %s; 0 disk reads",
            s->number, p->index, p->code & 0xffff, outcome);
}

// Starts fetching a record. Its lengths say how far it reaches, but waiting for
// them would make two misses in a row out of misses at the same time.
static inline void prefetch_record(const uint8_t *at)
{
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
    __builtin_prefetch(at + 128);
}

// Where a key is: small, so that it is returned in registers.
typedef struct spot {
    uint8_t *record; // NULL: it is not there, but would be in group `index`
    uint32_t index;
    unsigned slot;
} spot;

static spot find(hash_shard *s, uint64_t hash, kv_slice key)
{
    hash_probe p = hash_probe_begin(&s->table, hash_code(hash));
    while (hash_probe_next(&p)) {
        uint8_t *at = hash_pool_at(s->arena.pool, hash_probe_place(&p));
        prefetch_record(at);
        hash_record record = hash_record_read(at);
        if (KV_LIKELY(kv_slice_equal(hash_record_key(&record), key))) {
            explain_group(s, &p, "1 candidate, equal");
            return (spot){at, p.index, p.slot};
        }
        explain_group(s, &p, "1 candidate, another key");
    }
    explain_group(s, &p, "no candidate, and a hole: not here");
    return (spot){NULL, p.index, 0};
}

kv_status hash_shard_get(hash_shard *s, uint64_t hash, kv_slice key,
                         kv_buf *value)
{
    spot at = find(s, hash, key);
    if (at.record == NULL) return KV_NOT_FOUND;
    hash_record record = hash_record_read(at.record);
    kv_buf_set(value, hash_record_value(&record));
    return KV_OK;
}

void hash_shard_prefetch_group(const hash_shard *s, uint64_t hash)
{
    uint32_t home = hash_home(hash_code(hash), s->table.group_count);
    __builtin_prefetch(&s->table.groups[home]);
}

void hash_shard_prefetch_record(hash_shard *s, uint64_t hash)
{
    hash_probe p = hash_probe_begin(&s->table, hash_code(hash));
    if (!hash_probe_next(&p)) return;
    prefetch_record(hash_pool_at(s->arena.pool, hash_probe_place(&p)));
}

// ---- reclaiming -------------------------------------------------------------

// Moves the live records of a chunk to the open one: what a merge of segments
// does in stage 2.
static void empty_chunk(hash_shard *s, hash_chunk *chunk)
{
    hash_arena *a = &s->arena;
    if (chunk == a->open) hash_arena_open_chunk(a);
    for (uint32_t offset = sizeof *chunk; offset < chunk->used;) {
        uint64_t place = chunk->place + offset;
        hash_record r = hash_arena_read(a, place);
        offset += r.size;
        if (r.is_dead) continue;
        uint64_t hash = kv_hash(hash_record_key(&r), s->world->seed);
        hash_probe p = hash_probe_begin(&s->table, hash_code(hash));
        bool found;
        while ((found = hash_probe_next(&p)) && hash_probe_place(&p) != place) {
        }
        assert(found); // S1
        hash_group_set_place(hash_probe_group(&p), p.slot,
                             hash_arena_move(a, place));
    }
    hash_arena_drop_chunk(a, chunk);
}

static bool is_worth_emptying(const hash_chunk *chunk, uint64_t percent)
{
    uint64_t bytes = chunk->used - sizeof *chunk;
    return (uint64_t)chunk->dead * 100 > bytes * percent;
}

// Called after every death, with the chunk where it happened. The open chunk
// gets its turn when it is no longer open.
static void tidy(hash_shard *s, hash_chunk *chunk)
{
    if (chunk != s->arena.open &&
        is_worth_emptying(chunk, s->world->garbage_percent)) {
        empty_chunk(s, chunk);
    }
}

enum { SETTLED_PERCENT = 12 };

bool hash_shard_reclaim(hash_shard *s)
{
    const hash_arena *a = &s->arena;
    if (a->dead_bytes * 100 <= a->record_bytes * SETTLED_PERCENT) return false;
    // Some chunk is no better than the average.
    hash_chunk *chunk = a->open;
    while (!is_worth_emptying(chunk, SETTLED_PERCENT)) chunk = chunk->older;
    empty_chunk(s, chunk);
    return true;
}

bool hash_shard_vacate(hash_shard *s, uint64_t chunk)
{
    if (hash_table_is_in(&s->table, chunk)) {
        return hash_table_move_down(&s->table);
    }
    empty_chunk(s, hash_arena_chunk(&s->arena, chunk));
    return true;
}

// ---- writing ----------------------------------------------------------------

// A write can leave two chunks worth emptying: the one in which a record died
// (NULL: none did), and the one that was open, if it no longer is.
static void tidy_both(hash_shard *s, hash_chunk *died_in, hash_chunk *was_open)
{
    if (died_in != NULL) tidy(s, died_in);
    if (was_open != NULL && was_open != died_in) tidy(s, was_open);
}

static bool overwrite(uint8_t *at, kv_slice value)
{
    hash_record record = hash_record_read(at);
    if (record.value_len != value.len) return false;
    uint8_t *to = record.bytes + record.key_len;
    if (value.len > 0) memcpy(to, value.data, value.len);
    return true;
}

void hash_shard_put(hash_shard *s, uint64_t hash, kv_slice key, kv_slice value)
{
    spot at = find(s, hash, key);
    if (at.record != NULL && overwrite(at.record, value)) return;
    hash_chunk *died_in = NULL, *was_open = s->arena.open;
    uint64_t place = hash_arena_add(&s->arena, key, value);
    if (at.record == NULL) {
        hash_table_add(&s->table, hash_code(hash), at.index, place);
    } else {
        hash_group *group = &s->table.groups[at.index];
        died_in = hash_arena_kill(&s->arena, hash_group_place(group, at.slot));
        hash_group_set_place(group, at.slot, place);
    }
    tidy_both(s, died_in, was_open);
}

void hash_shard_del(hash_shard *s, uint64_t hash, kv_slice key)
{
    spot at = find(s, hash, key);
    if (at.record == NULL) return;
    uint64_t place = hash_group_place(&s->table.groups[at.index], at.slot);
    hash_table_remove(&s->table, at.index, at.slot);
    hash_chunk *died_in = hash_arena_kill(&s->arena, place);
    tidy_both(s, died_in, s->arena.open);
}
