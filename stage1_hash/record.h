// record.h -- a key and its value, as they lie in an arena.
// SPDX-License-Identifier: MIT
//
//   inside    | head 3 | key ... | value ... |         up to 1024 bytes of both
//   outside   | head 3 | address 8 | ──▶ | lengths 8 | key ... | value ... |
//
//   head, low byte first:   bits 0-10   length of the key     (inside)
//                           bits 11-21  length of the value   (inside)
//                           bit 22      outside
//                           bit 23      dead
//
// Records lie end to end, so that a chunk can be walked without an index, as a
// log can. These bytes never leave the process.

#ifndef STAGE1_HASH_RECORD_H
#define STAGE1_HASH_RECORD_H

#include "common/bytes.h"

enum { HASH_HEAD_BYTES = 3, HASH_INSIDE_MAX = 1024 };

#define HASH_IS_OUTSIDE ((uint32_t)1 << 22)
#define HASH_IS_DEAD    ((uint32_t)1 << 23)

// What an outside record points to.
typedef struct hash_outside {
    uint32_t key_len, value_len;
    uint8_t bytes[];
} hash_outside;

// A record, read; valid until it is moved or killed.
typedef struct hash_record {
    uint8_t *bytes; // the key, and right behind it the value
    uint32_t key_len, value_len;
    uint32_t size; // of it in its chunk
    bool is_dead;
    hash_outside *outside; // NULL: inside
} hash_record;

static inline uint32_t hash_head_read(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
}

static inline void hash_head_write(uint8_t *at, uint32_t head)
{
    at[0] = (uint8_t)head;
    at[1] = (uint8_t)(head >> 8);
    at[2] = (uint8_t)(head >> 16);
}

static inline hash_record hash_record_read(uint8_t *at)
{
    uint32_t head = hash_head_read(at);
    hash_record r = {.bytes = at + HASH_HEAD_BYTES,
                     .key_len = head & 0x7ff,
                     .value_len = head >> 11 & 0x7ff,
                     .is_dead = (head & HASH_IS_DEAD) != 0};
    if (!KV_LIKELY((head & HASH_IS_OUTSIDE) == 0)) {
        memcpy(&r.outside, r.bytes, sizeof r.outside);
        r.size = HASH_HEAD_BYTES + sizeof r.outside;
        if (r.is_dead) return r; // what it points to is gone
        r.bytes = r.outside->bytes;
        r.key_len = r.outside->key_len;
        r.value_len = r.outside->value_len;
        return r;
    }
    r.size = HASH_HEAD_BYTES + r.key_len + r.value_len;
    return r;
}

static inline kv_slice hash_record_key(const hash_record *r)
{
    return kv_slice_of(r->bytes, r->key_len);
}

static inline kv_slice hash_record_value(const hash_record *r)
{
    return kv_slice_of(r->bytes + r->key_len, r->value_len);
}

#endif
