// trees.h -- trees of a known shape, and what the formulas expect of a tree as
// it stands: the dotted lines beside what it wrote and read.
// SPDX-License-Identifier: MIT
//
// A formula needs the tree's own shape: how many records a memtable took, how
// large each level may become, how many pages the cache holds. These come from
// the store's reports, so that theory and measurement speak of the same tree.

#ifndef COMPARE_CLAIMS_TREES_H
#define COMPARE_CLAIMS_TREES_H

#include "compare/claims/bench.h"
#include "compare/theory.h"

// The reference: data of so many memtables, tables as large as one.
enum { CMP_TREE_MEMTABLES = 122 };

// Stage 4 with these knobs and such a shape, loaded with records of 128 bytes;
// `bits` of filter per key.
KV_MUST_USE kv_status cmp_tree_load(cmp_bench *b, cmp_specimen *s,
                                    const char *knobs, unsigned bits,
                                    uint32_t records);

// Bytes written / bytes given that updates of keys with that popularity cost
// this leveled tree (cmp_theory_leveled_wa): as the user gave them, `user`
// bytes per record.
double cmp_tree_expected(const cmp_specimen *s, const cmp_popularity *p,
                         double user);
// The same of every key alike.
double cmp_tree_expected_uniform(const cmp_specimen *s, double user);
// The same of a tiered tree (cmp_theory_tiered_wa, for inserts).
double cmp_tree_expected_tiered(const cmp_specimen *s, double runs_per_tier,
                                double user);

// The share of stage 5's leaves that its cache has frames for, those for the
// pages above the leaves taken off; 1 at most.
double cmp_pages_cached(const cmp_specimen *s);
// Bytes written / bytes given of uniform updates, if only evictions write pages
// (cmp_theory_btree_wa); NAN if all leaves are cached, for then checkpoints do.
double cmp_pages_expected(const cmp_specimen *s, double user);

#endif
