// wal.h -- the write-ahead log: what a commit did, before any page has it.
// SPDX-License-Identifier: MIT
//
//   commit ──▶ bt_wal_begin, add…, end ──▶ 000003.wal ──▶ visible to readers
//                                              │
//   pages of the commit, later ────────────────┴─ synced first ──▶ TREE
//
// Invariants
//   W1  A commit is in the log, and synced if the mode says so, before readers
//       see it.
//   W2  A page is written to TREE only when the log is synced up to the commit
//       that the page is of.
//   W3  A log is removed only when a superblock that does not need it is
//       durable.
//
// Locks: `lock` guards the record log. Commits and whoever writes pages back
// share it; a sync holds it only before and after. `syncing` is held by who
// syncs, and taken first: of two syncs at once the system tells only one that
// pages were lost, and the other would vouch for them.
//
// Book: "Making B-trees reliable"

#ifndef BT_WAL_H
#define BT_WAL_H

#include "common/recordlog.h"
#include "common/thread.h"

#include "format.h"

typedef struct bt_wal {
    kv_disk *disk;
    uint64_t store_id;
    kv_mutex lock, syncing;
    bool has_lock;
    bool syncs_each;
    bool is_over;                 // the group did not fit
    uint64_t sealed_size;         // of the log before
    kv_recordlog log;             // file NULL: there is none, the disk is full
    _Atomic uint64_t flushed_seq; // the newest commit with the system
    _Atomic uint64_t synced_seq;  // and on the disk
    _Atomic bool in_doubt; // a call failed and nobody knows what is there
} bt_wal;

typedef struct bt_wal_name {
    char text[32];
} bt_wal_name;

bt_wal_name bt_wal_name_of(uint64_t number);
// The number in a log's name, or 0.
uint64_t bt_wal_number_of(const char *name);
kv_recordlog_id bt_wal_id(uint64_t store_id, uint64_t number);

// `syncs_each`: a sync follows each group.
void bt_wal_init(bt_wal *w, kv_disk *disk, uint64_t store_id, bool syncs_each);
// Seals the log if that can be done; *closed says so.
kv_status bt_wal_close(bt_wal *w, bt_closed *closed);
// Seals the log, if there is one, and makes the next; its name is durable.
// KV_NO_SPACE: there is none now. Cost: 2 writes, 4 syncs.
KV_MUST_USE kv_status bt_wal_rotate(bt_wal *w, uint64_t number);

// One group: begin takes the lock, add takes each payload, end writes them and
// lets the lock go. If end fails none of it will be seen. Cost: 1 write.
void bt_wal_begin(bt_wal *w);
void bt_wal_add(void *wal, kv_slice payload, bool more);
KV_MUST_USE kv_status bt_wal_end(bt_wal *w, uint64_t seq, kv_why why);
// Everything up to commit `seq` is on the disk. Cost: 1 sync, or none.
KV_MUST_USE kv_status bt_wal_sync(bt_wal *w, uint64_t seq, kv_why why);
// Everything that was flushed is.
KV_MUST_USE kv_status bt_wal_sync_all(bt_wal *w, kv_why why);
uint64_t bt_wal_size(bt_wal *w);

#endif
