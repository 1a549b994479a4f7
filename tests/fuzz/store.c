// store.c -- a whole store with one of its files replaced, for every durable
// engine there is: its segments, hints, manifests, and its xray.
// SPDX-License-Identifier: MIT
//
//   input:  which store | which file | the file's new bytes
//
// Whatever the bytes are: opening refuses or succeeds, and what is then read
// for a key is a value that was once put under that key, never anything else.

#include <stdio.h>
#include <stdlib.h>

#include "common/disk_sim.h"
#include "common/mem.h"

#include "tests/fuzz/targets.h"
#include "tests/support/test.h"

enum { STORES_MAX = 16, KEYS = 6, ROUNDS = 4 };

typedef struct image { // of a store that was closed
    const kv_engine *engine;
    const char *knobs;
    kv_names names;
    kv_buf *files;
} image;

static image images[STORES_MAX];
static size_t image_count;

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "broken: %s (last error: %s)\n", what, kv_last_error());
    abort();
}

// "key3 was put in round 2", or in any other.
static void make_value(char to[64], int key, int round)
{
    snprintf(to, 64, "key%d was put in round %d", key, round);
}

static void fill(kv *db)
{
    char key[24], value[64];
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < KEYS; i++) {
            snprintf(key, sizeof key, "key%d", i);
            make_value(value, i, round);
            bool is_del = i == 4 && round == 2;
            must((is_del ? kv_del(db, kv_str(key))
                         : kv_put(db, kv_str(key), kv_str(value))) == KV_OK,
                 "a write");
        }
    }
}

static void read_files(kv_disk *disk, image *to)
{
    must(kv_disk_list(disk, &to->names) == KV_OK, "a list");
    to->files = kv_zalloc((to->names.count + 1) * sizeof *to->files);
    for (size_t i = 0; i < to->names.count; i++) {
        kv_file *file = NULL;
        uint64_t size = 0;
        kv_why why = kv_for(KV_FOR_READ);
        must(kv_file_open(disk, to->names.name[i], (kv_open_how){0}, why,
                          &file) == KV_OK &&
                 kv_file_size(file, &size) == KV_OK,
             "a file");
        kv_buf_reserve(&to->files[i], (size_t)size + 1);
        must(kv_file_read_all(file, 0, to->files[i].data, (size_t)size, why) ==
                 KV_OK,
             "its bytes");
        to->files[i].len = (size_t)size;
        kv_file_close(file);
    }
}

static kv_options options_of(const image *im, kv_disk *disk)
{
    return (kv_options){.path = "store",
                        .knobs = im->knobs,
                        .disk = disk,
                        .sync = KV_SYNC_NONE,
                        .memory_bytes = 1 << 20,
                        .seed = 1,
                        .create = true};
}

static void make_image(const kv_engine *engine, const char *knobs)
{
    if (image_count == STORES_MAX) return;
    image *im = &images[image_count];
    *im = (image){.engine = engine, .knobs = knobs};
    kv_disk *disk = NULL;
    kv *db = NULL;
    must(kv_disk_open_sim(&(kv_sim_options){0}, &disk) == KV_OK, "a disk");
    kv_options options = options_of(im, disk);
    if (kv_open(engine, &options, &db) == KV_OK) { // else it has no such knob
        fill(db);
        must(kv_close(db) == KV_OK, "a close");
        read_files(disk, im);
        image_count++;
    }
    kv_disk_close(disk);
}

static void make_images(void)
{
    static const char *const settings[] = {
        "background=0", "background=0,format=text",
        "background=0,segment_bytes=4KiB", "background=0,hints=off",
        "background=0,index=off"};
    if (image_count > 0) return;
    for (size_t i = 0; kv_all_engines[i] != NULL; i++) {
        if (!(kv_describe(kv_all_engines[i])->caps & KV_CAP_DURABLE)) continue;
        for (size_t j = 0; j < sizeof settings / sizeof settings[0]; j++) {
            make_image(kv_all_engines[i], settings[j]);
        }
    }
    must(image_count > 0, "a durable engine");
}

static void put_file(kv_disk *disk, const char *name, kv_slice bytes)
{
    kv_file *file = NULL;
    kv_why why = kv_for(KV_FOR_DATA);
    must(kv_file_open(disk, name, (kv_open_how){.mode = KV_OPEN_CREATE}, why,
                      &file) == KV_OK &&
             kv_file_write(file, 0, bytes, why) == KV_OK,
         "a file in memory");
    kv_file_close(file);
}

static bool was_put(kv_slice key, kv_slice value)
{
    char name[24], text[64];
    for (int i = 0; i < KEYS; i++) {
        snprintf(name, sizeof name, "key%d", i);
        if (!kv_slice_equal(key, kv_str(name))) continue;
        for (int round = 0; round < ROUNDS; round++) {
            make_value(text, i, round);
            if (kv_slice_equal(value, kv_str(text))) return true;
        }
    }
    return false;
}

static void look_at(kv *db)
{
    char key[24];
    kv_buf value = {0};
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "key%d", i);
        if (kv_get(db, kv_str(key), &value) == KV_OK) {
            must(was_put(kv_str(key), kv_buf_slice(&value)), "a value's bytes");
        }
    }
    kv_cursor *cursor = NULL;
    if (kv_scan(db, (kv_range){0}, &cursor) == KV_OK) {
        kv_slice k, v;
        while (kv_cursor_next(cursor, &k, &v) == KV_OK) {
            must(was_put(k, v), "an entry's bytes");
        }
        kv_cursor_close(cursor);
    }
    kv_report report = {0};
    (void)!kv_check(db, &report);
    (void)!kv_settle(db);
    (void)!kv_put(db, kv_str("key0"), kv_str("key0 was put in round 0"));
    kv_report_free(&report);
    kv_buf_free(&value);
}

void fuzz_store_run(kv_slice input)
{
    make_images();
    if (input.len < 2) return;
    const image *im = &images[input.data[0] % image_count];
    size_t which = input.data[1] % im->names.count;
    kv_slice bytes = kv_slice_of(input.data + 2, input.len - 2);
    kv_disk *disk = NULL;
    must(kv_disk_open_sim(&(kv_sim_options){0}, &disk) == KV_OK, "a disk");
    for (size_t i = 0; i < im->names.count; i++) {
        put_file(disk, im->names.name[i],
                 i == which ? bytes : kv_buf_slice(&im->files[i]));
    }
    kv_xray xray = {.limit = UINT64_MAX};
    (void)!kv_xray_file(im->engine, disk, im->names.name[which], &xray);
    kv_buf_free(&xray.text);
    kv_options options = options_of(im, disk);
    kv *db = NULL;
    if (kv_open(im->engine, &options, &db) == KV_OK) {
        look_at(db);
        (void)kv_close(db);
    }
    kv_disk_close(disk);
}

// Each file of each store, as it was.
bool fuzz_store_seed(unsigned n, kv_buf *to)
{
    make_images();
    for (size_t i = 0; i < image_count; i++) {
        if (n < images[i].names.count) {
            uint8_t head[2] = {(uint8_t)i, (uint8_t)n};
            kv_buf_append(to, kv_slice_of(head, 2));
            kv_buf_append(to, kv_buf_slice(&images[i].files[n]));
            return true;
        }
        n -= (unsigned)images[i].names.count;
    }
    return false;
}
