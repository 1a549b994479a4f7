// cursor.c -- see cursor.h.
// SPDX-License-Identifier: MIT

#include "cursor.h"

#include <inttypes.h>

#include "common/mem.h"

kv_status bt_cursor_open(bt_cursor *c, bt_store *s, kv_slice from, kv_slice to,
                         bool reverse)
{
    c->from = from;
    c->to = to;
    c->reverse = reverse;
    c->leaf = kv_alloc(2 * (size_t)s->config.page_bytes);
    c->parent = c->leaf + s->config.page_bytes;
    bt_cache_open_snapshot(&s->cache, &c->snapshot);
    c->cache = &s->cache;
    c->explain = s->explain;
    EXPLAIN(c->explain,
            "a snapshot of commit %" PRIu64 ": page %" PRIu64 " is its root",
            c->snapshot.seq, c->snapshot.root);
    return KV_OK;
}

void bt_cursor_close(bt_cursor *c)
{
    if (c->cache != NULL) bt_cache_close_snapshot(c->cache, &c->snapshot);
    kv_free(c->leaf);
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

// What lies beyond a child is bounded by the separator beside it.
static void keep_bound(bt_cursor *c, const uint8_t *page, size_t index)
{
    size_t slot = c->reverse ? index - 1 : index;
    if (c->reverse ? index == 0 : index == bt_count(page)) return;
    bt_page_key(page, slot, &c->bound);
    c->has_bound = true;
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

// One way down, in view of the cache: copies the leaf and its parent. Bounds
// are kept above the leaves' parents, if at all.
static bt_seen try_down(bt_cursor *c, const target *t, bool keeps_bound,
                        uint64_t *id, kv_status *st)
{
    bt_cache *cache = c->cache;
    const uint8_t *page, *parent = NULL;
    unsigned level = BT_LEVEL_MAX + 1;
    c->has_bound = c->has_parent = false;
    for (*id = c->snapshot.root;; *id = bt_page_child(page, c->index)) {
        bt_seen seen = bt_cache_see_at(cache, *id, c->snapshot.seq, &page);
        if (seen != BT_SEEN) return seen;
        if (parent == NULL) level = bt_level(page);
        *st = bt_tree_expect(page, level);
        if (*st != KV_OK || level == 0) break;
        c->index = child_towards(c, page, t);
        if (keeps_bound && level > 1) keep_bound(c, page, c->index);
        parent = page;
        level--;
    }
    if (*st != KV_OK) return BT_SEEN;
    memcpy(c->leaf, page, bt_page_bytes(page));
    c->has_parent = parent != NULL;
    if (c->has_parent) memcpy(c->parent, parent, bt_page_bytes(parent));
    return BT_SEEN;
}

static kv_status go_down(bt_cursor *c, const target *t, bool keeps_bound)
{
    for (;;) {
        uint64_t id;
        kv_status st = KV_OK;
        bt_epochs_enter(&c->cache->epochs);
        bt_seen seen = try_down(c, t, keeps_bound, &id, &st);
        bt_epochs_leave(&c->cache->epochs);
        if (seen == BT_SEEN && st == KV_OK) place_in_leaf(c, t);
        if (seen == BT_SEEN) return st;
        // Loads it, or says that it is gone.
        KV_TRY(bt_page_copy(c->cache, c->snapshot.seq, id, c->leaf));
    }
}

// The child of the parent that comes next; false at the parent's end.
static bool find_next(const bt_cursor *c, size_t *index)
{
    if (!c->has_parent) return false;
    if (c->index == (c->reverse ? 0 : bt_count(c->parent))) return false;
    *index = c->reverse ? c->index - 1 : c->index + 1;
    return true;
}

// The walk has come to a leaf. The front that its keys share is put in place
// once for all of them.
static void settle(bt_cursor *c)
{
    size_t page_bytes = bt_page_bytes(c->leaf), index;
    EXPLAIN(c->explain,
            "page %" PRIu64 ", a leaf, copied: %zu of its %zu entries are "
            "asked for",
            bt_page_id(c->leaf), c->limit - c->slot, bt_count(c->leaf));
    c->ahead = c->ahead_limit = NULL;
    if (c->slot == c->limit) return;
    kv_buf_clear(&c->key);
    kv_buf_reserve(&c->key, bt_key_max((uint32_t)page_bytes) + BT_HEAD_BYTES);
    memcpy(c->key.data, bt_prefix(c->leaf), bt_prefix_bytes(c->leaf));
    if (!find_next(c, &index)) return;
    c->ahead = bt_cache_where(c->cache, bt_page_child(c->parent, index));
    if (c->ahead == NULL) return;
    c->ahead_limit = c->ahead + page_bytes;
    c->ahead_lines = page_bytes / BT_LINE_BYTES / bt_count(c->leaf) + 1;
}

static void tell_parent(const bt_cursor *c)
{
    if (!c->has_parent) return;
    EXPLAIN(c->explain,
            "down from the root to page %" PRIu64 ", level 1, copied: child "
            "%zu of %zu is page %" PRIu64,
            bt_page_id(c->parent), c->index, bt_count(c->parent) + 1,
            bt_page_child(c->parent, c->index));
}

static kv_status first_leaf(bt_cursor *c)
{
    target t = {.at = c->reverse ? c->to : c->from};
    t.is_edge = t.at.len == 0;
    c->is_placed = true;
    KV_TRY(go_down(c, &t, false));
    tell_parent(c);
    settle(c);
    return KV_OK;
}

static kv_status out_of_order(const bt_cursor *c)
{
    return bt_page_bad(bt_page_id(c->leaf), bt_page_bytes(c->leaf),
                       "is not in order with the page before it");
}

// The leaf we are on is beyond the last key that was shown, or seen: a walk
// over pages that lead in a circle ends (B2, B3 of tree.h).
static kv_status expect_progress(const bt_cursor *c)
{
    size_t count = bt_count(c->leaf);
    kv_slice last = kv_buf_slice(&c->key);
    if (count == 0) return out_of_order(c);
    if (last.len == 0) return KV_OK;
    bool is_beyond = c->reverse ? bt_page_compare(c->leaf, count - 1, last) < 0
                                : bt_page_compare(c->leaf, 0, last) > 0;
    return is_beyond ? KV_OK : out_of_order(c);
}

// The parent is at its end: a way down to the leaf we are on tells what bounds
// it, and another leads beyond that.
static kv_status next_parent(bt_cursor *c)
{
    if (!c->has_parent) return KV_END;
    if (bt_count(c->leaf) == 0) return expect_progress(c);
    bt_page_key(c->leaf, c->reverse ? 0 : bt_count(c->leaf) - 1, &c->key);
    target here = {.at = kv_buf_slice(&c->key)};
    if (c->reverse) kv_buf_append(&c->key, kv_slice_of("", 1)); // at or below
    here.at = kv_buf_slice(&c->key);
    uint64_t id = bt_page_id(c->leaf);
    KV_TRY(go_down(c, &here, true));
    if (bt_page_id(c->leaf) != id) return out_of_order(c); // B2
    if (c->reverse) c->key.len--;
    if (!c->has_bound) return KV_END;
    target beyond = {.at = kv_buf_slice(&c->bound)};
    KV_TRY(go_down(c, &beyond, false));
    KV_TRY(expect_progress(c));
    tell_parent(c);
    settle(c);
    return KV_OK;
}

static kv_status next_leaf(bt_cursor *c)
{
    if (!find_next(c, &c->index)) return next_parent(c);
    KV_TRY(bt_page_copy(c->cache, c->snapshot.seq,
                        bt_page_child(c->parent, c->index), c->leaf));
    KV_TRY(bt_tree_expect(c->leaf, 0));
    KV_TRY(expect_progress(c));
    place_in_leaf(c, NULL);
    settle(c);
    return KV_OK;
}

// ---- next -------------------------------------------------------------------

static inline void fetch_ahead(bt_cursor *c)
{
    for (size_t i = 0; i < c->ahead_lines && c->ahead < c->ahead_limit; i++) {
        __builtin_prefetch(c->ahead);
        c->ahead += BT_LINE_BYTES;
    }
}

static kv_status show(bt_cursor *c, size_t slot, kv_slice *key, kv_slice *value)
{
    bt_cell cell;
    fetch_ahead(c);
    bt_cell_read(c->leaf, slot, &cell);
    bt_cell_put_suffix(&cell, c->key.data + cell.prefix.len);
    c->key.len = bt_cell_key_bytes(&cell);
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
    if (st != KV_OK) {
        c->slot = c->limit; // where the walk stopped, nothing is shown
        c->is_at_end |= st == KV_END;
        return st;
    }
    return show(c, c->reverse ? --c->limit : c->slot++, key, value);
}
