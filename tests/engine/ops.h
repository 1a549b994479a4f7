// ops.h -- a run of random operations beside the model, and its shrinking.
// SPDX-License-Identifier: MIT
//
//     seed ─▶ ops_generate ─▶ ops_fail? ─▶ ops_shrink ─▶ ops_print_script
//
// A run is plain data: any subset of its operations is a run again. That is
// what lets ops_shrink drop operations for as long as the rest still fails,
// until a failure of hundreds of steps is a script of a few lines.

#ifndef TESTS_ENGINE_OPS_H
#define TESTS_ENGINE_OPS_H

#include "tests/engine/subject.h"

typedef enum op_kind {
    OP_PUT,
    OP_DEL,
    OP_GET,
    OP_GET_MANY,
    OP_BATCH,
    OP_DEL_RANGE,
    OP_SCAN,
    OP_HOLD, // opens a cursor and keeps it …
    OP_DROP, // … until here, where it is walked to its end
    OP_SYNC,
    OP_MAINTAIN,
    OP_SETTLE,
    OP_REOPEN,
    OP_CHECK,
    OP_BACKUP,
    OP_COMPARE, // all of the store with all of the model
    OP_KINDS
} op_kind;

typedef struct op {
    op_kind kind;
    uint32_t key, key2; // numbers of keys; key2 ends a range
    uint32_t size;      // bytes of a value, or changes in a batch
    uint32_t seed;      // of the value, or of the batch's changes
} op;

typedef struct run {
    const kv_engine *engine;
    char *knobs;
    kv_sync_mode sync;
    uint64_t memory_bytes;
    uint32_t key_count; // numbers of keys go up to this
    uint32_t key_max;   // bytes; what a store with these knobs takes
    op *ops;
    size_t count;
} run;

// A setting and `count` operations that follow from `seed`.
void ops_generate(run *r, const kv_engine *engine, const char *knobs,
                  uint64_t seed, size_t count);
void ops_free(run *r);

// True if the engine gives a wrong answer, fails or dies, with what happened in
// the message. The run is done in a child process and a directory of its own.
bool ops_fail(const run *r, kv_buf *message);
// Drops operations and lessens sizes for as long as the run fails, within a
// number of attempts. Returns how many it made.
size_t ops_shrink(run *r, kv_buf *message);
// The run as lines for the repl of a stage's program.
void ops_print_script(const run *r, kv_buf *to);

// Some numbers of keys have odd bytes, are long, or begin like others.
void ops_key(uint32_t number, uint32_t key_max, kv_buf *to);

#endif
