// claims.h -- `compare claims`: the book's claims, tried one by one.
// SPDX-License-Identifier: MIT
//
// Leaves in the directory of the run, beside the tables of results.h:
//
//   claims.tsv   claim verdict text first second setup x y counted records
//                seed
//   checks.tsv   claim what measured relation expected verdict
//   points.tsv   claim series x y theory
//
// with cells as there. If the directory has a run, its page is drawn again,
// with the claims.

#ifndef COMPARE_CLAIMS_CLAIMS_H
#define COMPARE_CLAIMS_CLAIMS_H

// compare claims [--profile NAME] [--records N] [--seed N] [--out DIR]
// [ID ...]; without an id all of them. The program's exit code: 3 if a claim
// is contradicted or could not be tried through.
int cmp_claims(int argc, char **argv);

#endif
