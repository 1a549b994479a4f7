// run.c -- see run.h.
// SPDX-License-Identifier: MIT

#include "compare/run.h"

#include "compare/attempt.h"
#include "compare/compare.h"
#include "compare/facts.h"
#include "compare/machine.h"
#include "compare/plan.h"
#include "compare/progress.h"
#include "compare/results.h"
#include "compare/summary.h"

struct run {
    cmp_options *options;
    cmp_results results;
    cmp_progress progress;
    cmp_summary summary;
    cmp_facts facts;
    kv_buf scratch; // the directory of the trial that runs
    // What a closed loop with a clock does, in the workload that runs: 0 or
    // less if that is not known.
    double closed_per_s[CMP_LIST_MAX];
    bool has_failed, must_stop;
};

// A row of the trial that is being recorded, whose first cells are known.
struct recording {
    struct run *run;
    cmp_table table;
    const char *front;
};

static void record_line(void *arg, char *line)
{
    const struct recording *to = arg;
    kv_buf row = {0};
    kv_buf_printf(&row, "%s\t%s%c", to->front, line, '\0');
    cmp_results_row(&to->run->results, to->table, (char *)row.data);
    kv_buf_free(&row);
}

// "phase measure value" becomes "phase rep measure value".
struct measuring {
    struct run *run;
    const cmp_trial *trial;
};

static void record_measure(void *arg, char *line)
{
    const struct measuring *m = arg;
    size_t phase = strcspn(line, "\t");
    kv_buf row = {0};
    kv_buf_printf(&row, "%s\t%s\t%.*s\t%u\t%s%c", m->trial->engine->label,
                  m->trial->workload->name, (int)phase, line, m->trial->rep,
                  line + phase + (line[phase] == '\t'), '\0');
    cmp_results_row(&m->run->results, CMP_MEASURES, (char *)row.data);
    kv_buf_free(&row);
}

static void count_check(void *arg, char *line)
{
    cmp_facts_note_check(arg, line);
}

static void record(struct run *run, cmp_attempt *a, const cmp_trial *trial)
{
    char front[200], front_with_rep[220];
    snprintf(front, sizeof front, "%s\t%s", trial->engine->label,
             trial->workload->name);
    snprintf(front_with_rep, sizeof front_with_rep, "%s\t%u", front,
             trial->rep);
    struct measuring measures = {run, trial};
    struct recording space = {run, CMP_SPACE, front_with_rep};
    struct recording latency = {run, CMP_LATENCY, front};
    struct recording timeline = {run, CMP_TIMELINE, front};
    struct recording open_loop = {run, CMP_OPENLOOP, front};
    struct recording ageing = {run, CMP_AGEING, front_with_rep};
    cmp_attempt_each(a, 'M', record_measure, &measures);
    cmp_attempt_each(a, 'S', record_line, &space);
    cmp_attempt_each(a, 'L', record_line, &latency);
    cmp_attempt_each(a, 'T', record_line, &timeline);
    cmp_attempt_each(a, 'O', record_line, &open_loop);
    cmp_attempt_each(a, 'W', record_line, &ageing);
    cmp_attempt_each(a, 'C', count_check, &run->facts);
    run->facts.answers += a->answers;
}

static void record_void(struct run *run, const char *engine,
                        const char *workload, const char *rep,
                        const char *reason)
{
    kv_buf row = {0};
    kv_buf_printf(&row, "%s\t%s\t%s\t%s%c", engine, workload, rep, reason,
                  '\0');
    cmp_results_row(&run->results, CMP_VOID, (char *)row.data);
    kv_buf_free(&row);
}

static void judge(struct run *run, cmp_attempt *a, const cmp_trial *trial)
{
    const char *engine = trial->engine->label;
    const char *workload = trial->workload->name;
    char rep[16], line[900];
    snprintf(rep, sizeof rep, "%u", trial->rep);
    switch (a->verdict) {
    case CMP_VALID:
        record(run, a, trial);
        if (trial->kind == CMP_TIME) {
            cmp_summary_add(&run->summary, engine, workload,
                            cmp_attempt_value(a, "run", "ops_per_s"));
        }
        return;
    case CMP_NOT_APPLICABLE:
        // The same in every repetition: once is enough.
        if (trial->rep == 0) {
            record_void(run, engine, workload, "NA", a->reason);
        }
        return;
    case CMP_VOIDED:
        break;
    }
    record_void(run, engine, workload, rep, a->reason);
    cmp_facts_note_failure(&run->facts, a->reason);
    snprintf(line, sizeof line, "VOID  %s, %s, rep %s: %s", engine, workload,
             rep, a->reason);
    cmp_progress_note(&run->progress, line);
    run->has_failed = true;
    run->must_stop = a->is_full || a->is_stopped;
}

