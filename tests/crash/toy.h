// toy.h -- a store of one screen, and the mistakes it can make: what the crash
// explorer has to find is planted here.
// SPDX-License-Identifier: MIT
//
// Its state is a few keys in memory and a chain of record logs. Opening it
// replays the logs, writes what they say as one group into a new log, syncs
// that, and removes the old ones. The knob `bug` leaves one step out.

#ifndef TESTS_CRASH_TOY_H
#define TESTS_CRASH_TOY_H

#include "common/engine.h"

typedef enum toy_bug {
    TOY_SOUND,
    TOY_NO_SYNC,      // acknowledges before the sync
    TOY_NO_DIR_SYNC,  // a new log's name is not made durable
    TOY_SPLIT_BATCH,  // a batch is not one group
    TOY_HOLE,         // a log is followed by the next before it is synced
    TOY_EARLY_REMOVE, // the old logs go before their copy is durable
    TOY_FORGETFUL,    // a deletion is not logged
    TOY_BUGS,         // how many
} toy_bug;

extern const kv_engine toy_engine;

#endif
