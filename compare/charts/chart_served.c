// chart_served.c -- a service's view: latency second by second, and over the
// load that is offered.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdio.h>

#include "compare/charts/axis.h"
#include "compare/report/palette.h"
#include "compare/report/text.h"

enum { PANELS_MAX = 6, COLUMN_NONE = 99 };

// Columns are found by name: a run of another version may have fewer.
static size_t column(const cmp_sheet *t, const char *name)
{
    for (size_t c = 0; c < t->columns; c++) {
        if (strcmp(cmp_sheet_column(t, c), name) == 0) return c;
    }
    return COLUMN_NONE;
}

static double number(const cmp_sheet *t, size_t row, const char *name)
{
    double value = NAN;
    size_t c = column(t, name);
    if (c == COLUMN_NONE) return NAN;
    return cmp_sheet_number(t, row, c, &value) == KV_OK ? value : NAN;
}

static const char *text(const cmp_sheet *t, size_t row, const char *name)
{
    size_t c = column(t, name);
    return c == COLUMN_NONE ? "" : cmp_sheet_cell(t, row, c);
}

// ---- second by second -------------------------------------------------------

// One engine's seconds, at its highest rate of the workload drawn.
typedef struct seconds {
    const char *engine;
    size_t first, count; // rows of the table
    double rate;
    double last; // second so far
} seconds;

typedef struct timeline {
    seconds of[PANELS_MAX];
    size_t count, rows;
    double length; // of the shortest moment but each engine's last, in seconds
    cmp_axis x, y, bytes;
} timeline;

static const char *say_us(cmp_number *n, double us)
{
    return cmp_duration(n, us * 1e3);
}

static double highest_rate(const cmp_sheet *t, const char *engine,
                           const char *workload)
{
    double rate = NAN;
    for (size_t row = 0; row < t->rows; row++) {
        if (strcmp(text(t, row, "engine"), engine) != 0 ||
            strcmp(text(t, row, "workload"), workload) != 0) {
            continue;
        }
        rate = fmax(rate, number(t, row, "share")); // passes over NAN
    }
    return rate;
}

static void add_second(cmp_figure *f, timeline *all, const cmp_sheet *t,
                       size_t row, seconds *s)
{
    const char *const delays[] = {"p50_ns", "p99_ns", "max_ns"};
    double second = number(t, row, "second");
    double length = second - s->last;
    if (!(length > 0.001)) return; // a moment at the end, cut short
    s->last = second;
    all->length = fmin(all->length, fmax(length, 0.1));
    double mb = number(t, row, "written_bytes") / 1e6 / length;
    double background = number(t, row, "background_bytes") / 1e6 / length;
    cmp_axis_take(&all->x, second);
    cmp_axis_take(&all->bytes, mb);
    cmp_cell(&f->data, s->engine, '\t');
    cmp_cell_number(&f->data, second, '\t');
    for (size_t i = 0; i < 3; i++) {
        double us = number(t, row, delays[i]) / 1e3;
        if (us > 0) cmp_axis_take(&all->y, us);
        cmp_cell_number(&f->data, us > 0 ? us : NAN, '\t');
    }
    cmp_cell_number(&f->data, mb, '\t');
    cmp_cell_number(&f->data, background, '\n');
    all->rows++;
}

static void add_seconds(cmp_figure *f, timeline *all, const cmp_sheet *t,
                        const char *engine, const char *workload)
{
    seconds s = {.engine = engine,
                 .first = all->rows,
                 .rate = highest_rate(t, engine, workload)};
    for (size_t row = 0; row < t->rows; row++) {
        bool is_it = strcmp(text(t, row, "engine"), engine) == 0 &&
                     strcmp(text(t, row, "workload"), workload) == 0;
        if (!is_it) continue;
        if (!isnan(s.rate) && number(t, row, "share") < s.rate) continue;
        add_second(f, all, t, row, &s);
    }
    s.count = all->rows - s.first;
    if (s.count > 1) all->of[all->count++] = s; // a second is no line
}

static void script_seconds(cmp_figure *f, const timeline *all, size_t i,
                           int linetype)
{
    const seconds *s = &all->of[i];
    kv_buf rows = {0};
    kv_buf_printf(&rows, "data skip %zu every ::0::%zu using 2:", s->first + 1,
                  s->count - 1);
    kv_buf_append(&rows, kv_slice_of("", 1));
    const char *from = (const char *)rows.data;
    kv_buf_printf(&f->script,
                  "\np = %zu\n@new_panel\n"
                  "plot %s6 axes x1y2 with boxes fc rgb '#e0e0e0', \\\n"
                  "     %s7 axes x1y2 with boxes fc rgb '#bcbcbc', \\\n"
                  "     %s5 with lines lt %d lw 1, \\\n"
                  "     %s4 with lines lt %d lw 1 dt (6,3), \\\n"
                  "     %s3 with lines lt %d lw 2\n",
                  i + 1, from, from, from, linetype, from, linetype, from,
                  linetype);
    kv_buf_free(&rows);
}

