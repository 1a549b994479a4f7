// life.h -- a store on a disk in memory: what it was told, and what it said.
// SPDX-License-Identifier: MIT
//
//     life_run            a short workload, each write answered or not
//     life_check          what the store holds is what those answers allow
//
// The promises that are checked: an error is reported, what was acknowledged
// stays, nothing is made up.

#ifndef TESTS_FAULT_LIFE_H
#define TESTS_FAULT_LIFE_H

#include "common/crash/workload.h"
#include "common/disk_fault.h"
#include "common/disk_sim.h"

#include "tests/support/test.h"

enum { LIFE_OPS = 24 };

typedef struct life {
    const kv_engine *engine;
    const char *knobs;
    const kv_crash_workload *work;
    kv_disk *disk;
    kv_sync_mode sync;
    uint64_t memory_bytes; // 0: room for the workload's two dozen keys
    kv *db;
    kv_cursor *moment; // a cursor that stays open, from after this commit on
    uint32_t moment_commit;
    uint32_t commits;            // the last that was tried
    bool in_doubt[LIFE_OPS + 1]; // commits that failed, and it is not known how
    bool done[LIFE_OPS + 1];     // commits that were acknowledged
} life;

// What each test of a program is run with: the engine at its smallest sizes.
typedef void life_test(const life *begin);

// Runs the test on a workload or two, and fails unless it made at least some
// `life_injections`, which are the figure `what` of a goal (test_figure).
void life_try(const kv_engine *engine, const char *goal, const char *what,
              life_test *test);
// Of the workloads; 0: none.
extern uint64_t life_injections, life_seeds[3];

KV_MUST_USE kv_status life_open(life *l);
// Does so many of the workload's steps on the open store. Where reopening
// fails, it ends, and l->db is NULL.
void life_run(life *l, size_t steps);
// Closes the store, if it is open.
kv_status life_close(life *l);

// Fails unless every key holds its last acknowledged change, or a doubtful one.
// `what` is for the message.
void life_check(const life *l, const char *what);
// Which commit the key's value is from; 0 if it is not there. Fails if it holds
// what nobody wrote.
uint32_t life_held(const life *l, uint32_t key);
kv_status life_look(kv *db); // kv_check, without its report

#endif
