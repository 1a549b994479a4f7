// shop.h -- a store of this stage in a directory of its own, for its tests.
// SPDX-License-Identifier: MIT

#ifndef TESTS_STAGE2_LOG_SHOP_H
#define TESTS_STAGE2_LOG_SHOP_H

#include <string.h>

#include "log.h"
#include "store.h"
#include "tests/support/test.h"

typedef struct shop {
    char *path;
    const char *knobs;
    kv_sync_mode sync;
    kv *db; // NULL: closed
} shop;

// A new directory; not opened yet.
shop shop_new(const char *knobs);
void shop_open(shop *s);
void shop_close(shop *s);
void shop_free(shop *s); // closes it, too

// Ends as a killed process would: nothing is sealed, and no hint written. The
// store's memory is given back.
void shop_kill(shop *s);

void shop_put(shop *s, const char *key, const char *value);
void shop_del(shop *s, const char *key);
// NULL: the key must not be there.
void shop_expect(shop *s, const char *key, const char *value);
// Writes "key 1" .. with values of `bytes` bytes that name key and `round`.
void shop_fill(shop *s, unsigned count, unsigned bytes, unsigned round);
void shop_expect_fill(shop *s, unsigned count, unsigned bytes, unsigned round);
// kv_check says yes, a scan yields `count` keys, and the index has as many.
void shop_expect_sound(shop *s, unsigned count);

// The full name of a file of the store, valid until the next call.
const char *shop_file(const shop *s, const char *name);
bool shop_has(const shop *s, const char *name);
unsigned shop_count_files(const shop *s, const char *ending);
void shop_flip(const shop *s, const char *name, size_t offset);
void shop_cut(const shop *s, const char *name, size_t size);
size_t shop_size(const shop *s, const char *name);
// Without the zeroes at its end, which a log reserved.
size_t shop_written(const shop *s, const char *name);

static inline log_store *shop_store(const shop *s)
{
    return log_store_of(s->db);
}

#endif
