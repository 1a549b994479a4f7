// chart_space.c -- space amplification over the bytes written: a panel per
// workload, a line per engine, its peak marked.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdlib.h>

#include "common/mem.h"

#include "compare/charts/axis.h"
#include "compare/report/palette.h"
#include "compare/report/text.h"

// Columns of space.tsv.
enum { ENGINE, WORKLOAD, REP, USER, DISK, LIVE };
enum { POINTS_MIN = 3 }; // fewer samples are no curve
enum { PANELS_MAX = 6 };

// One engine in one workload.
typedef struct line {
    const char *engine, *workload;
    double last_x, last_y; // where it ends
    double peak_x, peak_y; // the highest sample
    double peak;           // the exact one (sa_peak), or NAN
    double first, least;   // samples
    size_t points;
} line;

typedef struct lines {
    cmp_list panels;
    line *of;
    size_t count, cap;
    double max_x;
    cmp_axis y;
} lines;

static double number(const cmp_rundir *r, size_t row, size_t column)
{
    return strtod(cmp_sheet_cell(&r->space, row, column), NULL);
}

static bool row_is(const cmp_rundir *r, size_t row, const line *l,
                   const char *rep)
{
    return strcmp(cmp_sheet_cell(&r->space, row, ENGINE), l->engine) == 0 &&
           strcmp(cmp_sheet_cell(&r->space, row, WORKLOAD), l->workload) == 0 &&
           (rep == NULL ||
            strcmp(cmp_sheet_cell(&r->space, row, REP), rep) == 0);
}

// Disk over live bytes of a sample; NAN while nothing is alive.
static double ratio_at(const cmp_rundir *r, size_t row)
{
    double live = number(r, row, LIVE);
    return live > 0 ? number(r, row, DISK) / live : NAN;
}

// The first repetition's samples; false if they make no curve.
static bool follow(const cmp_rundir *r, line *l)
{
    const char *rep = NULL;
    for (size_t row = 0; row < r->space.rows; row++) {
        if (!row_is(r, row, l, rep)) continue;
        rep = cmp_sheet_cell(&r->space, row, REP);
        double y = ratio_at(r, row);
        if (isnan(y)) continue;
        if (l->points++ == 0) l->first = l->least = y;
        l->least = fmin(l->least, y);
        l->last_x = number(r, row, USER);
        l->last_y = y;
        if (y >= l->peak_y) l->peak_x = l->last_x, l->peak_y = y;
    }
    cmp_spread s = cmp_rundir_spread(r, l->engine, l->workload, "sa_peak");
    l->peak = s.count > 0 ? s.median : NAN;
    return l->points >= POINTS_MIN && l->last_x > 0;
}

static double peak_of(const line *l)
{
    return fmax(l->peak_y, l->peak); // fmax takes the one that is not NAN
}

static void write_line(const cmp_rundir *r, cmp_figure *f, const line *l)
{
    const char *rep = NULL;
    for (size_t row = 0; row < r->space.rows; row++) {
        if (!row_is(r, row, l, rep)) continue;
        rep = cmp_sheet_cell(&r->space, row, REP);
        cmp_cell(&f->data, l->workload, '\t');
        cmp_cell(&f->data, l->engine, '\t');
        cmp_cell(&f->data, "sample", '\t');
        cmp_cell_number(&f->data, number(r, row, USER), '\t');
        cmp_cell_number(&f->data, ratio_at(r, row), '\n');
    }
    cmp_cell(&f->data, l->workload, '\t');
    cmp_cell(&f->data, l->engine, '\t');
    cmp_cell(&f->data, "peak", '\t');
    cmp_cell_number(&f->data, l->peak_x, '\t');
    cmp_cell_number(&f->data, peak_of(l), '\n');
}

