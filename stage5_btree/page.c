// page.c -- see page.h.
// SPDX-License-Identifier: MIT

#include "page.h"

#include <assert.h>

#include "common/mem.h"

#include "deck.h"
#include "gaps.h"

// ---- searching --------------------------------------------------------------

// The part of a key behind a page's prefix, and its head.
typedef struct wanted {
    kv_slice suffix;
    uint32_t head;
} wanted;

static wanted wanted_of(kv_slice suffix)
{
    return (wanted){suffix, bt_head_of(suffix)};
}

// The first of `count` slots whose head is not below `head`. Written so that
// the compiler needs no jump: which half comes next is as good as chance, and a
// jump guessed wrongly costs more than the step.
static size_t first_head(const uint8_t *slots, size_t count, uint32_t head)
{
    size_t first = 0;
    while (count > 1) {
        size_t half = count / 2;
        uint32_t below =
            bt_slot_head(slots + (first + half - 1) * BT_SLOT_BYTES);
        first = below < head ? first + half : first;
        count -= half;
    }
    return first +
           (count == 1 && bt_slot_head(slots + first * BT_SLOT_BYTES) < head);
}

// The slot's suffix compared with one that has the same head.
static int compare_rest(const uint8_t *page, size_t slot, kv_slice suffix)
{
    bt_cell cell;
    bt_cell_decode(bt_slot_bytes(page, slot), bt_kind_of(page), &cell);
    size_t beyond = suffix.len > BT_HEAD_BYTES ? suffix.len - BT_HEAD_BYTES : 0;
    size_t len = cell.rest.len < beyond ? cell.rest.len : beyond;
    int c = 0;
    if (len > 0) c = memcmp(cell.rest.data, suffix.data + BT_HEAD_BYTES, len);
    if (c != 0) return c;
    return (cell.suffix_bytes > suffix.len) - (cell.suffix_bytes < suffix.len);
}

// Among the slots from `first` on that share the wanted head.
static bool find_among_equals(const uint8_t *page, const wanted *w,
                              size_t first, size_t count, size_t *slot)
{
    size_t limit = first + 1; // nearly always
    const uint8_t *next = bt_slot(page, limit);
    if (limit < count && bt_slot_head(next) == w->head) {
        limit = w->head == UINT32_MAX
                    ? count
                    : limit + first_head(next, count - limit, w->head + 1);
    }
    while (first < limit) {
        size_t middle = first + (limit - first) / 2;
        int c = compare_rest(page, middle, w->suffix);
        if (c == 0) {
            *slot = middle;
            return true;
        }
        if (c < 0) first = middle + 1;
        if (c > 0) limit = middle;
    }
    *slot = first;
    return false;
}

// The key compared with the prefix, as if it ended there too: 0 if it begins
// with it.
static int compare_prefix(const uint8_t *page, kv_slice key)
{
    size_t prefix = bt_prefix_bytes(page);
    size_t len = key.len < prefix ? key.len : prefix;
    int c = len > 0 ? memcmp(key.data, bt_prefix(page), len) : 0;
    return c != 0 ? c : -(key.len < prefix);
}

bool bt_page_find(const uint8_t *page, kv_slice key, size_t *slot)
{
    size_t count = bt_count(page), prefix = bt_prefix_bytes(page);
    int c = compare_prefix(page, key);
    if (c != 0) {
        *slot = c < 0 ? 0 : count;
        return false;
    }
    wanted w = wanted_of(kv_slice_of(key.data + prefix, key.len - prefix));
    const uint8_t *slots = bt_slot(page, 0);
    size_t first = first_head(slots, count, w.head);
    *slot = first;
    if (first == count ||
        bt_slot_head(slots + first * BT_SLOT_BYTES) != w.head) {
        return false;
    }
    // Most cells are on two lines: the value comes while keys are compared.
    __builtin_prefetch(page + bt_slot_offset(bt_slot(page, first)) + 64);
    return find_among_equals(page, &w, first, count, slot);
}

void bt_page_prefetch(const uint8_t *page, kv_slice key)
{
    size_t count = bt_count(page), prefix = bt_prefix_bytes(page);
    if (count == 0 || key.len < prefix) return;
    uint32_t head =
        bt_head_of(kv_slice_of(key.data + prefix, key.len - prefix));
    size_t slot = first_head(bt_slot(page, 0), count, head);
    const uint8_t *cell =
        page + bt_slot_offset(bt_slot(page, slot < count ? slot : count - 1));
    __builtin_prefetch(cell);
    __builtin_prefetch(cell + 64); // most cells are on two lines
}

size_t bt_page_child_index(const uint8_t *page, kv_slice key)
{
    size_t slot;
    bool is_equal = bt_page_find(page, key, &slot);
    return slot + is_equal;
}

uint64_t bt_page_child(const uint8_t *page, size_t index)
{
    if (index == 0) return bt_link(page);
    bt_cell cell;
    bt_cell_read(page, index - 1, &cell);
    return cell.page_id;
}

