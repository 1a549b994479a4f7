// store.h -- the whole of stage 4: memtables, their logs, and levels of tables.
// SPDX-License-Identifier: MIT
//
//   put ─▶ log ─▶ active memtable ── full: freeze ──▶ frozen memtables
//                                                        │ flush (steps)
//   get ─▶ active, frozen, then run after run            ▼
//          from the newest to the oldest; the      level 0   ▤ ▤ ▤
//          first that knows has the answer               │ compact (steps)
//                                                        ▼
//                                                  levels 1 … 7
//
// Locks, in the order in which they are taken:
//   commit line   one group of writers at a time: log, active memtable, freeze
//   install       one change of tables at a time, with its disk calls
//   work          the jobs under way, and who may switch the view: for
//                 instructions only, never over a disk call
// Readers take none of them (view.h).
//
// Invariants
//   S1  A change is in the log, and synced if the mode says so, before it is in
//       the memtable: what cannot be made durable is never seen.
//   S2  A log is removed only when a manifest that does not need it is durable.
//   S3  Memtables are flushed in the order in which they were frozen.
//   S4  Writers wait where `frozen_max` memtables wait to be flushed, or level
//       0 has grown past its limit; before that, they are slowed down, the
//       more the more there is to compact (pressure.c).
//
// Book: "SSTables and LSM-Trees"

#ifndef LSM_STORE_H
#define LSM_STORE_H

#include "common/commit.h"
#include "common/rate.h"

#include "compaction.h"
#include "manifest.h"
#include "view.h"
#include "wal.h"

enum { LSM_JOBS_MAX = 4 };

typedef struct lsm_config {
    kv_disk *disk;
    uint64_t store_id;
    bool is_new, read_only;
    bool sync_commits; // KV_SYNC_COMMIT
    bool steps_inline; // background=0: a writer does the steps it causes
    bool use_map;
    uint64_t memory_bytes;   // for all of budget.c
    uint64_t memtable_bytes; // of one memtable, at most
    size_t frozen_max;
    uint64_t manifest_bytes; // at which it is rolled over
    // That compactions may write in a second, but for those that somebody waits
    // for; 0: any. What is written inline is always waited for.
    uint64_t rate_bytes;
    size_t parallel; // compactions at once
    lsm_shape shape;
    // Of a table in the last level, roughly; in each level above, tables are so
    // many times smaller (0: 1).
    uint64_t table_bytes, table_growth;
    uint32_t block_bytes;
    // Two classes, and not one for each level: where each is ten times the one
    // above, nine tenths of all bytes are in the last, where they stay longest;
    // what is above it is rewritten soon, and too small to matter.
    lsm_compression compression, last_compression; // of the last level
    double bits_per_key;
    bool allots_bits;
    // Called after each step, whoever took it: who found everything busy before
    // may find work now, or in so many nanoseconds. NULL: nobody waits.
    void (*wake)(void *arg, uint64_t in_ns);
    void *wake_arg;
    // For a test that draws the order of small steps from its seed: whether
    // what would be next is passed over for something else (NULL: never), and
    // of how many bytes a step is at most (0: a MiB).
    bool (*pass_over)(void *arg);
    void *pass_arg;
    uint64_t step_bytes;
} lsm_config;

// What happened so far, per level; guarded by the work lock.
typedef struct lsm_level_tally {
    uint64_t jobs, moves; // that ended here
    uint64_t bytes_in, bytes_out, entries_in, entries_out;
} lsm_level_tally;

// How far gets had to go: one thread's part of the counters.
typedef struct lsm_get_tally {
    _Alignas(64) _Atomic uint64_t steps[LSM_LEVELS][LSM_STEP_FOUND + 1];
    _Atomic uint64_t from_memtable;
} lsm_get_tally;

