// store.h -- the whole of stage 5: a tree in a cache, its file, and its log.
// SPDX-License-Identifier: MIT
//
//   put ─▶ private pages ─▶ log ─▶ pages that readers see     get, scan
//          (tx.h)          (wal.h)  (cache.h)  ◀──────────────────┘
//                                     │ write back: a step (writeback.c)
//                                     ▼
//                                   TREE
//
// With journal=cow there is no log: a commit writes its pages to places that
// nothing uses, and then a superblock that leads to them.
//
// Locks, in the order in which they are taken:
//   commit line   one commit at a time: the transaction, the shape
//   work          one step of housekeeping at a time, with its disk calls
//   the log's, the cache's
// Readers take none of them.
//
// Invariants
//   S1  The pages in TREE and the logs from super.log on are the newest commit
//       (or, of a superblock of journal=cow, the commit super.lsn).
//   S2  A superblock is written when all that it needs is synced, and into the
//       place of the older one; nothing that the older one needs is given up
//       before a sync of the newer one, in this opening, was good.
//   S3  After a close without an error, both superblocks lead to the newest
//       commit: one of them may be damaged, and nothing is lost. The newer one
//       says how long the last log is: a log that was cut cannot pass for one
//       that never went further.
//   W1, W2, W3 of wal.h, X1, X2 of tx.h
//
// Book: "B-Trees"

#ifndef BT_STORE_H
#define BT_STORE_H

#include "common/commit.h"

#include "squeeze.h"
#include "tree.h"
#include "wal.h"

typedef enum bt_torn {
    BT_TORN_REPAIR, // patches mend a torn page, a logged checksum proves it
    BT_TORN_IMAGES, // a page's first change after a checkpoint is an image
    BT_TORN_UNSAFE, // a torn page is lost
} bt_torn;

typedef struct bt_config {
    kv_disk *disk;
    uint64_t store_id;
    bool is_new, read_only;
    bool sync_commits;   // KV_SYNC_COMMIT
    bool steps_inline;   // background=0: a writer does the steps it causes
    bool is_unlogged;    // a copy in the making: it counts when it is closed
    uint32_t page_bytes; // of a new store; an old one keeps its own
    bool is_cow;         // the same
    bool insists_on_page, insists_on_journal; // an old one has these, or it is
                                              // KV_INVALID
    bt_torn torn;
    uint64_t checkpoint_bytes, memory_bytes;
} bt_config;

// Pages written to TREE, by what made it necessary, and why they were, since
// the store was opened; guarded by `work`, or by a place in line.
typedef struct bt_traffic {
    uint64_t evicted_pages, checkpoint_pages, commit_pages;
    uint64_t waves, checkpoints;
} bt_traffic;

typedef struct bt_store {
    bt_config config;
    const kv_explainer *explain;
    kv_file *file; // TREE
    bt_cache cache;
    bt_wal wal;

    kv_commit_line line;
    bt_tx tx;       // of the line's leader, as are
    bt_shape shape; // of the newest commit
    uint64_t seq;   // its number
    kv_buf scratch;

    bt_squeeze squeeze;    // in line, and under the work lock
    uint64_t squeezed_seq; // the newest commit when it last took a step

    kv_mutex work;
    bool has_work_lock;
    bt_super super;            // the newest on disk
    bool lacks_twin;           // the other one leads elsewhere
    uint64_t log_number;       // of the newest log
    uint64_t first_log_number; // of the oldest that is still there
    struct bt_writeback *job;  // under way; guarded by work
    _Atomic bool has_job;
    uint64_t file_pages; // that TREE is long; guarded by work
    bt_traffic traffic;
    uint64_t found_seq;        // the newest commit that opening found
    _Atomic bool must_recover; // opened on a full disk: what old logs hold is
                               // in memory only, and there is no log; or, with
                               // journal=cow, S2 before anything is written
    _Atomic bool in_doubt;     // a sync of TREE failed
} bt_store;

// ---- store.c ----------------------------------------------------------------

