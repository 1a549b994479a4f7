// xray.c -- the bytes of a segment or of the hint file with their meaning.
// SPDX-License-Identifier: MIT

#include <inttypes.h>

#include "common/mem.h"

#include "hint.h"
#include "store.h"

static const kv_why why = {KV_FOR_READ, false};

enum { XRAY_BYTES_MAX = 1 << 30 };

// ---- segments ---------------------------------------------------------------

static void xray_header(kv_xray *x, kv_slice bytes, const kv_recordlog_id *id,
                        size_t size)
{
    kv_xray_title(x, 0, "header of %.4s %" PRIu64, id->kind, id->number);
    if (id->framing == KV_FRAMING_TEXT) {
        kv_xray_field(x, 0, kv_slice_of(bytes.data, size), "header",
                      "text; store %016" PRIx64 ", checksum good",
                      id->store_id);
        return;
    }
    const uint8_t *b = bytes.data;
    kv_xray_field(x, 0, kv_slice_of(b, 8), "magic", "a record log");
    kv_xray_field(x, 8, kv_slice_of(b + 8, 4), "format", "%d.%d", b[8], b[10]);
    kv_xray_field(x, 12, kv_slice_of(b + 12, 4), "kind", "%.4s", id->kind);
    kv_xray_field(x, 16, kv_slice_of(b + 16, 8), "store", "%016" PRIx64,
                  id->store_id);
    kv_xray_field(x, 24, kv_slice_of(b + 24, 8), "number",
                  "position %" PRIu32 ", generation %" PRIu32,
                  (uint32_t)id->number, (uint32_t)(id->number >> 32));
    kv_xray_field(x, 32, kv_slice_of(b + 32, 8), "previous",
                  "the predecessor has %" PRIu64 " bytes", id->previous_size);
    kv_xray_field(x, 40, kv_slice_of(b + 40, 4), "salt", "of store and number");
    kv_xray_field(x, 44, kv_slice_of(b + 44, 4), "framing", "binary");
    kv_xray_field(x, 48, kv_slice_of(b + 48, 4), "checksum", "good");
}

static const char *word_of(log_kind kind)
{
    return kind == LOG_SET         ? "set"
           : kind == LOG_TOMBSTONE ? "tombstone"
                                   : "merged";
}

static void xray_entry(kv_xray *x, uint64_t offset, kv_slice payload,
                       const log_entry *entry)
{
    kv_quoted q;
    if (entry->kind == LOG_MERGED) {
        kv_xray_field(x, offset, payload, "merged",
                      "up to position %" PRIu32 ", horizon %" PRIu32,
                      entry->last, entry->horizon);
        return;
    }
    size_t at = payload.len - entry->key.len - entry->value.len;
    kv_xray_field(x, offset, kv_slice_of(payload.data, at), "key size·2",
                  "%zu%s", entry->key.len,
                  entry->kind == LOG_TOMBSTONE ? ", and + 1: a tombstone" : "");
    kv_xray_field(x, offset + at, entry->key, "key", "%s",
                  kv_quote(&q, entry->key));
    if (entry->kind == LOG_SET) {
        kv_xray_field(x, offset + at + entry->key.len, entry->value, "value",
                      "%s", kv_quote(&q, entry->value));
    }
}

static void xray_record(kv_xray *x, uint64_t offset, const uint8_t *bytes,
                        const kv_record *record, kv_framing framing,
                        kv_buf *text, uint64_t number)
{
    log_entry entry = {0};
    bool is_closing = record->payload.len == 0;
    bool is_ours =
        is_closing || log_entry_decode(record->payload, framing, text, &entry);
    kv_xray_title(x, offset, "record %" PRIu64 ", %s%s", number,
                  is_closing ? "closing"
                  : is_ours  ? word_of(entry.kind)
                             : "?",
                  record->more ? ", its group goes on" : "");
    if (!is_ours) kv_xray_damage(x, offset, "its payload is no entry");
    if (framing == KV_FRAMING_TEXT) {
        kv_quoted q;
        kv_slice line = kv_slice_of(bytes, record->size);
        kv_xray_field(x, offset, line, "line", "%s; checksum good",
                      kv_quote(&q, record->payload));
        return;
    }
    size_t head = record->size - record->payload.len;
    kv_xray_field(x, offset, kv_slice_of(bytes, 4), "checksum", "good");
    kv_xray_field(x, offset + 4, kv_slice_of(bytes + 4, 4), "mark",
                  "%" PRIu32 " bytes were on the disk by then", record->mark);
    kv_xray_field(x, offset + 8, kv_slice_of(bytes + 8, head - 8),
                  "size·2+more", "%zu bytes of payload", record->payload.len);
    if (is_ours && !is_closing) {
        xray_entry(x, offset + head, record->payload, &entry);
    }
}

