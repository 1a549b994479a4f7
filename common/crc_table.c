// crc_table.c -- CRC-32C a byte at a time, where ISA-L is not installed.
// SPDX-License-Identifier: MIT

#include "common/coding.h"
#include "common/thread.h"

static uint32_t table[256];

static void fill_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
        }
        table[i] = crc;
    }
}

uint32_t kv_crc32c(uint32_t seed, kv_slice bytes)
{
    static kv_once once = KV_ONCE;
    kv_call_once(&once, fill_table);
    uint32_t crc = ~seed;
    for (size_t i = 0; i < bytes.len; i++) {
        crc = crc >> 8 ^ table[(crc ^ bytes.data[i]) & 0xff];
    }
    return ~crc;
}
