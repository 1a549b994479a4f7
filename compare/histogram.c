// histogram.c -- see histogram.h.
// SPDX-License-Identifier: MIT

#include "compare/histogram.h"

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
    // How many values may lie above; rounding down keeps the last value in.
    uint64_t above = (uint64_t)((1.0 - q) * (double)h->count);
    uint64_t rank = h->count - (above < h->count ? above : h->count - 1);
    uint64_t seen = 0;
    unsigned i = 0;
    while ((seen += h->bucket[i]) < rank) i++;
    uint64_t edge = cmp_histogram_edge(i);
    return edge < h->max ? edge : h->max;
}
