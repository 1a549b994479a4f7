// summary.c -- see summary.h.
// SPDX-License-Identifier: MIT

#include "compare/summary.h"

#include <math.h>
#include <stdlib.h>

#include "common/mem.h"

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

double cmp_median(double *numbers, unsigned count)
{
    if (count == 0) return NAN;
    qsort(numbers, count, sizeof *numbers, by_size);
    return (numbers[(count - 1) / 2] + numbers[count / 2]) / 2;
}

void cmp_summary_init(cmp_summary *s, const cmp_options *o)
{
    size_t cells = o->workload_count * o->engine_count;
    s->options = o;
    s->rate = kv_zalloc((cells * o->reps + 1) * sizeof *s->rate);
    s->count = kv_zalloc((cells + 1) * sizeof *s->count);
}

void cmp_summary_add(cmp_summary *s, const char *engine, const char *workload,
                     double operations_per_s)
{
    const cmp_options *o = s->options;
    size_t w = 0, e = 0;
    while (strcmp(o->workload[w].name, workload) != 0) w++;
    while (strcmp(o->engine[e].label, engine) != 0) e++;
    size_t cell = w * o->engine_count + e;
    // A name that is given twice has its first place full in the end.
    if (s->count[cell] == o->reps) return;
    s->rate[cell * o->reps + s->count[cell]++] = operations_per_s;
}

void cmp_warn_of_build(FILE *to)
{
    if (strncmp(CMP_BUILD, "Rel", 3) == 0) return;
    fputs("this build is for tests, and several times slower than the engines "
          "are: make programs\nbuilds those to measure, in "
          "build/release/bin\n",
          to);
}

void cmp_summary_print(const cmp_summary *s, FILE *to)
{
    const cmp_options *o = s->options;
    cmp_warn_of_build(to);
    fprintf(to, "%-22s", "thousand ops/s");
    for (size_t e = 0; e < o->engine_count; e++) {
        if (o->engine[e].engine == NULL) continue;
        fprintf(to, " %10.10s", o->engine[e].label);
    }
    fputc('\n', to);
    for (size_t w = 0; w < o->workload_count; w++) {
        fprintf(to, "%-22.22s", o->workload[w].name);
        for (size_t e = 0; e < o->engine_count; e++) {
            if (o->engine[e].engine == NULL) continue;
            size_t cell = w * o->engine_count + e;
            if (s->count[cell] == 0) {
                fprintf(to, " %10s", "n/a");
                continue;
            }
            double median =
                cmp_median(s->rate + cell * o->reps, s->count[cell]);
            // Operations that take milliseconds, as a walk over everything.
            fprintf(to, " %10.*f", median < 1000 ? 4 : 1, median / 1000);
        }
        fputc('\n', to);
    }
}

void cmp_summary_free(cmp_summary *s)
{
    kv_free(s->rate);
    kv_free(s->count);
    *s = (cmp_summary){0};
}
