// chart_points.c -- points of claims and studies: a panel for each, a line per
// series, what theory expects in dots.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdio.h>

#include "common/mem.h"

#include "compare/charts/axis.h"
#include "compare/charts/looks.h"
#include "compare/report/text.h"

// Columns of points.tsv and claims.tsv.
enum { POINT_CLAIM, POINT_SERIES, POINT_X, POINT_Y, POINT_THEORY };
enum { CLAIM_ID, CLAIM_VERDICT, CLAIM_TEXT, CLAIM_X = 6, CLAIM_Y = 7 };

// What spans more is drawn on a log axis, if it can be: a straight line stays
// one when both are.
static const double wide_span = 3.9, wide_span_alone = 50;

// Names no longer than this stand at the ends of their lines, others in lines
// above the panel.
enum { SHORT_NAME = 11, KEY_LINE = 15 };
// So many points at even distances are a course of events; more than so many
// are drawn as a line only.
enum { COURSE = 10, CROWD = 32 };

typedef struct series {
    const char *name;
    size_t panel;
    size_t first, points; // rows of the table
    bool has_theory;
    double first_x, second_x, first_y, last_x, last_y;
    cmp_line_look look;
} series;

typedef struct panel {
    size_t claim; // row of claims.tsv
    cmp_axis x, y;
    size_t first, series; // of the list below
    bool is_course;       // one of them is a course of events
} panel;

typedef struct points {
    const cmp_rundir *run;
    panel *panels;
    series *of;
    size_t panel_count, count, rows;
    bool has_theory, has_long_names;
} points;

static const char *cell(const cmp_sheet *t, size_t row, size_t column)
{
    return cmp_sheet_cell(t, row, column);
}

static double number(const cmp_rundir *r, size_t row, size_t column)
{
    double value = NAN;
    // Read before, when the directory was.
    if (cmp_sheet_number(&r->points, row, column, &value) != KV_OK) return NAN;
    return value;
}

static bool is_of(const cmp_rundir *r, size_t row, const char *claim)
{
    return strcmp(cell(&r->points, row, POINT_CLAIM), claim) == 0;
}

// ---- data -------------------------------------------------------------------

static void add_row(points *all, panel *p, series *s, size_t row, cmp_figure *f)
{
    const cmp_rundir *r = all->run;
    double x = number(r, row, POINT_X), y = number(r, row, POINT_Y);
    double theory = number(r, row, POINT_THEORY);
    cmp_axis_take(&p->x, x);
    cmp_axis_take(&p->y, y);
    cmp_axis_take(&p->y, theory);
    if (!isnan(theory)) s->has_theory = all->has_theory = true;
    if (s->points == 0) s->first_x = x, s->first_y = y;
    if (s->points++ == 1) s->second_x = x;
    s->last_x = x, s->last_y = y;
    all->rows++;
    cmp_cell(&f->data, cell(&r->claims, p->claim, CLAIM_ID), '\t');
    cmp_cell(&f->data, s->name, '\t');
    cmp_cell_number(&f->data, x, '\t');
    cmp_cell_number(&f->data, y, '\t');
    cmp_cell_number(&f->data, theory, '\n');
}

// A log axis would press it to the right.
static bool is_course(const series *s)
{
    double step = (s->last_x - s->first_x) / (double)(s->points - 1);
    return s->points >= COURSE &&
           fabs(s->second_x - s->first_x - step) < 0.1 * step;
}

static void add_series(points *all, panel *p, const char *name,
                       cmp_line_look look, cmp_figure *f)
{
    const cmp_rundir *r = all->run;
    const char *claim = cell(&r->claims, p->claim, CLAIM_ID);
    all->of = kv_realloc(all->of, (all->count + 1) * sizeof *all->of);
    series *s = &all->of[all->count];
    *s = (series){.name = name,
                  .panel = all->panel_count,
                  .first = all->rows,
                  .look = look};
    for (size_t row = 0; row < r->points.rows; row++) {
        if (!is_of(r, row, claim)) continue;
        if (strcmp(cell(&r->points, row, POINT_SERIES), name) != 0) continue;
        add_row(all, p, s, row, f);
    }
    if (strlen(name) > SHORT_NAME && s->points > 1) all->has_long_names = true;
    p->is_course = p->is_course || is_course(s);
    all->count++;
    p->series++;
}

// The words of an axis if they are names of the places 0, 1, ..: one each.
static const char *names_of(const cmp_axis *x, const char *words)
{
    size_t count = 1;
    for (const char *at = words; (at = strstr(at, ", ")) != NULL; at += 2) {
        count++;
    }
    if (strcmp(words, "engine") == 0) return ""; // named by their points
    bool fits = x->min >= 0 && x->max < (double)count && count > 1;
    return fits ? words : NULL;
}

