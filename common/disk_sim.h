// disk_sim.h -- a disk in memory that can lose power.
// SPDX-License-Identifier: MIT
//
//   a file             now    what a read sees
//                      disk   what has surely reached the platter
//   a name             the same two, for the directory
//   atoms, in order    what happened to `now` and not yet, for sure, to `disk`:
//                      a piece of a write, a change of size, a name that
//                      appears, a name that goes away
//
//   write ──▶ now, and one atom for each sector it touches
//   sync  ──▶ the file's atoms are applied to its disk, and forgotten
//   crash ──▶ disk, and whichever atoms the caller chooses
//
// Invariants
//   S1  Applying all atoms in order to what is on disk gives what is now there
//       (unless a sync was made to fail: then the lost bytes are in `now` only,
//       as clean pages are).
//   S2  A sync of a file applies atoms of no other file, and names only if
//       names_with_sync; a sync of the directory applies names only.
//   S3  A rename is two atoms, the new name and then the end of the old one,
//       and the second is never chosen without the first: no crash loses both.
//
// Sub-directories and kv_disk_link are not simulated; of the directories
// beside, whatever their path, the one that was opened last is.

#ifndef COMMON_DISK_SIM_H
#define COMMON_DISK_SIM_H

#include "common/disk.h"

typedef struct kv_sim_options {
    uint64_t capacity; // bytes in files; more is KV_NO_SPACE; 0: no limit
    uint32_t open_max; // files open at once; 0: no limit
    uint32_t sector;   // bytes written whole or not at all; 0: 512
    // A journal: any sync makes all earlier changes of names durable, and a
    // rename over an existing file takes the new file's bytes with it.
    bool names_with_sync;
} kv_sim_options;

KV_MUST_USE kv_status kv_disk_open_sim(const kv_sim_options *options,
                                       kv_disk **out);
// For a disk that fills up, and is given room again.
void kv_disk_sim_set_capacity(kv_disk *d, uint64_t bytes);
// Bytes in files now, those removed but open included.
uint64_t kv_disk_sim_used(kv_disk *d);
// Files open now.
uint32_t kv_disk_sim_open_count(kv_disk *d);

// The directory that kv_disk_open_beside opened last: this disk's own, until it
// is closed or opens another. NULL if there is none.
kv_disk *kv_disk_sim_beside(kv_disk *d);

// ---- a sync that fails ------------------------------------------------------

// What the system does with the pages that it could not write.
typedef enum kv_sim_loss {
    KV_SIM_KEEPS,   // reads go on seeing them; they are on no disk, and clean
    KV_SIM_REVERTS, // reads see the old bytes again
    KV_SIM_HALF,    // half of them reached the disk; then as KV_SIM_KEEPS
    KV_SIM_LOSSES,  // how many
} kv_sim_loss;

// The nth sync from now, of a file or the directory, fails with KV_IO.
void kv_disk_sim_fail_sync(kv_disk *d, uint64_t nth, kv_sim_loss loss);
uint64_t kv_disk_sim_syncs(kv_disk *d); // calls so far

// ---- losing power -----------------------------------------------------------

typedef enum kv_sim_atom_kind {
    KV_SIM_WRITE,
    KV_SIM_SIZE, // truncate or allocate
    KV_SIM_NAME, // a name appears, or means another file now
    KV_SIM_GONE, // a name goes away
} kv_sim_atom_kind;

typedef struct kv_sim_atom {
    kv_sim_atom_kind kind;
    struct kv_sim_node *node; // the file
    uint64_t offset;          // of a write; the new size
    kv_buf bytes;             // of a write
    char *name;
    bool is_second;  // S3: chosen only with the atom before it
    bool takes_data; // names_with_sync: brings the file's earlier atoms along
} kv_sim_atom;

// What is pending, oldest first; valid until the disk's next call.
const kv_sim_atom *kv_disk_sim_atoms(kv_disk *d, size_t *count);

// What stands where a write that was not chosen would have made a file longer.
typedef enum kv_sim_fill {
    KV_SIM_SHORT,   // nothing: the file did not grow, or has a hole
    KV_SIM_ZEROES,  // the file grew, and reads zeroes
    KV_SIM_GARBAGE, // the file grew, and reads what stood there before
    KV_SIM_FILLS,   // how many
} kv_sim_fill;

// The disk after a power cut that kept the atoms with keep[i] (one byte for
// each atom): a new disk, with the same options, all of it durable.
kv_disk *kv_disk_sim_crash(kv_disk *d, const uint8_t *keep, kv_sim_fill fill);
// The disk after its process was killed: all that was issued is there.
kv_disk *kv_disk_sim_kill(kv_disk *d);

// 128 bits of every name and byte: equal for equal disks.
typedef struct kv_sim_hash {
    uint64_t half[2];
} kv_sim_hash;
kv_sim_hash kv_disk_sim_hash(kv_disk *d);

// Copies every file of `from` into the directory `to`.
KV_MUST_USE kv_status kv_disk_copy(kv_disk *from, kv_disk *to);

#endif
