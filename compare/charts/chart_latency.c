// chart_latency.c -- the share of calls slower than a time, log over log: a
// panel per workload and kind of call, a curve per engine.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"

#include "compare/charts/axis.h"
#include "compare/report/palette.h"
#include "compare/report/text.h"

// Columns of latency.tsv.
enum { ENGINE, WORKLOAD, OP, NS, COUNT };

enum { PANELS_MAX = 9 };

// Where a curve's steps stand in the table. The script names these rows, for
// gnuplot to skip the others unread: comparing the cells of every row for every
// curve took it a minute.
typedef struct curve {
    size_t panel, engine; // in the lists of `curves`
    size_t first, steps;  // rows
} curve;

typedef struct curves {
    cmp_list panels, engines;
    curve *of;
    size_t count, rows;
    double *rank; // of each panel: how far its tail is from its middle
    size_t ranked;
    double min_ns, max_ns, least; // least share above 0
} curves;

typedef struct bucket {
    double ns, count;
} bucket;

static int by_ns(const void *a, const void *b)
{
    double x = ((const bucket *)a)->ns, y = ((const bucket *)b)->ns;
    return (x > y) - (x < y);
}

static bool row_is(const cmp_rundir *r, size_t row, const char *const key[3])
{
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(cmp_sheet_cell(&r->latency, row, i), key[i]) != 0) {
            return false;
        }
    }
    return true;
}

// The histogram of an engine, a workload and an op, sorted; the caller frees.
static bucket *buckets_of(const cmp_rundir *r, const char *const key[3],
                          size_t *count)
{
    bucket *list = kv_alloc((r->latency.rows + 1) * sizeof *list);
    *count = 0;
    for (size_t row = 0; row < r->latency.rows; row++) {
        if (!row_is(r, row, key)) continue;
        bucket b = {strtod(cmp_sheet_cell(&r->latency, row, NS), NULL),
                    strtod(cmp_sheet_cell(&r->latency, row, COUNT), NULL)};
        if (b.count > 0) list[(*count)++] = b;
    }
    qsort(list, *count, sizeof *list, by_ns);
    return list;
}

// A step is worth a point when it can be seen: a pixel is some 6 % of time, and
// 8 % of share.
static bool can_be_seen(double ns, double share, double last_ns,
                        double last_share)
{
    return ns > last_ns * 1.06 || share < last_share * 0.93;
}

static void add_point(cmp_figure *f, const char *panel, const char *engine,
                      double ns, double share)
{
    cmp_cell(&f->data, panel, '\t');
    cmp_cell(&f->data, engine, '\t');
    cmp_cell_number(&f->data, ns, '\t');
    cmp_cell_number(&f->data, share, '\n');
}

// What a share of the calls did not exceed.
static double quantile(const bucket *list, size_t count, double share)
{
    double total = 0, below = 0;
    for (size_t i = 0; i < count; i++) total += list[i].count;
    for (size_t i = 0; i < count; i++) {
        below += list[i].count;
        if (below >= share * total) return list[i].ns;
    }
    return count > 0 ? list[count - 1].ns : NAN;
}

// The curve in a few figures.
static void write_twin(cmp_figure *f, const char *panel, const char *engine,
                       const bucket *list, size_t count)
{
    const double shares[] = {0.5, 0.9, 0.99, 0.999, 0.9999};
    cmp_cell(&f->twin, panel, '\t');
    cmp_cell(&f->twin, engine, '\t');
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        cmp_cell_number(&f->twin, quantile(list, count, shares[i]), '\t');
    }
    cmp_cell_number(&f->twin, list[count - 1].ns, '\n');
}

// A curve of the panel added last; returns how many steps it has.
static size_t write_curve(cmp_figure *f, curves *all, const char *panel,
                          const char *engine, const bucket *list, size_t count)
{
    size_t steps = 0;
    double total = 0, below = 0, last_ns = 0, last_share = 2;
    for (size_t i = 0; i < count; i++) total += list[i].count;
    for (size_t i = 0; i < count; i++) {
        below += list[i].count;
        double share = (total - below) / total, ns = list[i].ns;
        bool is_end = i + 1 == count;
        if (ns <= 0) continue;
        all->min_ns = fmin(all->min_ns, ns);
        all->max_ns = fmax(all->max_ns, ns);
        if (share > 0) all->least = fmin(all->least, share);
        if (!is_end && !can_be_seen(ns, share, last_ns, last_share)) continue;
        // No call was slower than the slowest: a log axis has no 0, so the
        // curve ends at half a call.
        add_point(f, panel, engine, ns, is_end ? 0.5 / total : share);
        last_ns = ns, last_share = share;
        steps++;
    }
    return steps;
}

static void add_curve(cmp_figure *f, curves *all, const char *panel,
                      const char *engine, const bucket *list, size_t count)
{
    cmp_list_add(&all->panels, panel);
    cmp_list_add(&all->engines, engine);
    curve c = {.panel = all->panels.count - 1,
               .engine = cmp_list_find(&all->engines, engine),
               .first = all->rows};
    c.steps = write_curve(f, all, panel, engine, list, count);
    if (c.steps == 0) return;
    all->of = kv_realloc(all->of, (all->count + 1) * sizeof *all->of);
    all->of[all->count++] = c;
    all->rows += c.steps;
}

// The panel added last: its widest distance from the middle to the tail.
static void rank_panel(curves *all, const bucket *list, size_t count)
{
    size_t p = all->panels.count - 1;
    double width = quantile(list, count, 0.999) / quantile(list, count, 0.5);
    all->rank = kv_realloc(all->rank, (p + 1) * sizeof *all->rank);
    all->rank[p] = p < all->ranked ? fmax(all->rank[p], width) : width;
    all->ranked = p + 1;
}

