// index.c -- see index.h.
// SPDX-License-Identifier: MIT

#include "index.h"

#include <string.h>

#include "common/hash.h"
#include "common/mem.h"

_Static_assert(sizeof(log_group) == 64, "a group is one cache line");

enum {
    GROW_BY = 8,       // an eighth
    FULL_PERCENT = 90, // a table this full grows
    PASSED_MAX = UINT16_MAX,
};

// ---- groups -----------------------------------------------------------------

static log_place place_at(const log_group *g, unsigned i)
{
    return (uint64_t)g->high[i] << 32 | g->low[i];
}

static void set_place(log_group *g, unsigned i, log_place place)
{
    g->low[i] = (uint32_t)place;
    g->high[i] = (uint16_t)(place >> 32);
}

static uint32_t home_of(const log_table *t, uint32_t kept)
{
    return kv_hash_place(kept, t->group_count);
}

static uint32_t after(const log_table *t, uint32_t group)
{
    return group + 1 == t->group_count ? 0 : group + 1;
}

// ---- tables -----------------------------------------------------------------

static uint32_t used_of(const log_table *t)
{
    return atomic_load_explicit(&t->used, memory_order_relaxed);
}

// False when a group on the way was passed as often as it can count (I2).
static bool try_insert(log_table *t, log_index_entry entry)
{
    uint32_t at = home_of(t, entry.hash);
    while (t->groups[at].used == LOG_GROUP_ENTRIES) {
        if (t->groups[at].passed == PASSED_MAX) return false;
        at = after(t, at);
    }
    for (uint32_t p = home_of(t, entry.hash); p != at; p = after(t, p)) {
        t->groups[p].passed++; // I2
    }
    log_group *g = &t->groups[at];
    g->hash[g->used] = entry.hash;
    set_place(g, g->used, entry.place);
    g->used++;
    return true;
}

static bool move_entries(const log_table *from, log_table *to)
{
    log_index_entry entries[LOG_GROUP_ENTRIES];
    for (uint32_t group = 0; group < from->group_count; group++) {
        size_t count = log_index_group(from, group, entries);
        for (size_t i = 0; i < count; i++) {
            if (!try_insert(to, entries[i])) return false;
        }
    }
    return true;
}

static void free_groups(log_table *t)
{
    kv_free_pages(t->groups, t->group_count * sizeof *t->groups);
}

static void resize(log_table *t, uint32_t group_count)
{
    log_table bigger = {.group_count = group_count};
    for (;; bigger.group_count += bigger.group_count / GROW_BY + 1) {
        bigger.groups =
            kv_alloc_pages(bigger.group_count * sizeof *bigger.groups);
        if (move_entries(t, &bigger)) break;
        free_groups(&bigger);
    }
    if (t->group_count > 0) free_groups(t);
    t->groups = bigger.groups;
    t->group_count = bigger.group_count;
}

static bool is_full(const log_table *t)
{
    uint64_t room = (uint64_t)t->group_count * LOG_GROUP_ENTRIES;
    return (uint64_t)(used_of(t) + 1) * 100 > room * FULL_PERCENT;
}

static void insert(log_table *t, log_index_entry entry)
{
    if (is_full(t)) resize(t, t->group_count + t->group_count / GROW_BY + 1);
    while (!try_insert(t, entry)) {
        resize(t, t->group_count + t->group_count / GROW_BY + 1);
    }
    atomic_store_explicit(&t->used, used_of(t) + 1, memory_order_relaxed);
}

// The group and slot of the entry with that hash and address.
static bool find_entry(const log_table *t, uint32_t kept, uint64_t address,
                       uint32_t *group, unsigned *slot)
{
    if (t->group_count == 0) return false;
    uint32_t at = home_of(t, kept);
    for (uint32_t n = 0; n < t->group_count; n++, at = after(t, at)) {
        const log_group *g = &t->groups[at];
        for (unsigned i = 0; i < g->used; i++) {
            if (g->hash[i] == kept &&
                log_place_address(place_at(g, i)) == address) {
                *group = at;
                *slot = i;
                return true;
            }
        }
        if (g->passed == 0) break; // I2
    }
    return false;
}

