// transcript.c -- see transcript.h.
// SPDX-License-Identifier: MIT

#define _XOPEN_SOURCE 700

#include "tests/scripts/transcript.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

// ---- lines ------------------------------------------------------------------

void text_lines_add(text_lines *to, text_line line)
{
    if (to->count == to->cap) {
        to->cap = to->cap > 0 ? to->cap * 2 : 16;
        to->line = kv_realloc(to->line, to->cap * sizeof to->line[0]);
    }
    to->line[to->count++] = line;
}

void text_lines_cut(text_lines *to, kv_buf *bytes)
{
    *to = (text_lines){.bytes = *bytes};
    *bytes = (kv_buf){0};
    if (to->bytes.len == 0) return;
    bool is_ended = to->bytes.data[to->bytes.len - 1] == '\n';
    kv_buf_append(&to->bytes, kv_slice_of("", is_ended ? 0 : 1));
    char *at = (char *)to->bytes.data, *end = at + to->bytes.len;
    for (int number = 1; at < end; number++) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL) stop = end - 1;
        *stop = '\0';
        text_lines_add(to, (text_line){at, number});
        at = stop + 1;
    }
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(((const text_line *)a)->text, ((const text_line *)b)->text);
}

void text_lines_sort(text_lines *lines)
{
    if (lines->count == 0) return;
    qsort(lines->line, lines->count, sizeof lines->line[0], compare_lines);
}

void text_lines_free(text_lines *lines)
{
    kv_free(lines->line);
    kv_buf_free(&lines->bytes);
    *lines = (text_lines){0};
}

// ---- comparing --------------------------------------------------------------

bool transcript_line_fits(const char *want, const char *got)
{
    const char *dots = strstr(want, "...");
    if (dots == NULL) return strcmp(want, got) == 0;
    size_t len = (size_t)(dots - want);
    if (strncmp(want, got, len) != 0) return false;
    for (const char *rest = got + len;; rest++) {
        if (transcript_line_fits(dots + 3, rest)) return true;
        if (*rest == '\0') return false;
    }
}

static bool fits_from(const text_lines *want, size_t w, const text_lines *got,
                      size_t g, size_t *deepest)
{
    if (w > *deepest) *deepest = w;
    if (w == want->count) return g == got->count;
    if (strcmp(want->line[w].text, "...") == 0) {
        for (; g <= got->count; g++) {
            if (fits_from(want, w + 1, got, g, deepest)) return true;
        }
        return false;
    }
    return g < got->count &&
           transcript_line_fits(want->line[w].text, got->line[g].text) &&
           fits_from(want, w + 1, got, g + 1, deepest);
}

int transcript_compare(const text_lines *want, const text_lines *got)
{
    size_t deepest = 0;
    return fits_from(want, 0, got, 0, &deepest) ? -1 : (int)deepest;
}

static void print_lines(const char *title, const text_lines *lines)
{
    fprintf(stderr, "  %s\n", title);
    for (size_t i = 0; i < lines->count; i++) {
        fprintf(stderr, "    | %s\n", lines->line[i].text);
    }
    if (lines->count == 0) fprintf(stderr, "    (nothing)\n");
}

void transcript_complain(const char *file, int line, const char *command,
                         const text_lines *want, const text_lines *got)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, command);
    print_lines("wanted", want);
    print_lines("got", got);
}

// ---- files ------------------------------------------------------------------

static void give_up(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(2);
}

kv_buf transcript_read(const char *path)
{
    kv_buf bytes = {0};
    FILE *file = fopen(path, "rb");
    if (file == NULL) give_up(path);
    for (size_t got = 1; got > 0; bytes.len += got) {
        kv_buf_reserve(&bytes, 1 << 16);
        got = fread(bytes.data + bytes.len, 1, 1 << 16, file);
    }
    if (ferror(file)) give_up(path);
    fclose(file);
    return bytes;
}

void transcript_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fputs(text, file) < 0) give_up(path);
    if (fclose(file) != 0) give_up(path);
}

char *transcript_make_dir(void)
{
    const char *base = getenv("TMPDIR");
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/stagecoach-XXXXXX%c", base ? base : "/tmp", '\0');
    if (mkdtemp((char *)path.data) == NULL) give_up((char *)path.data);
    return (char *)path.data;
}

static int remove_one(const char *path, const struct stat *about, int kind,
                      struct FTW *where)
{
    (void)about, (void)kind, (void)where;
    return remove(path);
}

void transcript_remove_dir(char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    kv_free(path);
}
