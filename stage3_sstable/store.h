// store.h -- the whole of stage 3: a memtable, its log, and sorted segments.
// SPDX-License-Identifier: MIT
//
//   put ─▶ log ─▶ memtable            get ─▶ active, frozen, then segments from
//                   │ full                  the newest to the oldest: the first
//                   ▼ (freeze)               that knows the key has the answer
//                 frozen memtable
//                   │ flush (a step)
//                   ▼
//   segments:   9  4  2 ─ merge (steps) ─▶ 10        CATALOG says which count
//
// States of the memtables, and the function on each arrow:
//
//   active ──freeze (store.c, by a writer that finds it full)──▶ frozen
//   frozen ──flush (housekeeping.c, a step)──▶ a segment; the log is removed
//
// Locks, in the order in which they are taken; none is held over another's
// wait for a disk except as said:
//   commit line   one group of writers at a time: log, active memtable
//   work          one step of housekeeping, or one freeze, at a time, with its
//                 disk calls: whoever switches the view holds it
//   view latch    the pointer to the current view
//   memtable latch
//
// Invariants
//   W1  A change is in the log, and synced if the mode says so, before it is in
//       the memtable: what cannot be made durable is never seen.
//   W2  A log is removed only when a catalog that does not need it is durable.
//   W3  There is at most one frozen memtable: writers wait for its flush.
//   W4  Tombstones are dropped only by a merge whose inputs include the oldest
//       segment: nothing older can hold the key.
//
// Book: "SSTables and LSM-Trees"

#ifndef SST_STORE_H
#define SST_STORE_H

#include "common/batch.h"
#include "common/commit.h"
#include "common/recordlog.h"

#include "catalog.h"
#include "census.h"

typedef enum sst_merge_policy {
    SST_MERGE_EVERY, // all segments, when `every` of them have gathered, or
                     // when a settling finds that they are mostly dead
    SST_MERGE_ALL,   // every flush merges the memtable with the one segment
    SST_MERGE_NEVER,
} sst_merge_policy;

typedef struct sst_config {
    kv_disk *disk;
    uint64_t store_id;
    bool is_new, read_only;
    bool sync_commits; // KV_SYNC_COMMIT
    bool steps_inline; // background=0: a writer does the steps it causes
    bool use_map;
    bool is_text;           // of a new store; an old one keeps its own
    bool insists_on_format; // an old one has that, or it is KV_INVALID
    uint64_t memtable_bytes, index_bytes;
    sst_merge_policy merge;
    uint64_t every;
} sst_config;

typedef struct sst_store {
    sst_config config;
    const kv_explainer *explain;
    const sst_codec *codec; // for new segments

    kv_latch view_latch;
    sst_view *view;
    _Atomic uint64_t visible_seq;     // the newest group that readers see
    _Atomic uint64_t newest_snapshot; // that any cursor was opened at
    _Atomic uint64_t next_number;     // of files (T2)

    kv_commit_line line;
    sst_memtable *active; // the view's; the line's leader's
    kv_recordlog log;     // of the active memtable; the line's leader's
    bool log_in_doubt;    // a sync of it failed; the line's leader's
    bool must_flush;      // the memtable was recovered, and is in old logs only
    uint64_t seq;         // of the last group; the line's leader's
    kv_buf payload;       // scratch of the line's leader

    kv_mutex work;
    bool has_work_lock;            // the mutex was made
    struct sst_job *flush, *merge; // under way; guarded by work
    sst_census census;             // the same, if is_counting
    bool is_counting, mostly_dead; // the latter is what the census found
    uint64_t counted;              // the newest segment it has seen
    kv_status merge_failure;       // why merging stopped; guarded by work
    char merge_sentence[256];
} sst_store;

// ---- store.c ----------------------------------------------------------------

// Opens, recovers, and leaves an empty active memtable with a new log.
// Requires a zeroed store; close accepts whatever this leaves.
KV_MUST_USE kv_status sst_store_open(sst_store *s, const sst_config *config,
                                     const kv_explainer *explain);
