// xray.h -- the bytes of a file with their meaning beside them.
// SPDX-License-Identifier: MIT
//
// A stage walks one of its files and names every field it meets; xray.c draws
//
//     00000040  5b 3c 1f 0a              checksum   good
//     00000044  00 00 00 00              mark       0: nothing synced yet
//
// The walk reads as recovery does but never stops at damage: it says what is
// wrong and goes on where it can.

#ifndef COMMON_XRAY_H
#define COMMON_XRAY_H

#include "common/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kv_xray {
    uint64_t from, limit; // only fields that touch this range are drawn
    kv_buf text;          // the drawing so far
    uint64_t field_count; // drawn
    uint64_t damage_count;
} kv_xray;

// Draws nothing but a line of its own: "record 17, put".
void kv_xray_title(kv_xray *x, uint64_t offset, const char *fmt, ...)
    KV_PRINTF(3, 4);
// One field: where it is, its bytes (the middle is left out when long), its
// name, what it means.
void kv_xray_field(kv_xray *x, uint64_t offset, kv_slice bytes,
                   const char *name, const char *fmt, ...) KV_PRINTF(5, 6);
// What is wrong at this place; counted.
void kv_xray_damage(kv_xray *x, uint64_t offset, const char *fmt, ...)
    KV_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif

#endif
