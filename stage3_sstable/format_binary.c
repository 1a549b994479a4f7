// format_binary.c -- format=binary: see format.h.
// SPDX-License-Identifier: MIT

#include "common/coding.h"

#include "format.h"

static const char header_magic[8] = {'S', 'C', 'S', 'E', 'G', 'M', '\r', '\n'};
static const char footer_magic[8] = {'S', 'C', 'S', 'E', 'N', 'D', '\r', '\n'};

enum {
    HEADER_BYTES = 36,
    FOOTER_BYTES = 44,
    CHECK_BYTES = 4,
};

static void put_header(kv_buf *to, const sst_segment_id *id)
{
    uint8_t header[HEADER_BYTES] = {0};
    memcpy(header, header_magic, 8);
    kv_put_u16(header + 8, SST_FORMAT_MAJOR);
    kv_put_u16(header + 10, SST_FORMAT_MINOR);
    kv_put_u64(header + 16, id->store_id);
    kv_put_u64(header + 24, id->number);
    kv_put_u32(header + 32, kv_crc32c(0, kv_slice_of(header, 32)));
    kv_buf_append(to, kv_slice_of(header, HEADER_BYTES));
}

static size_t get_header(kv_slice from, sst_segment_id *id)
{
    const uint8_t *h = from.data;
    if (from.len < HEADER_BYTES || memcmp(h, header_magic, 8) != 0) return 0;
    if (kv_get_u32(h + 32) != kv_crc32c(0, kv_slice_of(h, 32))) return 0;
    if (kv_get_u16(h + 8) != SST_FORMAT_MAJOR) return 0;
    id->store_id = kv_get_u64(h + 16);
    id->number = kv_get_u64(h + 24);
    return HEADER_BYTES;
}

static void put_varint(kv_buf *to, uint64_t n)
{
    kv_buf_reserve(to, KV_VARINT_MAX);
    to->len += kv_put_varint(to->data + to->len, n);
}

static void put_entry(kv_buf *to, const sst_entry *entry)
{
    kv_buf_reserve(to, 2 * KV_VARINT_MAX + entry->key.len + entry->value.len);
    put_varint(to, entry->key.len);
    put_varint(to, entry->is_tombstone ? 1 : (uint64_t)entry->value.len * 2);
    kv_buf_append(to, entry->key);
    kv_buf_append(to, entry->value);
}

// A slice of `len` bytes behind *at; false if they are not there.
static bool take(kv_slice from, size_t *at, uint64_t len, kv_slice *out)
{
    if (len > from.len - *at) return false;
    *out = kv_slice_of(from.data + *at, (size_t)len);
    *at += (size_t)len;
    return true;
}

static bool take_varint(kv_slice from, size_t *at, uint64_t *n)
{
    size_t size =
        kv_get_varint(kv_slice_of(from.data + *at, from.len - *at), n);
    *at += size;
    return size > 0;
}

static size_t get_entry(kv_slice from, kv_buf *room, sst_entry *entry)
{
    (void)room;
    size_t at = 0;
    uint64_t key_len, coded_len;
    if (!take_varint(from, &at, &key_len) || key_len == 0) return 0;
    if (!take_varint(from, &at, &coded_len)) return 0;
    entry->is_tombstone = coded_len == 1;
    if ((coded_len & 1) != 0 && coded_len != 1) return 0;
    if (!take(from, &at, key_len, &entry->key)) return 0;
    if (!take(from, &at, coded_len / 2, &entry->value)) return 0;
    return at;
}

static void put_check(kv_buf *to, uint32_t crc)
{
    uint8_t bytes[CHECK_BYTES];
    kv_put_u32(bytes, crc);
    kv_buf_append(to, kv_slice_of(bytes, CHECK_BYTES));
}

static size_t get_check(kv_slice from, uint32_t *crc)
{
    *crc = kv_get_u32(from.data);
    return CHECK_BYTES;
}

static void put_last_key(kv_buf *to, kv_slice key)
{
    put_varint(to, key.len);
    kv_buf_append(to, key);
}

static size_t get_last_key(kv_slice from, kv_buf *room, kv_slice *key)
{
    (void)room;
    size_t at = 0;
    uint64_t len;
    if (!take_varint(from, &at, &len) || len == 0) return 0;
    return take(from, &at, len, key) ? at : 0;
}

static void put_index_entry(kv_buf *to, const sst_index_entry *entry)
{
    put_varint(to, entry->size);
    put_last_key(to, entry->first_key);
}

static size_t get_index_entry(kv_slice from, kv_buf *room,
                              sst_index_entry *entry)
{
    size_t at = 0;
    if (!take_varint(from, &at, &entry->size)) return 0;
    size_t size = get_last_key(kv_slice_of(from.data + at, from.len - at), room,
                               &entry->first_key);
    return size > 0 ? at + size : 0;
}

static void put_footer(kv_buf *to, const sst_footer *footer, uint32_t seed)
{
    uint8_t bytes[FOOTER_BYTES];
    kv_put_u64(bytes, footer->index_offset);
    kv_put_u64(bytes + 8, footer->index_size);
    kv_put_u64(bytes + 16, footer->entry_count);
    kv_put_u64(bytes + 24, footer->tombstone_count);
    kv_put_u32(bytes + 32, kv_crc32c(seed, kv_slice_of(bytes, 32)));
    memcpy(bytes + 36, footer_magic, 8);
    kv_buf_append(to, kv_slice_of(bytes, FOOTER_BYTES));
}

static size_t get_footer(kv_slice from, sst_footer *footer, uint32_t seed)
{
    const uint8_t *f = from.data;
    if (from.len < FOOTER_BYTES) return 0;
    if (memcmp(f + 36, footer_magic, 8) != 0) return 0;
    if (kv_get_u32(f + 32) != kv_crc32c(seed, kv_slice_of(f, 32))) return 0;
    footer->index_offset = kv_get_u64(f);
    footer->index_size = kv_get_u64(f + 8);
    footer->entry_count = kv_get_u64(f + 16);
    footer->tombstone_count = kv_get_u64(f + 24);
    return FOOTER_BYTES;
}

const sst_codec sst_codec_binary = {
    .footer_bytes = FOOTER_BYTES,
    .check_bytes = CHECK_BYTES,
    .put_header = put_header,
    .get_header = get_header,
    .put_entry = put_entry,
    .get_entry = get_entry,
    .put_check = put_check,
    .get_check = get_check,
    .put_index_entry = put_index_entry,
    .get_index_entry = get_index_entry,
    .put_last_key = put_last_key,
    .get_last_key = get_last_key,
    .put_footer = put_footer,
    .get_footer = get_footer,
};
