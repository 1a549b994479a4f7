// chooser.c -- see chooser.h.
// SPDX-License-Identifier: MIT

#include "compare/chooser.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#define THETA 0.99

// YCSB's imaginary records, and the sum of 1 / r^0.99 over their ranks, which
// would take a minute to add up.
#define YCSB_ITEMS UINT64_C(10000000000)
#define YCSB_ZETA  26.46902820178302

void cmp_chooser_init(cmp_chooser *c, cmp_pattern pattern, uint64_t seed)
{
    *c =
        (cmp_chooser){.pattern = pattern, .hot_data = 0.2, .hot_requests = 0.8};
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
            c->zeta += 1 / pow((double)r, THETA);
        }
    }
    double zeta_of_2 = 1 + pow(0.5, THETA);
    c->alpha = 1 / (1 - THETA);
    c->eta =
        (1 - pow(2.0 / (double)items, 1 - THETA)) / (1 - zeta_of_2 / c->zeta);
    c->zipf_items = items;
}

// A rank of 0..items-1, 0 the most likely.
static uint64_t zipf_rank(cmp_chooser *c, uint64_t items)
{
    if (items != c->zipf_items) zipf_prepare(c, items);
    double u = kv_rng_unit(&c->rng);
    double sum = u * c->zeta;
    if (sum < 1) return 0;
    if (sum < 1 + pow(0.5, THETA)) return items > 1 ? 1 : 0;
    double rank = (double)items * pow(c->eta * u - c->eta + 1, c->alpha);
    return rank < (double)items ? (uint64_t)rank : items - 1;
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
        return zipf_rank(c, count);
    case CMP_YCSB_ZIPF:
        return cmp_fnv64(zipf_rank(c, YCSB_ITEMS)) % count;
    case CMP_LATEST:
        return count - 1 - zipf_rank(c, count);
    case CMP_HOTSPOT:
        return hotspot(c, count);
    case CMP_SEQUENTIAL:
        return c->next++ % count;
    }
    assert(false && "a pattern of the list");
    return 0;
}