// Where the next valid record stands; the end when there is none.
static uint64_t resynchronize(kv_slice bytes, const kv_recordlog_id *id,
                              uint64_t at)
{
    kv_record record;
    for (at++; at < bytes.len; at++) {
        kv_slice rest = {bytes.data + at, bytes.len - at};
        if (kv_record_decode(rest, id, at, &record)) break;
    }
    return at;
}

static kv_status xray_segment(kv_xray *x, kv_slice bytes, const char *file)
{
    kv_recordlog_id id;
    size_t size = 0;
    kv_status st = kv_recordlog_decode_header(bytes, file, &id, &size);
    if (st != KV_OK) {
        kv_xray_damage(x, 0, "%s", kv_last_error());
        return KV_OK;
    }
    xray_header(x, bytes, &id, size);
    kv_buf text = {0};
    uint64_t number = 0;
    for (uint64_t at = size; at < bytes.len;) {
        kv_record record;
        kv_slice rest = {bytes.data + at, bytes.len - at};
        if (kv_record_decode(rest, &id, at, &record)) {
            xray_record(x, at, rest.data, &record, id.framing, &text, number++);
            at += record.size;
            continue;
        }
        uint64_t next = resynchronize(bytes, &id, at);
        kv_xray_damage(x, at, "no valid record in the next %" PRIu64 " bytes",
                       next - at);
        at = next;
    }
    kv_buf_free(&text);
    return KV_OK;
}

// ---- the hint file ----------------------------------------------------------

static void xray_hint_head(kv_xray *x, kv_slice bytes, uint32_t segment_count)
{
    const uint8_t *b = bytes.data;
    size_t head =
        LOG_HINT_HEADER_BYTES + (size_t)segment_count * LOG_HINT_SEGMENT_BYTES;
    bool is_good =
        head <= bytes.len && log_hint_check_head(kv_slice_of(b, head));
    kv_xray_title(x, 0, "header of the hint file");
    kv_xray_field(x, 0, kv_slice_of(b, 8), "magic", "hints");
    kv_xray_field(x, 8, kv_slice_of(b + 8, 4), "format", "%d.%d", b[8], b[10]);
    kv_xray_field(x, 12, kv_slice_of(b + 12, 4), "segments", "%" PRIu32,
                  segment_count);
    kv_xray_field(x, 16, kv_slice_of(b + 16, 8), "store", "whose hints");
    kv_xray_field(x, 24, kv_slice_of(b + 24, 4), "blocks", "one per table");
    kv_xray_field(x, 28, kv_slice_of(b + 28, 4), "checksum", "%s",
                  is_good ? "good" : "bad");
    if (!is_good) kv_xray_damage(x, 28, "the checksum of the header fails");
    for (uint32_t i = 0; i < segment_count && is_good; i++) {
        size_t at = LOG_HINT_HEADER_BYTES + (size_t)i * LOG_HINT_SEGMENT_BYTES;
        log_facts f;
        log_hint_decode_segment(b + at, &f);
        kv_xray_field(x, at, kv_slice_of(b + at, LOG_HINT_SEGMENT_BYTES),
                      "segment", "%s: %" PRIu64 " bytes, %" PRIu64 " live keys",
                      log_name_of(f.span, false).text, f.size, f.live_count);
    }
}