// The line in a few figures.
static void write_twin(cmp_figure *f, const line *l)
{
    cmp_cell(&f->twin, l->workload, '\t');
    cmp_cell(&f->twin, l->engine, '\t');
    cmp_cell_number(&f->twin, l->last_x, '\t');
    cmp_cell_number(&f->twin, l->first, '\t');
    cmp_cell_number(&f->twin, l->least, '\t');
    cmp_cell_number(&f->twin, peak_of(l), '\t');
    cmp_cell_number(&f->twin, l->last_y, '\n');
}

static void add_line(lines *all, const line *l)
{
    if (all->count == all->cap) {
        all->cap = all->cap == 0 ? 8 : 2 * all->cap;
        all->of = kv_realloc(all->of, all->cap * sizeof *all->of);
    }
    all->of[all->count++] = *l;
    cmp_list_add(&all->panels, l->workload);
    all->max_x = fmax(all->max_x, l->last_x);
    cmp_axis_take(&all->y, l->least);
    cmp_axis_take(&all->y, peak_of(l));
}

// ---- the script -------------------------------------------------------------

// Names at the lines' ends, moved apart where the ends are close.
static void script_labels(const cmp_rundir *r, cmp_figure *f, const lines *all,
                          const cmp_list *panels)
{
    double *at = kv_alloc((all->count + 1) * sizeof *at);
    const line **who = kv_alloc((all->count + 1) * sizeof *who);
    for (size_t p = 0; p < panels->count; p++) {
        size_t count = 0;
        for (size_t i = 0; i < all->count; i++) {
            const line *l = &all->of[i];
            if (strcmp(l->workload, panels->names[p]) != 0) continue;
            who[count] = l;
            at[count++] = cmp_axis_place(&all->y, l->last_y);
        }
        cmp_spread_above(at, count, 0.085, 0.02);
        for (size_t i = 0; i < count; i++) {
            kv_buf_printf(&f->script, "    if (p == %zu) { set label ", p + 1);
            cmp_number peak;
            kv_buf text = {0};
            kv_buf_printf(&text, "%s, peak %s%c", who[i]->engine,
                          cmp_ratio(&peak, peak_of(who[i])), 0);
            cmp_quoted(&f->script, (char *)text.data);
            kv_buf_free(&text);
            kv_buf_printf(&f->script,
                          " at graph 1.04, graph %.3f left font ',11' "
                          "tc rgb '%s' }\n",
                          at[i], cmp_look_of(r, who[i]->engine).colour);
        }
    }
    kv_free(at);
    kv_free(who);
}

// Draws where most happens to most engines: flat lines say in the table what
// they say.
static void choose(cmp_figure *f, const lines *all, cmp_list *out)
{
    double *rank = kv_zalloc((all->panels.count + 1) * sizeof *rank);
    for (size_t i = 0; i < all->count; i++) {
        const line *l = &all->of[i];
        size_t p = cmp_list_find(&all->panels, l->workload);
        rank[p] += log(peak_of(l) / l->least);
    }
    cmp_script_choose(f, &all->panels, rank, PANELS_MAX, out);
    kv_free(rank);
}

// How far to the right each panel goes: workloads write different amounts. In
// enough digits that the last point is not cut off.
static void script_widths(cmp_figure *f, const lines *all,
                          const cmp_list *panels, double unit)
{
    kv_buf steps = {0};
    kv_buf_printf(&f->script, "array End[%zu] = [", panels->count);
    for (size_t p = 0; p < panels->count; p++) {
        double most = 0;
        for (size_t i = 0; i < all->count; i++) {
            if (strcmp(all->of[i].workload, panels->names[p]) != 0) continue;
            most = fmax(most, all->of[i].last_x);
        }
        const char *comma = p > 0 ? ", " : "";
        kv_buf_printf(&f->script, "%s%.9g", comma, most / unit);
        kv_buf_printf(&steps, "%s%g", comma, cmp_axis_step(most / unit, 4));
    }
    kv_buf_printf(&f->script, "]\narray Step[%zu] = [%.*s]\n", panels->count,
                  (int)steps.len, (char *)steps.data);
    kv_buf_free(&steps);
}

