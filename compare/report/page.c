// page.c -- see page.h.
// SPDX-License-Identifier: MIT

#include "compare/report/page.h"

#include <stdlib.h>

#include "compare/report/answer.h"
#include "compare/report/assets.h"
#include "compare/report/ledger.h"
#include "compare/report/palette.h"
#include "compare/report/picture.h"
#include "compare/report/tables.h"
#include "compare/report/text.h"

static const char *fact_or(const cmp_rundir *r, const char *key,
                           const char *otherwise)
{
    const char *value = cmp_rundir_fact(r, key);
    return value != NULL && *value != '\0' ? value : otherwise;
}

// A fact that is a number, in words; the text itself if it is none.
static const char *number_of(const cmp_rundir *r, const char *key,
                             const char *(*say)(cmp_number *, double),
                             cmp_number *n)
{
    const char *value = fact_or(r, key, "n/a");
    char *end = NULL;
    double number = strtod(value, &end);
    return end != value && *end == '\0' ? say(n, number) : value;
}

// ---- the settings -----------------------------------------------------------

static void term(kv_buf *to, const char *name, const char *value)
{
    cmp_append(to, "<dt>");
    cmp_html(to, name);
    cmp_append(to, "</dt><dd>");
    cmp_html(to, value);
    cmp_append(to, "</dd>\n");
}

// One line below each chart.
static void draw_settings(const cmp_rundir *r, kv_buf *to)
{
    cmp_number records, key, value, memory;
    cmp_append(to, "<p class=\"settings\">Same for every engine: ");
    cmp_html(to, number_of(r, "records", cmp_count, &records));
    cmp_append(to, " generated records of ");
    cmp_html(to, number_of(r, "key_bytes", cmp_count, &key));
    cmp_append(to, " + ");
    cmp_html(to, number_of(r, "value_bytes", cmp_count, &value));
    cmp_append(to, " bytes");
    for (size_t g = 1; g < r->groups.count; g++) {
        const char *about = cmp_rundir_about(r, "data.", r->groups.names[g]);
        cmp_append(to, ", ");
        cmp_html(to, r->groups.names[g]);
        if (about != NULL) {
            cmp_append(to, " (");
            cmp_html(to, about);
            cmp_append(to, ")");
        }
    }
    cmp_append(to, "; memory ");
    cmp_html(to, number_of(r, "memory_bytes", cmp_bytes, &memory));
    cmp_append(to, "; sync ");
    cmp_html(to, fact_or(r, "sync", "n/a"));
    cmp_append(to, "; threads ");
    cmp_html(to, fact_or(r, "threads", "n/a"));
    cmp_append(to, "; repetitions ");
    cmp_html(to, fact_or(r, "reps", "n/a"));
    cmp_append(to, "; seed ");
    cmp_html(to, fact_or(r, "seed", "n/a"));
    cmp_append(to, ".</p>\n");
}

static const char *origin_sentence(cmp_origin origin)
{
    switch (origin) {
    case CMP_FROM_COUNTERS:
        return "bytes counted at its own disk layer, by reason";
    case CMP_FROM_CALLS:
        return "bytes are the read and write calls of its process (a total)";
    case CMP_FROM_WRITES:
        return "bytes written are the write calls of its process (a total); "
               "reads go through a memory map, which nobody can count: n/a";
    case CMP_FROM_MAPPING:
        return "writes through a memory map, which nobody can count: n/a";
    case CMP_FROM_NOTHING:
        return "keeps nothing on disk";
    case CMP_FROM_UNKNOWN:
        break;
    }
    return "the run does not say where its byte figures come from";
}

