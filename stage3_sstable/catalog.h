// catalog.h -- which files are the store: the one file that is switched.
// SPDX-License-Identifier: MIT
//
// CATALOG is a small record log with text framing (common/recordlog.h), so
// that cat shows it:
//
//   # stagecoach log CATL 1.0 store 0000000000000001 number 0 previous 0 …
//   format binary  ~e83893c2@0000005d       of new segments
//   next 12  ~835ede9e@0000005d             no file had this number or more
//   log 11  ~76c86766@0000005d              the first one whose entries are in
//                                           no segment
//   segment 9 4194417  ~41a3aadc@0000005d   number and size, newest first;
//   merged 4 8388720  ~b47bf972@0000005d    from a flush, or from a merge
//     ~3343c201@00000101                    sealed: nothing is missing
//
// and, if it was written by a clean close, before the seal
//
//   closed 11 3301  ~…                      the last log, and how long it is
//
// A new catalog is written as CATALOG.tmp, sealed, renamed over the old one,
// and the directory synced. Before the rename the old state counts, after it
// the new one; a segment or log that no longer counts is removed only then.
//
// Invariants
//   T1  Everything a catalog names was synced, name and bytes, before it.
//   T2  A number is given to one file, ever: `next` is above all of them, and
//       a file that is not in the catalog but carries our marks is removed
//       when the store is opened.
//   T3  Segments are listed from the newest to the oldest: of two that hold a
//       key, the first one's entry counts.
//   T4  A log that is shorter than `closed` says has lost its end. Nothing in
//       the log itself could tell it from one that never went further.
//
// Book: "Constructing and maintaining SSTables"

#ifndef SST_CATALOG_H
#define SST_CATALOG_H

#include "common/disk.h"

typedef struct sst_catalog_segment {
    uint64_t number, bytes;
    bool is_merged;
} sst_catalog_segment;

// The last log, as a clean close left it. Zeroes: nobody says.
typedef struct sst_closed {
    uint64_t log, bytes;
} sst_closed;

typedef struct sst_catalog {
    bool is_text; // format
    uint64_t next, log;
    sst_closed closed;
    sst_catalog_segment *segments;
    size_t count, cap;
} sst_catalog;

void sst_catalog_add(sst_catalog *c, uint64_t number, uint64_t bytes,
                     bool is_merged);
void sst_catalog_free(sst_catalog *c);

// KV_NOT_FOUND, bare, if there is none. KV_CORRUPT if it is damaged.
KV_MUST_USE kv_status sst_catalog_read(kv_disk *disk, uint64_t store_id,
                                       sst_catalog *out);
// The crash-safe switch. Cost: 3 syncs and 1 of the directory.
KV_MUST_USE kv_status sst_catalog_write(kv_disk *disk, uint64_t store_id,
                                        const sst_catalog *c, kv_why why);

extern const char sst_catalog_name[];
extern const char sst_catalog_temporary[];

#endif
