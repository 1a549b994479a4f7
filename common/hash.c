// hash.c -- see hash.h.
// SPDX-License-Identifier: MIT

#define XXH_INLINE_ALL

#include "common/hash.h"

#include <xxhash.h>

uint64_t kv_hash(kv_slice bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.data, bytes.len, seed);
}
