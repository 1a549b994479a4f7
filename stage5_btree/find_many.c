// find_many.c -- getting several values at once; see store.h.
// SPDX-License-Identifier: MIT
//
//   key 1   root ─▶ page 4 ─▶ page 9 ─▶ cell
//   key 2   root ─▶ page 7 ─▶ page 5 ─▶ cell     all keys a step, then all keys
//   key 3   root ─▶ page 4 ─▶ page 2 ─▶ cell     the next one
//
// A get is mostly waiting for memory: for a page, then for a cell in it. Here
// the keys go down together, and what each will need next is being fetched
// while the others are seen to. A key that meets anything but pages in memory
// goes alone afterwards, as a get does.

#include "store.h"

enum { AT_ONCE = 16 }; // about as many misses as a processor overlaps

// One key's way down.
typedef struct errand {
    kv_slice key;
    const uint8_t *page; // where it is
    uint64_t next;       // the page to go to
    bool is_alone;
} errand;

typedef struct party {
    bt_cache *cache;
    uint64_t snapshot;
    bool is_told; // step by step, to a listener: one key after the other
    size_t count;
    errand errand[AT_ONCE];
} party;

static void enter_page(party *p, unsigned level, errand *e)
{
    if (e->is_alone) return;
    e->is_alone =
        bt_cache_see(p->cache, e->next, p->snapshot, &e->page) != BT_SEEN ||
        bt_tree_expect(e->page, level) != KV_OK;
}

static void pick_child(party *p, errand *e)
{
    if (e->is_alone) return;
    e->next = bt_page_child(e->page, bt_page_child_index(e->page, e->key));
    bt_cache_prefetch(p->cache, e->next);
}

// Everybody to a leaf, and its cells on their way.
static void go_down(party *p)
{
    const uint8_t *root;
    uint64_t id = atomic_load(&p->cache->root);
    bool is_seen = bt_cache_see(p->cache, id, p->snapshot, &root) == BT_SEEN;
    unsigned level = is_seen ? bt_level(root) : 0;
    for (size_t i = 0; i < p->count; i++) {
        p->errand[i].next = id;
        p->errand[i].is_alone = !is_seen || p->is_told;
    }
    for (;; level--) {
        for (size_t i = 0; i < p->count; i++) {
            enter_page(p, level, &p->errand[i]);
        }
        if (level == 0) break;
        for (size_t i = 0; i < p->count; i++) pick_child(p, &p->errand[i]);
    }
    for (size_t i = 0; i < p->count; i++) {
        errand *e = &p->errand[i];
        if (!e->is_alone) bt_page_prefetch(e->page, e->key);
    }
}

static void take_value(errand *e, kv_buf *value, bool *found)
{
    bt_cell cell;
    size_t slot;
    if (e->is_alone || !bt_page_find(e->page, e->key, &slot)) return;
    bt_cell_read(e->page, slot, &cell);
    e->is_alone = cell.page_id != 0; // a long value
    if (e->is_alone) return;
    kv_buf_set(value, cell.value);
    *found = true;
}

static kv_status get_some(bt_store *s, size_t count, const kv_slice *keys,
                          kv_buf *values, bool *found)
{
    bt_epochs *epochs = &s->cache.epochs;
    party p = {.cache = &s->cache,
               .is_told = s->explain->listener != NULL,
               .count = count};
    for (size_t i = 0; i < count; i++) p.errand[i].key = keys[i];
    bt_epochs_enter(epochs);
    p.snapshot = bt_cache_visible(&s->cache);
    go_down(&p);
    for (size_t i = 0; i < count; i++) {
        take_value(&p.errand[i], &values[i], &found[i]);
    }
    bt_epochs_leave(epochs);
    for (size_t i = 0; i < count; i++) {
        if (!p.errand[i].is_alone) continue;
        kv_status st = bt_store_get(s, keys[i], &values[i]);
        if (st != KV_OK && st != KV_NOT_FOUND) return st;
        found[i] = st == KV_OK;
    }
    return KV_OK;
}

kv_status bt_store_get_many(bt_store *s, size_t count, const kv_slice *keys,
                            kv_buf *values, bool *found)
{
    for (size_t i = 0; i < count; i += AT_ONCE) {
        size_t some = count - i < AT_ONCE ? count - i : AT_ONCE;
        KV_TRY(get_some(s, some, keys + i, values + i, found + i));
    }
    return KV_OK;
}