static void draw_timeline(const cmp_rundir *r, cmp_figure *f, timeline *all,
                          const char *workload)
{
    cmp_layout layout = {
        .panel_height = 240, .pad_left = 58, .pad_right = 50, .pad_bottom = 50};
    cmp_list panels = {0};
    for (size_t i = 0; i < all->count; i++) {
        cmp_number n;
        char title[96];
        bool is_open = all->of[i].rate > 0; // false for NAN
        snprintf(title, sizeof title, "%s%s%s%s", all->of[i].engine,
                 is_open ? ", at " : ", a call after the other",
                 is_open ? cmp_count(&n, round(100 * all->of[i].rate)) : "",
                 is_open ? " % of its most" : "");
        cmp_list_add(&panels, title);
    }
    cmp_script_begin(f, layout, &panels);
    cmp_append(&f->script, "subtitle = subtitle . '; ' . ");
    cmp_quoted(&f->script, workload);
    all->y.is_log = true;
    all->y.say = say_us;
    cmp_append(&f->script, "\nset xlabel 'seconds; bars, right: MB written "
                           "a second' offset 0, 0.4 font ',10' "
                           "tc rgb '#444444'\n");
    kv_buf_printf(&f->script, "set boxwidth %g\n", 0.9 * all->length);
    cmp_axis_script(f, 'x', &all->x);
    cmp_axis_script(f, 'y', &all->y);
    // Bars reach a third of the height, so that lines have the rest.
    double most = all->bytes.max > 0 ? all->bytes.max : 1;
    kv_buf_printf(&f->script,
                  "set border 11\nset y2range [0:%g]\nset y2tics %g font "
                  "',10'\n",
                  3 * most, cmp_axis_step(3 * most, 4));
    for (size_t i = 0; i < all->count; i++) {
        script_seconds(f, all, i, cmp_look_of(r, all->of[i].engine).linetype);
    }
    cmp_append(&f->script, "unset multiplot\n");
    cmp_list_free(&panels);
}

// The workload with the most to see: that of the longest loops.
static const char *longest_workload(const cmp_rundir *r, const cmp_sheet *t)
{
    const char *longest = "";
    double most = 0;
    for (size_t w = 0; w < r->workloads.count; w++) {
        double last = 0;
        for (size_t row = 0; row < t->rows; row++) {
            if (strcmp(text(t, row, "workload"), r->workloads.names[w]) != 0) {
                continue;
            }
            last = fmax(last, number(t, row, "second"));
        }
        if (last <= most) continue;
        most = last;
        longest = r->workloads.names[w];
    }
    return longest;
}

void cmp_chart_timeline(const cmp_rundir *r, cmp_figure *f)
{
    timeline all = {.length = INFINITY,
                    .x = cmp_axis_empty,
                    .y = cmp_axis_empty,
                    .bytes = cmp_axis_empty};
    const cmp_sheet *t = &r->timeline;
    cmp_append(&f->data, "engine\tsecond\thalf_us\t99%_us\tslowest_us\t"
                         "written_MB_per_s\tbackground_MB_per_s\n");
    const char *workload = longest_workload(r, t);
    for (size_t e = 0; e < r->engines.count && all.count < PANELS_MAX; e++) {
        add_seconds(f, &all, t, r->engines.names[e], workload);
    }
    if (all.count == 0 || !(all.y.max > 0)) return;
    draw_timeline(r, f, &all, workload);
    cmp_number low, high;
    kv_buf_printf(&f->measured,
                  "In %s, from %s (half of the calls, the best moment) to %s "
                  "(the slowest call).\n",
                  workload, cmp_duration(&low, all.y.min * 1e3),
                  cmp_duration(&high, all.y.max * 1e3));
}

// ---- over the load ----------------------------------------------------------

static bool is_row(const cmp_sheet *t, size_t row, const char *engine,
                   const char *workload)
{
    return strcmp(text(t, row, "engine"), engine) == 0 &&
           strcmp(text(t, row, "workload"), workload) == 0;
}

static void add_rates(const cmp_rundir *r, cmp_figure *f, const char *workload,
                      cmp_axis *x, cmp_axis *y, cmp_list *engines)
{
    const cmp_sheet *t = &r->openloop;
    for (size_t e = 0; e < r->engines.count; e++) {
        const char *engine = r->engines.names[e];
        for (size_t row = 0; row < t->rows; row++) {
            if (!is_row(t, row, engine, workload)) continue;
            double offered = number(t, row, "offered_per_s");
            double us = number(t, row, "p99_ns") / 1e3;
            if (!(offered > 0) || !(us > 0)) continue;
            cmp_list_add(engines, engine);
            cmp_axis_take(x, offered);
            cmp_axis_take(y, us);
            cmp_cell(&f->data, workload, '\t');
            cmp_cell(&f->data, engine, '\t');
            cmp_cell_number(&f->data, offered, '\t');
            cmp_cell_number(&f->data, number(t, row, "achieved_per_s"), '\t');
            cmp_cell_number(&f->data, us, '\n');
        }
    }
}

