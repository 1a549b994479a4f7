// deck.c -- see deck.h.
// SPDX-License-Identifier: MIT

#include "deck.h"

#include <assert.h>

#include "common/mem.h"

#include "gaps.h"

void bt_deck_free(bt_deck *d)
{
    kv_free(d->cells);
    *d = (bt_deck){0};
}

static void make_room(bt_deck *d, size_t extra)
{
    if (d->count + extra <= d->cap) return;
    d->cap = d->cap * 2 + extra;
    d->cells = kv_realloc(d->cells, d->cap * sizeof *d->cells);
}

void bt_deck_add(bt_deck *d, const bt_cell *cell)
{
    make_room(d, 1);
    d->cells[d->count++] = *cell;
}

void bt_deck_add_slots(bt_deck *d, const uint8_t *page, size_t from,
                       size_t limit)
{
    make_room(d, limit - from);
    while (from < limit) bt_cell_read(page, from++, &d->cells[d->count++]);
}

// What all keys have in common is what the first and the last have, since they
// ascend. A prefix that leaves the longest key less than a head would save
// nothing, and cost its own bytes; shorter than that, each byte more of it
// saves at least one elsewhere (K2).
static size_t best_prefix(const bt_deck *d, size_t from, size_t limit)
{
    size_t common = bt_cell_common(&d->cells[from], &d->cells[limit - 1]);
    size_t longest = 0;
    for (size_t i = from; i < limit; i++) {
        size_t len = bt_cell_key_bytes(&d->cells[i]);
        if (len > longest) longest = len;
    }
    size_t most = longest > BT_HEAD_BYTES ? longest - BT_HEAD_BYTES : 0;
    return common < most ? common : most;
}

size_t bt_deck_bytes(const bt_deck *d, size_t from, size_t limit)
{
    size_t prefix = best_prefix(d, from, limit);
    size_t sum = prefix + (limit - from) * BT_SLOT_BYTES;
    for (size_t i = from; i < limit; i++) {
        sum += bt_cell_bytes(&d->cells[i], d->kind, prefix);
    }
    return sum;
}

void bt_deck_write(const bt_deck *d, size_t from, size_t limit, uint8_t *page)
{
    if (from == limit) return;
    size_t prefix = best_prefix(d, from, limit), count = limit - from;
    size_t page_bytes = bt_page_bytes(page), at = page_bytes;
    size_t slots_end = BT_HEADER_BYTES + prefix + count * BT_SLOT_BYTES;
    bt_cell_copy_key(&d->cells[from], 0, prefix, page + BT_HEADER_BYTES);
    uint8_t *slot = page + BT_HEADER_BYTES + prefix;
    for (size_t i = from; i < limit; i++, slot += BT_SLOT_BYTES) {
        const bt_cell *cell = &d->cells[i];
        size_t size = bt_cell_bytes(cell, d->kind, prefix);
        assert(at >= slots_end + size);
        at -= size;
        bt_cell_encode(cell, d->kind, prefix, page + at);
        bt_slot_encode(slot, bt_cell_head(cell, prefix), at);
    }
    bt_set_shape(page, count, prefix, page_bytes - at, 0);
}

// ---- a page that keeps what it has ------------------------------------------

static bool comes_from(const bt_cell *cell, const uint8_t *home)
{
    return cell->prefix.data == bt_prefix(home);
}

// Takes the bytes of the cells that stay; the lowest offset of one.
static size_t take_stayers(const bt_deck *d, size_t from, size_t limit,
                           const uint8_t *home, bt_gaps *gaps)
{
    size_t lowest = bt_page_bytes(home);
    for (size_t i = from; i < limit; i++) {
        const bt_cell *cell = &d->cells[i];
        if (!comes_from(cell, home)) continue;
        size_t size = bt_cell_bytes(cell, d->kind, bt_prefix_bytes(home));
        (void)bt_gaps_take(gaps, cell->offset, cell->offset + size);
        if (cell->offset < lowest) lowest = cell->offset;
    }
    return lowest;
}

bool bt_deck_update(const bt_deck *d, size_t from, size_t limit,
                    const uint8_t *home, uint8_t *page)
{
    size_t prefix = bt_prefix_bytes(home), page_bytes = bt_page_bytes(home);
    size_t slots_end =
        BT_HEADER_BYTES + prefix + (limit - from) * BT_SLOT_BYTES;
    if (best_prefix(d, from, limit) != prefix) return false;
    bt_gaps gaps;
    bt_gaps_init(&gaps, (uint32_t)page_bytes);
    size_t lowest = take_stayers(d, from, limit, home, &gaps), sum = 0;
    if (lowest == page_bytes || lowest < slots_end) return false;
    uint8_t *slot = page + BT_HEADER_BYTES + prefix;
    for (size_t i = from; i < limit; i++, slot += BT_SLOT_BYTES) {
        const bt_cell *cell = &d->cells[i];
        size_t size = bt_cell_bytes(cell, d->kind, prefix), at = cell->offset;
        sum += size;
        if (!comes_from(cell, home)) {
            if (!bt_gaps_find(&gaps, lowest, page_bytes, size, &at)) {
                if (lowest < slots_end + size) return false;
                at = lowest -= size;
            }
            (void)bt_gaps_take(&gaps, at, at + size);
            bt_cell_encode(cell, d->kind, prefix, page + at);
        }
        bt_slot_encode(slot, bt_cell_head(cell, prefix), at);
    }
    size_t heap = page_bytes - lowest;
    bt_set_shape(page, limit - from, prefix, heap, heap - sum);
    return true;
}
