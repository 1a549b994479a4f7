// recordlog_xray.c -- see recordlog_xray.h.
// SPDX-License-Identifier: MIT

#include "common/recordlog_xray.h"

#include <inttypes.h>

#include "common/coding.h"

enum { PIECE_BYTES = 1 << 20 };

kv_status kv_xray_read(kv_disk *disk, const char *name, kv_buf *bytes)
{
    kv_file *file = NULL;
    kv_why why = kv_for(KV_FOR_READ);
    kv_status st = kv_file_open(disk, name, (kv_open_how){.mode = KV_OPEN_READ},
                                why, &file);
    if (st == KV_NOT_FOUND) {
        return kv_fail(KV_INVALID, "%s: there is no such file in this store",
                       name);
    }
    KV_TRY(st);
    for (size_t got = 1; st == KV_OK && got > 0;) {
        kv_buf_reserve(bytes, PIECE_BYTES);
        st = kv_file_read(file, bytes->len, bytes->data + bytes->len,
                          PIECE_BYTES, &got, why);
        if (st == KV_OK) bytes->len += got;
    }
    kv_file_close(file);
    return st;
}

static kv_slice part(kv_slice bytes, uint64_t from, uint64_t len)
{
    uint64_t left = bytes.len - from;
    return kv_slice_of(bytes.data + from, (size_t)(len < left ? len : left));
}

// ---- the header -------------------------------------------------------------

static void header_binary(kv_xray *x, kv_slice bytes, const kv_recordlog_id *id)
{
    kv_xray_field(x, 0, part(bytes, 0, 8), "magic", "a record log");
    kv_xray_field(x, 8, part(bytes, 8, 4), "format", "%u.%u",
                  kv_get_u16(bytes.data + 8), kv_get_u16(bytes.data + 10));
    kv_xray_field(x, 12, part(bytes, 12, 4), "kind", "%s", id->kind);
    kv_xray_field(x, 16, part(bytes, 16, 8), "store", "%016" PRIx64,
                  id->store_id);
    kv_xray_field(x, 24, part(bytes, 24, 8), "number", "%" PRIu64, id->number);
    kv_xray_field(x, 32, part(bytes, 32, 8), "previous",
                  "its predecessor has %" PRIu64 " bytes", id->previous_size);
    kv_xray_field(x, 40, part(bytes, 40, 4), "salt", "in every checksum below");
    kv_xray_field(x, 44, part(bytes, 44, 4), "framing", "binary");
    kv_xray_field(x, 48, part(bytes, 48, 4), "crc", "good");
}

static size_t draw_header(kv_xray *x, kv_slice bytes, const char *name,
                          kv_recordlog_id *id)
{
    size_t size = 0;
    kv_xray_title(x, 0, "%s: header", name);
    if (kv_recordlog_decode_header(bytes, name, id, &size) != KV_OK) {
        kv_xray_field(x, 0, part(bytes, 0, KV_RECORDLOG_HEADER_BYTES), "header",
                      "not valid");
        kv_xray_damage(x, 0, "%s", kv_last_error());
        return 0;
    }
    if (id->framing == KV_FRAMING_BINARY) {
        header_binary(x, bytes, id);
    } else {
        kv_xray_field(x, 0, part(bytes, 0, size), "line", "%.*s", (int)size - 1,
                      (const char *)bytes.data);
    }
    return size;
}

// ---- records ----------------------------------------------------------------

static void draw_frame(kv_xray *x, const kv_recordlog_id *id, uint64_t at,
                       kv_slice bytes, const kv_record *record)
{
    const char *more = record->more ? ", and its group goes on" : "";
    if (id->framing == KV_FRAMING_TEXT) {
        kv_slice payload = record->payload;
        uint64_t from = at + payload.len;
        kv_xray_field(x, from, part(bytes, from, record->size - payload.len),
                      "crc@mark", "good; %u bytes were synced before it%s",
                      record->mark, more);
        return;
    }
    uint64_t frame = record->size - record->payload.len;
    kv_xray_field(x, at, part(bytes, at, 4), "crc", "good");
    kv_xray_field(x, at + 4, part(bytes, at + 4, 4), "mark",
                  "%u bytes were synced before it", record->mark);
    kv_xray_field(x, at + 8, part(bytes, at + 8, frame - 8), "size",
                  "%zu bytes of payload%s", record->payload.len, more);
}

static void draw_record(kv_xray *x, const kv_recordlog_id *id, uint64_t at,
                        kv_slice bytes, const kv_record *record,
                        kv_payload_xray *payload)
{
    bool is_closing = record->payload.len == 0;
    bool is_text = id->framing == KV_FRAMING_TEXT;
    uint64_t payload_at =
        is_text ? at : at + record->size - record->payload.len;
    if (!is_text) draw_frame(x, id, at, bytes, record);
    if (!is_closing) payload(x, id, payload_at, record->payload);
    if (is_text) draw_frame(x, id, at, bytes, record);
}

static bool is_zero(kv_slice bytes)
{
    size_t i = 0;
    while (i < bytes.len && bytes.data[i] == 0) i++;
    return i == bytes.len;
}

// What is no record: said once, however long it is.
static uint64_t draw_damage(kv_xray *x, const kv_recordlog_id *id, uint64_t at,
                            kv_slice bytes)
{
    uint64_t next = at + 1;
    kv_record record;
    while (next < bytes.len && !kv_record_decode(part(bytes, next, UINT64_MAX),
                                                 id, next, &record)) {
        next++;
    }
    kv_xray_field(x, at, part(bytes, at, next - at), "?", "no valid record");
    kv_xray_damage(x, at,
                   next < bytes.len
                       ? "%" PRIu64 " bytes are damaged: records follow them"
                       : "the last %" PRIu64 " bytes are a torn tail, or "
                         "damaged",
                   next - at);
    return next;
}

void kv_recordlog_xray(kv_slice bytes, const char *name,
                       kv_payload_xray *payload, kv_xray *x)
{
    kv_recordlog_id id;
    uint64_t number = 0;
    uint64_t at = draw_header(x, bytes, name, &id);
    while (at > 0 && at < bytes.len) {
        kv_record record;
        if (kv_record_decode(part(bytes, at, UINT64_MAX), &id, at, &record)) {
            kv_xray_title(x, at, "record %" PRIu64 "%s", ++number,
                          record.payload.len == 0 ? ": the file was closed here"
                                                  : "");
            draw_record(x, &id, at, bytes, &record, payload);
            at += record.size;
        } else if (is_zero(part(bytes, at, UINT64_MAX))) {
            kv_xray_field(x, at, part(bytes, at, UINT64_MAX), "reserved",
                          "never written: the log was not closed");
            at = bytes.len;
        } else {
            at = draw_damage(x, &id, at, bytes);
        }
    }
}
