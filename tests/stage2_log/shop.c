// shop.c -- see shop.h.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include "shop.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

shop shop_new(const char *knobs)
{
    return (shop){
        .path = test_make_dir(), .knobs = knobs, .sync = KV_SYNC_NONE};
}

void shop_open(shop *s)
{
    kv_options options = {
        .path = s->path, .knobs = s->knobs, .create = true, .sync = s->sync};
    assert_ok(kv_open(&log_engine, &options, &s->db));
}

void shop_close(shop *s)
{
    kv *db = s->db;
    s->db = NULL;
    assert_ok(kv_close(db));
}

void shop_kill(shop *s)
{
    atomic_store(&shop_store(s)->is_failed, true);
    shop_close(s);
}

void shop_free(shop *s)
{
    shop_close(s);
    test_remove_dir(s->path);
}

void shop_put(shop *s, const char *key, const char *value)
{
    assert_ok(kv_put(s->db, kv_str(key), kv_str(value)));
}

void shop_del(shop *s, const char *key)
{
    assert_ok(kv_del(s->db, kv_str(key)));
}

void shop_expect(shop *s, const char *key, const char *value)
{
    kv_buf got = {0};
    if (value == NULL) {
        assert_status(kv_get(s->db, kv_str(key), &got), KV_NOT_FOUND);
    } else {
        assert_ok(kv_get(s->db, kv_str(key), &got));
        assert_slice(kv_buf_slice(&got), value);
    }
    kv_buf_free(&got);
}

static void entry_of(unsigned i, unsigned bytes, unsigned round, char key[16],
                     kv_buf *value)
{
    snprintf(key, 16, "key %u", i);
    kv_buf_clear(value);
    kv_buf_printf(value, "%s of round %u ", key, round);
    while (value->len < bytes) kv_buf_append(value, kv_str("."));
}

void shop_fill(shop *s, unsigned count, unsigned bytes, unsigned round)
{
    char key[16];
    kv_buf value = {0};
    for (unsigned i = 1; i <= count; i++) {
        entry_of(i, bytes, round, key, &value);
        assert_ok(kv_put(s->db, kv_str(key), kv_buf_slice(&value)));
    }
    kv_buf_free(&value);
}

void shop_expect_fill(shop *s, unsigned count, unsigned bytes, unsigned round)
{
    char key[16];
    kv_buf value = {0}, got = {0};
    for (unsigned i = 1; i <= count; i++) {
        entry_of(i, bytes, round, key, &value);
        assert_ok(kv_get(s->db, kv_str(key), &got));
        assert_true(kv_slice_equal(kv_buf_slice(&got), kv_buf_slice(&value)));
    }
    kv_buf_free(&value);
    kv_buf_free(&got);
}

void shop_expect_sound(shop *s, unsigned count)
{
    kv_report report = {0};
    assert_ok(kv_check(s->db, &report));
    kv_report_free(&report);
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    unsigned seen = 0;
    assert_ok(kv_scan(s->db, (kv_range){0}, &cursor));
    kv_status st;
    while ((st = kv_cursor_next(cursor, &key, &value)) == KV_OK) seen++;
    assert_status(st, KV_END);
    kv_cursor_close(cursor);
    assert_int_equal(seen, count);
    kv_stats stats;
    kv_stats_read(s->db, &stats);
    if (shop_store(s)->finder.index != NULL) {
        assert_int_equal(stats.key_count, count);
    }
}

const char *shop_file(const shop *s, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", s->path, name);
    return path;
}

bool shop_has(const shop *s, const char *name)
{
    return access(shop_file(s, name), F_OK) == 0;
}

unsigned shop_count_files(const shop *s, const char *ending)
{
    unsigned count = 0;
    DIR *dir = opendir(s->path);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        size_t len = strlen(e->d_name), want = strlen(ending);
        count += len >= want && strcmp(e->d_name + len - want, ending) == 0;
    }
    closedir(dir);
    return count;
}

void shop_flip(const shop *s, const char *name, size_t offset)
{
    kv_buf bytes = test_read_file(shop_file(s, name));
    assert_true(offset < bytes.len);
    bytes.data[offset] ^= 0x10;
    test_write_file(shop_file(s, name), kv_buf_slice(&bytes));
    kv_buf_free(&bytes);
}

void shop_cut(const shop *s, const char *name, size_t size)
{
    assert_int_equal(truncate(shop_file(s, name), (off_t)size), 0);
}

size_t shop_written(const shop *s, const char *name)
{
    kv_buf bytes = test_read_file(shop_file(s, name));
    size_t size = bytes.len;
    while (size > 0 && bytes.data[size - 1] == 0) size--;
    kv_buf_free(&bytes);
    return size;
}

size_t shop_size(const shop *s, const char *name)
{
    kv_buf bytes = test_read_file(shop_file(s, name));
    size_t size = bytes.len;
    kv_buf_free(&bytes);
    return size;
}
