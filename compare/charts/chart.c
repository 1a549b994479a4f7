// chart.c -- see chart.h.
// SPDX-License-Identifier: MIT

#include "compare/charts/chart.h"

#include <assert.h>
#include <math.h>

#include "common/mem.h"

#include "compare/report/palette.h"
#include "compare/report/text.h"

const cmp_chart cmp_charts[] = {
    {"throughput", "How many operations a second?", "Throughput",
     "operations per second, log scale; further right is faster",
     "Operations divided by the seconds they took, each workload "
     "in a process of its own. A point is the median of the repetitions, the "
     "whisker their minimum and maximum.",
     "An index in memory answers without the disk, so engines that keep "
     "everything in memory lead; an append-only log turns every write into "
     "one append, and every read into at most one read of the file.",
     CMP_NEEDS_NOTHING, cmp_chart_throughput},
    {"wa_breakdown", "How often is a byte written?", "Write amplification",
     "bytes written \303\267 bytes of keys and values; 1 is perfect",
     "Bytes handed to write calls from the first measured operation until the "
     "store has settled, divided by the keys and values of puts and the keys "
     "of deletes in that time, split by the reason of each write.",
     "A log writes each record once, a little more than its own bytes for the "
     "header; overwriting and deleting leave dead records, and reclaiming "
     "their space writes the live ones again.",
     CMP_NEEDS_CALLS, cmp_chart_writes},
    {"reads_by_class", "How many reads does a lookup cost?",
     "Read amplification", "read calls that no cache answered, per operation",
     "Read calls that no cache of the engine answered, divided by the "
     "operations of that class: hit (the key is there), miss (it is absent "
     "but lies between present keys), scan.",
     "With the index in memory a log reads once for a key that is there and "
     "not at all for one that is not.",
     CMP_NEEDS_CALLS, cmp_chart_reads},
    {"sa_vs_time", "How much disk for the data?", "Space amplification",
     "bytes on disk \303\267 live bytes, while user bytes are written",
     "Bytes of all files of the store, divided by the keys and values of its "
     "live records, over the user bytes written; 1 is perfect. The point is "
     "the highest sample or, if that is more, the most bytes ever on disk (the "
     "disk layer's ledger misses none between two samples) divided by the "
     "largest amount of live bytes.",
     "A log grows with every overwrite and falls back when it is merged: a "
     "sawtooth, whose peak holds old and new segments side by side.",
     CMP_NEEDS_DISK, cmp_chart_space},
    {"latency_ccdf", "How slow are the slow ones?", "Latency",
     "share of calls slower than that; both axes log",
     "The share of calls that took longer than the time below the axis; all "
     "calls of a run with a clock around each, in one histogram (1 % wide "
     "buckets), never averaged. Calls follow each other without a pause, so a "
     "stall delays one call here and would delay many in a service.",
     "Most calls never leave memory; growing, merging and the operating "
     "system's write-back make the tail.",
     CMP_NEEDS_NOTHING, cmp_chart_latency},
    {"claim_figures", "Is it as the book says?", "The book's claims",
     "one panel per claim; grey dots: what theory expects",
     "Each claim of the book as an experiment on counters, background work "
     "inside the calls, the same seed and so the same figures everywhere.",
     "What each claim says; the list below the figures has the checks.",
     CMP_NEEDS_CLAIMS, cmp_chart_claims},
    {NULL, NULL, NULL, NULL, NULL, NULL, CMP_NEEDS_NOTHING, NULL},
};

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

// The largest of 1, 2, 5 times a power of ten that is not above the value, or
// the smallest that is not below.
static double round_number(double value, bool up)
{
    const double times[] = {1, 2, 5, 10};
    double unit = pow(10, floor(log10(value)));
    for (size_t i = 0; i < 4; i++) {
        if (up && times[i] * unit >= value) return times[i] * unit;
        if (!up && times[i + 1 < 4 ? i + 1 : 3] * unit > value) {
            return times[i] * unit;
        }
    }
    return value;
}

void cmp_script_log_axis(cmp_figure *f, double min, double max,
                         const char *(*say)(cmp_number *, double))
{
    double low = round_number(min * 0.95, false);
    double high = round_number(max * 1.05, true);
    bool is_fine = high / low <= 60; // then powers of ten are too few
    bool is_long = high / low > 2e5; // then not each of them has room
    const char *comma = "";
    kv_buf_printf(&f->script,
                  "set logscale x\nset xrange [%g:%g]\n"
                  "set xtics (",
                  low, high);
    for (double unit = pow(10, floor(log10(low))); unit <= high;
         unit *= is_long ? 100 : 10) {
        const double times[] = {1, 2, 5};
        for (size_t i = 0; i < (is_fine ? 3 : 1); i++) {
            double tic = times[i] * unit;
            cmp_number n;
            if (tic < low * 0.99 || tic > high * 1.01) continue;
            cmp_append(&f->script, comma);
            cmp_quoted_tic(&f->script, say(&n, tic));
            kv_buf_printf(&f->script, " %g", tic);
            comma = ", ";
        }
    }
    cmp_append(&f->script, ")\n");
    kv_buf_printf(&f->script, "low = %g\nhigh = %g\n", low, high);
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

double cmp_axis_step(double max, int steps)
{
    if (max <= 0) return 1;
    double unit = pow(10, floor(log10(max / steps)));
    const double times[] = {1, 2, 5, 10};
    for (size_t i = 0; i < 4; i++) {
        if (max / (times[i] * unit) <= steps) return times[i] * unit;
    }
    return 10 * unit;
}

void cmp_spread_out(double *values, size_t count, double gap)
{
    // Values closer than the gap form a block around their mean; blocks that
    // then touch become one. With a handful of labels, doing this n times
    // from the smallest up is enough.
    size_t *order = kv_alloc((count + 1) * sizeof *order);
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && values[order[at - 1]] > values[i]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
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
