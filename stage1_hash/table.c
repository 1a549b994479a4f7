// table.c -- see table.h.
// SPDX-License-Identifier: MIT

#include "table.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"

enum {
    GROUPS_A_CHUNK = HASH_CHUNK_BYTES / sizeof(hash_group),
    LOAD_PER_GROUP = 6, // T1
};

static_assert(sizeof(hash_group) == 64, "a group is a cache line");

// What a table without memory looks at: a search ends here, and the limit of 0
// makes the first addition grow it.
static hash_group no_group;

void hash_table_init(hash_table *t, hash_pool *pool, uint16_t owner)
{
    *t = (hash_table){
        .groups = &no_group, .group_count = 1, .pool = pool, .owner = owner};
}

uint64_t hash_table_bytes(const hash_table *t)
{
    return t->limit > 0 ? (uint64_t)t->group_count * sizeof(hash_group) : 0;
}

// ---- memory -----------------------------------------------------------------

// Up to the size of a slab a table is a row of chunks; beyond, memory of its
// own, which then needs no slab to be in large pages.
static void take_groups(hash_table *t, uint32_t group_count)
{
    size_t bytes = group_count * sizeof(hash_group);
    if (bytes <= HASH_SLAB_BYTES) {
        uint32_t chunks = group_count / GROUPS_A_CHUNK;
        t->place = hash_pool_take(t->pool, t->owner, chunks);
        t->groups = (hash_group *)(void *)hash_pool_at(t->pool, t->place);
        memset(t->groups, 0, bytes);
    } else {
        t->groups = kv_alloc_pages(bytes);
    }
    t->group_count = group_count;
    t->limit = group_count * LOAD_PER_GROUP;
}

void hash_table_free(hash_table *t)
{
    uint64_t bytes = hash_table_bytes(t);
    if (bytes == 0) return;
    if (bytes <= HASH_SLAB_BYTES) {
        hash_pool_give(t->pool, t->place, (uint32_t)(bytes / HASH_CHUNK_BYTES));
    } else {
        kv_free_pages(t->groups, bytes);
    }
    hash_table_init(t, t->pool, t->owner);
}

bool hash_table_is_in(const hash_table *t, uint64_t chunk)
{
    uint64_t bytes = hash_table_bytes(t);
    return bytes > 0 && bytes <= HASH_SLAB_BYTES && chunk >= t->place &&
           chunk < t->place + bytes;
}

// ---- slots ------------------------------------------------------------------

static void set_slot(hash_group *g, unsigned slot, uint32_t code,
                     uint64_t place)
{
    unsigned shift = slot % 4 * 16;
    g->tags[slot / 4] &= ~((uint64_t)0xffff << shift);
    g->tags[slot / 4] |= (uint64_t)(code & 0xffff) << shift;
    g->code_high[slot] = (uint8_t)(code >> 16);
    hash_group_set_place(g, slot, place);
}

// Puts a record at the first hole from group `index` on.
static void fill_hole(hash_table *t, uint32_t index, uint32_t code,
                      uint64_t place)
{
    uint64_t holes;
    while ((holes = hash_group_match(&t->groups[index], 0)) == 0) {
        if (++index == t->group_count) index = 0;
    }
    set_slot(&t->groups[index], hash_match_slot(holes), code, place);
    t->count++;
}

// ---- size -------------------------------------------------------------------

// Homes are in the order of the codes, whatever the size: walking the old
// groups in order fills the new ones in order.
static void replace(hash_table *t, hash_table *with)
{
    for (uint32_t i = 0; i < t->group_count; i++) {
        const hash_group *g = &t->groups[i];
        for (unsigned slot = 0; slot < HASH_SLOTS; slot++) {
            if (hash_group_tag(g, slot) == 0) continue;
            uint32_t code = hash_group_code(g, slot);
            fill_hole(with, hash_home(code, with->group_count), code,
                      hash_group_place(g, slot));
        }
    }
    assert(with->count == t->count); // T1
    hash_table_free(t);
    *t = *with;
}

static void resize(hash_table *t, uint32_t group_count)
{
    hash_table other;
    hash_table_init(&other, t->pool, t->owner);
    take_groups(&other, group_count);
    replace(t, &other);
}

static void grow(hash_table *t)
{
    uint32_t chunks = t->limit > 0 ? t->group_count / GROUPS_A_CHUNK : 0;
    uint32_t more = chunks / 4 > 0 ? chunks / 4 : 1;
    resize(t, (chunks + more) * GROUPS_A_CHUNK);
}

static void shrink(hash_table *t)
{
    resize(t, t->group_count / GROUPS_A_CHUNK / 2 * GROUPS_A_CHUNK);
}

bool hash_table_move_down(hash_table *t)
{
    hash_table lower;
    hash_table_init(&lower, t->pool, t->owner);
    take_groups(&lower, t->group_count);
    if (lower.place > t->place) {
        hash_table_free(&lower);
        return false;
    }
    replace(t, &lower);
    return true;
}

// ---- changes ----------------------------------------------------------------

void hash_table_add(hash_table *t, uint32_t code, uint32_t index,
                    uint64_t place)
{
    if (t->count == t->limit) {
        grow(t);
        index = hash_home(code, t->group_count);
    }
    fill_hole(t, index, code, place);
}

// How many groups from group `from` forward to group `to`.
static uint32_t distance(const hash_table *t, uint32_t from, uint32_t to)
{
    return to >= from ? to - from : to + t->group_count - from;
}

// A slot of group `index` whose record has its home at least `back` groups
// before; HASH_SLOTS if there is none.
static unsigned find_movable(const hash_table *t, uint32_t index, uint32_t back)
{
    const hash_group *g = &t->groups[index];
    for (unsigned slot = 0; slot < HASH_SLOTS; slot++) {
        if (hash_group_tag(g, slot) == 0) continue;
        uint32_t home = hash_home(hash_group_code(g, slot), t->group_count);
        if (distance(t, home, index) >= back) return slot;
    }
    return HASH_SLOTS;
}

// The hole that a removal leaves in a full group would cut off what overflowed
// from it or over it (T2). So a record from further on moves into the hole,
// which thereby wanders on until it is where nothing needs to pass.
void hash_table_remove(hash_table *t, uint32_t index, unsigned slot)
{
    uint32_t hole_index = index;
    unsigned hole_slot = slot;
    while (!hash_group_has_hole(&t->groups[index])) {
        if (++index == t->group_count) index = 0;
        uint32_t back = distance(t, hole_index, index);
        slot = find_movable(t, index, back);
        if (slot == HASH_SLOTS) continue;
        const hash_group *g = &t->groups[index];
        set_slot(&t->groups[hole_index], hole_slot, hash_group_code(g, slot),
                 hash_group_place(g, slot));
        hole_index = index;
        hole_slot = slot;
    }
    set_slot(&t->groups[hole_index], hole_slot, 0, 0);
    t->count--;
    if (t->count < t->limit / 4 && t->group_count > GROUPS_A_CHUNK) shrink(t);
}
