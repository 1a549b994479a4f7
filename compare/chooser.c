// chooser.c -- see chooser.h.
// SPDX-License-Identifier: MIT

#include "compare/chooser.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

// YCSB's imaginary records, and the sum of 1 / r^0.99 over their ranks, which
// would take a minute to add up.
#define YCSB_ITEMS UINT64_C(10000000000)
#define YCSB_ZETA  26.46902820178302

void cmp_chooser_init(cmp_chooser *c, cmp_pattern pattern, uint64_t seed)
{
    *c = (cmp_chooser){.pattern = pattern,
                       .hot_data = 0.2,
                       .hot_requests = 0.8,
                       .exponent = CMP_THETA};
    kv_rng_seed(&c->rng, seed);
}

uint64_t cmp_fnv64(uint64_t n)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int i = 0; i < 8; i++) {
        hash ^= n >> (8 * i) & 0xff;
        hash *= UINT64_C(0x100000001b3);
    }
    return hash;
}

static void zipf_prepare(cmp_chooser *c, uint64_t items)
{
    if (items == YCSB_ITEMS) {
        c->zeta = YCSB_ZETA;
    } else {
        if (items < c->zipf_items) c->zipf_items = 0, c->zeta = 0;
        for (uint64_t r = c->zipf_items + 1; r <= items; r++) {
            c->zeta += 1 / pow((double)r, CMP_THETA);
        }
    }
    double zeta_of_2 = 1 + pow(0.5, CMP_THETA);
    c->alpha = 1 / (1 - CMP_THETA);
    c->eta = (1 - pow(2.0 / (double)items, 1 - CMP_THETA)) /
             (1 - zeta_of_2 / c->zeta);
    c->zipf_items = items;
}

// A rank of 0..items-1, 0 the most likely.
static uint64_t zipf_rank(cmp_chooser *c, uint64_t items)
{
    if (items != c->zipf_items) zipf_prepare(c, items);
    double u = kv_rng_unit(&c->rng);
    double sum = u * c->zeta;
    if (sum < 1) return 0;
    if (sum < 1 + pow(0.5, CMP_THETA)) return items > 1 ? 1 : 0;
    double rank = (double)items * pow(c->eta * u - c->eta + 1, c->alpha);
    return rank < (double)items ? (uint64_t)rank : items - 1;
}

// The integral of x^-s from 1 on, and its inverse.
static double integral(double s, double x)
{
    return s == 1 ? log(x) : (pow(x, 1 - s) - 1) / (1 - s);
}

static double inverse(double s, double y)
{
    return s == 1 ? exp(y) : pow(1 + (1 - s) * y, 1 / (1 - s));
}

// A number under the curve x^-s, rounded to a rank; kept if it also lies under
// the steps of the ranks, which it nearly always does.
static uint64_t any_zipf_rank(cmp_chooser *c, uint64_t items)
{
    double s = c->exponent;
    double low = integral(s, 1.5) - 1;
    double high = integral(s, (double)items + 0.5);
    double sure = 2 - inverse(s, integral(s, 2.5) - pow(2, -s));
    for (;;) {
        double y = high + kv_rng_unit(&c->rng) * (low - high);
        double x = inverse(s, y);
        double rank = floor(x + 0.5);
        if (rank < 1) rank = 1;
        if (rank > (double)items) rank = (double)items;
        if (rank - x <= sure || y >= integral(s, rank + 0.5) - pow(rank, -s)) {
            return (uint64_t)rank - 1;
        }
    }
}

enum { RANGES = 30 };

static double range_weight(unsigned rank) // 1 is the hottest
{
    return 14.18 * exp(-2.917 * rank) + 0.0164 * exp(-0.08082 * rank);
}

// The hot ranges do not lie together, and neither do the hot keys of one.
static uint64_t in_ranges(cmp_chooser *c, uint64_t count)
{
    if (count < RANGES) return kv_rng_below(&c->rng, count);
    for (unsigned r = 1; r <= RANGES && c->next == 0; r++) {
        c->range_total += range_weight(r);
    }
    c->next = 1; // the sum is there
    double left = kv_rng_unit(&c->rng) * c->range_total;
    unsigned rank = 1;
    while (rank < RANGES && (left -= range_weight(rank)) > 0) rank++;
    uint64_t range = (uint64_t)rank * 7 % RANGES;
    uint64_t first = count * range / RANGES;
    uint64_t size = count * (range + 1) / RANGES - first;
    double hot = pow(kv_rng_unit(&c->rng), 1 / 0.3467);
    return first + cmp_fnv64((uint64_t)(hot * (double)size)) % size;
}

static uint64_t hotspot(cmp_chooser *c, uint64_t count)
{
    uint64_t hot = (uint64_t)(c->hot_data * (double)count);
    bool goes_hot = kv_rng_unit(&c->rng) < c->hot_requests;
    if (hot == 0 || hot == count) return kv_rng_below(&c->rng, count);
    return goes_hot ? kv_rng_below(&c->rng, hot)
                    : hot + kv_rng_below(&c->rng, count - hot);
}

uint64_t cmp_choose(cmp_chooser *c, uint64_t count)
{
    assert(count > 0);
    switch (c->pattern) {
    case CMP_UNIFORM:
        return kv_rng_below(&c->rng, count);
    case CMP_ZIPF:
        return c->exponent == CMP_THETA ? zipf_rank(c, count)
                                        : any_zipf_rank(c, count);
    case CMP_YCSB_ZIPF:
        return cmp_fnv64(zipf_rank(c, YCSB_ITEMS)) % count;
    case CMP_LATEST:
        return count - 1 - zipf_rank(c, count);
    case CMP_HOTSPOT:
        return hotspot(c, count);
    case CMP_SEQUENTIAL:
        return c->next++ % count;
    case CMP_RANGES:
        return in_ranges(c, count);
    }
    assert(false && "a pattern of the list");
    return 0;
}
