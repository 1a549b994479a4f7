// cursor.h -- a walk over one moment of the tree, in key order, either way.
// SPDX-License-Identifier: MIT
//
//   parent (a copy)    ┌───┬───┬─▼─┬───┐
//                      └───┴───┴─┬─┴───┘        the next leaf is its next child
//   leaf (a copy)        ┌───┬─▼─┬───┬───┐
//                        └───┴───┴───┴───┘      the next entry is its next slot
//
// The cursor registers a snapshot (cache.h), and copies the leaf it is on and
// that leaf's parent: between two calls it holds nothing of the cache, and an
// entry costs no copy of its value. At the parent's end it goes down again from
// the root, for the key that bounds the parent, and then to that key.
//
// A scan is mostly waiting for memory: a leaf's cells lie in no order that the
// processor could foresee. So with each entry that is shown a part of the next
// leaf is sent for, and that leaf is copied when it has arrived.
//
// Book: "B-Trees" (range queries)

#ifndef BT_CURSOR_H
#define BT_CURSOR_H

#include "store.h"

typedef struct bt_cursor {
    bt_cache *cache; // NULL: not open
    bt_snapshot snapshot;
    kv_slice from, to; // the caller's
    bool reverse;
    bool is_placed, is_at_end;
    uint8_t *leaf, *parent; // copies
    bool has_parent;        // the leaf is not the root
    size_t index;           // of the leaf in its parent
    size_t slot, limit;     // of the leaf still to be shown: slot..limit-1,
                            // from the other end in reverse
    const kv_explainer *explain;
    const uint8_t *ahead; // of the next leaf, what is still to be sent for:
    const uint8_t *ahead_limit; // lines of memory from `ahead` up to here,
    size_t ahead_lines;         // so many with each entry
    bool has_bound;             // there is more beyond the parent: from
    kv_buf bound;               // this key on, or below it
    kv_buf key, value; // what the last call returned; key.data begins with what
                       // the keys of this leaf share, whatever key.len is
} bt_cursor;

KV_MUST_USE kv_status bt_cursor_open(bt_cursor *c, bt_store *s, kv_slice from,
                                     kv_slice to, bool reverse);
// KV_OK and an entry, good until the next call, or KV_END.
// Cost: 1 read per page that is not in memory.
KV_MUST_USE kv_status bt_cursor_next(bt_cursor *c, kv_slice *key,
                                     kv_slice *value);
// A cursor of zeroes is fine.
void bt_cursor_close(bt_cursor *c);

#endif
