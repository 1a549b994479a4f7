// table_block.h -- from a block's number to its entries: cache, mapping or
// file, and the checks in between.
// SPDX-License-Identifier: MIT
//
//        slot ──▶ frame ────────────────────────────────┐
//          │      verified, in the mapping ─────────────┤
//          └▶ read or map ▶ checksum ▶ unpack ▶ shape ▶ entries   (B5)

#ifndef LSM_TABLE_BLOCK_H
#define LSM_TABLE_BLOCK_H

#include "table.h"

// A block and what keeps it: a pin to be given back, or NULL.
typedef struct lsm_pinned {
    lsm_block block;
    lsm_frame *frame;
} lsm_pinned;

// Gets block `i`, from the cache or into it; lsm_frame_unpin(out->frame) gives
// it back. Cost: 1 read, or none.
KV_MUST_USE kv_status lsm_table_block(lsm_table *t, size_t i, kv_why why,
                                      lsm_pinned *out);
// Verifies block `i` as it stands in the file, which the caller has read. *raw
// is the block, in `stored` or, if it was compressed, in `room`.
KV_MUST_USE kv_status lsm_table_unpack(lsm_table *t, size_t i, kv_slice stored,
                                       kv_buf *room, kv_slice *raw,
                                       lsm_block *block);
// KV_CORRUPT, with the place: block `i` of the table.
kv_status lsm_table_damaged(const lsm_table *t, const char *what,
                            uint64_t offset);

#endif
