// ledger.h -- the disks that were met so far, so that each is judged once.
// SPDX-License-Identifier: MIT
//
// A hash table of 128-bit hashes, each with the strictest law that its disk was
// judged by: how many commits it had to hold. A disk that comes again under a
// stricter law is news again.

#ifndef COMMON_CRASH_LEDGER_H
#define COMMON_CRASH_LEDGER_H

#include "common/disk_sim.h"

typedef struct kv_crash_ledger {
    struct kv_crash_ledger_place *place;
    size_t cap, count; // count: of different disks
} kv_crash_ledger;

// False if the disk was entered by this law, or a stricter one, before.
bool kv_crash_ledger_add(kv_crash_ledger *l, kv_sim_hash hash, uint32_t acked);
void kv_crash_ledger_free(kv_crash_ledger *l);

#endif
