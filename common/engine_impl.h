// engine_impl.h -- the other side of engine.h: what a stage fills in.
// SPDX-License-Identifier: MIT
//
// For engine.c, here and in each stage, and nobody else. By the time a stage is
// called, common/engine.c has locked the directory and read its identity,
// checked the arguments against the stage's limits, parsed the knobs, allocated
// the store zeroed, and counted the call. A stage contains its idea and nothing
// else.
//
// close() must accept any prefix of open(): every field is zero until set and
// releasing a zero is a no-op. open() therefore needs no clean-up of its own;
// when it fails the front door calls close(). The same holds for scan() and
// end().

#ifndef COMMON_ENGINE_IMPL_H
#define COMMON_ENGINE_IMPL_H

#include <stdatomic.h>

#include "common/engine.h"
#include "common/thread.h"

// Raised when this file changes; an engine in a shared library says which it
// was built for.
enum { KV_ENGINE_ABI = 4 };

// One thread's part of the counters, alone on its cache lines.
typedef struct kv_counters {
    _Alignas(64) _Atomic uint64_t gets;
    _Atomic uint64_t puts, dels, range_dels, scans;
    _Atomic uint64_t user_read_bytes, user_write_bytes;
} kv_counters;

// The first member of every stage's store struct. A stage reads it, may lower
// key_max or set read_only in its open(), and calls kv_go_read_only; the rest
// is the front door's.
struct kv {
    const kv_engine *engine;
    const char *path; // for messages
    kv_disk *disk;    // a count layer; NULL without KV_CAP_DURABLE
    kv_sync_mode sync;
    bool read_only;
    bool is_new;      // the directory was made by this open
    uint32_t key_max; // the engine's; open() may lower it for this store
    uint64_t memory_bytes;
    uint64_t seed;               // for tables in memory
    uint64_t store_id;           // of this directory, in every file's header
    uint64_t knob[KV_KNOBS_MAX]; // indexed by the stage's own enum
    uint32_t knobs_given;        // bit i: knob[i] was asked for
    kv_explainer explain;

    struct kv_front *front; // the front door's own
};

// The first member of every stage's cursor struct.
struct kv_cursor {
    kv *db;
    kv_range range; // the cursor's own copy of the bounds
    struct kv_cursor_front *front;
};

// Was the knob asked for, or is it at its default? What a store keeps as it
// began is refused with KV_INVALID where something else was asked for.
static inline bool kv_knob_is_given(const kv *db, unsigned index)
{
    return db->knobs_given >> index & 1;
}

// After this every write is KV_READ_ONLY with this thread's last error in the
// sentence, until the store is reopened: for a failed sync, and for whatever
// else leaves the disk in doubt (D4). The first call counts. Returns `st`.
kv_status kv_go_read_only(kv *db, kv_status st);

struct kv_engine {
    unsigned abi; // KV_ENGINE_ABI
    kv_engine_info info;
    size_t store_size;  // sizeof(struct log_store)
    size_t cursor_size; // sizeof(struct log_cursor)

    kv_status (*open)(kv *db);
    // Finishes background work, syncs if it may, gives everything back.
    kv_status (*close)(kv *db);
    kv_status (*get)(kv *db, kv_slice key, kv_buf *value);
    // Puts, dels and batches alike: applied whole or not at all. KV_DEL_RANGE
    // occurs only with KV_CAP_RANGE_DELETE.
    kv_status (*write)(kv *db, const kv_change *changes, size_t count);

    kv_status (*scan)(kv *db, kv_cursor *cursor);
    kv_status (*next)(kv_cursor *cursor, kv_slice *key, kv_slice *value);
    void (*end)(kv_cursor *cursor);

    // Fills memory_bytes, index_bytes and key_count.
    void (*measure)(kv *db, kv_stats *stats);
    kv_status (*inspect)(kv *db, const char *what, kv_report *report);
    kv_status (*check)(kv *db, kv_report *report);

    // NULL where it would do nothing, or where an ability is absent.
    kv_status (*get_many)(kv *db, size_t count, const kv_slice *keys,
                          kv_buf *values, bool *found);
    kv_status (*sync)(kv *db);
    kv_status (*maintain)(kv *db, bool *did_work);
    kv_status (*compact)(kv *db, kv_slice from, kv_slice to);
    kv_status (*backup)(kv *db, kv_disk *target);
    kv_status (*xray)(kv_disk *disk, const char *file, kv_xray *xray);
};

#endif
