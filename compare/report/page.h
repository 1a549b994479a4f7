// page.h -- the report's one page, from what was measured and drawn.
// SPDX-License-Identifier: MIT

#ifndef COMPARE_REPORT_PAGE_H
#define COMPARE_REPORT_PAGE_H

#include "compare/charts/chart.h"

typedef struct cmp_drawing {
    cmp_figure figure;
    kv_buf wide, narrow; // SVG files; empty: no picture
    char *failure;       // why there is none, or NULL
} cmp_drawing;

// Appends the page. Requires that the SVGs are gnuplot's.
KV_MUST_USE kv_status cmp_page_draw(const cmp_rundir *r,
                                    const cmp_drawing *drawings, size_t count,
                                    kv_buf *to);

#endif
