// entry.h -- one version of one key, the order they all stand in, and range
// tombstones: the words every part of the tree shares.
// SPDX-License-Identifier: MIT
//
//   Every change to the store gets the next sequence number. Nothing is ever
//   changed in place: a newer entry stands before the older ones of its key.
//
//        key "cat"  seq 9  put "purr"      ◀── what a get sees
//        key "cat"  seq 4  del                 what a snapshot at 5 sees
//        key "cat"  seq 2  put "meow"
//        key "dog"  seq 7  put "woof"
//
// Invariants
//   E1  Entries stand in the order: key ascending (memcmp, shorter first),
//       then sequence number descending. Everywhere: memtable, block, table,
//       merge.
//   E2  A sequence number is at most LSM_SEQ_MAX and belongs to one change; all
//       changes of one batch may share it, each key then once.
//
// Book: "Constructing and maintaining SSTables"

#ifndef LSM_ENTRY_H
#define LSM_ENTRY_H

#include "common/bytes.h"

#define LSM_SEQ_MAX ((UINT64_C(1) << 56) - 1)

// The same numbers as KV_PUT and KV_DEL.
typedef enum lsm_kind {
    LSM_PUT = 0,
    LSM_DEL = 1, // a tombstone; its value is empty
    LSM_KINDS
} lsm_kind;

typedef struct lsm_entry {
    kv_slice key, value;
    uint64_t seq;
    lsm_kind kind;
} lsm_entry;

// Every key in [from, to) whose sequence number is lower is gone. An empty
// `to` means: to the end of all keys.
typedef struct lsm_range_tombstone {
    kv_slice from, to;
    uint64_t seq;
} lsm_range_tombstone;

// The seed of the hash that filters and blocks keep of a key. It is part of
// the format: the hash of a key is kv_hash(key, LSM_HASH_SEED), computed once
// per call and handed to every table.
#define LSM_HASH_SEED UINT64_C(0x6c736d2d74726565)

// E1: below 0 if `a` stands before `b`.
static inline int lsm_entry_cmp(const lsm_entry *a, const lsm_entry *b)
{
    int order = kv_slice_cmp(a->key, b->key);
    if (order != 0) return order;
    return (a->seq < b->seq) - (a->seq > b->seq);
}

static inline bool lsm_range_covers(const lsm_range_tombstone *r, kv_slice key)
{
    return kv_slice_cmp(r->from, key) <= 0 &&
           (r->to.len == 0 || kv_slice_cmp(key, r->to) < 0);
}

#endif
