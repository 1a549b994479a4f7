// claim.h -- one of the book's claims as an experiment with a verdict.
// SPDX-License-Identifier: MIT
//
// A claim is told in our own words, with the title of its section in both
// editions. Its experiment runs stores on a bench (bench.h), notes points for a
// chart, and checks figures against what the claim, or theory.h, expects:
//
//     confirmed      every check holds
//     depends        the claim holds under a condition that the checks name
//     contradicted   a check fails here: the figures say by how much
//     not tried      an engine or a tool it needs is not there
//
// A study (S04; studies.c) is an experiment that asks without claiming: it has
// points for a chart, needs no checks, and comes out "measured".
//
// Book: "Storage and Retrieval", of both editions (notes/book-map.md)

#ifndef COMPARE_CLAIMS_CLAIM_H
#define COMPARE_CLAIMS_CLAIM_H

#include "compare/claims/bench.h"

typedef struct cmp_claim {
    const char *id;     // "C07"
    const char *text;   // the claim
    const char *first;  // the section's title in the first edition
    const char *second; // and in the second
    const char *setup;  // what is done to find out
    const char *x, *y;  // what the chart's axes are, with units
    // Verdicts rest on counters alone: the same on every machine.
    bool is_counted;
    kv_status (*run)(cmp_bench *bench);
} cmp_claim;

// A NULL id ends each; catalog.c has the list of them.
extern const cmp_claim cmp_claims_of_indexes[];
extern const cmp_claim cmp_claims_of_logs[];
extern const cmp_claim cmp_claims_of_filters[];
extern const cmp_claim cmp_claims_of_compaction[];
extern const cmp_claim cmp_claims_of_ranges[];
extern const cmp_claim cmp_claims_of_compression[];
extern const cmp_claim cmp_claims_of_merging[];
extern const cmp_claim cmp_claims_of_recovery[];
extern const cmp_claim cmp_claims_of_sorted_files[];
extern const cmp_claim cmp_claims_of_trees[];
extern const cmp_claim cmp_studies[];
extern const cmp_claim cmp_claims_of_crashes[];
extern const cmp_claim cmp_claims_of_tails[];
extern const cmp_claim cmp_claims_of_growth[];
extern const cmp_claim cmp_claims_of_layouts[];
extern const cmp_claim cmp_claims_of_snapshots[];
extern const cmp_claim cmp_claims_of_memory[];
extern const cmp_claim cmp_claims_of_devices[];
extern const cmp_claim cmp_claims_of_values[];

// Every claim, in the order of their numbers; NULL past the last.
const cmp_claim *cmp_claim_at(size_t index);

#endif
