// chart_claims.c -- the claims' points: a panel per claim, a line per series,
// what theory expects in dots.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdio.h>

#include "compare/charts/chart.h"
#include "compare/report/palette.h"
#include "compare/report/text.h"

// Columns of points.tsv and claims.tsv.
enum { POINT_CLAIM, POINT_SERIES, POINT_X, POINT_Y, POINT_THEORY };
enum { CLAIM_ID, CLAIM_VERDICT, CLAIM_X = 6, CLAIM_Y = 7 };

typedef struct axis {
    double min, max;
} axis;

// What spans more is drawn on a log axis, if it can be: a straight line stays
// one when both are.
static const double wide_span = 3.9, wide_span_alone = 50;

static bool is_log(axis a, double span)
{
    return a.min > 0 && a.max / a.min > span;
}

static void widen(axis *a, double value)
{
    if (isnan(value)) return;
    a->min = fmin(a->min, value);
    a->max = fmax(a->max, value);
}

typedef struct panels {
    cmp_list titles, labels;
    kv_buf log_x, log_y, format_x, format_y, looks; // arrays of the script
    size_t most;                                    // series in a panel
} panels;

static const char *cell(const cmp_sheet *t, size_t row, size_t column)
{
    return cmp_sheet_cell(t, row, column);
}

static double number(const cmp_rundir *r, size_t row, size_t column)
{
    double value = NAN;
    // Read before, when the directory was.
    if (cmp_sheet_number(&r->points, row, column, &value) != KV_OK) return NAN;
    return value;
}

static bool is_of(const cmp_rundir *r, size_t row, const char *claim)
{
    return strcmp(cell(&r->points, row, POINT_CLAIM), claim) == 0;
}

// The series in the order of their first points.
static void find_series(const cmp_rundir *r, const char *claim, cmp_list *out)
{
    for (size_t row = 0; row < r->points.rows; row++) {
        if (is_of(r, row, claim)) {
            cmp_list_add(out, cell(&r->points, row, POINT_SERIES));
        }
    }
}

static void add_series(const cmp_rundir *r, const char *claim,
                       const char *title, const char *series, size_t index,
                       cmp_figure *f, axis *x, axis *y)
{
    size_t last = 0;
    for (size_t row = 0; row < r->points.rows; row++) {
        if (is_of(r, row, claim) &&
            strcmp(cell(&r->points, row, POINT_SERIES), series) == 0) {
            last = row;
        }
    }
    for (size_t row = 0; row <= last; row++) {
        if (!is_of(r, row, claim) ||
            strcmp(cell(&r->points, row, POINT_SERIES), series) != 0) {
            continue;
        }
        cmp_cell(&f->data, title, '\t');
        cmp_cell_number(&f->data, (double)index, '\t');
        cmp_cell(&f->data, series, '\t');
        for (size_t c = POINT_X; c <= POINT_THEORY; c++) {
            double value = number(r, row, c);
            widen(c == POINT_X ? x : y, value);
            cmp_cell_number(&f->data, value, '\t');
        }
        cmp_cell(&f->data, row == last ? series : "", '\n');
    }
}

// An engine looks as it does everywhere; other series have the free colours.
static int look_of(const cmp_rundir *r, const char *series, size_t index)
{
    static const int free_looks[] = {21, 22, 23};
    bool is_engine = cmp_list_find(&r->engines, series) < r->engines.count;
    return is_engine ? cmp_look_of(r, series).linetype : free_looks[index % 3];
}

static void add_panel(const cmp_rundir *r, size_t row, cmp_figure *f,
                      panels *all)
{
    const char *claim = cell(&r->claims, row, CLAIM_ID);
    cmp_list series = {0};
    find_series(r, claim, &series);
    if (series.count > 0) {
        char title[96], label[96];
        axis x = {INFINITY, -INFINITY}, y = x;
        snprintf(title, sizeof title, "%s  %s", claim,
                 cell(&r->claims, row, CLAIM_Y));
        // Labels are a list in which each text stands once.
        snprintf(label, sizeof label, "%s%*s", cell(&r->claims, row, CLAIM_X),
                 (int)all->titles.count, "");
        const char *comma = all->titles.count > 0 ? ", " : "";
        cmp_list_add(&all->titles, title);
        cmp_list_add(&all->labels, label);
        kv_buf_printf(&all->looks, "%s'", comma);
        for (size_t i = 0; i < series.count; i++) {
            add_series(r, claim, title, series.names[i], i + 1, f, &x, &y);
            kv_buf_printf(&all->looks, "%d ", look_of(r, series.names[i], i));
        }
        kv_buf_printf(&all->looks, "'");
        bool log_x = is_log(x, wide_span);
        bool log_y = is_log(y, log_x ? wide_span : wide_span_alone);
        kv_buf_printf(&all->log_x, "%s%d", comma, log_x);
        kv_buf_printf(&all->log_y, "%s%d", comma, log_y);
        // Places on the axis that stand for names have no numbers.
        bool is_named = x.min >= 0 && x.max < 5;
        kv_buf_printf(&all->format_x, "%s'%s'", comma,
                      is_named      ? " "
                      : x.max < 1e3 ? "%g"
                                    : "%.0s%c");
        kv_buf_printf(&all->format_y, "%s'%s'", comma,
                      y.max < 1e4 ? "%g"
                      : log_y     ? "%.0s%c"
                                  : "%.1s%c");
        if (series.count > all->most) all->most = series.count;
    }
    cmp_list_free(&series);
}

