// segment.h -- one immutable sorted file, and the sparse index that finds the
// place in it.
// SPDX-License-Identifier: MIT
//
//   in memory: the index, one entry per interval        on disk: 000007.sst
//
//        first key   where                              ┌────────┐
//        apple       36, 4109 bytes  ─────────────────▶ │apple … │ interval 0
//        cat         4145, 4101 bytes ────────────────▶ │cat …   │ interval 1
//        …                                              │…       │
//        last key: zebra                                │index   │
//                                                       │footer  │
//                                                       └────────┘
//
//   A key is looked up in memory, and then in one interval: one read.
//
// Invariants
//   S1  A segment that is open has an index that satisfies F3 and F4, of a
//       length that its footer's checksum vouches for.
//   S2  No byte of an interval is believed before its checksum is verified.
//
// Book: "The SSTable file format"

#ifndef SST_SEGMENT_H
#define SST_SEGMENT_H

#include <stdatomic.h>

#include "common/disk.h"
#include "common/explain.h"

#include "format.h"
#include "merge.h"

// Immutable once open; shared by counting references.
typedef struct sst_segment {
    _Atomic uint32_t refs;
    sst_segment_id id;
    const sst_codec *codec;
    kv_file *file;
    uint64_t file_bytes;
    sst_footer footer;
    size_t interval_count;
    struct sst_place *places; // interval_count of them
    kv_buf keys;              // what the index's slices point into
    kv_slice first_key, last_key;
    bool use_map;   // read=map
    bool is_merged; // from a merge, not a flush: the catalog knows
} sst_segment;

// An interval's place and first key.
typedef struct sst_place {
    uint64_t offset, size;
    kv_slice first_key;
} sst_place;

// "000007.sst". Valid for any number.
typedef struct sst_name {
    char text[32];
} sst_name;
sst_name sst_segment_name(uint64_t number);
sst_name sst_segment_temporary(uint64_t number); // "000007.sst.tmp"

// Opens the segment and reads its index. KV_CORRUPT if the file is missing,
// damaged, or another one. Cost: 3 reads.
KV_MUST_USE kv_status sst_segment_open(kv_disk *disk, const sst_segment_id *id,
                                       bool use_map, kv_why why,
                                       sst_segment **out);
sst_segment *sst_segment_ref(sst_segment *s);
void sst_segment_unref(sst_segment *s); // NULL is fine
// Bytes its index holds in memory.
uint64_t sst_segment_index_bytes(const sst_segment *s);

// False if the segment's key range says that it cannot hold the key.
bool sst_segment_may_hold(const sst_segment *s, kv_slice key);
// KV_NOT_FOUND, or the key's entry: *is_tombstone, or its value. Requires that
// the segment may hold the key. Cost: 1 read.
KV_MUST_USE kv_status sst_segment_get(sst_segment *s, kv_slice key,
                                      const kv_explainer *explain,
                                      kv_buf *value, bool *is_tombstone);

// A walk over the segment as a source for a merge, upward from the first key
// not below `from`, or downward from the last key below `to`; an empty bound
// is none. The bound on the other side is the caller's. Takes a reference.
// Cost: 1 read per interval.
sst_source *sst_segment_scan(sst_segment *s, kv_slice from, kv_slice to,
                             bool reverse, kv_why why);

// Reads everything and verifies F1 to F4 and every checksum.
KV_MUST_USE kv_status sst_segment_check(sst_segment *s);

#endif
