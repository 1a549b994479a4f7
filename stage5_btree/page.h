// page.h -- what is done with one leaf or inner page in memory.
// SPDX-License-Identifier: MIT
//
//   leaf                                inner
//   ┌─────┬─────┬─────┐                 ┌──────┬─────┬─────┬─────┐
//   │ cat │ cow │ dog │                 │ link │ cow │ elk │ hen │
//   │  =  │  =  │  =  │                 └──┬───┴──┬──┴──┬──┴──┬──┘
//   └─────┴─────┴─────┘           child    0      1     2     3
//                                 keys   < cow  < elk < hen   ≥ hen
//
// Functions of the bytes of one page: no file, no lock, no memory that stays.
// A page given to any of them is one that bt_page_verify accepted, or that was
// made here. A change moves no cell unless it has to, so that what it does to
// the page is a few short ranges of bytes: a new cell goes into a gap that
// others left, or into the hole in the middle, or else the page is written
// anew.
//
// Invariants: F2 and F3 of format.h, before and after each call, and
//   P1  A call that finds no room leaves the page as it was.
//   P2  The prefix is no longer than the longest key less a head: beyond that
//       it would save nothing. So a page rebuilt is never larger than before.
//
// Book: "B-Trees"

#ifndef BT_PAGE_H
#define BT_PAGE_H

#include "format.h"

// ---- reading ----------------------------------------------------------------

// The first slot whose key is not below `key` (bt_count if there is none);
// true if it is that key.
bool bt_page_find(const uint8_t *page, kv_slice key, size_t *slot);

// Starts to fetch into the processor's cache the cell that bt_page_find will
// compare with the key.
void bt_page_prefetch(const uint8_t *page, kv_slice key);

// Which child of an inner page to follow to `key`, 0 to bt_count.
size_t bt_page_child_index(const uint8_t *page, kv_slice key);
uint64_t bt_page_child(const uint8_t *page, size_t index);

// The slot's key compared with `key`: negative, 0, positive.
int bt_page_compare(const uint8_t *page, size_t slot, kv_slice key);

// Replaces what `to` holds by the slot's whole key.
void bt_page_key(const uint8_t *page, size_t slot, kv_buf *to);

// Bytes for prefix, slots and cells: what there are at all, and what is in use.
static inline size_t bt_page_capacity(uint32_t page_bytes)
{
    return page_bytes - BT_HEADER_BYTES;
}
size_t bt_page_used(const uint8_t *page);
// The unused bytes in the middle, from..limit-1; they mean nothing.
void bt_page_hole(const uint8_t *page, size_t *from, size_t *limit);

// ---- writing ----------------------------------------------------------------

// Whether a cell found room in a page; 0 is false.
typedef enum bt_fit {
    BT_NO_ROOM,
    BT_IN_PLACE, // nothing else changed but what bt_page_touched says
    BT_ANEW,     // the page was written anew
} bt_fit;

// Inserts before `slot`, where bt_page_find pointed; the first key of all gives
// the page its prefix. BT_NO_ROOM (P1): see deal.h. Requires that the key is
// not there, and is within bt_key_max.
bt_fit bt_page_insert(uint8_t *page, size_t slot, const bt_cell *cell);
// Gives the key of the slot another value; the rest as above. A value of the
// same size is written over the old one.
bt_fit bt_page_replace(uint8_t *page, size_t slot, const bt_cell *cell);
// Where the page differs from what it was before its cell at `slot` came in
// place: the header, the slots from there on, and the cell.
bt_touched bt_page_touched(const uint8_t *page, size_t slot);
// In an inner page the child on the key's right goes with it.
void bt_page_remove(uint8_t *page, size_t slot);
void bt_page_set_child(uint8_t *page, size_t index, uint64_t child);

#endif
