// format.c -- see format.h.
// SPDX-License-Identifier: MIT

#include "format.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/coding.h"

enum { FORMAT_MAJOR = 1, FORMAT_MINOR = 0 };

// ---- entries, binary --------------------------------------------------------

static void append_varint(kv_buf *to, uint64_t n)
{
    kv_buf_reserve(to, KV_VARINT_MAX);
    to->len += kv_put_varint(to->data + to->len, n);
}

static void encode_binary(kv_buf *to, const log_entry *entry)
{
    append_varint(to, entry->key.len * 2 + (entry->kind == LOG_TOMBSTONE));
    if (entry->kind == LOG_MERGED) {
        append_varint(to, entry->last);
        append_varint(to, entry->horizon);
        return;
    }
    kv_buf_append(to, entry->key);
    kv_buf_append(to, entry->value);
}

static bool take_varint(kv_slice *from, uint64_t max, uint64_t *n)
{
    size_t size = kv_get_varint(*from, n);
    if (size == 0 || *n > max) return false;
    from->data += size;
    from->len -= size;
    return true;
}

static bool decode_merged(kv_slice rest, log_entry *out)
{
    uint64_t last, horizon;
    if (!take_varint(&rest, LOG_POSITION_MAX, &last) ||
        !take_varint(&rest, LOG_POSITION_MAX, &horizon) || rest.len != 0) {
        return false;
    }
    *out = (log_entry){.kind = LOG_MERGED,
                       .last = (uint32_t)last,
                       .horizon = (uint32_t)horizon};
    return true;
}

static bool decode_binary(kv_slice payload, log_entry *out)
{
    uint64_t head;
    if (!take_varint(&payload, LOG_KEY_MAX * 2 + 1, &head)) return false;
    if (head == 0) return decode_merged(payload, out);
    size_t key_len = (size_t)(head / 2);
    bool is_tombstone = head % 2 == 1;
    if (key_len == 0 || key_len > payload.len) return false;
    size_t value_len = payload.len - key_len;
    if (is_tombstone ? value_len != 0 : value_len > LOG_VALUE_MAX) return false;
    *out = (log_entry){
        .kind = is_tombstone ? LOG_TOMBSTONE : LOG_SET,
        .key = kv_slice_of(payload.data, key_len),
        .value = kv_slice_of(payload.data + key_len, value_len),
    };
    return true;
}

// ---- entries, text ----------------------------------------------------------

static void escape_key(kv_buf *to, kv_slice key)
{
    while (key.len > 0) {
        const uint8_t *space = memchr(key.data, ' ', key.len);
        size_t len = space ? (size_t)(space - key.data) : key.len;
        kv_escape(to, kv_slice_of(key.data, len));
        if (space == NULL) return;
        kv_buf_append(to, kv_str("\\x20"));
        key = kv_slice_of(space + 1, key.len - len - 1);
    }
}

static void encode_text(kv_buf *to, const log_entry *entry)
{
    if (entry->kind == LOG_MERGED) {
        kv_buf_printf(to, "MERGED %" PRIu32 " %" PRIu32, entry->last,
                      entry->horizon);
        return;
    }
    kv_buf_append(to, kv_str(entry->kind == LOG_SET ? "SET " : "DEL "));
    escape_key(to, entry->key);
    if (entry->kind != LOG_SET) return;
    kv_buf_append(to, kv_str(" "));
    kv_escape(to, entry->value);
}

// The word before the first space, which is taken away; all if there is none.
static kv_slice take_word(kv_slice *from, bool *had_space)
{
    const uint8_t *space =
        from->len > 0 ? memchr(from->data, ' ', from->len) : NULL;
    size_t len = space ? (size_t)(space - from->data) : from->len;
    kv_slice word = kv_slice_of(from->data, len);
    *had_space = space != NULL;
    size_t taken = len + (space != NULL);
    *from = kv_slice_of(from->data + taken, from->len - taken);
    return word;
}

static bool take_number(kv_slice *from, uint32_t *n)
{
    bool more;
    kv_slice word = take_word(from, &more);
    uint64_t sum = 0;
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] < '0' || word.data[i] > '9') return false;
        sum = sum * 10 + (uint64_t)(word.data[i] - '0');
        if (sum > LOG_POSITION_MAX) return false;
    }
    *n = (uint32_t)sum;
    return word.len > 0;
}

