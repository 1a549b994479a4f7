// find.c -- getting a value; see store.h.
// SPDX-License-Identifier: MIT
//
// A get registers nothing and waits for nobody. It reads the newest commit's
// number and root, and goes down. If a page on its way was replaced meanwhile
// it begins again: a commit changes few pages, and a way down takes a
// microsecond.

#include <inttypes.h>

#include "chain.h"
#include "store.h"

enum { TRIES = 8 }; // before a get registers a snapshot, as a cursor does

// A way down that may have to be given up.
typedef struct way {
    bt_cache *cache;
    const kv_explainer *explain;
    bt_snapshot snapshot;
    bool is_registered;
    bool has_loads;   // pages were read for it
    uint64_t missing; // BT_ABSENT: this page has to be loaded
    kv_status status; // BT_SEEN: what was found out
    bt_cell found;    // KV_OK, and a value on a chain
} way;

static bt_seen see(way *w, uint64_t id, const uint8_t **page)
{
    uint64_t seq = w->snapshot.seq;
    bt_seen seen = w->is_registered ? bt_cache_see_at(w->cache, id, seq, page)
                                    : bt_cache_see(w->cache, id, seq, page);
    w->missing = id;
    return seen;
}

static void narrate(const way *w, const uint8_t *page, size_t index)
{
    EXPLAIN(w->explain,
            "page %" PRIu64 ", level %u, in memory: child %zu of %zu is page "
            "%" PRIu64,
            bt_page_id(page), bt_level(page), index, bt_count(page) + 1,
            bt_page_child(page, index));
}

// The leaf of the key.
static bt_seen go_down(way *w, kv_slice key, const uint8_t **page)
{
    bt_seen seen = see(w, w->snapshot.root, page);
    if (seen != BT_SEEN) return seen;
    unsigned level = bt_level(*page);
    while ((w->status = bt_tree_expect(*page, level)) == KV_OK && level > 0) {
        size_t index = bt_page_child_index(*page, key);
        if (w->explain->listener != NULL) narrate(w, *page, index);
        uint64_t child = bt_page_child(*page, index);
        // Its first lines are waited for together, not one after the other.
        bt_cache_prefetch(w->cache, child);
        seen = see(w, child, page);
        if (seen != BT_SEEN) return seen;
        level--;
    }
    return BT_SEEN;
}

static bt_seen try_get(way *w, kv_slice key, kv_buf *value)
{
    const uint8_t *page;
    size_t slot;
    bt_seen seen = go_down(w, key, &page);
    w->found.page_id = 0;
    if (seen != BT_SEEN || w->status != KV_OK) return seen;
    if (!bt_page_find(page, key, &slot)) {
        EXPLAIN(w->explain,
                "page %" PRIu64 ", a leaf, in memory: the key is not there",
                bt_page_id(page));
        w->status = KV_NOT_FOUND;
        return seen;
    }
    bt_cell_read(page, slot, &w->found);
    EXPLAIN(w->explain, "page %" PRIu64 ", a leaf, in memory: slot %zu of %zu",
            bt_page_id(page), slot, bt_count(page));
    if (w->found.page_id == 0) kv_buf_set(value, w->found.value);
    return seen;
}

// Reads what is missing. A page that cannot be read is no failure if a commit
// came between: it may not be a page any more.
static kv_status load(way *w, bool *may_try_again)
{
    kv_status st = bt_cache_load(w->cache, w->missing, kv_for(KV_FOR_READ));
    if (!w->has_loads) atomic_fetch_add(&w->cache->gets_with_loads, 1);
    w->has_loads = true;
    *may_try_again =
        st == KV_OK ||
        (!w->is_registered && w->snapshot.seq != bt_cache_visible(w->cache));
    if (st == KV_OK) {
        EXPLAIN(w->explain,
                "page %" PRIu64 ", not in memory: read from disk; down again "
                "from the root",
                w->missing);
    }
    return st;
}

static kv_status gone(const bt_cache *c, uint64_t id)
{
    return bt_page_bad(id, c->config.page_bytes,
                       "is newer than what leads to it");
}

