// block_builder.c -- entries become a data block; see block.h.
// SPDX-License-Identifier: MIT

#include <assert.h>

#include "common/coding.h"
#include "common/mem.h"

#include "block.h"

enum { OFFSETS_FIRST = 64 };

void lsm_block_begin(lsm_block_builder *b, uint64_t base_seq)
{
    kv_buf_clear(&b->bytes);
    b->base_seq = base_seq;
    b->count = 0;
}

static void grow(lsm_block_builder *b)
{
    b->cap = b->cap > 0 ? 2 * b->cap : OFFSETS_FIRST;
    b->offsets = kv_realloc(b->offsets, b->cap * sizeof *b->offsets);
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

// Of a block of so many entries, which together take so many bytes.
static size_t size_of(size_t bytes, uint32_t count)
{
    size_t per_place = bytes > UINT16_MAX ? 4 : 2;
    return bytes + count * (1 + per_place) + LSM_BLOCK_TAIL_BYTES;
}

size_t lsm_block_bytes(const lsm_block_builder *b)
{
    return size_of(b->bytes.len, b->count);
}

bool lsm_block_add(lsm_block_builder *b, const lsm_entry *entry, uint64_t hash,
                   size_t limit)
{
    assert(entry->seq >= b->base_seq);
    kv_slice key = entry->key, value = entry->value;
    bool is_restart = b->count % LSM_RESTART_INTERVAL == 0;
    size_t shared = is_restart ? 0 : find_shared(b, key);
    size_t own = key.len - shared;
    uint8_t head[3 * KV_VARINT_MAX];
    size_t len = kv_put_varint(head, shared);
    len += kv_put_varint(head + len, own);
    len += kv_put_varint(head + len, (entry->seq - b->base_seq) * LSM_KINDS +
                                         (uint64_t)entry->kind);
    size_t size = len + own + value.len;
    if (b->count == LSM_BLOCK_ENTRIES_MAX ||
        (b->count > 0 && size_of(b->bytes.len + size, b->count + 1) > limit)) {
        return false;
    }
    b->shared = is_restart ? key.len : shared;
    if (is_restart) kv_buf_set(&b->restart_key, key);
    if (b->count == b->cap) grow(b);
    b->offsets[b->count] = (uint32_t)b->bytes.len;
    b->tags[b->count++] = lsm_block_tag(hash);

    if (b->bytes.cap - b->bytes.len < size) kv_buf_reserve(&b->bytes, size);
    uint8_t *to = b->bytes.data + b->bytes.len;
    memcpy(to, head, len);
    memcpy(to + len, key.data + shared, own);
    if (value.len > 0) memcpy(to + len + own, value.data, value.len);
    b->bytes.len += size;
    return true;
}

kv_slice lsm_block_finish(lsm_block_builder *b, size_t fill)
{
    assert(b->count > 0); // B3
    size_t entries = b->bytes.len;
    uint8_t place_bytes = entries > UINT16_MAX ? 4 : 2;
    kv_buf_reserve(&b->bytes, size_of(0, b->count) * 2 + fill);
    if (fill > 0) {
        memmove(b->bytes.data + fill, b->bytes.data, entries);
        memset(b->bytes.data, 0, fill);
    }
    uint8_t *to = b->bytes.data + fill + entries;
    memcpy(to, b->tags, b->count);
    to += b->count;
    for (uint32_t i = 0; i < b->count; i++) {
        size_t place = entries - b->offsets[i];
        if (place_bytes == 4) {
            kv_put_u32(to, (uint32_t)place);
        } else {
            kv_put_u16(to, (uint16_t)place);
        }
        to += place_bytes;
    }
    kv_put_u64(to, b->base_seq);
    kv_put_u16(to + 8, (uint16_t)b->count);
    to[10] = LSM_RESTART_INTERVAL;
    to[11] = place_bytes;
    to += LSM_BLOCK_TAIL_BYTES;
    b->bytes.len = (size_t)(to - b->bytes.data);
    return kv_buf_slice(&b->bytes);
}

void lsm_block_builder_free(lsm_block_builder *b)
{
    kv_buf_free(&b->bytes);
    kv_buf_free(&b->restart_key);
    kv_free(b->offsets);
    kv_free(b->tags);
    *b = (lsm_block_builder){0};
}
