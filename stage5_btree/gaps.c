// gaps.c -- see gaps.h.
// SPDX-License-Identifier: MIT

#include "gaps.h"

void bt_gaps_init(bt_gaps *g, uint32_t page_bytes)
{
    memset(g->taken, 0, page_bytes / 8);
}

bool bt_gaps_take(bt_gaps *g, size_t from, size_t limit)
{
    while (from < limit) {
        size_t word = from / 64, bit = from % 64;
        size_t bits = limit - from < 64 - bit ? limit - from : 64 - bit;
        uint64_t mask = (bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1)
                        << bit;
        if ((g->taken[word] & mask) != 0) return false;
        g->taken[word] |= mask;
        from += bits;
    }
    return true;
}

// The first byte from `at` on that is taken, or is not; `limit` if none is.
static size_t next(const bt_gaps *g, size_t at, size_t limit, bool is_taken)
{
    while (at < limit) {
        uint64_t word = g->taken[at / 64];
        uint64_t bits = (is_taken ? word : ~word) >> at % 64;
        if (bits != 0) {
            at += (size_t)__builtin_ctzll(bits);
            return at < limit ? at : limit;
        }
        at = (at / 64 + 1) * 64;
    }
    return limit;
}

size_t bt_gaps_next(const bt_gaps *g, size_t at, size_t limit)
{
    return next(g, at, limit, true);
}

bool bt_gaps_find(const bt_gaps *g, size_t from, size_t limit, size_t size,
                  size_t *at)
{
    while (from < limit) {
        from = next(g, from, limit, false);
        size_t end = next(g, from, limit, true);
        if (end - from >= size) {
            *at = from;
            return true;
        }
        from = end;
    }
    return false;
}
