// scale.h -- weighs a phase: counters before and after it, and the measures
// that follow from their difference.
// SPDX-License-Identifier: MIT
//
//     begin ── operations ── pause ── kv_settle ── end ── tell
//     counters               counters              counters
//
// Self-checks, after every phase of a counting run; one that fails voids the
// trial. The first five are of engines whose disk layer counts:
//
//   I1  bytes written, over all reasons = bytes the kernel saw written (with
//       the disk layer's own log mappings, which the kernel cannot see)
//   I2  the same for reading (not with read=map)
//   I3  no file of the store is mapped to be read (not with read=map); the disk
//       layer may map a log to write it, which I1 adds
//   I4  the space ledger = blocks of all files, once settled, where the file
//       system gives a file its blocks and no more (in memory)
//   I5  for each reason, what calls waited for is no more than all there was;
//       that the reasons sum to the whole is I1 and I2
//   I6  bytes the front door counted from the user = bytes the harness gave
//   I7  keys the engine says it has = keys the oracle has

#ifndef COMPARE_SCALE_H
#define COMPARE_SCALE_H

#include <stdio.h>

#include "compare/engines.h"
#include "compare/machine.h"
#include "compare/measures.h"

// What the players did in a phase.
typedef struct cmp_effort {
    double operations_per_s;
    double reads_per_s, writes_per_s; // where threads do only one of them
    uint64_t operations;
    uint64_t harness_cpu_ns, settle_ns;
    uint64_t hits, misses, scans, checked;
    uint64_t entries; // that scans returned
    uint64_t ns;      // measured, of the thread that took longest
    uint64_t live_count, live_bytes, user_bytes;
} cmp_effort;

typedef struct cmp_weight {
    kv_stats stats;
    cmp_io io;
    uint64_t cpu_ns;
    uint64_t disk_bytes;
} cmp_weight;

typedef struct cmp_scale {
    FILE *out;
    const cmp_engine *engine;
    kv *const *db;
    const char *dir;
    uint64_t resident_before; // opening the store

    cmp_weight begin, pause, end;
    // Space over the phase: its sum weighted by user bytes.
    uint64_t next_sample; // by operations
    uint64_t user_bytes;  // since `begin`, at the last sample
    uint64_t disk_bytes;  // at the last sample; UINT64_MAX: not known
    double weighted_sum, weights;
    uint64_t live_most;
} cmp_scale;

KV_MUST_USE kv_status cmp_scale_begin(cmp_scale *s);
// Between operations: notes the space in use while `live_bytes` are alive.
void cmp_scale_sample(cmp_scale *s, uint64_t live_bytes);
KV_MUST_USE kv_status cmp_scale_pause(cmp_scale *s);
KV_MUST_USE kv_status cmp_scale_end(cmp_scale *s);
// Writes the phase's measures to `out`. KV_CORRUPT if a self-check fails.
KV_MUST_USE kv_status cmp_scale_tell(cmp_scale *s, const char *phase,
                                     const cmp_effort *effort, cmp_kind kind);
// Write amplification since `begin`, with what is still owed; NAN: not known.
// Notes the moment as `pause`.
KV_MUST_USE kv_status cmp_scale_window(cmp_scale *s, uint64_t user_bytes,
                                       double *wa);
// Bytes written so far, and those of them that are not a log's and so can wait
// for background threads; NAN: not known.
void cmp_scale_written(const cmp_scale *s, double *all, double *background);
// One measure; NAN is n/a.
void cmp_scale_say(const cmp_scale *s, const char *phase, const char *measure,
                   double value);

#endif
