// records.h -- the records a trial stores: every key and value, from a number.
// SPDX-License-Identifier: MIT
//
// A record has a place in the order of keys and a number in the order of
// insertion; order[number] is its place. Its value is a function of place,
// version and seed, so that the oracle keeps a version per key and nothing
// else, and any answer can be checked alone.
//
//   place 17, made up    key      0000000000000034    twice the place
//                        absent   0000000000000035    odd: between present keys
//                        value    8 bytes of hash, then noise from where the
//                                 hash says: no two versions agree, and no
//                                 compressor finds anything
//   place 17, real       key      the data's
//                        absent   the data's and one byte 0 more
//                        value    the data's, of place + version - 1
//   place 17, traced     key      the trace's
//                        value    as made up, as long as the trace says (T2)
//
// Made-up values are equally long, or their lengths follow a generalised Pareto
// distribution, as those of a social graph do: many small ones, few large ones.
//
// Invariants
//   R1  Keys ascend with their places, and an absent key follows the key of
//       its place directly: it lies inside the range of keys, but for the last.

#ifndef COMPARE_RECORDS_H
#define COMPARE_RECORDS_H

#include "compare/dataset.h"
#include "compare/trace.h"

enum { CMP_KEY_MIN = 8, CMP_KEY_MAX = 1024, CMP_VALUE_MAX = 1 << 20 };

// A generalised Pareto distribution: scale * (u^-shape - 1) / shape for u
// evenly from 0 to 1, cut to what is allowed.
typedef struct cmp_pareto {
    double shape, scale; // shape 0: none
} cmp_pareto;

uint32_t cmp_pareto_of(cmp_pareto p, double u, uint32_t min, uint32_t max);

typedef struct cmp_records {
    uint64_t seed;
    uint32_t count;                // places; some may never be filled
    size_t key_bytes, value_bytes; // of made-up ones; with `sizes`, the most
    cmp_pareto sizes;              // of made-up values
    uint8_t *noise;
    const cmp_dataset *data; // NULL: made up
    const cmp_trace *trace;  // the same
    uint32_t *order;         // NULL: the order of keys
} cmp_records;

typedef enum cmp_order {
    CMP_SHUFFLED, // random
    CMP_SORTED,   // of keys
    CMP_AS_FILED, // of the data's file; without data: of keys
} cmp_order;

// `shape` says seed, count, key_bytes, value_bytes, sizes, and data or trace.
void cmp_records_init(cmp_records *r, cmp_records shape, cmp_order order);
void cmp_records_free(cmp_records *r);

static inline uint32_t cmp_records_place(const cmp_records *r, uint32_t number)
{
    return r->order ? r->order[number] : number;
}

// The most bytes that a key (an absent one included) or a value can have.
size_t cmp_records_key_max(const cmp_records *r);
size_t cmp_records_value_max(const cmp_records *r);

// The key of a place, and one that is never there. `to` has room for
// cmp_records_key_max bytes; the slice is in `to`, in the data or the trace.
kv_slice cmp_records_key(const cmp_records *r, uint32_t place, uint8_t *to);
kv_slice cmp_records_absent(const cmp_records *r, uint32_t place, uint8_t *to);
// The value of a place in its version-th version, from 1 on, and its length.
size_t cmp_records_value_len(const cmp_records *r, uint32_t place,
                             uint32_t version);
kv_slice cmp_records_value(const cmp_records *r, uint32_t place,
                           uint32_t version, uint8_t *to);

// Sixty-four bits that tell two values apart: of both ends and the length.
// What lies between is compared for every 64th answer.
static inline uint64_t cmp_fingerprint(kv_slice bytes)
{
    uint64_t head = 0, tail = 0;
    size_t n = bytes.len < 8 ? bytes.len : 8;
    if (n > 0) {
        memcpy(&head, bytes.data, n);
        memcpy(&tail, bytes.data + bytes.len - n, n);
    }
    return head ^ (tail << 29 | tail >> 35) ^
           bytes.len * UINT64_C(0x9e3779b97f4a7c15);
}

#endif
