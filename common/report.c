// report.c -- see report.h.
// SPDX-License-Identifier: MIT

#include "common/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/mem.h"

// ---- telling ----------------------------------------------------------------

static kv_fact *add(kv_report *r, kv_fact_kind kind, const char *name)
{
    if (r->count == r->cap) {
        r->cap = r->cap > 0 ? r->cap * 2 : 32;
        r->facts = kv_realloc(r->facts, r->cap * sizeof *r->facts);
    }
    kv_fact *fact = &r->facts[r->count++];
    *fact = (kv_fact){.kind = kind};
    if (name != NULL) fact->name = kv_strdup(name);
    return fact;
}

KV_PRINTF(1, 0)
static char *format(const char *fmt, va_list args)
{
    char text[1024];
    vsnprintf(text, sizeof text, fmt, args);
    return kv_strdup(text);
}

void kv_report_begin(kv_report *r, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add(r, KV_FACT_BRANCH_BEGIN, NULL)->name = format(fmt, args);
    va_end(args);
}

void kv_report_end(kv_report *r) { add(r, KV_FACT_BRANCH_END, NULL); }

void kv_report_count(kv_report *r, const char *name, uint64_t n)
{
    add(r, KV_FACT_COUNT, name)->count = n;
}

void kv_report_bytes(kv_report *r, const char *name, uint64_t n)
{
    add(r, KV_FACT_BYTES, name)->count = n;
}

void kv_report_ratio(kv_report *r, const char *name, double ratio)
{
    add(r, KV_FACT_RATIO, name)->ratio = ratio;
}

void kv_report_share(kv_report *r, const char *name, double share)
{
    add(r, KV_FACT_SHARE, name)->ratio = share;
}

void kv_report_text(kv_report *r, const char *name, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    add(r, KV_FACT_TEXT, name)->text = format(fmt, args);
    va_end(args);
}

void kv_report_key(kv_report *r, const char *name, kv_slice key)
{
    kv_buf escaped = {0};
    kv_escape(&escaped, key);
    kv_buf_append(&escaped, kv_slice_of("", 1));
    kv_fact *fact = add(r, KV_FACT_KEY, name);
    kv_quoted brief;
    fact->text = (char *)escaped.data;
    fact->brief = kv_strdup(kv_quote(&brief, key));
}

void kv_report_free(kv_report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        kv_free(r->facts[i].name);
        kv_free(r->facts[i].text);
        kv_free(r->facts[i].brief);
    }
    kv_free(r->facts);
    *r = (kv_report){0};
}

// ---- as text ----------------------------------------------------------------

static void draw_bytes(kv_buf *to, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 1024) {
        kv_buf_printf(to, "%llu B", (unsigned long long)bytes);
        return;
    }
    double n = (double)bytes / 1024;
    int unit = 0;
    while (n >= 1024 && unit < 4) n /= 1024, unit++;
    kv_buf_printf(to, "%.1f %s", n, units[unit]);
}

static void draw_bar(kv_buf *to, double share)
{
    // In this order, what is no number fills nothing.
    int filled = share >= 1 ? 10 : share > 0 ? (int)(share * 10 + 0.5) : 0;
    kv_buf_append(to, kv_str("["));
    for (int i = 0; i < 10; i++) {
        kv_buf_append(to, kv_str(i < filled ? "#" : "."));
    }
    kv_buf_printf(to, "] %.0f %%", share * 100);
}

static void draw_value(kv_buf *to, const kv_fact *fact)
{
    switch (fact->kind) {
    case KV_FACT_COUNT:
        kv_buf_printf(to, "%llu", (unsigned long long)fact->count);
        break;
    case KV_FACT_BYTES:
        draw_bytes(to, fact->count);
        break;
    case KV_FACT_RATIO:
        kv_buf_printf(to, "%.2f", fact->ratio);
        break;
    case KV_FACT_SHARE:
        draw_bar(to, fact->ratio);
        break;
    case KV_FACT_TEXT:
        kv_buf_append(to, kv_str(fact->text));
        break;
    case KV_FACT_KEY:
        kv_buf_append(to, kv_str(fact->brief));
        break;
    case KV_FACT_BRANCH_BEGIN:
    case KV_FACT_BRANCH_END:
        break;
    }
}

void kv_report_draw_text(const kv_report *r, kv_buf *to)
{
    int depth = 0;
    for (size_t i = 0; i < r->count; i++) {
        const kv_fact *fact = &r->facts[i];
        if (fact->kind == KV_FACT_BRANCH_END) {
            depth--;
            continue;
        }
        kv_buf_printf(to, "%*s", depth * 2, "");
        if (fact->kind == KV_FACT_BRANCH_BEGIN) {
            kv_buf_printf(to, "%s\n", fact->name);
            depth++;
            continue;
        }
        int width = depth * 2 < 22 ? 24 - depth * 2 : 2;
        kv_buf_printf(to, "%-*s ", width, fact->name);
        draw_value(to, fact);
        kv_buf_append(to, kv_str("\n"));
    }
}