static void draw_engines(const cmp_rundir *r, kv_buf *to)
{
    cmp_append(to, "<ul class=\"engines\">\n");
    for (size_t e = 0; e < r->engines.count; e++) {
        const char *engine = r->engines.names[e];
        const char *title = cmp_rundir_about(r, "engine.", engine);
        const char *knobs = cmp_rundir_about(r, "knobs.", engine);
        cmp_append(to, "<li>");
        cmp_look_draw(cmp_look_of(r, engine), to);
        cmp_append(to, " <b>");
        cmp_html(to, engine);
        cmp_append(to, "</b> ");
        if (title != NULL) cmp_html(to, title);
        cmp_append(to, "<br><small>");
        cmp_html(to, origin_sentence(cmp_rundir_origin(r, engine)));
        if (knobs != NULL && *knobs != '\0') {
            cmp_append(to, "; knobs ");
            cmp_html(to, knobs);
        }
        cmp_append(to, "</small></li>\n");
    }
    cmp_append(to, "</ul>\n");
}

// Of a run that several machines shared: who ran what.
static void draw_shares(const cmp_rundir *r, kv_buf *to)
{
    bool any = false;
    for (size_t row = 0; row < r->manifest.rows; row++) {
        const char *key = cmp_sheet_cell(&r->manifest, row, 0);
        if (strncmp(key, "share.", 6) != 0) continue;
        cmp_append(to, any ? ""
                           : "<h3>Machines</h3>\n<p>The trials were shared "
                             "out: of <code>compare plan</code>\342\200\231s "
                             "list, trial k belongs to share k mod n. Counts "
                             "(bytes, reads, space) do not depend on the "
                             "machine; rates and latencies do, and are those "
                             "of the machine that ran the trial.</p>\n<dl "
                             "class=\"facts\">\n");
        any = true;
        term(to, key, cmp_sheet_cell(&r->manifest, row, 1));
    }
    if (any) cmp_append(to, "</dl>\n");
}

// Where reads end, which depends on the memory that files were left.
static void draw_memory(const cmp_rundir *r, kv_buf *to)
{
    const char *real = cmp_rundir_fact(r, "real_memory");
    if (real == NULL || real[0] < '0' || real[0] > '9') {
        cmp_append(to, "Files are in the operating system\342\200\231s page "
                       "cache: a read call here is a call, not a movement of a "
                       "disk.");
        return;
    }
    cmp_append(to, "Engine and page cache together had ");
    cmp_html(to, real);
    cmp_append(to, ": what did not fit was read from the device.");
}

static void draw_fairness(const cmp_rundir *r, kv_buf *to)
{
    cmp_append(to, "<section id=\"fair\"><h2>What makes it fair</h2>\n");
    draw_settings(r, to);
    cmp_append(to,
               "<p>Every engine answers the same operations in the same order, "
               "each workload and repetition in a process and a directory of "
               "its own. Each answer is compared with an oracle; one wrong "
               "answer voids the figure. Byte and read counts come from a "
               "separate run without background threads, so the same seed "
               "gives the same counts; rates come from runs without a clock "
               "around the calls, latencies from a run with one. ");
    draw_memory(r, to);
    cmp_append(to, "</p>\n<dl class=\"facts\">\n");
    for (size_t row = 0; row < r->manifest.rows; row++) {
        const char *key = cmp_sheet_cell(&r->manifest, row, 0);
        if (strncmp(key, "check.", 6) != 0) continue;
        term(to, key, cmp_sheet_cell(&r->manifest, row, 1));
    }
    const char *harness = cmp_rundir_fact(r, "harness_ns_per_op");
    if (harness != NULL) {
        term(to, "the harness itself, ns per operation", harness);
    }
    const char *host = cmp_rundir_fact(r, "host");
    if (host != NULL) term(to, "machine", host);
    cmp_append(to, "</dl>\n");
    draw_shares(r, to);
    cmp_append(to, "<h3>Engines</h3>\n");
    draw_engines(r, to);
    cmp_append(to, "</section>\n");
}

// A line of text per line.
static void draw_lines(const char *name, char *lines, kv_buf *to)
{
    cmp_append(to, "<dt>");
    cmp_html(to, name);
    cmp_append(to, "</dt><dd>");
    for (char *end; (end = strchr(lines, '\n')) != NULL; lines = end + 1) {
        *end = '\0';
        cmp_html(to, lines);
        cmp_append(to, "<br>");
    }
    cmp_html(to, lines);
    cmp_append(to, "</dd>\n");
}

// ---- charts -----------------------------------------------------------------

