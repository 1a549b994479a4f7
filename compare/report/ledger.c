// ledger.c -- see ledger.h.
// SPDX-License-Identifier: MIT

#include "compare/report/ledger.h"

#include <math.h>

#include "compare/report/text.h"

// Columns of claims.tsv and of checks.tsv.
enum { ID, VERDICT, TEXT, FIRST, SECOND, SETUP, RECORDS = 9, SEED };
enum { CLAIM, WHAT, MEASURED, RELATION, EXPECTED, HOLDS };

static void cell(const cmp_sheet *t, size_t row, size_t column, kv_buf *to)
{
    cmp_html(to, cmp_sheet_cell(t, row, column));
}

static void figure(const cmp_sheet *t, size_t row, size_t column, kv_buf *to)
{
    double value = NAN;
    if (cmp_sheet_number(t, row, column, &value) != KV_OK || isnan(value)) {
        cmp_append(to, "<td class=\"na\">n/a</td>");
        return;
    }
    kv_buf_printf(to, "<td data-v=\"%.9g\">%.4g</td>", value, value);
}

static void draw_checks(const cmp_rundir *r, const char *id, kv_buf *to)
{
    kv_buf_printf(to,
                  "<div class=\"wide\" role=\"region\" tabindex=\"0\" "
                  "aria-label=\"Checks of %s\">",
                  id);
    cmp_append(to, "<table><thead><tr><th scope=\"col\">what</th>"
                   "<th scope=\"col\">measured</th><th scope=\"col\">relation"
                   "</th><th scope=\"col\">expected</th><th scope=\"col\">"
                   "verdict</th></tr></thead><tbody>\n");
    for (size_t row = 0; row < r->checks.rows; row++) {
        if (strcmp(cmp_sheet_cell(&r->checks, row, CLAIM), id) != 0) continue;
        cmp_append(to, "<tr><td>");
        cell(&r->checks, row, WHAT, to);
        cmp_append(to, "</td>");
        figure(&r->checks, row, MEASURED, to);
        cmp_append(to, "<td>");
        cell(&r->checks, row, RELATION, to);
        cmp_append(to, "</td>");
        figure(&r->checks, row, EXPECTED, to);
        cmp_append(to, "<td>");
        cell(&r->checks, row, HOLDS, to);
        cmp_append(to, "</td></tr>\n");
    }
    cmp_append(to, "</tbody></table></div>\n");
}

static void draw_claim(const cmp_rundir *r, size_t row, kv_buf *to)
{
    const cmp_sheet *t = &r->claims;
    const char *id = cmp_sheet_cell(t, row, ID);
    cmp_append(to, "<details><summary><b>");
    cmp_html(to, id);
    cmp_append(to, "</b> ");
    cell(t, row, TEXT, to);
    cmp_append(to, " <b class=\"came-out ");
    cell(t, row, VERDICT, to);
    cmp_append(to, "\">");
    cell(t, row, VERDICT, to);
    cmp_append(to, "</b></summary>\n<p>");
    cell(t, row, SETUP, to);
    kv_buf_printf(to, " <small>%s records, seed %s. In the book: ",
                  cmp_sheet_cell(t, row, RECORDS),
                  cmp_sheet_cell(t, row, SEED));
    cell(t, row, FIRST, to);
    cmp_append(to, " (first edition); ");
    cell(t, row, SECOND, to);
    cmp_append(to, " (second).</small></p>\n");
    draw_checks(r, id, to);
    kv_buf_printf(to,
                  "<p class=\"files\"><code>compare claims %s</code></p>"
                  "</details>\n",
                  id);
}

// How many claims came out in each way; studies have no verdict.
static void draw_counts(const cmp_rundir *r, kv_buf *to)
{
    static const char *const verdicts[] = {
        "confirmed", "depends", "contradicted", "not tried", "failed"};
    const char *before = " Of the claims, ";
    for (size_t v = 0; v < sizeof verdicts / sizeof *verdicts; v++) {
        size_t count = 0;
        for (size_t row = 0; row < r->claims.rows; row++) {
            const char *verdict = cmp_sheet_cell(&r->claims, row, VERDICT);
            count += strcmp(verdict, verdicts[v]) == 0;
        }
        if (count == 0) continue;
        kv_buf_printf(to, "%s%zu %s", before, count, verdicts[v]);
        before = ", ";
    }
    if (*before == ',') cmp_append(to, ".");
}

void cmp_ledger_draw(const cmp_rundir *r, kv_buf *to)
{
    if (r->claims.rows == 0) return;
    cmp_append(to, "<section id=\"ledger\"><h2>The claims, one by one</h2>\n"
                   "<p>Each claim in our words, tried here; its verdict rests "
                   "on the checks below it.");
    draw_counts(r, to);
    cmp_append(to, "</p>\n");
    for (size_t row = 0; row < r->claims.rows; row++) draw_claim(r, row, to);
    cmp_append(to, "</section>\n");
}
