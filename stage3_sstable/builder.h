// builder.h -- writes one segment, entry by entry, in ascending order.
// SPDX-License-Identifier: MIT
//
//     sst_builder b = {0};
//     st = sst_builder_open(&b, disk, &id, &sst_codec_binary, 4096, why);
//     while (…) st = sst_builder_add(&b, &entry);
//     st = sst_builder_finish(&b);       now the segment can be opened
//     sst_builder_close(&b);             also after a failure
//
// The file is written as 000007.sst.tmp and gets its name when it is complete
// and synced: a file that bears a segment's name was one from end to end.
//
// In memory it holds what is not yet written (some 256 KiB) and the sparse
// index: a merge of any size needs no more than that and a piece of each input.
//
// Book: "Constructing and maintaining SSTables"

#ifndef SST_BUILDER_H
#define SST_BUILDER_H

#include "common/disk.h"

#include "format.h"

typedef struct sst_builder {
    kv_disk *disk;
    kv_file *file;
    const sst_codec *codec;
    sst_segment_id id;
    uint64_t index_bytes; // how long an interval gets
    kv_why why;
    uint64_t written;     // bytes in the file
    kv_buf pending;       // and those that come next
    size_t interval_from; // where in `pending` the open interval begins
    kv_buf index;
    kv_buf first_key, last_key; // of the open interval; of all
    sst_footer footer;
} sst_builder;

// Makes the file. Requires a zeroed builder and a number never used before.
KV_MUST_USE kv_status sst_builder_open(sst_builder *b, kv_disk *disk,
                                       const sst_segment_id *id,
                                       const sst_codec *codec,
                                       uint64_t index_bytes, kv_why why);
// Requires a key above the last one (F1). Cost: 1 write per 256 KiB.
KV_MUST_USE kv_status sst_builder_add(sst_builder *b, const sst_entry *entry);
// Bytes added so far, the index not included.
uint64_t sst_builder_bytes(const sst_builder *b);
// Writes the rest, syncs, and gives the file its name, which is durable after
// the directory's next sync: the caller's. Requires at least one entry.
// Cost: 1 sync.
KV_MUST_USE kv_status sst_builder_finish(sst_builder *b);
// Gives everything back; an unfinished file is removed.
void sst_builder_close(sst_builder *b);

#endif
