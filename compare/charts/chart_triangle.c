// chart_triangle.c -- reading over writing, space beside each name: a point
// per engine.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdio.h>

#include "compare/charts/axis.h"
#include "compare/report/palette.h"
#include "compare/report/text.h"

static const char writing[] = "overwrite", reading[] = "read-random";

enum { ENGINES_MAX = 32, HEIGHT = 360 };

typedef struct place {
    const char *engine;
    double wa, ra, space;
} place;

static double median(const cmp_rundir *r, const char *engine,
                     const char *workload, const char *measure)
{
    cmp_spread s = cmp_rundir_spread(r, engine, workload, measure);
    return s.count > 0 ? s.median : NAN;
}

static size_t find_places(const cmp_rundir *r, place *places)
{
    size_t count = 0;
    for (size_t e = 0; e < r->engines.count && count < ENGINES_MAX; e++) {
        const char *engine = r->engines.names[e];
        if (cmp_rundir_origin(r, engine) == CMP_FROM_NOTHING) continue;
        place p = {engine, median(r, engine, writing, "wa_total"),
                   median(r, engine, reading, "ra_io_hit"),
                   median(r, engine, writing, "sa_peak")};
        if (isnan(p.wa) || isnan(p.ra)) continue;
        places[count++] = p;
    }
    return count;
}

static const char *name_of(const place *p, char *text, size_t size)
{
    cmp_number n;
    snprintf(text, size, "%s, space %s", p->engine,
             isnan(p->space) ? "n/a" : cmp_ratio(&n, p->space));
    return text;
}

static void script_names(cmp_figure *f, const place *places, size_t count,
                         const cmp_axis *x, const cmp_axis *y)
{
    cmp_name at[ENGINES_MAX];
    for (size_t i = 0; i < count; i++) {
        char text[96];
        at[i] = cmp_name_beside(name_of(&places[i], text, sizeof text),
                                cmp_axis_place(x, places[i].wa),
                                cmp_axis_place(y, places[i].ra));
    }
    cmp_place_names(at, count, 16.0 / (HEIGHT - 106), 0.05);
    for (size_t i = 0; i < count; i++) {
        char text[96];
        int side = at[i].x < at[i].point_x ? -1 : 1;
        kv_buf_printf(&f->script, "set label %zu ", 10 + i);
        cmp_quoted(&f->script, name_of(&places[i], text, sizeof text));
        kv_buf_printf(&f->script,
                      " at first %.9g, graph %.3f %s offset %d.4, 0.2 font "
                      "',11' tc rgb '#222222'\n",
                      places[i].wa, at[i].y, side < 0 ? "right" : "left", side);
    }
}

static void draw(const cmp_rundir *r, cmp_figure *f, const place *places,
                 size_t count)
{
    cmp_layout layout = {.panel_height = HEIGHT,
                         .pad_left = 58,
                         .pad_right = 24,
                         .pad_bottom = 54};
    cmp_list panels = {0};
    cmp_axis x = cmp_axis_empty, y = cmp_axis_empty;
    for (size_t i = 0; i < count; i++) {
        cmp_axis_take(&x, places[i].wa);
        cmp_axis_take(&y, places[i].ra);
    }
    x.is_log = cmp_axis_span(&x) > 3;
    y.is_log = cmp_axis_span(&y) > 3;
    cmp_list_add(&panels, "reads per found key");
    cmp_script_begin(f, layout, &panels);
    cmp_append(&f->script, "p = 1\n@new_panel\nset xlabel 'bytes written / "
                           "bytes given' offset 0, 0.4 tc rgb '#444444'\n");
    cmp_axis_script(f, 'x', &x);
    cmp_axis_script(f, 'y', &y);
    script_names(f, places, count, &x, &y);
    for (size_t i = 0; i < count; i++) {
        kv_buf_printf(&f->script,
                      "%sdata skip %zu every ::0::0 using 2:3 with points "
                      "lt %d ps 1.6",
                      i == 0 ? "plot " : ", \\\n     ", i + 1,
                      cmp_look_of(r, places[i].engine).linetype);
    }
    cmp_append(&f->script, "\nunset multiplot\n");
    cmp_list_free(&panels);
}

// The best at each of the three, and whether one engine is best at all.
static void say(cmp_figure *f, const place *places, size_t count)
{
    size_t wa = 0, ra = 0, space = 0;
    for (size_t i = 1; i < count; i++) {
        if (places[i].wa < places[wa].wa) wa = i;
        if (places[i].ra < places[ra].ra) ra = i;
        if (places[i].space < places[space].space) space = i;
    }
    cmp_number a, b, c;
    kv_buf_printf(&f->measured,
                  "Least written: %s (%s). Least read: %s (%s). Least space: "
                  "%s (%s).\n%s\n",
                  places[wa].engine, cmp_ratio(&a, places[wa].wa),
                  places[ra].engine, cmp_ratio(&b, places[ra].ra),
                  places[space].engine, cmp_ratio(&c, places[space].space),
                  wa == ra && ra == space
                      ? "One engine is best at all three here."
                      : "No engine is best at all three.");
}

void cmp_chart_triangle(const cmp_rundir *r, cmp_figure *f)
{
    place places[ENGINES_MAX];
    size_t count = find_places(r, places);
    cmp_append(&f->data, "engine\twritten\treads\tspace\n");
    for (size_t i = 0; i < count; i++) {
        cmp_cell(&f->data, places[i].engine, '\t');
        cmp_cell_number(&f->data, places[i].wa, '\t');
        cmp_cell_number(&f->data, places[i].ra, '\t');
        cmp_cell_number(&f->data, places[i].space, '\n');
    }
    if (count < 2) return; // a trade-off needs two
    draw(r, f, places, count);
    say(f, places, count);
}
