// tree.c -- the way down, put and del; see tree.h.
// SPDX-License-Identifier: MIT

#include "tree.h"

#include <inttypes.h>

#include "chain.h"

kv_status bt_tree_expect(const uint8_t *page, unsigned level)
{
    bt_kind kind = level == 0 ? BT_LEAF : BT_INNER;
    if (bt_kind_of(page) == kind && bt_level(page) == level) return KV_OK;
    return bt_page_bad(bt_page_id(page), bt_page_bytes(page),
                       "is of kind %d and level %u where the tree needs kind "
                       "%d and level %u",
                       (int)bt_kind_of(page), bt_level(page), (int)kind, level);
}

static kv_status root_level(bt_tx *tx, unsigned *level)
{
    const uint8_t *page;
    KV_TRY(bt_tx_read(tx, tx->shape.root, &page));
    *level = bt_level(page);
    return bt_tree_expect(page, *level);
}

kv_status bt_tree_descend(bt_tx *tx, kv_slice key, unsigned level, bt_path *p)
{
    unsigned at;
    const uint8_t *page;
    KV_TRY(root_level(tx, &at));
    p->depth = 0; // the steps below are no part of the path yet
    p->is_right_edge = true;
    p->step[0].id = tx->shape.root;
    for (; at > level; at--) {
        size_t d = p->depth++;
        KV_TRY(bt_tx_read(tx, p->step[d].id, &page));
        KV_TRY(bt_tree_expect(page, at));
        size_t index = bt_page_child_index(page, key);
        EXPLAIN(tx->explain,
                "page %" PRIu64 ", level %u: child %zu of %zu is page %" PRIu64,
                bt_page_id(page), at, index, bt_count(page) + 1,
                bt_page_child(page, index));
        p->is_right_edge &= index == bt_count(page);
        p->step[d].index = index;
        p->step[d + 1].id = bt_page_child(page, index);
    }
    KV_TRY(bt_tx_read(tx, p->step[p->depth].id, &page));
    return bt_tree_expect(page, level);
}

// ---- pages to be changed ----------------------------------------------------

kv_status bt_tree_own_child(bt_tx *tx, uint8_t *parent, size_t index,
                            uint64_t *id, uint8_t **page)
{
    uint64_t old = *id = bt_page_child(parent, index);
    KV_TRY(bt_tx_change(tx, id, page));
    if (*id != old) bt_page_set_child(parent, index, *id);
    return KV_OK;
}

kv_status bt_tree_own(bt_tx *tx, bt_path *p, size_t d, uint8_t **page)
{
    uint64_t *id = &p->step[d].id;
    if (!tx->is_cow) return bt_tx_change(tx, id, page);
    if (d == 0) {
        KV_TRY(bt_tx_change(tx, id, page));
        tx->shape.root = *id;
        return KV_OK;
    }
    uint8_t *parent;
    KV_TRY(bt_tree_own(tx, p, d - 1, &parent));
    return bt_tree_own_child(tx, parent, p->step[d - 1].index, id, page);
}

kv_status bt_tree_move(bt_tx *tx, bt_path *p, size_t d)
{
    uint64_t *id = &p->step[d].id;
    uint8_t *page, *parent;
    if (d == 0) {
        KV_TRY(bt_tx_move(tx, id, &page));
        tx->shape.root = *id;
        return KV_OK;
    }
    KV_TRY(bt_tree_own(tx, p, d - 1, &parent));
    KV_TRY(bt_tx_move(tx, id, &page));
    bt_page_set_child(parent, p->step[d - 1].index, *id);
    return KV_OK;
}
// ---- put and del ------------------------------------------------------------

kv_status bt_tree_create(bt_tx *tx)
{
    uint8_t *page;
    KV_TRY(bt_tx_create(tx, &tx->shape.root, &page));
    bt_page_init(page, tx->cache->config.page_bytes, BT_LEAF, 0,
                 tx->shape.root);
    return KV_OK;
}

