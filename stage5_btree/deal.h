// deal.h -- cells of neighbouring pages, dealt out again: every way in which a
// B-tree changes its shape.
// SPDX-License-Identifier: MIT
//
//   from  to
//    1     2   a page splits             ┌──────────┐        ┌─────┐ ┌─────┐
//    2     2   neighbours share          │ a b c d ·│ + e ─▶ │ a b │ │ c d e│
//    2     3   two full ones become 3    └──────────┘        └─────┘ └─────┘
//    2     1   two sparse ones merge                            ▲ separator:
//    1     1   a page is tidied up                                between the
//                                                                 two
// The separator between two leaves is the shortest key that is above the left
// one's last and not above the right one's first: it costs the parent less
// than a whole key (suffix truncation). Each page gets the longest prefix that
// its own keys share (prefix truncation). An inner page's separators come from
// its own keys: the one between two parts moves up into the parent, and what
// was in the parent between two pages moves down.
//
// A page that is dealt into itself keeps the cells that stay in it where they
// are, if their prefix stays the same: then little of it changes, and the log
// holds what came and went instead of the page. Gaps (gaps.h) are filled later.
//
// Invariants
//   D1  All cells are there afterwards, once, in order, the new one among them.
//   D2  A separator is above every key to its left and not above any to its
//       right.
//   D3  1 to 2 always succeeds, and so does n to n + 1.
//
// Book: "B-Trees" (splitting), "B-tree variants" (shorter separators)

#ifndef BT_DEAL_H
#define BT_DEAL_H

#include "page.h"

enum { BT_DEAL_MAX = 4 }; // pages on either side

typedef enum bt_packing {
    BT_EVEN, // as many bytes here as there
    BT_LEFT, // the left ones full, the last what is left over: for keys that
             // come in ascending order
} bt_packing;

typedef struct bt_deal {
    // Neighbours from left to right, of one level.
    size_t from_count;
    const uint8_t *from[BT_DEAL_MAX];
    // Inner pages: the parent's separators between them, from_count - 1.
    kv_slice between[BT_DEAL_MAX - 1];
    // A cell to be inserted, or to take the place of the one with its key;
    // NULL for none. Its key belongs between the pages' outer bounds.
    const bt_cell *extra;
    bt_packing packing;
} bt_deal;

// Deals into `to_count` pages, which are initialized here: to[i] has the page
// id ids[i], and the level, kind and size of from[0], and the highest log
// position of all. A `to` may be the memory of a `from`. separators[i] is set
// to what the parent has to have between to[i] and to[i + 1]; it is no buffer
// that `between` or `extra` points into. False, and nothing is changed, if so
// few pages cannot hold it, if there are too few cells to give each page one,
// or if the pages do not follow each other (damage; D3 is of those that do).
bool bt_deal_out(const bt_deal *deal, size_t to_count, uint8_t *const *to,
                 const uint64_t *ids, kv_buf *separators);

// What a parent has between a leaf that ends with `left` and one that begins
// with `right`, which is above it: replaces what `to` holds.
void bt_deal_separator(const bt_cell *left, const bt_cell *right, kv_buf *to);

#endif
