// distance.h -- how far apart two words are, to guess which one was meant.
// SPDX-License-Identifier: MIT

#ifndef COMMON_DISTANCE_H
#define COMMON_DISTANCE_H

#include "common/bytes.h"

enum { KV_DISTANCE_MAX = 63 }; // letters of a word; no name is longer

// Letters to insert, drop, change, or swap with their neighbour on the way
// from one to the other; SIZE_MAX if one of them is too long.
size_t kv_distance(kv_slice from, kv_slice to);

#endif
