// chart.c -- see chart.h.
// SPDX-License-Identifier: MIT

#include "compare/charts/chart.h"

#include <assert.h>
#include <math.h>

#include "common/mem.h"

#include "compare/report/palette.h"
#include "compare/report/text.h"

void cmp_figure_make(const cmp_chart *chart, const cmp_rundir *r,
                     cmp_figure *out)
{
    *out = (cmp_figure){.chart = chart};
    chart->make(r, out);
}

void cmp_figure_free(cmp_figure *f)
{
    kv_buf_free(&f->data);
    kv_buf_free(&f->script);
    kv_buf_free(&f->twin);
    kv_buf_free(&f->measured);
}

// ---- scripts ----------------------------------------------------------------

static void script_text(cmp_figure *f, const char *name, const char *text)
{
    kv_buf_printf(&f->script, "%s = ", name);
    cmp_quoted(&f->script, text);
    cmp_append(&f->script, "\n");
}

static void script_pixels(cmp_figure *f, const char *name, const int *pixels,
                          size_t count)
{
    kv_buf_printf(&f->script, "array %s[%zu] = [", name, count);
    for (size_t i = 0; i < count; i++) {
        kv_buf_printf(&f->script, "%s%d", i > 0 ? ", " : "",
                      pixels != NULL ? pixels[i] : 0);
    }
    cmp_append(&f->script, "]\n");
}

void cmp_script_begin(cmp_figure *f, cmp_layout layout, const cmp_list *panels)
{
    const cmp_chart *c = f->chart;
    assert(panels->count > 0);
    f->panels = panels->count;
    kv_buf_printf(&f->script,
                  "# %s.gp -- draws %s.tsv; again with: gnuplot %s.gp\n",
                  c->name, c->name, c->name);
    script_text(f, "name", c->name);
    script_text(f, "title", c->title);
    script_text(f, "subtitle", c->subtitle);
    script_pixels(f, "Key", layout.key, panels->count);
    script_pixels(f, "Taller", layout.taller, panels->count);
    kv_buf_printf(&f->script,
                  "panels = %zu\npanel_height = %d\npad_left = %d\n"
                  "pad_right = %d\npad_bottom = %d\nload 'style.gp'\ndata = "
                  "name . '.tsv'\n\n",
                  panels->count, layout.panel_height, layout.pad_left,
                  layout.pad_right,
                  layout.pad_bottom > 0 ? layout.pad_bottom : 36);
    cmp_script_array(f, "Panel", panels);
}

void cmp_script_array(cmp_figure *f, const char *name, const cmp_list *texts)
{
    assert(texts->count > 0);
    kv_buf_printf(&f->script, "array %s[%zu] = [", name, texts->count);
    for (size_t i = 0; i < texts->count; i++) {
        if (i > 0) cmp_append(&f->script, ", ");
        cmp_quoted(&f->script, texts->names[i]);
    }
    cmp_append(&f->script, "]\n");
}

void cmp_script_engines(cmp_figure *f, const cmp_rundir *r,
                        const cmp_list *engines)
{
    cmp_script_array(f, "Engine", engines);
    kv_buf_printf(&f->script, "array Linetype[%zu] = [", engines->count);
    for (size_t i = 0; i < engines->count; i++) {
        cmp_look look = cmp_look_of(r, engines->names[i]);
        kv_buf_printf(&f->script, "%s%d", i > 0 ? ", " : "", look.linetype);
    }
    cmp_append(&f->script, "]\n");
}

static void write_rows(kv_buf *to, const cmp_list *names)
{
    cmp_append(to, "set ytics scale 0 (");
    for (size_t i = 0; i < names->count; i++) {
        cmp_append(to, i > 0 ? ", " : "");
        cmp_quoted_tic(to, names->names[i]);
        kv_buf_printf(to, " %zu", i + 1);
    }
    cmp_append(to, ")");
}

void cmp_script_rows(cmp_figure *f, const cmp_list *names)
{
    write_rows(&f->script, names);
    cmp_append(&f->script, "\n");
}

void cmp_panel_rows_add(cmp_panel_rows *rows, const cmp_list *names,
                        int pixels_each)
{
    rows->heights =
        kv_realloc(rows->heights, (rows->panels + 1) * sizeof *rows->heights);
    rows->heights[rows->panels++] = pixels_each * (int)names->count;
    kv_buf_printf(&rows->script, "    if (p == %zu) { set yrange [%zu.6:0.4]; ",
                  rows->panels, names->count);
    write_rows(&rows->script, names);
    cmp_append(&rows->script, " }\n");
}

void cmp_panel_rows_free(cmp_panel_rows *rows)
{
    kv_buf_free(&rows->script);
    kv_free(rows->heights);
    *rows = (cmp_panel_rows){0};
}

