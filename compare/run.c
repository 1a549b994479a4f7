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

// A step is over; its rate, or 0.
static void take_step(struct run *run, double operations_per_s)
{
    cmp_progress_step(&run->progress, operations_per_s);
    if (!run->must_stop && !cmp_was_stopped()) run->facts.steps++;
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
    take_step(run, rate);
    cmp_attempt_free(&attempt);
}

// Repetition 0 counts, the next `reps` are timed, then one has a clock, then
// come the open loops at their shares of the speed that was measured.
static cmp_trial make_trial(const struct run *run, const cmp_step *s)
{
    const cmp_options *o = run->options;
    unsigned clock = o->reps + 1;
    cmp_trial trial = {.setup = &o->setup,
                       .engine = &o->engine[s->engine],
                       .workload = &o->workload[s->workload],
                       .kind = s->rep == 0      ? CMP_COUNT
                               : s->rep < clock ? CMP_TIME
                                                : CMP_DELAY,
                       .rep = s->rep,
                       .dir = (char *)run->scratch.data};
    if (s->rep <= clock) return trial;
    trial.kind = CMP_PACED;
    trial.share = o->rate[s->rep - clock - 1];
    trial.rate = trial.share * run->closed_per_s[s->engine];
    trial.seconds = o->open_s;
    return trial;
}

static void try_alone(struct run *run, const cmp_step *s)
{
    cmp_trial trial = make_trial(run, s);
    bool has_rate = trial.kind != CMP_PACED || trial.rate > 0;
    if (has_rate) try_trial(run, &trial);
    else take_step(run, 0);
}

// Bytes that a workload's store may take on the way, with much to spare.
static uint64_t room_for(const cmp_options *o, const cmp_workload *w)
{
    enum { COPIES = 16, BASE = 256 << 20 };
    size_t key = w->key_bytes ? w->key_bytes : o->setup.key_bytes;
    size_t value = w->value_bytes ? w->value_bytes : o->setup.value_bytes;
    double bytes = (double)(key + value) * o->setup.records * w->records;
    if (w->is_real) bytes = (double)(o->data.key_bytes + o->data.value_bytes);
    return BASE + COPIES * (uint64_t)bytes;
}

// Where trials that count have their stores: in memory if there is much room,
// for counters do not depend on what a disk is made of, and no sync waits.
static void name_directories(const struct run *run, cmp_trial *trial,
                             size_t count, kv_buf *dir)
{
    uint64_t room = 0;
    bool has_trace = false;
    for (size_t i = 0; i < count; i++) {
        room += room_for(run->options, trial[i].workload);
        has_trace = has_trace || trial[i].workload->trace != NULL;
    }
    kv_buf memory = {0};
    bool fits = !has_trace && cmp_memory_scratch(&memory, room);
    if (!fits) kv_buf_printf(&memory, "%s", (char *)run->scratch.data);
    kv_buf_append(&memory, kv_slice_of("", 1));
    for (size_t i = 0; i < count; i++) {
        kv_buf_printf(&dir[i], "%s-%zu%c", (char *)memory.data, i, '\0');
        trial[i].dir = (char *)dir[i].data;
    }
    kv_buf_free(&memory);
}

// What counts takes no time: a processor each.
static void count_together(struct run *run, const cmp_step *step, size_t count)
{
    cmp_trial trial[CMP_CHILDREN_MAX];
    cmp_attempt attempt[CMP_CHILDREN_MAX];
    kv_buf dir[CMP_CHILDREN_MAX] = {{0}};
    if (count == 0) return;
    for (size_t i = 0; i < count; i++) trial[i] = make_trial(run, &step[i]);
    name_directories(run, trial, count, dir);
    cmp_progress_start(&run->progress, trial[0].workload->name,
                       trial[0].engine->label, 0);
    cmp_attempts_run(attempt, trial, count, run->options->limit_s,
                     cmp_progress_tick, &run->progress);
    for (size_t i = 0; i < count; i++) {
        judge(run, &attempt[i], &trial[i]);
        take_step(run, 0);
        cmp_attempt_free(&attempt[i]);
        kv_buf_free(&dir[i]);
    }
}

static void try_all(struct run *run)
{
    cmp_step waiting[CMP_CHILDREN_MAX], s = {0};
    size_t count = 0, most = cmp_children_at_once();
    for (bool has_next = true; has_next;) {
        has_next = cmp_plan_next(run->options, &s);
        bool counts = has_next && s.rep == 0;
        if (counts) waiting[count++] = s;
        if (counts && count < most) continue;
        count_together(run, waiting, count);
        count = 0;
        // Where a row was lost, those to come would be, too.
        bool is_over = run->must_stop || run->results.error != 0;
        if (is_over || cmp_was_stopped()) return;
        if (has_next && !counts) try_alone(run, &s);
        if (run->must_stop || cmp_was_stopped()) return;
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

// Why guests have fewer rows.
static void name_guests(struct run *run)
{
    const cmp_options *o = run->options;
    kv_buf why = {0};
    kv_buf_printf(&why, "n/a: as a guest it ran only");
    for (size_t w = 0; w < o->workload_count; w++) {
        if (!o->workload[w].is_core) continue;
        kv_buf_printf(&why, " %s", o->workload[w].name);
    }
    kv_buf_printf(&why,
                  ", timed once; --engines with its name runs it in "
                  "full%c",
                  '\0');
    for (size_t e = 0; e < o->engine_count; e++) {
        if (!cmp_plan_spares(o, &o->engine[e])) continue;
        record_void(run, o->engine[e].label, "*", "NA", (char *)why.data);
    }
    kv_buf_free(&why);
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
    kv_buf cage = {0};
    cmp_attempts_cage(&o->setup, o->out, &cage);
    cmp_facts_write_begin(&run.facts, o, &run.results);
    name_absent(&run);
    name_guests(&run);
    cmp_progress_begin(&run.progress, run.facts.steps_due, !o->no_progress);
    cmp_summary_init(&run.summary, o);
    try_all(&run);
    cmp_progress_end(&run.progress);
    int code = finish(&run);
    cmp_summary_free(&run.summary);
    kv_buf_free(&run.scratch);
    cmp_attempts_uncage(&o->setup, &cage);
    return code;
}
