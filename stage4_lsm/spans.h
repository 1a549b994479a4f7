// spans.h -- range tombstones, cut so that no two overlap: over every key there
// is one newest, or none.
// SPDX-License-Identifier: MIT
//
//   as written     [a ─────── seq 5 ─────── m)
//                          [g ─── seq 9 ─── t)
//   as spans       [a ─ 5 ─ g)[g ── 9 ───── t)
//
// What is older below a newer one hides nothing more and is forgotten.
//
// Where they come one at a time, they stand in layers, newest on top, each
// larger than the one on it: a small LSM-tree. A new one is a layer of one
// span, joined with those below that are not larger than what it has become.
//
//   top             1     2     1     4     1     2     1     8    spans
//                               2           4     4     2
//                                                       4
//
// A layer never changes: who came earlier still has the top of its moment.
//
// Invariants
//   N1  Spans ascend and do not overlap. Only the last may have an empty `to`
//       (no end).
//   N2  A span's number is the highest of those that were added over it.
//   N3  A layer has more spans than the one on it, and none of its numbers
//       is higher than any there.
//
// Book: "Constructing and maintaining SSTables", deletions

#ifndef LSM_SPANS_H
#define LSM_SPANS_H

#include "entry.h"

// Zeroed: none. Keys are borrowed: whoever adds them keeps them.
typedef struct lsm_spans {
    lsm_range_tombstone *at;
    size_t count, cap;
} lsm_spans;

// Adds one behind all others; an empty one is no span. Requires that it begins
// where, or after, the last ends.
void lsm_spans_append(lsm_spans *s, const lsm_range_tombstone *range);
// The spans of both, as new ones. Cost: one pass over both.
lsm_spans lsm_spans_join(const lsm_spans *a, const lsm_spans *b);
void lsm_spans_free(lsm_spans *s);

// The number of the span over the key; 0 if there is none. Cost: a binary
// search.
uint64_t lsm_spans_seq(const lsm_spans *s, kv_slice key);

// ---- the stretch around a key -----------------------------------------------

// A stretch is a range of keys over all of which stands the same number, or 0:
// who walks asks once for each stretch, not for each key. It begins as all
// keys with 0, and is cut by one source after another.

// Cuts it to what `other` covers too; of their numbers the higher one stays.
void lsm_stretch_cut(lsm_range_tombstone *stretch,
                     const lsm_range_tombstone *other);
// Cuts it to the part around the key over which `s` says one thing. Cost: a
// binary search.
void lsm_spans_cut(const lsm_spans *s, kv_slice key,
                   lsm_range_tombstone *stretch);

// ---- layers -----------------------------------------------------------------

// NULL: none.
typedef struct lsm_layer {
    lsm_spans spans;
    uint64_t seq;             // the newest of all layers from here down
    struct lsm_layer *below;  // N3
    struct lsm_layer *before; // the top until this one came
} lsm_layer;

// The top with one more, newer than any; who reads the old one may go on.
// Cost: of n in all, log2(n) spans copied and kept for each, taken together;
// one alone may copy all.
lsm_layer *lsm_layer_add(lsm_layer *top, const lsm_range_tombstone *range);
// The top at the moment of `seq_max`. Cost: a step per later one.
const lsm_layer *lsm_layer_at(const lsm_layer *top, uint64_t seq_max);
// Frees it, and all that were before.
void lsm_layers_free(lsm_layer *top);

// As for spans. Cost: a binary search per layer, log2(n) at most.
uint64_t lsm_layers_seq(const lsm_layer *top, kv_slice key);
void lsm_layers_cut(const lsm_layer *top, kv_slice key,
                    lsm_range_tombstone *stretch);
// All as one, for the caller to free. Cost: two passes over them.
lsm_spans lsm_layers_join(const lsm_layer *top);

// Compares two ends of ranges: an empty one is behind everything.
int lsm_end_cmp(kv_slice a, kv_slice b);

#endif
