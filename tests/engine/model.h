// model.h -- what a store has to contain: the oracle, a sorted array.
// SPDX-License-Identifier: MIT

#ifndef TESTS_ENGINE_MODEL_H
#define TESTS_ENGINE_MODEL_H

#include "common/engine.h"

typedef struct model_entry {
    kv_buf key, value;
} model_entry;

typedef struct model {
    model_entry *entries; // sorted by key
    size_t count, cap;
} model;

void model_put(model *m, kv_slice key, kv_slice value);
void model_del(model *m, kv_slice key);
// As kv_del_range: empty bounds are open.
void model_del_range(model *m, kv_slice from, kv_slice to);
// NULL if it is not there.
const kv_buf *model_get(const model *m, kv_slice key);
void model_copy(model *to, const model *from);
void model_free(model *m);

// The entries of a range as first..limit-1; empty bounds are open.
void model_find_range(const model *m, kv_slice from, kv_slice to, size_t *first,
                      size_t *limit);

// KV_OK if the store holds exactly this: by get of each key, and by scans over
// the whole, both ways where it is ordered. KV_INVALID otherwise, with the
// difference in the sentence; other failures are the store's.
KV_MUST_USE kv_status model_compare(const model *m, kv *db, bool is_ordered);
// The same for one range, by a scan.
KV_MUST_USE kv_status model_compare_range(const model *m, kv *db,
                                          kv_range range, bool is_ordered);

#endif
