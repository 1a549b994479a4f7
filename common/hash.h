// hash.h -- 64 well mixed bits of a key (XXH3), for tables and filters.
// SPDX-License-Identifier: MIT
//
// The seed keeps somebody who chooses keys from choosing collisions: a table in
// memory takes its store's seed, a filter on disk takes a fixed one.

#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include "common/bytes.h"

uint64_t kv_hash(kv_slice bytes, uint64_t seed);

// A hash spread evenly over 0..count-1, by its high bits: what `hash % count`
// does, without a division and for any count.
static inline uint32_t kv_hash_place(uint32_t hash, uint32_t count)
{
    return (uint32_t)((uint64_t)hash * count >> 32);
}

#endif
