// head.h -- the part of a key that tells it from its neighbours, as one number.
// SPDX-License-Identifier: MIT
//
//   prefix "user0000"     "user00004711…"  ──▶  the 8 bytes "4711…"
//                         "apple"          ──▶  0           below all of them
//                         "zebra"          ──▶  2^64 - 1    above all of them
//
// Keys of one table or memtable often begin alike. Behind what they share,
// eight bytes nearly always decide a comparison, without a look at the keys.
// The prefix is a guess that may be wrong: a head never falls from one key to a
// greater one, and where two are equal the keys themselves are compared.
//
// Book: "Constructing and maintaining SSTables"

#ifndef LSM_HEAD_H
#define LSM_HEAD_H

#include "common/bytes.h"

// Shorter keys are filled up with zeroes.
static inline uint64_t lsm_eight_bytes(const uint8_t *from, size_t len)
{
    uint64_t head = 0;
    if (len >= 8) {
        for (size_t i = 0; i < 8; i++) head = head << 8 | from[i];
        return head;
    }
    for (size_t i = 0; i < len; i++) head |= (uint64_t)from[i] << (56 - 8 * i);
    return head;
}

static inline uint64_t lsm_head(kv_slice prefix, kv_slice key)
{
    if (prefix.len == 0) return lsm_eight_bytes(key.data, key.len);
    size_t common = key.len < prefix.len ? key.len : prefix.len;
    int order = memcmp(key.data, prefix.data, common);
    if (order == 0 && key.len >= prefix.len) {
        return lsm_eight_bytes(key.data + prefix.len, key.len - prefix.len);
    }
    return order > 0 ? UINT64_MAX : 0;
}

// What two keys begin with alike; points into `a`.
static inline kv_slice lsm_common_prefix(kv_slice a, kv_slice b)
{
    size_t len = 0;
    while (len < a.len && len < b.len && a.data[len] == b.data[len]) len++;
    return kv_slice_of(a.data, len);
}

#endif