static void choose_axes(const cmp_figure *f, const cmp_rundir *r, panel *p)
{
    const char *axes = f->chart->log_axes;
    p->x.is_tight = true; // for the names at the ends of lines
    p->x.names = names_of(&p->x, cell(&r->claims, p->claim, CLAIM_X));
    if (axes != NULL) {
        p->x.is_log = strchr(axes, 'x') != NULL && p->x.min > 0;
        p->y.is_log = strchr(axes, 'y') != NULL && p->y.min > 0;
        return;
    }
    p->x.is_log = !p->is_course && cmp_axis_span(&p->x) > wide_span;
    p->y.is_log =
        cmp_axis_span(&p->y) > (p->x.is_log ? wide_span : wide_span_alone);
}

static void add_panel(points *all, size_t claim, cmp_figure *f)
{
    const cmp_rundir *r = all->run;
    const char *id = cell(&r->claims, claim, CLAIM_ID);
    cmp_list names = {0};
    for (size_t row = 0; row < r->points.rows; row++) {
        if (is_of(r, row, id)) {
            cmp_list_add(&names, cell(&r->points, row, POINT_SERIES));
        }
    }
    panel p = {.claim = claim,
               .x = cmp_axis_empty,
               .y = cmp_axis_empty,
               .first = all->count};
    for (size_t i = 0; i < names.count; i++) {
        // The list goes; the sheet's own text stays.
        size_t row = 0;
        while (!is_of(r, row, id) || strcmp(cell(&r->points, row, POINT_SERIES),
                                            names.names[i]) != 0) {
            row++;
        }
        add_series(all, &p, cell(&r->points, row, POINT_SERIES),
                   cmp_look_among(r, &names, i), f);
    }
    cmp_list_free(&names);
    if (p.series == 0) return;
    choose_axes(f, r, &p);
    all->panels =
        kv_realloc(all->panels, (all->panel_count + 1) * sizeof *all->panels);
    all->panels[all->panel_count++] = p;
}

// ---- the script -------------------------------------------------------------

// The names of lines beside their ends, apart from each other.
static void script_end_names(cmp_figure *f, const points *all, const panel *p,
                             double gap)
{
    double *at = kv_alloc((p->series + 1) * sizeof *at);
    for (size_t i = 0; i < p->series; i++) {
        at[i] = cmp_axis_place(&p->y, all->of[p->first + i].last_y);
    }
    cmp_spread_above(at, p->series, gap, 0.03);
    for (size_t i = 0; i < p->series; i++) {
        const series *s = &all->of[p->first + i];
        if (s->points < 2) continue;
        kv_buf_printf(&f->script, "set label %zu ", 10 + i);
        cmp_quoted(&f->script, s->name);
        kv_buf_printf(&f->script,
                      " at graph 1.02, graph %.3f left font ',11' "
                      "tc rgb '#222222'\n",
                      at[i]);
    }
    kv_free(at);
}

// Series in the key: all of them, unless each is a single point.
static size_t lines_named(const points *all, const panel *p)
{
    for (size_t i = 0; i < p->series; i++) {
        if (all->of[p->first + i].points > 1) return p->series;
    }
    return 0;
}

// How many lines end above this one.
static size_t lines_above(const points *all, const panel *p, size_t index)
{
    const series *s = &all->of[p->first + index];
    size_t above = 0;
    for (size_t k = 0; k < p->series; k++) {
        const series *o = &all->of[p->first + k];
        above += o->last_y > s->last_y || (o->last_y >= s->last_y && k < index);
    }
    return above;
}

// A name in the key, behind a piece of its line and its point.
static void script_key_line(cmp_figure *f, const series *s, size_t index,
                            size_t lines_below, bool is_line)
{
    int y = KEY_LINE * (int)lines_below + 9;
    if (is_line && s->points > 1) {
        kv_buf_printf(&f->script,
                      "if (!in_letters) { set arrow %zu from screen left(p), "
                      "screen key_at(p, %d) "
                      "to screen left(p) + 28.0 / width, screen key_at(p, %d) "
                      "nohead %s }\n",
                      10 + index, y, y, s->look.line);
    }
    if (!is_line || s->points <= CROWD) {
        kv_buf_printf(&f->script,
                      "set label %zu '' at screen left(p) + 14.0 / width, "
                      "screen key_at(p, %d) point lt %d%s\n",
                      60 + index, y, s->look.linetype, s->look.mark);
    }
    kv_buf_printf(&f->script, "set label %zu ", 10 + index);
    cmp_quoted(&f->script, s->name);
    kv_buf_printf(&f->script,
                  " at screen left(p) + 34.0 / width, screen key_at(p, %d) "
                  "left font ',10' tc rgb '#222222'\n",
                  y);
}