typedef struct lsm_store {
    lsm_config config;
    const kv_explainer *explain;
    lsm_cache *cache;
    lsm_workshop shop;
    lsm_attic attic;                 // of memtables; outlives the views
    _Atomic uint64_t resident_bytes; // of open tables, in memory
    lsm_gate gate;
    _Atomic uint64_t next_number; // of files and runs (X2)
    // Of the last memtable that was frozen; and when it was last asked whether
    // the cache is small (budget.c).
    _Atomic uint64_t frozen_changes, patience_seq;

    kv_commit_line line;
    // The line's leader's:
    lsm_wal wal;
    lsm_memtable *active;            // the view's
    _Atomic uint64_t memtable_bytes; // at which it is frozen
    uint64_t seq;                    // of the last change
    bool must_flush; // the memtable was recovered, and is in old logs only
    uint64_t credit_bytes; // that may be written before the next delay
    bool has_new_run;      // made by recovery
    // for whoever wants to know that there is new work
    _Atomic uint64_t freezes;

    kv_mutex install;
    lsm_manifest manifest; // guarded by install

    kv_mutex work;
    kv_cond progress; // something was installed, or has failed
    bool has_locks;
    // Guarded by work:
    lsm_job *flush;              // under way
    lsm_job *jobs[LSM_JOBS_MAX]; // compactions under way, oldest first
    size_t job_count;
    kv_rate rate;              // of all of them together
    size_t ending_count;       // installed, or failed, and giving back files
    size_t turn;               // whose it is
    bool may_pick;             // something has changed since the last pick
    _Atomic bool is_worn;      // level 0, by scans, as one of them has seen
    kv_status flush_failure;   // why the last flush did not end
    kv_status compact_failure; // why compacting stopped
    char compact_sentence[256];
    lsm_level_tally levels[LSM_LEVELS];
    uint64_t delays, stops;    // of writers
    _Atomic uint32_t pressure; // the fullness; see pressure.c

    lsm_get_tally gets[KV_THREAD_SLOTS];
} lsm_store;

// ---- store.c ----------------------------------------------------------------

// Opens, recovers, and leaves an empty active memtable with a new log.
// Requires a zeroed store; close accepts whatever this leaves.
KV_MUST_USE kv_status lsm_store_open(lsm_store *s, const lsm_config *config,
                                     const kv_explainer *explain);
// Seals logs and manifest. Requires that no other call runs.
kv_status lsm_store_close(lsm_store *s);
// Cost: 1 write for all who arrive together, and 1 sync if sync_commits.
KV_MUST_USE kv_status lsm_store_write(lsm_store *s, const kv_change *changes,
                                      size_t count);
KV_MUST_USE kv_status lsm_store_sync(lsm_store *s);
uint64_t lsm_store_new_number(lsm_store *s);
// New log, new active memtable. Requires a place in the commit line, and that
// fewer than frozen_max memtables are frozen.
KV_MUST_USE kv_status lsm_store_freeze(lsm_store *s);

// ---- get.c ------------------------------------------------------------------

// KV_NOT_FOUND, or the value. Cost: 1 read for each run whose filter says
// perhaps, until one knows the key; none of blocks in the cache.
KV_MUST_USE kv_status lsm_store_get(lsm_store *s, kv_slice key, kv_buf *value);
KV_MUST_USE kv_status lsm_store_get_many(lsm_store *s, size_t count,
                                         const kv_slice *keys, kv_buf *values,
                                         bool *found);

// ---- budget.c ---------------------------------------------------------------

// How many bytes a memtable may have, of at most `most`, if `tables` bytes of
// filters and indexes are in memory, and `memtables` of them live at once.
uint64_t lsm_share_of_memtable(uint64_t memory_bytes, uint64_t tables,
                               size_t memtables, uint64_t most);
// What is left for cached blocks beside so many bytes of tables and arenas.
uint64_t lsm_share_of_cache(uint64_t memory_bytes, uint64_t tables,
                            uint64_t arenas);

// Who has how much of the memory, now.
typedef struct lsm_memory {
    uint64_t budget;
    uint64_t tables;    // filters, indexes, places of blocks
    uint64_t memtables; // their arenas, in use
    uint64_t spare;     // one that waits for the next memtable
    uint64_t cache;     // blocks, and room for others that were here
    uint64_t all;       // of these
    uint64_t used;      // the same without the ends of arenas that are unused
    uint64_t buffers;   // beside the budget: of compactions under way, at most
} lsm_memory;
void lsm_store_memory(lsm_store *s, lsm_memory *out);

// A new memtable of the size that its share is now. The commit line's.
lsm_memtable *lsm_store_new_memtable(lsm_store *s, uint64_t log_number,
                                     kv_slice prefix);
// Gives the cache what is left: after whatever changed the tables.
void lsm_store_balance(lsm_store *s);
// The same once all is done: what memtables needed while there was more to do
// goes to the cache as well.
void lsm_store_rest(lsm_store *s);
// The cache had to evict for some time: the same if hardly anybody writes.
// Any thread's.
void lsm_store_note_lack(void *store);

// ---- pressure.c -------------------------------------------------------------

enum { LSM_FULL = 1000 };

// How full level 0 is, or how large the debt: 0: write at will; up to 100, or
// LSM_FULL: write no more.
uint32_t lsm_fullness(const lsm_version *v, const lsm_shape *shape);
// How many bytes may be written from one pause to the next at a fullness of 1
// to 100.
uint64_t lsm_credit_bytes(uint32_t fullness);
// Looks at how much there is to do. Requires the work lock.
void lsm_store_gauge(lsm_store *s, const lsm_view *view);
// Delays the leader of the commit line, who is about to write `bytes`, as the
// pressure says.
void lsm_store_delay(lsm_store *s, uint64_t bytes);

