// table.h -- from a hash to places: open addressing in cache lines.
// SPDX-License-Identifier: MIT
//
//   group: one cache line, eight slots          0: the slot is a hole
//
//     0       2       4       6                              14      16
//   | tag 0 | tag 1 | tag 2 | tag 3 |         ...          | tag 7 |
//     16              20              24                             48
//   | place 0, low 4  | place 1, low 4  |     ...          | place 7 |
//     48                              56                             64
//   | places' fifth bytes, 0 to 7     | codes' third bytes, 0 to 7     |
//
// A key's code is 24 bits of its hash. Its high bits choose the home group,
// its low 16 are the tag. All eight tags are compared at once; a record is
// read only where the tag is equal. A full home group overflows into the next.
//
// Since a slot keeps the whole code, its home is known without reading the
// record: the table grows by one walk over it, and a deletion moves a later
// record back into the hole instead of leaving a tombstone.
//
// Invariants
//   T1  `count` slots are taken, at most six of eight, so a hole ends every
//       probe.
//   T2  From a record's home group up to, not including, the group it is in,
//       there is no hole: the first hole ends the search for a key.
//   T3  A tag is not 0.
//
// Typical use
//     hash_probe p = hash_probe_begin(table, code);
//     while (hash_probe_next(&p)) if (the record there is it) found(...);
//     hash_table_add(table, code, p.index, place);     where the probe ended

#ifndef STAGE1_HASH_TABLE_H
#define STAGE1_HASH_TABLE_H

#include "common/hash.h"

#include "pool.h"

enum { HASH_SLOTS = 8, HASH_CODE_BITS = 24 };

// Sixteen bytes as the processor compares them: eight tags with one
// instruction where it has a suitable one, otherwise one by one.
typedef uint16_t hash_lanes __attribute__((vector_size(16)));
typedef uint64_t hash_words __attribute__((vector_size(16)));

typedef struct hash_group {
    hash_words tags; // four in each word, low bits first
    uint32_t place_low[HASH_SLOTS];
    uint8_t place_high[HASH_SLOTS];
    uint8_t code_high[HASH_SLOTS];
} hash_group;

typedef struct hash_table {
    hash_group *groups;
    uint32_t group_count;
    uint32_t count, limit; // slots taken, and how many may be
    hash_pool *pool;       // where the groups are from
    uint64_t place;        // there
    uint16_t owner;
} hash_table;

void hash_table_init(hash_table *t, hash_pool *pool, uint16_t owner);
void hash_table_free(hash_table *t);

// 24 bits for the table; which shard it is, others decide.
static inline uint32_t hash_code(uint64_t hash)
{
    uint32_t code = (uint32_t)hash & ((1u << HASH_CODE_BITS) - 1);
    return (code & 0xffff) != 0 ? code : code | 1; // T3
}

static inline uint32_t hash_home(uint32_t code, uint32_t group_count)
{
    return kv_hash_place(code << (32 - HASH_CODE_BITS), group_count);
}

// ---- a group ----------------------------------------------------------------

// Which slots have this tag: slot i's answer is bit 16 * (i % 4) + i / 4.
static inline uint64_t hash_group_match(const hash_group *g, uint32_t tag)
{
    const uint64_t one_a_lane = 0x0001000100010001;
    hash_lanes equal = (hash_lanes)g->tags == (hash_lanes){0} + (uint16_t)tag;
    hash_words words = (hash_words)equal; // all ones in a lane that is equal
    return (words[0] & one_a_lane) | (words[1] & one_a_lane << 1);
}

// The slot of a match's lowest bit.
static inline unsigned hash_match_slot(uint64_t match)
{
    unsigned bit = (unsigned)__builtin_ctzll(match);
    return bit / 16 + bit % 16 * 4;
}

static inline bool hash_group_has_hole(const hash_group *g)
{
    return hash_group_match(g, 0) != 0;
}

static inline uint32_t hash_group_tag(const hash_group *g, unsigned slot)
{
    return g->tags[slot / 4] >> slot % 4 * 16 & 0xffff;
}

static inline uint32_t hash_group_code(const hash_group *g, unsigned slot)
{
    return hash_group_tag(g, slot) | (uint32_t)g->code_high[slot] << 16;
}

static inline uint64_t hash_group_place(const hash_group *g, unsigned slot)
{
    return g->place_low[slot] | (uint64_t)g->place_high[slot] << 32;
}

static inline void hash_group_set_place(hash_group *g, unsigned slot,
                                        uint64_t place)
{
    g->place_low[slot] = (uint32_t)place;
    g->place_high[slot] = (uint8_t)(place >> 32);
}

// ---- a search ---------------------------------------------------------------

typedef struct hash_probe {
    hash_table *table;
    uint32_t code;
    uint32_t index; // of the group it stands at
    unsigned slot;  // in it, after hash_probe_next said true
    uint64_t match; // slots of that group still to be shown
} hash_probe;

static inline hash_group *hash_probe_group(const hash_probe *p)
{
    return &p->table->groups[p->index];
}

static inline hash_probe hash_probe_begin(hash_table *t, uint32_t code)
{
    uint32_t home = hash_home(code, t->group_count);
    return (hash_probe){.table = t,
                        .code = code,
                        .index = home,
                        .match =
                            hash_group_match(&t->groups[home], code & 0xffff)};
}

// The next slot with the code's tag. False: there is none, and the probe
// stands at the group where a record of this code is to be added.
static inline bool hash_probe_next(hash_probe *p)
{
    while (p->match == 0) {
        if (KV_LIKELY(hash_group_has_hole(hash_probe_group(p)))) return false;
        if (++p->index == p->table->group_count) p->index = 0;
        p->match = hash_group_match(hash_probe_group(p), p->code & 0xffff);
    }
    p->slot = hash_match_slot(p->match);
    p->match &= p->match - 1;
    return true;
}

static inline uint64_t hash_probe_place(const hash_probe *p)
{
    return hash_group_place(hash_probe_group(p), p->slot);
}

// ---- changes ----------------------------------------------------------------

// `index` is where a probe for `code` came to its end. The table may grow.
void hash_table_add(hash_table *t, uint32_t code, uint32_t index,
                    uint64_t place);
// Empties that slot. The table may shrink.
void hash_table_remove(hash_table *t, uint32_t index, unsigned slot);
// Moves a table that lies in the pool to a lower place there, if there is one.
bool hash_table_move_down(hash_table *t);
// Whether the table lies in this chunk of the pool.
bool hash_table_is_in(const hash_table *t, uint64_t chunk);
uint64_t hash_table_bytes(const hash_table *t);

#endif
