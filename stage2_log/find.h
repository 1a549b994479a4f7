// find.h -- the newest record of a key: by the index, or by reading the log.
// SPDX-License-Identifier: MIT
//
//    key -> hash -> index: candidates -> pin their segments -> read -> is it
//    this key? -> the record
//
// The index knows hashes only, so a candidate may be another key's record. All
// candidates are gathered under one latch: no writer can come between two of
// them and hide one.

#ifndef LOG_FIND_H
#define LOG_FIND_H

#include "common/explain.h"

#include "segments.h"

typedef struct log_record {
    log_view view;        // its `bytes` is the caller's
    log_segment *segment; // pinned
    log_place place;
} log_record;

typedef struct log_finder {
    log_index *index; // NULL: index=off
    log_segments *segments;
    uint64_t seed; // of the hash
    const kv_explainer *explain;
} log_finder;

uint64_t log_hash(const log_finder *finder, kv_slice key);

// The living record of `key`, or KV_NOT_FOUND, bare; then nothing is pinned.
// Cost: 1 read if found, 0 if not, but for keys that share 42 bits of hash.
KV_MUST_USE kv_status log_find(const log_finder *finder, kv_slice key,
                               uint64_t hash, kv_why why, log_record *record);
// Asks for the memory of the record, if it is mapped. Waits for the index's,
// which log_index_prefetch asked for earlier.
void log_find_prefetch(const log_finder *finder, uint64_t hash);

// Unpins.
void log_record_end(log_record *record);

// The same without an index: reads segments, newest first, from front to back.
// Cost: 1 read per MiB of the log.
KV_MUST_USE kv_status log_find_by_reading(const log_finder *finder,
                                          kv_slice key, kv_buf *value);

#endif