static bool decode_text(kv_slice payload, kv_buf *scratch, log_entry *out)
{
    bool more, has_value;
    kv_slice verb = take_word(&payload, &more);
    log_entry entry = {0};
    if (kv_slice_equal(verb, kv_str("MERGED"))) {
        entry.kind = LOG_MERGED;
        if (!take_number(&payload, &entry.last) ||
            !take_number(&payload, &entry.horizon)) {
            return false;
        }
        *out = entry;
        return payload.len == 0;
    }
    bool is_set = kv_slice_equal(verb, kv_str("SET"));
    if (!is_set && !kv_slice_equal(verb, kv_str("DEL"))) return false;
    entry.kind = is_set ? LOG_SET : LOG_TOMBSTONE;
    kv_slice key = take_word(&payload, &has_value);
    kv_buf_clear(scratch);
    if (has_value != is_set || kv_unescape(scratch, key) != KV_OK) return false;
    size_t key_len = scratch->len;
    if (key_len == 0 || key_len > LOG_KEY_MAX) return false;
    if (kv_unescape(scratch, payload) != KV_OK) return false;
    entry.key = kv_slice_of(scratch->data, key_len);
    entry.value = kv_slice_of(scratch->data + key_len, scratch->len - key_len);
    if (entry.value.len > LOG_VALUE_MAX) return false;
    *out = entry;
    return true;
}

// ---- entries, either --------------------------------------------------------

void log_entry_encode(kv_buf *to, kv_framing framing, const log_entry *entry)
{
    assert(entry->kind == LOG_MERGED || entry->key.len > 0);
    if (framing == KV_FRAMING_TEXT) encode_text(to, entry);
    else encode_binary(to, entry);
}

bool log_entry_decode(kv_slice payload, kv_framing framing, kv_buf *scratch,
                      log_entry *out)
{
    if (framing == KV_FRAMING_TEXT) return decode_text(payload, scratch, out);
    return decode_binary(payload, out);
}

uint64_t log_entry_bound(kv_framing framing, kv_slice key, kv_slice value)
{
    uint64_t each = framing == KV_FRAMING_TEXT ? 4 : 1;
    return LOG_ENTRY_OVERHEAD_MAX + each * ((uint64_t)key.len + value.len);
}

// ---- names ------------------------------------------------------------------

log_name log_name_of(log_span span, bool unfinished)
{
    log_name name;
    const char *end = unfinished ? ".tmp" : "";
    if (span.generation == 0) {
        snprintf(name.text, sizeof name.text, "%06" PRIu32 ".seg%s", span.first,
                 end);
    } else {
        snprintf(name.text, sizeof name.text,
                 "%06" PRIu32 "-%06" PRIu32 ".%" PRIu32 ".seg%s", span.first,
                 span.last, span.generation, end);
    }
    return name;
}

log_name_kind log_name_parse(const char *name, log_span *span)
{
    if (strcmp(name, LOG_HINT_NAME) == 0) return LOG_NAME_HINT;
    if (strcmp(name, LOG_HINT_TMP) == 0) return LOG_NAME_HINT_TMP;
    log_span got = {0};
    if (strchr(name, '-') == NULL) {
        if (sscanf(name, "%10" SCNu32, &got.first) != 1) {
            return LOG_NAME_FOREIGN;
        }
        got.last = got.first;
    } else if (sscanf(name, "%10" SCNu32 "-%10" SCNu32 ".%10" SCNu32,
                      &got.first, &got.last, &got.generation) != 3 ||
               got.generation == 0) {
        return LOG_NAME_FOREIGN;
    }
    if (got.first == 0 || got.first > got.last || got.last > LOG_POSITION_MAX) {
        return LOG_NAME_FOREIGN;
    }
    *span = got;
    // One span has one name: what reads alike but is written otherwise is not
    // ours.
    if (strcmp(log_name_of(got, false).text, name) == 0) {
        return LOG_NAME_SEGMENT;
    }
    if (strcmp(log_name_of(got, true).text, name) == 0) {
        return LOG_NAME_UNFINISHED;
    }
    return LOG_NAME_FOREIGN;
}

// ---- hints ------------------------------------------------------------------

static const char hint_magic[8] = {'S', 'C', 'H', 'I', 'N', 'T', '\r', '\n'};

static uint32_t head_crc(kv_slice bytes)
{
    uint32_t crc = kv_crc32c(0, kv_slice_of(bytes.data, 28));
    return kv_crc32c(crc, kv_slice_of(bytes.data + LOG_HINT_HEADER_BYTES,
                                      bytes.len - LOG_HINT_HEADER_BYTES));
}

static void encode_segment(uint8_t *at, const log_facts *facts)
{
    kv_put_u32(at, facts->span.first);
    kv_put_u32(at + 4, facts->span.last);
    kv_put_u32(at + 8, facts->span.generation);
    kv_put_u32(at + 12, facts->horizon);
    kv_put_u64(at + 16, facts->size);
    kv_put_u64(at + 24, facts->base);
    kv_put_u64(at + 32, facts->entry_bytes);
    kv_put_u64(at + 40, facts->tombstone_bytes);
    kv_put_u64(at + 48, facts->live_bytes);
    kv_put_u64(at + 56, facts->live_count);
}

