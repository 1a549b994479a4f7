// store.h -- an open store: the parts, and what the engine's own files share.
// SPDX-License-Identifier: MIT
//
//   put, del, batch                         get, scan
//        |                                      |
//   commit line -- one group at a time          |
//        | look up, append, sync, apply         |
//        v                                      v
//   newest segment        index  <-- latches -- find
//        | full: seal        ^                  |
//        v                   | install          v
//   sealed segments -- merge (in steps) --> segments, pinned while read
//
// Invariants
//   L1  The index, the counters of segments and the newest segment change in
//       the commit line only.
//   L2  A group is in the index only after it is in the file, and, in
//       KV_SYNC_COMMIT, on the disk.
//   L3  After a write or a sync fails for another reason than a full disk,
//       nothing more is written (is_failed) until the store is reopened.
//   L4  Lock order: work_lock, then the commit line, then a table's latch or
//       the list's lock. No latch is held over a disk call.

#ifndef LOG_STORE_H
#define LOG_STORE_H

#include "common/engine_impl.h"
#include "common/workers.h"

#include "merge.h"
#include "pick.h"

typedef enum log_knob {
    LOG_KNOB_INDEX,
    LOG_KNOB_FORMAT,
    LOG_KNOB_READ,
    LOG_KNOB_SEGMENT_BYTES,
    LOG_KNOB_MERGE,
    LOG_KNOB_GARBAGE_PERCENT,
    LOG_KNOB_BACKGROUND,
    LOG_KNOB_HINTS,
    LOG_KNOBS,
} log_knob;

enum { LOG_INDEX_HASH, LOG_INDEX_OFF };
enum { LOG_FORMAT_AUTO, LOG_FORMAT_BINARY, LOG_FORMAT_TEXT };
enum { LOG_READ_COPY, LOG_READ_MAP };
enum { LOG_MERGE_SEGMENT, LOG_MERGE_ALL, LOG_MERGE_NEVER };

// One change of the group being written.
typedef struct log_change {
    const kv_change *change;
    bool more;                // the next one belongs to the same call
    bool had;                 // the index names a record of the key ...
    log_place old;            // ... here
    log_segment *old_segment; // pinned
    uint32_t old_bytes;
    uint64_t hash;
    uint64_t offset; // in the newest segment
    uint32_t bytes;
} log_change;

typedef struct log_store {
    kv base;
    log_index index;
    log_segments segments;
    log_finder finder;

    kv_commit_line line;
    log_segment *newest; // being written; NULL until the first write
    log_change *group;
    size_t group_cap;
    kv_buf payload, old_bytes;
    log_record old;

    kv_mutex work_lock; // one step of housekeeping at a time
    log_merge merge;
    uint32_t round_from, round_last; // merge=all: positions yet to do
    kv_workers workers;

    _Atomic uint64_t applied;        // groups, twice; odd while one is
    _Atomic uint64_t unlooked_bytes; // written since housekeeping looked
    _Atomic bool is_failed;          // L3
    _Atomic bool is_changed;         // since the hint file was written
    _Atomic bool is_checking;        // writers do not lend a hand meanwhile
    _Atomic(log_segment *) unsealed; // F4: to be rewritten first
    bool is_recovered;               // all that is on disk is known
    const char *hint_says;
    uint64_t opened_records, opened_bytes, torn_bytes;
} log_store;

static inline log_store *log_store_of(kv *db) { return (log_store *)db; }

static inline uint64_t log_knob_of(const log_store *store, log_knob knob)
{
    return store->base.knob[knob];
}

// ---- write.c ----------------------------------------------------------------

kv_status log_write_group(void *arg, const kv_commit_entry *entries,
                          size_t count);
// Seals the newest segment, if there is one; in the commit line.
kv_status log_seal_newest(void *store);
// Latches the store read-only (L3); returns `st`.
kv_status log_fail(log_store *store, kv_status st);
// The size at which a segment is closed: the knob, or what suits the store.
uint64_t log_segment_limit(log_store *store);

// ---- house.c ----------------------------------------------------------------

// One step, for the workers.
kv_status log_house_step(void *store, bool *did_work);
// What a writer does for the house after its write.
kv_status log_house_look(log_store *store);
// Rewrites a segment that recovery found without its closing record (F4).
kv_status log_house_finish_recovery(log_store *store);
kv_status log_maintain(kv *db, bool *did_work);
kv_status log_sync(kv *db);
kv_status log_backup(kv *db, kv_disk *target);
kv_status log_close(kv *db);

// ---- scan.c, look.c, check.c, xray.c ----------------------------------------

typedef struct log_cursor {
    kv_cursor base;
    log_index *index; // the store's, or own
    log_index *own;
    uint64_t applied;                        // the store's, when it began
    uint32_t table, group;                   // the next to be gathered
    log_segment *segment[LOG_GROUP_ENTRIES]; // pinned
    uint64_t offset[LOG_GROUP_ENTRIES];
    uint64_t bound[LOG_GROUP_ENTRIES];
    size_t at, count, unpinned; // of these
    log_view view;
    kv_buf bytes;
} log_cursor;

kv_status log_scan(kv *db, kv_cursor *cursor);
kv_status log_next(kv_cursor *cursor, kv_slice *key, kv_slice *value);
void log_end(kv_cursor *cursor);
void log_measure(kv *db, kv_stats *stats);
kv_status log_inspect(kv *db, const char *what, kv_report *report);
kv_status log_check(kv *db, kv_report *report);
kv_status log_xray(kv_disk *disk, const char *file, kv_xray *xray);

#endif
