// reshape.c -- neighbouring pages dealt out again: for a page that is full, or
// sparse; see tree.h.
// SPDX-License-Identifier: MIT

#include <assert.h>
#include <inttypes.h>

#include "fence.h"

// ---- neighbours -------------------------------------------------------------

static kv_status insert_at(bt_tx *tx, unsigned level, const bt_cell *cell,
                           kv_slice key);

// Neighbouring children of one parent, about to be dealt out again.
typedef struct family {
    uint8_t *parent;
    unsigned level; // of the children
    size_t first;   // index of the leftmost
    bt_deal deal;
    uint64_t ids[BT_DEAL_MAX];
    uint8_t *pages[BT_DEAL_MAX];
    kv_buf between[BT_DEAL_MAX - 1], separators[BT_DEAL_MAX - 1];
} family;

static void free_family(family *f)
{
    for (size_t i = 0; i < BT_DEAL_MAX - 1; i++) {
        kv_buf_free(&f->between[i]);
        kv_buf_free(&f->separators[i]);
    }
}

// Takes `count` children, from the one at `first` on, of the page at depth `d`.
static kv_status gather(bt_tx *tx, bt_path *p, size_t d, size_t first,
                        size_t count, family *f)
{
    KV_TRY(bt_fence_expect(tx, p, d, first, count));
    KV_TRY(bt_tree_own(tx, p, d, &f->parent));
    f->level = bt_level(f->parent) - 1;
    f->first = first;
    f->deal.from_count = count;
    for (size_t i = 0; i < count; i++) {
        KV_TRY(bt_tree_own_child(tx, f->parent, first + i, &f->ids[i],
                                 &f->pages[i]));
        KV_TRY(bt_tree_expect(f->pages[i], f->level));
        f->deal.from[i] = f->pages[i];
        if (i == 0) continue;
        bt_page_key(f->parent, first + i - 1, &f->between[i - 1]);
        f->deal.between[i - 1] = kv_buf_slice(&f->between[i - 1]);
    }
    return KV_OK;
}

// A page more, after the first: of two that become three, each stays with its
// end of their keys, and the new one takes the middle.
static kv_status add_page(bt_tx *tx, family *f)
{
    for (size_t i = f->deal.from_count; i > 1; i--) {
        f->ids[i] = f->ids[i - 1];
        f->pages[i] = f->pages[i - 1];
    }
    return bt_tx_create(tx, &f->ids[1], &f->pages[1]);
}

// Deals into as many pages, fewer, or one more.
static kv_status deal_out(bt_tx *tx, family *f, size_t to_count, bool *done)
{
    size_t from_count = f->deal.from_count;
    if (to_count > from_count) KV_TRY(add_page(tx, f));
    *done = bt_deal_out(&f->deal, to_count, f->pages, f->ids, f->separators);
    if (!*done) return KV_OK;
    for (size_t i = 1; i < from_count; i++) {
        bt_page_remove(f->parent, f->first);
        if (i >= to_count) bt_tx_drop(tx, f->ids[i]);
    }
    for (size_t i = 1; i < to_count; i++) {
        kv_slice key = kv_buf_slice(&f->separators[i - 1]);
        bt_cell cell = bt_cell_of_child(key, f->ids[i]);
        KV_TRY(insert_at(tx, f->level + 1, &cell, key));
    }
    return KV_OK;
}

static void count_deal(bt_tally *t, size_t from_count, size_t to_count,
                       const bt_cell *extra)
{
    if (to_count > from_count) t->splits++;
    else if (to_count < from_count) t->merges++;
    else if (extra != NULL) t->shares++;
    else t->borrows++;
}

// Deals `count` children of the page at depth `d` into `to_count`.
static kv_status redeal(bt_tx *tx, bt_path *p, size_t d, size_t first,
                        size_t count, size_t to_count, const bt_cell *extra,
                        bt_packing packing, bool *done)
{
    family f = {.deal = {.extra = extra, .packing = packing}};
    kv_status st = gather(tx, p, d, first, count, &f);
    if (st == KV_OK) st = deal_out(tx, &f, to_count, done);
    if (st == KV_OK && *done) count_deal(&tx->tally, count, to_count, extra);
    free_family(&f);
    return st;
}

kv_status bt_tree_merge(bt_tx *tx, bt_path *p, size_t d, size_t first,
                        size_t count, bool *done)
{
    return redeal(tx, p, d, first, count, count - 1, NULL, BT_EVEN, done);
}

kv_status bt_tree_used_in(bt_tx *tx, const bt_path *p, size_t d, size_t index,
                          size_t *used)
{
    const uint8_t *parent, *child;
    KV_TRY(bt_tx_read(tx, p->step[d].id, &parent));
    KV_TRY(bt_tx_read(tx, bt_page_child(parent, index), &child));
    KV_TRY(bt_tree_expect(child, bt_level(parent) - 1));
    *used = bt_page_used(child);
    return KV_OK;
}

// ---- a page that is full ----------------------------------------------------