static void remove_entry(log_table *t, uint32_t group, unsigned slot)
{
    log_group *g = &t->groups[group];
    uint32_t p = home_of(t, g->hash[slot]);
    for (; p != group; p = after(t, p)) t->groups[p].passed--; // I2
    g->used--;                                                 // I3
    g->hash[slot] = g->hash[g->used];
    set_place(g, slot, place_at(g, g->used));
    atomic_store_explicit(&t->used, used_of(t) - 1, memory_order_relaxed);
}

static log_table *table_of(log_index *index, uint64_t hash)
{
    return &index->tables[log_hash_table(hash)];
}

// ---- looking up -------------------------------------------------------------

void log_index_init(log_index *index) { *index = (log_index){0}; }

void log_index_free(log_index *index)
{
    for (uint32_t i = 0; i < LOG_INDEX_TABLES; i++) {
        if (index->tables[i].group_count > 0) free_groups(&index->tables[i]);
    }
    *index = (log_index){0};
}

log_table *log_index_lock_table(log_index *index, uint32_t table)
{
    log_table *t = &index->tables[table];
    kv_latch_read(&t->latch);
    return t;
}

log_table *log_index_lock(log_index *index, uint64_t hash)
{
    return log_index_lock_table(index, log_hash_table(hash));
}

void log_index_unlock(log_table *table) { kv_latch_read_end(&table->latch); }

size_t log_index_search(const log_table *table, uint64_t hash, log_place *to,
                        size_t cap)
{
    size_t count = 0;
    uint32_t kept = log_hash_kept(hash);
    if (table->group_count == 0) return 0;
    uint32_t at = home_of(table, kept);
    for (uint32_t n = 0; n < table->group_count; n++, at = after(table, at)) {
        const log_group *g = &table->groups[at];
        for (unsigned i = 0; i < g->used; i++) {
            if (KV_LIKELY(g->hash[i] != kept)) continue;
            if (count < cap) to[count] = place_at(g, i);
            count++;
        }
        if (g->passed == 0) break; // I2
    }
    return count;
}

void log_index_prefetch(log_index *index, uint64_t hash)
{
    log_table *t = log_index_lock(index, hash);
    if (t->group_count > 0) {
        __builtin_prefetch(&t->groups[home_of(t, log_hash_kept(hash))]);
    }
    log_index_unlock(t);
}

bool log_index_has(log_index *index, uint64_t hash, uint64_t address)
{
    uint32_t group;
    unsigned slot;
    log_table *t = log_index_lock(index, hash);
    bool has = find_entry(t, log_hash_kept(hash), address, &group, &slot);
    log_index_unlock(t);
    return has;
}

// ---- changing ---------------------------------------------------------------

static bool is_held(const log_index *index, const log_table *t)
{
    size_t i = (size_t)(t - index->tables);
    return index->holds && (index->held[i / 64] >> i % 64 & 1) != 0;
}

static void latch(const log_index *index, log_table *t)
{
    if (!is_held(index, t)) kv_latch_write(&t->latch);
}

static void unlatch(const log_index *index, log_table *t)
{
    if (!is_held(index, t)) kv_latch_write_end(&t->latch);
}

void log_index_hold(log_index *index, const uint64_t *hashes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t table = log_hash_table(hashes[i]);
        uint64_t bit = (uint64_t)1 << table % 64;
        if (index->held[table / 64] & bit) continue;
        index->held[table / 64] |= bit;
        kv_latch_write(&index->tables[table].latch);
    }
    index->holds = true;
}

