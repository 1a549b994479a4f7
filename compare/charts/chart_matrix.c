// chart_matrix.c -- crashes: a row per way of writing, a column per kind of
// page, in each field the share of crashes that broke the store.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdio.h>

#include "compare/charts/axis.h"
#include "compare/report/text.h"

// Columns of points.tsv and claims.tsv.
enum { POINT_CLAIM, POINT_SERIES, POINT_X, POINT_Y };
enum { CLAIM_ID, CLAIM_VERDICT, CLAIM_TEXT, CLAIM_X = 6 };

typedef struct matrix {
    cmp_list rows, columns;
    double most;   // the largest share
    kv_buf broken; // "no log (6.1 %, 15.6 %)", and those that never
    kv_buf whole;
} matrix;

static double number(const cmp_rundir *r, size_t row, size_t column)
{
    double value = NAN;
    if (cmp_sheet_number(&r->points, row, column, &value) != KV_OK) return NAN;
    return value;
}

// "pages whole, pages torn": the claim's x axis names the columns.
static void name_columns(matrix *m, const char *names)
{
    for (const char *at = names; *at != '\0';) {
        char name[64];
        size_t len = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)len, at);
        cmp_list_add(&m->columns, name);
        at += len + strspn(at + len, ", ");
    }
}

static const char *percent(cmp_number *n, double share)
{
    snprintf(n->text, sizeof n->text, "%.3g %%", share * 100);
    return n->text;
}

static void add_field(const cmp_rundir *r, cmp_figure *f, matrix *m, size_t row)
{
    cmp_number n;
    const char *way = cmp_sheet_cell(&r->points, row, POINT_SERIES);
    double x = number(r, row, POINT_X), share = number(r, row, POINT_Y);
    if (!(x >= 0) || x >= (double)m->columns.count || isnan(share)) return;
    cmp_list_add(&m->rows, way);
    m->most = fmax(m->most, share);
    size_t height = cmp_list_find(&m->rows, way) + 1;
    cmp_cell(&f->data, way, '\t');
    cmp_cell(&f->data, m->columns.names[(size_t)x], '\t');
    cmp_cell_number(&f->data, x, '\t');
    cmp_cell_number(&f->data, (double)height, '\t');
    cmp_cell_number(&f->data, share, '\t');
    cmp_cell(&f->data, percent(&n, share), '\n');
}

// One way's shares in words, among the broken or the whole.
static void tell_row(const cmp_rundir *r, matrix *m, const char *claim,
                     const char *way)
{
    kv_buf shares = {0};
    bool is_broken = false;
    for (size_t row = 0; row < r->points.rows; row++) {
        if (strcmp(cmp_sheet_cell(&r->points, row, POINT_CLAIM), claim) != 0 ||
            strcmp(cmp_sheet_cell(&r->points, row, POINT_SERIES), way) != 0) {
            continue;
        }
        cmp_number n;
        double share = number(r, row, POINT_Y);
        is_broken = is_broken || share > 0;
        kv_buf_printf(&shares, "%s%s", shares.len > 0 ? ", " : "",
                      percent(&n, share));
    }
    kv_buf *to = is_broken ? &m->broken : &m->whole;
    kv_buf_printf(to, "%s%s", to->len > 0 ? "; " : "", way);
    if (is_broken) {
        kv_buf_printf(to, " (%.*s)", (int)shares.len, (char *)shares.data);
    }
    kv_buf_free(&shares);
}

static void draw(cmp_figure *f, const matrix *m)
{
    cmp_layout layout = {.panel_height = 70 + 30 * (int)m->rows.count,
                         .pad_left = 140,
                         .pad_right = 12,
                         .pad_bottom = 30};
    cmp_list panels = {0};
    cmp_list_add(&panels, "share that broke");
    cmp_script_begin(f, layout, &panels);
    cmp_append(&f->script, "p = 1\n@new_panel\nunset grid\nset border 0\n"
                           "set xtics scale 0 (");
    for (size_t i = 0; i < m->columns.count; i++) {
        cmp_append(&f->script, i > 0 ? ", " : "");
        cmp_quoted_tic(&f->script, m->columns.names[i]);
        kv_buf_printf(&f->script, " %zu", i);
    }
    cmp_append(&f->script, ")\n");
    cmp_script_rows(f, &m->rows);
    kv_buf_printf(&f->script,
                  "set xrange [-0.5:%zu.5]\nset yrange [%zu.5:0.5]\n"
                  "# White where nothing broke, else the redder the more.\n"
                  "most = %g\npale(s) = s > 0 ? 0.75 - 0.6 * s / most : 1\n"
                  "mix(c, s) = int(c + (255 - c) * pale(s))\n"
                  "colour(s) = 65536 * mix(213, s) + 256 * mix(94, s) + "
                  "mix(0, s)\n",
                  m->columns.count - 1, m->rows.count,
                  m->most > 0 ? m->most : 1);
    cmp_append(&f->script,
               "plot data skip 1 using 3:4:(0.48):(0.42):(colour($5)) with "
               "boxxyerror fs solid border lc rgb '#999999' fc rgb variable, "
               "\\\n"
               "     data skip 1 using 3:4:6 with labels font ',12' "
               "tc rgb '#000000'\nunset multiplot\n");
    cmp_list_free(&panels);
}

static void say(const cmp_rundir *r, cmp_figure *f, matrix *m, size_t claim)
{
    const char *id = cmp_sheet_cell(&r->claims, claim, CLAIM_ID);
    for (size_t i = 0; i < m->rows.count; i++) {
        tell_row(r, m, id, m->rows.names[i]);
    }
    kv_buf_printf(&f->measured, "%s %s: %s\n", id,
                  cmp_sheet_cell(&r->claims, claim, CLAIM_VERDICT),
                  cmp_sheet_cell(&r->claims, claim, CLAIM_TEXT));
    if (m->broken.len > 0) {
        kv_buf_printf(&f->measured, "Broken by some crashes: %.*s.\n",
                      (int)m->broken.len, (char *)m->broken.data);
    }
    if (m->whole.len > 0) {
        kv_buf_printf(&f->measured, "Broken by none: %.*s.\n",
                      (int)m->whole.len, (char *)m->whole.data);
    }
}

void cmp_chart_matrix(const cmp_rundir *r, cmp_figure *f)
{
    matrix m = {0};
    cmp_append(&f->data, "way\tpages\tcolumn\trow\tbroken\tlabel\n");
    size_t claim = 0;
    while (claim < r->claims.rows &&
           strcmp(cmp_sheet_cell(&r->claims, claim, CLAIM_ID),
                  f->chart->claims) != 0) {
        claim++;
    }
    if (claim == r->claims.rows) return;
    name_columns(&m, cmp_sheet_cell(&r->claims, claim, CLAIM_X));
    for (size_t row = 0; row < r->points.rows; row++) {
        const char *of = cmp_sheet_cell(&r->points, row, POINT_CLAIM);
        if (strcmp(of, f->chart->claims) == 0) add_field(r, f, &m, row);
    }
    if (m.rows.count > 0) {
        draw(f, &m);
        say(r, f, &m, claim);
    }
    cmp_list_free(&m.rows);
    cmp_list_free(&m.columns);
    kv_buf_free(&m.broken);
    kv_buf_free(&m.whole);
}
