// lab.h -- what a trial works with: records, a store, and a hand per thread.
// SPDX-License-Identifier: MIT
//
//   cmp_lab_prepare ▶ cmp_lab_open ▶ ( cmp_lab_play … )
//
// Everything that takes memory is taken by cmp_lab_prepare, so that what the
// process grows by afterwards is the store's. Nothing is given back, for the
// process ends with the trial.

#ifndef COMPARE_LAB_H
#define COMPARE_LAB_H

#include "common/thread.h"

#include "compare/player.h"
#include "compare/scale.h"
#include "compare/trial.h"

// What is played, one after the other.
typedef enum cmp_part {
    CMP_LOAD, // and ageing
    CMP_RUN,
    CMP_COLD, // reads again, after everything was forgotten
    CMP_PARTS,
} cmp_part;

// What a thread does of the workload.
typedef enum cmp_duty { CMP_ALL_DUTIES, CMP_READS, CMP_WRITES } cmp_duty;

// One thread's part.
typedef struct cmp_hand {
    const struct cmp_lab *lab;
    struct cmp_lab *beside; // the same, while others play
    cmp_duty duty;
    cmp_workload workload; // its share of the lab's
    cmp_stream stream;
    cmp_player player[CMP_PARTS];
    cmp_part playing;
    kv_thread thread;
    kv_status st;
    char sentence[400]; // of st
} cmp_hand;

typedef struct cmp_lab {
    const cmp_trial *trial;
    cmp_workload workload; // with what depends on the number of records
    FILE *out;
    cmp_engine engine; // with the knobs of this kind of trial
    kv *db;
    cmp_records records;
    uint32_t *state;
    uint32_t threads;
    uint32_t loaded; // records inserted before the run
    uint64_t operations;
    cmp_hand *hands;
    cmp_histogram *delays;     // [threads][CMP_CALLS]; NULL: no clock
    struct cmp_window *window; // of one thread with a clock; else NULL
    atomic_bool readers_are_done;
    _Atomic uint32_t reading; // threads that still read
    cmp_scale scale;
    uint64_t answers;
} cmp_lab;

// `lab` says trial and out. The same seed gives the same records.
void cmp_lab_prepare(cmp_lab *lab);
KV_MUST_USE kv_status cmp_lab_open(cmp_lab *lab);

// The work that loads the store, in batches.
extern const cmp_workload cmp_lab_load;
// Every hand plays its stream to the end, all at once. The first failure, its
// reason worded as void.tsv wants it.
KV_MUST_USE kv_status cmp_lab_play(cmp_lab *lab, cmp_part part);
// The hands' work so far as one.
cmp_effort cmp_lab_effort(const cmp_lab *lab, cmp_part part);
// Every hand's stream begins the workload, or its part of it.
void cmp_lab_begin(cmp_lab *lab, uint64_t operations, uint64_t seed);
// True if no operation of the workload changes anything.
bool cmp_lab_only_reads(const cmp_lab *lab);
// The reason of a failure as void.tsv words it (results.h).
void cmp_lab_word_failure(const cmp_lab *lab, kv_status st, char *to,
                          size_t size);

#endif