// ---- as JSON ----------------------------------------------------------------

// The length of the UTF-8 character at the front, or 0 if it is none.
static size_t utf8_size(kv_slice s)
{
    uint8_t c = s.data[0];
    size_t size = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (size == 0 || c > 0xf4 || size > s.len) return 0;
    for (size_t i = 1; i < size; i++) {
        if ((s.data[i] & 0xc0) != 0x80) return 0;
    }
    // Overlong forms, surrogates, and what is beyond Unicode.
    if ((c == 0xe0 && s.data[1] < 0xa0) || (c == 0xed && s.data[1] > 0x9f) ||
        (c == 0xf0 && s.data[1] < 0x90) || (c == 0xf4 && s.data[1] > 0x8f)) {
        return 0;
    }
    return size;
}

void kv_json_string(kv_buf *to, kv_slice bytes)
{
    kv_buf_append(to, kv_str("\""));
    for (size_t i = 0; i < bytes.len;) {
        uint8_t c = bytes.data[i];
        size_t size = utf8_size(kv_slice_of(bytes.data + i, bytes.len - i));
        if (size == 0) {
            kv_buf_printf(to, "\\\\x%02x", c);
        } else if (c == '"' || c == '\\') {
            kv_buf_printf(to, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            kv_buf_printf(to, "\\u%04x", c);
        } else {
            kv_buf_append(to, kv_slice_of(bytes.data + i, size));
        }
        i += size > 0 ? size : 1;
    }
    kv_buf_append(to, kv_str("\""));
}

static void json_value(kv_buf *to, const kv_fact *fact)
{
    switch (fact->kind) {
    case KV_FACT_COUNT:
    case KV_FACT_BYTES:
        kv_buf_printf(to, "%llu", (unsigned long long)fact->count);
        break;
    case KV_FACT_RATIO:
    case KV_FACT_SHARE: {
        bool is_finite = fact->ratio - fact->ratio == 0;
        if (is_finite) kv_buf_printf(to, "%.6g", fact->ratio);
        if (!is_finite) kv_buf_append(to, kv_str("null"));
        break;
    }
    default:
        kv_json_string(to, kv_str(fact->text));
        break;
    }
}

// The index behind the fact at `i`, branches whole.
static size_t after(const kv_report *r, size_t i)
{
    int depth = 0;
    do {
        if (i >= r->count) return i;
        depth += r->facts[i].kind == KV_FACT_BRANCH_BEGIN;
        depth -= r->facts[i].kind == KV_FACT_BRANCH_END;
        i++;
    } while (depth > 0);
    return i;
}

static bool same_name(const kv_fact *a, const kv_fact *b)
{
    return a->name != NULL && b->name != NULL && strcmp(a->name, b->name) == 0;
}

static size_t next_of_name(const kv_report *r, size_t i, size_t end)
{
    const kv_fact *fact = &r->facts[i];
    for (i = after(r, i); i < end; i = after(r, i)) {
        if (same_name(&r->facts[i], fact)) return i;
    }
    return end;
}

static bool is_first_of_name(const kv_report *r, size_t from, size_t i)
{
    for (size_t at = from; at < i; at = after(r, at)) {
        if (same_name(&r->facts[at], &r->facts[i])) return false;
    }
    return true;
}

static void json_object(kv_buf *to, const kv_report *r, size_t from,
                        size_t end);

static void json_fact(kv_buf *to, const kv_report *r, size_t i)
{
    if (r->facts[i].kind == KV_FACT_BRANCH_BEGIN) {
        json_object(to, r, i + 1, after(r, i) - 1);
    } else {
        json_value(to, &r->facts[i]);
    }
}

// The facts of one branch; those that share a name become one array.
static void json_object(kv_buf *to, const kv_report *r, size_t from, size_t end)
{
    const char *comma = "";
    kv_buf_append(to, kv_str("{"));
    for (size_t i = from; i < end; i = after(r, i)) {
        if (!is_first_of_name(r, from, i)) continue;
        kv_buf_append(to, kv_str(comma));
        kv_json_string(to, kv_str(r->facts[i].name));
        bool is_array = next_of_name(r, i, end) < end;
        kv_buf_append(to, kv_str(is_array ? ":[" : ":"));
        json_fact(to, r, i);
        for (size_t j = next_of_name(r, i, end); j < end;
             j = next_of_name(r, j, end)) {
            kv_buf_append(to, kv_str(","));
            json_fact(to, r, j);
        }
        if (is_array) kv_buf_append(to, kv_str("]"));
        comma = ",";
    }
    kv_buf_append(to, kv_str("}"));
}

static void json_drawing(kv_buf *to, const kv_report *r)
{
    kv_buf text = {0};
    kv_report_draw_text(r, &text);
    kv_json_string(to, kv_buf_slice(&text));
    kv_buf_free(&text);
}

void kv_report_draw_json(const kv_report *r, kv_buf *to)
{
    if (r->is_drawing) json_drawing(to, r);
    else json_object(to, r, 0, r->count);
    kv_buf_append(to, kv_str("\n"));
}
