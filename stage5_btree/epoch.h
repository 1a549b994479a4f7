// epoch.h -- who may still be looking at memory that was replaced.
// SPDX-License-Identifier: MIT
//
//   reader   bt_epochs_enter ── follows pointers ── bt_epochs_leave
//   owner    takes the last pointer to a block away
//            tag = bt_epochs_retire          the block waits, with its tag
//            tag < bt_epochs_safe            nobody sees it: it may be reused
//
// A clock that ticks with every retirement. A reader writes down, in a place
// of its thread's own, what the clock showed when it came in; a block that was
// retired before the earliest of those times is out of everybody's sight. A
// reader thereby waits for nobody and shares no cache line with another.
//
// Invariants
//   E1  A pointer that was read between enter and leave is good until leave.
//   E2  The block was out of reach of newcomers before it was retired.
//
// Book: none; it is what "readers do not wait for writers" costs in memory

#ifndef BT_EPOCH_H
#define BT_EPOCH_H

#include "common/thread.h"

typedef struct bt_epoch_slot {
    _Alignas(64) _Atomic uint64_t since; // 0: nobody is reading
} bt_epoch_slot;

typedef struct bt_epochs {
    _Alignas(64) _Atomic uint64_t clock;
    _Atomic unsigned slots_used;
    kv_mutex crowd; // threads that share the last slot take turns
    bt_epoch_slot slots[KV_THREAD_SLOTS];
} bt_epochs;

void bt_epochs_init(bt_epochs *e);
void bt_epochs_free(bt_epochs *e);
// For a thread that uses a slot for the first time, or shares one.
void bt_epochs_enter_slowly(bt_epochs *e, unsigned slot);
void bt_epochs_leave_slowly(bt_epochs *e);

// No call may be nested in another of the same thread.
static inline void bt_epochs_enter(bt_epochs *e)
{
    unsigned slot = kv_thread_slot();
    if (slot >= atomic_load_explicit(&e->slots_used, memory_order_relaxed) ||
        slot == KV_THREAD_SLOTS - 1) {
        bt_epochs_enter_slowly(e, slot);
        return;
    }
    // Sequentially consistent: whoever takes a pointer away after this store
    // sees it, and whoever did so before is seen by our next load.
    atomic_store(&e->slots[slot].since,
                 atomic_load_explicit(&e->clock, memory_order_acquire));
}

static inline void bt_epochs_leave(bt_epochs *e)
{
    unsigned slot = kv_thread_slot();
    atomic_store_explicit(&e->slots[slot].since, 0, memory_order_release);
    if (slot == KV_THREAD_SLOTS - 1) bt_epochs_leave_slowly(e);
}

// The tag of a block that is out of reach from now on (E2).
static inline uint64_t bt_epochs_retire(bt_epochs *e)
{
    return atomic_fetch_add(&e->clock, 1);
}

// Blocks with smaller tags may be reused.
uint64_t bt_epochs_safe(bt_epochs *e);

#endif
