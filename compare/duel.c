// duel.c -- see duel.h.
// SPDX-License-Identifier: MIT

#include "compare/duel.h"

#include <math.h>

#include "common/mem.h"

#include "compare/attempt.h"
#include "compare/machine.h"
#include "compare/progress.h"
#include "compare/summary.h"

// What is printed of a workload: operations a second while it loads, while it
// runs, and with what the run left to be done later; where some threads only
// read and others only write, of both alone; and how many bytes are on disk in
// the end for each that is alive.
enum { ROWS = 6 };

static const struct {
    const char *word, *phase, *measure;
    int digits; // after the point
} rows[ROWS] = {
    {"load", "load", "ops_per_s", 0},       {"run", "run", "ops_per_s", 0},
    {"drained", "run", "drained_per_s", 0}, {"reads", "run", "reads_per_s", 0},
    {"writes", "run", "writes_per_s", 0},   {"space", "run", "sa_timed", 3},
};

// Of one workload, by row, side and repetition.
struct rounds {
    double *rate[ROWS][2];
    unsigned count;
};

static double least(const double *numbers, unsigned count)
{
    double least = INFINITY;
    for (unsigned i = 0; i < count; i++) least = fmin(least, numbers[i]);
    return least;
}

static double most(const double *numbers, unsigned count)
{
    double most = -INFINITY;
    for (unsigned i = 0; i < count; i++) most = fmax(most, numbers[i]);
    return most;
}

static void print_row(const struct rounds *r, int row)
{
    double *ratios = kv_alloc(r->count * sizeof *ratios);
    for (unsigned i = 0; i < r->count; i++) {
        ratios[i] = r->rate[row][0][i] / r->rate[row][1][i];
    }
    double low = least(ratios, r->count), high = most(ratios, r->count);
    int digits = rows[row].digits;
    printf("  %-7s %10.*f %12.*f   %.2f times (%.2f .. %.2f)\n", rows[row].word,
           digits, cmp_median(r->rate[row][0], r->count), digits,
           cmp_median(r->rate[row][1], r->count), cmp_median(ratios, r->count),
           low, high);
    kv_free(ratios);
}

static bool fight(cmp_options *o, const cmp_workload *w, unsigned rep, int side,
                  struct rounds *r, cmp_progress *progress)
{
    char dir[1200];
    snprintf(dir, sizeof dir, "%s/store", o->out);
    cmp_trial trial = {.setup = &o->setup,
                       .engine = &o->engine[side],
                       .workload = w,
                       .kind = CMP_TIME,
                       .rep = rep + 1,
                       .dir = dir};
    cmp_attempt attempt;
    cmp_progress_start(progress, w->name, o->engine[side].label, rep + 1);
    cmp_attempt_run(&attempt, &trial, o->limit_s, cmp_progress_tick, progress);
    bool is_valid = attempt.verdict == CMP_VALID;
    for (int row = 0; row < ROWS && is_valid; row++) {
        r->rate[row][side][rep] =
            cmp_attempt_value(&attempt, rows[row].phase, rows[row].measure);
    }
    cmp_progress_step(progress, is_valid ? r->rate[1][side][rep] : 0);
    if (!is_valid) {
        char line[800];
        snprintf(line, sizeof line, "%s: %s", o->engine[side].label,
                 attempt.reason);
        cmp_progress_note(progress, line);
    }
    cmp_attempt_free(&attempt);
    return is_valid;
}

static bool duel_on(cmp_options *o, const cmp_workload *w,
                    cmp_progress *progress)
{
    struct rounds r = {.count = o->reps};
    bool is_valid = true;
    for (int row = 0; row < ROWS; row++) {
        for (int side = 0; side < 2; side++) {
            r.rate[row][side] = kv_zalloc(o->reps * sizeof(double));
        }
    }
    for (unsigned rep = 0; rep < o->reps && is_valid; rep++) {
        int first = rep % 2;
        is_valid = fight(o, w, rep, first, &r, progress) &&
                   fight(o, w, rep, 1 - first, &r, progress);
    }
    if (is_valid) {
        cmp_progress_end(progress);
        printf("%s\n", w->name);
        for (int row = w->loads ? 0 : 1; row < ROWS; row++) {
            bool is_known =
                isfinite(r.rate[row][0][0]) && isfinite(r.rate[row][1][0]);
            if (is_known) print_row(&r, row);
        }
        fflush(stdout);
    }
    for (int row = 0; row < ROWS; row++) {
        for (int side = 0; side < 2; side++) kv_free(r.rate[row][side]);
    }
    return is_valid;
}

int cmp_duel(cmp_options *o)
{
    for (int side = 0; side < 2; side++) {
        if (o->engine[side].engine != NULL) continue;
        fprintf(stderr, "compare: %s\n", o->engine[side].absent);
        return 3;
    }
    if (cmp_make_dir(o->out) != KV_OK) {
        fprintf(stderr, "compare: %s\n", kv_last_error());
        return 3;
    }
    cmp_catch_stop();
    kv_buf cage = {0};
    cmp_attempts_cage(&o->setup, o->out, &cage);
    cmp_progress progress;
    cmp_progress_begin(&progress, (unsigned)o->workload_count * o->reps * 2,
                       !o->no_progress);
    cmp_warn_of_build(stdout);
    const cmp_setup *s = &o->setup;
    printf("A = %s, B = %s; %u records of %zu+%zu bytes, ", o->engine[0].label,
           o->engine[1].label, (unsigned)s->records, s->key_bytes,
           s->value_bytes);
    if (s->readers + s->writers > 0) {
        printf("%u threads read, %u write", (unsigned)s->readers,
               (unsigned)s->writers);
    } else {
        printf("%u thread%s", (unsigned)s->threads, s->threads == 1 ? "" : "s");
    }
    printf(", %u rounds in turns\n", o->reps);
    printf("  phase      A ops/s      B ops/s   A / B: median (min .. max)\n");
    int code = 0;
    for (size_t i = 0; i < o->workload_count && !cmp_was_stopped(); i++) {
        if (!duel_on(o, &o->workload[i], &progress)) code = 3;
    }
    cmp_progress_end(&progress);
    cmp_attempts_uncage(&o->setup, &cage);
    return code;
}
