// format_log.c -- see format_log.h.
// SPDX-License-Identifier: MIT

#include "format_log.h"

#include <assert.h>

static void put_number(kv_buf *to, uint64_t n)
{
    kv_buf_reserve(to, KV_VARINT_MAX);
    to->len += kv_put_varint(to->data + to->len, n);
}

static void put_kind(kv_buf *to, bt_item_kind kind)
{
    uint8_t byte = (uint8_t)kind;
    kv_buf_append(to, kv_slice_of(&byte, 1));
}

// ---- commit and shape -------------------------------------------------------

void bt_item_put_commit(kv_buf *to, uint64_t number, uint64_t key_count)
{
    put_kind(to, BT_ITEM_COMMIT);
    put_number(to, number);
    put_number(to, key_count);
}

void bt_item_put_shape(kv_buf *to, const bt_shape *shape)
{
    put_kind(to, BT_ITEM_SHAPE);
    put_number(to, shape->root);
    put_number(to, shape->page_count);
    put_number(to, shape->free_list);
    put_number(to, shape->free_count);
}

// ---- images -----------------------------------------------------------------

// The bytes of a page that mean nothing.
static void hole_of(const uint8_t *page, size_t *from, size_t *to)
{
    *from = BT_HEADER_BYTES;
    *to = bt_page_bytes(page);
    switch (bt_kind_of(page)) {
    case BT_LEAF:
    case BT_INNER:
        *from += bt_prefix_bytes(page) + bt_count(page) * BT_SLOT_BYTES;
        *to -= bt_heap_bytes(page);
        break;
    case BT_OVERFLOW:
        *from += bt_overflow_bytes(page).len;
        break;
    case BT_FREE_LIST:
        *from += bt_count(page) * 8;
        break;
    }
    assert(*from <= *to);
}

void bt_item_put_image(kv_buf *to, uint8_t *page)
{
    size_t from, limit, page_bytes = bt_page_bytes(page);
    hole_of(page, &from, &limit);
    memset(page + from, 0, limit - from);
    put_kind(to, BT_ITEM_IMAGE);
    put_number(to, bt_page_id(page));
    put_number(to, from);
    put_number(to, limit);
    kv_buf_append(to, kv_slice_of(page, from));
    kv_buf_append(to, kv_slice_of(page + limit, page_bytes - limit));
}

// ---- patches ----------------------------------------------------------------

// Runs that are so close are one: two numbers cost about as much.
enum { BLOCK = 256, WORD = 8, CHECKSUM_BYTES = 4 };

// The first byte from `at` on in which the pages differ; `limit` if none. Most
// of a page is as it was: large blocks are compared first, and only the one
// that is different word by word.
static size_t find_difference(const uint8_t *a, const uint8_t *b, size_t at,
                              size_t limit)
{
    while (limit - at >= BLOCK && memcmp(a + at, b + at, BLOCK) == 0) {
        at += BLOCK;
    }
    while (limit - at >= WORD && memcmp(a + at, b + at, WORD) == 0) at += WORD;
    while (at < limit && a[at] == b[at]) at++;
    return at;
}

// The end of a run: where WORD bytes in a row are the same. Every WORD-th byte
// is looked at, so that a stretch of twice that length is always found.
static size_t find_agreement(const uint8_t *a, const uint8_t *b, size_t at,
                             size_t limit)
{
    while (limit - at >= WORD && memcmp(a + at, b + at, WORD) != 0) at += WORD;
    if (limit - at < WORD) at = limit;
    while (a[at - 1] == b[at - 1]) at--; // ends: the run begins different
    return at;
}

// Runs being appended.
typedef struct runs {
    kv_buf *to;
    uint64_t count;
    size_t end; // of the run before
} runs;

static void put_run(runs *r, const uint8_t *page, size_t from, size_t limit)
{
    put_number(r->to, from - r->end);
    put_number(r->to, limit - from);
    kv_buf_append(r->to, kv_slice_of(page + from, limit - from));
    r->end = limit;
    r->count++;
}

// Appends the runs between from and limit.
static void put_runs(runs *r, const uint8_t *base, const uint8_t *page,
                     size_t from, size_t limit)
{
    size_t at = find_difference(base, page, from, limit);
    while (at < limit) {
        size_t end = find_agreement(base, page, at, limit);
        put_run(r, page, at, end);
        at = find_difference(base, page, end, limit);
    }
}

static uint64_t put_all_runs(kv_buf *to, const uint8_t *base,
                             const uint8_t *page, const bt_touched *touched)
{
    bt_touched all = {.count = 1, .limit = {bt_page_bytes(page)}};
    runs r = {.to = to};
    if (touched == NULL) touched = &all;
    for (size_t i = 0; i < touched->count; i++) {
        size_t from = touched->from[i];
        if (from == 0) from = CHECKSUM_BYTES; // set when it is written
        put_runs(&r, base, page, from, touched->limit[i]);
    }
    return r.count;
}

void bt_item_put_patch(kv_buf *to, const uint8_t *base, uint8_t *page,
                       const bt_touched *touched)
{
    size_t begin = to->len, page_bytes = bt_page_bytes(page), from, limit;
    put_kind(to, BT_ITEM_PATCH);
    put_number(to, bt_page_id(page));
    size_t count_at = to->len;
    put_number(to, page_bytes / 2); // room for any count; see below
    size_t runs_at = to->len;
    uint64_t count = put_all_runs(to, base, page, touched);
    hole_of(page, &from, &limit);
    if (to->len - begin >= page_bytes - (limit - from)) {
        to->len = begin;
        bt_item_put_image(to, page);
        return;
    }
    // The count came last and stands first.
    size_t size = kv_put_varint(to->data + count_at, count);
    memmove(to->data + count_at + size, to->data + runs_at, to->len - runs_at);
    to->len -= runs_at - count_at - size;
}

