// dataset.c -- see dataset.h.
// SPDX-License-Identifier: MIT

#include "compare/dataset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/engine.h"
#include "common/mem.h"

// Until everything is read, offsets instead of slices: the text may move.
struct line {
    kv_slice key, value;
    uint64_t offset;
    size_t key_len, value_len;
    uint32_t number; // of the line, from 0
};

struct lines {
    struct line *line;
    size_t count, cap;
};

static kv_status read_file(const char *path, kv_buf *to)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return kv_fail(KV_IO, "%s: %s", path, strerror(errno));
    }
    for (size_t got = 1; got > 0; to->len += got) {
        kv_buf_reserve(to, 1 << 20);
        got = fread(to->data + to->len, 1, 1 << 20, file);
    }
    bool failed = ferror(file) != 0;
    fclose(file);
    return failed ? kv_fail(KV_IO, "%s: cannot be read", path) : KV_OK;
}

static kv_status add_line(struct lines *lines, kv_buf *text, kv_slice row)
{
    const uint8_t *tab = row.len ? memchr(row.data, '\t', row.len) : NULL;
    if (tab == NULL) return kv_fail(KV_INVALID, "no tab between key and value");
    size_t key_len = (size_t)(tab - row.data);
    struct line line = {.offset = text->len, .number = (uint32_t)lines->count};
    KV_TRY(kv_unescape(text, kv_slice_of(row.data, key_len)));
    line.key_len = text->len - line.offset;
    KV_TRY(kv_unescape(text, kv_slice_of(tab + 1, row.len - key_len - 1)));
    line.value_len = text->len - line.offset - line.key_len;
    if (line.key_len == 0) return kv_fail(KV_INVALID, "the key is empty");
    if (line.key_len >= KV_KEY_MAX || line.value_len > KV_VALUE_MAX) {
        return kv_fail(KV_TOO_BIG, "over the limits of engine.h");
    }
    if (lines->count == INT32_MAX) return kv_fail(KV_TOO_BIG, "too many lines");
    if (lines->count == lines->cap) {
        lines->cap = lines->cap ? 2 * lines->cap : 1024;
        lines->line = kv_realloc(lines->line, lines->cap * sizeof *lines->line);
    }
    lines->line[lines->count++] = line;
    return KV_OK;
}

static kv_status cut_lines(const kv_buf *raw, const char *path,
                           struct lines *lines, kv_buf *text)
{
    size_t at = 0;
    while (at < raw->len) {
        const uint8_t *from = raw->data + at;
        const uint8_t *end = memchr(from, '\n', raw->len - at);
        size_t len = end ? (size_t)(end - from) : raw->len - at;
        kv_status st = add_line(lines, text, kv_slice_of(from, len));
        if (st != KV_OK) {
            char why[200];
            snprintf(why, sizeof why, "%s", kv_last_error());
            return kv_fail(st,
                           "%s, line %zu: %s; a line is KEY, a tab, VALUE, "
                           "escaped (\\t \\n \\r \\\\ \\xHH)",
                           path, lines->count + 1, why);
        }
        at += len + 1;
    }
    if (lines->count > 0) return KV_OK;
    return kv_fail(KV_INVALID, "%s holds no records", path);
}

static int by_key_then_number(const void *a, const void *b)
{
    const struct line *left = a, *right = b;
    int order = kv_slice_cmp(left->key, right->key);
    if (order != 0) return order;
    return left->number < right->number ? -1 : 1;
}

// Sorts, drops all but the last of equal keys, and numbers what is left.
static void place_records(cmp_dataset *d, struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        struct line *line = &lines->line[i];
        const uint8_t *at = d->text.data + line->offset;
        line->key = kv_slice_of(at, line->key_len);
        line->value = kv_slice_of(at + line->key_len, line->value_len);
    }
    qsort(lines->line, lines->count, sizeof *lines->line, by_key_then_number);
    d->key = kv_alloc(lines->count * sizeof *d->key);
    d->value = kv_alloc(lines->count * sizeof *d->value);
    d->order = kv_alloc(lines->count * sizeof *d->order);
    uint32_t *place_of = kv_alloc(lines->count * sizeof *place_of);
    memset(place_of, 0xff, lines->count * sizeof *place_of);
    for (size_t i = 0; i < lines->count; i++) {
        const struct line *line = &lines->line[i];
        if (i + 1 < lines->count &&
            kv_slice_equal(line->key, lines->line[i + 1].key)) {
            d->repeated++;
            continue;
        }
        d->key[d->count] = line->key;
        d->value[d->count] = line->value;
        d->key_bytes += line->key_len;
        d->value_bytes += line->value_len;
        place_of[line->number] = d->count++;
    }
    uint32_t at = 0;
    for (size_t number = 0; number < lines->count; number++) {
        if (place_of[number] != UINT32_MAX) d->order[at++] = place_of[number];
    }
    kv_free(place_of);
}

// An absent key is made by adding a byte 0 (records.h): no record may be there.
static kv_status check_gaps(const cmp_dataset *d, const char *path)
{
    for (uint32_t i = 1; i < d->count; i++) {
        kv_slice left = d->key[i - 1], right = d->key[i];
        if (right.len != left.len + 1 || right.data[left.len] != 0) continue;
        if (!kv_slice_equal(left, kv_slice_of(right.data, left.len))) continue;
        kv_quoted q;
        return kv_fail(KV_INVALID,
                       "%s: key \"%s\" is another key and one byte 0, which "
                       "the comparison takes for an absent one",
                       path, kv_quote(&q, right));
    }
    return KV_OK;
}

kv_status cmp_dataset_read(cmp_dataset *d, const char *path)
{
    kv_buf raw = {0};
    struct lines lines = {0};
    *d = (cmp_dataset){0};
    kv_status st;
    if ((st = read_file(path, &raw)) != KV_OK) goto out;
    if ((st = cut_lines(&raw, path, &lines, &d->text)) != KV_OK) goto out;
    place_records(d, &lines);
    st = check_gaps(d, path);
out:
    kv_buf_free(&raw);
    kv_free(lines.line);
    if (st != KV_OK) cmp_dataset_free(d);
    return st;
}

void cmp_dataset_free(cmp_dataset *d)
{
    kv_buf_free(&d->text);
    kv_free(d->key);
    kv_free(d->value);
    kv_free(d->order);
    *d = (cmp_dataset){0};
}
