// catalog.c -- every claim, whichever file it is written in.
// SPDX-License-Identifier: MIT

#include <string.h>

#include "compare/claims/claim.h"

static const cmp_claim *const groups[] = {
    cmp_studies,
    cmp_claims_of_logs,
    cmp_claims_of_indexes,
    cmp_claims_of_sorted_files,
    cmp_claims_of_filters,
    cmp_claims_of_compaction,
    cmp_claims_of_ranges,
    cmp_claims_of_trees,
    cmp_claims_of_crashes,
    cmp_claims_of_tails,
    cmp_claims_of_growth,
    cmp_claims_of_layouts,
    cmp_claims_of_snapshots,
    cmp_claims_of_memory,
    cmp_claims_of_devices,
    cmp_claims_of_values,
    cmp_claims_of_recovery,
    cmp_claims_of_merging,
    cmp_claims_of_compression,
};
enum { GROUPS = sizeof groups / sizeof *groups };

// The claim with the least number above `id`.
static const cmp_claim *claim_after(const char *id)
{
    const cmp_claim *next = NULL;
    for (size_t g = 0; g < GROUPS; g++) {
        for (const cmp_claim *c = groups[g]; c->id != NULL; c++) {
            if (strcmp(c->id, id) <= 0) continue;
            if (next == NULL || strcmp(c->id, next->id) < 0) next = c;
        }
    }
    return next;
}

const cmp_claim *cmp_claim_at(size_t index)
{
    const cmp_claim *claim = claim_after("");
    while (claim != NULL && index-- > 0) claim = claim_after(claim->id);
    return claim;
}
