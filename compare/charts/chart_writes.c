// chart_writes.c -- write amplification: a panel per workload, a bar per
// engine, its parts by the reason of the write.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdio.h>

#include "compare/charts/axis.h"
#include "compare/report/palette.h"
#include "compare/report/text.h"

// In the order of the parts of a bar; the lighter, the further from the user.
static const struct reason {
    const char *measure, *word;
    double lightness;
} reasons[] = {
    {"wa_wal", "wal", 0.35},        {"wa_data", "data", 0},
    {"wa_flush", "flush", 0.15},    {"wa_page", "page", 0},
    {"wa_page_copy", "copy", 0.35}, {"wa_compact", "merge", 0.55},
    {"wa_meta", "meta", 0.8},
};
enum { REASONS = sizeof reasons / sizeof *reasons };
static const double unknown_lightness = 0.9;

typedef struct bars {
    cmp_list panels, engines;
    cmp_list parts; // "engine reason", each with a colour of its own
    cmp_panel_rows rows;
    kv_buf ends, steps; // of each panel's axis
} bars;

static double total_of(const cmp_rundir *r, const char *engine,
                       const char *workload)
{
    cmp_spread s = cmp_rundir_spread(r, engine, workload, "wa_total");
    return s.count > 0 ? s.median : NAN;
}

static void add_part(cmp_figure *f, bars *all, const char *const names[2],
                     size_t row, const char *reason, double low, double high)
{
    char part[128];
    snprintf(part, sizeof part, "%s %s", names[1], reason);
    cmp_list_add(&all->parts, part);
    cmp_cell(&f->data, names[0], '\t');
    cmp_cell(&f->data, names[1], '\t');
    cmp_cell_number(&f->data, (double)row, '\t');
    cmp_cell(&f->data, reason, '\t');
    cmp_cell_number(&f->data, low, '\t');
    cmp_cell_number(&f->data, high, '\t');
    cmp_append(&f->data, "NA\tNA\tNA\tNA\n");
}

// The bar from 0 to the total, part by part; what no reason claims is "all"
// when there are no reasons, "other" when they leave something over.
static void add_parts(const cmp_rundir *r, cmp_figure *f, bars *all,
                      const char *const names[2], size_t row, double total)
{
    double low = 0;
    for (size_t i = 0; i < REASONS; i++) {
        cmp_spread s =
            cmp_rundir_spread(r, names[1], names[0], reasons[i].measure);
        if (s.count == 0 || s.median <= 0) continue;
        add_part(f, all, names, row, reasons[i].word, low, low + s.median);
        low += s.median;
    }
    if (total - low > 0.005 * total) {
        add_part(f, all, names, row, low > 0 ? "other" : "all", low, total);
    }
}

// Where the bar's figure stands, and the figure; an unknown one stands at 0.
static void add_label(cmp_figure *f, cmp_spread s)
{
    cmp_number n;
    cmp_cell_number(&f->data, s.count > 0 ? s.max : 0, '\t');
    cmp_cell(&f->data, s.count > 0 ? cmp_ratio(&n, s.median) : "n/a", '\n');
}

static void add_bar(const cmp_rundir *r, cmp_figure *f, bars *all,
                    const char *workload, const char *engine, size_t row)
{
    const char *const names[2] = {workload, engine};
    cmp_spread s = cmp_rundir_spread(r, engine, workload, "wa_total");
    double total = s.count > 0 ? s.median : NAN;
    if (s.count > 0) add_parts(r, f, all, names, row, total);
    cmp_cell(&f->data, workload, '\t');
    cmp_cell(&f->data, engine, '\t');
    cmp_cell_number(&f->data, (double)row, '\t');
    cmp_cell(&f->data, "total", '\t');
    cmp_cell_number(&f->data, s.count > 0 ? 0 : NAN, '\t');
    cmp_cell_number(&f->data, total, '\t');
    cmp_cell_number(&f->data, s.count > 0 ? s.min : NAN, '\t');
    cmp_cell_number(&f->data, s.count > 0 ? s.max : NAN, '\t');
    add_label(f, s);
}

