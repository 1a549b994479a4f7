// test.c -- see test.h.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include "tests/support/test.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

const kv_engine *test_engine(const char *name)
{
    for (size_t i = 0; kv_all_engines[i] != NULL; i++) {
        const kv_engine *engine = kv_all_engines[i];
        if (strcmp(kv_describe(engine)->name, name) == 0) return engine;
    }
    return NULL;
}

char *test_make_dir(void)
{
    const char *base = getenv("TMPDIR");
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/stagecoach-XXXXXX%c", base ? base : "/tmp", '\0');
    assert_non_null(mkdtemp((char *)path.data));
    return (char *)path.data;
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL) {
        unlink(path);
        return;
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        kv_buf child = {0};
        kv_buf_printf(&child, "%s/%s%c", path, e->d_name, '\0');
        remove_tree((const char *)child.data);
        kv_buf_free(&child);
    }
    closedir(dir);
    rmdir(path);
}

void test_remove_dir(char *path)
{
    remove_tree(path);
    kv_free(path); // a kv_buf made it
}

void test_status(kv_status got, kv_status want, const char *call,
                 const char *file, int line)
{
    if (got == want) return;
    print_error("%s\n  is %s, not %s; last error: %s\n", call,
                kv_status_name(got), kv_status_name(want), kv_last_error());
    _fail(file, line);
}

void test_slice(kv_slice got, const char *want, const char *file, int line)
{
    if (kv_slice_equal(got, kv_str(want))) return;
    kv_quoted q;
    print_error("got \"%s\"\n  not \"%s\"\n", kv_quote(&q, got), want);
    _fail(file, line);
}

void test_figure(const char *goal, const char *of, const char *what,
                 uint64_t figure)
{
    const char *path = getenv("KV_FIGURES");
    printf("%s\t%s\t%s\t%" PRIu64 "\n", goal, of, what, figure);
    if (path == NULL || *path == '\0') return;
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    fprintf(f, "%s\t%s\t%s\t%" PRIu64 "\n", goal, of, what, figure);
    assert_int_equal(fclose(f), 0);
}

kv_buf test_read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    kv_buf bytes = {0};
    for (size_t got = 1; got > 0; bytes.len += got) {
        kv_buf_reserve(&bytes, 1 << 16);
        got = fread(bytes.data + bytes.len, 1, 1 << 16, f);
    }
    fclose(f);
    return bytes;
}

void test_write_file(const char *path, kv_slice bytes)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
    assert_int_equal(fclose(f), 0);
}
