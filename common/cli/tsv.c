// tsv.c -- see tsv.h.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include "common/cli/tsv.h"

#include <errno.h>

enum { ESCAPED_MAX = 4 }; // bytes that one byte becomes: \xHH

kv_status kv_cli_line_read(FILE *stream, size_t max, kv_buf *to)
{
    int byte = EOF;
    kv_buf_clear(to);
    flockfile(stream);
    while ((byte = getc_unlocked(stream)) != EOF && byte != '\n') {
        if (to->len == max) break;
        if (to->len == to->cap) kv_buf_reserve(to, to->len + 256);
        to->data[to->len++] = (uint8_t)byte;
    }
    funlockfile(stream);
    if (byte == EOF && ferror(stream)) {
        return kv_fail(KV_IO, "%s", strerror(errno));
    }
    if (byte == EOF) return to->len > 0 ? KV_OK : KV_END;
    if (byte == '\n') return KV_OK;
    return kv_fail(KV_TOO_BIG, "the line is longer than %zu bytes", max);
}

static kv_status read_line(kv_cli_tsv_reader *r)
{
    size_t max = ESCAPED_MAX * (r->key_max + r->value_max) + 1;
    kv_status st = kv_cli_line_read(r->stream, max, &r->text);
    if (st == KV_END) return st;
    r->line++;
    r->bytes += r->text.len + 1;
    if (st == KV_OK) return KV_OK;
    char why[160];
    snprintf(why, sizeof why, "%s", kv_last_error());
    return kv_fail(st, "%s: line %llu: %s", r->name,
                   (unsigned long long)r->line, why);
}

static kv_status field(kv_cli_tsv_reader *r, const char *what, kv_slice text,
                       size_t max, kv_buf *to)
{
    kv_buf_clear(to);
    if (kv_unescape(to, text) != KV_OK) {
        // Once more from the start of the line, so that the column in the
        // sentence counts from there.
        char why[160];
        kv_buf_clear(to);
        kv_status st = kv_unescape(to, kv_buf_slice(&r->text));
        snprintf(why, sizeof why, "%s", kv_last_error());
        return kv_fail(st, "%s: line %llu, %s", r->name,
                       (unsigned long long)r->line, why);
    }
    if (to->len <= max) return KV_OK;
    return kv_fail(KV_TOO_BIG,
                   "%s: line %llu: the %s has %zu bytes; this engine takes "
                   "at most %zu",
                   r->name, (unsigned long long)r->line, what, to->len, max);
}

kv_status kv_cli_tsv_read(kv_cli_tsv_reader *r, kv_slice *key, kv_slice *value)
{
    KV_TRY(read_line(r));
    kv_slice line = kv_buf_slice(&r->text);
    unsigned long long number = r->line;
    const uint8_t *tab = line.len ? memchr(line.data, '\t', line.len) : NULL;
    if (tab == NULL) {
        return kv_fail(KV_INVALID,
                       "%s: line %llu, column %zu: the line ends without a "
                       "TAB after the key",
                       r->name, number, line.len + 1);
    }
    size_t key_len = (size_t)(tab - line.data);
    if (key_len == 0) {
        return kv_fail(KV_INVALID, "%s: line %llu, column 1: the key is empty",
                       r->name, number);
    }
    kv_slice rest = kv_slice_of(tab + 1, line.len - key_len - 1);
    const uint8_t *second = rest.len ? memchr(rest.data, '\t', rest.len) : NULL;
    if (second != NULL) {
        return kv_fail(KV_INVALID,
                       "%s: line %llu, column %zu: a second TAB; inside a "
                       "value it is written \\t",
                       r->name, number, (size_t)(second - line.data) + 1);
    }
    kv_slice key_text = kv_slice_of(line.data, key_len);
    KV_TRY(field(r, "key", key_text, r->key_max, &r->key));
    KV_TRY(field(r, "value", rest, r->value_max, &r->value));
    *key = kv_buf_slice(&r->key);
    *value = kv_buf_slice(&r->value);
    return KV_OK;
}

void kv_cli_tsv_free(kv_cli_tsv_reader *r)
{
    kv_buf_free(&r->text);
    kv_buf_free(&r->key);
    kv_buf_free(&r->value);
}

void kv_cli_tsv_append(kv_buf *to, kv_slice key, kv_slice value)
{
    kv_escape(to, key);
    kv_buf_append(to, kv_slice_of("\t", 1));
    kv_escape(to, value);
    kv_buf_append(to, kv_slice_of("\n", 1));
}
