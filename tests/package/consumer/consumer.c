// consumer.c -- a program of somebody else's that uses two of the engines.
// SPDX-License-Identifier: MIT

#include <stdio.h>

#include "common/engine.h"

#include "hash.h"
#include "log.h"

static kv_status meow(const kv_engine *engine, const char *path)
{
    kv *db = NULL;
    kv_buf value = {0};
    kv_options options = {.path = path, .create = true};
    kv_status st = kv_open(engine, &options, &db);
    if (st == KV_OK) st = kv_put(db, kv_str("cat"), kv_str("meow"));
    if (st == KV_OK) st = kv_get(db, kv_str("cat"), &value);
    if (st == KV_OK && !kv_slice_equal(kv_buf_slice(&value), kv_str("meow"))) {
        st = kv_fail(KV_CORRUPT, "the cat says something else");
    }
    if (st != KV_OK) fprintf(stderr, "%s\n", kv_last_error());
    kv_buf_free(&value);
    kv_status closed = kv_close(db);
    return st != KV_OK ? st : closed;
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    if (meow(&hash_engine, NULL) != KV_OK) return 1;
    return meow(&log_engine, argv[1]) != KV_OK;
}