static kv_status draw_pictures(const cmp_drawing *d, kv_buf *to)
{
    const cmp_figure *f = &d->figure;
    kv_buf prefix = {0}, description = {0};
    cmp_append(&description, f->chart->definition);
    cmp_append(&description, " Measured: ");
    kv_buf_append(&description, kv_buf_slice(&f->measured));
    kv_buf_append(&description, kv_slice_of("", 1));

    kv_buf_printf(&prefix, "%s-%c", f->chart->name, 0);
    cmp_picture p = {.prefix = (char *)prefix.data,
                     .class = "chart broad",
                     .title = f->chart->title,
                     .description = (char *)description.data};
    kv_status st = cmp_picture_draw(&p, kv_buf_slice(&d->wide), to);
    if (st == KV_OK) {
        kv_buf_clear(&prefix);
        kv_buf_printf(&prefix, "%s-narrow-%c", f->chart->name, 0);
        p.prefix = (char *)prefix.data;
        p.class = "chart narrow";
        st = cmp_picture_draw(&p, kv_buf_slice(&d->narrow), to);
    }
    kv_buf_free(&prefix);
    kv_buf_free(&description);
    return st;
}

static kv_status draw_twin(const cmp_figure *f, kv_buf *to)
{
    cmp_sheet twin = {0};
    const kv_buf *table = f->twin.len > 0 ? &f->twin : &f->data;
    KV_TRY(cmp_sheet_parse(f->chart->name, kv_buf_slice(table), &twin));
    kv_buf_printf(to,
                  "<details><summary>The figures of this chart "
                  "(%zu rows)</summary>\n",
                  twin.rows);
    cmp_table_draw(&twin, f->chart->title, to);
    kv_buf_printf(to,
                  "<p class=\"files\">Files: <a href=\"%s.tsv\">%s.tsv"
                  "</a>, <a href=\"%s.gp\">%s.gp</a> \342\200\224 redraw with "
                  "<code>gnuplot %s.gp</code></p></details>\n",
                  f->chart->name, f->chart->name, f->chart->name,
                  f->chart->name, f->chart->name);
    cmp_sheet_free(&twin);
    return KV_OK;
}

static void draw_names(const cmp_rundir *r, cmp_origin origin, const char *why,
                       kv_buf *to)
{
    const char *before = "";
    for (size_t e = 0; e < r->engines.count; e++) {
        if (cmp_rundir_origin(r, r->engines.names[e]) != origin) continue;
        cmp_append(to, before);
        cmp_html(to, r->engines.names[e]);
        before = ", ";
    }
    if (*before != '\0') cmp_append(to, why);
}

// Engines that are not in the picture, or only as n/a.
static void draw_unknown(const cmp_rundir *r, cmp_needs needs, kv_buf *to)
{
    if (needs == CMP_NEEDS_NOTHING || needs == CMP_NEEDS_CLAIMS) return;
    cmp_append(to, "<p class=\"settings\">");
    draw_names(r, CMP_FROM_NOTHING, ": nothing on disk, so not here. ", to);
    if (needs == CMP_NEEDS_CALLS) {
        draw_names(r, CMP_FROM_MAPPING,
                   ": n/a, through a memory map nobody can count. ", to);
        draw_names(r, CMP_FROM_WRITES,
                   ": its write calls, as a total; n/a what it reads through a "
                   "memory map. ",
                   to);
        draw_names(r, CMP_FROM_CALLS, ": all calls of its process, as a total.",
                   to);
    }
    cmp_append(to, "</p>\n");
}

// Nothing was measured for it: told among what is missing.
static bool is_left_out(const cmp_figure *f) { return f->panels == 0; }

