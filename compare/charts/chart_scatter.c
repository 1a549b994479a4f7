// chart_scatter.c -- what was measured over what theory expects, for every
// point that has both.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "compare/charts/axis.h"
#include "compare/charts/looks.h"
#include "compare/report/text.h"

// Columns of points.tsv.
enum { CLAIM, SERIES, Y = 3, THEORY };

static const double band = 0.15;

// Engines as on every chart; what is none is grey.
static const struct kind {
    int linetype;
    const char *name;
} kinds[] = {{2, "log"},         {3, "sst"}, {4, "lsm, leveled"},
             {5, "lsm, tiered"}, {6, "bt"},  {7, "bt, copy-on-write"},
             {24, "others"}};
enum { KINDS = sizeof kinds / sizeof *kinds };

typedef struct scatter {
    cmp_list claims;
    cmp_axis both;
    size_t points, near;
    bool has[KINDS]; // a point of that kind: then it is in the key
    size_t far[64];  // of each claim: points outside the band
    double worst[64];
} scatter;

static bool read_pair(const cmp_rundir *r, size_t row, double *y,
                      double *theory)
{
    *y = *theory = NAN;
    if (cmp_sheet_number(&r->points, row, Y, y) != KV_OK) return false;
    if (cmp_sheet_number(&r->points, row, THEORY, theory) != KV_OK)
        return false;
    return *y > 0 && *theory > 0; // false for NAN
}

static size_t kind_of(const cmp_rundir *r, const char *series)
{
    char word[64];
    cmp_series_engine(series, word, sizeof word);
    int linetype = cmp_linetype_named(r, word);
    for (size_t k = 0; k < KINDS; k++) {
        if (kinds[k].linetype == linetype) return k;
    }
    return KINDS - 1;
}

// Times are no formula's; a window's figure is not the mean that one expects.
static bool is_left_out(const cmp_rundir *r, const char *claim)
{
    enum { CLAIM_ID, COUNTED = 8 };
    if (strcmp(claim, "S04") == 0) return true;
    for (size_t row = 0; row < r->claims.rows; row++) {
        const char *id = cmp_sheet_cell(&r->claims, row, CLAIM_ID);
        if (strcmp(id, claim) != 0) continue;
        return strcmp(cmp_sheet_cell(&r->claims, row, COUNTED), "1") != 0;
    }
    return false;
}

static void add_point(cmp_figure *f, scatter *s, const cmp_rundir *r,
                      size_t row)
{
    double y, theory;
    if (!read_pair(r, row, &y, &theory)) return;
    const char *claim = cmp_sheet_cell(&r->points, row, CLAIM);
    if (is_left_out(r, claim)) return;
    double off = y / theory - 1;
    cmp_list_add(&s->claims, claim);
    size_t index = cmp_list_find(&s->claims, claim);
    cmp_axis_take(&s->both, y);
    cmp_axis_take(&s->both, theory);
    s->points++;
    if (fabs(off) <= band) s->near++;
    else if (index < 64) {
        s->far[index]++;
        if (fabs(off) > fabs(s->worst[index])) s->worst[index] = off;
    }
    cmp_cell(&f->data, claim, '\t');
    cmp_cell(&f->data, cmp_sheet_cell(&r->points, row, SERIES), '\t');
    cmp_cell_number(&f->data, theory, '\t');
    cmp_cell_number(&f->data, y, '\t');
    const char *series = cmp_sheet_cell(&r->points, row, SERIES);
    size_t kind = kind_of(r, series);
    s->has[kind] = true;
    cmp_cell_number(&f->data, (double)kind, '\n');
}

// The arrays Kind and Look, and the names in the upper left, of those that
// have a point.
static void script_key(cmp_figure *f, const scatter *s)
{
    kv_buf numbers = {0}, looks = {0}, names = {0};
    size_t count = 0;
    for (size_t k = 0; k < KINDS; k++) {
        if (!s->has[k]) continue;
        const char *comma = count++ > 0 ? ", " : "";
        kv_buf_printf(&numbers, "%s%zu", comma, k);
        kv_buf_printf(&looks, "%s%d", comma, kinds[k].linetype);
        kv_buf_printf(&names,
                      "set label %zu '%s' at graph 0.04, graph %.2f left "
                      "font ',11' tc rgb '#222222' point lt %d offset 1, 0\n",
                      10 + count, kinds[k].name, 1 - 0.05 * (double)count,
                      kinds[k].linetype);
    }
    kv_buf_printf(&f->script,
                  "array Kind[%zu] = [%.*s]\narray Look[%zu] = [%.*s]\n", count,
                  (int)numbers.len, (char *)numbers.data, count, (int)looks.len,
                  (char *)looks.data);
    kv_buf_append(&f->script, kv_buf_slice(&names));
    kv_buf_free(&numbers);
    kv_buf_free(&looks);
    kv_buf_free(&names);
}

static void draw(cmp_figure *f, scatter *s)
{
    cmp_layout layout = {
        .panel_height = 420, .pad_left = 58, .pad_right = 24, .pad_bottom = 54};
    cmp_list panels = {0};
    cmp_axis x = s->both, y = s->both;
    x.is_log = y.is_log = true;
    cmp_list_add(&panels, "measured");
    cmp_script_begin(f, layout, &panels);
    cmp_append(&f->script, "p = 1\n@new_panel\nset xlabel 'expected by theory' "
                           "offset 0, 0.4 tc rgb '#444444'\n");
    cmp_axis_script(f, 'x', &x);
    cmp_axis_script(f, 'y', &y);
    script_key(f, s);
    // Claims stand beside the points far off.
    kv_buf_printf(&f->script,
                  "is_far(y, t) = abs(log(y / t)) > log(2)\n"
                  "set samples 100\n"
                  "plot '+' using 1:($1 * %g):($1 * %g) with filledcurves "
                  "fc rgb '#e8e8e8', \\\n"
                  "     x with lines lt 8, \\\n"
                  "     for [k = 1:|Kind|] data skip 1 using "
                  "($5 == Kind[k] ? $3 : NaN):4 with points lt Look[k], \\\n"
                  "     data skip 1 using (is_far($4, $3) ? $3 : NaN):4:1 "
                  "with labels right offset -0.8, 0 font ',10' "
                  "tc rgb '#222222'\nunset multiplot\n",
                  1 - band, 1 + band);
    cmp_list_free(&panels);
}

static void say(cmp_figure *f, const scatter *s)
{
    kv_buf_printf(&f->measured,
                  "%zu of %zu figures are within %g %% of their formulas.\n",
                  s->near, s->points, band * 100);
    for (size_t i = 0; i < s->claims.count && i < 64; i++) {
        if (s->far[i] == 0) continue;
        kv_buf_printf(&f->measured, "%s: %zu outside, at worst %+.0f %%.\n",
                      s->claims.names[i], s->far[i], s->worst[i] * 100);
    }
}

void cmp_chart_scatter(const cmp_rundir *r, cmp_figure *f)
{
    scatter s = {.both = cmp_axis_empty};
    cmp_append(&f->data, "claim\tseries\texpected\tmeasured\tkind\n");
    for (size_t row = 0; row < r->points.rows; row++) add_point(f, &s, r, row);
    if (s.points > 0) {
        draw(f, &s);
        say(f, &s);
    }
    cmp_list_free(&s.claims);
}