static void array_of(cmp_figure *f, const char *name, const kv_buf *numbers,
                     size_t count)
{
    kv_buf_printf(&f->script, "array %s[%zu] = [%.*s]\n", name, count,
                  (int)numbers->len, (const char *)numbers->data);
}

static void draw(cmp_figure *f, const panels *all)
{
    cmp_layout layout = {
        .panel_height = 250, .pad_left = 64, .pad_right = 30, .pad_bottom = 50};
    size_t count = all->titles.count;
    cmp_script_begin(f, layout, &all->titles);
    cmp_script_array(f, "Label", &all->labels);
    array_of(f, "LogX", &all->log_x, count);
    array_of(f, "LogY", &all->log_y, count);
    array_of(f, "FormatX", &all->format_x, count);
    array_of(f, "FormatY", &all->format_y, count);
    array_of(f, "Looks", &all->looks, count);
    kv_buf_printf(&f->script, "most = %zu\n", all->most);
    cmp_append(
        &f->script,
        "here(p, i, v) = strcol(1) eq Panel[p] && $2 == i ? v : NaN\n"
        "look(p, i) = i <= words(Looks[p]) ? int(word(Looks[p], i)) : 1\n"
        "set offsets graph 0.08, graph 0.16, graph 0.1, graph 0.05\n\n"
        "do for [p = 1:panels] {\n"
        "    @new_panel\n"
        "    unset logscale\n"
        "    set format x FormatX[p]\n"
        "    set format y FormatY[p]\n"
        "    if (LogX[p]) { set logscale x }\n"
        "    if (LogY[p]) { set logscale y }\n"
        "    set xlabel Label[p] offset 0, 0.4 font ',10' tc rgb '#444444'\n"
        "    plot for [i = 1:most] data skip 1 "
        "using (here(p, i, $4)):6 with lines lt 8, \\\n"
        "         for [i = 1:most] data skip 1 "
        "using (here(p, i, $4)):5 with linespoints lt look(p, i), \\\n"
        "         for [i = 1:most] data skip 1 "
        "using (here(p, i, $4)):5:7 \\\n"
        "             with labels right offset -0.3, 0.7 boxed font ',10' "
        "tc rgb '#222222'\n"
        "}\nunset multiplot\n");
}

// How the verdicts came out, in words.
static void say(const cmp_rundir *r, cmp_figure *f)
{
    static const char *const verdicts[] = {
        "confirmed", "depends", "contradicted", "not tried", "failed"};
    for (size_t v = 0; v < sizeof verdicts / sizeof *verdicts; v++) {
        size_t count = 0;
        kv_buf ids = {0};
        for (size_t row = 0; row < r->claims.rows; row++) {
            const char *verdict = cell(&r->claims, row, CLAIM_VERDICT);
            if (strcmp(verdict, verdicts[v]) != 0) continue;
            kv_buf_printf(&ids, " %s", cell(&r->claims, row, CLAIM_ID));
            count++;
        }
        if (count > 0) {
            kv_buf_printf(&f->measured, "%zu %s:%.*s.\n", count, verdicts[v],
                          (int)ids.len, (char *)ids.data);
        }
        kv_buf_free(&ids);
    }
}

void cmp_chart_claims(const cmp_rundir *r, cmp_figure *f)
{
    panels all = {0};
    cmp_append(&f->data, "panel\tindex\tseries\tx\ty\ttheory\tlabel\n");
    for (size_t row = 0; row < r->claims.rows; row++)
        add_panel(r, row, f, &all);
    if (all.titles.count > 0) draw(f, &all);
    say(r, f);
    cmp_list_free(&all.titles);
    cmp_list_free(&all.labels);
    kv_buf_free(&all.log_x);
    kv_buf_free(&all.log_y);
    kv_buf_free(&all.format_x);
    kv_buf_free(&all.format_y);
    kv_buf_free(&all.looks);
}
