// ledger.c -- see ledger.h.
// SPDX-License-Identifier: MIT

#include "common/crash/ledger.h"

#include "common/mem.h"

typedef struct kv_crash_ledger_place {
    kv_sim_hash hash;
    uint32_t acked_plus_one; // 0: the place is free
} place;

static place *find(const kv_crash_ledger *l, kv_sim_hash hash)
{
    size_t i = (size_t)hash.half[0] & (l->cap - 1);
    while (l->place[i].acked_plus_one != 0 &&
           memcmp(&l->place[i].hash, &hash, sizeof hash) != 0) {
        i = (i + 1) & (l->cap - 1);
    }
    return &l->place[i];
}

static void grow(kv_crash_ledger *l)
{
    kv_crash_ledger old = *l;
    l->cap = old.cap > 0 ? old.cap * 2 : 1024;
    l->place = kv_zalloc(l->cap * sizeof *l->place);
    for (size_t i = 0; i < old.cap; i++) {
        if (old.place[i].acked_plus_one == 0) continue;
        *find(l, old.place[i].hash) = old.place[i];
    }
    kv_free(old.place);
}

bool kv_crash_ledger_add(kv_crash_ledger *l, kv_sim_hash hash, uint32_t acked)
{
    if (l->count * 2 >= l->cap) grow(l);
    place *seen = find(l, hash);
    if (seen->acked_plus_one > acked) return false;
    l->count += seen->acked_plus_one == 0;
    *seen = (place){hash, acked + 1};
    return true;
}

void kv_crash_ledger_free(kv_crash_ledger *l)
{
    kv_free(l->place);
    *l = (kv_crash_ledger){0};
}
