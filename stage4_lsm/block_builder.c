// block_builder.c -- entries become a data block; see block.h.
// SPDX-License-Identifier: MIT

#include <assert.h>

#include "common/coding.h"
#include "common/mem.h"

#include "block.h"

enum { PLACES_FIRST = 64 };

void lsm_block_begin(lsm_block_builder *b, uint64_t base_seq)
{
    kv_buf_clear(&b->bytes);
    b->base_seq = base_seq;
    b->count = 0;
}

static void grow(lsm_block_builder *b)
{
    b->cap = b->cap > 0 ? 2 * b->cap : PLACES_FIRST;
    b->places = kv_realloc(b->places, b->cap * sizeof *b->places);
    b->tags = kv_realloc(b->tags, b->cap);
}

// How many bytes the key has in common with its restart point's. They can only
// get fewer (B2), and mostly are as many as for the key before.
static size_t find_shared(const lsm_block_builder *b, kv_slice key)
{
    const uint8_t *restart = b->restart_key.data;
    size_t limit = b->shared < key.len ? b->shared : key.len;
    if (memcmp(restart, key.data, limit) == 0) return limit;
    size_t same = 0;
    while (restart[same] == key.data[same]) same++;
    return same;
}

void lsm_block_add(lsm_block_builder *b, const lsm_entry *entry, uint64_t hash)
{
    assert(b->count < LSM_BLOCK_ENTRIES_MAX && entry->seq >= b->base_seq);
    kv_slice key = entry->key;
    size_t shared = 0;
    if (b->count % LSM_RESTART_INTERVAL == 0) {
        kv_buf_set(&b->restart_key, key);
        b->shared = key.len;
    } else {
        shared = b->shared = find_shared(b, key);
    }
    if (b->count == b->cap) grow(b);
    b->places[b->count] = (uint32_t)b->bytes.len;
    b->tags[b->count++] = lsm_block_tag(hash);

    kv_buf_reserve(&b->bytes, 3 * KV_VARINT_MAX + key.len + entry->value.len);
    uint8_t *to = b->bytes.data + b->bytes.len;
    to += kv_put_varint(to, shared);
    to += kv_put_varint(to, key.len - shared);
    to += kv_put_varint(to, (entry->seq - b->base_seq) * LSM_KINDS +
                                (uint64_t)entry->kind);
    memcpy(to, key.data + shared, key.len - shared);
    to += key.len - shared;
    if (entry->value.len > 0) memcpy(to, entry->value.data, entry->value.len);
    to += entry->value.len;
    b->bytes.len = (size_t)(to - b->bytes.data);
}

static bool is_wide(const lsm_block_builder *b)
{
    return b->count > 0 && b->places[b->count - 1] > UINT16_MAX;
}

size_t lsm_block_bytes(const lsm_block_builder *b)
{
    return b->bytes.len + b->count * (is_wide(b) ? 5u : 3u) +
           LSM_BLOCK_TAIL_BYTES;
}

kv_slice lsm_block_finish(lsm_block_builder *b)
{
    assert(b->count > 0); // B3
    bool wide = is_wide(b);
    kv_buf_reserve(&b->bytes, b->count * 5 + LSM_BLOCK_TAIL_BYTES);
    uint8_t *to = b->bytes.data + b->bytes.len;
    memcpy(to, b->tags, b->count);
    to += b->count;
    for (uint32_t i = 0; i < b->count; i++) {
        if (wide) {
            kv_put_u32(to, b->places[i]);
        } else {
            kv_put_u16(to, (uint16_t)b->places[i]);
        }
        to += wide ? 4 : 2;
    }
    kv_put_u64(to, b->base_seq);
    kv_put_u16(to + 8, (uint16_t)b->count);
    to[10] = LSM_RESTART_INTERVAL;
    to[11] = wide ? 4 : 2;
    to += LSM_BLOCK_TAIL_BYTES;
    b->bytes.len = (size_t)(to - b->bytes.data);
    return kv_buf_slice(&b->bytes);
}

void lsm_block_builder_free(lsm_block_builder *b)
{
    kv_buf_free(&b->bytes);
    kv_buf_free(&b->restart_key);
    kv_free(b->places);
    kv_free(b->tags);
    *b = (lsm_block_builder){0};
}
