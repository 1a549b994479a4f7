// theory.h -- what the field's formulas expect, beside what is measured.
// SPDX-License-Identifier: MIT
//
// Pure functions of plain numbers, so that a chart can draw a dotted line over
// its measurement and a claim can be judged. Amplifications are ratios with 1
// as the best; bytes are bytes, records are records. Every write amplification
// here includes the log, once.
//
// Letters, the same in every function:
//
//   a   bytes an engine writes for a record / bytes the user gave (framing)
//   n   flushes so far: data / memtable
//   T   size ratio between levels, or runs per tier
//   E   user's bytes per record            P   bytes per page or block
//   N   records                            b   bits of filter per key
//
// Sources, by the names used below:
//   Monkey        Dayan, Athanassoulis, Idreos, SIGMOD 2017
//   Lim           Lim, Andersen, Kaminsky, FAST 2016
//   LFS           Rosenblum, Ousterhout, TOCS 1992
//   WiscKey       Lu et al., FAST 2016
//   CIDR'17       Dong et al., Optimizing Space Amplification in RocksDB
//   derived       by the arithmetic in the comment
//
// Book: "Storage and Retrieval", the parts on comparing B-trees and LSM-trees.

#ifndef COMPARE_THEORY_H
#define COMPARE_THEORY_H

#include <stddef.h>

// ---- logs with an index in memory -------------------------------------------

// All immutable segments are merged when a share `garbage` (0..1) of them is
// dead. Each merge writes the live 1-g for each g of new garbage, so a user
// byte is written 1 + (1-g)/g = 1/g times. Derived.
double cmp_theory_log_merge_wa(double a, double garbage);
// Bytes on disk / live bytes: between merges on the mean, and at the worst
// moment, when old and new copies are both there. Derived.
double cmp_theory_log_merge_space(double garbage);
double cmp_theory_log_merge_peak(double garbage);

// Cleaning one segment at a time, the one with most garbage first, updates
// uniform, within a space budget A (bytes on disk / live bytes, over 1). The
// live share u of a victim solves u = exp(-(1-u) A). LFS; derived.
double cmp_theory_log_clean_live(double budget);
// What cleaning then writes: a / (1 - u).
double cmp_theory_log_clean_wa(double a, double budget);

// Bytes read to open by hints / bytes of the log: keys and `hint` bytes of
// place instead of keys and values. Derived.
double cmp_theory_hint_share(double key, double record, double hint);

// ---- sorted segments --------------------------------------------------------

// Insert-only, everything merged into one segment at each flush: the i-th
// flush rewrites i memtables, so 1 + (n+1)/2. Derived.
double cmp_theory_merge_all_wa(double flushes);
// The same for updates of a fixed set of keys: each flush rewrites it all.
double cmp_theory_merge_all_update_wa(double flushes);
// Insert-only, everything merged at every k-th flush. Derived.
double cmp_theory_merge_every_wa(double flushes, double every);

// ---- log-structured merge-trees ---------------------------------------------

// Size-tiered, insert-only: each entry is written to the log, by the flush, and
// once per tier. Monkey's amortized view, with whole tiers.
double cmp_theory_tiered_wa(double flushes, double runs_per_tier);

// The rule of thumb for leveled compaction: log, flush, and T per level.
double cmp_theory_leveled_worst_wa(double levels, double size_ratio);

// How often each key is asked for: classes of keys of equal chance.
typedef struct cmp_popularity {
    double keys;
    struct cmp_key_class {
        double chance, count;
    } * classes;
    size_t count;
} cmp_popularity;

// Every key alike; or Zipf: the i-th most popular key's chance is ~ i^-s.
cmp_popularity cmp_popularity_uniform(double keys);
cmp_popularity cmp_popularity_zipf(size_t keys, double s);
void cmp_popularity_free(cmp_popularity *p);

// Different keys among q requests, and how many requests show u different keys
// (INFINITY if u is all of them). Lim, section 4.
double cmp_theory_unique(const cmp_popularity *p, double requests);
double cmp_theory_unique_inverse(const cmp_popularity *p, double unique);

enum { CMP_THEORY_LEVELS = 12 };

