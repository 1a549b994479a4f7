// identity.h -- whose directory this is: engine, format version, store id.
// SPDX-License-Identifier: MIT
//
// Every durable store has two small text files beside those of its engine:
//
//   LOCK       "held by process 4711\n"; locked while the store is open, left
//              in place afterwards
//   IDENTITY   stagecoach store
//              engine log
//              format 1.0
//              id 5b3c1f0a99e01d77
//              checksum 1f0a99e0        CRC-32C of the lines above
//
// Invariants
//   I1  IDENTITY is written once, before anything else (in a backup: after
//       everything else): to IDENTITY.tmp, synced, renamed, and the directory
//       synced. It never changes.
//   I2  A directory without IDENTITY is a new store only if it holds nothing
//       but LOCK and IDENTITY.tmp; otherwise opening it is refused.
//   I3  A higher major format is refused. A higher minor one is opened for
//       reading only.

#ifndef COMMON_IDENTITY_H
#define COMMON_IDENTITY_H

#include "common/disk.h"

typedef struct kv_identity {
    char engine[32];
    uint16_t major, minor; // of the format
    uint64_t id;           // goes into the header of each of the store's files
} kv_identity;

// Locks the directory. KV_LOCKED names the process that holds it.
KV_MUST_USE kv_status kv_identity_lock(kv_disk *d, const char *path,
                                       kv_file **out);
// Writes who holds it, for the message that others get.
KV_MUST_USE kv_status kv_identity_sign_lock(kv_file *lock);
// KV_NOT_FOUND, bare, if this is a new directory (I2). KV_INVALID if it is
// somebody else's, KV_CORRUPT if the file is damaged or missing.
KV_MUST_USE kv_status kv_identity_read(kv_disk *d, const char *path,
                                       kv_identity *out);
// Makes the directory a store (I1).
KV_MUST_USE kv_status kv_identity_write(kv_disk *d,
                                        const kv_identity *identity);

// Removes what a crash within kv_identity_write may have left.
KV_MUST_USE kv_status kv_identity_tidy(kv_disk *d);

// The text, and back; for the above, and for tests.
void kv_identity_encode(const kv_identity *identity, kv_buf *to);
KV_MUST_USE kv_status kv_identity_decode(kv_slice text, kv_identity *out);

// True for the names of the two files and of IDENTITY.tmp, which an engine
// must leave alone when it looks for files that are not its own.
bool kv_identity_owns(const char *name);

#endif
