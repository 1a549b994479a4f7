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
// Invariants
//   N1  Spans ascend and do not overlap. Only the last may have an empty `to`
//       (no end).
//   N2  A span's number is the highest of those that were added over it.
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

// Cost: a copy of all spans.
void lsm_spans_add(lsm_spans *s, const lsm_range_tombstone *range);
void lsm_spans_free(lsm_spans *s);

// The number of the span over the key; 0 if there is none.
uint64_t lsm_spans_seq(const lsm_spans *s, kv_slice key);

// Spans as they were at each moment: who reads at an older one sees the older
// ones. NULL: none ever.
typedef struct lsm_spans_past {
    lsm_spans spans;
    uint64_t seq; // of the newest
    struct lsm_spans_past *older;
} lsm_spans_past;

// The past with one more, newer than any, in front; who reads `p` may go on.
// Cost: a copy of all spans.
lsm_spans_past *lsm_spans_past_add(lsm_spans_past *p,
                                   const lsm_range_tombstone *range);
// The spans at the moment of `seq_max`.
const lsm_spans *lsm_spans_past_at(const lsm_spans_past *p, uint64_t seq_max);
void lsm_spans_past_free(lsm_spans_past *p);

// Compares two ends of ranges: an empty one is behind everything.
int lsm_end_cmp(kv_slice a, kv_slice b);

#endif
