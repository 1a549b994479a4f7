// disk_count.h -- the layer that counts: calls and bytes by reason, and space.
// SPDX-License-Identifier: MIT
//
// Every open store has one on top of its disk, so counting cannot be forgotten.
// The sums equal the kernel's own (wchar and rchar of /proc/self/io) to the
// byte, except for bytes seen through kv_file_map, which the kernel does not
// count; tests/common/test_disk_count.c asserts it.
//
// The space ledger is exact, its peak included: it is updated by every call
// that changes a file's size, in blocks of 4 KiB as the file system allocates,
// and a removed file leaves it when it is last closed.

#ifndef COMMON_DISK_COUNT_H
#define COMMON_DISK_COUNT_H

#include "common/disk.h"

// Takes over `below`: closing the new disk closes it. When it fails, `below`
// stays the caller's.
kv_status kv_disk_open_count(kv_disk *below, kv_disk **out);
// Closes the count layer alone and gives `below` back.
kv_disk *kv_disk_count_release(kv_disk *d);

// What was asked of the disk so far, by reason; `waited` is the part of it that
// a user's call waited for. Each is an array of KV_REASONS. Requires that `d`
// is a count layer.
void kv_disk_count_read(kv_disk *d, kv_disk_stats *all, kv_disk_stats *waited);

#endif
