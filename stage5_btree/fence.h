// fence.h -- do neighbouring pages have the keys that lead to them?
// SPDX-License-Identifier: MIT
//
//                    ┌───── cow · elk ─────┐
//          low ──────┤      │      │       ├────── high, of a page above
//                 [ant bat][cow][elk fox hen]
//
// A page's own order is checked when it is read (format.h). That a page of good
// checksum is in the right place nobody can see from it alone: another program,
// or a bug of ours, may have put it there. Before pages are dealt out anew it
// matters, because separators are made of their keys: from wrong ones, what is
// put would not be found again.
//
// Book: none

#ifndef BT_FENCE_H
#define BT_FENCE_H

#include "tree.h"

// KV_CORRUPT unless `count` children of the page at depth `d`, from `first` on,
// are different pages and have keys between their separators only (B2). Cost:
// two keys compared per page.
KV_MUST_USE kv_status bt_fence_expect(bt_tx *tx, const bt_path *p, size_t d,
                                      size_t first, size_t count);

// KV_CORRUPT: pages that are each what they should be do not fit together.
KV_MUST_USE kv_status bt_fence_broken(const bt_tx *tx, uint64_t page_id);

#endif
