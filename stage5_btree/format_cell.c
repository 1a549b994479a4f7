// format_cell.c -- see format.h: slots and cells.
// SPDX-License-Identifier: MIT

#include <assert.h>

#include "format.h"

static void put_u40(uint8_t *to, uint64_t n)
{
    kv_put_u32(to, (uint32_t)n);
    to[4] = (uint8_t)(n >> 32);
}

// ---- a cell in memory -------------------------------------------------------

bt_cell bt_cell_of(kv_slice key, kv_slice value)
{
    return (bt_cell){
        .prefix = key, .value = value, .value_bytes = (uint32_t)value.len};
}

bt_cell bt_cell_of_overflow(kv_slice key, uint64_t page_id,
                            uint32_t value_bytes)
{
    assert(page_id != 0 && value_bytes > 0);
    return (bt_cell){
        .prefix = key, .page_id = page_id, .value_bytes = value_bytes};
}

bt_cell bt_cell_of_child(kv_slice key, uint64_t child)
{
    return (bt_cell){.prefix = key, .page_id = child};
}

static uint8_t head_byte(uint32_t head, size_t i)
{
    return (uint8_t)(head >> (24 - 8 * i));
}

static uint8_t key_byte(const bt_cell *cell, size_t i)
{
    if (i < cell->prefix.len) return cell->prefix.data[i];
    i -= cell->prefix.len;
    return i < BT_HEAD_BYTES ? head_byte(cell->head, i)
                             : cell->rest.data[i - BT_HEAD_BYTES];
}

void bt_cell_copy_key(const bt_cell *cell, size_t from, size_t limit,
                      uint8_t *to)
{
    size_t rest_at = cell->prefix.len + BT_HEAD_BYTES;
    size_t i = from;
    if (i < limit && i < cell->prefix.len) {
        size_t end = limit < cell->prefix.len ? limit : cell->prefix.len;
        memcpy(to, cell->prefix.data + i, end - i);
        i = end;
    }
    for (; i < limit && i < rest_at; i++) to[i - from] = key_byte(cell, i);
    if (i < limit) {
        memcpy(to + (i - from), cell->rest.data + (i - rest_at), limit - i);
    }
}

void bt_cell_key(const bt_cell *cell, kv_buf *to)
{
    kv_buf_reserve(to, cell->prefix.len + BT_HEAD_BYTES + cell->rest.len);
    uint8_t *at = to->data + to->len;
    if (cell->prefix.len > 0) memcpy(at, cell->prefix.data, cell->prefix.len);
    bt_cell_put_suffix(cell, at + cell->prefix.len);
    to->len += bt_cell_key_bytes(cell);
}

uint32_t bt_cell_head(const bt_cell *cell, size_t prefix_bytes)
{
    if (prefix_bytes == cell->prefix.len) return cell->head;
    size_t len = bt_cell_key_bytes(cell);
    uint32_t head = 0;
    for (size_t i = 0; i < BT_HEAD_BYTES; i++) {
        size_t at = prefix_bytes + i;
        head = head << 8 | (at < len ? key_byte(cell, at) : 0);
    }
    return head;
}

size_t bt_cell_common(const bt_cell *a, const bt_cell *b)
{
    size_t len = bt_cell_key_bytes(a), b_len = bt_cell_key_bytes(b);
    if (b_len < len) len = b_len;
    // Cells of one page have its prefix in common.
    size_t i = 0;
    if (a->prefix.data == b->prefix.data && a->prefix.len == b->prefix.len) {
        i = a->prefix.len;
    }
    while (i < len && key_byte(a, i) == key_byte(b, i)) i++;
    return i;
}

bool bt_cell_is_below(const bt_cell *a, const bt_cell *b)
{
    size_t common = bt_cell_common(a, b);
    if (common == bt_cell_key_bytes(b)) return false;
    if (common == bt_cell_key_bytes(a)) return true;
    return key_byte(a, common) < key_byte(b, common);
}

// ---- a cell as bytes --------------------------------------------------------

void bt_slot_encode(uint8_t *slot, uint32_t head, size_t offset)
{
    kv_put_u32(slot, head);
    kv_put_u16(slot + BT_HEAD_BYTES, (uint16_t)offset);
}

static bool is_overflow(const bt_cell *cell, bt_kind kind)
{
    return kind == BT_LEAF && cell->page_id != 0;
}

size_t bt_cell_bytes(const bt_cell *cell, bt_kind kind, size_t prefix_bytes)
{
    size_t suffix = bt_cell_key_bytes(cell) - prefix_bytes;
    size_t size = kv_varint_size(suffix * 2) + bt_rest_bytes(suffix);
    if (kind == BT_INNER) return size + BT_CELL_ID_BYTES;
    size += kv_varint_size(cell->value_bytes);
    return size +
           (is_overflow(cell, kind) ? BT_CELL_ID_BYTES : cell->value.len);
}

void bt_cell_encode(const bt_cell *cell, bt_kind kind, size_t prefix_bytes,
                    uint8_t *to)
{
    size_t len = bt_cell_key_bytes(cell);
    size_t suffix = len - prefix_bytes;
    to += kv_put_varint(to, suffix * 2 + is_overflow(cell, kind));
    if (kind == BT_INNER) {
        put_u40(to, cell->page_id);
        to += BT_CELL_ID_BYTES;
    } else {
        to += kv_put_varint(to, cell->value_bytes);
    }
    size_t rest = bt_rest_bytes(suffix);
    bt_cell_copy_key(cell, len - rest, len, to);
    to += rest;
    if (is_overflow(cell, kind)) {
        put_u40(to, cell->page_id);
    } else if (kind == BT_LEAF && cell->value.len > 0) {
        memcpy(to, cell->value.data, cell->value.len);
    }
}

// ---- a cell of a page -------------------------------------------------------

size_t bt_cell_size(const uint8_t *page, size_t slot)
{
    bt_cell cell;
    return bt_cell_decode(bt_slot_bytes(page, slot), bt_kind_of(page), &cell);
}

void bt_cell_set_child(uint8_t *page, size_t slot, uint64_t child)
{
    uint8_t *cell = page + bt_slot_offset(bt_slot(page, slot));
    while (*cell >= 0x80) cell++; // the suffix's length
    put_u40(cell + 1, child);
}
