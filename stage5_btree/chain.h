// chain.h -- values too long for a leaf, on a chain of pages of their own.
// SPDX-License-Identifier: MIT
//
//   leaf:  catalogue ─▶ page 12, 10,000 bytes
//          page 12 ─▶ page 13 ─▶ page 14    4,056 bytes, 4,056, 1,888
//
// Invariants
//   O1  A chain belongs to one key, and is written once: another value is
//       another chain.
//   O2  What is left of the value shrinks from page to page (F5 of format.h).
//
// Book: none

#ifndef BT_CHAIN_H
#define BT_CHAIN_H

#include "tx.h"

KV_MUST_USE kv_status bt_chain_write(bt_tx *tx, kv_slice value,
                                     uint64_t *first);
// Drops the pages. Cost: 1 read per page that is not in memory.
KV_MUST_USE kv_status bt_chain_drop(bt_tx *tx, uint64_t first, uint64_t bytes);

// Moves the pages from the goal on to places below it, if so many are free, and
// `spare` ones more; and with journal=cow those before them, which refer to
// them. If it `borrows`, places below the last page of the chain will do.
// *first may become another. *count of them have to move; `done`: there was
// room for all.
KV_MUST_USE kv_status bt_chain_move(bt_tx *tx, uint64_t *first, uint64_t bytes,
                                    size_t spare, bool borrows, size_t *count,
                                    bool *done);

// KV_CORRUPT unless the page can be the next of a chain with `rest` bytes to
// come.
KV_MUST_USE kv_status bt_chain_expect(const uint8_t *page, uint64_t rest);

#endif
