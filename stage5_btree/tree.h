// tree.h -- the B+tree: from the root to a leaf, and what a full or an empty
// page sets off.
// SPDX-License-Identifier: MIT
//
//                      ┌──────────────┐
//   level 2            │   hen · owl  │                  one page: the root
//                      └─┬─────┬────┬─┘
//            ┌───────────┘     │    └──────────┐
//       ┌────┴────┐      ┌─────┴───┐      ┌────┴────┐
//   1   │ cow·elk │      │ jay·lynx│      │   rat   │   separators: which way
//       └┬───┬───┬┘      └┬───┬───┬┘      └──┬───┬──┘
//   0   [ ] [ ] [ ]      [ ] [ ] [ ]        [ ] [ ]    leaves: keys and values
//                                            └─▶ [ ]─▶[ ] a long value
//
// A put goes down to the leaf of its key. Where there is no room:
//
//   at the right edge, ascending    the leaf stays full; a new one begins
//   a neighbour has room            the two share           2 ─▶ 2 pages
//   it has not                      the two become three    2 ─▶ 3
//   there is no neighbour           the root splits         1 ─▶ 2, and a root
//
// and the parent gets other separators, which may in turn want room. A del that
// leaves a page less than a third full merges it with a neighbour (2 ─▶ 1), or
// borrows from it (2 ─▶ 2). All of it is bt_deal_out (deal.h).
//
// Invariants
//   B1  All leaves are on level 0, and a child is one level below its parent:
//       a walk down ends, whatever a damaged page says.
//   B2  A key is at or above the separator on its left, and below the one on
//       its right.
//   B3  No leaf but the root is empty. An inner page has two children or more.
//   B4  A commit that makes another page the root changes that page.
//
// Book: "B-Trees"

#ifndef BT_TREE_H
#define BT_TREE_H

#include "deal.h"
#include "tx.h"

// An empty tree: one leaf.
KV_MUST_USE kv_status bt_tree_create(bt_tx *tx);
// Inserts or replaces. Cost: 1 read per level that is not in memory.
KV_MUST_USE kv_status bt_tree_put(bt_tx *tx, kv_slice key, kv_slice value);
// Nothing happens if the key is not there.
KV_MUST_USE kv_status bt_tree_del(bt_tx *tx, kv_slice key);

// ---- for reshape.c and squeeze.c --------------------------------------------

// Down to the page of `level` that `key` belongs to, if there is such a level;
// an empty key belongs to the leftmost one.
KV_MUST_USE kv_status bt_tree_descend(bt_tx *tx, kv_slice key, unsigned level,
                                      bt_path *p);
// The path's page at depth `d`, to be changed. Where a changed page gets
// another id, all above it change, too.
KV_MUST_USE kv_status bt_tree_own(bt_tx *tx, bt_path *p, size_t d,
                                  uint8_t **page);
// The same for a child of a page that is ours already.
KV_MUST_USE kv_status bt_tree_own_child(bt_tx *tx, uint8_t *parent,
                                        size_t index, uint64_t *id,
                                        uint8_t **page);
// The path's page at depth `d` goes to another place in the file, and its
// parent says so.
KV_MUST_USE kv_status bt_tree_move(bt_tx *tx, bt_path *p, size_t d);

// ---- reshape.c --------------------------------------------------------------

// Makes room for a cell in the page at depth `d`, which is full, and puts it
// there; `slot` is where it belongs, or of the cell that it replaces. The path
// may be out of date afterwards.
KV_MUST_USE kv_status bt_tree_make_room(bt_tx *tx, bt_path *p, size_t d,
                                        const bt_cell *extra, size_t slot);
// Bytes in use in a child of the page at depth `d`.
KV_MUST_USE kv_status bt_tree_used_in(bt_tx *tx, const bt_path *p, size_t d,
                                      size_t index, size_t *used);
// Deals `count` children of the page at depth `d`, from `first` on, into one
// page less, if they fit. The path may be out of date afterwards.
KV_MUST_USE kv_status bt_tree_merge(bt_tx *tx, bt_path *p, size_t d,
                                    size_t first, size_t count, bool *done);
// Merges the page at depth `d` with a neighbour, or borrows from it, if it is
// sparse; then sees to the page above.
KV_MUST_USE kv_status bt_tree_fill_up(bt_tx *tx, bt_path *p, size_t d);

// ---- for every walk ---------------------------------------------------------

// KV_CORRUPT unless the page is of that level, and of the kind that goes with
// it. What every walk asks of every page (B1).
KV_MUST_USE kv_status bt_tree_expect(const uint8_t *page, unsigned level);

#endif
