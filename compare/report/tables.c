// tables.c -- see tables.h.
// SPDX-License-Identifier: MIT

#include "compare/report/tables.h"

#include <stdio.h>
#include <stdlib.h>

#include "compare/measures.h"
#include "compare/report/palette.h"
#include "compare/report/text.h"

static const struct measure {
    const char *name, *unit, *definition;
} measures[] = {
#define X(name, unit, better, kind, definition) {name, unit, definition},
    CMP_MEASURE_LIST(X)
#undef X
};
enum { MEASURES = sizeof measures / sizeof *measures };

static const struct family {
    const char *title, *prefixes; // words
} families[] = {
    {"Speed", "ops_per_s drained_ cpu_ settle_ reopen_"},
    {"Latency", "latency_"},
    {"Write amplification", "wa_ debt"},
    {"Read amplification", "ra_"},
    {"Space amplification", "sa_ disk_"},
    {"Memory", "memory_ index_ rss_"},
};
enum { FAMILIES = sizeof families / sizeof *families };

static bool is_in_family(const char *prefixes, const char *name)
{
    while (*prefixes != '\0') {
        size_t len = strcspn(prefixes, " ");
        if (strncmp(name, prefixes, len) == 0) return true;
        prefixes += len;
        prefixes += strspn(prefixes, " ");
    }
    return false;
}

// Columns without a figure in any row would only push the others aside.
static bool has_figure(const cmp_rundir *r, const char *measure)
{
    for (size_t row = 0; row < r->measures.rows; row++) {
        if (strcmp(cmp_sheet_cell(&r->measures, row, 4), measure) == 0 &&
            strcmp(cmp_sheet_cell(&r->measures, row, 2), "run") == 0) {
            return true;
        }
    }
    return false;
}

static const char *in_unit(cmp_number *n, double value, const char *unit)
{
    if (strcmp(unit, "ns") == 0) return cmp_duration(n, value);
    if (strcmp(unit, "s") == 0) return cmp_duration(n, value * 1e9);
    if (strcmp(unit, "bytes") == 0) return cmp_bytes(n, value);
    if (strcmp(unit, "bytes/op") == 0) return cmp_bytes(n, value);
    if (strcmp(unit, "1/s") == 0) return cmp_si(n, value);
    return cmp_ratio(n, value);
}

static void open_table(const char *label, kv_buf *to)
{
    cmp_append(to, "<div class=\"wide\" role=\"region\" tabindex=\"0\" "
                   "aria-label=\"");
    cmp_html(to, label);
    cmp_append(to, "\"><table class=\"sortable\"><thead><tr>");
}

static void head(const char *text, const char *title, kv_buf *to)
{
    cmp_append(to, "<th scope=\"col\" title=\"");
    cmp_html(to, title);
    cmp_append(to, "\">");
    cmp_html(to, text);
    cmp_append(to, "</th>");
}

// ---- all measures -----------------------------------------------------------

static void draw_figure(cmp_spread s, const char *unit, kv_buf *to)
{
    cmp_number middle, low, high;
    if (s.count == 0) {
        cmp_append(to, "<td class=\"na\">n/a</td>");
        return;
    }
    kv_buf_printf(to, "<td data-v=\"%.9g\">%s", s.median,
                  in_unit(&middle, s.median, unit));
    if (s.count > 1 && s.max > s.min) {
        kv_buf_printf(to, "<br><small>%s\342\200\223%s</small>",
                      in_unit(&low, s.min, unit), in_unit(&high, s.max, unit));
    }
    cmp_append(to, "</td>");
}

static void draw_row(const cmp_rundir *r, const char *workload,
                     const char *engine, const bool *wanted, kv_buf *to)
{
    size_t start = to->len;
    bool any = false;
    cmp_append(to, "<tr><th scope=\"row\">");
    cmp_html(to, workload);
    cmp_append(to, "</th><td>");
    cmp_look_draw(cmp_look_of(r, engine), to);
    cmp_append(to, " ");
    cmp_html(to, engine);
    cmp_append(to, "</td>");
    for (size_t m = 0; m < MEASURES; m++) {
        if (!wanted[m]) continue;
        cmp_spread s = cmp_rundir_spread(r, engine, workload, measures[m].name);
        any = any || s.count > 0;
        draw_figure(s, measures[m].unit, to);
    }
    cmp_append(to, "</tr>\n");
    if (!any) to->len = start; // a row of n/a says nothing
}

