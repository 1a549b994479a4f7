// looks.h -- how a line of a claim's points looks: its engine's colour, and a
// dash and a point of its own.
// SPDX-License-Identifier: MIT
//
//     "lsm"                       as lsm everywhere: green, filled triangle
//     "lsm, no filters, absent"   green too; dashed, with another point
//     "no index"                  no engine: a free colour
//
// Invariants
//   L1  Among the first seven variants of an engine in a panel no two have the
//       same point, so that a chart can be read without its colours.

#ifndef COMPARE_CHARTS_LOOKS_H
#define COMPARE_CHARTS_LOOKS_H

#include "compare/report/rundir.h"

typedef struct cmp_line_look {
    int linetype;  // of style.gp
    char line[40]; // for gnuplot: "lt 4 dt (8,4)"
    char mark[16]; // " pt 10"; empty: the linetype's own
} cmp_line_look;

// 0 for what is no engine.
int cmp_linetype_named(const cmp_rundir *r, const char *word);
// The engine that a series is about: its name up to the first ',' or ':'.
void cmp_series_engine(const char *series, char *to, size_t size);
// The look of the series at `index` among those of its panel.
cmp_line_look cmp_look_among(const cmp_rundir *r, const cmp_list *series,
                             size_t index);

#endif
