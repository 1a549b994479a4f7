// picker.h -- what to compact next: a decision about a version, made of sizes
// and key ranges alone.
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
// What stands clear of all it would be merged with is moved down as it is, for
// the price of a manifest's edit: but not into the last level if it would keep
// there what merging changes, tombstones or another compression.
//
// A level's score is how full it is: the fullest over 1 is next. A tombstone
// counts as the record that it hides, so that deletions, small as they are, are
// brought down to where they free room; and level 0 is full, few as its runs
// may be, when its tombstones hide a third of the store. A compaction
// under way claims its key range in its levels, and nothing that overlaps a
// claim is chosen: so that several run at once and never meet.
//
// Invariants
//   P1  With the inputs of a pick every entry of their keys between its newest
//       and its oldest input run is an input: nothing is passed by.
//   P2  Of two picks under way that touch a common level, the key ranges, with
//       what lies between their inputs, do not overlap.
//   P3  What a pick puts out overlaps nothing that stays in its target run.
//
// Book: "Compaction strategies"

#ifndef LSM_PICKER_H
#define LSM_PICKER_H

#include "version.h"

// The number of a level's one run where compaction is leveled.
enum { LSM_SORTED_RUN = 0 };

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

// `count` tables of a run, from the one at `first` on.
typedef struct lsm_pick_part {
    const lsm_run *run;
    size_t first, count;
} lsm_pick_part;

typedef struct lsm_pick {
    lsm_version *version; // that the parts are of; referenced
    lsm_pick_part *parts; // newest first
    size_t part_count;
    uint32_t target_level;
    bool makes_run;      // a new one, with a number above all before; else
    uint64_t target_run; // this one, which may be empty so far
    bool is_move;        // the one input can go as it is
    double score;
    lsm_bounds bounds;    // of all inputs, and what lies between them
    uint32_t first_level; // of the newest input
} lsm_pick;

// What is under way: the claims of these.
typedef struct lsm_busy {
    const lsm_pick *const *picks;
    size_t count;
} lsm_busy;

// The fullest level's next compaction. False: nothing is to be done, or what is
// must wait. Cost: a look at every table.
bool lsm_pick_next(lsm_version *v, const lsm_shape *shape, const lsm_busy *busy,
                   lsm_pick *out);
// For who wants dead entries gone: a compaction that brings tombstones down to
// where they vanish, or one of tables that hold many. False: nothing is left.
bool lsm_pick_cleaning(lsm_version *v, const lsm_shape *shape,
                       const lsm_busy *busy, lsm_pick *out);
// True if the keys in the bounds lie in one run, without tombstones, and where
// compaction is leveled in the last level. Tables whose entries are all newer
// than seq_max do not count.
bool lsm_range_is_compact(const lsm_version *v, const lsm_shape *shape,
                          const lsm_bounds *bounds, uint64_t seq_max);
// The next compaction on the way there: leveled, of one table and all below
// that it meets; tiered, of every table that overlaps the bounds, into one run.
// False: there is none, or somebody works on some of it.
bool lsm_pick_range(lsm_version *v, const lsm_shape *shape,
                    const lsm_busy *busy, const lsm_bounds *bounds,
                    uint64_t seq_max, lsm_pick *out);
void lsm_pick_free(lsm_pick *pick);

// How much there is to compact before every level is within its target: what
// writers are slowed down by.
uint64_t lsm_debt_bytes(const lsm_version *v, const lsm_shape *shape);

#endif
