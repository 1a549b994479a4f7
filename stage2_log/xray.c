// xray.c -- the bytes of a segment or of the hint file with their meaning.
// SPDX-License-Identifier: MIT

#include <inttypes.h>

#include "common/recordlog_xray.h"

#include "hint.h"
#include "store.h"

// ---- segments ---------------------------------------------------------------

static void xray_payload(kv_xray *x, const kv_recordlog_id *id, uint64_t offset,
                         kv_slice payload)
{
    kv_quoted q;
    kv_buf text = {0};
    log_entry entry;
    if (!log_entry_decode(payload, id->framing, &text, &entry)) {
        kv_xray_damage(x, offset, "this payload is no entry");
    } else if (entry.kind == LOG_MERGED) {
        kv_xray_field(x, offset, payload, "merged",
                      "up to position %" PRIu32 ", horizon %" PRIu32,
                      entry.last, entry.horizon);
    } else if (id->framing == KV_FRAMING_TEXT) {
        kv_xray_field(x, offset, payload,
                      entry.kind == LOG_SET ? "set" : "tombstone", "%s",
                      kv_quote(&q, entry.key));
    } else {
        bool is_set = entry.kind == LOG_SET;
        size_t head = payload.len - entry.key.len - entry.value.len;
        kv_xray_field(x, offset, kv_slice_of(payload.data, head), "key size·2",
                      "%zu%s", entry.key.len,
                      is_set ? "" : ", and 1: a tombstone");
        kv_xray_field(x, offset + head, entry.key, "key", "%s",
                      kv_quote(&q, entry.key));
        if (is_set) {
            kv_xray_field(x, offset + head + entry.key.len, entry.value,
                          "value", "%s", kv_quote(&q, entry.value));
        }
    }
    kv_buf_free(&text);
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
    kv_status st = kv_xray_read(disk, file, &bytes);
    bool is_hint = kind == LOG_NAME_HINT || kind == LOG_NAME_HINT_TMP;
    if (st == KV_OK && is_hint) {
        xray_hint(x, kv_buf_slice(&bytes));
    } else if (st == KV_OK) {
        kv_recordlog_xray(kv_buf_slice(&bytes), file, xray_payload, x);
    }
    kv_buf_free(&bytes);
    return st;
}
