// picker.h -- what to compact next: a decision about a version, made of sizes
// and key ranges alone.
// SPDX-License-Identifier: MIT
//
// Leveled: of the fullest level (plan.h) the next part goes down, all of level
// 0, and of others one table at a time, the one that drags the least of the
// next level with it. Tiered: all of a level becomes one new run of the next.
//
// What stands clear of all it would be merged with is moved down as it is, for
// the price of a manifest's edit: but not into the last level if it would keep
// there what merging changes, tombstones or another compression.
//
// A compaction under way claims its key range in its levels, and nothing that
// overlaps a claim is chosen: so that several run at once and never meet.
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

#include "plan.h"

// The number of a level's one run where compaction is leveled.
enum { LSM_SORTED_RUN = 0 };

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
// If scans have worn level 0 out (plan.h): all of it into one run of level 0,
// or if it is one already into the run below. False: they have not, or it must
// wait.
bool lsm_pick_worn(lsm_version *v, const lsm_shape *shape, const lsm_busy *busy,
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

#endif
