// plan.c -- see plan.h.
// SPDX-License-Identifier: MIT

#include "compare/plan.h"

#include <errno.h>

#include "common/hash.h"

// ---- numbers ----------------------------------------------------------------

static unsigned count_open_loops(const cmp_options *o, const cmp_workload *w)
{
    bool is_open = (w->paced || o->paces_all) && w->loads && w->trace == NULL &&
                   w->extent == CMP_SOME;
    return is_open ? (unsigned)o->rate_count : 0;
}

// Repetition 0 counts, the next `reps` are timed, then one has a clock.
static unsigned trials_of_one(const cmp_options *o) { return o->reps + 2; }

bool cmp_plan_spares(const cmp_options *o, const cmp_engine *e)
{
    return o->spares_guests && e->engine != NULL && e->yardstick != NULL;
}

// P4
static bool is_due(const cmp_options *o, size_t workload, unsigned rep,
                   const cmp_engine *e)
{
    if (!cmp_plan_spares(o, e)) return e->engine != NULL;
    const cmp_workload *w = &o->workload[workload];
    return w->is_core && rep <= 1;
}

// How many of the first `limit` engines have that repetition.
static unsigned count_due(const cmp_options *o, size_t workload, unsigned rep,
                          size_t limit)
{
    unsigned due = 0;
    for (size_t e = 0; e < limit; e++) {
        due += is_due(o, workload, rep, &o->engine[e]);
    }
    return due;
}

// Of the step that is due now.
static unsigned number_of(const cmp_options *o, cmp_step *s)
{
    unsigned last = trials_of_one(o) - 1;
    if (s->rep <= last) return ++s->numbered;
    // P3: the open loop goes with the trial that had a clock.
    return s->numbered - count_due(o, s->workload, last, o->engine_count) +
           count_due(o, s->workload, last, s->engine) + 1;
}

// One step onward in the order of a run, whether an engine is there or not.
static void step(const cmp_options *o, cmp_step *s)
{
    if (!s->has_begun) {
        s->has_begun = true;
        return;
    }
    if (++s->engine < o->engine_count) return;
    s->engine = 0;
    const cmp_workload *w = &o->workload[s->workload];
    if (++s->rep < trials_of_one(o) + count_open_loops(o, w)) return;
    s->rep = 0;
    s->workload++;
}

bool cmp_plan_next(const cmp_options *o, cmp_step *s)
{
    for (;;) {
        step(o, s);
        if (s->workload >= o->workload_count) return false;
        if (!is_due(o, s->workload, s->rep, &o->engine[s->engine])) continue;
        s->trial = number_of(o, s);
        if (s->trial % o->shares == o->share % o->shares) return true;
    }
}

unsigned cmp_plan_trials(const cmp_options *o)
{
    unsigned trials = 0;
    for (size_t w = 0; w < o->workload_count; w++) {
        for (unsigned rep = 0; rep < trials_of_one(o); rep++) {
            trials += count_due(o, w, rep, o->engine_count);
        }
    }
    return trials;
}

kv_status cmp_plan_check(const cmp_options *o)
{
    unsigned trials = cmp_plan_trials(o);
    if (o->shares <= 1 || o->shares <= trials) return KV_OK;
    return kv_fail(KV_INVALID,
                   "--only %u/%u: there are only %u trials (compare plan lists "
                   "them), so at most %u shares",
                   o->share, o->shares, trials, trials);
}

// ---- what it works on -------------------------------------------------------

static uint64_t hash_workload(const cmp_workload *w, uint64_t seed)
{
    kv_buf text = {0};
    kv_buf_printf(&text, "%s %d %u %u %d %d %u", w->name, w->pattern,
                  w->scan_min, w->scan_max, w->extent, w->order, w->group);
    kv_buf_printf(&text, " %zu %zu %d %d %d %d %u %d %d", w->key_bytes,
                  w->value_bytes, w->loads, w->is_real, w->has_sync,
                  (int)w->sync, w->writers, w->ages, w->paced);
    const double numbers[] = {w->hot_data,
                              w->hot_requests,
                              w->zipf,
                              w->value_sizes.shape,
                              w->value_sizes.scale,
                              w->scan_sizes.shape,
                              w->scan_sizes.scale,
                              w->records,
                              w->operations,
                              w->purge};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        kv_buf_printf(&text, " %.17g", numbers[i]);
    }
    for (int i = 0; i < CMP_CALLS; i++) {
        kv_buf_printf(&text, " %.17g", w->share[i]);
    }
    uint64_t hash = kv_hash(kv_buf_slice(&text), seed);
    kv_buf_free(&text);
    return hash;
}

static uint64_t hash_trace(const cmp_trace *t, uint64_t seed)
{
    uint64_t hash = kv_hash(kv_buf_slice(&t->text), seed);
    for (uint32_t i = 0; i < t->count; i++) {
        const cmp_trace_op *op = &t->op[i];
        const uint32_t cells[] = {op->place, op->value_bytes, op->scan_length,
                                  (uint32_t)op->verb};
        hash = kv_hash(kv_slice_of(cells, sizeof cells), hash);
    }
    return hash;
}

uint64_t cmp_plan_inputs(const cmp_options *o)
{
    uint64_t hash = 0;
    for (size_t w = 0; w < o->workload_count; w++) {
        hash = hash_workload(&o->workload[w], hash);
    }
    hash = kv_hash(kv_buf_slice(&o->data.text), hash);
    for (uint32_t i = 0; i < o->data.count; i++) {
        const uint64_t sizes[] = {o->data.key[i].len, o->data.value[i].len,
                                  o->data.order[i]};
        hash = kv_hash(kv_slice_of(sizes, sizeof sizes), hash);
    }
    hash = hash_trace(&o->trace, hash);
    // The one setting of a trial that the manifest has no name for.
    return kv_hash(
        kv_slice_of(&o->setup.operations, sizeof o->setup.operations), hash);
}

// ---- the list ---------------------------------------------------------------

static void print_trial(const cmp_options *o, const cmp_step *s, FILE *to)
{
    const cmp_workload *w = &o->workload[s->workload];
    if (s->rep >= trials_of_one(o)) return; // goes with its trial
    bool has_clock = s->rep == o->reps + 1;
    fprintf(to, "%u\t%s\t%u\t%s\t%s\t%u\n", s->trial, w->name, s->rep,
            o->engine[s->engine].label,
            s->rep == 0 ? "count"
            : has_clock ? "delays"
                        : "timed",
            has_clock ? count_open_loops(o, w) : 0);
}

int cmp_plan(cmp_options *o)
{
    if (cmp_plan_check(o) != KV_OK) {
        fprintf(stderr, "compare: %s\n", kv_last_error());
        return 2;
    }
    FILE *to = o->out != NULL ? fopen(o->out, "w") : stdout;
    if (to == NULL) {
        fprintf(stderr, "compare: %s: %s\n", o->out, strerror(errno));
        return 3;
    }
    fprintf(to, "trial\tworkload\trep\tengine\tkind\topen_loops\n");
    for (cmp_step s = {0}; cmp_plan_next(o, &s);) print_trial(o, &s, to);
    bool failed = fflush(to) != 0 || ferror(to) != 0;
    if (to != stdout) failed = fclose(to) != 0 || failed;
    if (!failed) return 0;
    fprintf(stderr, "compare: the list could not be written whole: %s\n",
            strerror(errno));
    return 3;
}
