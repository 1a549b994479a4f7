// test_report_records.c -- reads records on standard input: each line has a
// key and a value in the escaping of kv_escape, no key comes twice in a row,
// and escaping what was read gives the line again. Prints how many there are.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>

#include "common/bytes.h"

static bool same_again(kv_slice text)
{
    kv_buf bytes = {0}, again = {0};
    bool same = kv_unescape(&bytes, text) == KV_OK;
    if (same) {
        kv_escape(&again, kv_buf_slice(&bytes));
        same = kv_slice_equal(kv_buf_slice(&again), text);
    }
    kv_buf_free(&bytes);
    kv_buf_free(&again);
    return same;
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0, count = 0;
    ssize_t len = 0;
    while ((len = getline(&line, &cap, stdin)) > 0) {
        char *tab = memchr(line, '\t', (size_t)len);
        count++;
        if (tab == NULL || tab == line || line[len - 1] != '\n' ||
            !same_again(kv_slice_of(line, (size_t)(tab - line))) ||
            !same_again(
                kv_slice_of(tab + 1, (size_t)(line + len - 1 - (tab + 1))))) {
            fprintf(stderr, "line %zu is no record: %s", count, line);
            return 1;
        }
    }
    free(line);
    printf("%zu\n", count);
    return 0;
}