static kv_status split_root(bt_tx *tx, bt_path *p, const bt_cell *extra,
                            bt_packing packing)
{
    uint8_t *root;
    family f = {.deal = {.from_count = 1, .extra = extra, .packing = packing}};
    kv_status st = bt_tree_own(tx, p, 0, &f.pages[0]);
    f.ids[0] = p->step[0].id;
    if (st == KV_OK) st = bt_tx_create(tx, &f.ids[1], &f.pages[1]);
    if (st == KV_OK) st = bt_tx_create(tx, &tx->shape.root, &root);
    if (st != KV_OK) goto out;
    f.deal.from[0] = f.pages[0];
    if (!bt_deal_out(&f.deal, 2, f.pages, f.ids, f.separators)) {
        st = bt_fence_broken(tx, f.ids[0]);
        goto out;
    }
    unsigned level = bt_level(f.pages[0]) + 1;
    if (level > BT_LEVEL_MAX) {
        st = bt_page_bad(f.ids[0], tx->cache->config.page_bytes,
                         "is the root, and already on level %u", level - 1);
        goto out;
    }
    bt_page_init(root, tx->cache->config.page_bytes, BT_INNER, level,
                 tx->shape.root);
    bt_set_link(root, f.ids[0]);
    bt_cell cell = bt_cell_of_child(kv_buf_slice(&f.separators[0]), f.ids[1]);
    bool fits = bt_page_insert(root, 0, &cell);
    assert(fits);
    (void)fits;
    tx->tally.splits++;
    tx->tally.levels_added++;
    EXPLAIN(tx->explain,
            "page %" PRIu64 " was the root and is full: split with page "
            "%" PRIu64 "; the new root is page %" PRIu64 ", level %u",
            f.ids[0], f.ids[1], tx->shape.root, level);
out:
    free_family(&f);
    return st;
}

// A neighbour that would be nearly full after sharing is left alone: the next
// insert would be back soon, and each time cells move and are logged. More
// room than a quarter would leave the tree a quarter larger than its records.
static bool has_room(bt_tx *tx, size_t used, size_t neighbour, size_t extra)
{
    size_t capacity = bt_page_capacity(tx->cache->config.page_bytes);
    return used + neighbour + extra < 2 * capacity - capacity / 4;
}

// At the right edge, beyond all keys: the full leaf stays as it is, and `extra`
// begins a new one.
static kv_status begin_leaf(bt_tx *tx, const bt_path *p, const bt_cell *extra)
{
    uint64_t id, full_id = p->step[p->depth].id;
    size_t d = p->depth - 1;
    const uint8_t *full;
    uint8_t *page;
    bt_cell last;
    kv_buf separator = {0};
    KV_TRY(bt_fence_expect(tx, p, d, p->step[d].index, 1));
    KV_TRY(bt_tx_create(tx, &id, &page));
    KV_TRY(bt_tx_read(tx, full_id, &full));
    bt_page_init(page, bt_page_bytes(full), BT_LEAF, 0, id);
    bool fits = bt_page_insert(page, 0, extra);
    assert(fits);
    (void)fits;
    bt_cell_read(full, bt_count(full) - 1, &last);
    bt_deal_separator(&last, extra, &separator);
    bt_cell cell = bt_cell_of_child(kv_buf_slice(&separator), id);
    kv_status st = insert_at(tx, 1, &cell, kv_buf_slice(&separator));
    kv_buf_free(&separator);
    tx->tally.edge_leaves++;
    return st;
}

// At the right edge a page that is full stays so, and a new one goes on.
static kv_status go_on_at_edge(bt_tx *tx, bt_path *p, size_t d, bt_kind kind,
                               const bt_cell *extra)
{
    bool done = false;
    EXPLAIN(tx->explain,
            "page %" PRIu64 " is full, at the right edge: a new page",
            p->step[d].id);
    if (kind == BT_LEAF) return begin_leaf(tx, p, extra);
    KV_TRY(redeal(tx, p, d - 1, p->step[d - 1].index, 1, 2, extra, BT_LEFT,
                  &done));
    return done ? KV_OK : bt_fence_broken(tx, p->step[d].id);
}

// A neighbour takes some of the cells, or the two of them become three.
static kv_status share_or_split(bt_tx *tx, bt_path *p, size_t d, bt_kind kind,
                                const bt_cell *extra)
{
    const uint8_t *parent;
    KV_TRY(bt_tx_read(tx, p->step[d - 1].id, &parent));
    size_t index = p->step[d - 1].index, last = bt_count(parent);
    size_t used, left = 0, right = 0;
    bool done = false, has_left = index > 0, has_right = index < last;
    size_t bytes = bt_cell_bytes(extra, kind, 0) + BT_SLOT_BYTES;
    KV_TRY(bt_tree_used_in(tx, p, d - 1, index, &used));
    if (has_right) KV_TRY(bt_tree_used_in(tx, p, d - 1, index + 1, &right));
    if (has_left) KV_TRY(bt_tree_used_in(tx, p, d - 1, index - 1, &left));
    bool shares_right = has_right && has_room(tx, used, right, bytes);
    bool shares_left = has_left && has_room(tx, used, left, bytes);
    if (shares_left && (!shares_right || left < right)) {
        index--;
        has_right = true;
    } else if (!shares_right && !has_right) {
        index--; // three out of it and its left neighbour
    }
    if (shares_left || shares_right) {
        EXPLAIN(tx->explain,
                "page %" PRIu64 " is full: shares with a neighbour",
                p->step[d].id);
        KV_TRY(redeal(tx, p, d - 1, index, 2, 2, extra, BT_EVEN, &done));
        if (done) return KV_OK;
    }
    EXPLAIN(tx->explain,
            "page %" PRIu64 " and a neighbour are full: they become three",
            p->step[d].id);
    KV_TRY(redeal(tx, p, d - 1, index, 2, 3, extra, BT_EVEN, &done));
    return done ? KV_OK : bt_fence_broken(tx, p->step[d].id);
}

