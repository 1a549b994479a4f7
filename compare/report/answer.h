// answer.h -- the page's first words: which engine was best at what, by how
// much, and where the figures do not say.
// SPDX-License-Identifier: MIT
//
// Engines that keep data on disk and engines that keep it in memory only are
// two leagues: what the second saves is what the first is for.
//
// Invariants
//   A1  "Fastest" means that the slowest repetition of the winner beat the
//       fastest one of the next. Anything less is a tie and is called one.

#ifndef COMPARE_REPORT_ANSWER_H
#define COMPARE_REPORT_ANSWER_H

#include "compare/report/rundir.h"

typedef struct cmp_winner {
    const char *engine; // NULL: nobody of this league has the figure
    const char *next;   // NULL: it ran alone
    cmp_spread spread;
    double ahead; // of the next: the quotient of the medians
    bool is_tie;  // A1
} cmp_winner;

// The fastest of one league in one workload.
cmp_winner cmp_winner_of(const cmp_rundir *r, const char *workload,
                         bool on_disk);

// Appends HTML: some paragraphs, and a table with a row per workload.
void cmp_answer_draw(const cmp_rundir *r, kv_buf *to);

#endif
