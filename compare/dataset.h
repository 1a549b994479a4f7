// dataset.h -- real records from a file, for workloads on real data.
// SPDX-License-Identifier: MIT
//
//     word TAB meaning NEWLINE        both escaped as kv_escape does
//
// Of lines with the same key the last counts. Records are numbered in the order
// of their keys (their `place`); `order` remembers where they stood in it.

#ifndef COMPARE_DATASET_H
#define COMPARE_DATASET_H

#include "common/bytes.h"

typedef struct cmp_dataset {
    kv_buf text;           // all bytes, unescaped; the slices point into it
    kv_slice *key, *value; // by place
    uint32_t *order;       // order[i]: the place of the file's i-th record
    uint32_t count;
    uint64_t repeated; // lines that a later line replaced
    uint64_t key_bytes, value_bytes;
} cmp_dataset;

// KV_INVALID names the line. A file has at most 2^31 records.
KV_MUST_USE kv_status cmp_dataset_read(cmp_dataset *d, const char *path);
void cmp_dataset_free(cmp_dataset *d);

#endif
