// plan.h -- the run list: every trial of a comparison, numbered, and whose
// share it is when several machines work on it.
// SPDX-License-Identifier: MIT
//
//   trial  workload   rep  engine  kind    open_loops      of 3 shares
//   1      overwrite  0    hash    count   0               1
//   2      overwrite  0    log     count   0               2
//   3      overwrite  1    hash    timed   0               3
//   4      overwrite  1    log     timed   0               1
//   5      overwrite  2    hash    delays  6               2
//   6      overwrite  2    log     delays  6               3
//   7      workloada  0    hash    count   0               1    ...
//
// Invariants
//   P1  The list follows from the options alone: the same on every machine that
//       has the same program and the same engines.
//   P2  Trial k belongs to share k mod n (share n where that is 0), so the
//       shares are disjoint and together the whole list.
//   P3  An open loop is no trial of its own: its rate is a share of the speed
//       that the trial with the clock measured, so it stays with it. In the
//       order of a run it comes after the trials of all engines.
//   P4  Where nobody named engines, the yardsticks are guests: each runs the
//       core workloads only (kv.core, or those that were named), counted once
//       and timed once. The stages run everything.

#ifndef COMPARE_PLAN_H
#define COMPARE_PLAN_H

#include "compare/options.h"

// What to do next: a trial, or an open loop that goes with one (rep > R+1).
typedef struct cmp_step {
    size_t workload, engine; // indexes into the options
    unsigned rep;
    unsigned trial;    // its number in the list, from 1
    unsigned numbered; // trials of the list so far, whoever's share they are
    bool has_begun;
} cmp_step;

// The next step of the share that `o` names, in the order of a run; false after
// the last. Begins with {0}.
bool cmp_plan_next(const cmp_options *o, cmp_step *s);
// True if the engine is a guest (P4).
bool cmp_plan_spares(const cmp_options *o, const cmp_engine *e);
// Of the whole list.
unsigned cmp_plan_trials(const cmp_options *o);
// KV_INVALID if there are more shares than trials.
KV_MUST_USE kv_status cmp_plan_check(const cmp_options *o);
// A hash of what the options name and the manifest does not tell in full: each
// workload's properties, the real records, the trace.
uint64_t cmp_plan_inputs(const cmp_options *o);

// `compare plan`: the list, or the share's part of it, as a table on the
// standard output or in the file that --out names. An exit code, as cmp_run's.
int cmp_plan(cmp_options *o);

#endif
