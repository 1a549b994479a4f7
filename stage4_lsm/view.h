// view.h -- what a reader sees: the memtables and tables of one moment, and the
// gate through which it comes to them without a lock.
// SPDX-License-Identifier: MIT
//
//     newest ─────────────────────────────────────────────────▶ oldest
//     active memtable │ frozen memtables │ version: runs of tables
//
// A freeze, a flush and a compaction each make a new view and switch. A view
// that is no longer current must not be freed under a reader, and a counter
// that all readers change would be a queue of readers. So each thread has a
// place on a board where it writes which view it reads:
//
//     reader   board[me] = v;  is v still current?  no: again     (enter)
//              … reads …       board[me] = NULL                   (leave)
//     switch   current = new;  old goes to the retired ones
//     reclaim  a retired view that is on nobody's board is given up
//
// A writer never waits for a reader, nor a reader for anybody. What is kept for
// longer, a cursor's view, is counted.
//
// Invariants
//   W1  Of two places that hold a key, the one further left has the newer
//       entry.
//   W2  A view on a board stays, with all that is in it.
//   W3  Entries with numbers up to the one that lsm_gate_enter returns are in
//       the view it returns; and tables hold no higher ones.
//
// Book: "Snapshot isolation and repeatable read": a consistent moment

#ifndef LSM_VIEW_H
#define LSM_VIEW_H

#include "common/thread.h"

#include "memtable.h"
#include "version.h"

enum { LSM_FROZEN_MAX = 8 };

typedef struct lsm_view {
    _Atomic uint32_t refs;
    lsm_memtable *active;
    lsm_memtable *frozen[LSM_FROZEN_MAX]; // newest first
    size_t frozen_count;
    lsm_version *version;
    struct lsm_view *next_retired;
} lsm_view;

// A view of these, each of which it takes a reference to. Comes with one of
// its own.
lsm_view *lsm_view_new(lsm_memtable *active, lsm_memtable *const *frozen,
                       size_t frozen_count, lsm_version *version);
lsm_view *lsm_view_ref(lsm_view *v);
void lsm_view_unref(lsm_view *v); // NULL is fine

typedef struct lsm_gate {
    _Atomic(lsm_view *) current;
    _Atomic uint64_t seq; // the newest change that readers see
    lsm_view *retired;    // guarded by whoever may switch
    kv_latch shared;      // for threads without a place of their own
    struct {
        _Alignas(64) _Atomic(lsm_view *) view;
    } board[KV_THREAD_SLOTS];
} lsm_gate;

// The current view and the number up to which it may be read (W3). Requires
// that the thread is not inside already.
lsm_view *lsm_gate_enter(lsm_gate *g, uint64_t *seq);
void lsm_gate_leave(lsm_gate *g, lsm_view *view);
// The current view, with a reference for the caller.
lsm_view *lsm_gate_view(lsm_gate *g, uint64_t *seq);

// Takes over the caller's reference to `view`. One caller at a time, as for
// reclaim.
void lsm_gate_switch(lsm_gate *g, lsm_view *view);
// Gives up retired views that nobody reads.
void lsm_gate_reclaim(lsm_gate *g);
// Requires that no reader is inside. A zeroed one is fine.
void lsm_gate_close(lsm_gate *g);

#endif
