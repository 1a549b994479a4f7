// moment.h -- a cursor that stays open while its store goes on: walked then, it
// shows the state of the moment it was opened in.
// SPDX-License-Identifier: MIT
//
//     KV_CRASH_MOMENT   opens it ... writes, merges, settling ...
//     KV_CRASH_MOMENT   walks it to its end, and closes it
//
// Only engines with order and snapshots have moments.

#ifndef COMMON_CRASH_MOMENT_H
#define COMMON_CRASH_MOMENT_H

#include "common/crash/workload.h"

typedef struct kv_crash_moment { // zeroes: none
    kv_cursor *cursor;
    uint32_t commit; // the last one before it
} kv_crash_moment;

// Opens one if there is none, and ends the one there is. Where the engine has
// none it does nothing.
KV_MUST_USE kv_status kv_crash_moment_turn(kv_crash_moment *m, kv *db,
                                           const kv_crash_workload *work,
                                           uint32_t commit);
// Ends it, if there is one: before the store is closed. KV_CORRUPT if it does
// not show its moment.
KV_MUST_USE kv_status kv_crash_moment_end(kv_crash_moment *m,
                                          const kv_crash_workload *work);

#endif
