// engine.c -- the door of stage 1: which shard, which latches.
// SPDX-License-Identifier: MIT
//
// Invariants
//   E1  Several latches are taken in the order of their shards' numbers, so
//       that no two threads wait for each other.
//   E2  A batch holds the latches of all its shards at once: a reader sees it
//       whole or not at all.
//
// Book: Hash Indexes; Keeping everything in memory (notes/book-map.md)

#include "common/engine_impl.h"
#include "common/mem.h"

#include "hash.h"
#include "store.h"

enum { KNOB_SHARDS, KNOB_GARBAGE, KNOBS };

static const kv_knob knobs[KNOBS] = {
    [KNOB_SHARDS] = {"shards", 128, 1, HASH_SHARDS_MAX, NULL,
                     "parts with a table and a latch each; a power of "
                     "two is not needed"},
    [KNOB_GARBAGE] = {"garbage", 50, 10, 100, NULL,
                      "percent of a chunk that may be dead before its live "
                      "records move out"},
};

// ---- open and close ---------------------------------------------------------

static kv_status store_open(kv *db)
{
    hash_store *store = hash_store_of(db);
    hash_world *world = &store->world;
    hash_pool_init(&world->pool);
    world->seed = db->seed;
    world->shard_count = (uint32_t)db->knob[KNOB_SHARDS];
    world->garbage_percent = (uint32_t)db->knob[KNOB_GARBAGE];
    world->explain = &db->explain;
    store->shards = kv_alloc_pages(world->shard_count * sizeof(hash_shard));
    for (uint32_t i = 0; i < world->shard_count; i++) {
        hash_shard_init(&store->shards[i], world, i);
    }
    return KV_OK;
}

static kv_status store_close(kv *db)
{
    hash_store *store = hash_store_of(db);
    if (store->shards != NULL) {
        for (uint32_t i = 0; i < store->world.shard_count; i++) {
            hash_shard_free(&store->shards[i]);
        }
        kv_free_pages(store->shards,
                      store->world.shard_count * sizeof(hash_shard));
    }
    hash_pool_free(&store->world.pool);
    return KV_OK;
}

// ---- latches of several shards ----------------------------------------------

typedef struct latch_set {
    uint64_t bits[HASH_SHARDS_MAX / 64];
} latch_set;

static void latch_set_add(latch_set *set, uint32_t shard)
{
    set->bits[shard / 64] |= (uint64_t)1 << shard % 64;
}

typedef void latch_call(kv_latch *latch);

// Calls `call` with the latch of every shard in the set, in order (E1).
static inline void latch_set_each(const latch_set *set, hash_store *store,
                                  latch_call *call)
{
    uint32_t words = (store->world.shard_count + 63) / 64;
    for (uint32_t i = 0; i < words; i++) {
        for (uint64_t left = set->bits[i]; left != 0; left &= left - 1) {
            uint32_t shard = i * 64 + (uint32_t)__builtin_ctzll(left);
            call(&store->shards[shard].latch);
        }
    }
}

// ---- get --------------------------------------------------------------------

static hash_shard *shard_of(hash_store *store, uint64_t hash)
{
    return &store->shards[hash_shard_number(store, hash)];
}

static kv_status store_get(kv *db, kv_slice key, kv_buf *value)
{
    hash_store *store = hash_store_of(db);
    uint64_t hash = kv_hash(key, store->world.seed);
    hash_shard *shard = shard_of(store, hash);
    kv_latch_read(&shard->latch);
    kv_status st = hash_shard_get(shard, hash, key, value);
    kv_latch_read_end(&shard->latch);
    return st;
}

enum { GETS_AT_ONCE = 32 }; // about as many misses as a processor overlaps

// Three passes: by the time the second one looks at a group, or the third one
// at a record, the processor has been fetching it while we were busy with the
// other keys.
static void get_some(hash_store *store, size_t count, const kv_slice *keys,
                     kv_buf *values, bool *found)
{
    uint64_t hash[GETS_AT_ONCE];
    latch_set latches = {0};
    for (size_t i = 0; i < count; i++) {
        hash[i] = kv_hash(keys[i], store->world.seed);
        latch_set_add(&latches, hash_shard_number(store, hash[i]));
    }
    latch_set_each(&latches, store, kv_latch_read);
    for (size_t i = 0; i < count; i++) {
        hash_shard_prefetch_group(shard_of(store, hash[i]), hash[i]);
    }
    for (size_t i = 0; i < count; i++) {
        hash_shard_prefetch_record(shard_of(store, hash[i]), hash[i]);
    }
    for (size_t i = 0; i < count; i++) {
        found[i] = hash_shard_get(shard_of(store, hash[i]), hash[i], keys[i],
                                  &values[i]) == KV_OK;
    }
    latch_set_each(&latches, store, kv_latch_read_end);
}

static kv_status store_get_many(kv *db, size_t count, const kv_slice *keys,
                                kv_buf *values, bool *found)
{
    for (size_t i = 0; i < count; i += GETS_AT_ONCE) {
        size_t some = count - i < GETS_AT_ONCE ? count - i : GETS_AT_ONCE;
        get_some(hash_store_of(db), some, keys + i, values + i, found + i);
    }
    return KV_OK;
}

// ---- write ------------------------------------------------------------------

static void apply(hash_shard *shard, uint64_t hash, const kv_change *change)
{
    if (change->kind == KV_PUT) {
        hash_shard_put(shard, hash, change->key, change->value);
    } else {
        hash_shard_del(shard, hash, change->key);
    }
}

