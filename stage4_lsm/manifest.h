// manifest.h -- the log of edits that says which tables are the store.
// SPDX-License-Identifier: MIT
//
//   MANIFEST   edit: all there is │ edit: flush +31 │ edit: compact -27 -31 +33
//
// Every flush and compaction appends one edit and syncs it: before that its
// outputs do not count, after that its inputs do not. When the log of edits has
// grown long it is rolled over:
//
//   1  MANIFEST.tmp with one edit, everything there is; synced
//   2  renamed over MANIFEST                   ◀── the switch
//   3  the directory synced; only now may a file go that the old one named
//
// A manifest that was found when the store was opened is not appended to
// (recordlog.h, R7): opening writes a new one in the same way.
//
// Invariants
//   X1  What an edit adds was synced, name and bytes, before the edit was
//       written.
//   X2  A number is given to one file, ever: `next` is above all of them.
//   X3  A file that the manifest needed is removed only when the edit that
//       removes it is durable.
//
// Book: "Constructing and maintaining SSTables", crash recovery

#ifndef LSM_MANIFEST_H
#define LSM_MANIFEST_H

#include "common/recordlog.h"

#include "format_log.h"

extern const char lsm_manifest_name[];
extern const char lsm_manifest_temporary[];

typedef struct lsm_manifest {
    kv_disk *disk;
    uint64_t store_id;
    kv_recordlog log; // its file is NULL until the first begin
    uint64_t edits;   // in it
    bool in_doubt;    // a call failed such that nobody knows what is on disk
} lsm_manifest;

// Begins a new manifest that says `all`, by the switch above. On KV_NO_SPACE
// the old one goes on as it was. Requires disk and store_id.
// Cost: 3 writes and syncs, and 1 of the directory.
KV_MUST_USE kv_status lsm_manifest_begin(lsm_manifest *m, const lsm_edit *all,
                                         uint64_t number, kv_why why);
// Appends an edit, durably. KV_NO_SPACE changes nothing.
// Cost: 1 write, 1 sync.
KV_MUST_USE kv_status lsm_manifest_append(lsm_manifest *m, const lsm_edit *edit,
                                          kv_why why);
uint64_t lsm_manifest_bytes(const lsm_manifest *m);
// Adds a closing record if `seals`, and closes. A zeroed one is fine.
kv_status lsm_manifest_close(lsm_manifest *m, bool seals);

// An edit during lsm_manifest_read, and which it is, from 0 on.
typedef kv_status lsm_edit_visitor(void *arg, uint64_t i, const lsm_edit *edit);

// Shows every edit of the manifest on disk. KV_NOT_FOUND, bare, if there is
// none; KV_CORRUPT if it is damaged.
KV_MUST_USE kv_status lsm_manifest_read(kv_disk *disk, uint64_t store_id,
                                        lsm_edit_visitor *visit, void *arg,
                                        kv_why why);

#endif