// "share offered achieved ..."
static void take_speed(void *arg, char *line)
{
    double *speed = arg;
    if (sscanf(line, "%*s %*s %lf", speed) != 1) *speed = 0;
}

static void try_trial(struct run *run, const cmp_trial *trial)
{
    const cmp_options *o = run->options;
    cmp_attempt attempt;
    cmp_progress_start(&run->progress, trial->workload->name,
                       trial->engine->label, trial->rep);
    cmp_attempt_run(&attempt, trial, o->limit_s, cmp_progress_tick,
                    &run->progress);
    judge(run, &attempt, trial);
    if (trial->kind == CMP_DELAY) {
        double *speed = &run->closed_per_s[trial->engine - o->engine];
        *speed = 0;
        if (attempt.verdict == CMP_VALID) {
            cmp_attempt_each(&attempt, 'O', take_speed, speed);
        }
    }
    double rate = attempt.verdict == CMP_VALID && trial->kind == CMP_TIME
                      ? cmp_attempt_value(&attempt, "run", "ops_per_s")
                      : 0;
    cmp_progress_step(&run->progress, rate);
    cmp_attempt_free(&attempt);
}

// Repetition 0 counts, the next `reps` are timed, then one has a clock, then
// come the open loops at their shares of the speed that was measured.
static void try_once(struct run *run, const cmp_engine *engine,
                     const cmp_workload *workload, unsigned rep)
{
    const cmp_options *o = run->options;
    cmp_trial trial = {.setup = &o->setup,
                       .engine = engine,
                       .workload = workload,
                       .kind = rep == 0         ? CMP_COUNT
                               : rep <= o->reps ? CMP_TIME
                                                : CMP_DELAY,
                       .rep = rep,
                       .dir = (char *)run->scratch.data};
    if (rep > o->reps + 1) {
        double speed = run->closed_per_s[engine - o->engine];
        if (!(speed > 0)) {
            cmp_progress_step(&run->progress, 0);
            return;
        }
        trial.kind = CMP_PACED;
        trial.share = o->rate[rep - o->reps - 2];
        trial.rate = trial.share * speed;
        trial.seconds = o->open_s;
    }
    try_trial(run, &trial);
}

static void try_all(struct run *run)
{
    const cmp_options *o = run->options;
    // Where a row was lost, those to come would be, too.
    for (cmp_step s = {0}; run->results.error == 0 && cmp_plan_next(o, &s);) {
        try_once(run, &o->engine[s.engine], &o->workload[s.workload], s.rep);
        if (run->must_stop || cmp_was_stopped()) return;
        run->facts.steps++;
    }
}

static void name_absent(struct run *run)
{
    const cmp_options *o = run->options;
    for (size_t e = 0; e < o->engine_count; e++) {
        if (o->engine[e].engine != NULL) continue;
        record_void(run, o->engine[e].label, "*", "NA", o->engine[e].absent);
        fprintf(stderr, "%s: %s\n", o->engine[e].label, o->engine[e].absent);
    }
}

static int finish(struct run *run)
{
    cmp_options *o = run->options;
    cmp_facts_write_end(&run->facts, &run->results);
    kv_status st = cmp_results_close(&run->results);
    if (st != KV_OK) {
        fprintf(stderr, "compare: %s\n", kv_last_error());
        run->has_failed = true;
    }
    cmp_summary_print(&run->summary, stdout);
    // A share's page would show holes; merge.h draws the whole.
    bool has_page = st == KV_OK && !o->no_page && o->shares == 1;
    if (has_page && cmp_report(o->out) != KV_OK) {
        fprintf(stderr, "compare: the page was not made: %s\n",
                kv_last_error());
        run->has_failed = true;
    }
    printf("%s: %s\n", run->has_failed ? "some of it failed" : "all is there",
           o->out);
    return run->has_failed ? 3 : 0;
}

int cmp_run(cmp_options *o)
{
    struct run run = {.options = o};
    if (cmp_plan_check(o) != KV_OK) {
        fprintf(stderr, "compare: %s\n", kv_last_error());
        return 2;
    }
    if (cmp_results_open(&run.results, o->out) != KV_OK) {
        fprintf(stderr, "compare: %s\n", kv_last_error());
        return 3;
    }
    kv_buf_printf(&run.scratch, "%s/store%c", o->out, '\0');
    cmp_catch_stop();
    cmp_facts_write_begin(&run.facts, o, &run.results);
    name_absent(&run);
    cmp_progress_begin(&run.progress, run.facts.steps_due, !o->no_progress);
    cmp_summary_init(&run.summary, o);
    try_all(&run);
    cmp_progress_end(&run.progress);
    int code = finish(&run);
    cmp_summary_free(&run.summary);
    kv_buf_free(&run.scratch);
    return code;
}