static kv_status store_write(kv *db, const kv_change *changes, size_t count)
{
    hash_store *store = hash_store_of(db);
    uint64_t seed = store->world.seed;
    if (KV_LIKELY(count == 1)) {
        uint64_t hash = kv_hash(changes->key, seed);
        hash_shard *shard = shard_of(store, hash);
        kv_latch_write(&shard->latch);
        apply(shard, hash, changes);
        kv_latch_write_end(&shard->latch);
        return KV_OK;
    }
    latch_set latches = {0};
    for (size_t i = 0; i < count; i++) {
        uint64_t hash = kv_hash(changes[i].key, seed);
        latch_set_add(&latches, hash_shard_number(store, hash));
    }
    latch_set_each(&latches, store, kv_latch_write); // E2
    for (size_t i = 0; i < count; i++) {
        uint64_t hash = kv_hash(changes[i].key, seed);
        apply(shard_of(store, hash), hash, &changes[i]);
    }
    latch_set_each(&latches, store, kv_latch_write_end);
    return KV_OK;
}

// ---- scan -------------------------------------------------------------------

// Where the walk is: it follows the tables, whose slots stay where they are
// while housekeeping moves records. A write ends the cursor (KV_STALE).
typedef struct hash_cursor {
    kv_cursor base;
    uint32_t shard, group;
    unsigned slot;
    kv_buf key, value; // copies of the entry last shown
} hash_cursor;

static hash_cursor *cursor_of(kv_cursor *cursor)
{
    return (hash_cursor *)(void *)cursor;
}

static kv_status scan_begin(kv *db, kv_cursor *cursor)
{
    (void)cursor; // zeroed, it stands at the first slot of the first shard
    EXPLAIN(&db->explain,
            "a walk over the tables of %u shards, in no order; 0 disk reads",
            (unsigned)hash_store_of(db)->world.shard_count);
    return KV_OK;
}

static void prefetch_records(hash_shard *shard, uint32_t group)
{
    if (group >= shard->table.group_count) return;
    const hash_group *g = &shard->table.groups[group];
    for (unsigned slot = 0; slot < HASH_SLOTS; slot++) {
        if (hash_group_tag(g, slot) == 0) continue;
        uint64_t place = hash_group_place(g, slot);
        __builtin_prefetch(hash_pool_at(shard->arena.pool, place));
    }
}

// Copies the shard's next entry from where the cursor stands.
static bool next_in_shard(hash_cursor *c, hash_shard *shard)
{
    for (; c->group < shard->table.group_count; c->group++, c->slot = 0) {
        const hash_group *g = &shard->table.groups[c->group];
        if (c->slot == 0) prefetch_records(shard, c->group + 1);
        while (c->slot < HASH_SLOTS) {
            unsigned slot = c->slot++;
            if (hash_group_tag(g, slot) == 0) continue;
            hash_record record =
                hash_arena_read(&shard->arena, hash_group_place(g, slot));
            kv_buf_set(&c->key, hash_record_key(&record));
            kv_buf_set(&c->value, hash_record_value(&record));
            return true;
        }
    }
    return false;
}

static kv_status scan_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    hash_store *store = hash_store_of(cursor->db);
    hash_cursor *c = cursor_of(cursor);
    while (c->shard < store->world.shard_count) {
        hash_shard *shard = &store->shards[c->shard];
        kv_latch_read(&shard->latch);
        bool found = next_in_shard(c, shard);
        kv_latch_read_end(&shard->latch);
        if (found) {
            *key = kv_buf_slice(&c->key);
            *value = kv_buf_slice(&c->value);
            return KV_OK;
        }
        c->shard++;
        c->group = 0;
        c->slot = 0;
    }
    return KV_END;
}

static void scan_end(kv_cursor *cursor)
{
    hash_cursor *c = cursor_of(cursor);
    kv_buf_free(&c->key);
    kv_buf_free(&c->value);
}

// ---- housekeeping -----------------------------------------------------------

// Moves one chunk out of the top slab, if there is too much free memory below.
static bool return_memory(hash_store *store)
{
    hash_pool *pool = &store->world.pool;
    uint64_t chunk;
    uint16_t owner;
    if (!hash_pool_pick(pool, &chunk, &owner)) return false;
    hash_shard *shard = &store->shards[owner - 1];
    kv_latch_write(&shard->latch);
    // Before we had the latch, the shard may have given the chunk back.
    bool did_work = hash_pool_is_owner(pool, chunk, owner) &&
                    hash_shard_vacate(shard, chunk);
    kv_latch_write_end(&shard->latch);
    return did_work;
}

static kv_status store_maintain(kv *db, bool *did_work)
{
    hash_store *store = hash_store_of(db);
    *did_work = false;
    for (uint32_t i = 0; i < store->world.shard_count && !*did_work; i++) {
        hash_shard *shard = &store->shards[i];
        kv_latch_write(&shard->latch);
        *did_work = hash_shard_reclaim(shard);
        kv_latch_write_end(&shard->latch);
    }
    if (!*did_work) *did_work = return_memory(store);
    return KV_OK;
}

const kv_engine hash_engine = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "hash",
             .title = "open-addressing hash table in memory",
             .book = "Hash Indexes; Keeping everything in memory",
             .caps = KV_CAP_RECLAIMS,
             .key_max = KV_KEY_MAX,
             .value_max = KV_VALUE_MAX,
             .knobs = knobs,
             .knob_count = KNOBS},
    .store_size = sizeof(hash_store),
    .cursor_size = sizeof(hash_cursor),
    .open = store_open,
    .close = store_close,
    .get = store_get,
    .get_many = store_get_many,
    .write = store_write,
    .scan = scan_begin,
    .next = scan_next,
    .end = scan_end,
    .measure = hash_measure,
    .inspect = hash_inspect,
    .check = hash_check,
    .maintain = store_maintain,
};
