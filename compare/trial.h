// trial.h -- one engine, one workload, once: what happens in a child process.
// SPDX-License-Identifier: MIT
//
//   open ▶ load ▶ settle ▶ age ▶ settle ▶ purge ▶
//        ▶ ( operations ) ▶ settle ▶ close ▶ open ▶ ( reads ) ▶ verify
//        └── phase "run" ───────┘               └ phase "cold"
//
// The load inserts 100 records at a time; a fill is a run without a load.
// Ageing (ageing.h) is asked for, and so is the purge, which deletes 100 of the
// records at a time and leaves settling to whoever measures what follows. Phase
// "cold" is of workloads that only read: a tenth of the operations, after
// engine and kernel forgot what was in memory.
//
// Four kinds of trial, because one run cannot tell everything (measures.h):
//
//   CMP_COUNT  one thread, background=0: bytes and space, and at the end every
//              key is looked up again in the reopened store
//   CMP_TIME   the engine's defaults: speed, memory of the process, reopening
//   CMP_DELAY  the same with a clock around every call
//   CMP_PACED  the same in an open loop (player.h)
//
// What it found goes to `out` as lines, a letter and cells parted by tabs:
//
//   M phase measure value      S user_bytes disk_bytes live_bytes
//   L op ns count
//   T share second ops p50_ns p99_ns max_ns written_bytes background_bytes
//   O share offered_per_s achieved_per_s p50 p99 p999 p9999 max
//   W window updates_per_record wa disk_bytes live_bytes
//   A answers compared         C self-check that held
//   V reason: the trial is void    N reason: n/a for this engine
//   D done, always the last

#ifndef COMPARE_TRIAL_H
#define COMPARE_TRIAL_H

#include <stdio.h>

#include "compare/engines.h"
#include "compare/measures.h"
#include "compare/stream.h"

// What all trials of a comparison share.
typedef struct cmp_setup {
    uint64_t seed;
    uint32_t records;
    size_t key_bytes, value_bytes;
    const cmp_dataset *data; // for the workloads that are_real
    uint64_t memory_bytes;
    kv_sync_mode sync;
    uint32_t threads;
    uint32_t readers, writers;  // threads that only read, only write; 0: none
    double operations;          // per record; 0: what the workload says
    bool ages;                  // before the run, whatever the workload says
    uint64_t real_memory_bytes; // of all that a timed run takes; 0: no limit
    const char *cage;           // that holds it to that (cage.h), or NULL
} cmp_setup;

// How many threads only write in a timed run, and how many there are in all.
uint32_t cmp_setup_writers(const cmp_setup *s, const cmp_workload *w);
uint32_t cmp_setup_threads(const cmp_setup *s, const cmp_workload *w);

typedef struct cmp_trial {
    const cmp_setup *setup;
    const cmp_engine *engine;
    const cmp_workload *workload;
    cmp_kind kind;
    unsigned rep;
    // Of CMP_PACED: calls due in a second, their share of what a closed loop
    // does, and for how long.
    double rate, share, seconds;
    const char *dir; // fresh; the caller removes it
} cmp_trial;

// For cmp_child: `trial` is a cmp_trial.
void cmp_trial_run(FILE *out, void *trial);

#endif
