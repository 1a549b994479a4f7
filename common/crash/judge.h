// judge.h -- is this a disk that a crash may leave?
// SPDX-License-Identifier: MIT
//
// Invariants
//   J1  The store opens.
//   J2  Its content is state[n] of the workload for one n, acked <= n <= issued
//   J3  get agrees with scan, for keys that are there and keys that are not.
//   J4  kv_check finds nothing; no file is left open, or half made (.tmp) by
//       who wrote before.
//   J5  A second life works: put, del, a batch, a range deletion, sync, close,
//       open: all there.
//   J6  Opening it and crashing at once, by kill or by power cut, changes
//       nothing of that.
//   J7  A backup is a store by itself, of the commit it was taken after, from
//       when kv_backup returns; before that, there is none or the whole.

#ifndef COMMON_CRASH_JUDGE_H
#define COMMON_CRASH_JUDGE_H

#include "common/crash/workload.h"

typedef struct kv_crash_case {
    const kv_engine *engine;
    const char *knobs;
    const kv_crash_workload *work;
    uint32_t acked, issued; // commits
    bool is_brief;          // J1..J4 only
} kv_crash_case;

// Judges a simulated disk, which it does not change. False: what is wrong is
// appended to `why`.
bool kv_crash_judge(const kv_crash_case *c, kv_disk *image, kv_buf *why);
// The same of a backup's directory, where J7 and J1 to J4 hold.
bool kv_crash_judge_backup(const kv_crash_case *c, kv_disk *image, bool is_done,
                           kv_buf *why);

#endif
