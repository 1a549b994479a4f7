// table.h -- one immutable sorted file: what of it is in memory, and how a key
// is found in it with one block read.
// SPDX-License-Identifier: MIT
//
//   in memory                                        on disk: 000007.sst
//
//   filter  0110100…   "surely not" ──▶ done
//   index   [ cat │ dog │ owl │ … ] ───────────────▶ │ block │ block │ …
//   slots   [  ·  │  ●  │  ·  │ … ]   the block itself, if the cache has it
//
// Invariants
//   B5  No byte of a block is believed before its checksum and its shape were
//       verified: once, when it comes into the cache; or, in a mapping, when it
//       is first looked at (the slot remembers).
//   B6  A table that is open has a file of the size that its footer adds up to
//       (F1), and an index that adds up (F2) and ascends (F4),
//       and range tombstones that do not overlap (F6).
//
// Threads: immutable once open; any number of readers.
//
// Book: "The SSTable file format", "Performance optimizations"

#ifndef LSM_TABLE_H
#define LSM_TABLE_H

#include "common/disk.h"
#include "common/explain.h"
#include "common/report.h"
#include "common/xray.h"

#include "cache.h"
#include "filter.h"
#include "format.h"
#include "index.h"
#include "iter.h"
#include "spans.h"

// What tables need of their store.
typedef struct lsm_table_home {
    kv_disk *disk;
    lsm_cache *cache; // NULL: every block is read anew
    bool use_map;     // read=map
    const kv_explainer *explain;
    // Of all open tables, what lsm_table_memory_bytes says; NULL: uncounted.
    _Atomic uint64_t *memory_bytes;
} lsm_table_home;

typedef struct lsm_table {
    _Atomic uint32_t refs;
    _Atomic uint64_t scanned_bytes; // a block for each scan; see plan.h
    lsm_table_id id;
    lsm_table_home home;
    lsm_properties props;
    lsm_spans ranges; // F6

    // For table*.c.
    kv_file *file;
    lsm_footer footer;
    lsm_filter filter;
    lsm_index index;
    lsm_slot *slots; // one per block
    uint8_t *meta;   // filter, ranges, index, props, as they are in the file
    size_t meta_bytes;
} lsm_table;

// Opens the table and reads what stays in memory. KV_CORRUPT if it is missing,
// damaged or another one. Comes with one reference. Cost: 2 reads.
KV_MUST_USE kv_status lsm_table_open(const lsm_table_home *home,
                                     const lsm_table_id *id, kv_why why,
                                     lsm_table **out);
lsm_table *lsm_table_ref(lsm_table *t);
// The last one closes the file and empties its place in the cache; it does not
// remove it. NULL is fine.
void lsm_table_unref(lsm_table *t);
// Bytes it holds in memory: filter, index, slots, ranges.
uint64_t lsm_table_memory_bytes(const lsm_table *t);

// ---- one key ----------------------------------------------------------------

// How far a get had to go.
typedef enum lsm_step {
    LSM_STEP_FILTER, // the filter said no
    LSM_STEP_INDEX,  // no block can hold the key
    LSM_STEP_BLOCK,  // the block does not hold it: the filter was wrong
    LSM_STEP_FOUND,
} lsm_step;

typedef struct lsm_found {
    lsm_step step;
    lsm_kind kind;
    uint64_t seq;
    kv_slice value;   // valid until released, and while the table is referenced
    lsm_frame *frame; // what holds it, or NULL
} lsm_found;

// The key's newest entry with seq <= seq_max; points only: for range
// tombstones ask lsm_spans_seq(&t->ranges, key). KV_NOT_FOUND leaves nothing to
// release; out->step is set in any case. `hash` is kv_hash(key, LSM_HASH_SEED).
// Cost: 1 read, or none: filter, cache.
KV_MUST_USE kv_status lsm_table_get(lsm_table *t, kv_slice key, uint64_t hash,
                                    uint64_t seq_max, lsm_found *out);
// Asks for the memory that the next lsm_table_get of this key will look at,
// without waiting for it: the filter; then, if that says perhaps, the block, if
// it is in memory.
void lsm_table_prefetch_filter(const lsm_table *t, uint64_t hash);
void lsm_table_prefetch_block(lsm_table *t, kv_slice key, uint64_t hash);
static inline void lsm_found_release(lsm_found *found)
{
    lsm_frame_unpin(found->frame);
    found->frame = NULL;
}

// ---- a range of keys --------------------------------------------------------

typedef struct lsm_scan_how {
    kv_why why;
    // For compaction: read far ahead from the start, and leave the cache alone.
    // Otherwise the first blocks go through the cache, and a walk that goes on
    // reads ahead past it, more each time.
    bool is_bulk;
} lsm_scan_how;

// Takes a reference to the table for as long as it lives. Range tombstones are
// not in it.
lsm_iter *lsm_table_iter(lsm_table *t, lsm_scan_how how);

// ---- looking inside ---------------------------------------------------------

// Reads everything and verifies F1 to F5, B1 to B4, and that the filter knows
// every key. Cost: a read per 256 KiB.
KV_MUST_USE kv_status lsm_table_check(lsm_table *t);
// Counts, bounds, blocks, bytes.
void lsm_table_inspect(const lsm_table *t, kv_report *report);
// A whole file's bytes with their meaning, down to the entry.
void lsm_table_xray(kv_slice file, kv_xray *xray);

#endif
