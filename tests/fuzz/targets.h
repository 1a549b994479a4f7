// targets.h -- everything that reads bytes from a disk or a user, as functions
// of bytes.
// SPDX-License-Identifier: MIT
//
// A target may refuse its input, and must not die, hang, allocate without
// bound or give a wrong answer: what it promises beyond that, it asserts.
//
//     replay.c   seeds and seeded mutations of them, with any compiler, in the
//                normal test run
//     fuzz.c     one libFuzzer program for each target (KV_FUZZ=ON, clang)

#ifndef TESTS_FUZZ_TARGETS_H
#define TESTS_FUZZ_TARGETS_H

#include "common/bytes.h"

typedef struct fuzz_target {
    const char *name;
    void (*run)(kv_slice input);
    // Appends valid input number `n`; false when there are no more.
    bool (*seed)(unsigned n, kv_buf *to);
    unsigned cost; // about how many microseconds a run takes
} fuzz_target;

extern const fuzz_target fuzz_targets[]; // the last one has no name

// NULL if there is none of that name.
const fuzz_target *fuzz_find(const char *name);

// store.c
void fuzz_store_run(kv_slice input);
bool fuzz_store_seed(unsigned n, kv_buf *to);

// lsm.c
void fuzz_lsm_block_run(kv_slice input);
bool fuzz_lsm_block_seed(unsigned n, kv_buf *to);
void fuzz_lsm_parts_run(kv_slice input);
bool fuzz_lsm_parts_seed(unsigned n, kv_buf *to);
void fuzz_lsm_table_run(kv_slice input);
bool fuzz_lsm_table_seed(unsigned n, kv_buf *to);

// bt.c
void fuzz_bt_page_run(kv_slice input);
bool fuzz_bt_page_seed(unsigned n, kv_buf *to);
void fuzz_bt_super_run(kv_slice input);
bool fuzz_bt_super_seed(unsigned n, kv_buf *to);
void fuzz_bt_item_run(kv_slice input);
bool fuzz_bt_item_seed(unsigned n, kv_buf *to);

#endif