// Several series over names are marks beside each other: no line leads from
// one name to the next. A single one is a course of events.
static bool is_apart(const panel *p)
{
    return p->x.names != NULL && p->series > 1;
}

// Or in lines between the panel and its title, the one that ends highest
// first.
static void script_key(cmp_figure *f, const points *all, const panel *p)
{
    size_t lines = lines_named(all, p);
    kv_buf_printf(&f->script,
                  "set label 3 Panel[p] at graph 0, screen key_at(p, %d) "
                  "left offset 0, 0 font ',12' tc rgb '#111111'\n",
                  (int)(KEY_LINE * lines) + 14);
    for (size_t i = 0; i < lines; i++) {
        script_key_line(f, &all->of[p->first + i], i,
                        lines - 1 - lines_above(all, p, i), !is_apart(p));
    }
}

// A series of one point has its name beside the point, or a little above or
// below where something else is.
static void script_point_names(cmp_figure *f, const points *all, const panel *p,
                               double gap)
{
    cmp_name *at = kv_alloc((p->series + 1) * sizeof *at);
    for (size_t i = 0; i < p->series; i++) {
        const series *s = &all->of[p->first + i];
        at[i] = cmp_name_beside(s->name, cmp_axis_place(&p->x, s->last_x),
                                cmp_axis_place(&p->y, s->last_y));
    }
    cmp_place_names(at, p->series, gap, 0.03);
    for (size_t i = 0; i < p->series; i++) {
        const series *s = &all->of[p->first + i];
        if (s->points != 1 || isnan(s->last_y)) continue;
        bool is_right = at[i].x < at[i].point_x;
        kv_buf_printf(&f->script, "set label %zu ", 10 + i);
        cmp_quoted(&f->script, s->name);
        kv_buf_printf(&f->script,
                      " at first %.9g, graph %.3f %s offset %s, 0.2 font "
                      "',11' tc rgb '#222222' front\n",
                      s->last_x, at[i].y, is_right ? "right" : "left",
                      is_right ? "-0.8" : "0.8");
    }
    kv_free(at);
}

// What theory expects: over the lines, in letters under them, for what is drawn
// last hides the rest there.
static void script_theory(cmp_figure *f, const points *all, const panel *p,
                          const char *when, const char **comma)
{
    for (size_t i = 0; i < p->series; i++) {
        const series *s = &all->of[p->first + i];
        if (!s->has_theory) continue;
        kv_buf_printf(&f->script,
                      "%sfor [k = 1:%s] data skip %zu every ::0::%zu using 3:5 "
                      "with %s lt 8",
                      *comma, when, s->first + 1, s->points - 1,
                      s->points > 1 ? "lines" : "points pt 1");
        *comma = ", \\\n     ";
    }
}

static void script_lines(cmp_figure *f, const points *all, const panel *p)
{
    const char *comma = "plot ";
    script_theory(f, all, p, "in_letters", &comma);
    for (size_t i = 0; i < p->series; i++) {
        const series *s = &all->of[p->first + i];
        bool is_crowd = s->points > CROWD;
        kv_buf_printf(&f->script,
                      "%sdata skip %zu every ::0::%zu using 3:4 "
                      "with %s %s%s",
                      comma, s->first + 1, s->points - 1,
                      is_apart(p) ? "points"
                      : is_crowd  ? "lines"
                                  : "linespoints",
                      s->look.line, is_crowd ? "" : s->look.mark);
        comma = ", \\\n     ";
    }
    script_theory(f, all, p, "1 - in_letters", &comma);
    cmp_append(&f->script, "\n");
}

static void script_panel(cmp_figure *f, points *all, size_t index, double gap)
{
    panel *p = &all->panels[index];
    kv_buf_printf(&f->script, "\np = %zu\n@new_panel\nunset arrow\n",
                  index + 1);
    cmp_axis_script(f, 'x', &p->x);
    cmp_axis_script(f, 'y', &p->y);
    cmp_append(&f->script, "set xlabel ");
    const char *x = cell(&all->run->claims, p->claim, CLAIM_X);
    cmp_quoted(&f->script, p->x.names == NULL ? x : "");
    cmp_append(&f->script, " offset 0, 0.4 font ',10' tc rgb '#444444'\n");
    if (all->has_long_names) script_key(f, all, p);
    else script_end_names(f, all, p, gap);
    if (!all->has_long_names || lines_named(all, p) == 0) {
        script_point_names(f, all, p, gap);
    }
    script_lines(f, all, p);
}