int bt_page_compare(const uint8_t *page, size_t slot, kv_slice key)
{
    int c = compare_prefix(page, key);
    if (c != 0) return -c;
    size_t prefix = bt_prefix_bytes(page);
    wanted w = wanted_of(kv_slice_of(key.data + prefix, key.len - prefix));
    uint32_t head = bt_slot_head(bt_slot(page, slot));
    if (head != w.head) return head < w.head ? -1 : 1;
    return compare_rest(page, slot, w.suffix);
}

void bt_page_key(const uint8_t *page, size_t slot, kv_buf *to)
{
    bt_cell cell;
    bt_cell_read(page, slot, &cell);
    kv_buf_clear(to);
    bt_cell_key(&cell, to);
}

// ---- room -------------------------------------------------------------------

static size_t slots_end(const uint8_t *page)
{
    return (size_t)(bt_slot(page, bt_count(page)) - page);
}

void bt_page_hole(const uint8_t *page, size_t *from, size_t *limit)
{
    *from = slots_end(page);
    *limit = bt_page_bytes(page) - bt_heap_bytes(page);
}

static size_t hole_bytes(const uint8_t *page)
{
    size_t from, limit;
    bt_page_hole(page, &from, &limit);
    return limit - from;
}

size_t bt_page_used(const uint8_t *page)
{
    return slots_end(page) - BT_HEADER_BYTES + bt_heap_bytes(page) -
           bt_dead_bytes(page);
}

// ---- changing ---------------------------------------------------------------

// Writes the page anew with `cell` at `slot`: without dead bytes, and with the
// prefix that its keys now share.
static bt_fit rebuild(uint8_t *page, size_t slot, const bt_cell *cell,
                      bool replaces)
{
    uint32_t page_bytes = bt_page_bytes(page);
    bt_deck deck = {.kind = bt_kind_of(page)};
    bt_deck_add_slots(&deck, page, 0, slot);
    bt_deck_add(&deck, cell);
    bt_deck_add_slots(&deck, page, slot + replaces, bt_count(page));
    bool fits =
        bt_deck_bytes(&deck, 0, deck.count) <= bt_page_capacity(page_bytes);
    if (fits) {
        uint8_t *anew = kv_alloc(page_bytes);
        memset(anew, 0, page_bytes);
        memcpy(anew, page, BT_HEADER_BYTES);
        bt_deck_write(&deck, 0, deck.count, anew);
        memcpy(page, anew, page_bytes);
        kv_free(anew);
    }
    bt_deck_free(&deck);
    return fits ? BT_ANEW : BT_NO_ROOM;
}

// Written anew a page is smaller by its dead bytes, and by a longer prefix if
// the first and the last of its keys now have more in common.
static bool may_fit_anew(const uint8_t *page, size_t slot, const bt_cell *cell,
                         size_t size)
{
    size_t count = bt_count(page);
    if (bt_page_used(page) + size + BT_SLOT_BYTES <=
        bt_page_capacity(bt_page_bytes(page))) {
        return true;
    }
    if (count == 0) return false;
    bt_cell first = *cell, last = *cell;
    if (slot > 0) bt_cell_read(page, 0, &first);
    if (slot < count) bt_cell_read(page, count - 1, &last);
    return bt_cell_common(&first, &last) > bt_prefix_bytes(page);
}

// Among more cells it costs less to write the page anew, once for many, than
// to look for a gap for each.
enum { GAPS_CELLS = 64 };

// The first dead bytes in a row that are room enough: from cell to cell, in the
// order in which they lie in the page. Only those before it are read.
static bool find_gap(const uint8_t *page, size_t size, size_t *offset)
{
    size_t page_bytes = bt_page_bytes(page), count = bt_count(page);
    size_t at = page_bytes - bt_heap_bytes(page);
    bt_gaps begins;
    bt_gaps_init(&begins, (uint32_t)page_bytes);
    for (size_t i = 0; i < count; i++) {
        bt_gaps_note(&begins, bt_slot_offset(bt_slot(page, i)));
    }
    for (;;) {
        size_t next = bt_gaps_next(&begins, at, page_bytes);
        *offset = at;
        if (next - at >= size) return true;
        if (next == page_bytes) return false;
        bt_cell cell;
        at = next + bt_cell_decode(kv_slice_of(page + next, page_bytes - next),
                                   bt_kind_of(page), &cell);
    }
}

// Dead bytes that are room enough for a cell; they are dead no more.
static bool take_gap(uint8_t *page, size_t size, size_t *offset)
{
    size_t count = bt_count(page), dead = bt_dead_bytes(page);
    if (dead < size || count > GAPS_CELLS) return false;
    if (!find_gap(page, size, offset)) return false;
    bt_set_shape(page, count, bt_prefix_bytes(page), bt_heap_bytes(page),
                 dead - size);
    return true;
}

