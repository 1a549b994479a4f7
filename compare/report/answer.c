// answer.c -- see answer.h.
// SPDX-License-Identifier: MIT

#include "compare/report/answer.h"

#include "common/mem.h"

#include "compare/report/palette.h"
#include "compare/report/race.h"
#include "compare/report/text.h"

static const char rate[] = "ops_per_s";

// ---- races ------------------------------------------------------------------

// Those of two engines or more, in the order of the run.
typedef struct races {
    cmp_race *of;
    size_t count;
} races;

static const size_t every_group = SIZE_MAX;

static races run_races(const cmp_rundir *r, size_t group, cmp_contest c)
{
    races all = {kv_alloc((r->workloads.count + 1) * sizeof *all.of), 0};
    for (size_t w = 0; w < r->workloads.count; w++) {
        const char *workload = r->workloads.names[w];
        if (group != every_group && cmp_rundir_group(r, workload) != group) {
            continue;
        }
        cmp_race race = cmp_race_of(r, workload, c);
        if (race.next == NULL) cmp_race_free(&race);
        else all.of[all.count++] = race;
    }
    return all;
}

static void free_races(races *all)
{
    for (size_t i = 0; i < all->count; i++) cmp_race_free(&all->of[i]);
    kv_free(all->of);
    *all = (races){0};
}

// Whether no race before this one had its field.
static bool is_first_of_field(const races *all, size_t index)
{
    size_t i = 0;
    while (!cmp_race_same_field(&all->of[i], &all->of[index])) i++;
    return i == index;
}

// ---- paragraphs -------------------------------------------------------------

// How one engine did in the races of one field.
typedef struct tally {
    size_t races, wins, ties;
    const cmp_race *clearest; // of its wins
} tally;

static tally tally_of(const races *all, const cmp_race *field,
                      const char *engine)
{
    tally t = {0};
    for (size_t i = 0; i < all->count; i++) {
        const cmp_race *race = &all->of[i];
        if (!cmp_race_same_field(race, field)) continue;
        t.races++;
        if (race->is_tie) t.ties++;
        if (race->is_tie || strcmp(race->winner, engine) != 0) continue;
        t.wins++;
        if (t.clearest == NULL || race->ahead > t.clearest->ahead) {
            t.clearest = race;
        }
    }
    return t;
}

static void name(kv_buf *to, const char *text)
{
    cmp_append(to, "<b>");
    cmp_html(to, text);
    cmp_append(to, "</b>");
}

static void draw_field(const cmp_race *race, size_t count, kv_buf *to)
{
    const cmp_list *field = &race->field;
    if (count > 1) {
        kv_buf_printf(to, "In %zu workloads, among ", count);
    } else {
        cmp_append(to, "In ");
        cmp_html(to, race->workload);
        cmp_append(to, ", among ");
    }
    for (size_t i = 0; i < field->count; i++) {
        cmp_append(to, i == 0 ? "" : i + 1 < field->count ? ", " : " and ");
        cmp_html(to, field->names[i]);
    }
}

// "was fastest in read-random, with 1.2 times the rate of bt"
//  won                         with           times
typedef struct wording {
    const char *won, *with, *times;
} wording;

static void draw_wins(const races *all, const cmp_race *field, wording w,
                      kv_buf *to)
{
    tally t = tally_of(all, field, "");
    const char *joint = ": ";
    draw_field(field, t.races, to);
    for (size_t e = 0; e < field->field.count; e++) {
        const char *engine = field->field.names[e];
        t = tally_of(all, field, engine);
        if (t.wins == 0) continue;
        cmp_number times;
        cmp_append(to, joint);
        name(to, engine);
        kv_buf_printf(to, " %s", w.won);
        if (t.wins > 1) kv_buf_printf(to, " in %zu, most clearly", t.wins);
        if (t.races > 1) {
            cmp_append(to, " in ");
            cmp_html(to, t.clearest->workload);
        }
        kv_buf_printf(to, ", %s %s times %s ", w.with,
                      cmp_ratio(&times, t.clearest->ahead), w.times);
        cmp_html(to, t.clearest->next);
        joint = "; ";
    }
    if (t.ties == t.races) {
        cmp_append(to, ": nobody was clearly ahead");
    } else if (t.ties > 0) {
        kv_buf_printf(to, "; in %zu nobody was clearly ahead", t.ties);
    }
    cmp_append(to, ".");
}

