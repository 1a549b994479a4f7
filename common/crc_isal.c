// crc_isal.c -- CRC-32C by ISA-L, which uses the processor's own instruction.
// SPDX-License-Identifier: MIT

#include <isa-l/crc.h>

#include "common/coding.h"

// ISA-L counts in int: longer input goes in pieces.
static const size_t piece_max = (size_t)1 << 30;

uint32_t kv_crc32c(uint32_t seed, kv_slice bytes)
{
    uint32_t crc = ~seed;
    while (bytes.len > 0) {
        size_t len = bytes.len < piece_max ? bytes.len : piece_max;
        // Its prototype lacks a const; it does not write.
        union {
            const uint8_t *in;
            unsigned char *out;
        } data = {bytes.data};
        crc = crc32_iscsi(data.out, (int)len, crc);
        bytes = kv_slice_of(bytes.data + len, bytes.len - len);
    }
    return ~crc;
}
