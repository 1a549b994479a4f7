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

// One thread's part.
typedef struct cmp_hand {
    const struct cmp_lab *lab;
    cmp_stream stream;
    cmp_player load, run;
    cmp_player *playing;
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
    cmp_histogram *delays; // [threads][CMP_CALLS]; NULL: no clock
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
KV_MUST_USE kv_status cmp_lab_play(cmp_lab *lab, bool is_run);
// The hands' work so far as one.
cmp_effort cmp_lab_effort(const cmp_lab *lab, bool is_run);
// The reason of a failure as void.tsv words it (results.h).
void cmp_lab_word_failure(const cmp_lab *lab, kv_status st, char *to,
                          size_t size);

#endif
