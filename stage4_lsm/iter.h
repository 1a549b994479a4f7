// iter.h -- the one shape of a walk over sorted entries: memtable, table and
// merge have it alike, so that a merge need not know what it merges.
// SPDX-License-Identifier: MIT
//
//     lsm_iter *it = lsm_table_iter(table, how);
//     for (st = it->ops->seek(it, from); st == KV_OK && it->is_valid;
//          st = it->ops->next(it)) … it->entry …
//     it->ops->free(it);
//
// The current entry stands in the struct itself: comparing two sources costs
// no call.
//
// Invariants
//   T1  After a call that returns KV_OK either is_valid and `entry` is the
//       entry asked for, or not is_valid: there is none that way. After any
//       other status the walk is not valid and only `free` may follow.
//   T2  prev undoes next: over the same source they visit the same entries in
//       opposite orders (E1 and its reverse). A walk may turn round.
//   T3  entry's slices are the iterator's, until its next call.
//
// Book: "Constructing and maintaining SSTables"

#ifndef LSM_ITER_H
#define LSM_ITER_H

#include "entry.h"

typedef struct lsm_iter lsm_iter;

typedef struct lsm_iter_ops {
    // The first entry whose key is at or above `key`.
    kv_status (*seek)(lsm_iter *it, kv_slice key);
    // The last entry whose key is below `key`.
    kv_status (*seek_before)(lsm_iter *it, kv_slice key);
    kv_status (*first)(lsm_iter *it);
    kv_status (*last)(lsm_iter *it);
    // Require is_valid.
    kv_status (*next)(lsm_iter *it);
    kv_status (*prev)(lsm_iter *it);
    void (*free)(lsm_iter *it);
} lsm_iter_ops;

// The first member of every iterator's struct. A new one is not valid.
struct lsm_iter {
    const lsm_iter_ops *ops;
    bool is_valid;
    lsm_entry entry;
};

#endif
