// chart.h -- what a chart is: from a run directory to a table and a script.
// SPDX-License-Identifier: MIT
//
//     cmp_rundir ──▶ make() ──▶ NAME.tsv   every number of the picture
//                          └──▶ NAME.gp    draws it from NAME.tsv alone
//                          └──▶ sentences  what was measured, and what is n/a
//
// Invariants
//   C1  A sentence's figures come from the measures; a chart states only its
//       expectation beforehand.
//   C2  What is not known is NA in the table and "n/a" in the picture.

#ifndef COMPARE_CHARTS_CHART_H
#define COMPARE_CHARTS_CHART_H

#include "compare/report/rundir.h"
#include "compare/report/text.h"

typedef struct cmp_chart cmp_chart;

typedef struct cmp_figure {
    const cmp_chart *chart;
    kv_buf data;     // NAME.tsv
    kv_buf script;   // NAME.gp
    kv_buf twin;     // a shorter table for the page; empty: `data` is short
    kv_buf measured; // sentences; empty: nothing to say
    size_t panels;   // 0: nothing to draw
} cmp_figure;

typedef enum cmp_needs { // what an engine must have to be in the picture
    CMP_NEEDS_NOTHING,
    CMP_NEEDS_DISK,   // files
    CMP_NEEDS_CALLS,  // files, and read and write calls that can be counted
    CMP_NEEDS_CLAIMS, // nothing; it is drawn from claims that were tried
} cmp_needs;

struct cmp_chart {
    const char *name;       // of its files
    const char *question;   // the heading it answers
    const char *title;      // in the picture, short
    const char *subtitle;   // in the picture: the measure in a few words
    const char *definition; // the whole definition
    const char *expected;   // what the book lets one expect
    const char *claims;     // "C27 C28": drawn from the points of these
    const char *log_axes;   // "xy", "x", "y", "": of those; NULL: by the span
    cmp_needs needs;
    bool is_front; // among the first, before the claims; else behind them
    void (*make)(const cmp_rundir *r, cmp_figure *f);
};

// catalog.c: the charts in the order of the page; `make` is NULL at the end.
extern const cmp_chart cmp_charts[];

void cmp_figure_make(const cmp_chart *chart, const cmp_rundir *r,
                     cmp_figure *out);
void cmp_figure_free(cmp_figure *f);

// ---- for those who make one -------------------------------------------------

// Each is `make` of one chart.
void cmp_chart_throughput(const cmp_rundir *r, cmp_figure *f);
void cmp_chart_writes(const cmp_rundir *r, cmp_figure *f);
void cmp_chart_reads(const cmp_rundir *r, cmp_figure *f);
void cmp_chart_space(const cmp_rundir *r, cmp_figure *f);
void cmp_chart_latency(const cmp_rundir *r, cmp_figure *f);
void cmp_chart_triangle(const cmp_rundir *r, cmp_figure *f);
void cmp_chart_ycsb(const cmp_rundir *r, cmp_figure *f);
void cmp_chart_timeline(const cmp_rundir *r, cmp_figure *f);
void cmp_chart_offered(const cmp_rundir *r, cmp_figure *f);
void cmp_chart_scatter(const cmp_rundir *r, cmp_figure *f);
void cmp_chart_matrix(const cmp_rundir *r, cmp_figure *f);
// Of the chart's `claims`; without them, of all that no other chart draws.
void cmp_chart_points(const cmp_rundir *r, cmp_figure *f);

typedef struct cmp_layout {
    int panel_height;        // pixels, title and axis included
    int pad_left, pad_right; // pixels inside a panel, for labels
    int pad_bottom;          // pixels below the axis; 0: room for its figures
    const int *key;    // of each panel: pixels for names above it; or NULL
    const int *taller; // of each panel: pixels more than others; or NULL
} cmp_layout;

// The script's beginning, to the point where the panels are drawn. `panels`
// are their titles.
void cmp_script_begin(cmp_figure *f, cmp_layout layout, const cmp_list *panels);
// "array Name[n] = ['a', 'b']"; gnuplot has no empty array, so n > 0.
void cmp_script_array(cmp_figure *f, const char *name, const cmp_list *texts);
// The arrays Engine and Linetype.
void cmp_script_engines(cmp_figure *f, const cmp_rundir *r,
                        const cmp_list *engines);

// "set ytics ('a' 1, 'b' 2)": names in place of the numbers of rows.
void cmp_script_rows(cmp_figure *f, const cmp_list *names);

// Where panels have rows of their own: only those of engines that took part.
typedef struct cmp_panel_rows {
    kv_buf script; // inside the loop over p: "set yrange", "set ytics"
    int *heights;  // of each panel: pixels
    size_t panels;
} cmp_panel_rows;

// The next panel's.
void cmp_panel_rows_add(cmp_panel_rows *rows, const cmp_list *names,
                        int pixels_each);
void cmp_panel_rows_free(cmp_panel_rows *rows);

// At most `most` of the titles, those of the highest rank, in their order.
// What is left out is said in the figure's `measured`.
void cmp_script_choose(cmp_figure *f, const cmp_list *titles,
                       const double *rank, size_t most, cmp_list *out);

// A cell of the data: text or number (NA for NAN), then a tab or newline.
void cmp_cell(kv_buf *to, const char *text, char end);
void cmp_cell_number(kv_buf *to, double value, char end);

// Moves the values apart until any two differ by at least `gap`, each as
// little as possible, in the order they have.
void cmp_spread_out(double *values, size_t count, double gap);
// The same, and then none of them below `low`.
void cmp_spread_above(double *values, size_t count, double gap, double low);
// A point's name: its middle, its length, and the point, 0 to 1 across and up
// the panel.
typedef struct cmp_name {
    double x, y, length;
    double point_x, point_y;
} cmp_name;

// A name above its point, or at the height of the point and right of it: left
// of it where the panel is at its end.
cmp_name cmp_name_above(const char *text, double x, double y);
cmp_name cmp_name_beside(const char *text, double x, double y);
// Moves names up or down, each as little as it can, where they would lie on one
// another, on a point, or below `low`. `gap` is how high a name is.
void cmp_place_names(cmp_name *names, size_t count, double gap, double low);

#endif
