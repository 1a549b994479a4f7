// progress.c -- see progress.h.
// SPDX-License-Identifier: MIT

#include "compare/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

#include "compare/child.h"

void cmp_progress_begin(cmp_progress *p, unsigned total, bool may_redraw)
{
    const char *terminal = getenv("TERM");
    bool is_dumb = terminal != NULL && strcmp(terminal, "dumb") == 0;
    *p = (cmp_progress){.total = total, .start_ns = kv_now_ns()};
    p->redraws = may_redraw && !is_dumb && getenv("CI") == NULL &&
                 cmp_is_terminal(stderr);
}

static unsigned seconds_left(const cmp_progress *p)
{
    double elapsed = (double)(kv_now_ns() - p->start_ns) / 1e9;
    double each = p->done > 0 ? elapsed / p->done : 0;
    return (unsigned)(each * (p->total - p->done) + 0.5);
}

static void print_left(const cmp_progress *p)
{
    if (p->done == 0) return;
    unsigned left = seconds_left(p);
    fprintf(stderr, "   %u:%02u left", left / 60, left % 60);
}

void cmp_progress_tick(void *progress)
{
    const cmp_progress *p = progress;
    if (!p->redraws) return;
    fprintf(stderr, "\r\033[K[%3u/%u] %s", p->done + 1, p->total, p->doing);
    if (p->last_rate > 0) fprintf(stderr, "   %.0f ops/s", p->last_rate);
    print_left(p);
    fflush(stderr);
}

void cmp_progress_start(cmp_progress *p, const char *workload,
                        const char *engine, unsigned rep)
{
    snprintf(p->doing, sizeof p->doing, "%s, %s, rep %u", workload, engine,
             rep);
    if (!p->redraws && strcmp(p->workload, workload) != 0) {
        fprintf(stderr, "[%3u/%u] %s", p->done + 1, p->total, workload);
        print_left(p);
        fputc('\n', stderr);
    }
    snprintf(p->workload, sizeof p->workload, "%s", workload);
    cmp_progress_tick(p);
}

void cmp_progress_step(cmp_progress *p, double operations_per_s)
{
    p->done++;
    p->last_rate = operations_per_s;
}

void cmp_progress_note(cmp_progress *p, const char *line)
{
    fprintf(stderr, "%s%s\n", p->redraws ? "\r\033[K" : "", line);
}

void cmp_progress_end(cmp_progress *p)
{
    if (p->redraws) fputs("\r\033[K", stderr);
}
