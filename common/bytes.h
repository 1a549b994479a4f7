// bytes.h -- the two ways this code base holds bytes.
// SPDX-License-Identifier: MIT
//
//   kv_slice   borrowed   a pointer and a length into somebody else's memory
//   kv_buf     owned      grows as needed; who declares it calls kv_buf_free()
//
// A kv_buf of zeroes is a valid empty buffer: kv_buf b = {0}; is the only init.
// Neither ends in a NUL: keys and values are any bytes.

#ifndef COMMON_BYTES_H
#define COMMON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kv_slice {
    const uint8_t *data; // may be NULL when len is 0
    size_t len;
} kv_slice;

typedef struct kv_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
} kv_buf;

static inline kv_slice kv_slice_of(const void *data, size_t len)
{
    kv_slice s = {(const uint8_t *)data, len};
    return s;
}

static inline kv_slice kv_str(const char *s)
{
    return kv_slice_of(s, strlen(s));
}

static inline kv_slice kv_buf_slice(const kv_buf *b)
{
    return kv_slice_of(b->data, b->len);
}

// memcmp order, shorter first on a tie: the order of every sorted structure
// in this repository.
int kv_slice_cmp(kv_slice a, kv_slice b);

static inline bool kv_slice_equal(kv_slice a, kv_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

// Appends; the buffer's data may move.
void kv_buf_append(kv_buf *b, kv_slice bytes);
// Makes room for `extra` more bytes beyond len, so that filling them in place
// is legal; len stays.
void kv_buf_reserve(kv_buf *b, size_t extra);
// Forgets the content, keeps the memory.
void kv_buf_clear(kv_buf *b);
// Back to zeroes.
void kv_buf_free(kv_buf *b);
void kv_buf_printf(kv_buf *b, const char *fmt, ...) KV_PRINTF(2, 3);

// Sets the content; the hot path of every get.
static inline void kv_buf_set(kv_buf *b, kv_slice bytes)
{
    b->len = 0;
    if (bytes.len > b->cap) kv_buf_reserve(b, bytes.len);
    if (bytes.len > 0) memcpy(b->data, bytes.data, bytes.len);
    b->len = bytes.len;
}

// A key or value as a person can read it, in one escaping for messages, TSV,
// scripts and text formats: printable ASCII as it is, \t \n \r \\ and \xHH for
// the rest. kv_unescape takes exactly that back and returns KV_INVALID, with a
// sentence that names the column, for anything else.
void kv_escape(kv_buf *to, kv_slice bytes);
KV_MUST_USE kv_status kv_unescape(kv_buf *to, kv_slice text);

// The same, cut to fit a message: kv_quoted q; printf("%s", kv_quote(&q, key));
typedef struct kv_quoted {
    char text[72];
} kv_quoted;
const char *kv_quote(kv_quoted *q, kv_slice bytes);

#ifdef __cplusplus
}
#endif

#endif
