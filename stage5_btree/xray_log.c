// xray_log.c -- the write-ahead log with its meaning beside it; see xray.h.
// SPDX-License-Identifier: MIT

#include <inttypes.h>

#include "common/recordlog_xray.h"

#include "format_log.h"
#include "xray.h"

// An item's bytes and where they are; `at` goes through them.
typedef struct strip {
    kv_xray *x;
    const uint8_t *from; // stands at `offset` in the file
    uint64_t offset;
    kv_slice rest; // what is not drawn yet
} strip;

static uint64_t offset_of(const strip *s)
{
    return s->offset + (uint64_t)(s->rest.data - s->from);
}

// Goes on by `len` bytes; returns them.
static kv_slice take(strip *s, size_t len)
{
    kv_slice taken = kv_slice_of(s->rest.data, len);
    s->rest = kv_slice_of(s->rest.data + len, s->rest.len - len);
    return taken;
}

static uint64_t take_number(strip *s)
{
    uint64_t n = 0;
    take(s, kv_get_varint(s->rest, &n));
    return n;
}

static void draw_shape(strip *s, kv_slice bytes, const bt_shape *shape)
{
    kv_xray_field(s->x, offset_of(s), bytes, "shape",
                  "root page %" PRIu64 ", %" PRIu64
                  " pages, free list from page %" PRIu64 " with %" PRIu64,
                  shape->root, shape->page_count, shape->free_list,
                  shape->free_count);
}

// Each run of a patch: which bytes of the page become which.
static void draw_runs(strip *s, uint64_t count)
{
    uint64_t at = 0;
    for (uint64_t i = 0; i < count; i++) {
        at += take_number(s);
        uint64_t length = take_number(s), offset = offset_of(s);
        kv_xray_field(s->x, offset, take(s, (size_t)length), "run",
                      "bytes %" PRIu64 " to %" PRIu64 " of the page", at,
                      at + length - 1);
        at += length;
    }
}

static void draw_written(strip *s, bt_item item)
{
    bt_written each;
    while (item.count > 0) {
        kv_slice before = item.bytes;
        if (!bt_item_next_written(&item, &each)) return;
        uint64_t offset = offset_of(s);
        kv_slice bytes = take(s, before.len - item.bytes.len);
        kv_xray_field(s->x, offset, bytes, "page",
                      "%" PRIu64 " of commit %" PRIu64 ", checksum %08" PRIx32,
                      each.page_id, each.number, each.checksum);
    }
}

// A page's item: its numbers as one field, then what they are about.
static void draw_page_item(strip *s, const bt_item *item)
{
    size_t head = (size_t)(item->bytes.data - s->rest.data);
    uint64_t offset = offset_of(s);
    kv_slice bytes = take(s, head);
    if (item->kind == BT_ITEM_PATCH) {
        kv_xray_field(s->x, offset, bytes, "patch",
                      "page %" PRIu64 ", %" PRIu64 " runs", item->page_id,
                      item->count);
        draw_runs(s, item->count);
        return;
    }
    kv_xray_field(s->x, offset, bytes, "image",
                  "page %" PRIu64 ", all but bytes %" PRIu64 " to %" PRIu64,
                  item->page_id, item->hole_from, item->hole_to);
    offset = offset_of(s);
    kv_xray_field(s->x, offset, take(s, item->bytes.len), "bytes",
                  "of the page");
}

static void draw_item(strip *s, size_t size, const bt_item *item)
{
    kv_slice bytes = kv_slice_of(s->rest.data, size);
    switch (item->kind) {
    case BT_ITEM_COMMIT:
        kv_xray_field(s->x, offset_of(s), bytes, "commit",
                      "number %" PRIu64 "; the store has %" PRIu64 " keys then",
                      item->number, item->shape.key_count);
        break;
    case BT_ITEM_SHAPE:
        draw_shape(s, bytes, &item->shape);
        break;
    case BT_ITEM_IMAGE:
    case BT_ITEM_PATCH:
        draw_page_item(s, item);
        return;
    case BT_ITEM_WRITTEN:
        bytes.len = (size_t)(item->bytes.data - bytes.data);
        kv_xray_field(s->x, offset_of(s), bytes, "written",
                      "%" PRIu64 " pages are about to be", item->count);
        take(s, bytes.len);
        draw_written(s, *item);
        return;
    }
    take(s, size);
}

// Reads an item without being told how long a page is: an image says so itself
// in the page's header, and patches fit any page.
static size_t decode(kv_slice from, bt_item *item)
{
    size_t size = bt_item_decode(from, BT_PAGE_MAX, item);
    if (size > 0 && item->kind != BT_ITEM_IMAGE) return size;
    for (uint32_t bytes = BT_PAGE_MIN; bytes <= BT_PAGE_MAX; bytes *= 2) {
        size = bt_item_decode(from, bytes, item);
        if (size > 0 && item->hole_from >= BT_HEADER_BYTES &&
            item->bytes.data[6] < 32 &&
            bt_page_bytes(item->bytes.data) == bytes) {
            return size;
        }
    }
    return 0;
}

static void draw_payload(kv_xray *x, const kv_recordlog_id *id, uint64_t offset,
                         kv_slice payload)
{
    (void)id;
    strip s = {.x = x, .from = payload.data, .offset = offset, .rest = payload};
    bt_item item;
    while (s.rest.len > 0) {
        size_t size = decode(s.rest, &item);
        if (size == 0) {
            kv_xray_damage(x, offset_of(&s), "no item of a log begins here");
            return;
        }
        draw_item(&s, size, &item);
    }
}

void bt_xray_log(kv_slice file, const char *name, kv_xray *x)
{
    kv_recordlog_xray(file, name, draw_payload, x);
}

kv_status bt_xray(kv_disk *disk, const char *file, kv_xray *x)
{
    kv_buf bytes = {0};
    kv_status st = kv_xray_read(disk, file, &bytes);
    if (st == KV_OK && strcmp(file, bt_file_name) == 0) {
        bt_xray_pages(kv_buf_slice(&bytes), x);
    } else if (st == KV_OK && strcmp(file, bt_trace_name) == 0) {
        kv_xray_title(x, 0, "%s was made, and has to be there", bt_file_name);
    } else if (st == KV_OK) {
        bt_xray_log(kv_buf_slice(&bytes), file, x);
    }
    kv_buf_free(&bytes);
    return st;
}
