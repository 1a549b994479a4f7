// index.h -- key -> place, for every living key, keeping only hashes of keys.
// SPDX-License-Identifier: MIT
//
//    hash of a key, 64 bits
//    +------------+----------------------+----------------------------+
//    | 10: table  | 22: not kept         | 32: kept, says which group |
//    +------------+----------------------+----------------------------+
//
//    table 0 .. 1023, each with a latch      a group: one cache line
//    +-------+                               +---------------------------+
//    | latch |   +-----+-----+-----+---+     | 6 hashes of 4 bytes       |
//    | groups|-->|group|group|group|...|     | 6 places of 6 bytes       |
//    +-------+   +-----+-----+-----+---+     | used, passed              |
//                                            +---------------------------+
//
// Stage 1 keeps a tag and a reference to bytes in memory, and hashes a key
// again when its table grows. Here the bytes are on a disk, so a table has to
// grow from what it holds: four bytes of hash say where an entry belongs in a
// table of any size. They also make a key that is not there cost no read.
//
// A table grows by an eighth when nine tenths full: it is about 85 % full on
// average, which is 12.5 bytes a key, and a step moves a 1,024th of the keys.
//
// Two keys may share all 42 bits. The index then holds both entries, and the
// record on disk says which is which: whoever asks gets every candidate.
//
// Invariants
//   I1  An entry stands in the first group, from its home on, that had room.
//   I2  passed of a group counts the entries whose home is at or before it and
//       which stand behind it: a search may stop where it is zero, and nothing
//       is left behind by a deletion.
//   I3  The `used` entries of a group stand at its front.
//   I4  Changes come from one thread at a time (the commit line); lookups come
//       from any, under the table's latch, which nobody holds over a disk call.
//   I5  The tables of a batch are held while it is applied: nobody sees a half.
//
// Typical use: log_index_lock, log_index_search, pin what the places name,
// log_index_unlock, then read.
//
// Book: hash indexes

#ifndef LOG_INDEX_H
#define LOG_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "common/thread.h"

#include "place.h"

enum { LOG_INDEX_TABLES = 1024, LOG_GROUP_ENTRIES = 6 };

typedef struct log_group {
    uint32_t hash[LOG_GROUP_ENTRIES];
    uint32_t low[LOG_GROUP_ENTRIES];  // of the place
    uint16_t high[LOG_GROUP_ENTRIES]; // of the place
    uint16_t used;
    uint16_t passed;
} log_group;

typedef struct log_table {
    kv_latch latch;
    uint32_t group_count;
    _Atomic uint32_t used; // entries
    log_group *groups;
} log_table;

typedef struct log_index {
    log_table tables[LOG_INDEX_TABLES];
    uint64_t held[LOG_INDEX_TABLES / 64]; // a bit per table; the changer's
    bool holds;                           // any of them
} log_index;

typedef struct log_index_entry {
    uint32_t hash; // the 32 bits that are kept
    log_place place;
} log_index_entry;

void log_index_init(log_index *index);
void log_index_free(log_index *index); // a zeroed one is fine

static inline uint32_t log_hash_table(uint64_t hash)
{
    return (uint32_t)(hash >> 54);
}

static inline uint32_t log_hash_kept(uint64_t hash) { return (uint32_t)hash; }

// ---- looking up, from any thread --------------------------------------------

// The table of that hash, latched for reading.
log_table *log_index_lock(log_index *index, uint64_t hash);
void log_index_unlock(log_table *table);
// Puts up to `cap` places of entries with that hash into `to`; returns how
// many there are, which may be more. Requires the latch.
size_t log_index_search(const log_table *table, uint64_t hash, log_place *to,
                        size_t cap);
// Asks for the memory that a search will touch.
void log_index_prefetch(log_index *index, uint64_t hash);
// Whether the entry of that hash and address is there. Requires that its table
// is not held.
bool log_index_has(log_index *index, uint64_t hash, uint64_t address);

// ---- changing, one thread at a time (I4) ------------------------------------

// Keeps readers out of the tables of those hashes until log_index_let_go (I5).
void log_index_hold(log_index *index, const uint64_t *hashes, size_t count);
void log_index_let_go(log_index *index);

void log_index_add(log_index *index, uint64_t hash, log_place place);
// False if the entry of that hash and `source`'s address is not there.
bool log_index_move(log_index *index, uint64_t hash, log_place source,
                    log_place target);
bool log_index_remove(log_index *index, uint64_t hash, log_place place);
// Makes room for `count` entries in one table.
void log_index_reserve(log_index *index, uint32_t table, uint64_t count);
// Adds to a table by number and kept hash: for what a hint file brings back.
void log_index_restore(log_index *index, uint32_t table, log_index_entry entry);

// ---- all of it --------------------------------------------------------------

uint64_t log_index_count(const log_index *index);
uint64_t log_index_bytes(const log_index *index);
// The entries of one group; 0 when it is empty or past the last. Requires the
// latch; log_index_lock_table takes it by number.
size_t log_index_group(const log_table *table, uint32_t group,
                       log_index_entry to[LOG_GROUP_ENTRIES]);
log_table *log_index_lock_table(log_index *index, uint32_t table);
// Verifies I1..I3; the number of entries that violate them.
uint64_t log_index_check(log_index *index);

#endif
