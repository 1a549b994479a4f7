// chart_ycsb.c -- the six standard mixes, relative to the B-tree: a row per
// workload, a point per engine.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdio.h>

#include "compare/charts/axis.h"
#include "compare/report/text.h"

static const char base[] = "bt", measure[] = "ops_per_s";

typedef struct grid {
    cmp_list rows, engines;
    cmp_axis x;
} grid;

static void add_point(cmp_figure *f, grid *g, const char *engine, cmp_spread s,
                      double one)
{
    cmp_list_add(&g->engines, engine);
    cmp_axis_take(&g->x, s.min / one);
    cmp_axis_take(&g->x, s.max / one);
    cmp_cell(&f->data, g->rows.names[g->rows.count - 1], '\t');
    cmp_cell_number(&f->data, (double)g->rows.count, '\t');
    cmp_cell(&f->data, engine, '\t');
    cmp_cell_number(&f->data, s.median / one, '\t');
    cmp_cell_number(&f->data, s.min / one, '\t');
    cmp_cell_number(&f->data, s.max / one, '\n');
}

static void add_row(const cmp_rundir *r, cmp_figure *f, grid *g, char letter)
{
    char workload[16], row[2] = {(char)(letter - 'a' + 'A'), '\0'};
    snprintf(workload, sizeof workload, "workload%c", letter);
    cmp_spread one = cmp_rundir_spread(r, base, workload, measure);
    if (one.count == 0 || one.median <= 0) return;
    cmp_list_add(&g->rows, row);
    const char *best = NULL;
    double most = 0;
    for (size_t e = 0; e < r->engines.count; e++) {
        const char *engine = r->engines.names[e];
        cmp_spread s = cmp_rundir_spread(r, engine, workload, measure);
        if (s.count == 0 || s.min <= 0) continue;
        add_point(f, g, engine, s, one.median);
        if (cmp_rundir_origin(r, engine) == CMP_FROM_NOTHING) continue;
        if (s.median > most) most = s.median, best = engine;
    }
    cmp_number n;
    if (best == NULL) return;
    kv_buf_printf(&f->measured,
                  "%s: of those that keep data on disk, %s did most, %s times "
                  "the B-tree's.\n",
                  row, best, cmp_ratio(&n, most / one.median));
}

static void draw(const cmp_rundir *r, cmp_figure *f, grid *g)
{
    cmp_layout layout = {.panel_height = 130 + 26 * (int)g->rows.count +
                                         18 * (int)((g->engines.count + 3) / 4),
                         .pad_left = 40,
                         .pad_right = 24,
                         .pad_bottom = 54};
    cmp_list panels = {0};
    cmp_list_add(&panels, "workload");
    cmp_script_begin(f, layout, &panels);
    cmp_script_engines(f, r, &g->engines);
    g->x.is_log = true;
    cmp_append(&f->script, "p = 1\n@new_panel\n");
    cmp_axis_script(f, 'x', &g->x);
    cmp_script_rows(f, &g->rows);
    kv_buf_printf(
        &f->script,
        "set xlabel 'operations per second / those of bt' offset 0, 0.4 "
        "tc rgb '#444444'\nlow = %g\nhigh = %g\nrows = %zu\n",
        g->x.min, g->x.max, g->rows.count);
    cmp_append(
        &f->script,
        "# The key: engines side by side above row 1.\n"
        "key_columns = narrow ? 3 : 6\n"
        "key_rows = (|Engine| + key_columns - 1) / key_columns\n"
        "set yrange [rows + 0.6:0.2 - 0.8 * key_rows]\n"
        "set arrow from 1, graph 0 to 1, first 0.4 nohead back "
        "lc rgb '#888888' lw 1\n"
        "do for [i = 1:|Engine|] {\n"
        "    set label 10 + i Engine[i] at low * (high / low) ** "
        "(((i - 1) % key_columns + 0.1) / key_columns), \\\n"
        "        ((i - 1) / key_columns - key_rows) * 0.8 + 0.65 left "
        "offset 0.9, -0.1 point lt Linetype[i]\n"
        "}\n"
        "mine(i, v) = strcol(3) eq Engine[i] ? v : NaN\n"
        "plot for [i = 1:|Engine|] data skip 1 using (mine(i, $4)):2:5:6 "
        "with xerrorbars lt Linetype[i]\nunset multiplot\n");
    cmp_list_free(&panels);
}

void cmp_chart_ycsb(const cmp_rundir *r, cmp_figure *f)
{
    grid g = {.x = cmp_axis_empty};
    cmp_append(&f->data, "workload\trow\tengine\tmedian\tmin\tmax\n");
    for (char letter = 'a'; letter <= 'f'; letter++) add_row(r, f, &g, letter);
    if (g.engines.count > 1) draw(r, f, &g);
    cmp_list_free(&g.rows);
    cmp_list_free(&g.engines);
}
