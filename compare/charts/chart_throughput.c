// chart_throughput.c -- operations per second: a row per workload, a point
// per engine, a panel per data set.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "compare/charts/axis.h"
#include "compare/report/text.h"

static const char measure[] = "ops_per_s";

// The rows of one panel, and the engines of all.
typedef struct rows {
    cmp_list panels, engines;
    size_t most; // rows in the fullest panel
    double min, max;
    kv_buf tics;    // per panel: "set ytics (...)"
    kv_buf heights; // "8, 3": rows of each panel
    kv_buf keys;    // "1 2 5", "1 2": the engines in each panel's key
} rows;

static const char *panel_title(const cmp_rundir *r, size_t group)
{
    return group == 0 ? "generated records" : r->groups.names[group];
}

// Without the group's name in front, which the panel's title says.
static const char *short_name(const cmp_rundir *r, const char *workload)
{
    size_t group = cmp_rundir_group(r, workload);
    if (group == 0) return workload;
    return workload + strlen(r->groups.names[group]) + 1;
}

// Adds the engines that have a point in it to `shown`.
static bool add_row(const cmp_rundir *r, const char *workload, size_t row,
                    cmp_figure *f, rows *all, cmp_list *shown)
{
    bool any = false;
    for (size_t e = 0; e < r->engines.count; e++) {
        const char *engine = r->engines.names[e];
        cmp_spread s = cmp_rundir_spread(r, engine, workload, measure);
        if (s.count == 0 || s.min <= 0) continue;
        any = true;
        cmp_list_add(&all->engines, engine);
        cmp_list_add(shown, engine);
        all->min = fmin(all->min, s.min);
        all->max = fmax(all->max, s.max);
        cmp_cell(&f->data, panel_title(r, cmp_rundir_group(r, workload)), '\t');
        cmp_cell(&f->data, short_name(r, workload), '\t');
        cmp_cell_number(&f->data, (double)row, '\t');
        cmp_cell(&f->data, engine, '\t');
        cmp_cell_number(&f->data, s.median, '\t');
        cmp_cell_number(&f->data, s.min, '\t');
        cmp_cell_number(&f->data, s.max, '\t');
        cmp_cell_number(&f->data, (double)s.count, '\n');
    }
    return any;
}

// A panel's key: the places of its engines among all, as words of a string.
static void add_key(rows *all, const cmp_list *shown)
{
    cmp_append(&all->keys, all->keys.len > 0 ? ", '" : "'");
    for (size_t i = 0; i < shown->count; i++) {
        kv_buf_printf(&all->keys, "%s%zu", i > 0 ? " " : "",
                      cmp_list_find(&all->engines, shown->names[i]) + 1);
    }
    cmp_append(&all->keys, "'");
}

static void add_panel(const cmp_rundir *r, size_t group, cmp_figure *f,
                      rows *all)
{
    size_t row = 0;
    cmp_list shown = {0};
    kv_buf tics = {0};
    for (size_t w = 0; w < r->workloads.count; w++) {
        const char *workload = r->workloads.names[w];
        if (cmp_rundir_group(r, workload) != group) continue;
        if (!add_row(r, workload, row + 1, f, all, &shown)) continue;
        row++;
        cmp_append(&tics, row > 1 ? ", " : "");
        cmp_quoted_tic(&tics, short_name(r, workload));
        kv_buf_printf(&tics, " %zu", row);
    }
    if (row > 0) {
        cmp_list_add(&all->panels, panel_title(r, group));
        kv_buf_printf(&all->tics, "    if (p == %zu) { set ytics (%.*s) }\n",
                      all->panels.count, (int)tics.len, (char *)tics.data);
        if (row > all->most) all->most = row;
        kv_buf_printf(&all->heights, "%s%zu", all->heights.len > 0 ? ", " : "",
                      row);
        add_key(all, &shown);
    }
    cmp_list_free(&shown);
    kv_buf_free(&tics);
}

