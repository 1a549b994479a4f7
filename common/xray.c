// xray.c -- see xray.h.
// SPDX-License-Identifier: MIT

#include "common/xray.h"

#include <stdarg.h>
#include <stdio.h>

enum { BYTES_SHOWN = 8 }; // of one field, on its line

static bool is_wanted(const kv_xray *x, uint64_t offset, uint64_t len)
{
    uint64_t end = offset + (len > 0 ? len : 1);
    return offset < x->limit && end > x->from;
}

KV_PRINTF(2, 0)
static void append_text(kv_buf *to, const char *fmt, va_list args)
{
    char text[512];
    vsnprintf(text, sizeof text, fmt, args);
    kv_buf_append(to, kv_str(text));
    kv_buf_append(to, kv_str("\n"));
}

void kv_xray_title(kv_xray *x, uint64_t offset, const char *fmt, ...)
{
    if (!is_wanted(x, offset, 1)) return;
    kv_buf_append(&x->text, kv_str("-- "));
    va_list args;
    va_start(args, fmt);
    append_text(&x->text, fmt, args);
    va_end(args);
}

static void append_hex(kv_buf *to, kv_slice bytes)
{
    size_t shown = bytes.len < BYTES_SHOWN ? bytes.len : BYTES_SHOWN;
    for (size_t i = 0; i < BYTES_SHOWN; i++) {
        if (i < shown) {
            kv_buf_printf(to, "%02x ", bytes.data[i]);
        } else {
            kv_buf_append(to, kv_str("   "));
        }
    }
    kv_buf_append(to, kv_str(bytes.len > shown ? ".. " : "   "));
}

void kv_xray_field(kv_xray *x, uint64_t offset, kv_slice bytes,
                   const char *name, const char *fmt, ...)
{
    if (!is_wanted(x, offset, bytes.len)) return;
    x->field_count++;
    kv_buf_printf(&x->text, "%08llx  ", (unsigned long long)offset);
    append_hex(&x->text, bytes);
    kv_buf_printf(&x->text, "%-10s ", name);
    va_list args;
    va_start(args, fmt);
    append_text(&x->text, fmt, args);
    va_end(args);
}

void kv_xray_damage(kv_xray *x, uint64_t offset, const char *fmt, ...)
{
    x->damage_count++;
    if (!is_wanted(x, offset, 1)) return;
    kv_buf_printf(&x->text, "%08llx  !! ", (unsigned long long)offset);
    va_list args;
    va_start(args, fmt);
    append_text(&x->text, fmt, args);
    va_end(args);
}
