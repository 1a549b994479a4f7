// format_check.c -- see format.h: is this a page? F1 to F7, of any bytes.
// SPDX-License-Identifier: MIT

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "gaps.h"

kv_status bt_page_bad(uint64_t page_id, uint32_t page_bytes, const char *fmt,
                      ...)
{
    char what[160];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    return kv_fail(KV_CORRUPT,
                   "%s: page %" PRIu64 " at offset %" PRIu64
                   " %s; restore the store from a backup",
                   bt_file_name, page_id, page_id * page_bytes, what);
}

// A page that is looked at, and what has been seen of it.
typedef struct view {
    const uint8_t *page;
    uint32_t page_bytes;
    uint64_t page_id; // where it was read from
    bt_kind kind;
    size_t count, heap_from; // of slots; offset of the lowest cell
    size_t cell_bytes;       // of the cells seen
    bt_gaps gaps;
} view;

static kv_status bad(const view *v, size_t at, const char *what)
{
    return kv_fail(KV_CORRUPT, "%s: page %" PRIu64 ", byte %" PRIu64 ": %s",
                   bt_file_name, v->page_id, v->page_id * v->page_bytes + at,
                   what);
}

static kv_status expect_zero(const view *v, size_t from, size_t limit)
{
    while (from < limit && v->page[from] == 0) from++;
    return from == limit ? KV_OK : bad(v, from, "a 0 belongs here"); // F6
}

static bool is_reference(uint64_t page_id)
{
    return page_id >= BT_FIRST_PAGE && page_id <= BT_PAGE_ID_MAX;
}

// ---- F1 ---------------------------------------------------------------------

static kv_status check_header(const view *v)
{
    const uint8_t *page = v->page;
    if (page[6] > 16 || bt_page_bytes(page) != v->page_bytes) {
        return bad(v, 6, "the size of a page of another store");
    }
    if (page[4] < BT_LEAF || page[4] > BT_FREE_LIST) {
        return bad(v, 4, "no kind of page");
    }
    KV_TRY(expect_zero(v, 7, 8));
    if (bt_page_id(page) != v->page_id) {
        return bad(v, 8, "a page that belongs elsewhere");
    }
    unsigned level = bt_level(page);
    if (level > BT_LEVEL_MAX || (level > 0) != (v->kind == BT_INNER)) {
        return bad(v, 5, "a level that this kind of page is not at");
    }
    return KV_OK;
}

// ---- F2 and F3 --------------------------------------------------------------

// Of two suffixes with one head: is `a` below `b`?
static bool is_below(const bt_cell *a, const bt_cell *b)
{
    size_t len = a->rest.len < b->rest.len ? a->rest.len : b->rest.len;
    int c = len > 0 ? memcmp(a->rest.data, b->rest.data, len) : 0;
    return c < 0 || (c == 0 && a->suffix_bytes < b->suffix_bytes);
}

static kv_status check_slot(view *v, size_t i, bt_cell *cell)
{
    const uint8_t *slot = bt_slot(v->page, i);
    size_t at = (size_t)(slot - v->page), offset = bt_slot_offset(slot);
    if (offset < v->heap_from || offset >= v->page_bytes) {
        return bad(v, at + BT_HEAD_BYTES, "a slot that points out of the heap");
    }
    kv_slice bytes = kv_slice_of(v->page + offset, v->page_bytes - offset);
    size_t size = bt_cell_decode(bytes, v->kind, cell);
    if (size == 0) return bad(v, offset, "no cell begins here");
    if (!bt_gaps_take(&v->gaps, offset, offset + size)) {
        return bad(v, offset, "a cell on top of another");
    }
    v->cell_bytes += size;
    cell->head = bt_slot_head(slot);
    uint32_t beyond = cell->suffix_bytes >= BT_HEAD_BYTES
                          ? 0
                          : UINT32_MAX >> 8 * cell->suffix_bytes;
    if ((cell->head & beyond) != 0) {
        return bad(v, at, "a head with more bytes than its key");
    }
    size_t key_bytes = bt_prefix_bytes(v->page) + cell->suffix_bytes;
    if (key_bytes == 0 || key_bytes > bt_key_max(v->page_bytes)) {
        return bad(v, offset, "a key of impossible length"); // F7
    }
    bool refers = v->kind == BT_INNER || cell->value.len < cell->value_bytes;
    if (refers ? !is_reference(cell->page_id) : cell->page_id != 0) {
        return bad(v, offset, "a reference to no page"); // F4
    }
    return KV_OK;
}

static kv_status check_slots(view *v)
{
    bt_cell cells[2];
    for (size_t i = 0; i < v->count; i++) {
        bt_cell *cell = &cells[i % 2], *last = &cells[1 - i % 2];
        KV_TRY(check_slot(v, i, cell));
        if (i == 0 || last->head < cell->head) continue;
        if (last->head > cell->head || !is_below(last, cell)) {
            return bad(v, (size_t)(bt_slot(v->page, i) - v->page),
                       "a key that is not above the one before it");
        }
    }
    return KV_OK;
}

// ---- the same of a whole page -----------------------------------------------

// A cell whose lengths take a byte each: how long it is, and the suffix of its
// key. False if it is another one, or none.
static bool measure(const view *v, const uint8_t *cell, size_t *suffix,
                    size_t *size)
{
    if ((cell[0] & 0x81) != 0) return false;
    *suffix = cell[0] / 2;
    if (v->kind == BT_INNER) {
        *size = 1 + BT_CELL_ID_BYTES + bt_rest_bytes(*suffix);
        return is_reference(bt_get_u40(cell + 1));
    }
    *size = 2 + bt_rest_bytes(*suffix) + cell[1];
    return cell[1] < 0x80;
}