// An engine's point at the highest load of a workload; false if it has none.
static bool last_point(const cmp_rundir *r, const char *engine,
                       const char *workload, double *x, double *y)
{
    const cmp_sheet *t = &r->openloop;
    *x = *y = 0;
    for (size_t row = 0; row < t->rows; row++) {
        if (!is_row(t, row, engine, workload)) continue;
        double offered = number(t, row, "offered_per_s");
        double us = number(t, row, "p99_ns") / 1e3;
        if (offered > *x && us > 0) *x = offered, *y = us;
    }
    return *x > 0;
}

enum { NAMES_MAX = 32, OFFERED_HEIGHT = 290 };

// Each engine's name, above the last point of its line.
static void script_offered_names(const cmp_rundir *r, cmp_figure *f,
                                 const char *workload, size_t panel,
                                 const cmp_list *engines, const cmp_axis *x,
                                 const cmp_axis *y)
{
    double at[NAMES_MAX];
    cmp_name place[NAMES_MAX];
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (size_t e = 0; e < engines->count && count < NAMES_MAX; e++) {
        double us;
        names[count] = engines->names[e];
        if (!last_point(r, names[count], workload, &at[count], &us)) continue;
        double across = cmp_axis_place(x, at[count]);
        double up = cmp_axis_place(y, us);
        place[count] = cmp_name_above(names[count], across, up);
        count++;
    }
    cmp_place_names(place, count, 14.0 / (OFFERED_HEIGHT - 76), 0.05);
    for (size_t i = 0; i < count; i++) {
        kv_buf_printf(&f->script, "    if (p == %zu) { set label ", panel);
        cmp_quoted(&f->script, names[i]);
        kv_buf_printf(&f->script,
                      " at first %.9g, graph %.3f center font ',11' "
                      "tc rgb '#222222' }\n",
                      at[i], place[i].y);
    }
}

static void draw_offered(const cmp_rundir *r, cmp_figure *f,
                         const cmp_list *workloads, const cmp_list *engines,
                         cmp_axis x, cmp_axis y)
{
    cmp_layout layout = {.panel_height = OFFERED_HEIGHT,
                         .pad_left = 58,
                         .pad_right = 32,
                         .pad_bottom = 50};
    x.is_log = y.is_log = true;
    y.say = say_us;
    cmp_script_begin(f, layout, workloads);
    cmp_script_engines(f, r, engines);
    cmp_append(&f->script, "set xlabel 'operations a second offered' offset "
                           "0, 0.4 font ',10' tc rgb '#444444'\n");
    cmp_axis_script(f, 'x', &x);
    cmp_axis_script(f, 'y', &y);
    cmp_append(
        &f->script,
        "mine(p, i, v) = strcol(1) eq Panel[p] && strcol(2) eq Engine[i] ? "
        "v : NaN\n"
        "do for [p = 1:panels] {\n    @new_panel\n");
    for (size_t w = 0; w < workloads->count; w++) {
        script_offered_names(r, f, workloads->names[w], w + 1, engines, &x, &y);
    }
    cmp_append(&f->script,
               "    plot for [i = 1:|Engine|] data skip 1 using "
               "(mine(p, i, $3)):5 with linespoints lt Linetype[i]\n"
               "}\nunset multiplot\n");
}

// The engine that still answers 99 % within a millisecond at the most load.
static void say_offered(const cmp_rundir *r, cmp_figure *f,
                        const cmp_list *workloads)
{
    const cmp_sheet *t = &r->openloop;
    for (size_t w = 0; w < workloads->count; w++) {
        double most = 0;
        const char *best = NULL;
        for (size_t row = 0; row < t->rows; row++) {
            if (strcmp(text(t, row, "workload"), workloads->names[w]) != 0) {
                continue;
            }
            double offered = number(t, row, "offered_per_s");
            if (number(t, row, "p99_ns") > 1e6 || !(offered > most)) continue;
            most = offered, best = text(t, row, "engine");
        }
        cmp_number n;
        if (best == NULL) continue;
        kv_buf_printf(&f->measured,
                      "%s: %s took the most, %s operations a second, with 99 "
                      "%% of them within a millisecond.\n",
                      workloads->names[w], best, cmp_si(&n, most));
    }
}

void cmp_chart_offered(const cmp_rundir *r, cmp_figure *f)
{
    cmp_axis x = cmp_axis_empty, y = cmp_axis_empty;
    cmp_list workloads = {0}, engines = {0};
    cmp_append(&f->data, "workload\tengine\toffered_per_s\tachieved_per_s\t"
                         "99%_us\n");
    for (size_t row = 0; row < r->openloop.rows; row++) {
        const char *workload = text(&r->openloop, row, "workload");
        if (cmp_list_find(&workloads, workload) < workloads.count) continue;
        if (workloads.count == PANELS_MAX) break;
        size_t had = f->data.len;
        add_rates(r, f, workload, &x, &y, &engines);
        if (f->data.len > had) cmp_list_add(&workloads, workload);
    }
    if (workloads.count > 0 && engines.count > 0) {
        draw_offered(r, f, &workloads, &engines, x, y);
        say_offered(r, f, &workloads);
    }
    cmp_list_free(&workloads);
    cmp_list_free(&engines);
}
