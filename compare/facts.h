// facts.h -- the manifest: what a reader of the figures has to know.
// SPDX-License-Identifier: MIT

#ifndef COMPARE_FACTS_H
#define COMPARE_FACTS_H

#include "compare/options.h"
#include "compare/results.h"

// The self-checks (scale.h), as they are called.
enum { CMP_CHECKS = 7 };

// What is counted while the run goes on.
typedef struct cmp_facts {
    uint64_t start_ns, answers;
    unsigned steps, steps_due; // of the plan (plan.h): done, and in all
    unsigned wrong_answers, failed_checks, other_failures;
    unsigned checks[CMP_CHECKS]; // phases in which each held
} cmp_facts;

void cmp_facts_write_begin(cmp_facts *f, const cmp_options *o, cmp_results *r);
// A self-check that held (scale.h), and a trial that was voided.
void cmp_facts_note_check(cmp_facts *f, const char *what);
void cmp_facts_note_failure(cmp_facts *f, const char *reason);
void cmp_facts_write_end(const cmp_facts *f, cmp_results *r);

// For runs that are joined: adds what cmp_facts_write_end wrote as `key`; false
// if that is none of its facts. Seconds are added up, too: those of all
// machines.
bool cmp_facts_take(cmp_facts *f, const char *key, const char *value);

#endif
