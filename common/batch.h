// batch.h -- changes to apply as one.
// SPDX-License-Identifier: MIT
//
//     kv_batch batch = {0};
//     kv_batch_put(&batch, kv_str("from"), kv_str("70"));
//     kv_batch_put(&batch, kv_str("to"), kv_str("130"));
//     st = kv_write(db, &batch);
//     kv_batch_free(&batch);
//
// A batch copies what it is given. An engine sees a batch, a single put and a
// single del as the same thing: an array of changes.

#ifndef COMMON_BATCH_H
#define COMMON_BATCH_H

#include "common/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum kv_change_kind {
    KV_PUT,
    KV_DEL,
    KV_DEL_RANGE, // every key from `key` up to, not including, `value`
} kv_change_kind;

typedef struct kv_change {
    kv_change_kind kind;
    kv_slice key;
    kv_slice value; // empty in a KV_DEL
} kv_change;

// Zeroes are an empty batch. Read its content through kv_batch_changes only.
typedef struct kv_batch {
    kv_change *changes; // their slices point nowhere until they are read
    size_t count, cap;
    kv_buf bytes;
} kv_batch;

void kv_batch_put(kv_batch *b, kv_slice key, kv_slice value);
void kv_batch_del(kv_batch *b, kv_slice key);
void kv_batch_del_range(kv_batch *b, kv_slice from, kv_slice to);
// The changes in order, valid until the batch's next call.
const kv_change *kv_batch_changes(kv_batch *b, size_t *count);
void kv_batch_clear(kv_batch *b); // keeps the memory
void kv_batch_free(kv_batch *b);

#ifdef __cplusplus
}
#endif

#endif
