// chooser.h -- which record comes next: the ways a workload picks among them.
// SPDX-License-Identifier: MIT
//
//   uniform     each record as often as any other
//   zipf        the record of rank r in proportion to 1 / r^s; s is 0.99 if
//               nothing else is said, and may be above 1
//   ycsb-zipf   what YCSB calls zipfian: ranks of 10^10 imaginary records,
//               hashed onto those there are, so that the hottest gets 3.78 %
//               (with zipf over a million records: 6.5 %)
//   latest      zipf counted back from the record inserted last
//   hotspot     a share of the records gets a share of the requests: 20 % of
//               them 80 %, if nothing else is said
//   sequential  one after the other
//   hot-ranges  thirty equal ranges of keys, a few of them hot, and in each a
//               few keys hot: the records are numbered by their keys. The
//               weights are those of the prefix_dist model of Cao et al.,
//               "Characterizing, Modeling, and Benchmarking RocksDB Key-Value
//               Workloads at Facebook" (FAST 2020)
//
// Zipf numbers of 0.99 come from Gray et al., "Quickly generating
// billion-record synthetic databases" (SIGMOD 1994), as YCSB's do: one power
// per number, no table. Other exponents come from Hörmann and Derflinger,
// "Rejection-inversion to generate variates from monotone discrete
// distributions" (1996), which takes any of them.

#ifndef COMPARE_CHOOSER_H
#define COMPARE_CHOOSER_H

#include "common/rng.h"
#include "common/status.h"

#define CMP_PATTERN_LIST(X)                                                    \
    X(CMP_UNIFORM, "uniform")                                                  \
    X(CMP_ZIPF, "zipf")                                                        \
    X(CMP_YCSB_ZIPF, "ycsb-zipf")                                              \
    X(CMP_LATEST, "latest")                                                    \
    X(CMP_HOTSPOT, "hotspot")                                                  \
    X(CMP_SEQUENTIAL, "sequential")                                            \
    X(CMP_RANGES, "hot-ranges")

#define CMP_THETA 0.99

typedef enum cmp_pattern {
#define X(code, word) code,
    CMP_PATTERN_LIST(X)
#undef X
} cmp_pattern;

typedef struct cmp_chooser {
    cmp_pattern pattern;
    double hot_data, hot_requests; // of hotspot; shares
    double exponent;               // of zipf; CMP_THETA if nothing else is said
    kv_rng rng;
    uint64_t zipf_items; // what the numbers below are for
    double zeta, alpha, eta;
    uint64_t next;      // of sequential
    double range_total; // of hot-ranges: the sum of their weights
} cmp_chooser;

void cmp_chooser_init(cmp_chooser *c, cmp_pattern pattern, uint64_t seed);
// A record of 0..count-1, in the order they were inserted; of hot-ranges, in
// the order of their keys. Requires count > 0; fastest when it is the count of
// the call before or a little more.
uint64_t cmp_choose(cmp_chooser *c, uint64_t count);

// 64-bit FNV-1a of a number's eight bytes: how YCSB scatters its ranks.
uint64_t cmp_fnv64(uint64_t n);

#endif
