// merge.h -- many sorted sources seen as one: the k-way merge.
// SPDX-License-Identifier: MIT
//
//   source 0 (newest)   b  d                 a heap holds the sources, the one
//   source 1            a  b  e       ──▶    with the next key on top; of equal
//   source 2 (oldest)   b  c                 keys the newest source is first,
//                                            and the older ones are passed over
//   merged              a1 b0 c2 d0 e1
//
// A flush, a merge of segments and a scan are all this: they differ in their
// sources and in what they do with tombstones, which come out like any entry.
//
// Invariants
//   K1  A parent in the heap comes before its children, by key and then rank.
//   K2  What comes out is strictly ascending (descending, if reverse).
//
// Book: "Constructing and maintaining SSTables", merging several segments

#ifndef SST_MERGE_H
#define SST_MERGE_H

#include "format.h"

// A sorted sequence of entries. The first member of a memtable's and a
// segment's cursor.
typedef struct sst_source sst_source;
struct sst_source {
    // Goes to the next entry, or sets `has_entry` to false behind the last.
    kv_status (*next)(sst_source *source);
    void (*free)(sst_source *source);
    sst_entry entry; // the source's own, until its next call
    bool has_entry;
    uint32_t rank; // 0 is the newest
};

typedef struct sst_merge {
    sst_source **heap;
    size_t count, cap;
    bool reverse;
    bool has_started;
} sst_merge;

// Takes over a source that stands before its first entry. All sources are
// added before the first sst_merge_next.
KV_MUST_USE kv_status sst_merge_add(sst_merge *m, sst_source *source,
                                    uint32_t rank);
// The next key's newest entry, valid until its next call; KV_END behind the
// last.
KV_MUST_USE kv_status sst_merge_next(sst_merge *m, sst_entry *entry);
// Which source the last entry came from.
uint32_t sst_merge_rank(const sst_merge *m);
void sst_merge_free(sst_merge *m);

#endif
