// inspect.c -- what a store says about itself: figures, shape, and whether
// every invariant of this stage holds.
// SPDX-License-Identifier: MIT

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

// ---- sums -------------------------------------------------------------------

enum { PROBES_SHOWN = 4 }; // the last one: that many groups, or more

typedef struct sums {
    uint64_t keys, slots, table_bytes;
    uint64_t chunks, record_bytes, dead_bytes, outside_bytes;
    uint64_t probes[PROBES_SHOWN + 1]; // keys, by groups a get looks at
    uint64_t own_bytes;                // of tables too large for the pool
} sums;

// How many groups a get looks at, 1 for a record in its home group.
static uint32_t probe_length(const hash_table *t, uint32_t index, unsigned slot)
{
    uint32_t code = hash_group_code(&t->groups[index], slot);
    uint32_t home = hash_home(code, t->group_count);
    return 1 + (index >= home ? index - home : index + t->group_count - home);
}

static void add_probes(const hash_table *t, sums *sum)
{
    for (uint32_t i = 0; i < t->group_count; i++) {
        for (unsigned slot = 0; slot < HASH_SLOTS; slot++) {
            if (hash_group_tag(&t->groups[i], slot) == 0) continue;
            uint32_t length = probe_length(t, i, slot);
            sum->probes[length < PROBES_SHOWN ? length : PROBES_SHOWN]++;
        }
    }
}

static void add_shard(hash_shard *s, bool with_probes, sums *sum)
{
    kv_latch_read(&s->latch);
    const hash_arena *a = &s->arena;
    uint64_t table_bytes = hash_table_bytes(&s->table);
    sum->keys += s->table.count;
    sum->slots += table_bytes / sizeof(hash_group) * HASH_SLOTS;
    sum->table_bytes += table_bytes;
    if (table_bytes > HASH_SLAB_BYTES) sum->own_bytes += table_bytes;
    sum->chunks += a->chunk_count;
    sum->record_bytes += a->record_bytes;
    sum->dead_bytes += a->dead_bytes;
    sum->outside_bytes += a->outside_bytes;
    if (with_probes) add_probes(&s->table, sum);
    kv_latch_read_end(&s->latch);
}

void hash_measure(kv *db, kv_stats *stats)
{
    hash_store *store = hash_store_of(db);
    sums sum = {0};
    for (uint32_t i = 0; i < store->world.shard_count; i++) {
        add_shard(&store->shards[i], false, &sum);
    }
    stats->memory_bytes = hash_pool_bytes(&store->world.pool) + sum.own_bytes +
                          sum.outside_bytes +
                          store->world.shard_count * sizeof(hash_shard);
    stats->index_bytes = sum.table_bytes;
    stats->key_count = sum.keys;
}

// ---- inspect ----------------------------------------------------------------

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static void tell_sums(kv_report *r, const sums *sum)
{
    kv_report_begin(r, "table");
    kv_report_count(r, "keys", sum->keys);
    kv_report_count(r, "slots", sum->slots);
    kv_report_share(r, "taken", share(sum->keys, sum->slots));
    kv_report_bytes(r, "size", sum->table_bytes);
    for (int i = 1; i <= PROBES_SHOWN; i++) {
        char name[40];
        snprintf(name, sizeof name, "found in group %d%s", i,
                 i == PROBES_SHOWN ? " or later" : "");
        kv_report_share(r, name, share(sum->probes[i], sum->keys));
    }
    kv_report_end(r);
    kv_report_begin(r, "arena");
    kv_report_count(r, "chunks", sum->chunks);
    kv_report_bytes(r, "live", sum->record_bytes - sum->dead_bytes);
    kv_report_bytes(r, "dead", sum->dead_bytes);
    kv_report_share(r, "dead share", share(sum->dead_bytes, sum->record_bytes));
    kv_report_bytes(r, "outside", sum->outside_bytes);
    kv_report_end(r);
}

static void tell_spread(kv_report *r, hash_store *store)
{
    uint64_t least = UINT64_MAX, most = 0;
    for (uint32_t i = 0; i < store->world.shard_count; i++) {
        sums one = {0};
        add_shard(&store->shards[i], false, &one);
        if (one.keys < least) least = one.keys;
        if (one.keys > most) most = one.keys;
    }
    kv_report_begin(r, "shards");
    kv_report_count(r, "count", store->world.shard_count);
    kv_report_count(r, "fewest keys", least);
    kv_report_count(r, "most keys", most);
    kv_report_end(r);
}

// The number in "shard 17".
static kv_status parse_part(const hash_store *store, const char *what,
                            uint32_t *number)
{
    const char word[] = "shard ";
    bool is_shard = strncmp(what, word, sizeof word - 1) == 0;
    const char *digits = what + sizeof word - 1;
    char *end = NULL;
    if (is_shard && *digits >= '0' && *digits <= '9') {
        unsigned long n = strtoul(digits, &end, 10);
        if (*end == '\0' && n < store->world.shard_count) {
            *number = (uint32_t)n;
            return KV_OK;
        }
    }
    return kv_fail(KV_INVALID,
                   "there is no \"%s\" here; a part is called "
                   "\"shard 0\" to \"shard %" PRIu32 "\"",
                   what, store->world.shard_count - 1);
}

