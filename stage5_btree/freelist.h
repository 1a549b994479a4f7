// freelist.h -- pages that nobody refers to, on a list of pages of their own.
// SPDX-License-Identifier: MIT
//
//   shape.free_list ─▶ ┌─────────────┐   ┌─────────────┐
//                      │ 9 12 40 7   ├──▶│ 3 88 … full ├──▶ 0
//                      └─────────────┘   └─────────────┘
//
// With journal=log ids are pushed and popped at the end of the first page, and
// a page of the list that is empty is handed out itself. With journal=cow the
// first page is taken into memory whole, dropped, and written elsewhere when
// the commit is closed: a page that a superblock leads to never changes.
// A commit that moves pages (squeeze.h) does so with either journal, and sorts
// what it took: low ids come to the front of the list, high ones behind them.
//
// Invariants
//   F1  A page is on the list, of the list, in the tree, or in a value; in one
//       of them only, and pages 0 and 1 in none.
//   X1  (tx.h) What a commit drops goes on the list when it ends.
//
// Book: none; it is what "pages in place" needs to reuse space

#ifndef BT_FREELIST_H
#define BT_FREELIST_H

#include "tx.h"

// An id for new content: from the list, or from the end of the file.
// KV_NO_SPACE when the file has as many pages as a file can have.
KV_MUST_USE kv_status bt_freelist_take(bt_tx *tx, uint64_t *id);
// Puts tx->dropped on the list.
KV_MUST_USE kv_status bt_freelist_close(bt_tx *tx);

// KV_CORRUPT: what is wrong with a page that the list has, or that is to go on
// it.
KV_MUST_USE kv_status bt_freelist_bad(const bt_tx *tx, uint64_t id,
                                      const char *what);
// Shows every page on the list, and every page of the list (`is_own`), to
// `visit`. KV_CORRUPT for a list that is not what the shape says.
typedef kv_status bt_freelist_visitor(void *arg, uint64_t id, bool is_own);
KV_MUST_USE kv_status bt_freelist_walk(bt_tx *tx, bt_freelist_visitor *visit,
                                       void *arg);

// Takes the list's first pages off it until at least `count` ids, below the
// goal if there is one, are in memory for this commit; `done`: there were.
// With journal=cow, or with a goal.
KV_MUST_USE kv_status bt_freelist_load(bt_tx *tx, size_t count, bool *done);

// After load found too few: the lowest places beyond the goal, too, if `count`
// in all are below `limit`.
bool bt_freelist_borrow(bt_tx *tx, size_t count, uint64_t limit);

// Takes the pages at the end of the file off the list, which is written anew
// for that: the file can be cut to shape.page_count afterwards. Cost: 8 bytes
// of log for each page on the list, if there is anything to cut.
KV_MUST_USE kv_status bt_freelist_trim(bt_tx *tx);

#endif
