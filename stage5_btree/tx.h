// tx.h -- one commit in the making: the pages it changes, before anybody sees.
// SPDX-License-Identifier: MIT
//
//   bt_tx_begin
//   bt_tx_read, change, create, drop …     by tree.c, as often as it takes
//   bt_tx_close_free_list                  what was dropped goes on the list
//   bt_tx_log                              items for the write-ahead log
//   bt_tx_publish | bt_tx_forget           all at once, or nothing
//
// The pages live in the cache as private versions (cache.h); this is the list
// of them, and the shape of the store that goes with them.
//
// With journal=log a page keeps its id when it is changed. With journal=cow it
// gets a new one, and whoever refers to it has to change, too.
//
// Invariants
//   X1  What a commit dropped is not used again by the same commit: a reader
//       of the commit before may be on it.
//   X2  With journal=cow, no page that the newest durable superblock leads to
//       is changed or written over.
//
// Book: "Making B-trees reliable"

#ifndef BT_TX_H
#define BT_TX_H

#include "common/explain.h"

#include "cache.h"
#include "format_log.h"
#include "ids.h"

// The way from the root down to a page.
typedef struct bt_path {
    size_t depth; // of that page: 0 is the root
    bool is_right_edge;
    struct {
        uint64_t id;
        size_t index; // of the child that was taken
    } step[BT_LEVEL_MAX + 1];
} bt_path;

// How commits changed the shape of the tree; those count, too, that failed.
typedef struct bt_tally {
    uint64_t splits, shares, merges, borrows; // see tree.h
    uint64_t edge_leaves;                     // begun at the right edge
    uint64_t levels_added, levels_removed;
} bt_tally;

typedef struct bt_tx {
    bt_cache *cache;
    const kv_explainer *explain;
    bool is_cow;
    uint64_t seq;       // the number this commit will have
    bt_shape base;      // what it begins with
    bt_shape shape;     // what it leaves
    bt_ids changed;     // pages with private versions
    bt_ids dropped;     // X1
    bt_ids reusable;    // cow, and with a goal: pages taken off the free list
    uint64_t goal;      // of a commit that moves pages to the front of the
    bt_ids aside;       // file: new content goes to ids below; 0: anywhere
    bt_path last;       // to the leaf of the last put
    bool has_last;      // the tree has the same pages since
    size_t changes;     // times that a page was given to be changed
    bool has_only;      // the last of them was a put in place, of the page's
    size_t only_slot;   // cell here
    uint64_t images_to; // pages last changed by a commit up to this one are
                        // logged as images, and others as patches
    bt_tally tally;     // since the store was opened
} bt_tx;

// `tx` is zeroed, or was published or forgotten: it keeps its memory.
void bt_tx_begin(bt_tx *tx, uint64_t seq, const bt_shape *shape);
void bt_tx_free(bt_tx *tx);

// The newest version, good until the next call that changes this page, or the
// thread leaves the cache's epochs. Cost: 1 read if it is not in memory.
KV_MUST_USE kv_status bt_tx_read(bt_tx *tx, uint64_t id, const uint8_t **page);
// A version to be changed. With journal=cow *id may become another.
KV_MUST_USE kv_status bt_tx_change(bt_tx *tx, uint64_t *id, uint8_t **page);
// The same content in another place, for any journal; *id becomes its id, and
// who refers to it is the caller's to change.
KV_MUST_USE kv_status bt_tx_move(bt_tx *tx, uint64_t *id, uint8_t **page);
// A page for new content; its bytes are anything.
KV_MUST_USE kv_status bt_tx_create(bt_tx *tx, uint64_t *id, uint8_t **page);
// The same with a given id, which nothing refers to any more. `is_listed`: it
// was on the free list before this commit; no snapshot that is opened from now
// on leads to it.
KV_MUST_USE kv_status bt_tx_create_at(bt_tx *tx, uint64_t id, bool is_listed,
                                      uint8_t **page);
// A cell was put in place at `slot` of the page that bt_tx_change gave last. If
// it stays the only change of the commit, the log need not compare the page.
void bt_tx_note_put(bt_tx *tx, size_t slot);
// A page's content counts no more once this commit is seen.
void bt_tx_drop(bt_tx *tx, uint64_t id);

// Puts what was dropped on the free list. Nothing else may follow.
KV_MUST_USE kv_status bt_tx_close_free_list(bt_tx *tx);
// Nothing was changed, not even the length of the file.
bool bt_tx_is_empty(const bt_tx *tx);
// Sets the log position of every changed page, and appends the commit's items,
// cut into payloads of some 64 KiB: `add` takes each.
void bt_tx_log(bt_tx *tx, kv_buf *scratch,
               void (*add)(void *arg, kv_slice payload, bool more), void *arg);
// Sets the log positions, where nothing is logged.
void bt_tx_stamp(bt_tx *tx);
void bt_tx_publish(bt_tx *tx);
void bt_tx_forget(bt_tx *tx);

#endif
