// trial.h -- one engine, one workload, once: what happens in a child process.
// SPDX-License-Identifier: MIT
//
//   open ▶ load ▶ settle ▶ ( operations ) ▶ settle ▶ close ▶ open ▶ verify
//                          └── phase "run" ───────┘
//
// The load inserts 100 records at a time; a fill is a run without a load.
//
// Three kinds of trial, because one run cannot tell everything (measures.h):
//
//   CMP_COUNT  one thread, background=0: bytes and space, and at the end every
//              key is looked up again in the reopened store
//   CMP_TIME   the engine's defaults: speed, memory of the process, reopening
//   CMP_DELAY  the same with a clock around every call
//
// What it found goes to `out` as lines, a letter and cells parted by tabs:
//
//   M phase measure value      S user_bytes disk_bytes live_bytes
//   L op ns count              T second ops p50_ns p99_ns max_ns
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
    double operations; // per record; 0: what the workload says
} cmp_setup;

typedef struct cmp_trial {
    const cmp_setup *setup;
    const cmp_engine *engine;
    const cmp_workload *workload;
    cmp_kind kind;
    unsigned rep;
    const char *dir; // fresh; the caller removes it
} cmp_trial;

// For cmp_child: `trial` is a cmp_trial.
void cmp_trial_run(FILE *out, void *trial);

#endif