// A row for each engine that took part, and an axis as long as its bars: one
// that wrote much in one workload would press all others to the left.
static void add_panel(const cmp_rundir *r, cmp_figure *f, bars *all,
                      const char *workload)
{
    cmp_list rows = {0};
    double most = 1;
    for (size_t e = 0; e < all->engines.count; e++) {
        const char *engine = all->engines.names[e];
        if (!cmp_rundir_took_part(r, engine, workload)) continue;
        cmp_list_add(&rows, engine);
        add_bar(r, f, all, workload, engine, rows.count);
        cmp_spread s = cmp_rundir_spread(r, engine, workload, "wa_total");
        if (s.count > 0) most = fmax(most, s.max);
    }
    cmp_panel_rows_add(&all->rows, &rows, 28);
    cmp_list_free(&rows);
    double step = cmp_axis_step(most, 4);
    const char *comma = all->ends.len > 0 ? ", " : "";
    kv_buf_printf(&all->ends, "%s%g", comma, step * ceil(most / step));
    kv_buf_printf(&all->steps, "%s%g", comma, step);
}

// Engines that keep something on disk, and workloads in which one wrote.
static void find_rows(const cmp_rundir *r, bars *all)
{
    for (size_t e = 0; e < r->engines.count; e++) {
        const char *engine = r->engines.names[e];
        if (cmp_rundir_origin(r, engine) == CMP_FROM_NOTHING) continue;
        cmp_list_add(&all->engines, engine);
    }
    for (size_t w = 0; w < r->workloads.count; w++) {
        const char *workload = r->workloads.names[w];
        for (size_t e = 0; e < all->engines.count; e++) {
            double total = total_of(r, all->engines.names[e], workload);
            if (total > 0) cmp_list_add(&all->panels, workload);
        }
    }
}

// ---- the script -------------------------------------------------------------

// The arrays Part, Fill, Edge and Ink: how each part of each engine looks.
static void script_parts(cmp_figure *f, const cmp_rundir *r, const bars *all)
{
    kv_buf edges = {0}, colours = {0}, inks = {0};
    for (size_t i = 0; i < all->parts.count; i++) {
        const char *part = all->parts.names[i];
        const char *reason = strrchr(part, ' ') + 1;
        char engine[128], fill[8];
        snprintf(engine, sizeof engine, "%.*s", (int)(reason - 1 - part), part);
        cmp_look look = cmp_look_of(r, engine);
        double lightness = unknown_lightness;
        for (size_t k = 0; k < REASONS; k++) {
            if (strcmp(reasons[k].word, reason) == 0) {
                lightness = reasons[k].lightness;
            }
        }
        cmp_look_tint(look, look.is_hollow ? 1 : lightness, fill);
        const char *comma = i > 0 ? ", " : "";
        kv_buf_printf(&colours, "%s'%s'", comma, fill);
        kv_buf_printf(&edges, "%s'%s'", comma,
                      look.is_hollow ? look.colour : "#FFFFFF");
        kv_buf_printf(&inks, "%s'%s'", comma, cmp_ink_on(fill));
    }
    cmp_script_array(f, "Part", &all->parts);
    kv_buf_printf(&f->script,
                  "array Fill[%zu] = [%.*s]\narray Edge[%zu] = [%.*s]\n"
                  "array Ink[%zu] = [%.*s]\n",
                  all->parts.count, (int)colours.len, (char *)colours.data,
                  all->parts.count, (int)edges.len, (char *)edges.data,
                  all->parts.count, (int)inks.len, (char *)inks.data);
    kv_buf_free(&colours);
    kv_buf_free(&edges);
    kv_buf_free(&inks);
}

// Names the parts in the line below the title: a narrow one has no room for
// its name.
static void script_key(cmp_figure *f, const bars *all)
{
    kv_buf key = {0};
    for (size_t k = 0; k < REASONS; k++) {
        for (size_t i = 0; i < all->parts.count; i++) {
            const char *word = strrchr(all->parts.names[i], ' ') + 1;
            if (strcmp(word, reasons[k].word) != 0) continue;
            kv_buf_printf(&key, "%s%s", key.len > 0 ? ", " : "", word);
            break;
        }
    }
    if (key.len > 0) {
        kv_buf_printf(&f->script,
                      "parts = 'parts from the left: %.*s'\n"
                      "subtitle = narrow ? parts : subtitle . '; ' . parts\n",
                      (int)key.len, (char *)key.data);
    }
    kv_buf_free(&key);
}

