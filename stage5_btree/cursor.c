// cursor.c -- see cursor.h.
// SPDX-License-Identifier: MIT

#include "cursor.h"

#include "common/mem.h"

kv_status bt_cursor_open(bt_cursor *c, bt_store *s, kv_slice from, kv_slice to,
                         bool reverse)
{
    c->from = from;
    c->to = to;
    c->reverse = reverse;
    c->leaf = kv_alloc(s->config.page_bytes);
    c->parent = kv_alloc(s->config.page_bytes);
    bt_cache_open_snapshot(&s->cache, &c->snapshot);
    c->cache = &s->cache;
    return KV_OK;
}

void bt_cursor_close(bt_cursor *c)
{
    if (c->cache != NULL) bt_cache_close_snapshot(c->cache, &c->snapshot);
    kv_free(c->leaf);
    kv_free(c->parent);
    kv_buf_free(&c->bound);
    kv_buf_free(&c->key);
    kv_buf_free(&c->value);
    *c = (bt_cursor){0};
}

// ---- down to a leaf ---------------------------------------------------------

// Where a walk begins: forward at the first key that is not below `at`, in
// reverse at the last key below it. `is_edge`: at the first or last of all.
typedef struct target {
    kv_slice at;
    bool is_edge;
} target;

static size_t child_towards(const bt_cursor *c, const uint8_t *page,
                            const target *t)
{
    size_t index;
    if (t->is_edge) return c->reverse ? bt_count(page) : 0;
    if (!c->reverse) return bt_page_child_index(page, t->at);
    (void)bt_page_find(page, t->at, &index);
    return index;
}

// What lies beyond a child of a page above the leaves' parents is bounded by
// the separator beside it.
static void keep_bound(bt_cursor *c, const uint8_t *page, size_t index)
{
    size_t slot = c->reverse ? index - 1 : index;
    if (c->reverse ? index == 0 : index == bt_count(page)) return;
    bt_page_key(page, slot, &c->bound);
    c->has_bound = true;
}

static kv_status copy_page(bt_cursor *c, uint64_t id, unsigned level,
                           uint8_t *to)
{
    KV_TRY(bt_page_copy(c->cache, c->snapshot.seq, id, to));
    return bt_tree_expect(to, level);
}

// The slots of the leaf that are within the range, from the target on.
static void place_in_leaf(bt_cursor *c, const target *t)
{
    size_t slot;
    c->slot = 0;
    c->limit = bt_count(c->leaf);
    if (!c->reverse) {
        if (t != NULL && !t->is_edge) {
            (void)bt_page_find(c->leaf, t->at, &c->slot);
        }
        if (c->to.len > 0) {
            (void)bt_page_find(c->leaf, c->to, &slot);
            c->is_at_end = slot < c->limit;
            c->limit = slot;
        }
        if (c->slot > c->limit) c->slot = c->limit;
    } else {
        if (t != NULL && !t->is_edge) {
            (void)bt_page_find(c->leaf, t->at, &c->limit);
        }
        if (c->from.len > 0) {
            (void)bt_page_find(c->leaf, c->from, &slot);
            c->is_at_end = slot > 0;
            c->slot = slot;
        }
        if (c->slot > c->limit) c->limit = c->slot;
    }
}

// Copies the target's leaf and its parent. The target may be c->bound itself,
// which the way down replaces: it is looked at first.
static kv_status go_down(bt_cursor *c, const target *t)
{
    kv_buf at = {0};
    target own = {.is_edge = t->is_edge};
    kv_buf_set(&at, t->at);
    own.at = kv_buf_slice(&at);
    c->has_bound = c->has_parent = false;
    kv_status st =
        bt_page_copy(c->cache, c->snapshot.seq, c->snapshot.root, c->leaf);
    unsigned level = bt_level(c->leaf);
    if (st == KV_OK) st = bt_tree_expect(c->leaf, level);
    while (st == KV_OK && level > 0) {
        uint8_t *page = c->parent; // what was a leaf is a parent
        c->parent = c->leaf;
        c->leaf = page;
        c->index = child_towards(c, c->parent, &own);
        if (level > 1) keep_bound(c, c->parent, c->index);
        c->has_parent = true;
        level--;
        st = copy_page(c, bt_page_child(c->parent, c->index), level, c->leaf);
    }
    if (st == KV_OK) place_in_leaf(c, &own);
    kv_buf_free(&at);
    return st;
}

static kv_status first_leaf(bt_cursor *c)
{
    target t = {.at = c->reverse ? c->to : c->from};
    t.is_edge = t.at.len == 0;
    c->is_placed = true;
    return go_down(c, &t);
}

static kv_status next_leaf(bt_cursor *c)
{
    size_t last = c->reverse ? 0 : c->has_parent ? bt_count(c->parent) : 0;
    if (c->has_parent && c->index != last) {
        c->index += c->reverse ? (size_t)-1 : 1;
        KV_TRY(copy_page(c, bt_page_child(c->parent, c->index), 0, c->leaf));
        place_in_leaf(c, NULL);
        return KV_OK;
    }
    if (!c->has_bound) return KV_END;
    target t = {.at = kv_buf_slice(&c->bound)};
    return go_down(c, &t);
}

// ---- next -------------------------------------------------------------------

static kv_status show(bt_cursor *c, size_t slot, kv_slice *key, kv_slice *value)
{
    bt_cell cell;
    bt_cell_read(c->leaf, slot, &cell);
    kv_buf_clear(&c->key);
    bt_cell_key(&cell, &c->key);
    *key = kv_buf_slice(&c->key);
    *value = cell.value;
    if (cell.page_id == 0) return KV_OK;
    KV_TRY(bt_chain_read(c->cache, c->snapshot.seq, cell.page_id,
                         cell.value_bytes, &c->value));
    *value = kv_buf_slice(&c->value);
    return KV_OK;
}

kv_status bt_cursor_next(bt_cursor *c, kv_slice *key, kv_slice *value)
{
    kv_status st = c->is_placed ? KV_OK : first_leaf(c);
    while (st == KV_OK && c->slot == c->limit) {
        if (c->is_at_end) return KV_END;
        st = next_leaf(c);
    }
    if (st == KV_END) c->is_at_end = true;
    if (st != KV_OK) return st;
    return show(c, c->reverse ? --c->limit : c->slot++, key, value);
}
