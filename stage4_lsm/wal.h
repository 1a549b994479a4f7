// wal.h -- the write-ahead logs: every change is in one of them until a table
// has it.
// SPDX-License-Identifier: MIT
//
//   older, frozen memtables' ──┐      active     spare: made ahead, empty
//   [ 000012.log ][ 000014.log ]  [ 000017.log ]  [ 000019.log ]
//         │ retire: removed            ▲ write          │
//         ▼ when a table has it        └─── switch ◀────┘
//
// A freeze must not make a writer wait for a disk, so the next log is made
// ahead, with its name and header synced, by whoever does housekeeping; and it
// has as much space as the last one needed, so that no write waits for space
// either. The log before is left as it is: synced as far as somebody asked for.
// Then a crash may tear the end off an older log and leave a newer one whole,
// and what is recovered would have a hole. So the first record of a log says
// which log it follows and how long that was (format_log.h):
//
// Invariants
//   L1  A log is replayed only if its predecessor is there up to the size that
//       the first record says. Otherwise it and those behind it do not count.
//   L2  Nothing is synced in a log before all older logs are: what L1 leaves
//       out was never promised. If a log shows that it was synced, a missing
//       end before it is damage.
//   L3  Logs are used in the order of their numbers.
//   L4  A log goes when the manifest no longer needs it, and not before (X3).
//   L5  After a clean close the last log says what it follows even if nothing
//       else is in it, and the manifest says how long the last log is: a log
//       that was cut cannot pass for one that never went further.
//
// Threads: one leader of the commit line at a time writes, switches and syncs;
// housekeeping makes spares and retires at the same time.
//
// Book: "Making B-trees reliable", the write-ahead log; "Constructing and
// maintaining SSTables", crash recovery

#ifndef LSM_WAL_H
#define LSM_WAL_H

#include "common/commit.h"
#include "common/recordlog.h"

#include "format_log.h"
#include "view.h"

typedef struct lsm_wal {
    kv_disk *disk;
    uint64_t store_id;
    bool syncs_each;

    // The leader's.
    kv_recordlog active; // its file is NULL while there is none
    kv_buf payload;      // scratch
    bool in_doubt;       // a sync, or a write half way, failed

    kv_mutex making; // a spare
    kv_mutex lock;   // for what follows
    bool is_open;
    kv_recordlog older[LSM_FROZEN_MAX]; // oldest first
    size_t older_count;
    uint64_t last_bytes; // that the newest of them needed
    kv_recordlog spare;
} lsm_wal;

// `syncs_each`: a sync will follow each write.
void lsm_wal_open(lsm_wal *w, kv_disk *disk, uint64_t store_id,
                  bool syncs_each);
// Seals the logs, oldest first, if `seals` and nothing is in doubt; closes.
// *closed then says what L5 asks for, unless the last log holds nothing.
kv_status lsm_wal_close(lsm_wal *w, bool seals, lsm_closed *closed);

// An empty log on `disk`, its name durable; `out` is zeroed but for its
// syncs_each. Cost: 1 write, 2 syncs.
KV_MUST_USE kv_status lsm_log_create(kv_disk *disk, uint64_t store_id,
                                     uint64_t number, kv_recordlog *out);
// Makes the spare, with the next number, unless there is one. It reserves space
// for it if it is in the `background`; a writer would wait for that. None for a
// log of which each write is synced: that space is written, and the first sync
// would be of all of it.
KV_MUST_USE kv_status lsm_wal_prepare(lsm_wal *w, _Atomic uint64_t *next_number,
                                      bool background);
bool lsm_wal_has_spare(lsm_wal *w);
// Gives back the space that the active log and the spare have reserved: nobody
// is about to write. Requires what a leader has.
KV_MUST_USE kv_status lsm_wal_trim(lsm_wal *w);
// Gives back the spare's alone, and reserves none for one made now: the disk is
// full, and others need it more.
void lsm_wal_yield_space(lsm_wal *w);
// The active log, if any, becomes an older one, and the spare active. Requires
// a spare, and fewer than LSM_FROZEN_MAX older logs.
void lsm_wal_switch(lsm_wal *w);
// Writes the entries, each whole or not at all. KV_TOO_BIG if they do not fit
// into one log; KV_NO_SPACE changes nothing.
// Cost: 1 write; 1 sync more if `syncs`.
KV_MUST_USE kv_status lsm_wal_write(lsm_wal *w, const kv_commit_entry *entries,
                                    size_t count, bool syncs);
// Everything written so far is durable (L2). Cost: 1 sync for each log that has
// something unsynced.
KV_MUST_USE kv_status lsm_wal_sync(lsm_wal *w);
// Closes and removes the older logs with numbers below `number`.
void lsm_wal_retire(lsm_wal *w, uint64_t number, kv_why why);

#endif
