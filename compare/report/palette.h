// palette.h -- one colour and one point per engine, on every chart.
// SPDX-License-Identifier: MIT
//
//     our stages   Okabe-Ito colours, filled points
//     yardsticks   greys, hollow points, broken lines
//     others       blue, sky blue, filled: an engine of your own
//
// `linetype` is a number of charts/style.gp, where the same choice is written
// for gnuplot; a test compares the two.

#ifndef COMPARE_REPORT_PALETTE_H
#define COMPARE_REPORT_PALETTE_H

#include <stdbool.h>

#include "compare/report/rundir.h"

typedef struct cmp_look {
    int linetype;
    const char *colour; // "#E69F00"
    bool is_hollow;
} cmp_look;

cmp_look cmp_look_of(const cmp_rundir *r, const char *engine);

// The engine's point as a small inline picture for the page.
void cmp_look_draw(cmp_look look, kv_buf *to);

// The colour mixed with white: 0 leaves it, 1 is white; into text "#RRGGBB".
void cmp_look_tint(cmp_look look, double share, char text[8]);
// Black or white, whichever can be read on that colour.
const char *cmp_ink_on(const char colour[8]);

#endif
