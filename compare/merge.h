// merge.h -- `compare merge`: the shares of a run, joined as if one machine had
// done it all.
// SPDX-License-Identifier: MIT
//
//     a/  share 1/3  ─┐                       ┌─ measures.tsv and all the other
//     b/  share 2/3  ─┼─▶ one run, or a   ──▶ ┤  tables, results.json, the page
//     c/  share 3/3  ─┘   sentence            └─ with who measured what
//
// Invariants
//   M1  A fact of the manifest is the same in every share, or it is one of
//       those that belong to the machine and the moment (merge.c lists them),
//       or a count that is added up. So an option that is new tomorrow is
//       compared without anybody thinking of it here.
//   M2  Every share of the n is there, once, and came to its end.
//   M3  Nothing is written before both were found true; no share is changed.
//
// What comes from counting is what one machine would have counted. Speeds and
// delays are those of the machine that ran the trial, which the page says.

#ifndef COMPARE_MERGE_H
#define COMPARE_MERGE_H

// compare merge DIR... --out DIR [--no-page]. The exit code: 0 done, 2 these
// are not the shares of one run (said which directory, and what differs), 3
// something failed, here or in a share.
int cmp_merge(int argc, char **argv);

#endif
