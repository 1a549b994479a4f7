// builder.h -- writes one table, entry by entry, in ascending order.
// SPDX-License-Identifier: MIT
//
//     lsm_builder b = {0};
//     st = lsm_builder_open(&b, disk, &id, &config);
//     while (…) st = lsm_builder_add(&b, &entry);
//     lsm_builder_add_range(&b, &range);       any time before the end
//     st = lsm_builder_finish(&b);             synced; b.props is final
//     lsm_builder_close(&b);                   also after a failure
//
// The file is 000007.sst.tmp until it is whole and synced, and counts only once
// the manifest says so. What a crash leaves half written is known by its name
// to be ours; what is called 000007.sst is whole, or was never ours.
//
// In memory it holds what is not yet written (some 256 KiB), the index, and 8
// bytes per key for the filter.
//
// Book: "Constructing and maintaining SSTables"

#ifndef LSM_BUILDER_H
#define LSM_BUILDER_H

#include "common/disk.h"

#include "block.h"
#include "compress.h"
#include "format.h"

typedef struct lsm_builder_config {
    // No block is longer in the file, but for one with a single entry. Blocks
    // that are not compressed and nearly so long are filled up to it: with 4096
    // each is a page of the file, and reading it touches no other.
    uint32_t block_bytes;
    double bits_per_key; // of the filter; 0: none
    lsm_compression compression;
    uint64_t seq_base; // no entry's sequence number is below this, which makes
                       // the others short; 0 is always right
    kv_why why;
} lsm_builder_config;

typedef struct lsm_builder {
    kv_disk *disk;
    kv_file *file; // NULL: not open, or finished
    lsm_builder_config config;
    lsm_compressor compressor;
    lsm_block_builder block; // the open one
    uint64_t written;        // bytes in the file
    kv_buf pending;          // and those that come next
    kv_buf index;
    kv_buf separator;
    uint64_t *hashes; // of the keys, for the filter
    size_t hash_count, hash_cap;
    kv_buf ranges;               // as they will be in the file
    kv_buf range_from, range_to; // where the first begins, the last ends
    kv_buf first_key, last_key;  // of the entries
    uint64_t last_seq;
    lsm_footer footer;
    lsm_properties props;
} lsm_builder;

// Makes the file. Requires a zeroed builder and a number never used before (or
// whose file is gone). KV_NO_SPACE.
KV_MUST_USE kv_status lsm_builder_open(lsm_builder *b, kv_disk *disk,
                                       const lsm_table_id *id,
                                       const lsm_builder_config *config);
// Requires an entry behind the last one (E1). Cost: 1 write per 256 KiB.
KV_MUST_USE kv_status lsm_builder_add(lsm_builder *b, const lsm_entry *entry);
// Requires one that is not empty and begins where, or after, the last one ends
// (F6); entries do not matter. The ends count for first_key and last_key (F5):
// a table that must stay within bounds gets ranges cut to them.
void lsm_builder_add_range(lsm_builder *b, const lsm_range_tombstone *range);
// Bytes of data blocks so far, as they will be in the file; the last block, not
// yet ended, uncompressed.
uint64_t lsm_builder_bytes(const lsm_builder *b);
// True while nothing was added.
bool lsm_builder_is_empty(const lsm_builder *b);
// Writes the rest, syncs, and gives the file its name, which is durable after
// the directory's next sync: the caller's. Requires an entry or a range.
// b->props is then what lsm_table_open will say; its slices are the builder's,
// until it is closed.
// Cost: 1 sync.
KV_MUST_USE kv_status lsm_builder_finish(lsm_builder *b);
// Gives everything back; an unfinished file is removed.
void lsm_builder_close(lsm_builder *b);

#endif
