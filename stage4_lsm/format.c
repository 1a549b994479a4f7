// format.c -- a table's parts as bytes; see format.h.
// SPDX-License-Identifier: MIT

#include "format.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/coding.h"
#include "common/rng.h"

static const char magic[8] = {'S', 'C', 'T', 'A', 'B', 'L', '\r', '\n'};

lsm_name lsm_table_name(uint64_t number)
{
    lsm_name name;
    snprintf(name.text, sizeof name.text, "%06" PRIu64 ".sst", number);
    return name;
}

lsm_name lsm_table_temporary(uint64_t number)
{
    lsm_name name;
    snprintf(name.text, sizeof name.text, "%06" PRIu64 ".sst.tmp", number);
    return name;
}

// ---- seals ------------------------------------------------------------------

static uint32_t check_seed(const lsm_table_id *id, uint64_t offset)
{
    return (uint32_t)kv_mix64(kv_mix64(id->store_id ^ id->number) + offset);
}

void lsm_seal(kv_buf *to, size_t from, lsm_compression compression,
              const lsm_table_id *id, uint64_t offset)
{
    kv_buf_reserve(to, LSM_SEAL_BYTES);
    to->data[to->len++] = (uint8_t)compression;
    kv_slice part = kv_slice_of(to->data + from, to->len - from);
    kv_put_u32(to->data + to->len, kv_crc32c(check_seed(id, offset), part));
    to->len += 4;
}

bool lsm_unseal(kv_slice part, const lsm_table_id *id, uint64_t offset,
                lsm_compression *compression, kv_slice *payload)
{
    if (part.len < LSM_SEAL_BYTES) return false;
    kv_slice body = kv_slice_of(part.data, part.len - 4);
    uint32_t crc = kv_get_u32(part.data + body.len);
    if (kv_crc32c(check_seed(id, offset), body) != crc) return false;
    uint8_t kind = body.data[body.len - 1];
    if (kind >= LSM_COMPRESSIONS) return false;
    *compression = (lsm_compression)kind;
    *payload = kv_slice_of(part.data, part.len - LSM_SEAL_BYTES);
    return true;
}

void lsm_put_raw_size(uint8_t *to, size_t raw_size)
{
    kv_put_u32(to, (uint32_t)raw_size);
}

size_t lsm_get_raw_size(kv_slice payload)
{
    if (payload.len <= LSM_RAW_SIZE_BYTES) return 0;
    uint32_t size = kv_get_u32(payload.data);
    return size <= LSM_BLOCK_MAX ? size : 0;
}

// ---- varints and strings ----------------------------------------------------

static void put_varint(kv_buf *to, uint64_t n)
{
    kv_buf_reserve(to, KV_VARINT_MAX);
    to->len += kv_put_varint(to->data + to->len, n);
}

static void put_string(kv_buf *to, kv_slice s)
{
    put_varint(to, s.len);
    kv_buf_append(to, s);
}

// Bytes that are taken from the front, one field after the other. After the
// first field that is not there, `failed` stays true and nothing is taken.
typedef struct taker {
    kv_slice from;
    size_t at;
    bool failed;
} taker;

static uint64_t take_varint(taker *t)
{
    uint64_t n = 0;
    size_t size = t->failed ? 0
                            : kv_get_varint(kv_slice_of(t->from.data + t->at,
                                                        t->from.len - t->at),
                                            &n);
    if (size == 0) t->failed = true;
    t->at += size;
    return t->failed ? 0 : n;
}

// A string of at most a key's length.
static kv_slice take_string(taker *t)
{
    uint64_t len = take_varint(t);
    if (t->failed || len > LSM_KEY_MAX || len > t->from.len - t->at) {
        t->failed = true;
        return (kv_slice){0};
    }
    kv_slice s = kv_slice_of(t->from.data + t->at, (size_t)len);
    t->at += s.len;
    return s;
}

static size_t taken(const taker *t) { return t->failed ? 0 : t->at; }

// ---- parts ------------------------------------------------------------------

void lsm_put_range(kv_buf *to, const lsm_range_tombstone *range)
{
    put_varint(to, range->seq);
    put_string(to, range->from);
    put_string(to, range->to);
}

size_t lsm_get_range(kv_slice from, lsm_range_tombstone *range)
{
    taker t = {.from = from};
    range->seq = take_varint(&t);
    range->from = take_string(&t);
    range->to = take_string(&t);
    bool is_empty =
        range->to.len > 0 && kv_slice_cmp(range->from, range->to) >= 0;
    if (range->seq > LSM_SEQ_MAX || is_empty) return 0;
    return taken(&t);
}

void lsm_put_index_entry(kv_buf *to, const lsm_index_entry *entry)
{
    put_varint(to, entry->size);
    put_string(to, entry->separator);
}

size_t lsm_get_index_entry(kv_slice from, lsm_index_entry *entry)
{
    taker t = {.from = from};
    entry->size = take_varint(&t);
    entry->separator = take_string(&t);
    if (entry->size <= LSM_SEAL_BYTES || entry->separator.len == 0) return 0;
    return taken(&t);
}

