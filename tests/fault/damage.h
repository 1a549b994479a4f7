// damage.h -- a closed store, and what its engine makes of it when it was
// damaged.
// SPDX-License-Identifier: MIT
//
// The law, for any damage whatever:
//
//   no read shows what nobody wrote, none dies, and no length that is read from
//   a file is believed so far as to allocate without bound;
//   a store that is refused is refused with a sentence, and left as it was;
//   a store that opens shows what was acknowledged, or says KV_CORRUPT on the
//   read that touches the damage and in kv_check.
//
// Only where durability.md says that it cannot be told from a crash may a store
// be older than it was: the state after an earlier commit, whole; or, when two
// files were damaged at once, show older values of some keys.

#ifndef TESTS_FAULT_DAMAGE_H
#define TESTS_FAULT_DAMAGE_H

#include "common/crash/workload.h"
#include "common/disk_sim.h"

#include "tests/support/test.h"

typedef enum verdict {
    HARMLESS, // everything is there
    REFUSED,  // the store does not open
    DETECTED, // it opens; what is not there says KV_CORRUPT
    OLDER,    // it shows an earlier state
    MIXED,    // it shows values of several states, each one right once
    SILENT,   // the law is broken
    VERDICTS, // how many
} verdict;

typedef struct closed_store {
    const kv_engine *engine;
    const char *knobs;
    kv_crash_workload work;
    kv_disk *now; // without LOCK
    kv_disk *old; // the same store, half a workload ago
    kv_names names, old_names;
} closed_store;

// Runs a workload of `ops` steps on a new store and closes it. Stores with
// different seeds have different ids and contents.
void damage_make(closed_store *s, const kv_engine *engine, const char *knobs,
                 uint64_t seed, uint32_t ops);
void damage_free(closed_store *s);

// A file's bytes, read whole; and written whole, made if it is not there.
void damage_get(kv_disk *disk, const char *name, kv_buf *to);
void damage_set(kv_disk *disk, const char *name, kv_slice bytes);

// Opens the store on `disk`, a copy of s->now that was damaged, and looks at
// all of it. Frees the disk. What is SILENT is told on stderr, with `what`.
verdict damage_look(const closed_store *s, kv_disk *disk, const char *what);

#endif