static kv_status draw_chart(const cmp_rundir *r, const cmp_drawing *d,
                            kv_buf *to)
{
    const cmp_figure *f = &d->figure;
    if (is_left_out(f)) return KV_OK;
    kv_buf_printf(to, "<section class=\"figure\" id=\"%s\"><h2>",
                  f->chart->name);
    cmp_html(to, f->chart->question);
    cmp_append(to, "</h2>\n<p class=\"definition\">");
    cmp_html(to, f->chart->definition);
    cmp_append(to, "</p>\n");
    if (d->failure != NULL) {
        cmp_append(to, "<p class=\"missing\">No picture: ");
        cmp_html(to, d->failure);
        cmp_append(to, "</p>\n");
    } else {
        KV_TRY(draw_pictures(d, to));
    }
    kv_buf text = {0};
    kv_buf_printf(&text, "%.*s%c", (int)f->measured.len,
                  (const char *)f->measured.data, 0);
    cmp_append(to, "<dl class=\"verdict\">\n");
    term(to, "Expected", f->chart->expected);
    draw_lines("Measured", (char *)text.data, to);
    cmp_append(to, "</dl>\n");
    kv_buf_free(&text);
    draw_unknown(r, f->chart->needs, to);
    // Claims have settings of their own, told in the ledger.
    if (f->chart->needs != CMP_NEEDS_CLAIMS) draw_settings(r, to);
    KV_TRY(draw_twin(f, to));
    cmp_append(to, "</section>\n");
    return KV_OK;
}

// ---- the page ---------------------------------------------------------------

static void link_to(const char *id, const char *title, kv_buf *to)
{
    kv_buf_printf(to, "<li><a href=\"#%s\">", id);
    cmp_html(to, title);
    cmp_append(to, "</a></li>");
}

static void list_charts(const cmp_drawing *drawings, size_t count,
                        bool is_front, kv_buf *to)
{
    for (size_t i = 0; i < count; i++) {
        const cmp_chart *chart = drawings[i].figure.chart;
        if (is_left_out(&drawings[i].figure)) continue;
        if (chart->is_front != is_front) continue;
        link_to(chart->name, chart->title, to);
    }
}

static kv_status draw_charts(const cmp_rundir *r, const cmp_drawing *drawings,
                             size_t count, bool is_front, kv_buf *to)
{
    for (size_t i = 0; i < count; i++) {
        if (drawings[i].figure.chart->is_front != is_front) continue;
        KV_TRY(draw_chart(r, &drawings[i], to));
    }
    return KV_OK;
}

// A chart without data is never drawn empty: its name and what would fill it.
static void draw_left_out(const cmp_drawing *drawings, size_t count, kv_buf *to)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const cmp_chart *chart = drawings[i].figure.chart;
        if (!is_left_out(&drawings[i].figure)) continue;
        cmp_append(to, any ? "" : "<h3>Charts without data</h3>\n<ul>\n");
        any = true;
        cmp_append(to, "<li>");
        cmp_html(to, chart->title);
        cmp_append(to, ": nothing in this run's tables");
        if (chart->needs == CMP_NEEDS_CLAIMS) {
            cmp_append(to, "; <code>compare claims ");
            cmp_html(to, chart->claims != NULL ? chart->claims : "");
            cmp_append(to, "</code> in the same folder makes it");
        }
        cmp_append(to, ".</li>\n");
    }
    if (any) cmp_append(to, "</ul>\n");
}

static void draw_head(const cmp_rundir *r, const cmp_drawing *drawings,
                      size_t count, kv_buf *to)
{
    cmp_append(to, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset="
                   "\"utf-8\">\n<meta name=\"viewport\" content=\"width="
                   "device-width, initial-scale=1\">\n<title>Stagecoach: "
                   "which engine for which work?</title>\n<link rel=\"icon\" "
                   "href=\"data:,\">\n<style>\n");
    cmp_append(to, cmp_page_css);
    cmp_append(to, "</style></head><body>\n<header><p class=\"brand\">"
                   "Stagecoach comparison</p>\n<h1>Which engine for which "
                   "work?</h1>\n<p class=\"machine\">");
    cmp_html(to, fact_or(r, "date", "date unknown"));
    cmp_append(to, " \302\267 ");
    cmp_html(to, fact_or(r, "cpu", "processor unknown"));
    cmp_append(to, ", ");
    cmp_html(to, fact_or(r, "nproc", "?"));
    cmp_append(to, " processors \302\267 ");
    cmp_html(to, fact_or(r, "kernel", "kernel unknown"));
    cmp_append(to, " \302\267 ");
    cmp_html(to, fact_or(r, "filesystem", "file system unknown"));
    cmp_append(to, " \302\267 version ");
    cmp_html(to, fact_or(r, "git", "unknown"));
    cmp_append(to, "</p>\n<nav aria-label=\"Contents\"><ul>");
    link_to("answer", "The answer", to);
    if (r->claims.rows > 0) link_to("ledger", "The claims", to);
    link_to("fair", "What makes it fair", to);
    link_to("tables", "All figures", to);
    link_to("missing", "What is missing", to);
    link_to("again", "Do it again", to);
    // Behind a fold, so that the answer is on the first screen of a phone.
    cmp_append(to, "</ul>\n<details><summary>All charts</summary><ul>");
    list_charts(drawings, count, true, to);
    list_charts(drawings, count, false, to);
    cmp_append(to, "</ul></details></nav></header>\n<main>\n");
}