// Seals the log. Requires that no other call runs.
kv_status sst_store_close(sst_store *s);
// KV_NOT_FOUND, or the value. Cost: 1 read per segment whose range holds the
// key, until one knows it.
KV_MUST_USE kv_status sst_store_get(sst_store *s, kv_slice key, kv_buf *value);
// Cost: 1 write for all who arrive together, and 1 sync if sync_commits.
KV_MUST_USE kv_status sst_store_write(sst_store *s, const kv_change *changes,
                                      size_t count);
KV_MUST_USE kv_status sst_store_sync(sst_store *s);

// The current view, with a reference for the caller.
sst_view *sst_store_view(sst_store *s);
// Switches to a view (taking over the caller's reference to it).
void sst_store_set_view(sst_store *s, sst_view *view);
uint64_t sst_store_new_number(sst_store *s);
// Makes an empty log, in this directory or another, its name durable.
// `previous_size` is that of the log before it, or 0. Cost: 2 syncs.
KV_MUST_USE kv_status sst_log_create(const sst_config *config, kv_disk *disk,
                                     uint64_t number, uint64_t previous_size,
                                     kv_recordlog *out);
// Sealed log, new log, new active memtable. Requires that none is frozen, a
// place in the commit line, and the work lock.
KV_MUST_USE kv_status sst_store_freeze(sst_store *s);
sst_name sst_log_name(uint64_t number);

// ---- recovery.c -------------------------------------------------------------

// What sst_store_open finds on disk becomes the view.
KV_MUST_USE kv_status sst_store_recover(sst_store *s);
// A memtable that nobody writes to becomes a segment on `disk`, whose name is
// not synced.
KV_MUST_USE kv_status sst_store_shelve(sst_store *s, sst_memtable *m,
                                       kv_disk *disk, sst_segment **out);
// Files in the directory that no catalog names: ours and dead ones are
// removed, if `remove`; strangers are counted.
KV_MUST_USE kv_status sst_store_orphans(sst_store *s, bool remove,
                                        uint64_t *strangers);

// ---- housekeeping.c ---------------------------------------------------------

// One bounded step: some 4 MiB of a flush or of a merge. Takes the work lock.
KV_MUST_USE kv_status sst_store_step(sst_store *s, bool *did_work);
// The same for who wants everything done: without other work, a memtable that
// is not full is frozen, too, and with merge=every the dead are counted: where
// they are more than the live, and more than a sixteenth of a memtable, a merge
// is due.
KV_MUST_USE kv_status sst_store_settle_step(sst_store *s, bool *did_work);
// For who holds the work lock: a step, and the flush of the frozen memtable to
// its end.
KV_MUST_USE kv_status sst_store_step_locked(sst_store *s, bool *did_work);
KV_MUST_USE kv_status sst_store_flush_locked(sst_store *s);
// Writes the catalog of a view, whose names and bytes are synced (T1).
KV_MUST_USE kv_status sst_store_write_catalog(const sst_config *config,
                                              kv_disk *disk,
                                              const sst_view *view,
                                              uint64_t next, uint64_t log,
                                              kv_why why);
// The same of the store as it is closed, with T4. Requires that the log is
// sealed. Where there is no room, the catalog stays as it is.
KV_MUST_USE kv_status sst_store_write_last_catalog(sst_store *s);
// Gives up what is under way. Requires that no other call runs.
void sst_store_drop_jobs(sst_store *s);
// Hard links of everything (copies, on another file system), and a catalog, in
// another directory. What is in memory only becomes a segment first: of the
// copy alone if the store is read-only.
KV_MUST_USE kv_status sst_store_backup(sst_store *s, kv_disk *target);

// ---- cursor.c ---------------------------------------------------------------

// A walk over one moment of the store, in key order, without tombstones.
typedef struct sst_cursor {
    sst_store *store;
    sst_view *view;
    sst_merge merge;
    kv_slice from, to; // the caller's
    bool reverse;
} sst_cursor;

KV_MUST_USE kv_status sst_cursor_open(sst_cursor *c, sst_store *s,
                                      kv_slice from, kv_slice to, bool reverse);
KV_MUST_USE kv_status sst_cursor_next(sst_cursor *c, kv_slice *key,
                                      kv_slice *value);
void sst_cursor_close(sst_cursor *c);

// A memtable as a source for a merge, as sst_segment_scan is for a segment.
sst_source *sst_memtable_scan(sst_memtable *m, kv_slice from, kv_slice to,
                              bool reverse, uint64_t seq);

#endif
