// version.h -- which tables there are, in which order: one immutable picture,
// replaced by the next.
// SPDX-License-Identifier: MIT
//
//   newest  level 0   run 31  [ a ───────────── t ]      one table a flush,
//           level 0   run 27  [ b ────────────── x ]     overlapping
//           level 5   run 4   [a─c][d──k][m─p][q──z]     a sorted run: tables
//   oldest  level 6   run 1   [a][b─d][e][f──m][n]…      that do not overlap
//
// A level is a list of runs. Leveled compaction keeps one run in each level
// but the first; tiered compaction keeps up to tier_runs. To a reader there is
// no difference: it asks run after run.
//
// Invariants
//   V1  Of two runs that hold a key, the one further up has the newer entry:
//       runs stand by level, and within a level by falling run number.
//   V2  The tables of a run ascend and do not overlap.
//   V3  A table is in one place.
//
// Threads: immutable; references are counted.
//
// Book: "SSTables and LSM-Trees", compaction

#ifndef LSM_VERSION_H
#define LSM_VERSION_H

#include "format_log.h"
#include "spans.h"
#include "table.h"

typedef struct lsm_run {
    uint64_t id;
    uint32_t level;
    lsm_table **tables;
    size_t count;
    uint64_t bytes;       // of the files
    uint64_t range_count; // of the tables
} lsm_run;

typedef struct lsm_version {
    _Atomic uint32_t refs;
    lsm_run *runs; // V1
    size_t run_count;
    lsm_table **tables; // of all runs: their arrays are parts of this one
    size_t table_count;
} lsm_version;

// One without tables. Comes with one reference, as the next does.
lsm_version *lsm_version_new(void);
// The version after an edit. A table that the edit adds is the one of that
// number among `opened`, or, if it only moves, the one in `base`. Requires that
// it is in one of them.
lsm_version *lsm_version_after(const lsm_version *base, const lsm_edit *edit,
                               lsm_table *const *opened, size_t opened_count);
lsm_version *lsm_version_ref(lsm_version *v);
void lsm_version_unref(lsm_version *v); // NULL is fine

// Verifies V1 to V3 as far as key ranges tell. KV_CORRUPT.
KV_MUST_USE kv_status lsm_version_check(const lsm_version *v);

// What lsm_edit_add wants to know of a table.
lsm_edit_table lsm_table_facts(const lsm_table *t, uint32_t level,
                               uint64_t run);

// ---- key ranges -------------------------------------------------------------

// Keys from `from` up to `to`; empty ends are open. `to` itself is inside if
// `is_closed`.
typedef struct lsm_bounds {
    kv_slice from, to;
    bool is_closed;
} lsm_bounds;

lsm_bounds lsm_table_bounds(const lsm_table *t);
// True if every key of `a` is below every key of `b`.
bool lsm_bounds_before(const lsm_bounds *a, const lsm_bounds *b);
// Makes `a` the smallest bounds that hold both.
void lsm_bounds_join(lsm_bounds *a, const lsm_bounds *b);

// The first table of the run that does not end before the bounds begin, and
// how many from there on overlap them.
size_t lsm_run_overlap(const lsm_run *run, const lsm_bounds *bounds,
                       size_t *count);
// The table that may hold the key, or NULL.
lsm_table *lsm_run_find(const lsm_run *run, kv_slice key);

// Cuts the stretch (spans.h) to the part around the key over which the run's
// range tombstones say one thing. Cost: two binary searches.
void lsm_run_cut(const lsm_run *run, kv_slice key,
                 lsm_range_tombstone *stretch);

// A walk over `count` tables of the run, from the one at `first` on. The run's
// version must outlive it.
lsm_iter *lsm_run_iter(const lsm_run *run, size_t first, size_t count,
                       lsm_scan_how how);

#endif
