// text.c -- see text.h.
// SPDX-License-Identifier: MIT

#include "compare/report/text.h"

#include <math.h>
#include <stdio.h>

void cmp_append(kv_buf *to, const char *text)
{
    kv_buf_append(to, kv_str(text));
}

void cmp_html(kv_buf *to, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            cmp_append(to, "&amp;");
            break;
        case '<':
            cmp_append(to, "&lt;");
            break;
        case '>':
            cmp_append(to, "&gt;");
            break;
        case '"':
            cmp_append(to, "&quot;");
            break;
        case '\'':
            cmp_append(to, "&#39;");
            break;
        default:
            if ((unsigned char)*text < 0x20 || *text == 0x7f) {
                kv_escape(to, kv_slice_of(text, 1));
            } else {
                kv_buf_append(to, kv_slice_of(text, 1));
            }
        }
    }
}

void cmp_plain(kv_buf *to, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\' || (unsigned char)*text < 0x20) {
            kv_buf_printf(to, "%%%02X", (unsigned)(unsigned char)*text);
        } else {
            kv_buf_append(to, kv_slice_of(text, 1));
        }
    }
}

static void quote(kv_buf *to, const char *raw, const char *doubled)
{
    kv_buf plain = {0};
    cmp_plain(&plain, raw);
    kv_buf_append(&plain, kv_slice_of("", 1));
    cmp_append(to, "'");
    const char *text = (const char *)plain.data;
    for (; *text != '\0'; text++) {
        if (strchr(doubled, *text) != NULL) {
            kv_buf_append(to, kv_slice_of(text, 1));
        }
        kv_buf_append(to, kv_slice_of(text, 1));
    }
    cmp_append(to, "'");
    kv_buf_free(&plain);
}

void cmp_quoted(kv_buf *to, const char *text) { quote(to, text, "'"); }

void cmp_quoted_tic(kv_buf *to, const char *text) { quote(to, text, "'%"); }

// ---- numbers ----------------------------------------------------------------

// Three digits that matter, without a trailing ".0" on what is whole.
static void three_digits(cmp_number *n, double value, const char *unit)
{
    double size = fabs(value);
    int digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
    if (size < 1000 && value == floor(value)) digits = 0;
    snprintf(n->text, sizeof n->text, "%.*f%s", digits, value, unit);
}

const char *cmp_si(cmp_number *n, double value)
{
    static const char *const units[] = {"", " k", " M", " G", " T"};
    size_t i = 0;
    while (fabs(value) >= 999.5 && i < 4) value /= 1000, i++;
    three_digits(n, value, units[i]);
    return n->text;
}

const char *cmp_ratio(cmp_number *n, double value)
{
    double size = fabs(value);
    int digits = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
    if (size > 0 && size < 0.005) {
        snprintf(n->text, sizeof n->text, "%.1g", value);
    } else {
        snprintf(n->text, sizeof n->text, "%.*f", digits, value);
    }
    return n->text;
}

const char *cmp_bytes(cmp_number *n, double value)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB"};
    size_t i = 0;
    while (fabs(value) >= 1023.5 && i < 4) value /= 1024, i++;
    three_digits(n, value, units[i]);
    return n->text;
}

const char *cmp_duration(cmp_number *n, double ns)
{
    static const char *const units[] = {" ns", " µs", " ms", " s"};
    size_t i = 0;
    while (ns >= 999.5 && i < 3) ns /= 1000, i++;
    three_digits(n, ns, units[i]);
    return n->text;
}

const char *cmp_count(cmp_number *n, double value)
{
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%.0f", value), out = 0;
    for (int i = 0; i < len && out < (int)sizeof n->text - 2; i++) {
        bool is_gap = i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-';
        if (is_gap) n->text[out++] = ',';
        n->text[out++] = digits[i];
    }
    n->text[out] = '\0';
    return n->text;
}
