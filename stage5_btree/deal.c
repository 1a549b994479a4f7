// deal.c -- see deal.h.
// SPDX-License-Identifier: MIT

#include "deal.h"

#include <assert.h>

#include "common/mem.h"

#include "deck.h"

// What a deal works on: all cells, and where each page's part of them lies. In
// an inner page's deck the cell between two parts goes up to the parent.
typedef struct table {
    bt_deck deck;
    uint32_t page_bytes;
    size_t part_count;
    size_t from[BT_DEAL_MAX], limit[BT_DEAL_MAX];
    bool is_ordered; // K1, so far
} table;

// ---- all cells in order -----------------------------------------------------

// What was added from `first` on has to be above what was there. Pages that
// come from a disk are in order each; as neighbours they need not be.
static void join(table *t, size_t first)
{
    const bt_cell *cells = t->deck.cells;
    if (first == 0 || first == t->deck.count) return;
    t->is_ordered &= bt_cell_is_below(&cells[first - 1], &cells[first]);
}

static void add_slots(table *t, const uint8_t *page, size_t from, size_t limit)
{
    size_t first = t->deck.count;
    bt_deck_add_slots(&t->deck, page, from, limit);
    join(t, first);
}

static void add_cell(table *t, const bt_cell *cell)
{
    bt_deck_add(&t->deck, cell);
    join(t, t->deck.count - 1);
}

// Adds one page's cells, with the extra cell among them if it belongs there.
// True if it did.
static bool add_page(table *t, const bt_deal *deal, size_t i, bool want_extra)
{
    const uint8_t *page = deal->from[i];
    size_t count = bt_count(page), slot = count;
    bool replaces = false, belongs = false;
    if (want_extra) {
        kv_slice key = deal->extra->prefix;
        replaces = bt_page_find(page, key, &slot);
        belongs = slot < count || i + 1 == deal->from_count ||
                  (t->deck.kind == BT_INNER &&
                   kv_slice_cmp(key, deal->between[i]) < 0);
    }
    add_slots(t, page, 0, slot);
    if (belongs) add_cell(t, deal->extra);
    add_slots(t, page, slot + replaces, count);
    return belongs;
}

static void collect(table *t, const bt_deal *deal)
{
    bool want_extra = deal->extra != NULL;
    for (size_t i = 0; i < deal->from_count; i++) {
        if (i > 0 && t->deck.kind == BT_INNER) {
            bt_cell down =
                bt_cell_of_child(deal->between[i - 1], bt_link(deal->from[i]));
            add_cell(t, &down);
        }
        if (add_page(t, deal, i, want_extra)) want_extra = false;
    }
}

// ---- where to cut -----------------------------------------------------------

// Cells that go up after each part but the last.
static size_t cut_cells(const table *t)
{
    return t->deck.kind == BT_INNER ? 1 : 0;
}

// The most that part `i` may reach to, so that each after it gets a cell.
static size_t limit_max(const table *t, size_t i)
{
    return t->deck.count - (t->part_count - 1 - i) * (1 + cut_cells(t));
}

static bool part_fits(const table *t, size_t from, size_t limit)
{
    return bt_deck_bytes(&t->deck, from, limit) <=
           bt_page_capacity(t->page_bytes);
}

// Each part as much as fits, from left to right. That leaves the least for the
// last one (K2): if it does not fit then, no other way of cutting helps.
static bool cut_left(table *t)
{
    size_t from = 0;
    for (size_t i = 0; i < t->part_count; i++) {
        bool is_last = i + 1 == t->part_count;
        size_t fits = from + 1, limit = limit_max(t, i) + 1;
        while (!is_last && limit - fits > 1) {
            size_t middle = fits + (limit - fits) / 2;
            if (part_fits(t, from, middle)) fits = middle;
            else limit = middle;
        }
        t->from[i] = from;
        t->limit[i] = is_last ? t->deck.count : fits;
        from = t->limit[i] + cut_cells(t);
    }
    size_t last = t->part_count - 1;
    return part_fits(t, t->from[last], t->limit[last]);
}

static size_t weight(const table *t, size_t i, size_t prefix)
{
    return bt_cell_bytes(&t->deck.cells[i], t->deck.kind, prefix) +
           BT_SLOT_BYTES;
}