// The largest fields first: a win there says most.
static void draw_races(const races *all, const char *league, const char *what,
                       wording w, kv_buf *to)
{
    if (all->count == 0) return;
    cmp_append(to, "<p><span class=\"league\">");
    cmp_append(to, league);
    cmp_html(to, what);
    cmp_append(to, ".</span>");
    size_t most = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (all->of[i].field.count > most) most = all->of[i].field.count;
    }
    const char *joint = " ";
    for (size_t size = most; size > 1; size--) {
        for (size_t i = 0; i < all->count; i++) {
            bool is_new = is_first_of_field(all, i);
            if (!is_new || all->of[i].field.count != size) continue;
            cmp_append(to, joint);
            draw_wins(all, &all->of[i], w, to);
            joint = "<br>";
        }
    }
    cmp_append(to, "</p>\n");
}

static void draw_rates(const cmp_rundir *r, size_t group, bool on_disk,
                       kv_buf *to)
{
    const wording w = {"was fastest", "with", "the rate of"};
    races all = run_races(r, group, (cmp_contest){rate, false, on_disk});
    draw_races(&all, on_disk ? "On disk, " : "In memory only, ",
               group == 0 ? "generated records" : r->groups.names[group], w,
               to);
    free_races(&all);
}

// Who pays least, in all workloads.
static void draw_least(const cmp_rundir *r, const char *measure,
                       const char *what, const char *won, kv_buf *to)
{
    const wording w = {won, "against", "as much by"};
    races all = run_races(r, every_group, (cmp_contest){measure, true, true});
    draw_races(&all, what, "", w, to);
    free_races(&all);
}

// ---- the table --------------------------------------------------------------

static void draw_cell(const cmp_rundir *r, const char *workload, bool on_disk,
                      kv_buf *to)
{
    const char *league = on_disk ? "on disk" : "in memory";
    cmp_number speed, ahead;
    cmp_race race =
        cmp_race_of(r, workload, (cmp_contest){rate, false, on_disk});
    if (race.winner == NULL) {
        kv_buf_printf(to, "<td class=\"na\" data-league=\"%s\">n/a</td>",
                      league);
        return;
    }
    kv_buf_printf(to, "<td data-league=\"%s\">", league);
    cmp_look_draw(cmp_look_of(r, race.winner), to);
    cmp_append(to, " ");
    name(to, race.winner);
    kv_buf_printf(to, " %s/s<br><small>", cmp_si(&speed, race.spread.median));
    if (race.next == NULL) {
        cmp_append(to, "ran alone");
    } else if (race.is_tie) {
        cmp_append(to, "a tie with ");
    } else {
        kv_buf_printf(to, "%s\303\227 ", cmp_ratio(&ahead, race.ahead));
    }
    if (race.next != NULL) {
        cmp_html(to, race.next);
        kv_buf_printf(to, ", of %zu", race.field.count);
    }
    cmp_append(to, "</small></td>");
    cmp_race_free(&race);
}

static void draw_row(const cmp_rundir *r, const char *workload, bool leagues[2],
                     kv_buf *to)
{
    const char *about = cmp_rundir_about(r, "workload.", workload);
    cmp_append(to, "<tr><th scope=\"row\">");
    cmp_html(to, workload);
    if (about != NULL) {
        cmp_append(to, "<br><small>");
        cmp_html(to, about);
        cmp_append(to, "</small>");
    }
    cmp_append(to, "</th>");
    if (leagues[1]) draw_cell(r, workload, true, to);
    if (leagues[0]) draw_cell(r, workload, false, to);
    cmp_append(to, "</tr>\n");
}

static void draw_table(const cmp_rundir *r, bool leagues[2], kv_buf *to)
{
    cmp_append(to, "<div class=\"wide\" role=\"region\" tabindex=\"0\" "
                   "aria-label=\"Fastest engine by workload\">"
                   "<table class=\"answer\"><thead><tr>"
                   "<th scope=\"col\">workload</th>");
    if (leagues[1]) cmp_append(to, "<th scope=\"col\">fastest on disk</th>");
    if (leagues[0]) {
        cmp_append(to, "<th scope=\"col\">fastest in memory only</th>");
    }
    cmp_append(to, "</tr></thead><tbody>\n");
    for (size_t w = 0; w < r->workloads.count; w++) {
        draw_row(r, r->workloads.names[w], leagues, to);
    }
    cmp_append(to, "</tbody></table></div>\n");
}

void cmp_answer_draw(const cmp_rundir *r, kv_buf *to)
{
    bool leagues[2] = {false, false}; // in memory, on disk
    for (size_t e = 0; e < r->engines.count; e++) {
        cmp_origin origin = cmp_rundir_origin(r, r->engines.names[e]);
        leagues[origin != CMP_FROM_NOTHING] = true;
    }
    for (size_t g = 0; g < r->groups.count; g++) {
        draw_rates(r, g, true, to);
        draw_rates(r, g, false, to);
    }
    draw_least(r, "wa_total", "Bytes written", "wrote least", to);
    draw_least(r, "sa_peak", "Space", "had the lowest peak", to);
    draw_table(r, leagues, to);
}
