// segment.h -- one file of the log: a record log, and what is known of it.
// SPDX-License-Identifier: MIT
//
//   being written --seal--> sealed --a merge replaces it--> removed, and closed
//        |                                                  when the last pin
//        +-- the store stopped: rewritten at the next open    is gone
//
// Invariants
//   G1  A segment is closed when nobody has it pinned; being in the list of
//       segments is one pin. Who wants to read pins it under the latch of the
//       index's table, where an entry that names it keeps it in the list.
//   G2  Bytes before `size` are written and do not change.
//   G3  entry_bytes >= live_bytes + tombstone_bytes; the rest is dead. Counts
//       change in the commit line only.

#ifndef LOG_SEGMENT_H
#define LOG_SEGMENT_H

#include "format.h"

enum { LOG_CHUNK_SHIFT = 22 }; // 4 MiB, the unit of addresses

typedef struct log_segment {
    kv_recordlog log; // written by the commit line, or by the merge
    log_span span;
    uint32_t horizon; // F5
    uint64_t base;    // its first byte's address
    uint32_t chunk_count;
    uint64_t capacity; // no record starts behind it
    uint32_t header_bytes;
    bool maps; // read=map
    _Atomic bool is_sealed;
    _Atomic bool is_damaged; // a merge found it so: left alone from then on
    _Atomic uint32_t pins;
    _Atomic uintptr_t mapped; // read=map: where byte 0 was seen last, or 0
    _Atomic uint64_t size;
    _Atomic uint64_t entry_bytes, tombstone_bytes, live_bytes, live_count;
} log_segment;

// The place of a record of so many bytes.
static inline log_place log_segment_place(const log_segment *s, uint64_t offset,
                                          uint64_t bytes)
{
    assert(offset <= s->capacity); // its addresses end there
    return log_place_of(s->base + offset, bytes);
}

// What a read needs and leaves.
typedef struct log_view {
    kv_buf *bytes;   // the caller's: a copy of the record, unless it is mapped
    kv_buf text;     // the entry's bytes, in text framing
    log_entry entry; // into one of them, or into the mapping
    uint32_t record_bytes;
    uint32_t read_bytes; // those, and some of the next record: its bound (P1)
} log_view;

static inline void log_segment_pin(log_segment *s)
{
    atomic_fetch_add_explicit(&s->pins, 1, memory_order_relaxed);
}

// Closes the file and frees the segment with the last pin.
void log_segment_unpin(log_segment *s);

// Reads the record at `offset`, which has up to `bound` bytes, and verifies
// its checksum. Requires a pin. Cost: 1 read.
KV_MUST_USE kv_status log_segment_read(log_segment *s, uint64_t offset,
                                       uint64_t bound, kv_why why,
                                       log_view *view);

// Sets what the file's header says.
void log_segment_set_id(log_segment *s, const kv_recordlog_id *id);

// Asks for the memory of the record at `offset`, if it is mapped.
void log_segment_prefetch(const log_segment *s, uint64_t offset);

log_facts log_segment_facts(const log_segment *s);
void log_segment_set_facts(log_segment *s, const log_facts *facts);

static inline uint64_t log_counter(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

// Only the commit line changes counters (G3), so no locked addition is needed.
static inline void log_counter_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, log_counter(counter) + n,
                          memory_order_relaxed);
}

// Counts a record that was appended, or found by recovery.
void log_segment_count_entry(log_segment *s, log_kind kind, uint64_t bytes);
// Counts that the index points at a record from now on, or no more.
void log_segment_count_live(log_segment *s, uint64_t bytes);
void log_segment_count_dead(log_segment *s, uint64_t bytes);

#endif