static void draw(cmp_figure *f, points *all)
{
    const cmp_sheet *claims = &all->run->claims;
    bool is_one = all->panel_count < 3;
    int height = is_one ? 300 : 220;
    int *key = kv_zalloc((all->panel_count + 1) * sizeof *key);
    for (size_t i = 0; i < all->panel_count && all->has_long_names; i++) {
        key[i] = KEY_LINE * (int)lines_named(all, &all->panels[i]) + 2;
    }
    cmp_layout layout = {.panel_height = height,
                         .pad_left = 58,
                         .pad_right = all->has_long_names ? 22 : 82,
                         .pad_bottom = 50,
                         .key = key};
    cmp_list titles = {0};
    for (size_t i = 0; i < all->panel_count; i++) {
        char title[128];
        size_t row = all->panels[i].claim;
        snprintf(title, sizeof title, "%s  %s", cell(claims, row, CLAIM_ID),
                 cell(claims, row, CLAIM_Y));
        cmp_list_add(&titles, title);
    }
    cmp_script_begin(f, layout, &titles);
    cmp_list_free(&titles);
    kv_free(key);
    cmp_append(&f->script, "key_at(p, up) = top(p) + up * 1.0 / height\n");
    if (all->has_theory) {
        cmp_append(&f->script, "subtitle = subtitle . '; dots: theory'\n");
    }
    for (size_t i = 0; i < all->panel_count; i++) {
        script_panel(f, all, i, 15.0 / (height - 76));
    }
    cmp_append(&f->script, "unset multiplot\n");
}

// ---- the sentences ----------------------------------------------------------

static void say_range(const series *s, kv_buf *to, const char *before)
{
    cmp_number a, b, at_a, at_b;
    kv_buf_printf(to, "%s%s%s %s", before, s->name, s->points < 2 ? ":" : "",
                  cmp_ratio(&a, s->first_y));
    if (s->points < 2) return;
    kv_buf_printf(to, " at %s, %s at %s", cmp_si(&at_a, s->first_x),
                  cmp_ratio(&b, s->last_y), cmp_si(&at_b, s->last_x));
}

// What the claim says and how it came out; the lines' first and last figures.
static void say_panel(const points *all, const panel *p, cmp_figure *f)
{
    const cmp_sheet *claims = &all->run->claims;
    kv_buf_printf(&f->measured, "%s %s: %s", cell(claims, p->claim, CLAIM_ID),
                  cell(claims, p->claim, CLAIM_VERDICT),
                  cell(claims, p->claim, CLAIM_TEXT));
    for (size_t i = 0; i < p->series && p->x.names == NULL; i++) {
        say_range(&all->of[p->first + i], &f->measured,
                  i == 0 ? " Measured: " : "; ");
    }
    cmp_append(&f->measured, p->x.names == NULL ? ".\n" : "\n");
}

// How the verdicts came out, in words.
static void say_verdicts(const cmp_rundir *r, cmp_figure *f)
{
    static const char *const verdicts[] = {"confirmed",    "depends",
                                           "contradicted", "measured",
                                           "not tried",    "failed"};
    for (size_t v = 0; v < sizeof verdicts / sizeof *verdicts; v++) {
        size_t count = 0;
        kv_buf ids = {0};
        for (size_t row = 0; row < r->claims.rows; row++) {
            const char *verdict = cell(&r->claims, row, CLAIM_VERDICT);
            if (strcmp(verdict, verdicts[v]) != 0) continue;
            kv_buf_printf(&ids, " %s", cell(&r->claims, row, CLAIM_ID));
            count++;
        }
        if (count > 0) {
            kv_buf_printf(&f->measured, "%zu %s:%.*s.\n", count, verdicts[v],
                          (int)ids.len, (char *)ids.data);
        }
        kv_buf_free(&ids);
    }
}

// ---- the two makers ---------------------------------------------------------

static bool names(const char *ids, const char *id)
{
    const char *at = ids != NULL ? strstr(ids, id) : NULL;
    return at != NULL;
}

static bool has_own_chart(const char *id)
{
    for (const cmp_chart *c = cmp_charts; c->make != NULL; c++) {
        if (names(c->claims, id)) return true;
    }
    return false;
}

static void make(const cmp_rundir *r, cmp_figure *f)
{
    bool is_rest = f->chart->claims == NULL;
    points all = {.run = r};
    cmp_append(&f->data, "claim\tseries\tx\ty\ttheory\n");
    for (size_t row = 0; row < r->claims.rows; row++) {
        const char *id = cell(&r->claims, row, CLAIM_ID);
        bool wanted =
            is_rest ? !has_own_chart(id) : names(f->chart->claims, id);
        if (wanted) add_panel(&all, row, f);
    }
    if (all.panel_count > 0) draw(f, &all);
    if (is_rest) say_verdicts(r, f);
    for (size_t i = 0; i < all.panel_count && !is_rest; i++) {
        say_panel(&all, &all.panels[i], f);
    }
    kv_free(all.panels);
    kv_free(all.of);
}

void cmp_chart_points(const cmp_rundir *r, cmp_figure *f) { make(r, f); }