// ---- recovery.c -------------------------------------------------------------

// What lsm_store_open finds on disk becomes the view.
KV_MUST_USE kv_status lsm_store_recover(lsm_store *s);
// A memtable becomes a table of level 0, on the workshop's disk, and *version
// the one with it. The table's name is not synced. An empty memtable changes
// nothing.
KV_MUST_USE kv_status lsm_store_shelve(const lsm_workshop *shop,
                                       lsm_memtable *m, lsm_version **version);
// Files in the directory that are not the store's: ours and dead ones are
// removed, if `remove`; strangers are counted.
KV_MUST_USE kv_status lsm_store_orphans(lsm_store *s, bool remove,
                                        uint64_t *strangers);

// ---- housekeeping.c ---------------------------------------------------------

// One bounded step: some MiB of a flush or a compaction, or a log made ahead.
// KV_NO_SPACE also for that log, once there is nothing else to do.
KV_MUST_USE kv_status lsm_store_step(lsm_store *s, bool *did_work);
// The same where nobody waits for it: keeps to config.rate_bytes. Where that
// leaves nothing to do, config.wake is told when there will be.
KV_MUST_USE kv_status lsm_store_paced_step(lsm_store *s, bool *did_work);
// Flushes frozen memtables until `most` are left.
KV_MUST_USE kv_status lsm_store_flush(lsm_store *s, size_t most);
// An edit that says everything that a version holds.
void lsm_store_all(lsm_store *s, const lsm_version *version, uint64_t log,
                   lsm_edit *out);
// Tells the manifest how the logs were closed (L5). Requires that no other call
// runs.
KV_MUST_USE kv_status lsm_store_note_close(lsm_store *s,
                                           const lsm_closed *closed);
// A scan has begun in this version: wakes housekeeping, once, if scans have
// worn level 0 out. Takes no lock but for that.
void lsm_store_note_scan(lsm_store *s, const lsm_version *version);
// Begins a compaction of what was picked; the steps go on with it. Like the
// next, requires the work lock.
lsm_job *lsm_store_begin(lsm_store *s, const lsm_pick *pick);
// The compactions under way; `picks` has room for LSM_JOBS_MAX.
lsm_busy lsm_store_busy(lsm_store *s, const lsm_pick **picks);
// Gives up what is under way. Requires that no other call runs.
void lsm_store_drop_jobs(lsm_store *s);

// ---- settle.c ---------------------------------------------------------------

// A step for who wants everything done: without other work, an active memtable
// that is not empty is frozen, and dead entries are cleaned out.
KV_MUST_USE kv_status lsm_store_settle_step(lsm_store *s, bool *did_work);
// Flushes, and compacts the keys from `from` up to `to` until they lie in one
// run and no tombstone is among them. No file that this replaced is held then.
KV_MUST_USE kv_status lsm_store_compact(lsm_store *s, kv_slice from,
                                        kv_slice to);
// Freezes the active memtable unless it is empty; a kv_commit_exclusive work.
KV_MUST_USE kv_status lsm_store_freeze_all(void *store);

// ---- backup.c ---------------------------------------------------------------

// Hard links of all tables (copies, on another file system), and a manifest, in
// another directory. What is in memory only becomes a table first: of the copy
// alone if the store is read-only.
KV_MUST_USE kv_status lsm_store_backup(lsm_store *s, kv_disk *target);

// ---- cursor.c ---------------------------------------------------------------

// A walk over one moment of the store, in key order, without tombstones.
typedef struct lsm_cursor {
    lsm_store *store;
    lsm_view *view;
    lsm_merge merge;
    // Range tombstones of the moment: of the view's memtables, newest first.
    const lsm_layer *ranges[LSM_FROZEN_MAX + 1];
    size_t range_count;
    bool has_ranges; // these, or tables'
    // Around the last key that was looked at: as each source of range
    // tombstones says, ranges first, then the view's runs (NULL: none was
    // asked), and as all of them say.
    lsm_range_tombstone *said;
    lsm_range_tombstone stretch;
    kv_slice from, to; // the caller's
    bool reverse, has_begun;
    kv_buf key, value; // of the entry shown; forward: the key only
} lsm_cursor;

KV_MUST_USE kv_status lsm_cursor_open(lsm_cursor *c, lsm_store *s,
                                      kv_slice from, kv_slice to, bool reverse);
KV_MUST_USE kv_status lsm_cursor_next(lsm_cursor *c, kv_slice *key,
                                      kv_slice *value);
void lsm_cursor_close(lsm_cursor *c);

#endif