// Puts the cell's bytes below the heap; there has to be room.
static size_t push_cell(uint8_t *page, const bt_cell *cell, size_t size)
{
    size_t heap = bt_heap_bytes(page) + size;
    size_t offset = bt_page_bytes(page) - heap;
    bt_cell_encode(cell, bt_kind_of(page), bt_prefix_bytes(page),
                   page + offset);
    bt_set_shape(page, bt_count(page), bt_prefix_bytes(page), heap,
                 bt_dead_bytes(page));
    return offset;
}

// Puts the cell of a new slot into a gap, or else into the hole, which is also
// where slots grow.
static bool place_cell(uint8_t *page, const bt_cell *cell, size_t size,
                       size_t *offset)
{
    size_t hole = hole_bytes(page);
    if (hole < BT_SLOT_BYTES) return false;
    if (take_gap(page, size, offset)) {
        bt_cell_encode(cell, bt_kind_of(page), bt_prefix_bytes(page),
                       page + *offset);
        return true;
    }
    if (size + BT_SLOT_BYTES > hole) return false;
    *offset = push_cell(page, cell, size);
    return true;
}

// The slot's cell no longer counts.
static void drop_cell(uint8_t *page, size_t slot)
{
    size_t size = bt_cell_size(page, slot);
    size_t heap = bt_heap_bytes(page), dead = bt_dead_bytes(page);
    size_t offset = bt_slot_offset(bt_slot(page, slot));
    // The lowest cell is given back to the hole.
    if (offset == bt_page_bytes(page) - heap) heap -= size;
    else dead += size;
    bt_set_shape(page, bt_count(page), bt_prefix_bytes(page), heap, dead);
}

static uint8_t *slot_at(uint8_t *page, size_t slot)
{
    return page + (bt_slot(page, slot) - page);
}

bt_fit bt_page_insert(uint8_t *page, size_t slot, const bt_cell *cell)
{
    size_t prefix = bt_prefix_bytes(page), count = bt_count(page);
    assert(slot <= count);
    if (count == 0 || compare_prefix(page, cell->prefix) != 0) {
        return rebuild(page, slot, cell, false); // with another prefix
    }
    size_t size = bt_cell_bytes(cell, bt_kind_of(page), prefix), offset;
    if (!place_cell(page, cell, size, &offset)) {
        return may_fit_anew(page, slot, cell, size)
                   ? rebuild(page, slot, cell, false)
                   : BT_NO_ROOM;
    }
    uint8_t *at = slot_at(page, slot);
    memmove(at + BT_SLOT_BYTES, at, (count - slot) * BT_SLOT_BYTES);
    bt_slot_encode(at, bt_cell_head(cell, prefix), offset);
    bt_set_shape(page, count + 1, prefix, bt_heap_bytes(page),
                 bt_dead_bytes(page));
    return BT_IN_PLACE;
}

bt_fit bt_page_replace(uint8_t *page, size_t slot, const bt_cell *cell)
{
    size_t prefix = bt_prefix_bytes(page);
    uint8_t *at = slot_at(page, slot);
    size_t old = bt_cell_size(page, slot);
    size_t size = bt_cell_bytes(cell, bt_kind_of(page), prefix);
    if (size <= old) {
        bt_cell_encode(cell, bt_kind_of(page), prefix,
                       page + bt_slot_offset(at));
        bt_set_shape(page, bt_count(page), prefix, bt_heap_bytes(page),
                     bt_dead_bytes(page) + (old - size));
        return BT_IN_PLACE;
    }
    if (size > hole_bytes(page)) return rebuild(page, slot, cell, true);
    drop_cell(page, slot);
    bt_slot_encode(at, bt_slot_head(at), push_cell(page, cell, size));
    return BT_IN_PLACE;
}

bt_touched bt_page_touched(const uint8_t *page, size_t slot)
{
    size_t cell = bt_slot_offset(bt_slot(page, slot));
    return (bt_touched){
        .count = 3,
        .from = {0, (size_t)(bt_slot(page, slot) - page), cell},
        .limit = {BT_HEADER_BYTES, slots_end(page),
                  cell + bt_cell_size(page, slot)},
    };
}

void bt_page_remove(uint8_t *page, size_t slot)
{
    size_t count = bt_count(page) - 1;
    assert(slot <= count);
    drop_cell(page, slot);
    uint8_t *at = slot_at(page, slot);
    memmove(at, at + BT_SLOT_BYTES, (count - slot) * BT_SLOT_BYTES);
    size_t heap = count > 0 ? bt_heap_bytes(page) : 0;
    size_t dead = count > 0 ? bt_dead_bytes(page) : 0;
    size_t prefix = count > 0 ? bt_prefix_bytes(page) : 0;
    bt_set_shape(page, count, prefix, heap, dead);
}

void bt_page_set_child(uint8_t *page, size_t index, uint64_t child)
{
    if (index == 0) bt_set_link(page, child);
    else bt_cell_set_child(page, index - 1, child);
}