// As many bytes in each part. False if one of them then does not fit.
static bool cut_even(table *t)
{
    const bt_cell *cells = t->deck.cells;
    size_t prefix = bt_cell_common(&cells[0], &cells[t->deck.count - 1]);
    size_t all = 0, passed = 0, from = 0;
    for (size_t i = 0; i < t->deck.count; i++) all += weight(t, i, prefix);
    for (size_t i = 0; i < t->part_count; i++) {
        size_t goal = all * (i + 1) / t->part_count, limit = from;
        size_t most = limit_max(t, i);
        do {
            passed += weight(t, limit++, prefix);
        } while (limit < most && passed + weight(t, limit, prefix) / 2 <= goal);
        if (i + 1 == t->part_count) limit = t->deck.count;
        t->from[i] = from;
        t->limit[i] = limit;
        if (!part_fits(t, from, limit)) return false;
        from = limit + cut_cells(t);
        if (i + 1 < t->part_count && cut_cells(t) > 0) {
            passed += weight(t, limit, prefix);
        }
    }
    return true;
}

static bool cut(table *t, bt_packing packing)
{
    size_t least = t->part_count + (t->part_count - 1) * cut_cells(t);
    if (t->deck.count < least) return false;
    return (packing == BT_EVEN && cut_even(t)) || cut_left(t);
}

// ---- new pages --------------------------------------------------------------

// One byte more than both have in common tells the two apart.
void bt_deal_separator(const bt_cell *left, const bt_cell *right, kv_buf *to)
{
    size_t len = bt_cell_common(left, right) + 1;
    kv_buf_clear(to);
    kv_buf_reserve(to, len);
    bt_cell_copy_key(right, 0, len, to->data);
    to->len = len;
}

// What the parent has to have between part i and the next one.
static void separate(const table *t, size_t i, kv_buf *to)
{
    const bt_cell *left = &t->deck.cells[t->limit[i] - 1], *right = left + 1;
    if (t->deck.kind == BT_INNER) {
        kv_buf_clear(to);
        bt_cell_key(right, to);
        return;
    }
    bt_deal_separator(left, right, to);
}

static bool is_from(const bt_deal *deal, const uint8_t *page)
{
    size_t k = 0;
    while (k < deal->from_count && deal->from[k] != page) k++;
    return k < deal->from_count;
}

// The cells of part i, which is bound for `to`: into what that is now, if it is
// one of the pages dealt and it can be had, else into an empty page.
static void write_cells(const table *t, const bt_deal *deal, size_t i,
                        const uint8_t *to, uint8_t *page, uint64_t page_id)
{
    size_t from = t->from[i], limit = t->limit[i];
    if (is_from(deal, to)) {
        memcpy(page, to, t->page_bytes);
        bt_set_page_id(page, page_id);
        if (bt_deck_update(&t->deck, from, limit, to, page)) return;
    }
    bt_page_init(page, t->page_bytes, t->deck.kind, bt_level(deal->from[0]),
                 page_id);
    bt_deck_write(&t->deck, from, limit, page);
}

static void write_part(const table *t, const bt_deal *deal, size_t i,
                       const uint8_t *to, uint8_t *page, uint64_t page_id)
{
    write_cells(t, deal, i, to, page, page_id);
    for (size_t k = 0; k < deal->from_count; k++) {
        uint64_t lsn = bt_lsn(deal->from[k]);
        if (lsn > bt_lsn(page)) bt_set_lsn(page, lsn);
    }
    if (t->deck.kind == BT_INNER) {
        bt_set_link(page, i == 0 ? bt_link(deal->from[0])
                                 : t->deck.cells[t->from[i] - 1].page_id);
    }
}

// All are written before the first is copied to its place, which may be where
// the cells still are.
static void write_all(const table *t, const bt_deal *deal, uint8_t *const *to,
                      const uint64_t *ids, kv_buf *separators)
{
    uint8_t *pages = kv_alloc(t->part_count * t->page_bytes);
    for (size_t i = 0; i < t->part_count; i++) {
        write_part(t, deal, i, to[i], pages + i * t->page_bytes, ids[i]);
    }
    for (size_t i = 0; i + 1 < t->part_count; i++) {
        separate(t, i, &separators[i]);
    }
    for (size_t i = 0; i < t->part_count; i++) {
        memcpy(to[i], pages + i * t->page_bytes, t->page_bytes);
    }
    kv_free(pages);
}

bool bt_deal_out(const bt_deal *deal, size_t to_count, uint8_t *const *to,
                 const uint64_t *ids, kv_buf *separators)
{
    assert(deal->from_count >= 1 && deal->from_count <= BT_DEAL_MAX);
    assert(to_count >= 1 && to_count <= BT_DEAL_MAX);
    table t = {.deck.kind = bt_kind_of(deal->from[0]),
               .page_bytes = bt_page_bytes(deal->from[0]),
               .part_count = to_count,
               .is_ordered = true};
    collect(&t, deal);
    bool fits = t.is_ordered && cut(&t, deal->packing);
    if (fits) write_all(&t, deal, to, ids, separators);
    bt_deck_free(&t.deck);
    return fits;
}
