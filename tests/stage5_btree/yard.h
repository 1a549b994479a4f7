// yard.h -- a store of this stage on a disk in memory, and what it has to hold.
// SPDX-License-Identifier: MIT

#ifndef TESTS_STAGE5_YARD_H
#define TESTS_STAGE5_YARD_H

#include "common/engine.h"

enum { YARD_KEYS = 2000 };

typedef struct yard {
    kv_disk *disk; // sim
    const char *knobs;
    uint64_t memory_bytes;
    kv_sync_mode sync;
    kv *db;
    kv_batch batch;
    bool gathers; // puts and dels go into the batch
    unsigned count;
    uint32_t seed[YARD_KEYS]; // of a key's value; 0: the key is not there
    uint32_t size[YARD_KEYS]; // bytes
} yard;

// An empty store; `knobs` is kept.
void yard_open(yard *y, const char *knobs);
void yard_reopen(yard *y); // closes it first, if it is open
void yard_close(yard *y);  // and the disk

void yard_put(yard *y, unsigned key, uint32_t seed, uint32_t size);
void yard_del(yard *y, unsigned key);
// Puts and dels from now on are one batch, which end writes.
void yard_begin_batch(yard *y);
void yard_end_batch(yard *y);
// Fails the test unless get, scans both ways and kv_check agree with what was
// put and deleted.
void yard_compare(yard *y);
kv_status yard_check(yard *y);

// "key-0017", of no more than 32 bytes.
kv_slice yard_key(char to[32], unsigned key);

// Goes on with the disk as it is now, as a killed process leaves it.
void yard_kill(yard *y);
// What a named fact of inspect says, first met below `branch`.
double yard_fact(yard *y, const char *branch, const char *name);
// The same of `inspect metrics`.
double yard_metric(yard *y, const char *branch, const char *name);

#endif
