// answer.c -- see answer.h.
// SPDX-License-Identifier: MIT

#include "compare/report/answer.h"

#include <math.h>

#include "compare/report/palette.h"
#include "compare/report/text.h"

static bool is_on_disk(const cmp_rundir *r, const char *engine)
{
    return cmp_rundir_origin(r, engine) != CMP_FROM_NOTHING;
}

cmp_winner cmp_winner_of(const cmp_rundir *r, const char *workload,
                         bool on_disk)
{
    cmp_winner best = {0};
    cmp_spread second = {0};
    for (size_t e = 0; e < r->engines.count; e++) {
        const char *engine = r->engines.names[e];
        if (is_on_disk(r, engine) != on_disk) continue;
        cmp_spread s = cmp_rundir_spread(r, engine, workload, "ops_per_s");
        if (s.count == 0) continue;
        if (best.engine == NULL || s.median > best.spread.median) {
            best.next = best.engine, second = best.spread;
            best.engine = engine, best.spread = s;
        } else if (best.next == NULL || s.median > second.median) {
            best.next = engine, second = s;
        }
    }
    if (best.next != NULL) {
        best.ahead = best.spread.median / second.median;
        best.is_tie = best.spread.min <= second.max; // A1
    }
    return best;
}

// ---- paragraphs -------------------------------------------------------------

// How one engine did in one league of one group.
typedef struct tally {
    size_t contests, wins, ties;
    double most; // its clearest win
    const char *where, *against;
} tally;

static tally tally_of(const cmp_rundir *r, size_t group, bool on_disk,
                      const char *engine)
{
    tally t = {0};
    for (size_t w = 0; w < r->workloads.count; w++) {
        const char *workload = r->workloads.names[w];
        if (cmp_rundir_group(r, workload) != group) continue;
        cmp_winner winner = cmp_winner_of(r, workload, on_disk);
        if (winner.next == NULL) continue;
        t.contests++;
        if (winner.is_tie) t.ties++;
        if (winner.is_tie || strcmp(winner.engine, engine) != 0) continue;
        t.wins++;
        if (winner.ahead <= t.most) continue;
        t.most = winner.ahead;
        t.where = workload, t.against = winner.next;
    }
    return t;
}

static void name(kv_buf *to, const char *text)
{
    cmp_append(to, "<b>");
    cmp_html(to, text);
    cmp_append(to, "</b>");
}

static void draw_wins(const cmp_rundir *r, size_t group, bool on_disk,
                      kv_buf *to)
{
    size_t ties = 0, contests = 0;
    const char *joint = " ";
    for (size_t e = 0; e < r->engines.count; e++) {
        const char *engine = r->engines.names[e];
        tally t = tally_of(r, group, on_disk, engine);
        ties = t.ties, contests = t.contests;
        if (t.wins == 0) continue;
        cmp_number times;
        cmp_append(to, joint);
        name(to, engine);
        if (t.contests == 1) {
            cmp_append(to, " was fastest in ");
        } else {
            kv_buf_printf(to,
                          " was fastest in %zu of %zu workloads, most "
                          "clearly in ",
                          t.wins, t.contests);
        }
        cmp_html(to, t.where);
        kv_buf_printf(to, ", with %s times the rate of ",
                      cmp_ratio(&times, t.most));
        cmp_html(to, t.against);
        joint = "; ";
    }
    if (ties == contests) {
        cmp_append(to, " Nobody was clearly ahead anywhere");
    } else if (ties > 0) {
        kv_buf_printf(to, "; in %zu the repetitions overlap, so nobody was",
                      ties);
    }
    cmp_append(to, ".");
}

static void draw_paragraph(const cmp_rundir *r, size_t group, bool on_disk,
                           kv_buf *to)
{
    size_t contests =
        r->engines.count == 0 ? 0 : tally_of(r, group, on_disk, "").contests;
    if (contests == 0) return;
    cmp_append(to, "<p><span class=\"league\">");
    cmp_append(to, on_disk ? "On disk, " : "In memory only, ");
    cmp_html(to, group == 0 ? "generated records" : r->groups.names[group]);
    cmp_append(to, ".</span>");
    draw_wins(r, group, on_disk, to);
    cmp_append(to, "</p>\n");
}

// Who pays least, over all workloads: the engine whose median is lowest in
// most of those that at least two engines have.
static void draw_least(const cmp_rundir *r, const char *measure,
                       const char *what, kv_buf *to)
{
    const char *least = NULL;
    size_t most = 0, contests = 0;
    for (size_t e = 0; e < r->engines.count; e++) {
        size_t wins = 0;
        contests = 0;
        for (size_t w = 0; w < r->workloads.count; w++) {
            double low = INFINITY;
            size_t rivals = 0;
            bool is_mine = false;
            for (size_t k = 0; k < r->engines.count; k++) {
                if (!is_on_disk(r, r->engines.names[k])) continue;
                cmp_spread s = cmp_rundir_spread(
                    r, r->engines.names[k], r->workloads.names[w], measure);
                if (s.count == 0 || s.median <= 0) continue;
                rivals++;
                if (s.median < low) low = s.median, is_mine = k == e;
            }
            if (rivals < 2) continue;
            contests++;
            wins += is_mine;
        }
        if (wins > most) most = wins, least = r->engines.names[e];
    }
    if (least == NULL) return;
    cmp_append(to, " ");
    name(to, least);
    kv_buf_printf(to,
                  " %s in %zu of %zu workloads where two engines or more "
                  "have the figure.",
                  what, most, contests);
}

// ---- the table --------------------------------------------------------------

static void draw_cell(const cmp_rundir *r, cmp_winner winner,
                      const char *league, kv_buf *to)
{
    cmp_number rate, ahead;
    if (winner.engine == NULL) {
        kv_buf_printf(to, "<td class=\"na\" data-league=\"%s\">n/a</td>",
                      league);
        return;
    }
    kv_buf_printf(to, "<td data-league=\"%s\">", league);
    cmp_look_draw(cmp_look_of(r, winner.engine), to);
    cmp_append(to, " ");
    name(to, winner.engine);
    kv_buf_printf(to, " %s/s<br><small>", cmp_si(&rate, winner.spread.median));
    if (winner.next == NULL) {
        cmp_append(to, "ran alone");
    } else if (winner.is_tie) {
        cmp_append(to, "a tie with ");
        cmp_html(to, winner.next);
    } else {
        kv_buf_printf(to, "%s\303\227 ", cmp_ratio(&ahead, winner.ahead));
        cmp_html(to, winner.next);
    }
    cmp_append(to, "</small></td>");
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
    if (leagues[1])
        draw_cell(r, cmp_winner_of(r, workload, true), "on disk", to);
    if (leagues[0])
        draw_cell(r, cmp_winner_of(r, workload, false), "in memory", to);
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
        leagues[is_on_disk(r, r->engines.names[e])] = true;
    }
    for (size_t g = 0; g < r->groups.count; g++) {
        draw_paragraph(r, g, true, to);
        draw_paragraph(r, g, false, to);
    }
    cmp_append(to, "<p><span class=\"league\">Bytes.</span>");
    draw_least(r, "wa_total", "wrote the fewest bytes per user byte", to);
    draw_least(r, "sa_peak", "had the lowest peak of disk space", to);
    cmp_append(to, "</p>\n");
    draw_table(r, leagues, to);
}
