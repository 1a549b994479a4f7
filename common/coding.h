// coding.h -- integers as bytes: little-endian on every machine, and varints.
// SPDX-License-Identifier: MIT
//
//   u16 u32 u64   fixed width, low byte first
//   varint        7 bits a byte, low bits first, high bit set on all but the
//                 last: 0..127 in one byte, 2^32-1 in five, 2^64-1 in ten
//
// The fixed widths are written out byte by byte, not as loops: compilers turn
// that, and only that, into one load or store where the machine has the order.
//
// A get_* of fixed width requires the bytes to be there. kv_get_varint takes
// bytes from a disk: it checks, and accepts only the shortest form, so that a
// number has one encoding and a format has one picture.

#ifndef COMMON_CODING_H
#define COMMON_CODING_H

#include <stdint.h>

#include "common/bytes.h"

enum { KV_VARINT_MAX = 10 }; // bytes

static inline void kv_put_u16(uint8_t *to, uint16_t n)
{
    to[0] = (uint8_t)n;
    to[1] = (uint8_t)(n >> 8);
}

static inline void kv_put_u32(uint8_t *to, uint32_t n)
{
    to[0] = (uint8_t)n;
    to[1] = (uint8_t)(n >> 8);
    to[2] = (uint8_t)(n >> 16);
    to[3] = (uint8_t)(n >> 24);
}

static inline void kv_put_u64(uint8_t *to, uint64_t n)
{
    kv_put_u32(to, (uint32_t)n);
    kv_put_u32(to + 4, (uint32_t)(n >> 32));
}

static inline uint16_t kv_get_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t kv_get_u32(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

static inline uint64_t kv_get_u64(const uint8_t *from)
{
    return kv_get_u32(from) | (uint64_t)kv_get_u32(from + 4) << 32;
}

// How many bytes kv_put_varint will take.
static inline size_t kv_varint_size(uint64_t n)
{
    size_t size = 1;
    while (n >= 0x80) n >>= 7, size++;
    return size;
}

// Writes up to KV_VARINT_MAX bytes; returns how many.
static inline size_t kv_put_varint(uint8_t *to, uint64_t n)
{
    size_t size = 0;
    for (; n >= 0x80; n >>= 7) to[size++] = (uint8_t)(n | 0x80);
    to[size++] = (uint8_t)n;
    return size;
}

// Reads one varint from the front of `from`; returns its size, or 0 when the
// bytes end too soon, run past 64 bits, or are not the shortest form.
static inline size_t kv_get_varint(kv_slice from, uint64_t *n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < from.len && i < KV_VARINT_MAX; i++) {
        uint64_t byte = from.data[i];
        if (i == KV_VARINT_MAX - 1 && byte > 1) return 0;
        sum |= (byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            if (byte == 0 && i > 0) return 0;
            *n = sum;
            return i + 1;
        }
    }
    return 0;
}

// CRC-32C (Castagnoli) of the bytes, continuing from `seed`: 0 starts a new
// one, and kv_crc32c(kv_crc32c(0, a), b) is the checksum of a followed by b.
// kv_crc32c(0, "123456789") is 0xe3069283.
uint32_t kv_crc32c(uint32_t seed, kv_slice bytes);

#endif
