// gaps.h -- which bytes of a page its cells have, and where there is room
// between them.
// SPDX-License-Identifier: MIT
//
//   offset   0                     heap begins                  page ends
//   page     │header│prefix│slots│hole│cell│ gap │cell│cell│gap│cell│
//   taken     0000000000000000000000000 1111 00000 1111 1111 000 1111
//
// A page keeps no list of its gaps: the slots tell where cells are, and a gap
// is what they leave. Whoever wants one writes down the cells first, a bit for
// each byte; where it is enough to go from cell to cell, a bit for each cell.

#ifndef BT_GAPS_H
#define BT_GAPS_H

#include "format.h"

typedef struct bt_gaps {
    uint64_t taken[BT_PAGE_MAX / 64];
} bt_gaps;

// Nothing is taken of a page of that size.
void bt_gaps_init(bt_gaps *g, uint32_t page_bytes);
// Notes that a cell has the bytes from..limit-1; false if another one has some
// of them.
bool bt_gaps_take(bt_gaps *g, size_t from, size_t limit);
// Notes where a cell begins, and nothing else.
static inline void bt_gaps_note(bt_gaps *g, size_t at)
{
    g->taken[at / 64] |= UINT64_C(1) << at % 64;
}
// The first byte from `at` on that is taken; `limit` if none is.
size_t bt_gaps_next(const bt_gaps *g, size_t at, size_t limit);
// The first `size` bytes in a row, within from..limit-1, that no cell has.
bool bt_gaps_find(const bt_gaps *g, size_t from, size_t limit, size_t size,
                  size_t *at);

#endif
