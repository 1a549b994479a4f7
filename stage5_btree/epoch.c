// epoch.c -- see epoch.h.
// SPDX-License-Identifier: MIT

#include "epoch.h"

void bt_epochs_init(bt_epochs *e)
{
    atomic_store(&e->clock, 1); // 0 is nobody's time
    kv_mutex_init(&e->crowd);
}

void bt_epochs_free(bt_epochs *e)
{
    if (atomic_load(&e->clock) == 0) return;
    kv_mutex_free(&e->crowd);
    atomic_store(&e->clock, 0);
}

void bt_epochs_enter_slowly(bt_epochs *e, unsigned slot)
{
    if (slot == KV_THREAD_SLOTS - 1) kv_mutex_lock(&e->crowd);
    unsigned used = atomic_load(&e->slots_used);
    while (used <= slot &&
           !atomic_compare_exchange_weak(&e->slots_used, &used, slot + 1)) {
    }
    atomic_store(&e->slots[slot].since, atomic_load(&e->clock));
}

void bt_epochs_leave_slowly(bt_epochs *e) { kv_mutex_unlock(&e->crowd); }

uint64_t bt_epochs_safe(bt_epochs *e)
{
    uint64_t safe = atomic_load(&e->clock);
    unsigned used = atomic_load(&e->slots_used);
    for (unsigned slot = 0; slot < used; slot++) {
        uint64_t since = atomic_load(&e->slots[slot].since);
        if (since != 0 && since < safe) safe = since;
    }
    return safe;
}
