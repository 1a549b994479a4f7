// attempt.c -- see attempt.h.
// SPDX-License-Identifier: MIT

#include "compare/attempt.h"

#include <math.h>
#include <stdlib.h>

#include "compare/cage.h"
#include "compare/machine.h"

static void take_reason(void *arg, char *line)
{
    cmp_attempt *a = arg;
    snprintf(a->reason, sizeof a->reason, "%.590s", line);
}

static void take_answers(void *arg, char *line)
{
    cmp_attempt *a = arg;
    a->answers = strtoull(line, NULL, 10);
}

static void take_void(void *arg, char *line)
{
    cmp_attempt *a = arg;
    a->verdict = CMP_VOIDED;
    a->is_full = strncmp(line, "full: ", 6) == 0;
    take_reason(a, line);
}

static void take_not_applicable(void *arg, char *line)
{
    cmp_attempt *a = arg;
    a->verdict = CMP_NOT_APPLICABLE;
    take_reason(a, line);
}

// False if there is no directory to work in.
static bool prepare(cmp_attempt *a, const cmp_trial *trial)
{
    *a = (cmp_attempt){0};
    cmp_remove_tree(trial->dir);
    if (cmp_make_dir(trial->dir) == KV_OK) return true;
    a->verdict = CMP_VOIDED;
    snprintf(a->reason, sizeof a->reason, "failed: %.500s", kv_last_error());
    return false;
}

static void conclude(cmp_attempt *a, cmp_child *child)
{
    a->text = child->text;
    kv_buf_append(&a->text, kv_slice_of("", 1));
    a->is_stopped = child->ending == CMP_STOPPED;
    if (child->ending != CMP_ENDED_WELL) {
        a->verdict = CMP_VOIDED;
        take_reason(a, child->reason);
        return;
    }
    cmp_attempt_each(a, 'A', take_answers, a);
    cmp_attempt_each(a, 'N', take_not_applicable, a);
    cmp_attempt_each(a, 'V', take_void, a);
}

void cmp_attempts_run(cmp_attempt *a, cmp_trial *trial, size_t count,
                      unsigned limit_s, void (*tick)(void *), void *tick_arg)
{
    cmp_child child[CMP_CHILDREN_MAX];
    size_t of[CMP_CHILDREN_MAX], children = 0;
    for (size_t i = 0; i < count; i++) {
        if (!prepare(&a[i], &trial[i])) {
            kv_buf_append(&a[i].text, kv_slice_of("", 1));
            continue;
        }
        of[children] = i;
        child[children++] = (cmp_child){.work = cmp_trial_run,
                                        .arg = &trial[i],
                                        .limit_s = limit_s,
                                        .tick = tick,
                                        .tick_arg = tick_arg};
    }
    if (children > 0) cmp_children_run(child, children);
    for (size_t i = 0; i < children; i++) {
        cmp_remove_tree(trial[of[i]].dir);
        conclude(&a[of[i]], &child[i]);
    }
}

void cmp_attempt_run(cmp_attempt *a, const cmp_trial *trial, unsigned limit_s,
                     void (*tick)(void *), void *tick_arg)
{
    cmp_trial own = *trial;
    cmp_attempts_run(a, &own, 1, limit_s, tick, tick_arg);
}

void cmp_attempt_free(cmp_attempt *a)
{
    kv_buf_free(&a->text);
    *a = (cmp_attempt){0};
}

void cmp_attempts_cage(cmp_setup *setup, const char *dir, kv_buf *cage)
{
    if (setup->real_memory_bytes == 0) return;
    if (cmp_cage_make(cage, setup->real_memory_bytes, dir) == KV_OK) {
        setup->cage = (const char *)cage->data;
        return;
    }
    fprintf(stderr, "compare: --real-memory is passed over: %s\n",
            kv_last_error());
}

void cmp_attempts_uncage(cmp_setup *setup, kv_buf *cage)
{
    if (setup->cage != NULL) cmp_cage_remove(setup->cage);
    setup->cage = NULL;
    kv_buf_free(cage);
}

void cmp_attempt_each(cmp_attempt *a, char letter,
                      void (*each)(void *arg, char *line), void *arg)
{
    char *at = (char *)a->text.data;
    while (*at != '\0') {
        size_t len = strcspn(at, "\n");
        bool has_end = at[len] == '\n';
        if (at[0] == letter && at[1] == '\t') {
            char line[1024];
            snprintf(line, sizeof line, "%.*s", (int)len - 2, at + 2);
            each(arg, line);
        }
        at += len + has_end;
    }
}

double cmp_attempt_value(const cmp_attempt *a, const char *phase,
                         const char *measure)
{
    char want[160];
    snprintf(want, sizeof want, "M\t%s\t%s\t", phase, measure);
    const char *at = strstr((const char *)a->text.data, want);
    if (at == NULL || strncmp(at + strlen(want), "NA", 2) == 0) return NAN;
    return strtod(at + strlen(want), NULL);
}