kv_status hash_inspect(kv *db, const char *what, kv_report *report)
{
    hash_store *store = hash_store_of(db);
    uint32_t first = 0, limit = store->world.shard_count;
    if (what != NULL) {
        KV_TRY(parse_part(store, what, &first));
        limit = first + 1;
    }
    sums sum = {0};
    for (uint32_t i = first; i < limit; i++) {
        add_shard(&store->shards[i], true, &sum);
    }
    tell_sums(report, &sum);
    if (what == NULL) tell_spread(report, store);
    return KV_OK;
}

// ---- check ------------------------------------------------------------------

static kv_status broken(const hash_shard *s, const char *invariant,
                        const char *what)
{
    return kv_fail(KV_CORRUPT,
                   "shard %" PRIu32 ": %s is broken: %s; memory was "
                   "overwritten, or the stage has a bug",
                   s->number, invariant, what);
}

static kv_status check_slot(hash_store *store, hash_shard *s, uint32_t index,
                            unsigned slot)
{
    hash_table *t = &s->table;
    const hash_group *g = &t->groups[index];
    uint32_t code = hash_group_code(g, slot);
    for (uint32_t i = hash_home(code, t->group_count); i != index;
         i = i + 1 < t->group_count ? i + 1 : 0) {
        if (hash_group_has_hole(&t->groups[i])) {
            return broken(s, "T2", "a hole cuts a record off from its home");
        }
    }
    uint64_t place = hash_group_place(g, slot);
    uint64_t chunk = place - place % HASH_CHUNK_BYTES;
    if (!hash_pool_is_owner(&store->world.pool, chunk, s->arena.owner)) {
        return broken(s, "P1", "a slot leads into a chunk of another owner");
    }
    hash_record r = hash_arena_read(&s->arena, place);
    if (r.is_dead) return broken(s, "S1", "a slot leads to a dead record");
    uint64_t hash = kv_hash(hash_record_key(&r), store->world.seed);
    if (hash_code(hash) != code) {
        return broken(s, "S1", "a slot's code is not its key's");
    }
    if (hash_shard_number(store, hash) != s->number) {
        return broken(s, "S2", "a key is in the wrong shard");
    }
    hash_probe p = hash_probe_begin(t, code);
    while (hash_probe_next(&p)) {
        hash_record other = hash_arena_read(&s->arena, hash_probe_place(&p));
        if (kv_slice_equal(hash_record_key(&r), hash_record_key(&other))) break;
    }
    if (hash_probe_place(&p) == place) return KV_OK;
    return broken(s, "S2", "a key is there twice");
}

static kv_status check_table(hash_store *store, hash_shard *s)
{
    hash_table *t = &s->table;
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->group_count; i++) {
        for (unsigned slot = 0; slot < HASH_SLOTS; slot++) {
            if (hash_group_tag(&t->groups[i], slot) == 0) continue;
            count++;
            KV_TRY(check_slot(store, s, i, slot));
        }
    }
    if (count == t->count && count <= t->limit) return KV_OK;
    return broken(s, "T1", "the number of taken slots is wrong");
}

static kv_status check_arena(hash_shard *s)
{
    const hash_arena *a = &s->arena;
    uint64_t bytes = 0, dead = 0, chunks = 0, live_count = 0;
    for (const hash_chunk *c = a->open; c != NULL; c = c->older) {
        uint32_t offset = sizeof *c, dead_here = 0;
        while (offset < c->used) {
            hash_record r = hash_arena_read(a, c->place + offset);
            if (r.is_dead) dead_here += r.size;
            if (!r.is_dead) live_count++;
            offset += r.size;
        }
        if (offset != c->used || c->used > HASH_CHUNK_BYTES) {
            return broken(s, "A1", "records do not end where the chunk does");
        }
        if (dead_here != c->dead) return broken(s, "A2", "a chunk's dead");
        bytes += c->used - sizeof *c;
        dead += dead_here;
        chunks++;
    }
    if (bytes != a->record_bytes || dead != a->dead_bytes ||
        chunks != a->chunk_count) {
        return broken(s, "A2", "the arena's sums");
    }
    if (live_count == s->table.count) return KV_OK;
    return broken(s, "S1", "there are live records without a slot");
}

kv_status hash_check(kv *db, kv_report *report)
{
    hash_store *store = hash_store_of(db);
    sums sum = {0};
    for (uint32_t i = 0; i < store->world.shard_count; i++) {
        hash_shard *s = &store->shards[i];
        kv_latch_read(&s->latch);
        kv_status st = check_table(store, s);
        if (st == KV_OK) st = check_arena(s);
        kv_latch_read_end(&s->latch);
        KV_TRY(st);
        add_shard(s, false, &sum);
    }
    kv_report_count(report, "shards", store->world.shard_count);
    kv_report_count(report, "keys", sum.keys);
    kv_report_bytes(report, "records", sum.record_bytes);
    return KV_OK;
}
