// format_text.c -- format=text: see format.h.
// SPDX-License-Identifier: MIT

#include <inttypes.h>
#include <stdio.h>

#include "common/coding.h"

#include "format.h"

static const char arrow[] = "\xe2\x86\x92";  // →
static const char dagger[] = "\xe2\x80\xa0"; // †

// ---- lines and their parts --------------------------------------------------

// The line at the front without its line feed, or an empty slice.
static kv_slice line_of(kv_slice from)
{
    const uint8_t *feed =
        from.len > 0 ? memchr(from.data, '\n', from.len) : NULL;
    return feed ? kv_slice_of(from.data, (size_t)(feed - from.data))
                : (kv_slice){0};
}

static bool starts_with(kv_slice s, const char *word)
{
    size_t len = strlen(word);
    return s.len >= len && memcmp(s.data, word, len) == 0;
}

static kv_slice behind(kv_slice s, size_t len)
{
    return kv_slice_of(s.data + len, s.len - len);
}

static void put_escaped(kv_buf *to, kv_slice bytes)
{
    if (bytes.len > 0 && bytes.data[0] == '#') {
        kv_buf_append(to, kv_str("\\x23"));
        bytes = behind(bytes, 1);
    }
    kv_escape(to, bytes);
}

// Unescapes into `room` without moving what stands there already.
static bool get_escaped(kv_slice text, kv_buf *room, kv_slice *out)
{
    if (room->cap - room->len < text.len) return false;
    size_t from = room->len;
    if (kv_unescape(room, text) != KV_OK) return false;
    *out = kv_slice_of(room->data + from, room->len - from);
    return true;
}

// A decimal number and the blank behind it.
static size_t get_number(kv_slice from, uint64_t *n)
{
    size_t at = 0;
    for (*n = 0; at < from.len && from.data[at] != ' '; at++) {
        uint8_t c = from.data[at];
        if (c < '0' || c > '9' || at > 18) return 0;
        *n = *n * 10 + (uint64_t)(c - '0');
    }
    return at > 0 && at < from.len ? at + 1 : 0;
}

// ---- header and footer ------------------------------------------------------

static void put_header(kv_buf *to, const sst_segment_id *id)
{
    size_t from = to->len;
    kv_buf_printf(
        to, "# stagecoach segment %d.%d store %016" PRIx64 " number %" PRIu64,
        SST_FORMAT_MAJOR, SST_FORMAT_MINOR, id->store_id, id->number);
    kv_slice line = kv_slice_of(to->data + from, to->len - from);
    kv_buf_printf(to, " ~%08" PRIx32 "\n", kv_crc32c(0, line));
}

// Parses `from`'s first line and accepts it only if it is, byte for byte, what
// would be written for what it says: one picture for one meaning.
static size_t get_header(kv_slice from, sst_segment_id *id)
{
    char line[SST_HEADER_MAX];
    kv_slice text = line_of(from);
    if (text.len == 0 || text.len >= sizeof line) return 0;
    memcpy(line, text.data, text.len);
    line[text.len] = '\0';
    if (sscanf(line,
               "# stagecoach segment %*5u.%*5u store %16" SCNx64
               " number %20" SCNu64,
               &id->store_id, &id->number) != 2) {
        return 0;
    }
    kv_buf again = {0};
    put_header(&again, id);
    bool is_same = kv_slice_equal(kv_slice_of(again.data, again.len - 1), text);
    kv_buf_free(&again);
    return is_same ? text.len + 1 : 0;
}

#define FOOTER_LINE                                                            \
    "#end index %020" PRIu64 " size %020" PRIu64 " entries %020" PRIu64        \
    " tombstones %020" PRIu64
enum { FOOTER_BYTES = 11 + 20 + 6 + 20 + 9 + 20 + 12 + 20 + 11 };

static void put_footer(kv_buf *to, const sst_footer *footer, uint32_t seed)
{
    size_t from = to->len;
    kv_buf_printf(to, FOOTER_LINE, footer->index_offset, footer->index_size,
                  footer->entry_count, footer->tombstone_count);
    kv_slice line = kv_slice_of(to->data + from, to->len - from);
    kv_buf_printf(to, " ~%08" PRIx32 "\n", kv_crc32c(seed, line));
}

