// deck.h -- cells in order, taken from pages, about to be written into others.
// SPDX-License-Identifier: MIT
//
//     page 7 ─┐
//     a cell ─┼─▶ deck: c0 c1 c2 c3 c4 c5 ─┬─▶ c0 c1 c2   in a new page
//     page 9 ─┘                            └─▶ c3 c4 c5   in another
//
// The cells point into the pages they come from, which stay as they are while
// the deck is in use.
//
// Invariants
//   K1  Keys ascend strictly.
//   K2  A part of what fits into a page fits into a page.

#ifndef BT_DECK_H
#define BT_DECK_H

#include "format.h"

typedef struct bt_deck {
    bt_kind kind;
    size_t count, cap;
    bt_cell *cells;
} bt_deck;

void bt_deck_free(bt_deck *d);
void bt_deck_add(bt_deck *d, const bt_cell *cell);
// The page's cells of slots from..limit-1.
void bt_deck_add_slots(bt_deck *d, const uint8_t *page, size_t from,
                       size_t limit);

// What prefix, slots and cells of from..limit-1 take in a page of their own.
// Requires that there are any.
size_t bt_deck_bytes(const bt_deck *d, size_t from, size_t limit);
// Writes them into an empty page. Requires that they fit.
void bt_deck_write(const bt_deck *d, size_t from, size_t limit, uint8_t *page);
// The same into `page`, a copy of `home` that some of them come from: those
// stay where they are, and the others go into the room between them, so that
// little of the page changes, and little is logged. False, and the page is
// anything, if that cannot be had.
bool bt_deck_update(const bt_deck *d, size_t from, size_t limit,
                    const uint8_t *home, uint8_t *page);

#endif
