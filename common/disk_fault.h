// disk_fault.h -- the layer that makes a disk fail on purpose.
// SPDX-License-Identifier: MIT
//
// A rule is text, `reason:call:n:what`, and rules are separated by spaces:
//
//     data:sync:7:EIO          the seventh sync of stage 2's records fails
//     *:write:3+:ENOSPC        the disk is full from the third write on
//     recovery:read:1:flip     the first read of a recovery has a wrong bit
//
//   reason  a word of KV_REASON_LIST, or * for any. Calls that state no reason
//           (size close list lock) count as meta.
//   call    open read map write truncate allocate size sync close list rename
//           remove link sync_dir lock, or * for any
//   n       the n-th call that matches, counted from 1 for each rule; with a
//           plus sign also all that follow it
//   what    EIO ENOSPC EDQUOT EMFILE ENFILE EACCES EROFS
//                  the call does nothing and fails so
//           EXDEV  there can be no link: another file system (link)
//           short  half of a write is done, then the disk is full
//           torn   half of a write is done, then it fails like EIO
//           drop   the call does nothing and says that it did (write, sync,
//                  sync_dir, truncate, remove)
//           flip   one bit is wrong, and nobody says so (read, write)
//
// A rule with a what that its call cannot have is refused; with call * it waits
// for a call that can. A close that fails has closed the file. A directory that
// is opened beside this one meets the same rules, and must be closed first.
//
// Typical use: kv_disk_open_real, kv_disk_open_fault, kv_options.disk.

#ifndef COMMON_DISK_FAULT_H
#define COMMON_DISK_FAULT_H

#include "common/disk.h"

// Takes over `below`: closing the new disk closes it. KV_INVALID, with the rule
// and what is wrong with it in the sentence, leaves `below` to the caller.
KV_MUST_USE kv_status kv_disk_open_fault(kv_disk *below, const char *rules,
                                         kv_disk **out);

// Other rules from now on, each counting from 1; "" or NULL is none. KV_INVALID
// keeps the old ones. Requires that `d` is a fault layer, and no call on it.
KV_MUST_USE kv_status kv_disk_fault_set(kv_disk *d, const char *rules);

// Calls that rules could have met, and those that met one, since the layer was
// opened or the rules were set.
void kv_disk_fault_counts(kv_disk *d, uint64_t *calls, uint64_t *hits);

#endif
