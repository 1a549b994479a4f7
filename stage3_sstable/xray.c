// xray.c -- segments, logs and the catalog, field by field; see look.h.
// SPDX-License-Identifier: MIT

#include <inttypes.h>

#include "common/recordlog_xray.h"

#include "look.h"

// ---- record logs ------------------------------------------------------------

static void draw_text_payload(kv_xray *x, const kv_recordlog_id *id,
                              uint64_t offset, kv_slice payload)
{
    (void)id;
    kv_quoted q;
    kv_xray_field(x, offset, payload, "line", "%s", kv_quote(&q, payload));
}

static void draw_entry(kv_xray *x, uint64_t offset, kv_slice bytes,
                       const sst_entry *entry)
{
    kv_quoted key, value;
    kv_xray_field(x, offset, bytes, entry->is_tombstone ? "tombstone" : "entry",
                  entry->is_tombstone ? "%s%s" : "%s = %s",
                  kv_quote(&key, entry->key),
                  entry->is_tombstone ? "" : kv_quote(&value, entry->value));
}

static void draw_log_payload(kv_xray *x, const kv_recordlog_id *id,
                             uint64_t offset, kv_slice payload)
{
    sst_entry entry;
    kv_buf room = {0};
    if (id->framing == KV_FRAMING_TEXT) {
        draw_text_payload(x, id, offset, payload);
    } else if (sst_codec_binary.get_entry(payload, &room, &entry) ==
               payload.len) {
        draw_entry(x, offset, payload, &entry);
    } else {
        kv_xray_field(x, offset, payload, "payload", "no entry");
        kv_xray_damage(x, offset, "a record that holds no entry");
    }
}

// ---- segments ---------------------------------------------------------------

typedef struct film {
    kv_xray *x;
    kv_slice file;
    const sst_codec *codec;
    sst_segment_id id;
    kv_buf room;
} film;

static kv_slice part(kv_slice bytes, uint64_t from, uint64_t size)
{
    return kv_slice_of(bytes.data + from, (size_t)size);
}

static void draw_check(film *f, uint64_t offset, kv_slice whole)
{
    kv_slice body;
    bool is_good = sst_get_check(f->codec, whole, &f->id, offset, &body);
    uint64_t at = whole.len - f->codec->check_bytes;
    kv_xray_field(f->x, offset + at, part(whole, at, f->codec->check_bytes),
                  "crc", is_good ? "good" : "does not match");
    if (!is_good) kv_xray_damage(f->x, offset, "a bad checksum ends this part");
}

static void draw_interval(film *f, uint64_t offset, uint64_t size, size_t i)
{
    kv_slice whole = part(f->file, offset, size);
    kv_xray_title(f->x, offset, "interval %zu: %" PRIu64 " bytes", i, size);
    if (size < f->codec->check_bytes) return;
    uint64_t end = size - f->codec->check_bytes;
    for (uint64_t at = 0; at < end;) {
        sst_entry entry;
        kv_slice rest = part(whole, at, end - at);
        kv_buf_clear(&f->room);
        kv_buf_reserve(&f->room, rest.len);
        size_t taken = f->codec->get_entry(rest, &f->room, &entry);
        if (taken == 0) {
            kv_xray_damage(f->x, offset + at, "no entry begins here");
            break;
        }
        draw_entry(f->x, offset + at, part(rest, 0, taken), &entry);
        at += taken;
    }
    draw_check(f, offset, whole);
}

// The index, and before each of its lines the interval that it leads to.
static void draw_index(film *f, const sst_footer *footer, uint64_t data_from)
{
    kv_slice index = part(f->file, footer->index_offset, footer->index_size);
    uint64_t data_at = data_from, at = 0;
    kv_buf keys = {0};
    kv_quoted q;
    sst_index_entry line;
    for (size_t i = 0; data_at < footer->index_offset; i++) {
        kv_slice rest = part(index, at, index.len - at);
        kv_buf_clear(&keys);
        kv_buf_reserve(&keys, rest.len);
        size_t taken = f->codec->get_index_entry(rest, &keys, &line);
        if (taken == 0 || line.size == 0 ||
            line.size > footer->index_offset - data_at) {
            kv_xray_damage(f->x, footer->index_offset + at,
                           "no line of an index begins here");
            break;
        }
        draw_interval(f, data_at, line.size, i);
        kv_xray_field(
            f->x, footer->index_offset + at, part(rest, 0, taken), "index",
            "interval %zu at %" PRIu64 ": %" PRIu64 " bytes from the key %s", i,
            data_at, line.size, kv_quote(&q, line.first_key));
        data_at += line.size;
        at += taken;
    }
    kv_slice last;
    kv_slice rest = part(index, at, index.len - at);
    kv_buf_clear(&keys);
    kv_buf_reserve(&keys, rest.len);
    size_t taken = f->codec->get_last_key(rest, &keys, &last);
    kv_xray_field(f->x, footer->index_offset + at, part(rest, 0, taken),
                  "last key", "%s", taken > 0 ? kv_quote(&q, last) : "?");
    draw_check(f, footer->index_offset, index);
    kv_buf_free(&keys);
}

static void draw_segment(film *f)
{
    kv_xray_title(f->x, 0, "segment, %zu bytes", f->file.len);
    f->codec = sst_codec_of(f->file);
    size_t header = f->codec ? f->codec->get_header(f->file, &f->id) : 0;
    if (header == 0) {
        kv_xray_damage(f->x, 0, "no segment's header");
        return;
    }
    kv_xray_field(f->x, 0, part(f->file, 0, header), "header",
                  "%s, segment %" PRIu64 " of store %016" PRIx64,
                  f->codec == &sst_codec_text ? "text" : "binary", f->id.number,
                  f->id.store_id);
    size_t size = f->codec->footer_bytes;
    uint64_t at = f->file.len > header + size ? f->file.len - size : 0;
    sst_footer footer;
    if (at == 0 ||
        f->codec->get_footer(part(f->file, at, size), &footer,
                             sst_check_seed(&f->id, at)) == 0 ||
        footer.index_offset < header || footer.index_offset > at ||
        footer.index_size != at - footer.index_offset) {
        kv_xray_damage(f->x, at, "no valid footer ends the file");
        return;
    }
    draw_index(f, &footer, header);
    kv_xray_field(f->x, at, part(f->file, at, size), "footer",
                  "index at %" PRIu64 ", %" PRIu64 " entries, %" PRIu64
                  " tombstones; good",
                  footer.index_offset, footer.entry_count,
                  footer.tombstone_count);
}

kv_status sst_xray(kv_disk *disk, const char *file, kv_xray *xray)
{
    kv_buf bytes = {0};
    kv_status st = kv_xray_read(disk, file, &bytes);
    size_t len = strlen(file);
    bool is_log = len > 4 && strcmp(file + len - 4, ".log") == 0;
    if (st == KV_OK && is_log) {
        kv_recordlog_xray(kv_buf_slice(&bytes), file, draw_log_payload, xray);
    } else if (st == KV_OK && strcmp(file, sst_catalog_name) == 0) {
        kv_recordlog_xray(kv_buf_slice(&bytes), file, draw_text_payload, xray);
    } else if (st == KV_OK) {
        film f = {.x = xray, .file = kv_buf_slice(&bytes)};
        draw_segment(&f);
        kv_buf_free(&f.room);
    }
    kv_buf_free(&bytes);
    return st;
}
