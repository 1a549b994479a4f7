// distance.c -- see distance.h.
// SPDX-License-Identifier: MIT

#include "common/distance.h"

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// far[y][x]: from the first y letters of the one to the first x of the other.
size_t kv_distance(kv_slice from, kv_slice to)
{
    uint8_t far[KV_DISTANCE_MAX + 1][KV_DISTANCE_MAX + 1];
    if (from.len > KV_DISTANCE_MAX || to.len > KV_DISTANCE_MAX) return SIZE_MAX;
    for (size_t y = 0; y <= from.len; y++) {
        for (size_t x = 0; x <= to.len; x++) {
            if (x == 0 || y == 0) {
                far[y][x] = (uint8_t)(x + y);
                continue;
            }
            bool is_same = from.data[y - 1] == to.data[x - 1];
            size_t way = least(far[y - 1][x], far[y][x - 1]) + 1;
            way = least(way, far[y - 1][x - 1] + (size_t)!is_same);
            bool is_swapped = x > 1 && y > 1 &&
                              from.data[y - 1] == to.data[x - 2] &&
                              from.data[y - 2] == to.data[x - 1];
            if (is_swapped) way = least(way, far[y - 2][x - 2] + (size_t)1);
            far[y][x] = (uint8_t)way;
        }
    }
    return far[from.len][to.len];
}
