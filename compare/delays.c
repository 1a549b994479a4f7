// delays.c -- see delays.h.
// SPDX-License-Identifier: MIT

#include "compare/delays.h"

#include <math.h>

#include "common/mem.h"

// ---- moments ----------------------------------------------------------------

static void put_bytes(FILE *out, double bytes)
{
    if (isfinite(bytes)) fprintf(out, "\t%.0f", bytes);
    else fprintf(out, "\tNA");
}

static void tell_moment(cmp_lab *lab, uint64_t until_ns)
{
    cmp_window *w = lab->window;
    double written, background;
    cmp_scale_written(&lab->scale, &written, &background);
    fprintf(lab->out, "T\t%g\t%.3f\t%llu\t%llu\t%llu\t%llu", lab->trial->share,
            (double)until_ns / 1e9, (unsigned long long)w->calls.count,
            (unsigned long long)cmp_histogram_quantile(&w->calls, 0.5),
            (unsigned long long)cmp_histogram_quantile(&w->calls, 0.99),
            (unsigned long long)w->calls.max);
    put_bytes(lab->out, written - w->written);
    put_bytes(lab->out, background - w->background);
    fprintf(lab->out, "\n");
    w->written = written;
    w->background = background;
    w->calls = (cmp_histogram){0};
}

static void look_at_clock(void *arg)
{
    cmp_lab *lab = arg;
    const cmp_player *p = &lab->hands[0].player[CMP_RUN];
    if (p->ns < lab->window->end_ns) return;
    tell_moment(lab, p->ns);
    while (lab->window->end_ns <= p->ns) {
        lab->window->end_ns += lab->window->length_ns;
    }
}

void cmp_delays_watch(cmp_lab *lab)
{
    if (lab->threads > 1) return;
    bool is_long = lab->trial->seconds >= 10;
    cmp_window *w = lab->window = kv_zalloc(sizeof *w);
    w->length_ns = w->end_ns = is_long ? 1000000000 : 100000000;
    cmp_scale_written(&lab->scale, &w->written, &w->background);
    cmp_player *p = &lab->hands[0].player[CMP_RUN];
    p->window = &w->calls;
    p->between = look_at_clock;
    p->arg = lab;
}

// ---- all of them ------------------------------------------------------------

// Of one sort of call, by all threads.
static void sum_call(const cmp_lab *lab, unsigned call, cmp_histogram *to)
{
    *to = (cmp_histogram){0};
    for (uint32_t t = 0; t < lab->threads; t++) {
        cmp_histogram_merge(to, &lab->delays[t * CMP_CALLS + call]);
    }
}

static void tell_call(const cmp_lab *lab, unsigned call, const cmp_histogram *h)
{
    for (unsigned i = 0; i < CMP_HISTOGRAM_BUCKETS; i++) {
        if (h->bucket[i] == 0) continue;
        fprintf(lab->out, "L\t%s\t%llu\t%llu\n", cmp_call_word((cmp_call)call),
                (unsigned long long)cmp_histogram_edge(i),
                (unsigned long long)h->bucket[i]);
    }
}

static const struct {
    const char *measure;
    double share;
} quantiles[] = {
    {"latency_p50_ns", 0.5},    {"latency_p99_ns", 0.99},
    {"latency_p999_ns", 0.999}, {"latency_p9999_ns", 0.9999},
    {"latency_max_ns", 1},
};

enum { QUANTILES = sizeof quantiles / sizeof *quantiles };

// Of an open loop, or of the closed one, to which no rate was offered.
static void tell_loop(const cmp_lab *lab, const cmp_histogram *all)
{
    cmp_effort effort = cmp_lab_effort(lab, CMP_RUN);
    fprintf(lab->out, "O\t%g", lab->trial->share);
    if (lab->trial->rate > 0) fprintf(lab->out, "\t%.12g", lab->trial->rate);
    else fprintf(lab->out, "\tNA");
    fprintf(lab->out, "\t%.12g", effort.operations_per_s);
    for (int i = 0; i < QUANTILES; i++) {
        fprintf(lab->out, "\t%llu",
                (unsigned long long)cmp_histogram_quantile(all,
                                                           quantiles[i].share));
    }
    fprintf(lab->out, "\n");
}

void cmp_delays_tell(cmp_lab *lab)
{
    bool is_open = lab->trial->kind == CMP_PACED;
    cmp_histogram *all = kv_zalloc(2 * sizeof *all), *one = all + 1;
    for (unsigned call = 0; call < CMP_CALLS; call++) {
        sum_call(lab, call, one);
        if (!is_open) tell_call(lab, call, one);
        cmp_histogram_merge(all, one);
    }
    tell_loop(lab, all);
    for (int i = 0; i < QUANTILES && !is_open; i++) {
        cmp_scale_say(&lab->scale, "run", quantiles[i].measure,
                      (double)cmp_histogram_quantile(all, quantiles[i].share));
    }
    if (lab->window != NULL && lab->window->calls.count > 0) {
        tell_moment(lab, lab->hands[0].player[CMP_RUN].ns);
    }
    kv_free(all);
}