void cmp_script_choose(cmp_figure *f, const cmp_list *titles,
                       const double *rank, size_t most, cmp_list *out)
{
    for (size_t i = 0; i < titles->count; i++) {
        size_t above = 0; // how many are drawn rather than this one
        for (size_t k = 0; k < titles->count; k++) {
            above += rank[k] > rank[i] || (rank[k] >= rank[i] && k < i);
        }
        if (above < most) cmp_list_add(out, titles->names[i]);
    }
    if (titles->count <= most) return;
    kv_buf_printf(&f->measured,
                  "%zu more panels are in the table below and "
                  "in %s.tsv, not in the picture.\n",
                  titles->count - most, f->chart->name);
}

// ---- data -------------------------------------------------------------------

void cmp_cell(kv_buf *to, const char *text, char end)
{
    cmp_plain(to, text);
    kv_buf_append(to, kv_slice_of(&end, 1));
}

void cmp_cell_number(kv_buf *to, double value, char end)
{
    if (isnan(value)) {
        cmp_append(to, "NA");
    } else {
        kv_buf_printf(to, "%.6g", value);
    }
    kv_buf_append(to, kv_slice_of(&end, 1));
}

// ---- drawing ----------------------------------------------------------------

// The places of the values from the smallest up; the caller frees them.
static size_t *in_order(const double *values, size_t count)
{
    size_t *order = kv_alloc((count + 1) * sizeof *order);
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && values[order[at - 1]] > values[i]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    return order;
}

void cmp_spread_out(double *values, size_t count, double gap)
{
    // Values closer than the gap form a block around their mean; blocks that
    // then touch become one. With a handful of labels, doing this n times
    // from the smallest up is enough.
    size_t *order = in_order(values, count);
    for (size_t pass = 0; pass < 8 * count; pass++) {
        for (size_t i = 0; i + 1 < count; i++) {
            double *low = &values[order[i]], *high = &values[order[i + 1]];
            double lack = gap - (*high - *low);
            if (lack <= 0) continue;
            *low -= lack / 2;
            *high += lack / 2;
        }
    }
    kv_free(order);
}

void cmp_spread_above(double *values, size_t count, double gap, double low)
{
    cmp_spread_out(values, count, gap);
    size_t *order = in_order(values, count);
    for (size_t i = 0; i < count; i++) {
        double *value = &values[order[i]];
        if (*value < low) *value = low;
        low = *value + gap;
    }
    kv_free(order);
}

// Of a letter and of half a point, in a panel as wide as the narrowest.
static const double letter = 0.023, aside = 0.03;

cmp_name cmp_name_above(const char *text, double x, double y)
{
    return (cmp_name){x, y + 0.06, letter * (double)strlen(text), x, y};
}

cmp_name cmp_name_beside(const char *text, double x, double y)
{
    double length = letter * (double)strlen(text);
    double shift = length / 2 + aside;
    return (cmp_name){x > 0.6 ? x - shift : x + shift, y, length, x, y};
}

// Whether a name would lie on none of those placed before it, nor on a point.
static bool is_free(const cmp_name *names, const size_t *order, size_t index,
                    size_t count, double gap)
{
    const cmp_name *n = &names[order[index]];
    for (size_t k = 0; k < count; k++) {
        const cmp_name *o = &names[order[k]];
        bool is_on_name = k < index &&
                          fabs(o->x - n->x) < (o->length + n->length) / 2 &&
                          fabs(o->y - n->y) < 0.99 * gap;
        bool is_on_point =
            fabs(o->point_x - n->x) < n->length / 2 + aside / 2 &&
            fabs(o->point_y - n->y) < 0.6 * gap;
        if (is_on_name || is_on_point) return false;
    }
    return true;
}

void cmp_place_names(cmp_name *names, size_t count, double gap, double low)
{
    enum { STEPS = 40 };
    double *wish = kv_alloc((count + 1) * sizeof *wish);
    for (size_t i = 0; i < count; i++) wish[i] = fmax(names[i].y, low);
    size_t *order = in_order(wish, count);
    for (size_t i = 0; i < count; i++) {
        cmp_name *n = &names[order[i]];
        bool is_placed = false;
        // Half a line up, half a line down, a line up ..
        for (int step = 0; step < STEPS && !is_placed; step++) {
            double off = (step + 1) / 2 * gap / 2;
            n->y = wish[order[i]] + (step % 2 == 1 ? off : -off);
            is_placed = n->y >= low && n->y <= 1 &&
                        is_free(names, order, i, count, gap);
        }
        if (!is_placed) n->y = wish[order[i]];
    }
    kv_free(order);
    kv_free(wish);
}