void log_hint_decode_segment(const uint8_t *line, log_facts *out)
{
    *out = (log_facts){
        .span = {kv_get_u32(line), kv_get_u32(line + 4), kv_get_u32(line + 8)},
        .horizon = kv_get_u32(line + 12),
        .size = kv_get_u64(line + 16),
        .base = kv_get_u64(line + 24),
        .entry_bytes = kv_get_u64(line + 32),
        .tombstone_bytes = kv_get_u64(line + 40),
        .live_bytes = kv_get_u64(line + 48),
        .live_count = kv_get_u64(line + 56),
    };
}

void log_hint_encode_head(kv_buf *to, const log_hint_header *header,
                          const log_facts *segments)
{
    size_t bytes = LOG_HINT_HEADER_BYTES +
                   (size_t)header->segment_count * LOG_HINT_SEGMENT_BYTES;
    kv_buf_reserve(to, bytes);
    uint8_t *at = to->data + to->len;
    memcpy(at, hint_magic, sizeof hint_magic);
    kv_put_u16(at + 8, FORMAT_MAJOR);
    kv_put_u16(at + 10, FORMAT_MINOR);
    kv_put_u32(at + 12, header->segment_count);
    kv_put_u64(at + 16, header->store_id);
    kv_put_u32(at + 24, header->block_count);
    uint8_t *line = at + LOG_HINT_HEADER_BYTES;
    for (uint32_t i = 0; i < header->segment_count; i++) {
        encode_segment(line, &segments[i]);
        line += LOG_HINT_SEGMENT_BYTES;
    }
    kv_put_u32(at + 28, head_crc(kv_slice_of(at, bytes)));
    to->len += bytes;
}

bool log_hint_decode_header(kv_slice bytes, log_hint_header *out)
{
    if (bytes.len < LOG_HINT_HEADER_BYTES ||
        memcmp(bytes.data, hint_magic, sizeof hint_magic) != 0 ||
        kv_get_u16(bytes.data + 8) != FORMAT_MAJOR) {
        return false;
    }
    *out = (log_hint_header){
        .segment_count = kv_get_u32(bytes.data + 12),
        .store_id = kv_get_u64(bytes.data + 16),
        .block_count = kv_get_u32(bytes.data + 24),
    };
    return out->segment_count <= LOG_HINT_SEGMENTS_MAX &&
           out->block_count <= LOG_INDEX_TABLES;
}

bool log_hint_check_head(kv_slice bytes)
{
    return bytes.len >= LOG_HINT_HEADER_BYTES &&
           kv_get_u32(bytes.data + 28) == head_crc(bytes);
}

static uint32_t block_crc(kv_slice block)
{
    uint32_t crc = kv_crc32c(0, kv_slice_of(block.data, 8));
    return kv_crc32c(crc, kv_slice_of(block.data + LOG_HINT_BLOCK_BYTES,
                                      block.len - LOG_HINT_BLOCK_BYTES));
}

void log_hint_begin_block(kv_buf *to, uint32_t table)
{
    kv_buf_reserve(to, LOG_HINT_BLOCK_BYTES);
    kv_put_u32(to->data + to->len, table);
    to->len += LOG_HINT_BLOCK_BYTES;
}

void log_hint_add(kv_buf *to, log_index_entry entry)
{
    kv_buf_reserve(to, LOG_HINT_ENTRY_BYTES);
    uint8_t *at = to->data + to->len;
    kv_put_u32(at, entry.hash);
    kv_put_u32(at + 4, (uint32_t)entry.place);
    kv_put_u16(at + 8, (uint16_t)(entry.place >> 32));
    to->len += LOG_HINT_ENTRY_BYTES;
}

log_index_entry log_hint_entry(const uint8_t *at)
{
    log_place high = kv_get_u16(at + 8);
    return (log_index_entry){kv_get_u32(at), high << 32 | kv_get_u32(at + 4)};
}

void log_hint_end_block(kv_buf *to, size_t start)
{
    kv_slice block = kv_slice_of(to->data + start, to->len - start);
    size_t entries = (block.len - LOG_HINT_BLOCK_BYTES) / LOG_HINT_ENTRY_BYTES;
    kv_put_u32(to->data + start + 4, (uint32_t)entries);
    kv_put_u32(to->data + start + 8, block_crc(block));
}

bool log_hint_decode_block(const uint8_t *block, uint32_t *table,
                           uint32_t *count)
{
    *table = kv_get_u32(block);
    *count = kv_get_u32(block + 4);
    return *table < LOG_INDEX_TABLES;
}

bool log_hint_check_block(kv_slice block)
{
    return kv_get_u32(block.data + 8) == block_crc(block);
}
