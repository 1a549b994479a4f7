// plan.h -- how large each level may be, and how full it is.
// SPDX-License-Identifier: MIT
//
// Leveled. The last level holds nearly everything; each level above may hold
// size_ratio times less, up to the base level, into which level 0 goes. Sizes
// follow the data (they are dynamic), so that the levels above the last never
// hold more than a fixed share of garbage:
//
//   level 0   runs, up to level0_runs          ──┐ all of them, and what they
//   levels 1…base-1: empty                       │ overlap in the base level
//   level b   target = last / ratio^(last - b) ◀─┘
//   level b+1 …                       one table at a time, the one that drags
//   last      target = its size       the least with it, and its overlap
//
// Tiered. A level with tier_runs runs is merged, all of it, into one new run of
// the next level; nothing there is touched.
//
// A level's score is how full it is: the fullest over 1 is next. A tombstone
// counts as the record that it hides, so that deletions, small as they are, are
// brought down to where they free room; and level 0 is full, few as its runs
// may be, when its tombstones hide a third of the store.
//
// Scans wear level 0 out. A get asks the filter of a run; a scan has to read a
// block of it, again and again. When scans have read as many bytes of level 0
// as merging it would read and write, that is done, and its runs are one; when
// they have read as much of that one as merging it with the run below would, it
// goes there. So who scans pays at most twice what he would had it been done at
// once, a byte is compacted for scans only where scans have read one, and where
// nobody scans nothing is done.
//
// Book: "Compaction strategies"

#ifndef LSM_PLAN_H
#define LSM_PLAN_H

#include "version.h"

typedef enum lsm_policy { LSM_LEVELED, LSM_TIERED } lsm_policy;

typedef struct lsm_shape {
    lsm_policy policy;
    uint64_t size_ratio;  // of two levels; tiered: the knob tier_runs
    uint64_t level0_runs; // that gather before they are compacted
    uint64_t base_bytes;  // a base level's target at most
    bool repacks_last;    // the last level compresses otherwise than the others
} lsm_shape;

// How large each level may be, and which one level 0 goes to.
typedef struct lsm_plan {
    uint32_t base, last;
    uint64_t bytes[LSM_LEVELS], target[LSM_LEVELS]; // 0: should be empty
    uint64_t runs[LSM_LEVELS];
} lsm_plan;

lsm_plan lsm_make_plan(const lsm_version *v, const lsm_shape *shape);
// How full the level is; over 1: something should go down.
double lsm_level_score(const lsm_version *v, const lsm_shape *shape,
                       const lsm_plan *p, uint32_t level);
// How much there is to compact before every level is within its target: what
// writers are slowed down by.
uint64_t lsm_debt_bytes(const lsm_version *v, const lsm_shape *shape);

// Bytes of a record, on average over all tables: the one that a tombstone hides
// is in another table than the tombstone.
double lsm_bytes_a_put(const lsm_version *v);
// The bytes a table stands for: a tombstone weighs what it will free.
double lsm_table_weight(const lsm_table *t, double put_bytes);

// True if scans have worn level 0 out. Cost: a look at each of its tables.
bool lsm_level_0_is_worn(const lsm_version *v);

#endif
