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
// each byte.

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
// The first `size` bytes in a row, within from..limit-1, that no cell has.
bool bt_gaps_find(const bt_gaps *g, size_t from, size_t limit, size_t size,
                  size_t *at);

#endif
