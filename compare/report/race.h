// race.h -- who ran against whom in a workload, and who came first.
// SPDX-License-Identifier: MIT
//
//     fill-random   log 1.3 M  lsm 0.7 M  bt 0.2 M     one race: its field is
//                   └── winner └── next                "log, lsm and bt"
//
// A run need not try every engine in every workload, so a first place is worth
// what its field is worth: races of different fields are never added up.
//
// Invariants
//   A1  The winner's worst repetition beat the best one of the next. Anything
//       less is a tie and is called one.
//   A2  A field holds whoever has a figure for that workload, and nobody else.

#ifndef COMPARE_REPORT_RACE_H
#define COMPARE_REPORT_RACE_H

#include "compare/report/rundir.h"

// What is compared.
typedef struct cmp_contest {
    const char *measure;
    bool is_cost; // less is better
    bool on_disk; // among engines that keep data on disk, or in memory only
} cmp_contest;

typedef struct cmp_race {
    const char *workload;
    cmp_list field;     // A2, in the order of the run
    const char *winner; // NULL: nobody has the figure
    const char *next;   // NULL: it ran alone
    cmp_spread spread;  // of the winner
    double ahead;       // of the next: the quotient of the medians, 1 or more
    bool is_tie;        // A1
} cmp_race;

cmp_race cmp_race_of(const cmp_rundir *r, const char *workload, cmp_contest c);
void cmp_race_free(cmp_race *race);

bool cmp_race_same_field(const cmp_race *a, const cmp_race *b);

#endif