static void draw(const cmp_rundir *r, cmp_figure *f, const rows *all)
{
    cmp_layout layout = {.panel_height = 110 + 26 * (int)all->most,
                         .pad_left = 96,
                         .pad_right = 20,
                         .pad_bottom = 54};
    cmp_script_begin(f, layout, &all->panels);
    cmp_script_engines(f, r, &all->engines);
    cmp_append(&f->script, "\n");
    cmp_script_log_axis(f, all->min, all->max, cmp_si);
    cmp_append(
        &f->script,
        "set xlabel 'operations per second' offset 0, 0.4 tc rgb '#444444'\n"
        "# A value of the row if it is of this panel and engine.\n"
        "mine(p, i, v) = strcol(1) eq Panel[p] && "
        "strcol(4) eq Engine[i] ? v : NaN\n"
        "# The key: the engines of the panel side by side above row 1.\n"
        "key_columns = narrow ? 3 : 5\n"
        "key_rows(p) = (words(Shown[p]) + key_columns - 1) / key_columns\n"
        "key_x(k) = low * (high / low) ** "
        "(((k - 1) % key_columns + 0.1) / key_columns)\n"
        "key_y(p, k) = (k - 1) / key_columns - key_rows(p) + 0.8\n");
    kv_buf_printf(&f->script,
                  "array Shown[%zu] = [%.*s]\narray Rows[%zu] = [%.*s]\n"
                  "high_as(p) = Rows[p] + 0.4 + key_rows(p)\n"
                  "most = 0\ndo for [p = 1:panels] "
                  "{ if (high_as(p) > most) { most = high_as(p) } }\n\n",
                  all->panels.count, (int)all->keys.len, (char *)all->keys.data,
                  all->panels.count, (int)all->heights.len,
                  (char *)all->heights.data);
    cmp_append(&f->script, "do for [p = 1:panels] {\n    @new_panel\n"
                           "    set bmargin at screen "
                           "top(p) - (top(p) - bottom(p)) * high_as(p) / most\n"
                           "    set yrange [Rows[p] + 0.6:0.2 - key_rows(p)]"
                           "\n");
    kv_buf_append(&f->script, kv_buf_slice(&all->tics));
    cmp_append(&f->script,
               "    do for [k = 1:words(Shown[p])] {\n"
               "        i = int(word(Shown[p], k))\n"
               "        set label 10 + k Engine[i] at key_x(k), key_y(p, k) "
               "left offset 0.9, -0.1 point lt Linetype[i]\n"
               "    }\n"
               "    plot for [i = 1:|Engine|] data skip 1 "
               "using (mine(p, i, $5)):3:6:7 with xerrorbars lt Linetype[i]\n"
               "}\nunset multiplot\n");
}

// Which engine led in how many workloads, among all that took part.
static void say(const cmp_rundir *r, cmp_figure *f, const rows *all)
{
    for (size_t e = 0; e < all->engines.count; e++) {
        const char *engine = all->engines.names[e];
        cmp_number low, high;
        double min = INFINITY, max = 0;
        const char *slowest = "", *fastest = "";
        for (size_t w = 0; w < r->workloads.count; w++) {
            const char *workload = r->workloads.names[w];
            cmp_spread s = cmp_rundir_spread(r, engine, workload, measure);
            if (s.count == 0 || s.min <= 0) continue;
            if (s.median < min) min = s.median, slowest = workload;
            if (s.median > max) max = s.median, fastest = workload;
        }
        kv_buf_printf(&f->measured,
                      "%s: %s (%s) to %s (%s) operations a second.\n", engine,
                      cmp_si(&low, min), slowest, cmp_si(&high, max), fastest);
    }
}

void cmp_chart_throughput(const cmp_rundir *r, cmp_figure *f)
{
    rows all = {.min = INFINITY};
    cmp_append(&f->data, "data\tworkload\trow\tengine\tmedian\tmin\tmax\t"
                         "repetitions\n");
    for (size_t g = 0; g < r->groups.count; g++) add_panel(r, g, f, &all);
    if (all.panels.count > 0) draw(r, f, &all);
    say(r, f, &all);
    cmp_list_free(&all.panels);
    cmp_list_free(&all.engines);
    kv_buf_free(&all.tics);
    kv_buf_free(&all.heights);
    kv_buf_free(&all.keys);
}