// A LevelDB-like tree in a steady state of updates. Sizes are in records; the
// last level holds all keys.
typedef struct cmp_leveled {
    double memtable;                // records
    double trigger;                 // memtables in level 0 that start a merge
    double size[CMP_THEORY_LEVELS]; // of levels 1, 2, ..; the last is ignored
    size_t levels;                  // below level 0
} cmp_leveled;

// Lim, section 4: log, flush, level 0 to 1, and from each level to the next
// with whole files' false overlap. 25.82 for the paper's configuration.
// `terms`, if not NULL, gets these parts in order: levels + 2 of them.
double cmp_theory_leveled_wa(const cmp_popularity *p, const cmp_leveled *tree,
                             double *terms);

// The least bytes on disk / live bytes when the last level is full: obsolete
// entries are at most the levels above it. CIDR'17: T / (T-1).
double cmp_theory_leveled_space(double size_ratio);

// Values in a log of their own, keys and places in a tree: a key's bytes in the
// tree are written `tree_wa` times, a record's in the log `log_wa` times; per
// `user` byte of the record. WiscKey, section 3: 10 for keys of 16 B and 1 for
// values of 1 KB make 1.14.
double cmp_theory_apart_wa(double tree_wa, double tree_bytes, double log_wa,
                           double log_bytes, double user);

// ---- filters and reads ------------------------------------------------------

// False positives of a Bloom filter of b bits per key with the best whole
// number of probes. 1 without bits.
double cmp_theory_bloom(double bits);
// Reads of data blocks for an absent key in `runs` runs with such filters:
// the sum of their chances. Monkey, equation 3.
double cmp_theory_miss_reads(double runs, double bits);
// For a key in the oldest run: Monkey, equation 9.
double cmp_theory_oldest_reads(double runs, double bits);
// Monkey's bits for level i of L (1 the smallest) when all filters together
// have `bits` per key: chances proportional to the levels' sizes.
double cmp_theory_monkey_bits(double bits, size_t level, size_t levels,
                              double size_ratio);
// Blocks for a scan of `rows`: one per run, and the rows' own. Monkey, eq. 11.
double cmp_theory_scan_reads(double runs, double rows, double rows_per_block);

// ---- B-trees ----------------------------------------------------------------

// Entries of `entry` bytes and a slot that fit in a page behind its header.
double cmp_theory_page_entries(double page, double header, double entry,
                               double slot);
// Pages from root to leaf, both included, for N records: leaves hold
// capacity * fill records, inner pages fan_out * fill children.
double cmp_theory_btree_height(double records, double capacity, double fan_out,
                               double fill);
// Records (or leaf bytes) that fit below `levels` levels of branching.
double cmp_theory_btree_reach(double per_leaf, double fan_out, double levels);
// Share of a random load's pages that is full: ln 2. Yao, Acta Informatica,
// 1978.
double cmp_theory_btree_fill(void);

// Page writes per uniform update, as bounds: `cached` is the share of leaves
// in memory, `interval` the updates per checkpoint / leaves. Evictions cause
// 1-cached, checkpoints (1-e^-x)/x; together at least the larger of them, at
// most their sum or 1. Derived.
typedef struct cmp_bounds {
    double low, high;
} cmp_bounds;

cmp_bounds cmp_theory_btree_page_writes(double cached, double interval);
// Log, pages, splits (two pages each, `splits` of them per update), and whole
// images of pages in the log, `images` per update.
double cmp_theory_btree_wa(double a, double page_writes, double page, double E,
                           double splits, double images);
// The record size at which page_writes * P / E + 1 equals the LSM-tree's.
double cmp_theory_crossover(double page_writes, double page, double lsm_wa);

// Copy-on-write: pages written by a commit of `batch` random updates to a tree
// with nodes[0] leaves, nodes[1] pages above them, .. and a meta page.
double cmp_theory_cow_pages(const double *nodes, size_t levels, double batch);
double cmp_theory_cow_wa(const double *nodes, size_t levels, double batch,
                         double page, double E);

// ---- time: guide lines only -------------------------------------------------

// The most user bytes a second that a device's `bandwidth` allows. Lim, fig. 3.
double cmp_theory_write_limit(double bandwidth, double wa);
// Commits a second when `group` of them share a sync of `sync` seconds and each
// takes `record` seconds itself. Derived.
double cmp_theory_commit_rate(double sync, double group, double record);

#endif