static size_t get_footer(kv_slice from, sst_footer *footer, uint32_t seed)
{
    char line[FOOTER_BYTES + 1];
    if (from.len < FOOTER_BYTES) return 0;
    memcpy(line, from.data, FOOTER_BYTES);
    line[FOOTER_BYTES] = '\0';
    if (sscanf(line,
               "#end index %20" SCNu64 " size %20" SCNu64 " entries %20" SCNu64
               " tombstones %20" SCNu64,
               &footer->index_offset, &footer->index_size, &footer->entry_count,
               &footer->tombstone_count) != 4) {
        return 0;
    }
    kv_buf again = {0};
    put_footer(&again, footer, seed);
    bool is_same = kv_slice_equal(kv_buf_slice(&again),
                                  kv_slice_of(from.data, FOOTER_BYTES));
    kv_buf_free(&again);
    return is_same ? FOOTER_BYTES : 0;
}

// ---- entries ----------------------------------------------------------------

static void put_entry(kv_buf *to, const sst_entry *entry)
{
    put_escaped(to, entry->key);
    kv_buf_append(to, kv_str(arrow));
    if (entry->is_tombstone) {
        kv_buf_append(to, kv_str(dagger));
    } else {
        kv_escape(to, entry->value);
    }
    kv_buf_append(to, kv_str("\n"));
}

static size_t get_entry(kv_slice from, kv_buf *room, sst_entry *entry)
{
    kv_slice line = line_of(from);
    size_t at = 0;
    while (at < line.len && line.data[at] != (uint8_t)arrow[0]) at++;
    if (at == 0 || !starts_with(behind(line, at), arrow)) return 0;
    if (line.data[0] == '#') return 0;
    kv_slice key = kv_slice_of(line.data, at);
    kv_slice value = behind(line, at + strlen(arrow));
    entry->is_tombstone = kv_slice_equal(value, kv_str(dagger));
    entry->value = (kv_slice){0};
    if (!get_escaped(key, room, &entry->key)) return 0;
    if (!entry->is_tombstone && !get_escaped(value, room, &entry->value)) {
        return 0;
    }
    return line.len + 1;
}

// ---- checks and index -------------------------------------------------------

enum { CHECK_BYTES = 11 };

static void put_check(kv_buf *to, uint32_t crc)
{
    kv_buf_printf(to, "#~%08" PRIx32 "\n", crc);
}

static size_t get_check(kv_slice from, uint32_t *crc)
{
    if (from.len < CHECK_BYTES || !starts_with(from, "#~")) return 0;
    *crc = 0;
    for (int i = 2; i < 10; i++) {
        uint8_t c = from.data[i];
        bool is_digit = c >= '0' && c <= '9', is_hex = c >= 'a' && c <= 'f';
        if (!is_digit && !is_hex) return 0;
        *crc = *crc << 4 | (uint32_t)(is_digit ? c - '0' : c - 'a' + 10);
    }
    return from.data[10] == '\n' ? CHECK_BYTES : 0;
}

static void put_index_entry(kv_buf *to, const sst_index_entry *entry)
{
    kv_buf_printf(to, "#index %" PRIu64 " ", entry->size);
    kv_escape(to, entry->first_key);
    kv_buf_append(to, kv_str("\n"));
}

static size_t get_index_entry(kv_slice from, kv_buf *room,
                              sst_index_entry *entry)
{
    kv_slice line = line_of(from);
    if (!starts_with(line, "#index ")) return 0;
    size_t size = get_number(behind(line, 7), &entry->size);
    if (size == 0) return 0;
    kv_slice key = behind(line, 7 + size);
    if (key.len == 0 || !get_escaped(key, room, &entry->first_key)) return 0;
    return line.len + 1;
}

static void put_last_key(kv_buf *to, kv_slice key)
{
    kv_buf_append(to, kv_str("#last "));
    kv_escape(to, key);
    kv_buf_append(to, kv_str("\n"));
}

static size_t get_last_key(kv_slice from, kv_buf *room, kv_slice *key)
{
    kv_slice line = line_of(from);
    if (!starts_with(line, "#last ") || line.len == 6) return 0;
    return get_escaped(behind(line, 6), room, key) ? line.len + 1 : 0;
}

const sst_codec sst_codec_text = {
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