// ---- what was written -------------------------------------------------------

void bt_item_put_written(kv_buf *to, size_t count)
{
    put_kind(to, BT_ITEM_WRITTEN);
    put_number(to, count);
}

void bt_item_put_written_page(kv_buf *to, uint64_t page_id, uint64_t number,
                              uint32_t checksum)
{
    uint8_t bytes[4];
    put_number(to, page_id);
    put_number(to, number);
    kv_put_u32(bytes, checksum);
    kv_buf_append(to, kv_slice_of(bytes, sizeof bytes));
}

bool bt_item_next_written(bt_item *item, bt_written *out)
{
    kv_slice from = item->bytes;
    size_t id = kv_get_varint(from, &out->page_id);
    if (item->count == 0 || id == 0) return false;
    from = kv_slice_of(from.data + id, from.len - id);
    size_t number = kv_get_varint(from, &out->number);
    if (number == 0 || from.len - number < 4) return false;
    out->checksum = kv_get_u32(from.data + number);
    number += 4;
    item->bytes = kv_slice_of(from.data + number, from.len - number);
    item->count--;
    return true;
}

// ---- decoding ---------------------------------------------------------------

// Takes a number off the front.
static bool get_number(kv_slice *from, uint64_t *n)
{
    size_t size = kv_get_varint(*from, n);
    *from = kv_slice_of(from->data + size, from->len - size);
    return size > 0;
}

static bool get_bytes(kv_slice *from, uint64_t count)
{
    if (count > from->len) return false;
    *from = kv_slice_of(from->data + count, from->len - count);
    return true;
}

static bool get_runs(kv_slice *from, uint64_t count, uint64_t page_bytes)
{
    uint64_t at = 0, skip, length;
    for (uint64_t i = 0; i < count; i++) {
        if (!get_number(from, &skip) || !get_number(from, &length))
            return false;
        if (skip > page_bytes - at || length > page_bytes - at - skip) {
            return false;
        }
        at += skip + length;
        if (length == 0 || !get_bytes(from, length)) return false;
    }
    return true;
}

static bool get_written(kv_slice *from, const bt_item *item)
{
    bt_item rest = *item;
    rest.bytes = *from;
    bt_written each;
    while (rest.count > 0) {
        if (!bt_item_next_written(&rest, &each)) return false;
    }
    *from = rest.bytes;
    return true;
}

static bool get_page_item(kv_slice *from, uint32_t page_bytes, bt_item *item)
{
    if (!get_number(from, &item->page_id)) return false;
    if (item->kind == BT_ITEM_PATCH) {
        if (!get_number(from, &item->count)) return false;
        item->bytes = *from;
        return get_runs(from, item->count, page_bytes);
    }
    if (!get_number(from, &item->hole_from) ||
        !get_number(from, &item->hole_to) || item->hole_from > item->hole_to ||
        item->hole_to > page_bytes) {
        return false;
    }
    item->bytes = *from;
    return get_bytes(from, page_bytes - (item->hole_to - item->hole_from));
}

static bool get_item(kv_slice *from, uint32_t page_bytes, bt_item *item)
{
    bt_shape *shape = &item->shape;
    switch (item->kind) {
    case BT_ITEM_COMMIT:
        return get_number(from, &item->number) &&
               get_number(from, &shape->key_count);
    case BT_ITEM_SHAPE:
        return get_number(from, &shape->root) &&
               get_number(from, &shape->page_count) &&
               get_number(from, &shape->free_list) &&
               get_number(from, &shape->free_count);
    case BT_ITEM_IMAGE:
    case BT_ITEM_PATCH:
        return get_page_item(from, page_bytes, item);
    case BT_ITEM_WRITTEN:
        if (!get_number(from, &item->count)) return false;
        item->bytes = *from;
        return get_written(from, item);
    }
    return false;
}

size_t bt_item_decode(kv_slice from, uint32_t page_bytes, bt_item *out)
{
    if (from.len == 0) return 0;
    bt_item item = {.kind = (bt_item_kind)from.data[0]};
    kv_slice rest = kv_slice_of(from.data + 1, from.len - 1);
    if (!get_item(&rest, page_bytes, &item)) return 0;
    if (item.kind >= BT_ITEM_IMAGE) {
        item.bytes.len = (size_t)(rest.data - item.bytes.data);
    }
    *out = item;
    return from.len - rest.len;
}

void bt_item_apply(const bt_item *item, uint32_t page_bytes, uint8_t *page)
{
    kv_slice from = item->bytes;
    if (item->kind == BT_ITEM_IMAGE) {
        size_t hole_from = (size_t)item->hole_from;
        size_t hole_to = (size_t)item->hole_to;
        memcpy(page, from.data, hole_from);
        memset(page + hole_from, 0, hole_to - hole_from);
        memcpy(page + hole_to, from.data + hole_from, page_bytes - hole_to);
        return;
    }
    uint8_t *at = page;
    for (uint64_t i = 0; i < item->count; i++) {
        uint64_t skip = 0, length = 0;
        (void)get_number(&from, &skip);
        (void)get_number(&from, &length);
        at += skip;
        memcpy(at, from.data, length);
        at += length;
        (void)get_bytes(&from, length);
    }
}
