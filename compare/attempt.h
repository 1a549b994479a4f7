// attempt.h -- one trial in a child process of its own, in a fresh directory,
// and what came of it.
// SPDX-License-Identifier: MIT

#ifndef COMPARE_ATTEMPT_H
#define COMPARE_ATTEMPT_H

#include "compare/child.h"
#include "compare/trial.h"

typedef enum cmp_verdict {
    CMP_VALID,
    CMP_NOT_APPLICABLE, // the engine cannot do this; `reason` says what
    CMP_VOIDED,         // the figures are worth nothing; `reason` says why
} cmp_verdict;

typedef struct cmp_attempt {
    cmp_verdict verdict;
    char reason[600];
    bool is_full, is_stopped;
    kv_buf text; // the trial's lines (trial.h), a NUL at the end
    uint64_t answers;
} cmp_attempt;

// `trial->dir` is made and removed. Free the attempt in any case.
void cmp_attempt_run(cmp_attempt *a, const cmp_trial *trial, unsigned limit_s,
                     void (*tick)(void *), void *tick_arg);
// The same for up to CMP_CHILDREN_MAX of them at once, each in its own
// directory: for trials that count, for what they find takes no time.
void cmp_attempts_run(cmp_attempt *a, cmp_trial *trial, size_t count,
                      unsigned limit_s, void (*tick)(void *), void *tick_arg);
void cmp_attempt_free(cmp_attempt *a);

// Makes the cage (cage.h) that the setup asks for, if it does. Where there can
// be none it says so, and trials run without. Undone by the second.
void cmp_attempts_cage(cmp_setup *setup, const char *dir, kv_buf *cage);
void cmp_attempts_uncage(cmp_setup *setup, kv_buf *cage);

// Calls `each` with every line of that letter, without it and its tab. The line
// may be changed.
void cmp_attempt_each(cmp_attempt *a, char letter,
                      void (*each)(void *arg, char *line), void *arg);
// The value of a measure; NAN if it is n/a or not there.
double cmp_attempt_value(const cmp_attempt *a, const char *phase,
                         const char *measure);

#endif