static void xray_block(kv_xray *x, kv_slice block, uint64_t at, uint32_t table)
{
    bool is_good = log_hint_check_block(block);
    kv_xray_title(x, at, "block of table %" PRIu32, table);
    kv_xray_field(x, at, kv_slice_of(block.data, 4), "table", "%" PRIu32,
                  table);
    size_t entries = (block.len - LOG_HINT_BLOCK_BYTES) / LOG_HINT_ENTRY_BYTES;
    kv_xray_field(x, at + 4, kv_slice_of(block.data + 4, 4), "entries", "%zu",
                  entries);
    kv_xray_field(x, at + 8, kv_slice_of(block.data + 8, 4), "checksum", "%s",
                  is_good ? "good" : "bad");
    if (!is_good) kv_xray_damage(x, at + 8, "the checksum of the block fails");
    for (size_t i = 0; i < entries; i++) {
        size_t offset = LOG_HINT_BLOCK_BYTES + i * LOG_HINT_ENTRY_BYTES;
        log_index_entry entry = log_hint_entry(block.data + offset);
        kv_xray_field(
            x, at + offset,
            kv_slice_of(block.data + offset, LOG_HINT_ENTRY_BYTES), "entry",
            "hash %08" PRIx32 ", address %" PRIu64 ", up to %" PRIu64 " bytes",
            entry.hash, log_place_address(entry.place),
            log_place_bound(entry.place));
    }
}

static void xray_hint(kv_xray *x, kv_slice bytes)
{
    log_hint_header header;
    if (!log_hint_decode_header(bytes, &header)) {
        kv_xray_damage(x, 0, "this is not the header of a hint file");
        return;
    }
    xray_hint_head(x, bytes, header.segment_count);
    uint64_t at = LOG_HINT_HEADER_BYTES +
                  (uint64_t)header.segment_count * LOG_HINT_SEGMENT_BYTES;
    for (uint32_t i = 0; i < header.block_count; i++) {
        uint32_t table, count;
        if (at > bytes.len || bytes.len - at < LOG_HINT_BLOCK_BYTES ||
            !log_hint_decode_block(bytes.data + at, &table, &count) ||
            (bytes.len - at - LOG_HINT_BLOCK_BYTES) / LOG_HINT_ENTRY_BYTES <
                count) {
            kv_xray_damage(x, at, "the file ends inside block %" PRIu32, i);
            return;
        }
        size_t len =
            LOG_HINT_BLOCK_BYTES + (size_t)count * LOG_HINT_ENTRY_BYTES;
        xray_block(x, kv_slice_of(bytes.data + at, len), at, table);
        at += len;
    }
    if (at < bytes.len) kv_xray_damage(x, at, "bytes behind the last block");
}

// ---- a file -----------------------------------------------------------------

static kv_status read_whole(kv_disk *disk, const char *name, kv_buf *bytes)
{
    kv_file *file = NULL;
    uint64_t size = 0;
    kv_open_how how = {.mode = KV_OPEN_READ};
    kv_status st = kv_file_open(disk, name, how, why, &file);
    if (st == KV_NOT_FOUND) {
        return kv_fail(st, "%s: there is no such file", name);
    }
    if (st == KV_OK) st = kv_file_size(file, &size);
    if (st == KV_OK && size > XRAY_BYTES_MAX) {
        st = kv_fail(KV_TOO_BIG, "%s: too large to be drawn", name);
    }
    if (st == KV_OK) {
        kv_buf_reserve(bytes, (size_t)size + 1);
        st = kv_file_read_all(file, 0, bytes->data, (size_t)size, why);
        bytes->len = (size_t)size;
    }
    kv_file_close(file);
    return st;
}

kv_status log_xray(kv_disk *disk, const char *file, kv_xray *x)
{
    log_span span;
    kv_buf bytes = {0};
    log_name_kind kind = log_name_parse(file, &span);
    if (kind == LOG_NAME_FOREIGN) {
        return kv_fail(KV_INVALID,
                       "%s is no file of this engine: name a .seg file, or "
                       "%s",
                       file, LOG_HINT_NAME);
    }
    kv_status st = read_whole(disk, file, &bytes);
    if (st == KV_OK) {
        kv_slice all = kv_buf_slice(&bytes);
        bool is_hint = kind == LOG_NAME_HINT || kind == LOG_NAME_HINT_TMP;
        if (is_hint) xray_hint(x, all);
        else st = xray_segment(x, all, file);
    }
    kv_buf_free(&bytes);
    return st;
}