static void add_panel(const cmp_rundir *r, cmp_figure *f, curves *all,
                      const char *workload, const char *op)
{
    char panel[160];
    snprintf(panel, sizeof panel, "%s: %s", workload, op);
    for (size_t e = 0; e < r->engines.count; e++) {
        const char *key[3] = {r->engines.names[e], workload, op};
        size_t count = 0;
        bucket *list = buckets_of(r, key, &count);
        if (count > 0) {
            add_curve(f, all, panel, key[0], list, count);
            write_twin(f, panel, key[0], list, count);
            rank_panel(all, list, count);
        }
        kv_free(list);
    }
}

// ---- the script -------------------------------------------------------------

// The panel's curves. Their names stand in its upper right, where no curve is.
static void draw_panel(cmp_figure *f, const curves *all, size_t panel)
{
    const char *comma = "plot ";
    for (size_t i = 0; i < all->count; i++) {
        const curve *c = &all->of[i];
        if (c->panel != panel) continue;
        kv_buf_printf(&f->script,
                      "%sdata skip %zu every ::0::%zu using 3:4 with steps "
                      "lt Linetype[%zu] title Engine[%zu]",
                      comma, c->first + 1, c->steps - 1, c->engine + 1,
                      c->engine + 1);
        comma = ", \\\n     ";
    }
    cmp_append(&f->script, "\n");
}

static void draw(const cmp_rundir *r, cmp_figure *f, const curves *all)
{
    double floor_share = pow(10, floor(log10(fmin(all->least, 0.1))));
    cmp_layout layout = {.panel_height = 250, .pad_left = 70, .pad_right = 22};
    cmp_list panels = {0};
    cmp_script_choose(f, &all->panels, all->rank, PANELS_MAX, &panels);
    cmp_script_begin(f, layout, &panels);
    cmp_script_engines(f, r, &all->engines);
    cmp_append(&f->script,
               "\nset key at graph 1.02, graph 1 right top Left reverse "
               "samplen 2 spacing 0.95 font ',9' textcolor rgb '#222222' "
               "noopaque\n");
    cmp_script_log_axis(f, all->min_ns, all->max_ns, cmp_duration);
    kv_buf_printf(&f->script, "set logscale y\nset yrange [%g:1]\n",
                  floor_share);
    cmp_append(
        &f->script,
        "set ytics ('all' 1, '1 in 10' .1, '1 in 100' .01, '1 in 1 k' 1e-3, "
        "'1 in 10 k' 1e-4, \\\n"
        "           '1 in 100 k' 1e-5, '1 in 1 M' 1e-6, '1 in 10 M' 1e-7, "
        "'1 in 100 M' 1e-8)\n");
    for (size_t p = 0; p < panels.count; p++) {
        kv_buf_printf(&f->script, "\np = %zu\n@new_panel\n", p + 1);
        draw_panel(f, all, cmp_list_find(&all->panels, panels.names[p]));
    }
    cmp_append(&f->script, "unset multiplot\n");
    cmp_list_free(&panels);
}

// ---- the sentences ----------------------------------------------------------

// Per engine: the workload where the slow calls are furthest from the usual.
static void say(const cmp_rundir *r, cmp_figure *f, const curves *all)
{
    for (size_t e = 0; e < all->engines.count; e++) {
        const char *engine = all->engines.names[e], *where = NULL;
        double worst = 0, usual = 0, slow = 0;
        for (size_t w = 0; w < r->workloads.count; w++) {
            const char *workload = r->workloads.names[w];
            cmp_spread p50 =
                cmp_rundir_spread(r, engine, workload, "latency_p50_ns");
            cmp_spread p999 =
                cmp_rundir_spread(r, engine, workload, "latency_p999_ns");
            if (p50.count == 0 || p999.count == 0 || p50.median <= 0) continue;
            if (p999.median / p50.median <= worst) continue;
            worst = p999.median / p50.median;
            usual = p50.median, slow = p999.median, where = workload;
        }
        if (where == NULL) continue;
        cmp_number times, half, tail;
        kv_buf_printf(&f->measured,
                      "%s: one call in a thousand took %s times "
                      "the median in %s (%s against %s).\n",
                      engine, cmp_ratio(&times, worst), where,
                      cmp_duration(&tail, slow), cmp_duration(&half, usual));
    }
}

void cmp_chart_latency(const cmp_rundir *r, cmp_figure *f)
{
    curves all = {.min_ns = INFINITY, .least = 1};
    cmp_list ops = {0};
    cmp_append(&f->data, "calls\tengine\tns\tslower\n");
    cmp_append(&f->twin, "calls\tengine\thalf_ns\t90%_ns\t99%_ns\t"
                         "99.9%_ns\t99.99%_ns\tslowest_ns\n");
    for (size_t row = 0; row < r->latency.rows; row++) {
        cmp_list_add(&ops, cmp_sheet_cell(&r->latency, row, OP));
    }
    for (size_t w = 0; w < r->workloads.count; w++) {
        for (size_t i = 0; i < ops.count; i++) {
            add_panel(r, f, &all, r->workloads.names[w], ops.names[i]);
        }
    }
    say(r, f, &all);
    if (all.panels.count > 0) draw(r, f, &all);
    kv_free(all.rank);
    kv_free(all.of);
    cmp_list_free(&all.panels);
    cmp_list_free(&all.engines);
    cmp_list_free(&ops);
}
