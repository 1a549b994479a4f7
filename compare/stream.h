// stream.h -- a workload as a stream of operations, made in blocks outside the
// measured time, each with the answer that is right: the oracle.
// SPDX-License-Identifier: MIT
//
//   workload ──▶ stream ──▶ block of operations ──▶ player ──▶ engine
//                  │             right answers ──▶ compared ◀── answers
//                  └ the version of every key
//
// Several threads share the oracle and never a key: thread t of n has the
// records whose number (of a trace: whose place) is t modulo n, and sees its
// own writes only. Every answer can so be checked while all threads work on one
// store.
//
// Invariants
//   S1  The same seed, workload, records and threads give the same operations.
//   S2  An operation's right answer is that of the moment it was made in: its
//       player runs a stream's operations in order.

#ifndef COMPARE_STREAM_H
#define COMPARE_STREAM_H

#include "compare/records.h"
#include "compare/workload.h"

// A key's place and what is there; version 0: nothing.
typedef struct cmp_expected {
    uint32_t place, version;
} cmp_expected;

typedef struct cmp_op {
    kv_slice key;
    kv_slice value;      // to be written
    cmp_expected before; // what a read finds; in a miss, nothing
    cmp_call call;
    uint32_t scan_length;            // entries asked for
    uint32_t scan_first, scan_count; // in the block's `scanned`: to be seen
} cmp_op;

typedef struct cmp_block {
    cmp_op *op;
    size_t count, cap;
    cmp_expected *scanned;
    size_t scanned_count;
    uint8_t *keys, *values;
    size_t key_max, value_max;
} cmp_block;

typedef struct cmp_stream {
    const cmp_records *records;
    const cmp_workload *workload;
    uint32_t *state; // by place: version * 2 + is it there; shared
    uint32_t thread, threads;
    uint32_t inserted; // of this thread's records, so far
    uint32_t limit;    // this thread's records
    uint64_t left;     // operations yet to be made
    uint64_t next;     // of a trace: the line to look at
    bool is_loading;
    cmp_chooser chooser;
    kv_rng rng;
    int64_t live_count, live_bytes; // this thread's
    uint64_t user_bytes;            // of puts: keys and values; of dels: keys
} cmp_stream;

// Room for a block of this workload's operations.
void cmp_block_init(cmp_block *b, const cmp_records *records,
                    const cmp_workload *w);
void cmp_block_free(cmp_block *b);

// `s` says records, state, thread and threads. First come `count` inserts (of
// all threads together), until none is left; then cmp_stream_begin the rest.
void cmp_stream_load(cmp_stream *s, uint32_t count, const cmp_workload *load);
void cmp_stream_begin(cmp_stream *s, const cmp_workload *w, uint64_t operations,
                      uint64_t seed);
// Makes the next operations; none when the stream is at its end.
void cmp_stream_fill(cmp_stream *s, cmp_block *b);

// What is at a place now, in the stream's view.
static inline cmp_expected cmp_stream_at(const cmp_stream *s, uint32_t place)
{
    uint32_t state = s->state[place];
    cmp_expected there = {place, state & 1 ? state >> 1 : 0};
    return there;
}

#endif
