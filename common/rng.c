// rng.c -- see rng.h.
// SPDX-License-Identifier: MIT

#include "common/rng.h"

uint64_t kv_mix64(uint64_t n)
{
    n += 0x9e3779b97f4a7c15u;
    n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9u;
    n = (n ^ n >> 27) * 0x94d049bb133111ebu;
    return n ^ n >> 31;
}

void kv_rng_seed(kv_rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        r->state[i] = kv_mix64(seed + (uint64_t)i * 0x9e3779b97f4a7c15u);
    }
}

static uint64_t rotate_left(uint64_t n, int bits)
{
    return n << bits | n >> (64 - bits);
}

uint64_t kv_rng_next(kv_rng *r)
{
    uint64_t *s = r->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t kv_rng_below(kv_rng *r, uint64_t limit)
{
    if (limit == 0) return 0;
    // Numbers below `unfair` would make the first remainders likelier.
    uint64_t unfair = (0 - limit) % limit;
    uint64_t n = kv_rng_next(r);
    while (n < unfair) n = kv_rng_next(r);
    return n % limit;
}

double kv_rng_unit(kv_rng *r)
{
    return (double)(kv_rng_next(r) >> 11) * 0x1.0p-53;
}