// What comes beyond all keys there are is likely to go on so.
static bt_packing packing_at(const bt_path *p, const uint8_t *page, size_t slot)
{
    bool is_beyond = p->is_right_edge && slot == bt_count(page);
    return is_beyond ? BT_LEFT : BT_EVEN;
}

kv_status bt_tree_make_room(bt_tx *tx, bt_path *p, size_t d,
                            const bt_cell *extra, size_t slot)
{
    const uint8_t *page;
    KV_TRY(bt_tx_read(tx, p->step[d].id, &page));
    bt_kind kind = bt_kind_of(page);
    bt_packing packing = packing_at(p, page, slot);
    if (d == 0) return split_root(tx, p, extra, packing);
    if (packing == BT_LEFT) return go_on_at_edge(tx, p, d, kind, extra);
    return share_or_split(tx, p, d, kind, extra);
}

// Puts a separator and the child on its right into the inner page of `level`
// where it belongs.
static kv_status insert_at(bt_tx *tx, unsigned level, const bt_cell *cell,
                           kv_slice key)
{
    bt_path p;
    uint8_t *page;
    size_t slot;
    KV_TRY(bt_tree_descend(tx, key, level, &p));
    KV_TRY(bt_tree_own(tx, &p, p.depth, &page));
    if (bt_page_find(page, key, &slot))
        return bt_fence_broken(tx, bt_page_id(page)); // B2
    if (bt_page_insert(page, slot, cell)) return KV_OK;
    return bt_tree_make_room(tx, &p, p.depth, cell, slot);
}

// ---- a page that is sparse --------------------------------------------------

// The root has one child left: that is the root now.
static kv_status drop_root(bt_tx *tx)
{
    const uint8_t *page;
    KV_TRY(bt_tx_read(tx, tx->shape.root, &page));
    while (bt_kind_of(page) == BT_INNER && bt_count(page) == 0) {
        uint64_t child = bt_link(page);
        EXPLAIN(tx->explain,
                "page %" PRIu64 " was the root and has one child left: page "
                "%" PRIu64 " is the root",
                tx->shape.root, child);
        uint8_t *changed;
        bt_tx_drop(tx, tx->shape.root);
        KV_TRY(bt_tx_change(tx, &child, &changed)); // B4
        tx->shape.root = child;
        tx->tally.levels_removed++;
        page = changed;
    }
    return KV_OK;
}

kv_status bt_tree_fill_up(bt_tx *tx, bt_path *p, size_t d)
{
    if (d == 0) return drop_root(tx);
    const uint8_t *parent, *page;
    size_t capacity = bt_page_capacity(tx->cache->config.page_bytes);
    size_t other = 0;
    KV_TRY(bt_tx_read(tx, p->step[d].id, &page));
    size_t used = bt_page_used(page);
    bool is_empty = bt_count(page) == 0; // B3
    if (used >= capacity / 3 && !is_empty) return KV_OK;
    KV_TRY(bt_tx_read(tx, p->step[d - 1].id, &parent));
    size_t index = p->step[d - 1].index, first = index > 0 ? index - 1 : 0;
    KV_TRY(bt_tree_used_in(tx, p, d - 1, index == first ? first + 1 : first,
                           &other));
    bool done = false;
    if (used + other < capacity - capacity / 8) {
        EXPLAIN(tx->explain,
                "page %" PRIu64 " is sparse: merged with a "
                "neighbour",
                p->step[d].id);
        KV_TRY(redeal(tx, p, d - 1, first, 2, 1, NULL, BT_EVEN, &done));
        if (done) return bt_tree_fill_up(tx, p, d - 1);
    }
    if (used >= capacity / 6 && !is_empty) return KV_OK;
    EXPLAIN(tx->explain, "page %" PRIu64 " is sparse: borrows from a neighbour",
            p->step[d].id);
    KV_TRY(redeal(tx, p, d - 1, first, 2, 2, NULL, BT_EVEN, &done));
    if (!done && is_empty) {
        KV_TRY(redeal(tx, p, d - 1, first, 2, 1, NULL, BT_EVEN, &done));
        if (!done) return bt_fence_broken(tx, p->step[d].id);
        return bt_tree_fill_up(tx, p, d - 1);
    }
    return KV_OK;
}
