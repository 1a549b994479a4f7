// filter.h -- a Bloom filter: "surely not here" or "perhaps", in ten bits a
// key.
// SPDX-License-Identifier: MIT
//
//     key ──hash──▶ probe 1 ─┐
//                   probe 2 ─┼─▶ bits  0 1 1 0 0 1 0 1 1 0 …   all set: perhaps
//                   …        │                                one clear: no
//                   probe k ─┘
//
//   The k probes of a hash are h, h+d, h+2d …, where h is its upper half and d
//   its lower (made odd), each scaled to the number of bits.
//
//   A key that was added is always "perhaps". Any other is so with a chance of
//   p = (1 - e^(-k/b))^k for b bits a key, least at k = b·ln 2.
//
// Invariants
//   L1  No false negative, ever.
//   L2  The share of false positives is within 10 % of p, for b up to 15.
//
// Book: "Bloom filters"

#ifndef LSM_FILTER_H
#define LSM_FILTER_H

#include "common/bytes.h"

enum {
    LSM_FILTER_BITS_MAX = 30, // a key
    LSM_FILTER_PROBES_MAX = 21,
};

typedef struct lsm_filter {
    const uint8_t *bits;
    uint32_t bit_count;
    uint32_t probes; // 0: no filter, everything is "perhaps"
} lsm_filter;

// Appends the filter of these hashes (kv_hash(key, LSM_HASH_SEED)), each with
// `bits_per_key` bits, which may be fractional; below 0.5 nothing is appended:
// no filter.
void lsm_filter_build(kv_buf *to, const uint64_t *hashes, size_t count,
                      double bits_per_key);
// False if the bytes are not a filter's. The filter points into them. Empty
// bytes are no filter.
bool lsm_filter_open(kv_slice bytes, lsm_filter *out);
// False: no key of this hash was added.
bool lsm_filter_may_hold(const lsm_filter *f, uint64_t hash);
// Asks for the memory that may_hold will look at, without waiting for it.
void lsm_filter_prefetch(const lsm_filter *f, uint64_t hash);

// The chance of a false positive in theory.
double lsm_filter_rate(double bits_per_key);

// Spreads bits over levels of these many keys so that the filters together
// take `bits_per_key` for each key of all of them, and the sum of the false
// positives is least (Monkey): a small level gets more bits a key, the last
// one fewer. Empty levels get what the smallest level gets.
void lsm_filter_allot(const uint64_t *keys, size_t levels, double bits_per_key,
                      double *bits_out);

#endif
