// knobs.c -- see knobs.h.
// SPDX-License-Identifier: MIT

#include "common/knobs.h"

#include "common/distance.h"

// ---- words ------------------------------------------------------------------

// The word at `index` of "copy map", or an empty slice behind the last.
static kv_slice word_at(const char *words, uint64_t index)
{
    const char *at = words;
    for (; index > 0 && *at != '\0'; index--) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    return kv_slice_of(at, strcspn(at, " "));
}

static bool find_word(const kv_knob *knob, kv_slice text, uint64_t *value)
{
    for (uint64_t i = 0;; i++) {
        kv_slice word = word_at(knob->words, i);
        if (word.len == 0) return false;
        if (kv_slice_equal(word, text)) {
            *value = i;
            return true;
        }
    }
}

// ---- numbers ----------------------------------------------------------------

static bool parse_number(kv_slice text, uint64_t *value)
{
    uint64_t n = 0;
    size_t i = 0;
    for (; i < text.len && text.data[i] >= '0' && text.data[i] <= '9'; i++) {
        unsigned digit = (unsigned)(text.data[i] - '0');
        if (n > (UINT64_MAX - digit) / 10) return false;
        n = n * 10 + digit;
    }
    if (i == 0) return false;
    kv_slice unit = kv_slice_of(text.data + i, text.len - i);
    unsigned shift = 0;
    if (kv_slice_equal(unit, kv_str("KiB"))) shift = 10;
    if (kv_slice_equal(unit, kv_str("MiB"))) shift = 20;
    if (kv_slice_equal(unit, kv_str("GiB"))) shift = 30;
    if (unit.len > 0 && shift == 0) return false;
    if (n > UINT64_MAX >> shift) return false;
    *value = n << shift;
    return true;
}

kv_status kv_parse_bytes(const char *text, uint64_t *bytes)
{
    if (parse_number(kv_str(text), bytes)) return KV_OK;
    return kv_fail(KV_INVALID,
                   "\"%s\" is not a size: write a number of bytes, or one "
                   "with KiB, MiB or GiB behind it, as in 64MiB",
                   text);
}

static void print_number(uint64_t n, kv_buf *to)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB"};
    int unit = 0;
    while (unit < 3 && n >= 1024 && n % 1024 == 0) n /= 1024, unit++;
    kv_buf_printf(to, "%llu%s", (unsigned long long)n, units[unit]);
}

static void print_value(const kv_knob *knob, uint64_t value, kv_buf *to)
{
    if (knob->words != NULL) {
        kv_buf_append(to, word_at(knob->words, value));
    } else {
        print_number(value, to);
    }
}

void kv_knob_print(const kv_knob *knob, uint64_t value, kv_buf *to)
{
    kv_buf_printf(to, "%s=", knob->name);
    print_value(knob, value, to);
}

// ---- settings ---------------------------------------------------------------

static kv_status unknown_knob(const kv_knob *knobs, size_t count, kv_slice name)
{
    kv_quoted q;
    if (count == 0) {
        return kv_fail(KV_INVALID,
                       "there is no knob \"%s\": this engine has "
                       "none",
                       kv_quote(&q, name));
    }
    size_t nearest = 0, best = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t d = kv_distance(name, kv_str(knobs[i].name));
        if (d < best) best = d, nearest = i;
    }
    return kv_fail(KV_INVALID,
                   "there is no knob \"%s\"; the nearest is \"%s\" (help "
                   "lists them all)",
                   kv_quote(&q, name), knobs[nearest].name);
}

static kv_status bad_value(const kv_knob *knob, kv_slice text)
{
    kv_quoted q;
    if (knob->words != NULL) {
        return kv_fail(KV_INVALID, "%s=%s: the value is one of: %s", knob->name,
                       kv_quote(&q, text), knob->words);
    }
    kv_buf range = {0};
    print_number(knob->min, &range);
    kv_buf_append(&range, kv_str(" to "));
    print_number(knob->max, &range);
    kv_status st = kv_fail(KV_INVALID, "%s=%s: the value is a number from %.*s",
                           knob->name, kv_quote(&q, text), (int)range.len,
                           (const char *)range.data);
    kv_buf_free(&range);
    return st;
}

static kv_status parse_value(const kv_knob *knob, kv_slice text, uint64_t *out)
{
    uint64_t value;
    if (knob->words != NULL) {
        if (!find_word(knob, text, &value)) return bad_value(knob, text);
    } else if (!parse_number(text, &value) || value < knob->min ||
               value > knob->max) {
        return bad_value(knob, text);
    }
    *out = value;
    return KV_OK;
}

// The knob that a setting names, or `count`.
static size_t find_knob(const kv_knob *knobs, size_t count, kv_slice name)
{
    size_t i = 0;
    while (i < count && !kv_slice_equal(name, kv_str(knobs[i].name))) i++;
    return i;
}

static kv_status parse_setting(const kv_knob *knobs, size_t count,
                               kv_slice text, uint64_t *values)
{
    kv_quoted q;
    const uint8_t *equals = memchr(text.data, '=', text.len);
    if (equals == NULL) {
        return kv_fail(KV_INVALID, "\"%s\" is not a setting: write name=value",
                       kv_quote(&q, text));
    }
    size_t len = (size_t)(equals - text.data);
    kv_slice name = kv_slice_of(text.data, len);
    kv_slice value = kv_slice_of(equals + 1, text.len - len - 1);
    size_t i = find_knob(knobs, count, name);
    if (i == count) return unknown_knob(knobs, count, name);
    return parse_value(&knobs[i], value, &values[i]);
}

kv_status kv_knobs_parse(const kv_knob *knobs, size_t count, const char *text,
                         uint64_t *values)
{
    for (size_t i = 0; i < count; i++) values[i] = knobs[i].value;
    if (text == NULL) return KV_OK;
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        if (len > 0) {
            KV_TRY(parse_setting(knobs, count, kv_slice_of(text, len), values));
        }
        text += len;
        if (*text == ',') text++;
    }
    return KV_OK;
}

uint32_t kv_knobs_given(const kv_knob *knobs, size_t count, const char *text)
{
    uint32_t given = 0;
    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, ",");
        size_t i =
            find_knob(knobs, count, kv_slice_of(text, strcspn(text, "=,")));
        if (i < count) given |= UINT32_C(1) << i;
        text += len + (text[len] == ',');
    }
    return given;
}