static void draw(const cmp_rundir *r, cmp_figure *f, const bars *all)
{
    cmp_layout layout = {.panel_height = 80,
                         .pad_left = 64,
                         .pad_right = 44,
                         .taller = all->rows.heights};
    cmp_script_begin(f, layout, &all->panels);
    cmp_script_engines(f, r, &all->engines);
    script_parts(f, r, all);
    script_key(f, all);
    kv_buf_printf(&f->script,
                  "\narray End[%zu] = [%.*s]\narray Step[%zu] = [%.*s]\n"
                  "set grid noytics\n"
                  "set arrow from 1, graph 0 to 1, graph 1 nohead back "
                  "lc rgb '#888888' lw 1   # perfect\n",
                  all->panels.count, (int)all->ends.len, (char *)all->ends.data,
                  all->panels.count, (int)all->steps.len,
                  (char *)all->steps.data);
    cmp_append(
        &f->script,
        "here(p, v) = strcol(1) eq Panel[p] ? v : NaN\n"
        "part(p, i, v) = strcol(2) . ' ' . strcol(4) eq Part[i] ? "
        "here(p, v) : NaN\n"
        "# A part's name, where the part is wide enough for it.\n"
        "wide(low, high) = high - low > 0.035 * end * strlen(strcol(4))\n"
        "total(p, v) = strcol(4) eq 'total' ? here(p, v) : NaN\n\n"
        "do for [p = 1:panels] {\n"
        "    @new_panel\n"
        "    end = End[p]\n    set xrange [0:end]\n"
        "    set xtics Step[p]\n");
    kv_buf_append(&f->script, kv_buf_slice(&all->rows.script));
    cmp_append(
        &f->script,
        "    plot for [i = 1:|Part|] data skip 1 "
        "using (part(p, i, $6)):3:5:6:($3 - 0.32):($3 + 0.32) \\\n"
        "             with boxxyerror lw 1 dt 1 fc rgb Fill[i] fs solid 1 "
        "border lc rgb Edge[i], \\\n"
        "         for [i = 1:|Part|] data skip 1 "
        "using (wide($5, $6) ? part(p, i, ($5 + $6) / 2) : NaN):3:4 \\\n"
        "             with labels font ',10' tc rgb Ink[i], \\\n"
        "         data skip 1 using (total(p, $6)):3:7:8 "
        "with xerrorbars pt 0 lc rgb '#444444' lw 1, \\\n"
        "         data skip 1 using (total(p, $9)):3:10 \\\n"
        "             with labels left offset 0.5, 0 font ',11' "
        "tc rgb '#111111'\n"
        "}\nunset multiplot\n");
}

// ---- the sentences ----------------------------------------------------------

static void say(const cmp_rundir *r, cmp_figure *f, const bars *all)
{
    for (size_t e = 0; e < all->engines.count; e++) {
        const char *engine = all->engines.names[e];
        double min = INFINITY, max = 0;
        const char *best = "", *worst = "";
        cmp_number low, high, merged;
        for (size_t p = 0; p < all->panels.count; p++) {
            double total = total_of(r, engine, all->panels.names[p]);
            if (total < min) min = total, best = all->panels.names[p];
            if (total > max) max = total, worst = all->panels.names[p];
        }
        if (max <= 0) continue;
        cmp_spread s = cmp_rundir_spread(r, engine, worst, "wa_compact");
        kv_buf_printf(&f->measured, "%s wrote each user byte %s times in %s",
                      engine, cmp_ratio(&low, min), best);
        if (max > min) {
            kv_buf_printf(&f->measured, " and %s times in %s",
                          cmp_ratio(&high, max), worst);
        }
        if (s.count > 0 && s.median > 0) {
            kv_buf_printf(&f->measured, ", %s of it by merging",
                          cmp_ratio(&merged, s.median));
        }
        cmp_append(&f->measured, ".\n");
    }
}

void cmp_chart_writes(const cmp_rundir *r, cmp_figure *f)
{
    bars all = {0};
    cmp_append(&f->data, "workload\tengine\trow\treason\tfrom\tto\tmin\tmax\t"
                         "label_at\tlabel\n");
    find_rows(r, &all);
    for (size_t p = 0; p < all.panels.count; p++) {
        add_panel(r, f, &all, all.panels.names[p]);
    }
    if (all.panels.count > 0) draw(r, f, &all);
    say(r, f, &all);
    cmp_list_free(&all.panels);
    cmp_list_free(&all.engines);
    cmp_list_free(&all.parts);
    cmp_panel_rows_free(&all.rows);
    kv_buf_free(&all.ends);
    kv_buf_free(&all.steps);
}
