// sheet.c -- see sheet.h.
// SPDX-License-Identifier: MIT

#include "compare/report/sheet.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"

// ---- files ------------------------------------------------------------------

kv_status cmp_file_read(const char *path, kv_buf *out)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return kv_fail(errno == ENOENT ? KV_NOT_FOUND : KV_IO,
                       "%s: cannot be read (%s)", path, strerror(errno));
    }
    size_t got = 0;
    kv_buf_clear(out);
    do {
        kv_buf_reserve(out, 1 << 16);
        got = fread(out->data + out->len, 1, 1 << 16, f);
        out->len += got;
    } while (got > 0);
    bool failed = ferror(f) != 0;
    fclose(f);
    if (failed) return kv_fail(KV_IO, "%s: reading it failed", path);
    return KV_OK;
}

kv_status cmp_file_write(const char *path, kv_slice bytes)
{
    FILE *f = fopen(path, "wb");
    bool written = f != NULL;
    if (written && bytes.len > 0) {
        written = fwrite(bytes.data, 1, bytes.len, f) == bytes.len;
    }
    if (f != NULL && fclose(f) != 0) written = false;
    if (written) return KV_OK;
    return kv_fail(KV_IO, "%s: cannot be written (%s)", path, strerror(errno));
}

// ---- parsing ----------------------------------------------------------------

// Cuts the line at its TABs; *count is how many cells there are, of which at
// most `room` were kept.
static void cut_line(char *line, char **cells, size_t room, size_t *count)
{
    *count = 0;
    for (;;) {
        if (*count < room) cells[*count] = line;
        (*count)++;
        char *tab = strchr(line, '\t');
        if (tab == NULL) return;
        *tab = '\0';
        line = tab + 1;
    }
}

static size_t count_byte(const char *text, char byte)
{
    size_t count = 0;
    for (; *text != '\0'; text++) count += *text == byte;
    return count;
}

static kv_status parse_lines(cmp_sheet *t)
{
    char *line = t->text;
    for (size_t number = 1; *line != '\0'; number++) {
        char *end = strchr(line, '\n');
        if (end == NULL) {
            return kv_fail(KV_INVALID,
                           "%s line %zu: ends without a newline, "
                           "so the file was cut short",
                           t->name, number);
        }
        *end = '\0';
        if (number == 1) {
            t->columns = count_byte(line, '\t') + 1;
            size_t lines = count_byte(end + 1, '\n') + 1;
            t->cells = kv_zalloc(lines * t->columns * sizeof *t->cells);
        }
        size_t count = 0;
        cut_line(line, t->cells + (number - 1) * t->columns, t->columns,
                 &count);
        if (count != t->columns) { // T1
            return kv_fail(KV_INVALID,
                           "%s line %zu: %zu cells, and the header "
                           "has %zu",
                           t->name, number, count, t->columns);
        }
        t->rows = number - 1;
        line = end + 1;
    }
    return KV_OK;
}

kv_status cmp_sheet_parse(const char *name, kv_slice text, cmp_sheet *out)
{
    cmp_sheet t = {.name = kv_strdup(name)};
    kv_status st = KV_OK;
    if (text.len == 0) {
        st = kv_fail(KV_INVALID,
                     "%s line 1: the file is empty, not even a "
                     "header",
                     name);
    } else if (memchr(text.data, 0, text.len) != NULL) {
        st = kv_fail(KV_INVALID, "%s: has a NUL byte; this is no text", name);
    } else {
        t.text = kv_alloc(text.len + 1);
        memcpy(t.text, text.data, text.len);
        t.text[text.len] = '\0';
        st = parse_lines(&t);
    }
    if (st == KV_OK) {
        *out = t;
    } else {
        cmp_sheet_free(&t);
    }
    return st;
}

// True if the sheet's first columns are the words of `header`.
static bool has_header(const cmp_sheet *t, const char *header)
{
    for (size_t column = 0; *header != '\0'; column++) {
        size_t len = strcspn(header, " ");
        if (column == t->columns) return false;
        const char *name = cmp_sheet_column(t, column);
        if (strlen(name) != len || memcmp(name, header, len) != 0) return false;
        header += len;
        header += strspn(header, " ");
    }
    return true;
}

kv_status cmp_sheet_read(const char *path, const char *header, cmp_sheet *out)
{
    kv_buf text = {0};
    cmp_sheet t = {0};
    kv_status st = cmp_file_read(path, &text);
    if (st == KV_OK) st = cmp_sheet_parse(path, kv_buf_slice(&text), &t);
    kv_buf_free(&text);
    if (st == KV_OK && header != NULL && !has_header(&t, header)) {
        st = kv_fail(KV_INVALID, "%s line 1: the columns should be: %s", path,
                     header);
    }
    if (st == KV_OK) {
        *out = t;
    } else {
        cmp_sheet_free(&t);
    }
    return st;
}

void cmp_sheet_free(cmp_sheet *t)
{
    kv_free(t->name);
    kv_free(t->text);
    kv_free(t->cells);
    *t = (cmp_sheet){0};
}

// ---- cells ------------------------------------------------------------------

const char *cmp_sheet_column(const cmp_sheet *t, size_t column)
{
    assert(column < t->columns);
    return t->cells[column];
}

const char *cmp_sheet_cell(const cmp_sheet *t, size_t row, size_t column)
{
    assert(row < t->rows && column < t->columns);
    return t->cells[(row + 1) * t->columns + column];
}

kv_status cmp_sheet_number(const cmp_sheet *t, size_t row, size_t column,
                           double *out)
{
    const char *cell = cmp_sheet_cell(t, row, column);
    if (strcmp(cell, "NA") == 0) {
        *out = NAN;
        return KV_OK;
    }
    char *end = NULL;
    double number = strtod(cell, &end);
    if (end == cell || *end != '\0' || !isfinite(number)) {
        kv_quoted q;
        return kv_fail(
            KV_INVALID, "%s line %zu: %s is '%s', which is no number", t->name,
            row + 2, cmp_sheet_column(t, column), kv_quote(&q, kv_str(cell)));
    }
    *out = number;
    return KV_OK;
}
