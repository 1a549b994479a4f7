// states.h -- which disks may a crash leave at this moment?
// SPDX-License-Identifier: MIT
//
//   kill    before a write of n bytes: n + 1 disks, one for each cut
//   ext4    of each file's atoms a prefix, of the names' atoms a prefix: all
//           combinations while they are few
//   posix   of n atoms, n <= 12: all subsets; else none, all, every prefix,
//           each one dropped, each one kept, each pair dropped while n <= 64,
//           and random subsets. Each with three fills of what was lost.
//
// Between two syncs the pending atoms only grow, so what was possible earlier
// is possible just before the sync: power cuts are looked at there only, and
// judged by the latest acknowledgement at which they are possible.

#ifndef COMMON_CRASH_STATES_H
#define COMMON_CRASH_STATES_H

#include "common/crash/crash.h"
#include "common/disk_sim.h"
#include "common/disk_trace.h"

// True if that disk is to be built. The index counts from 0 at each moment.
typedef bool kv_crash_chooser(void *arg, uint64_t index);
// Gets each such disk, and closes it.
typedef void kv_crash_visitor(void *arg, uint64_t index, kv_disk *image);

// True if a crash just before this event can leave something new.
bool kv_crash_is_moment(kv_crash_model model, const kv_trace_event *event);

// Shows every disk that a crash before `event` may leave of `sim`. `event` is
// NULL after the last one. `seed` chooses the random subsets;
// `wants` NULL wants all.
void kv_crash_states(kv_crash_model model, kv_disk *sim,
                     const kv_trace_event *event, uint64_t seed,
                     kv_crash_chooser *wants, kv_crash_visitor *visit,
                     void *arg);

#endif