void lsm_shorten_separator(kv_buf *last, kv_slice next)
{
    size_t same = 0;
    while (same < last->len && same < next.len &&
           last->data[same] == next.data[same]) {
        same++;
    }
    if (same >= last->len || same >= next.len) return;
    // The byte where they part may be raised if it stays below next's; any
    // byte behind it as it likes.
    for (size_t i = same; i + 1 < last->len; i++) {
        uint8_t limit = i == same ? next.data[same] : 0xff;
        bool is_free =
            i == same ? last->data[i] + 1 < limit : last->data[i] < limit;
        if (!is_free) continue;
        last->data[i]++;
        last->len = i + 1;
        return;
    }
}

void lsm_put_properties(kv_buf *to, const lsm_properties *props)
{
    const uint64_t numbers[] = {
        props->entry_count, props->tombstone_count, props->range_count,
        props->seq_min,     props->seq_max,         props->key_bytes,
        props->value_bytes, props->raw_bytes,       props->last_is_open,
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        put_varint(to, numbers[i]);
    }
    put_string(to, props->first_key);
    put_string(to, props->last_key);
}

size_t lsm_get_properties(kv_slice from, lsm_properties *props)
{
    taker t = {.from = from};
    lsm_properties p = {.file_bytes = props->file_bytes};
    p.entry_count = take_varint(&t);
    p.tombstone_count = take_varint(&t);
    p.range_count = take_varint(&t);
    p.seq_min = take_varint(&t);
    p.seq_max = take_varint(&t);
    p.key_bytes = take_varint(&t);
    p.value_bytes = take_varint(&t);
    p.raw_bytes = take_varint(&t);
    uint64_t open_end = take_varint(&t);
    p.last_is_open = open_end == 1;
    p.first_key = take_string(&t);
    p.last_key = take_string(&t);
    if (t.failed || t.at != from.len || open_end > 1) return 0;
    if (p.tombstone_count > p.entry_count) return 0;
    if (p.seq_min > p.seq_max || p.seq_max > LSM_SEQ_MAX) return 0;
    bool is_bounded = p.last_key.len > 0 || !p.last_is_open;
    if (is_bounded && kv_slice_cmp(p.first_key, p.last_key) > 0) return 0;
    *props = p;
    return t.at;
}

// ---- footer -----------------------------------------------------------------

// Its sizes in the order of the file, then the count of blocks.
enum { FOOTER_NUMBERS = 8, FOOTER_CRC = 68, FOOTER_MAGIC = 72 };

static uint64_t footer_offset(const lsm_footer *f)
{
    return f->data_bytes + f->filter_bytes + f->ranges_bytes + f->index_bytes +
           f->props_bytes;
}

void lsm_put_footer(kv_buf *to, const lsm_footer *f)
{
    const uint64_t numbers[FOOTER_NUMBERS] = {
        f->id.store_id,  f->id.number,   f->data_bytes,  f->filter_bytes,
        f->ranges_bytes, f->index_bytes, f->props_bytes, f->block_count,
    };
    uint8_t bytes[LSM_FOOTER_BYTES];
    for (int i = 0; i < FOOTER_NUMBERS; i++) {
        kv_put_u64(bytes + 8 * i, numbers[i]);
    }
    kv_put_u16(bytes + 64, LSM_TABLE_MAJOR);
    kv_put_u16(bytes + 66, LSM_TABLE_MINOR);
    kv_put_u32(bytes + FOOTER_CRC,
               kv_crc32c(check_seed(&f->id, footer_offset(f)),
                         kv_slice_of(bytes, FOOTER_CRC)));
    memcpy(bytes + FOOTER_MAGIC, magic, sizeof magic);
    kv_buf_append(to, kv_slice_of(bytes, LSM_FOOTER_BYTES));
}

bool lsm_get_footer(kv_slice from, uint64_t file_bytes, lsm_footer *out)
{
    const uint8_t *f = from.data;
    if (from.len != LSM_FOOTER_BYTES || file_bytes < LSM_FOOTER_BYTES ||
        memcmp(f + FOOTER_MAGIC, magic, sizeof magic) != 0 ||
        kv_get_u16(f + 64) != LSM_TABLE_MAJOR) {
        return false;
    }
    lsm_footer footer = {{kv_get_u64(f), kv_get_u64(f + 8)},
                         kv_get_u64(f + 16),
                         kv_get_u64(f + 24),
                         kv_get_u64(f + 32),
                         kv_get_u64(f + 40),
                         kv_get_u64(f + 48),
                         kv_get_u64(f + 56)};
    uint64_t offset = file_bytes - LSM_FOOTER_BYTES, rest = offset;
    if (kv_get_u32(f + FOOTER_CRC) !=
        kv_crc32c(check_seed(&footer.id, offset), kv_slice_of(f, FOOTER_CRC))) {
        return false;
    }
    const uint64_t sizes[] = {footer.data_bytes, footer.filter_bytes,
                              footer.ranges_bytes, footer.index_bytes,
                              footer.props_bytes};
    for (int i = 0; i < 5; i++) { // F1
        if (sizes[i] > rest || (i > 0 && sizes[i] < LSM_SEAL_BYTES)) {
            return false;
        }
        rest -= sizes[i];
    }
    if (rest != 0 || footer.block_count > footer.index_bytes) return false;
    *out = footer;
    return true;
}
