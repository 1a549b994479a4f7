// run.h -- the whole comparison: every workload on every engine, several times.
// SPDX-License-Identifier: MIT
//
//   for each workload
//       for each repetition          0 counts, 1..R are timed, R+1 delays,
//                                    then open loops
//           for each engine          so that what drifts drifts for all
//               a trial in a child process ──▶ rows in the result files
//
// Trials that count run side by side, a processor each, with their stores in
// memory if there is room; whatever has a clock runs alone, in --out.

#ifndef COMPARE_RUN_H
#define COMPARE_RUN_H

#include "compare/options.h"

// Only the share that --only names, if it does (plan.h).
//
// The exit code: 0 done, 2 there is no such share, 3 something failed (said on
// stderr, and in void.tsv).
int cmp_run(cmp_options *o);

#endif
