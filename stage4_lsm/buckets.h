// buckets.h -- the nodes of a memtable by the hash of their key: who asks for
// one key needs no search.
// SPDX-License-Identifier: MIT
//
//   buckets   [ · │ ● │ · │ ● │ · ]           one for 128 bytes of arena
//                   ▼       ▼
//                 cow 9   dog 3 ─▶ ant 1      of each key the newest entry
//
// A search in order waits for memory at every node that it walks through, this
// one at the bucket and the node. The order is still there for walks.
//
// Invariants
//   U1  A key that was added is in its bucket's list once: the node of its
//       newest entry, which has taken the place of the one before it. So a key
//       that is written all the time makes no list longer.
//   U2  A node that has left a list still leads to what stood behind it: a
//       reader that is on it misses nothing that was there when it came.
//
// Threads: any number of readers, and one writer.

#ifndef LSM_BUCKETS_H
#define LSM_BUCKETS_H

#include <stdatomic.h>

#include "common/hash.h"

// The first member of what stands in a list; or where a list begins.
typedef struct lsm_hook {
    _Atomic(struct lsm_hook *) next;
} lsm_hook;

typedef struct lsm_buckets {
    lsm_hook *at;
    uint32_t count;
} lsm_buckets;

enum { LSM_BUCKET_SHARE = 128 }; // of an arena's bytes for each bucket

// What the buckets of a memtable take of its arena: a multiple of 16.
static inline size_t lsm_buckets_bytes(uint64_t arena_bytes)
{
    uint64_t count = (arena_bytes / LSM_BUCKET_SHARE / 2 + 1) * 2;
    return (size_t)count * sizeof(lsm_hook);
}

// Empty buckets in `room`, which is the caller's.
static inline void lsm_buckets_open(lsm_buckets *b, void *room, size_t bytes)
{
    b->at = memset(room, 0, bytes);
    b->count = (uint32_t)(bytes / sizeof(lsm_hook));
}

static inline lsm_hook *lsm_bucket(const lsm_buckets *b, uint64_t hash)
{
    return &b->at[kv_hash_place((uint32_t)hash, b->count)];
}

static inline lsm_hook *lsm_hook_next(const lsm_hook *h)
{
    return atomic_load_explicit(&h->next, memory_order_acquire);
}

// Puts `own` in the place of `older`, which is in the list; NULL: in front.
static inline void lsm_bucket_add(lsm_hook *bucket, lsm_hook *own,
                                  const lsm_hook *older)
{
    lsm_hook *before = bucket;
    if (older != NULL) {
        while (lsm_hook_next(before) != older) before = lsm_hook_next(before);
    }
    const lsm_hook *left_out = older != NULL ? older : bucket;
    atomic_init(&own->next, lsm_hook_next(left_out));
    atomic_store_explicit(&before->next, own, memory_order_release);
}

// How many stand in all lists; requires that nobody writes.
static inline size_t lsm_buckets_len(const lsm_buckets *b)
{
    size_t len = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const lsm_hook *h = &b->at[i];
        while ((h = lsm_hook_next(h)) != NULL) len++;
    }
    return len;
}

#endif
