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
    kv_buf_printf(&f->script, "array Key[%zu] = [", panels->count);
    for (size_t i = 0; i < panels->count; i++) {
        kv_buf_printf(&f->script, "%s%d", i > 0 ? ", " : "",
                      layout.key != NULL ? layout.key[i] : 0);
    }
    cmp_append(&f->script, "]\n");
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

void cmp_script_rows(cmp_figure *f, const cmp_list *names)
{
    cmp_append(&f->script, "set ytics scale 0 (");
    for (size_t i = 0; i < names->count; i++) {
        cmp_append(&f->script, i > 0 ? ", " : "");
        cmp_quoted_tic(&f->script, names->names[i]);
        kv_buf_printf(&f->script, " %zu", i + 1);
    }
    cmp_append(&f->script, ")\n");
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

void cmp_stack_names(const double *x, double *y, size_t count, double reach,
                     double gap, double low)
{
    size_t *order = in_order(y, count);
    for (size_t i = 0; i < count; i++) {
        double *at = &y[order[i]];
        if (*at < low) *at = low;
        for (size_t k = 0; k < i; k++) {
            bool is_beside = fabs(x[order[k]] - x[order[i]]) > reach;
            if (is_beside || *at > y[order[k]] + gap) continue;
            *at = y[order[k]] + gap;
        }
    }
    kv_free(order);
}
