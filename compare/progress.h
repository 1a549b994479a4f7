// progress.h -- what is being measured and how long it will still take.
// SPDX-License-Identifier: MIT
//
//     [ 37/270] overwrite, log, rep 2   812,334 ops/s   1:50 left
//
// On a terminal one line that is redrawn; elsewhere one line per workload.

#ifndef COMPARE_PROGRESS_H
#define COMPARE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct cmp_progress {
    bool redraws;
    unsigned done, total; // trials
    uint64_t start_ns;
    char doing[160];   // the trial that runs
    char workload[48]; // of the last plain line
    double last_rate;
} cmp_progress;

void cmp_progress_begin(cmp_progress *p, unsigned total, bool may_redraw);
void cmp_progress_start(cmp_progress *p, const char *workload,
                        const char *engine, unsigned rep);
// Draws; also what cmp_child calls while it waits.
void cmp_progress_tick(void *progress);
// One trial is over; its rate, or 0.
void cmp_progress_step(cmp_progress *p, double operations_per_s);
// A line that stays.
void cmp_progress_note(cmp_progress *p, const char *line);
void cmp_progress_end(cmp_progress *p);

#endif
