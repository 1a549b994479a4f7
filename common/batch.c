// batch.c -- see batch.h.
// SPDX-License-Identifier: MIT

#include "common/batch.h"

#include "common/mem.h"

// While a batch grows, `bytes` may move: each slice holds its length, and finds
// its data by the order in which keys and values were appended.
static void add(kv_batch *b, kv_change_kind kind, kv_slice key, kv_slice value)
{
    if (b->count == b->cap) {
        b->cap = b->cap > 0 ? b->cap * 2 : 16;
        b->changes = kv_realloc(b->changes, b->cap * sizeof *b->changes);
    }
    b->changes[b->count++] = (kv_change){
        .kind = kind, .key = {NULL, key.len}, .value = {NULL, value.len}};
    kv_buf_append(&b->bytes, key);
    kv_buf_append(&b->bytes, value);
}

void kv_batch_put(kv_batch *b, kv_slice key, kv_slice value)
{
    add(b, KV_PUT, key, value);
}

void kv_batch_del(kv_batch *b, kv_slice key)
{
    add(b, KV_DEL, key, (kv_slice){0});
}

void kv_batch_del_range(kv_batch *b, kv_slice from, kv_slice to)
{
    add(b, KV_DEL_RANGE, from, to);
}

const kv_change *kv_batch_changes(kv_batch *b, size_t *count)
{
    const uint8_t *at = b->bytes.data;
    for (size_t i = 0; i < b->count; i++) {
        kv_change *change = &b->changes[i];
        change->key.data = at;
        if (change->key.len > 0) at += change->key.len;
        change->value.data = at;
        if (change->value.len > 0) at += change->value.len;
    }
    *count = b->count;
    return b->changes;
}

void kv_batch_clear(kv_batch *b)
{
    b->count = 0;
    kv_buf_clear(&b->bytes);
}

void kv_batch_free(kv_batch *b)
{
    kv_free(b->changes);
    kv_buf_free(&b->bytes);
    *b = (kv_batch){0};
}
