// rng.h -- numbers that look random and come back with their seed.
// SPDX-License-Identifier: MIT
//
// For workloads and tests, never for secrets. The same seed gives the same
// numbers on every machine (xoshiro256**, seeded by splitmix64).

#ifndef COMMON_RNG_H
#define COMMON_RNG_H

#include <stdint.h>

typedef struct kv_rng {
    uint64_t state[4];
} kv_rng;

void kv_rng_seed(kv_rng *r, uint64_t seed);
uint64_t kv_rng_next(kv_rng *r);
// Even over 0..limit-1; 0 when limit is 0.
uint64_t kv_rng_below(kv_rng *r, uint64_t limit);
// Even over [0, 1).
double kv_rng_unit(kv_rng *r);

// One mixing step: a good 64-bit hash of a number, and a permutation of them.
uint64_t kv_mix64(uint64_t n);

#endif
