// histogram.h -- how often each duration occurred, in fixed memory.
// SPDX-License-Identifier: MIT
//
// Buckets are as wide as 1/128 of where they begin:
//
//   ns      0 .. 255      one each
//           256 .. 511    128 buckets of 2
//           512 .. 1023   128 buckets of 4
//           ...           up to 2^64 - 1
//
// Invariants
//   H1  A value lies in its bucket: lower edge <= value <= upper edge.
//   H2  upper edge - lower edge < lower edge / 128 + 1: a quantile read from
//       here is at most 1 % above the true one and never below it.
//
// Percentiles of parts cannot be averaged; histograms of parts can be added.
//
// Book: "Describing Performance"

#ifndef COMPARE_HISTOGRAM_H
#define COMPARE_HISTOGRAM_H

#include <stdint.h>

enum { CMP_HISTOGRAM_BUCKETS = 256 + 56 * 128 };

// Zeroes are an empty one.
typedef struct cmp_histogram {
    uint64_t count, max;
    uint64_t bucket[CMP_HISTOGRAM_BUCKETS];
} cmp_histogram;

static inline unsigned cmp_histogram_index(uint64_t ns)
{
    if (ns < 256) return (unsigned)ns;
    unsigned shift = 56 - (unsigned)__builtin_clzll(ns);
    return 128 * shift + (unsigned)(ns >> shift);
}

static inline void cmp_histogram_add(cmp_histogram *h, uint64_t ns)
{
    h->count++;
    if (ns > h->max) h->max = ns;
    h->bucket[cmp_histogram_index(ns)]++;
}

void cmp_histogram_merge(cmp_histogram *to, const cmp_histogram *from);
// The largest value that falls into this bucket.
uint64_t cmp_histogram_edge(unsigned index);
// The value that a share `q` of all values does not exceed; 0 when empty.
uint64_t cmp_histogram_quantile(const cmp_histogram *h, double q);

#endif