static void draw_family(const cmp_rundir *r, const struct family *family,
                        kv_buf *to)
{
    bool wanted[MEASURES];
    size_t count = 0;
    for (size_t m = 0; m < MEASURES; m++) {
        wanted[m] = is_in_family(family->prefixes, measures[m].name) &&
                    has_figure(r, measures[m].name);
        count += wanted[m];
    }
    if (count == 0) return;
    kv_buf_printf(to, "<details><summary>%s</summary>\n<dl class=\"terms\">",
                  family->title);
    for (size_t m = 0; m < MEASURES; m++) {
        if (!wanted[m]) continue;
        kv_buf_printf(to, "<dt>%s</dt><dd>", measures[m].name);
        cmp_html(to, measures[m].definition);
        cmp_append(to, "</dd>");
    }
    cmp_append(to, "</dl>\n");
    open_table(family->title, to);
    head("workload", "", to);
    head("engine", "", to);
    for (size_t m = 0; m < MEASURES; m++) {
        if (wanted[m]) head(measures[m].name, measures[m].definition, to);
    }
    cmp_append(to, "</tr></thead><tbody>\n");
    for (size_t w = 0; w < r->workloads.count; w++) {
        for (size_t e = 0; e < r->engines.count; e++) {
            draw_row(r, r->workloads.names[w], r->engines.names[e], wanted, to);
        }
    }
    cmp_append(to, "</tbody></table></div></details>\n");
}

void cmp_tables_draw(const cmp_rundir *r, kv_buf *to)
{
    for (size_t i = 0; i < FAMILIES; i++) draw_family(r, &families[i], to);
}

// ---- any sheet --------------------------------------------------------------

static void draw_cell(const char *cell, kv_buf *to)
{
    char *end = NULL;
    double number = strtod(cell, &end);
    if (strcmp(cell, "NA") == 0) {
        cmp_append(to, "<td class=\"na\">n/a</td>");
    } else if (end != cell && *end == '\0') {
        kv_buf_printf(to, "<td data-v=\"%.9g\">", number);
        cmp_html(to, cell);
        cmp_append(to, "</td>");
    } else {
        cmp_append(to, "<td>");
        cmp_html(to, cell);
        cmp_append(to, "</td>");
    }
}

void cmp_table_draw(const cmp_sheet *sheet, const char *label, kv_buf *to)
{
    open_table(label, to);
    for (size_t i = 0; i < sheet->columns; i++) {
        head(cmp_sheet_column(sheet, i), "", to);
    }
    cmp_append(to, "</tr></thead><tbody>\n");
    for (size_t row = 0; row < sheet->rows; row++) {
        cmp_append(to, "<tr>");
        for (size_t i = 0; i < sheet->columns; i++) {
            draw_cell(cmp_sheet_cell(sheet, row, i), to);
        }
        cmp_append(to, "</tr>\n");
    }
    cmp_append(to, "</tbody></table></div>\n");
}

// ---- what is missing --------------------------------------------------------

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool is_absence(const char *reason)
{
    return begins_with(reason, "n/a:") || begins_with(reason, "absent:");
}

static void draw_reasons(const cmp_rundir *r, bool absences, kv_buf *to)
{
    cmp_append(to, "<ul class=\"reasons\">\n");
    for (size_t row = 0; row < r->voids.rows; row++) {
        const char *workload = cmp_sheet_cell(&r->voids, row, 1);
        const char *rep = cmp_sheet_cell(&r->voids, row, 2);
        const char *reason = cmp_sheet_cell(&r->voids, row, 3);
        if (is_absence(reason) != absences) continue;
        cmp_append(to, "<li><b>");
        cmp_html(to, cmp_sheet_cell(&r->voids, row, 0));
        cmp_append(to, "</b>");
        if (strcmp(workload, "*") != 0) {
            cmp_append(to, " in ");
            cmp_html(to, workload);
        }
        if (strcmp(rep, "NA") != 0) {
            cmp_append(to, ", repetition ");
            cmp_html(to, rep);
        }
        cmp_append(to, " \342\200\224 ");
        cmp_html(to, reason);
        cmp_append(to, "</li>\n");
    }
    cmp_append(to, "</ul>\n");
}

static size_t count_reasons(const cmp_rundir *r, bool absences)
{
    size_t count = 0;
    for (size_t row = 0; row < r->voids.rows; row++) {
        count += is_absence(cmp_sheet_cell(&r->voids, row, 3)) == absences;
    }
    return count;
}

size_t cmp_voids_count(const cmp_rundir *r) { return count_reasons(r, false); }

bool cmp_voids_draw(const cmp_rundir *r, kv_buf *to)
{
    if (cmp_voids_count(r) == 0) return false;
    draw_reasons(r, false, to);
    return true;
}

void cmp_absences_draw(const cmp_rundir *r, kv_buf *to)
{
    if (count_reasons(r, true) == 0) {
        cmp_append(to, "<p>Nothing: every engine ran every workload.</p>\n");
    } else {
        draw_reasons(r, true, to);
    }
}