static void draw(const cmp_rundir *r, cmp_figure *f, lines *all)
{
    double unit = all->max_x >= 2e6 ? 1e6 : 1e3;
    cmp_list engines = {0}, panels = {0};
    for (size_t i = 0; i < all->count; i++) {
        cmp_list_add(&engines, all->of[i].engine);
    }
    cmp_layout layout = {.panel_height = 250,
                         .pad_left = 34,
                         .pad_right = 126,
                         .pad_bottom = 54};
    choose(f, all, &panels);
    cmp_script_begin(f, layout, &panels);
    cmp_script_engines(f, r, &engines);
    kv_buf_printf(&f->script,
                  "\nunit = %g\nset xlabel '%s of keys and values written' "
                  "offset 0, 0.4 tc rgb '#444444'\n"
                  "set arrow from graph 0, first 1 to graph 1, first 1 nohead "
                  "lc rgb '#888888' lw 1   # perfect\n",
                  unit, unit > 1e3 ? "MB" : "kB");
    all->y.is_log = cmp_axis_span(&all->y) > 10;
    cmp_axis_script(f, 'y', &all->y);
    if (all->y.is_log) {
        cmp_append(&f->script, "subtitle = subtitle . '; log scale'\n");
    }
    script_widths(f, all, &panels, unit);
    cmp_append(&f->script,
               "mine(p, i, what, v) = strcol(1) eq Panel[p] && "
               "strcol(2) eq Engine[i] && strcol(3) eq what ? v : NaN\n\n"
               "do for [p = 1:panels] {\n    @new_panel\n"
               "    set xrange [0:End[p]]\n    set xtics Step[p]\n");
    script_labels(r, f, all, &panels);
    cmp_append(&f->script, "    plot for [i = 1:|Engine|] data skip 1 "
                           "using ($4 / unit):(mine(p, i, 'sample', $5)) \\\n"
                           "             with lines lt Linetype[i], \\\n"
                           "         for [i = 1:|Engine|] data skip 1 "
                           "using ($4 / unit):(mine(p, i, 'peak', $5)) \\\n"
                           "             with points lt Linetype[i]\n"
                           "}\nunset multiplot\n");
    cmp_list_free(&engines);
    cmp_list_free(&panels);
}

static void say(cmp_figure *f, const lines *all)
{
    const line *worst = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const line *l = &all->of[i];
        if (worst == NULL || peak_of(l) > peak_of(worst)) worst = l;
        if (i + 1 < all->count &&
            strcmp(all->of[i + 1].engine, l->engine) == 0) {
            continue;
        }
        // The last line of this engine: its highest peak and where.
        cmp_number number;
        kv_buf_printf(&f->measured,
                      "%s took at most %s times its live bytes "
                      "(%s).\n",
                      worst->engine, cmp_ratio(&number, peak_of(worst)),
                      worst->workload);
        worst = NULL;
    }
}

void cmp_chart_space(const cmp_rundir *r, cmp_figure *f)
{
    lines all = {.y = cmp_axis_empty};
    cmp_append(&f->data, "workload\tengine\tkind\tuser_bytes\tratio\n");
    cmp_append(&f->twin, "workload\tengine\tuser_bytes\tat_first\tleast\t"
                         "peak\tat_last\n");
    for (size_t e = 0; e < r->engines.count; e++) {
        for (size_t w = 0; w < r->workloads.count; w++) {
            line l = {.engine = r->engines.names[e],
                      .workload = r->workloads.names[w]};
            if (!follow(r, &l)) continue;
            write_line(r, f, &l);
            write_twin(f, &l);
            add_line(&all, &l);
        }
    }
    say(f, &all);
    if (all.count > 0) draw(r, f, &all);
    cmp_list_free(&all.panels);
    kv_free(all.of);
}