static bool slots_ascend(const view *v, size_t i)
{
    bt_cell last, cell;
    bt_cell_read(v->page, i - 1, &last);
    bt_cell_read(v->page, i, &cell);
    return is_below(&last, &cell);
}

// Nearly every page passes here, where the questions of check_slot are asked in
// one short loop without taking cells apart. What stumbles may still be good,
// with longer values, say: check_slots tells, and knows the sentence.
static bool are_plain(view *v)
{
    const uint8_t *page = v->page, *slot = bt_slot(page, 0);
    size_t prefix = bt_prefix_bytes(page), sum = 0;
    size_t least = v->kind == BT_INNER ? 1 + BT_CELL_ID_BYTES : 2;
    uint32_t last = 0;                                               // head
    if (prefix + 0x80 / 2 > bt_key_max(v->page_bytes)) return false; // F7
    for (size_t i = 0; i < v->count; i++, slot += BT_SLOT_BYTES) {
        size_t at = bt_slot_offset(slot), suffix, size;
        uint32_t head = bt_slot_head(slot);
        if (at < v->heap_from || at + least > v->page_bytes ||
            !measure(v, page + at, &suffix, &size) ||
            size > v->page_bytes - at) {
            return false;
        }
        if (suffix < BT_HEAD_BYTES &&
            (prefix + suffix == 0 || head << 8 * suffix != 0)) {
            return false;
        }
        if (i > 0 && head <= last && (head < last || !slots_ascend(v, i))) {
            return false; // F2
        }
        last = head;
        sum += size;
        if (!bt_gaps_take(&v->gaps, at, at + size)) return false; // F3
    }
    return sum + bt_dead_bytes(page) == v->page_bytes - v->heap_from;
}

static kv_status check_tree_page(view *v)
{
    const uint8_t *page = v->page;
    v->count = bt_count(page);
    size_t prefix = bt_prefix_bytes(page), heap = bt_heap_bytes(page);
    if (BT_HEADER_BYTES + prefix + v->count * BT_SLOT_BYTES + heap >
        v->page_bytes) {
        return bad(v, 32, "more slots and cells than fit");
    }
    bool is_inner = v->kind == BT_INNER;
    if (is_inner ? !is_reference(bt_link(page)) : bt_link(page) != 0) {
        return bad(v, 24, "a reference to no page"); // F4
    }
    v->heap_from = v->page_bytes - heap;
    bt_gaps_init(&v->gaps, v->page_bytes);
    if (are_plain(v)) return KV_OK;
    bt_gaps_init(&v->gaps, v->page_bytes);
    KV_TRY(check_slots(v));
    if (v->cell_bytes + bt_dead_bytes(page) != heap) {
        return bad(v, 38, "a wrong count of dead bytes");
    }
    return KV_OK;
}

// ---- F5 ---------------------------------------------------------------------

static kv_status check_overflow(const view *v)
{
    size_t capacity = bt_overflow_capacity(v->page_bytes);
    size_t here = bt_count(v->page), rest = bt_overflow_rest(v->page);
    bool is_last = bt_link(v->page) == 0;
    if (here == 0 || here > capacity || rest > BT_VALUE_MAX ||
        (is_last ? rest != here : here != capacity || rest <= here)) {
        return bad(v, 32, "lengths that no part of a value has");
    }
    if (!is_last && !is_reference(bt_link(v->page))) {
        return bad(v, 24, "a reference to no page"); // F4
    }
    KV_TRY(expect_zero(v, 34, 36));
    return expect_zero(v, BT_HEADER_BYTES + here, v->page_bytes);
}

static kv_status check_free_list(const view *v)
{
    size_t count = bt_count(v->page),
           capacity = bt_free_capacity(v->page_bytes);
    if (count > capacity) return bad(v, 32, "more page ids than fit");
    if (bt_link(v->page) != 0 && !is_reference(bt_link(v->page))) {
        return bad(v, 24, "a reference to no page"); // F4
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_reference(bt_free_get(v->page, i))) {
            return bad(v, BT_HEADER_BYTES + 8 * i, "a reference to no page");
        }
    }
    KV_TRY(expect_zero(v, 34, BT_HEADER_BYTES));
    return expect_zero(v, BT_HEADER_BYTES + 8 * count, v->page_bytes);
}

kv_status bt_page_check(const uint8_t *page, uint32_t page_bytes,
                        uint64_t page_id)
{
    view v;
    v.page = page;
    v.page_bytes = page_bytes;
    v.page_id = page_id;
    v.kind = bt_kind_of(page);
    v.cell_bytes = 0;
    KV_TRY(check_header(&v));
    if (v.kind == BT_OVERFLOW) return check_overflow(&v);
    if (v.kind == BT_FREE_LIST) return check_free_list(&v);
    return check_tree_page(&v);
}

kv_status bt_page_verify(const uint8_t *page, uint32_t page_bytes,
                         uint64_t page_id, uint64_t store_id)
{
    if (kv_get_u32(page) != bt_page_checksum(page, page_bytes, store_id)) {
        return kv_fail(KV_CORRUPT,
                       "%s: page %" PRIu64 ", byte %" PRIu64 ": a bad checksum",
                       bt_file_name, page_id, page_id * page_bytes);
    }
    if (page[4] == BT_INNER && bt_count(page) == 0) { // F8
        return kv_fail(KV_CORRUPT,
                       "%s: page %" PRIu64 ", byte %" PRIu64
                       ": an inner page of one child",
                       bt_file_name, page_id, page_id * page_bytes + 32);
    }
    return bt_page_check(page, page_bytes, page_id);
}