// Gives up the pages of the value that the slot has.
static kv_status drop_value(bt_tx *tx, const uint8_t *page, size_t slot)
{
    bt_cell cell;
    bt_cell_read(page, slot, &cell);
    if (cell.page_id == 0) return KV_OK;
    return bt_chain_drop(tx, cell.page_id, cell.value_bytes);
}

static kv_status put_cell(bt_tx *tx, bt_path *p, kv_slice key,
                          const bt_cell *cell)
{
    uint8_t *page;
    size_t slot;
    KV_TRY(bt_tree_own(tx, p, p->depth, &page));
    bool is_there = bt_page_find(page, key, &slot);
    if (is_there) {
        KV_TRY(drop_value(tx, page, slot));
    } else {
        tx->shape.key_count++;
    }
    bt_fit fit = is_there ? bt_page_replace(page, slot, cell)
                          : bt_page_insert(page, slot, cell);
    EXPLAIN(tx->explain, "page %" PRIu64 ", a leaf: %s, slot %zu of %zu%s",
            bt_page_id(page), is_there ? "replaced" : "inserted", slot,
            bt_count(page), fit == BT_NO_ROOM ? ": no room" : "");
    tx->has_last = fit != BT_NO_ROOM;
    if (fit == BT_IN_PLACE) bt_tx_note_put(tx, slot);
    if (fit != BT_NO_ROOM) return KV_OK;
    return bt_tree_make_room(tx, p, p->depth, cell, slot);
}

// Is it sure that the key belongs into the leaf of the last put? Of ascending
// keys in one batch most do, and need not go down from the root again.
static bool belongs_to_last(const bt_tx *tx, kv_slice key)
{
    if (!tx->has_last) return false;
    const bt_path *p = &tx->last;
    const uint8_t *leaf = bt_cache_private(tx->cache, p->step[p->depth].id);
    size_t count = bt_count(leaf);
    return bt_page_compare(leaf, 0, key) < 0 &&
           (p->is_right_edge || bt_page_compare(leaf, count - 1, key) > 0);
}

kv_status bt_tree_put(bt_tx *tx, kv_slice key, kv_slice value)
{
    bt_cell cell = bt_cell_of(key, value);
    if (!bt_is_inline(tx->cache->config.page_bytes, key.len, value.len)) {
        uint64_t first;
        KV_TRY(bt_chain_write(tx, value, &first));
        cell = bt_cell_of_overflow(key, first, (uint32_t)value.len);
    }
    bool is_known = belongs_to_last(tx, key);
    tx->has_last = false;
    if (!is_known) KV_TRY(bt_tree_descend(tx, key, 0, &tx->last));
    else EXPLAIN(tx->explain, "%s", "the leaf is that of the put before");
    return put_cell(tx, &tx->last, key, &cell);
}

kv_status bt_tree_del(bt_tx *tx, kv_slice key)
{
    bt_path p;
    size_t slot;
    const uint8_t *leaf;
    uint8_t *page;
    tx->has_last = false;
    KV_TRY(bt_tree_descend(tx, key, 0, &p));
    KV_TRY(bt_tx_read(tx, p.step[p.depth].id, &leaf));
    if (!bt_page_find(leaf, key, &slot)) {
        EXPLAIN(tx->explain, "page %" PRIu64 ", a leaf: the key is not there",
                bt_page_id(leaf));
        return KV_OK;
    }
    KV_TRY(drop_value(tx, leaf, slot));
    KV_TRY(bt_tree_own(tx, &p, p.depth, &page));
    bt_page_remove(page, slot);
    tx->shape.key_count--;
    EXPLAIN(tx->explain, "page %" PRIu64 ", a leaf: slot %zu removed, %zu left",
            bt_page_id(page), slot, bt_count(page));
    return bt_tree_fill_up(tx, &p, p.depth);
}
