// segments.h -- the segments of a store in order, and which one an address is
// in.
// SPDX-License-Identifier: MIT
//
//    list, oldest first     000001-000004.1   000005   000006   000007
//                                  |             |        |        |
//    chunks of 4 MiB        | 0 | 1 |        | 2 |    | 3 | 4 |  | 5 |  ...
//
// A segment owns as many chunks, side by side, as it may become long; the
// chunk table turns an address into its segment with one load.
//
// Invariants
//   S1  The spans of the list cover 1..newest without gap or overlap (F1).
//   S2  An address that an index entry names belongs to a segment of the list,
//       or to the output of the merge that is being installed.

#ifndef LOG_SEGMENTS_H
#define LOG_SEGMENTS_H

#include "common/thread.h"

#include "segment.h"

enum { LOG_CHUNKS = 1 << (LOG_ADDRESS_BITS - LOG_CHUNK_SHIFT) };

typedef struct log_segments {
    kv_disk *disk;
    uint64_t store_id;
    kv_framing framing; // of segments to be made
    bool maps;
    kv_mutex lock; // of what follows; never held over a disk call
    log_segment **list;
    size_t count, cap;
    _Atomic(log_segment *) *chunks;
    uint32_t next_chunk; // where the search for free ones goes on
} log_segments;

void log_segments_init(log_segments *ss, kv_disk *disk, uint64_t store_id,
                       kv_framing framing, bool maps);
// Unpins all of the list. A zeroed one is fine.
void log_segments_free(log_segments *ss);

// Makes a segment's file, synced but for its name, which is that of an
// unfinished one if `unfinished`. `capacity` is the offset that no record will
// start behind. The caller has the pin. Cost: 1 write, 1 sync.
KV_MUST_USE kv_status log_segments_create(log_segments *ss, log_span span,
                                          bool unfinished,
                                          uint64_t previous_size,
                                          uint64_t capacity, kv_why why,
                                          log_segment **out);
// Opens one that is there, for reading; its facts are still unknown.
KV_MUST_USE kv_status log_segments_open(log_segments *ss, log_span span,
                                        kv_why why, log_segment **out);
// Gives a segment that is in no list its addresses back, and unpins it.
void log_segments_drop(log_segments *ss, log_segment *s);

// Into the list, which takes over the pin.
void log_segments_insert(log_segments *ss, log_segment *s);
// `s` takes the place of the segments its span covers, which lose the list's
// pin and their addresses. Requires that no index entry names one of them.
void log_segments_replace(log_segments *ss, log_segment *s);

// The segment an address is in, and the offset there. Requires the latch under
// which the address was found (S2), or that no merge can be installed.
log_segment *log_segments_at(log_segments *ss, log_place place,
                             uint64_t *offset);

// A pinned copy of the list.
typedef struct log_segment_list {
    log_segment **at;
    size_t count;
} log_segment_list;

log_segment_list log_segments_pin_all(log_segments *ss);
void log_segment_list_free(log_segment_list *list);

// The newest position; 0 when there is none.
uint32_t log_segments_newest(log_segments *ss);

#endif
