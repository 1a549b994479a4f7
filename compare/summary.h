// summary.h -- what the terminal shows in the end: a table of speeds.
// SPDX-License-Identifier: MIT

#ifndef COMPARE_SUMMARY_H
#define COMPARE_SUMMARY_H

#include "compare/options.h"

typedef struct cmp_summary {
    const cmp_options *options;
    double *rate;    // [workload][engine][reps]
    unsigned *count; // [workload][engine]
} cmp_summary;

void cmp_summary_init(cmp_summary *s, const cmp_options *o);
void cmp_summary_add(cmp_summary *s, const char *engine, const char *workload,
                     double operations_per_s);
// Says so of a build whose speeds are not the engines' own.
void cmp_warn_of_build(FILE *to);
// That warning, and medians, in thousands of operations per second.
void cmp_summary_print(const cmp_summary *s, FILE *to);
void cmp_summary_free(cmp_summary *s);

// The middle of `count` numbers, which are put in order; NAN of none.
double cmp_median(double *numbers, unsigned count);

#endif
