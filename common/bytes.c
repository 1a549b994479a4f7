// bytes.c -- see bytes.h.
// SPDX-License-Identifier: MIT

#include "common/bytes.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/mem.h"

int kv_slice_cmp(kv_slice a, kv_slice b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    if (order != 0) return order;
    return (a.len > b.len) - (a.len < b.len);
}

void kv_buf_reserve(kv_buf *b, size_t extra)
{
    if (b->cap - b->len >= extra) return;
    size_t cap = b->cap + b->cap / 2;
    if (cap < b->len + extra) cap = b->len + extra;
    if (cap < 64) cap = 64;
    b->data = kv_realloc(b->data, cap);
    b->cap = cap;
}

void kv_buf_append(kv_buf *b, kv_slice bytes)
{
    if (bytes.len == 0) return;
    kv_buf_reserve(b, bytes.len);
    memcpy(b->data + b->len, bytes.data, bytes.len);
    b->len += bytes.len;
}

void kv_buf_clear(kv_buf *b) { b->len = 0; }

void kv_buf_free(kv_buf *b)
{
    kv_free(b->data);
    *b = (kv_buf){0};
}

void kv_buf_printf(kv_buf *b, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len > 0) {
        kv_buf_reserve(b, (size_t)len + 1); // vsnprintf writes a NUL behind
        vsnprintf((char *)b->data + b->len, (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

// ---- escaping ---------------------------------------------------------------

static size_t escape_byte(uint8_t byte, char to[5])
{
    const char *digits = "0123456789abcdef";
    char letter = '\0';
    if (byte == '\t') letter = 't';
    else if (byte == '\n') letter = 'n';
    else if (byte == '\r') letter = 'r';
    else if (byte == '\\') letter = '\\';
    if (letter != '\0') {
        to[0] = '\\', to[1] = letter;
        return 2;
    }
    if (byte >= 0x20 && byte < 0x7f) {
        to[0] = (char)byte;
        return 1;
    }
    to[0] = '\\', to[1] = 'x';
    to[2] = digits[byte >> 4], to[3] = digits[byte & 15];
    return 4;
}

void kv_escape(kv_buf *to, kv_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char escaped[5];
        kv_buf_append(
            to, kv_slice_of(escaped, escape_byte(bytes.data[i], escaped)));
    }
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

// One escape sequence at text[at]; its length, or 0 if it is none.
static size_t unescape_one(kv_slice text, size_t at, uint8_t *byte)
{
    const char *from = "tnr\\", *to = "\t\n\r\\";
    if (at + 1 >= text.len) return 0;
    const uint8_t *p = text.data + at;
    for (int i = 0; i < 4; i++) {
        if (p[1] == (uint8_t)from[i]) {
            *byte = (uint8_t)to[i];
            return 2;
        }
    }
    if (p[1] != 'x' || at + 3 >= text.len) return 0;
    int high = hex_digit(p[2]), low = hex_digit(p[3]);
    if (high < 0 || low < 0) return 0;
    *byte = (uint8_t)(high << 4 | low);
    return 4;
}

kv_status kv_unescape(kv_buf *to, kv_slice text)
{
    for (size_t at = 0; at < text.len;) {
        uint8_t byte = text.data[at];
        size_t len = 1;
        if (byte == '\\') {
            len = unescape_one(text, at, &byte);
            if (len == 0) {
                return kv_fail(KV_INVALID,
                               "column %zu: a backslash starts none of "
                               "\\t \\n \\r \\\\ \\xHH (lower-case digits)",
                               at + 1);
            }
        }
        kv_buf_append(to, kv_slice_of(&byte, 1));
        at += len;
    }
    return KV_OK;
}

const char *kv_quote(kv_quoted *q, kv_slice bytes)
{
    size_t room = sizeof q->text - 4, len = 0; // the dots and the NUL
    for (size_t i = 0; i < bytes.len; i++) {
        char escaped[5];
        size_t size = escape_byte(bytes.data[i], escaped);
        if (len + size > room) {
            memcpy(q->text + len, "...", 3);
            len += 3;
            break;
        }
        memcpy(q->text + len, escaped, size);
        len += size;
    }
    q->text[len] = '\0';
    return q->text;
}
