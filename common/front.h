// front.h -- what the front door keeps of a store and of a cursor.
// SPDX-License-Identifier: MIT
//
// Between engine.h and a stage stand three files: open.c opens and closes,
// engine.c passes calls on, look.c looks inside. This is what they share.

#ifndef COMMON_FRONT_H
#define COMMON_FRONT_H

#include "common/engine_impl.h"
#include "common/identity.h"

struct kv_front {
    char *path;
    kv_disk *callers_disk; // not ours to close; NULL: we opened it
    kv_file *lock;
    kv_identity identity;
    bool is_open; // the stage's open() was called, so its close() must be

    // Writes that began and writes that ended. A cursor of an engine without
    // snapshots goes on while as many began as had ended when it was opened:
    // then no write was under way at that time, and none came since.
    _Alignas(64) _Atomic uint64_t writes_begun;
    _Atomic uint64_t writes_ended;

    // After kv_go_read_only: why.
    _Atomic bool is_read_only;
    kv_mutex read_only_lock;
    char read_only_because[300];

    // KV_SYNC_INTERVAL: a thread that syncs now and then.
    bool has_ticker;
    kv_thread ticker;
    kv_mutex ticker_lock;
    kv_cond ticker_stop;
    bool is_stopping;
    uint64_t interval_ns;

    kv_counters counters[KV_THREAD_SLOTS];
};

struct kv_cursor_front {
    kv_buf from, to;
    uint64_t writes_ended; // when the cursor was opened
    bool must_filter;      // the engine is unordered, and the range has a bound
    bool may_go_stale;     // the engine has no snapshots
};

static inline bool kv_has(const kv *db, kv_caps cap)
{
    return (db->engine->info.caps & cap) != 0;
}

// KV_READ_ONLY, with the reason, if the store takes no writes.
kv_status kv_front_writable(kv *db);

#endif
