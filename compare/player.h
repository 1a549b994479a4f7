// player.h -- runs a stream's operations against a store and checks every
// answer.
// SPDX-License-Identifier: MIT
//
//   make a block │ clock │ run it │ clock │ compare its answers │ next block
//                └───── measured ─────────┘
//
// Inside the measured time the player calls the engine, keeps a fingerprint of
// each answer (and a copy of each 64th), and does nothing else. With delays it
// also reads the clock around every call, which is why throughput and delays
// are taken from different runs.
//
// Closed loop: the next call begins when the last one ended, so that a stall of
// a second is one slow call. Open loop: calls are due at a fixed pace, as if
// from people who do not know of each other, and a delay counts from when the
// call was due: the same stall is a second of slow calls. The schedule stands
// still while the harness makes the next block.

#ifndef COMPARE_PLAYER_H
#define COMPARE_PLAYER_H

#include <stdatomic.h>

#include "common/engine.h"

#include "compare/histogram.h"
#include "compare/stream.h"

typedef struct cmp_player {
    kv *db;
    cmp_stream *stream;
    cmp_histogram *delays;      // [CMP_CALLS]; NULL: no clock
    cmp_histogram *window;      // all calls since whoever reads it emptied it
    double gap_ns;              // open loop: between two calls; 0: closed loop
    const atomic_bool *is_over; // ends the stream early when true; or NULL
    // Called between blocks, outside the measured time; may be NULL.
    void (*between)(void *arg);
    void *arg;

    uint64_t operations, ns;   // measured so far
    uint64_t harness_cpu_ns;   // this thread's, outside the measured time
    uint64_t calls[CMP_CALLS]; // operations by call
    uint64_t hits, checked;    // reads that found something; answers compared
    uint64_t entries;          // that scans returned
    uint64_t longest_ns;       // the slowest block
    double due_ns;             // open loop: when the next call is

    cmp_block block;
    struct cmp_answers *answers;
} cmp_player;

// Makes room; before the store is opened, so that it is not counted as its.
void cmp_player_init(cmp_player *p, const cmp_records *records,
                     const cmp_workload *w);
// Until the stream ends. KV_CORRUPT with a sentence that begins with "wrong: "
// when an answer is not the oracle's; else whatever the engine failed with.
KV_MUST_USE kv_status cmp_player_run(cmp_player *p);
void cmp_player_free(cmp_player *p);

#endif