void log_index_let_go(log_index *index)
{
    for (uint32_t i = 0; i < LOG_INDEX_TABLES; i++) {
        if (is_held(index, &index->tables[i])) {
            kv_latch_write_end(&index->tables[i].latch);
        }
    }
    memset(index->held, 0, sizeof index->held);
    index->holds = false;
}

void log_index_restore(log_index *index, uint32_t table, log_index_entry entry)
{
    log_table *t = &index->tables[table];
    latch(index, t);
    insert(t, entry);
    unlatch(index, t);
}

void log_index_add(log_index *index, uint64_t hash, log_place place)
{
    log_index_restore(index, log_hash_table(hash),
                      (log_index_entry){log_hash_kept(hash), place});
}

bool log_index_move(log_index *index, uint64_t hash, log_place source,
                    log_place target)
{
    uint32_t group;
    unsigned slot;
    log_table *t = table_of(index, hash);
    latch(index, t);
    bool found = find_entry(t, log_hash_kept(hash), log_place_address(source),
                            &group, &slot);
    if (found) set_place(&t->groups[group], slot, target);
    unlatch(index, t);
    return found;
}

bool log_index_remove(log_index *index, uint64_t hash, log_place place)
{
    uint32_t group;
    unsigned slot;
    log_table *t = table_of(index, hash);
    latch(index, t);
    bool found = find_entry(t, log_hash_kept(hash), log_place_address(place),
                            &group, &slot);
    if (found) remove_entry(t, group, slot);
    unlatch(index, t);
    return found;
}

void log_index_reserve(log_index *index, uint32_t table, uint64_t count)
{
    uint64_t room = (uint64_t)LOG_GROUP_ENTRIES * FULL_PERCENT;
    uint32_t groups = (uint32_t)((count * 100 + room - 1) / room);
    log_table *t = &index->tables[table];
    latch(index, t);
    if (groups > t->group_count) resize(t, groups);
    unlatch(index, t);
}

// ---- all of it --------------------------------------------------------------

uint64_t log_index_count(const log_index *index)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < LOG_INDEX_TABLES; i++) {
        sum += used_of(&index->tables[i]);
    }
    return sum;
}

uint64_t log_index_bytes(const log_index *index)
{
    uint64_t sum = sizeof *index;
    for (uint32_t i = 0; i < LOG_INDEX_TABLES; i++) {
        log_table *t = log_index_lock_table((log_index *)(uintptr_t)index, i);
        sum += (uint64_t)t->group_count * sizeof(log_group);
        log_index_unlock(t);
    }
    return sum;
}

size_t log_index_group(const log_table *table, uint32_t group,
                       log_index_entry to[LOG_GROUP_ENTRIES])
{
    if (group >= table->group_count) return 0;
    const log_group *g = &table->groups[group];
    for (unsigned i = 0; i < g->used; i++) {
        to[i] = (log_index_entry){g->hash[i], place_at(g, i)};
    }
    return g->used;
}

// How often each group is passed, counted afresh, against what it says.
static uint64_t check_table(const log_table *t)
{
    uint64_t wrong = 0, used = 0;
    uint32_t *passed = kv_zalloc((t->group_count + 1) * sizeof *passed);
    for (uint32_t group = 0; group < t->group_count; group++) {
        const log_group *g = &t->groups[group];
        used += g->used;
        for (unsigned i = 0; i < g->used; i++) {
            uint32_t p = home_of(t, g->hash[i]);
            for (; p != group; p = after(t, p)) passed[p]++;
        }
    }
    for (uint32_t group = 0; group < t->group_count; group++) {
        wrong += passed[group] != t->groups[group].passed;
    }
    kv_free(passed);
    return wrong + (used != used_of(t));
}

uint64_t log_index_check(log_index *index)
{
    uint64_t wrong = 0;
    for (uint32_t i = 0; i < LOG_INDEX_TABLES; i++) {
        log_table *t = log_index_lock_table(index, i);
        wrong += check_table(t);
        log_index_unlock(t);
    }
    return wrong;
}
