// histogram.c -- see histogram.h.
// SPDX-License-Identifier: MIT

#include "compare/histogram.h"

#include <math.h>

void cmp_histogram_merge(cmp_histogram *to, const cmp_histogram *from)
{
    to->count += from->count;
    if (from->max > to->max) to->max = from->max;
    for (unsigned i = 0; i < CMP_HISTOGRAM_BUCKETS; i++) {
        to->bucket[i] += from->bucket[i];
    }
}

uint64_t cmp_histogram_edge(unsigned index)
{
    if (index < 256) return index;
    unsigned shift = index / 128 - 1;
    uint64_t past = (uint64_t)index - 128 * shift + 1;
    return (past << shift) - 1; // the last bucket's is 2^64 - 1, by wrapping
}

uint64_t cmp_histogram_quantile(const cmp_histogram *h, double q)
{
    if (h->count == 0) return 0;
    // A hair below, for 0.07 * 100 is more than 7 to a computer.
    double exact = ceil(q * (double)h->count - 1e-6);
    uint64_t rank = exact > 1 ? (uint64_t)exact : 1;
    uint64_t seen = 0;
    unsigned i = 0;
    while ((seen += h->bucket[i]) < rank) i++;
    uint64_t edge = cmp_histogram_edge(i);
    return edge < h->max ? edge : h->max;
}
