// merge.h -- many sorted walks seen as one: the k-way merge.
// SPDX-License-Identifier: MIT
//
//   memtable     b9 d7                  a heap holds the walks, the one whose
//   run 31       a3 b2 e4      ──▶      entry comes next on top
//   run 1        b1 c1
//
//   merged       a3 b9 b2 b1 c1 d7 e4   (E1; reversed: from behind)
//
// A flush, a compaction and a scan are all this: they differ in what they merge
// and in what they drop of it.
//
// Invariants
//   K1  A parent in the heap comes before its children.
//   K2  What comes out is in the order of E1, or its reverse, all of it.
//
// Book: "Constructing and maintaining SSTables", merging

#ifndef LSM_MERGE_H
#define LSM_MERGE_H

#include "iter.h"

// A walk in the heap, with the beginning of its key as a number: most
// comparisons look no further.
typedef struct lsm_merge_place {
    uint64_t head;
    lsm_iter *walk;
} lsm_merge_place;

// Zeroed: merges nothing.
typedef struct lsm_merge {
    lsm_iter **walks; // all of them
    size_t count, cap;
    lsm_merge_place *heap; // those that stand somewhere
    size_t standing;
    kv_slice prefix; // what most keys begin with alike (head.h); borrowed
    bool reverse;
} lsm_merge;

// Takes over a walk. All are added before the first seek.
void lsm_merge_add(lsm_merge *m, lsm_iter *walk);
// To the first entry at or above `from`; if reverse, to the last one below
// `from`, an empty one being the end.
KV_MUST_USE kv_status lsm_merge_seek(lsm_merge *m, kv_slice from, bool reverse);
// Requires an entry.
KV_MUST_USE kv_status lsm_merge_next(lsm_merge *m);
// The entry on top, or NULL behind the last; the merge's, until its next call.
static inline const lsm_entry *lsm_merge_entry(const lsm_merge *m)
{
    return m->standing > 0 ? &m->heap[0].walk->entry : NULL;
}
void lsm_merge_free(lsm_merge *m);

#endif
