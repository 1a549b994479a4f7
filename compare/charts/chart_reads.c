// chart_reads.c -- reads per operation: a panel per class and workload, a row
// per engine.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdio.h>

#include "compare/charts/axis.h"
#include "compare/report/text.h"

static const struct class {
    const char *measure, *word;
} classes[] = {
    {"ra_io_hit", "hit"},
    {"ra_io_miss", "miss"},
    {"ra_io_scan", "scan"},
};
enum { CLASSES = sizeof classes / sizeof *classes };

typedef struct dots {
    cmp_list panels, engines;
    cmp_panel_rows rows;
    double max;
} dots;

static void add_dot(cmp_figure *f, const char *panel, size_t row,
                    const char *engine, cmp_spread s)
{
    bool known = s.count > 0;
    cmp_number n;
    cmp_cell(&f->data, panel, '\t');
    cmp_cell_number(&f->data, (double)row, '\t');
    cmp_cell(&f->data, engine, '\t');
    cmp_cell_number(&f->data, known ? s.median : NAN, '\t');
    cmp_cell_number(&f->data, known ? s.min : NAN, '\t');
    cmp_cell_number(&f->data, known ? s.max : NAN, '\t');
    cmp_cell_number(&f->data, known ? s.max : 0, '\t');
    cmp_cell(&f->data, known ? cmp_ratio(&n, s.median) : "n/a", '\n');
}

static void add_panel(const cmp_rundir *r, cmp_figure *f, dots *all, size_t c,
                      const char *workload)
{
    char title[160];
    bool any = false;
    snprintf(title, sizeof title, "%s, in %s", classes[c].word, workload);
    for (size_t e = 0; e < all->engines.count && !any; e++) {
        any = cmp_rundir_spread(r, all->engines.names[e], workload,
                                classes[c].measure)
                  .count > 0;
    }
    if (!any) return;
    cmp_list_add(&all->panels, title);
    cmp_list rows = {0};
    for (size_t e = 0; e < all->engines.count; e++) {
        const char *engine = all->engines.names[e];
        if (!cmp_rundir_took_part(r, engine, workload)) continue;
        cmp_list_add(&rows, engine);
        cmp_spread s =
            cmp_rundir_spread(r, engine, workload, classes[c].measure);
        if (s.count > 0) all->max = fmax(all->max, s.max);
        add_dot(f, title, rows.count, engine, s);
    }
    cmp_panel_rows_add(&all->rows, &rows, 24);
    cmp_list_free(&rows);
}

static void draw(const cmp_rundir *r, cmp_figure *f, const dots *all)
{
    double end = fmax(all->max * 1.15, 1.25), step = cmp_axis_step(end, 4);
    cmp_layout layout = {.panel_height = 80,
                         .pad_left = 64,
                         .pad_right = 44,
                         .taller = all->rows.heights};
    cmp_script_begin(f, layout, &all->panels);
    cmp_script_engines(f, r, &all->engines);
    kv_buf_printf(&f->script, "\nset xrange [%g:%g]\nset xtics %g\n",
                  -0.03 * end, end, step);
    cmp_append(
        &f->script,
        "mine(p, i, v) = strcol(1) eq Panel[p] && strcol(3) eq Engine[i] ? "
        "v : NaN\n\n"
        "do for [p = 1:panels] {\n"
        "    @new_panel\n");
    kv_buf_append(&f->script, kv_buf_slice(&all->rows.script));
    cmp_append(
        &f->script,
        "    plot for [i = 1:|Engine|] data skip 1 "
        "using (mine(p, i, $4)):2:5:6 with xerrorbars lt Linetype[i], \\\n"
        "         for [i = 1:|Engine|] data skip 1 "
        "using (mine(p, i, $7)):2:8 \\\n"
        "             with labels left offset 1, 0 font ',11' "
        "tc rgb '#111111'\n"
        "}\nunset multiplot\n");
}

// Per class and engine, the range over all workloads.
static void say(const cmp_rundir *r, cmp_figure *f, const dots *all)
{
    for (size_t e = 0; e < all->engines.count; e++) {
        const char *engine = all->engines.names[e], *comma = "";
        size_t length = f->measured.len;
        for (size_t c = 0; c < CLASSES; c++) {
            double min = INFINITY, max = -1;
            cmp_number low, high;
            for (size_t w = 0; w < r->workloads.count; w++) {
                cmp_spread s = cmp_rundir_spread(
                    r, engine, r->workloads.names[w], classes[c].measure);
                if (s.count == 0) continue;
                min = fmin(min, s.median), max = fmax(max, s.median);
            }
            if (max < 0) continue;
            if (length == f->measured.len) {
                kv_buf_printf(&f->measured, "%s read", engine);
            }
            kv_buf_printf(&f->measured, "%s %s", comma, cmp_ratio(&low, min));
            if (max - min > 0.005) {
                kv_buf_printf(&f->measured, " to %s", cmp_ratio(&high, max));
            }
            kv_buf_printf(&f->measured, " times per %s", classes[c].word);
            comma = ",";
        }
        if (length < f->measured.len) cmp_append(&f->measured, ".\n");
    }
}

void cmp_chart_reads(const cmp_rundir *r, cmp_figure *f)
{
    dots all = {0};
    cmp_append(&f->data,
               "class\trow\tengine\tmedian\tmin\tmax\tlabel_at\tlabel\n");
    for (size_t e = 0; e < r->engines.count; e++) {
        const char *engine = r->engines.names[e];
        if (cmp_rundir_origin(r, engine) == CMP_FROM_NOTHING) continue;
        cmp_list_add(&all.engines, engine);
    }
    for (size_t c = 0; c < CLASSES; c++) {
        for (size_t w = 0; w < r->workloads.count; w++) {
            add_panel(r, f, &all, c, r->workloads.names[w]);
        }
    }
    if (all.panels.count > 0) draw(r, f, &all);
    say(r, f, &all);
    cmp_list_free(&all.panels);
    cmp_list_free(&all.engines);
    cmp_panel_rows_free(&all.rows);
}
