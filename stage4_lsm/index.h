// index.h -- the resident index of a table: which block may hold a key.
// SPDX-License-Identifier: MIT
//
//   The separators of a table mostly begin alike. What they all begin with is
//   compared once; of the rest the first 8 bytes, as a number, decide almost
//   always, and these heads stand close together:
//
//     separators   user000412  user000455  user0007   …
//     prefix       user000
//     heads        [ "412\0…" │ "455\0…" │ "7\0…" │ … ]     8 bytes a block
//
//   Only where a head is equal the separator itself is looked at.
//
// Invariants
//   I1  Heads never descend; equal heads stand side by side.
//
// Book: "The SSTable file format" (the sparse index)

#ifndef LSM_INDEX_H
#define LSM_INDEX_H

#include "format.h"

typedef struct lsm_fence {
    uint64_t offset; // of the block; that of the next is where it ends
    kv_slice separator;
} lsm_fence;

typedef struct lsm_index {
    size_t count;      // of blocks
    lsm_fence *fences; // count, and one more for the end
    uint64_t *heads;
    size_t prefix_len; // of each separator
} lsm_index;

// Reads the index part's payload, which must outlive the index. False unless it
// says F2 and F4.
bool lsm_index_open(lsm_index *x, kv_slice payload, const lsm_footer *footer);
void lsm_index_free(lsm_index *x);
// Bytes in memory, without the payload.
uint64_t lsm_index_bytes(const lsm_index *x);

// The first block whose separator is at or above the key: if the key is in the
// table, it is there, and its older versions perhaps in the next. `count` if
// the table ends before the key.
size_t lsm_index_find(const lsm_index *x, kv_slice key);

// Whether versions of the last key of the block may go on in the next.
static inline bool lsm_index_goes_on(const lsm_index *x, size_t i, kv_slice key)
{
    return i + 1 < x->count && kv_slice_equal(x->fences[i].separator, key);
}

static inline size_t lsm_index_size(const lsm_index *x, size_t i)
{
    return (size_t)(x->fences[i + 1].offset - x->fences[i].offset);
}

#endif