// Requires a zeroed store; close accepts whatever this leaves.
KV_MUST_USE kv_status bt_store_open(bt_store *s, const bt_config *config,
                                    const kv_explainer *explain);
kv_status bt_store_close(bt_store *s);
// Cost: 1 write for all who arrive together, and 1 sync if sync_commits; with
// journal=cow a write per page or so, and 2 syncs.
KV_MUST_USE kv_status bt_store_write(bt_store *s, const kv_change *changes,
                                     size_t count);
KV_MUST_USE kv_status bt_store_sync(bt_store *s);
// A commit that `work` makes out of s->tx. Requires a place in the line.
KV_MUST_USE kv_status bt_store_commit(bt_store *s, kv_status (*work)(void *arg),
                                      void *arg);
// Is there housekeeping to do without being asked?
bool bt_store_needs_step(bt_store *s);
// A failure after which nobody knows what is on the disk.
bool bt_store_in_doubt(const bt_store *s);
// KV_READ_ONLY if there was one: nothing may be written behind it.
KV_MUST_USE kv_status bt_store_expect_sure(const bt_store *s);

// ---- find.c -----------------------------------------------------------------

// KV_NOT_FOUND, or the value. Cost: 1 read per level that is not in memory, and
// per page of a long value.
KV_MUST_USE kv_status bt_store_get(bt_store *s, kv_slice key, kv_buf *value);
// As many gets, of which those in memory wait for it together; found[i] says
// which. Cost: as of each one. (find_many.c)
KV_MUST_USE kv_status bt_store_get_many(bt_store *s, size_t count,
                                        const kv_slice *keys, kv_buf *values,
                                        bool *found);
// Appends a value's chain, for a registered snapshot.
KV_MUST_USE kv_status bt_chain_read(bt_cache *c, uint64_t snapshot,
                                    uint64_t first, uint64_t bytes,
                                    kv_buf *value);
// Copies a page as a registered snapshot sees it, and loads it for that if it
// must; `to` has room for a page.
KV_MUST_USE kv_status bt_page_copy(bt_cache *c, uint64_t snapshot, uint64_t id,
                                   uint8_t *to);

// ---- writeback.c ------------------------------------------------------------

// One bounded step of writing pages back: some 2 MiB, or a checkpoint's begin
// or end. `is_asked`: also when little has gathered. `in_line`: the caller has
// a place in the commit line.
KV_MUST_USE kv_status bt_store_step(bt_store *s, bool is_asked, bool in_line,
                                    bool *did_work);
// Steps until a checkpoint that began in here is complete. In line.
KV_MUST_USE kv_status bt_store_checkpoint(bt_store *s);
// Writes the superblock of the newest commit, after syncing TREE.
KV_MUST_USE kv_status bt_store_write_super(bt_store *s, const bt_shape *shape,
                                           uint64_t seq, uint64_t log);
// Makes the other superblock say the same, if it does not, and how the log was
// closed (S3). Nothing may be under way.
KV_MUST_USE kv_status bt_store_write_twin(bt_store *s, const bt_closed *closed);
void bt_store_drop_job(bt_store *s);
// Writes all dirty pages back, and the superblock if it is a checkpoint, where
// the log is new already. In line.
KV_MUST_USE kv_status bt_store_write_all(bt_store *s, bool is_checkpoint);
// A log to write to, where a full disk left none. In line.
KV_MUST_USE kv_status bt_store_reopen_log(bt_store *s);
// journal=cow: the commit's pages, and the superblock that leads to them.
KV_MUST_USE kv_status bt_store_write_commit(bt_store *s);

// ---- super.c ----------------------------------------------------------------

// The newer of TREE's two superblocks that are good becomes s->super, and the
// shape; the file is as long as it says.
KV_MUST_USE kv_status bt_store_read_super(bt_store *s);

// ---- recovery.c -------------------------------------------------------------

// What the directory holds becomes the store.
KV_MUST_USE kv_status bt_store_recover(bt_store *s);
// The second half of it, where it had to be put off. In line.
KV_MUST_USE kv_status bt_store_make_good(bt_store *s);

#endif
