// memtable.h -- the newest entries, in memory and in order: a skip list that is
// read without a lock while one writer adds to it.
// SPDX-License-Identifier: MIT
//
//   root ●──────────────────────▶ cow 9 ─────────────────────────▶ ·
//        ●─────────▶ cat 7 ─────▶ cow 9 ───────────▶ dog 3 ──────▶ ·
//        ●─▶ ant 1 ▶ cat 7 ▶ cat 2 ▶ cow 9 ▶ cow 4 ▶ dog 3 ▶ elk 5 ▶ ·
//
// A link says where it leads and what stands there: the `head` of the key, a
// number made of the eight bytes behind what all keys begin with alike. A
// search follows a link only when the head says that it should, and so waits
// for memory at nodes that it walks through, not at those it only looks at.
//
//     link:  [ head | next ]          written next first, then head;
//                                     read head first, then next
//
// A new node makes `next` nearer and `head` smaller. Whoever reads a new head
// therefore reads a new next, and whoever reads an old head with a new next
// goes a shorter way than it could have: both are right (M3).
//
// A get does not search the order: buckets lead from a key's hash to its newest
// entry (buckets.h).
//
// Nodes live in one arena: nothing is given back before the whole memtable is,
// so what a reader has found stays valid as long as the memtable.
//
// Invariants
//   M1  Along every level entries ascend strictly in the order of E1.
//   M2  Each level's nodes are among those of the level below.
//   M3  A link's head is never below that of the node it leads to.
//   M4  Entries are added in the order of their numbers, and never change: a
//       reader that passes over numbers above S sees one moment.
//
// Threads: any number of readers, and one writer.
//
// Book: "Constructing and maintaining SSTables"

#ifndef LSM_MEMTABLE_H
#define LSM_MEMTABLE_H

#include "arena.h"
#include "iter.h"
#include "spans.h"

typedef struct lsm_memtable lsm_memtable;

// Comes with one reference. `arena_bytes` is what it will hold, roughly; more
// is allocated as needed. `prefix` is what keys are likely to begin with alike
// (lsm_memtable_prefix of the one before): a guess that is wrong costs time.
// `attic` may be NULL.
lsm_memtable *lsm_memtable_new(uint64_t log_number, uint64_t arena_bytes,
                               kv_slice prefix, lsm_attic *attic);
lsm_memtable *lsm_memtable_ref(lsm_memtable *m);
void lsm_memtable_unref(lsm_memtable *m); // NULL is fine

// The log that holds the same changes.
uint64_t lsm_memtable_number(const lsm_memtable *m);
// Of nodes and range tombstones; entries of all versions; range tombstones.
uint64_t lsm_memtable_bytes(const lsm_memtable *m);
uint64_t lsm_memtable_count(const lsm_memtable *m);
uint64_t lsm_memtable_range_count(const lsm_memtable *m);
// No entry or range tombstone has a number below this.
uint64_t lsm_memtable_first_seq(const lsm_memtable *m);
// What the first and the last key begin with alike; the memtable's own.
kv_slice lsm_memtable_prefix(const lsm_memtable *m);

// Copies an entry in. Requires a number not below any before, and above that
// of any entry of this key (M4).
void lsm_memtable_add(lsm_memtable *m, const lsm_entry *entry);
// As lsm_memtable_add. Cost: lsm_layer_add's.
void lsm_memtable_add_range(lsm_memtable *m, const lsm_range_tombstone *range);

// The key's newest entry with seq <= seq_max; the memtable's own. `hash` is
// kv_hash(key, LSM_HASH_SEED). Cost: two misses in memory, one if it has none.
bool lsm_memtable_get(const lsm_memtable *m, kv_slice key, uint64_t hash,
                      uint64_t seq_max, lsm_entry *out);
// The highest number <= seq_max of a range tombstone over the key, or 0. Cost:
// lsm_layers_seq's, and a step for each that was added since.
uint64_t lsm_memtable_range_seq(const lsm_memtable *m, kv_slice key,
                                uint64_t seq_max);
// All range tombstones with numbers <= seq_max; the memtable's own.
const lsm_layer *lsm_memtable_ranges(const lsm_memtable *m, uint64_t seq_max);

// A walk over entries with seq <= seq_max. Takes a reference.
lsm_iter *lsm_memtable_iter(lsm_memtable *m, uint64_t seq_max);

// Verifies M1 to M3 and U1; requires that nobody writes. KV_CORRUPT names the
// place.
KV_MUST_USE kv_status lsm_memtable_check(const lsm_memtable *m);

#endif
