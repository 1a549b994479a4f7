// trace.h -- what somebody's program really asked of its store, from a file.
// SPDX-License-Identifier: MIT
//
//     op TAB key TAB value_length [ TAB scan_length ] NEWLINE
//
//     put   user17   312        a value of 312 bytes is made up and written
//     get   user17   312
//     del   user17   0
//     scan  user1    0    25    25 entries from that key on
//
// Keys are escaped as kv_escape does. Lines that are empty or begin with # are
// passed over. The file may be packed by zstd or gzip; - is standard input.
//
// A trace begins in the middle of a store's life: a key whose first line is a
// get of a length above 0 was there before. Such keys are loaded, with values
// of that length, before the replay.
//
// Invariants
//   T1  Places number the keys in their order; every operation has its key's.
//   T2  A value is named by the line that wrote it: version v of a place has
//       the length that operation v - 1 says.

#ifndef COMPARE_TRACE_H
#define COMPARE_TRACE_H

#include "common/bytes.h"
#include "common/status.h"

typedef enum cmp_verb {
    CMP_VERB_GET,
    CMP_VERB_PUT,
    CMP_VERB_DEL,
    CMP_VERB_SCAN,
    CMP_VERBS,
} cmp_verb;

typedef struct cmp_trace_op {
    uint32_t place, value_bytes, scan_length;
    cmp_verb verb;
} cmp_trace_op;

typedef struct cmp_trace {
    kv_buf text;   // all keys, unescaped; the slices point into it
    kv_slice *key; // by place
    uint32_t key_count;
    cmp_trace_op *op;
    uint32_t count;
    uint32_t *loaded; // operations whose keys were there before, ascending
    uint32_t loaded_count;
    uint32_t verbs[CMP_VERBS]; // operations of each
    size_t key_max, value_max; // bytes
    uint32_t scan_max;         // entries
} cmp_trace;

// KV_INVALID names the line; else as cmp_unpack. Free it in any case.
KV_MUST_USE kv_status cmp_trace_read(cmp_trace *t, const char *path);
void cmp_trace_free(cmp_trace *t);

#endif
