// axis.h -- ranges and ticks that a reader can count by.
// SPDX-License-Identifier: MIT
//
// gnuplot's own ticks are too few on a log axis of less than a decade, and its
// ranges touch the outermost points; so the charts say both themselves.

#ifndef COMPARE_CHARTS_AXIS_H
#define COMPARE_CHARTS_AXIS_H

#include "compare/charts/chart.h"

typedef struct cmp_axis {
    double min, max;   // of the values; widened by cmp_axis_take
    bool is_log;       // requires min > 0
    bool is_tight;     // ends beside the values, not at a tick beyond them
    const char *names; // "found, absent" for 0 and 1; NULL: numbers
    const char *(*say)(cmp_number *, double); // of a tick; NULL: the number
} cmp_axis;

extern const cmp_axis cmp_axis_empty;

// NAN is passed over.
void cmp_axis_take(cmp_axis *a, double value);
// How far the values are apart: max / min, 0 if that makes no sense.
double cmp_axis_span(const cmp_axis *a);
// "set logscale", range and ticks of x or y. Leaves the ends of the range in
// the axis.
void cmp_axis_script(cmp_figure *f, char letter, cmp_axis *a);
// Where a value is between the ends: 0 to 1.
double cmp_axis_place(const cmp_axis *a, double value);

// "set xtics (...)" and the range for a log axis of numbers of that kind;
// the script's `low` and `high` are its ends.
void cmp_script_log_axis(cmp_figure *f, double min, double max,
                         const char *(*say)(cmp_number *, double));
// A step for an axis from 0 to `max`: 1, 2 or 5 times a power of ten, at most
// `steps` of them.
double cmp_axis_step(double max, int steps);

#endif