static void draw_voids(const cmp_rundir *r, kv_buf *to)
{
    kv_buf voids = {0};
    if (cmp_voids_draw(r, &voids)) {
        cmp_append(to, "<section id=\"void\"><h2>Figures that are void</h2>\n"
                       "<p>These repetitions gave a wrong answer or did not "
                       "end well; nothing on this page contains them.</p>\n");
        kv_buf_append(to, kv_buf_slice(&voids));
        cmp_append(to, "</section>\n");
    }
    kv_buf_free(&voids);
}

static void draw_alarm(const cmp_rundir *r, kv_buf *to)
{
    size_t count = cmp_voids_count(r);
    if (count == 0) return;
    kv_buf_printf(to,
                  "<p class=\"alarm\"><b>%zu %s void</b> (a wrong answer, "
                  "a crash, a failed check) and left out: <a href=\"#void\">"
                  "which, and why</a>.</p>\n",
                  count, count == 1 ? "figure is" : "figures are");
}

static void draw_again(const cmp_rundir *r, kv_buf *to)
{
    cmp_append(to, "<section id=\"again\"><h2>Do it again</h2>\n<p>The run: "
                   "</p><pre><code>");
    cmp_html(to, fact_or(r, "command", "(the run did not say its command)"));
    cmp_append(to, "</code></pre>\n<p>The charts, from the TSV files of this "
                   "folder alone: <code>gnuplot NAME.gp</code>; the whole "
                   "page: <code>compare chart DIR</code>.</p>\n"
                   "<details><summary>Manifest: everything the run knew about "
                   "itself</summary>\n");
    cmp_table_draw(&r->manifest, "Manifest", to);
    cmp_append(to, "</details></section>\n");
}

kv_status cmp_page_draw(const cmp_rundir *r, const cmp_drawing *drawings,
                        size_t count, kv_buf *to)
{
    draw_head(r, drawings, count, to);
    cmp_append(to, "<section id=\"answer\" class=\"lead\">\n");
    draw_alarm(r, to);
    cmp_answer_draw(r, to);
    cmp_append(to, "</section>\n");
    KV_TRY(draw_charts(r, drawings, count, true, to));
    cmp_ledger_draw(r, to);
    KV_TRY(draw_charts(r, drawings, count, false, to));
    draw_fairness(r, to);
    cmp_append(to, "<section id=\"tables\"><h2>All figures</h2>\n<p>The median "
                   "over the repetitions, minimum and maximum below it where "
                   "they differ. Only the measured part of each workload; a "
                   "column name says its definition.</p>\n");
    cmp_tables_draw(r, to);
    cmp_append(to, "</section>\n");
    draw_voids(r, to);
    cmp_append(to, "<section id=\"missing\"><h2>What is missing"
                   "</h2>\n");
    cmp_absences_draw(r, to);
    draw_left_out(drawings, count, to);
    cmp_append(to, "</section>\n");
    draw_again(r, to);
    cmp_append(to, "</main>\n<script>\n");
    cmp_append(to, cmp_page_js);
    cmp_append(to, "</script>\n</body></html>\n");
    return KV_OK;
}