static kv_status get_registered(way *w, kv_slice key, kv_buf *value)
{
    bt_cache *c = w->cache;
    bt_seen seen;
    kv_status st = KV_OK;
    bt_cache_open_snapshot(c, &w->snapshot);
    w->is_registered = true;
    do {
        bt_epochs_enter(&c->epochs);
        seen = try_get(w, key, value);
        bt_epochs_leave(&c->epochs);
        bool may_try_again;
        if (seen == BT_CHANGED) st = gone(c, w->missing);
        if (seen == BT_ABSENT) st = load(w, &may_try_again);
    } while (seen == BT_ABSENT && st == KV_OK);
    if (st == KV_OK) st = w->status;
    if (st == KV_OK && w->found.page_id != 0) {
        st = bt_chain_read(c, w->snapshot.seq, w->found.page_id,
                           w->found.value_bytes, value);
    }
    bt_cache_close_snapshot(c, &w->snapshot);
    return st;
}

kv_status bt_store_get(bt_store *s, kv_slice key, kv_buf *value)
{
    bt_cache *c = &s->cache;
    way w = {.cache = c, .explain = s->explain};
    for (int tries = 0; tries < TRIES;) {
        bt_epochs_enter(&c->epochs);
        w.snapshot.seq = bt_cache_visible(c);
        w.snapshot.root = atomic_load(&c->root);
        bt_seen seen = try_get(&w, key, value);
        bt_epochs_leave(&c->epochs);
        if (seen == BT_SEEN && w.status != KV_OK) return w.status;
        if (seen == BT_SEEN && w.found.page_id == 0) return KV_OK;
        if (seen == BT_SEEN) { // page by page
            EXPLAIN(w.explain,
                    "its value of %" PRIu32 " bytes begins on page %" PRIu64
                    ": in a snapshot, down again from the root",
                    w.found.value_bytes, w.found.page_id);
            break;
        }
        bool may_try_again = true;
        if (seen == BT_ABSENT) {
            kv_status st = load(&w, &may_try_again);
            if (!may_try_again) return st;
            if (st == KV_OK) continue; // so much is won
        }
        tries++;
    }
    return get_registered(&w, key, value);
}

// ---- for a registered snapshot ----------------------------------------------

// With a page of the snapshot in view, calls `look`; loads the page first if it
// is not in memory.
static kv_status with_page(bt_cache *c, uint64_t snapshot, uint64_t id,
                           void (*look)(void *arg, const uint8_t *page),
                           void *arg)
{
    for (;;) {
        const uint8_t *page;
        bt_epochs_enter(&c->epochs);
        bt_seen seen = bt_cache_see_at(c, id, snapshot, &page);
        if (seen == BT_SEEN) look(arg, page);
        bt_epochs_leave(&c->epochs);
        if (seen == BT_SEEN) return KV_OK;
        if (seen == BT_CHANGED) return gone(c, id);
        KV_TRY(bt_cache_load(c, id, kv_for(KV_FOR_READ)));
    }
}

static void copy_page(void *to, const uint8_t *page)
{
    memcpy(to, page, bt_page_bytes(page));
}

kv_status bt_page_copy(bt_cache *c, uint64_t snapshot, uint64_t id, uint8_t *to)
{
    return with_page(c, snapshot, id, copy_page, to);
}

typedef struct chain_walk {
    kv_buf *value;
    uint64_t id, rest;
    kv_status status;
} chain_walk;

static void append_page(void *arg, const uint8_t *page)
{
    chain_walk *walk = arg;
    walk->status = bt_chain_expect(page, walk->rest);
    if (walk->status != KV_OK) return;
    kv_slice bytes = bt_overflow_bytes(page);
    kv_buf_append(walk->value, bytes);
    walk->rest -= bytes.len;
    walk->id = bt_link(page);
}

kv_status bt_chain_read(bt_cache *c, uint64_t snapshot, uint64_t first,
                        uint64_t bytes, kv_buf *value)
{
    chain_walk walk = {.value = value, .id = first, .rest = bytes};
    kv_buf_clear(value);
    while (walk.rest > 0) {
        KV_TRY(with_page(c, snapshot, walk.id, append_page, &walk));
        KV_TRY(walk.status);
    }
    return KV_OK;
}
