// freelist.c -- see freelist.h.
// SPDX-License-Identifier: MIT

#include "freelist.h"

#include <inttypes.h>

kv_status bt_freelist_bad(const bt_tx *tx, uint64_t id, const char *what)
{
    return bt_page_bad(id, tx->cache->config.page_bytes,
                       "%s: the free list is damaged", what);
}

static kv_status expect_place(const bt_tx *tx, uint64_t id)
{
    bool is_place = id >= BT_FIRST_PAGE && id < tx->shape.page_count;
    return is_place ? KV_OK : bt_freelist_bad(tx, id, "is outside of the file");
}

// What the list has is in use by nobody, this commit included: it would write
// over its own pages.
static kv_status expect_free(const bt_tx *tx, uint64_t id)
{
    KV_TRY(expect_place(tx, id));
    bool is_ours = bt_cache_is_private(tx->cache, id);
    return is_ours ? bt_freelist_bad(tx, id, "is free and in use") : KV_OK;
}

// A page of the list, checked for being one.
static kv_status read_list_page(bt_tx *tx, uint64_t id, const uint8_t **page)
{
    KV_TRY(bt_tx_read(tx, id, page));
    if (bt_kind_of(*page) == BT_FREE_LIST) return KV_OK;
    return bt_page_bad(id, bt_page_bytes(*page),
                       "should be a page of the free list, and is of kind %d",
                       (int)bt_kind_of(*page));
}

static kv_status extend(bt_tx *tx, uint64_t *id)
{
    if (tx->shape.page_count >= BT_PAGES_MAX) {
        return kv_fail(KV_NO_SPACE, "%s has %" PRIu64 " pages, and no more fit",
                       bt_file_name, tx->shape.page_count);
    }
    *id = tx->shape.page_count++;
    return KV_OK;
}

static kv_status expect_count(const bt_tx *tx, uint64_t id, size_t count)
{
    if (count <= tx->shape.free_count) return KV_OK;
    return bt_freelist_bad(tx, id, "has more free pages than there are");
}

// Takes the list's first page into memory, and off the list.
static kv_status load_first(bt_tx *tx)
{
    const uint8_t *page;
    uint64_t id = tx->shape.free_list;
    KV_TRY(read_list_page(tx, id, &page));
    KV_TRY(expect_count(tx, id, bt_count(page)));
    if (bt_ids_has(&tx->dropped, id)) {
        return bt_freelist_bad(tx, id, "is on a circle");
    }
    for (size_t i = 0; i < bt_count(page); i++) {
        uint64_t listed = bt_free_get(page, i);
        bool is_low = tx->goal == 0 || listed < tx->goal;
        bt_ids_add(is_low ? &tx->reusable : &tx->aside, listed);
    }
    tx->shape.free_count -= bt_count(page);
    tx->shape.free_list = bt_link(page);
    bt_tx_drop(tx, id);
    return KV_OK;
}

kv_status bt_freelist_load(bt_tx *tx, size_t count, bool *done)
{
    while (tx->reusable.count < count && tx->shape.free_list != 0) {
        KV_TRY(load_first(tx));
    }
    *done = tx->reusable.count >= count;
    return KV_OK;
}

bool bt_freelist_borrow(bt_tx *tx, size_t count, uint64_t limit)
{
    bt_ids *aside = &tx->aside;
    size_t lacks = count - tx->reusable.count;
    bt_ids_sort(aside);
    if (aside->count < lacks || aside->id[lacks - 1] >= limit) return false;
    for (size_t i = 0; i < lacks; i++) bt_ids_add(&tx->reusable, aside->id[i]);
    aside->count -= lacks;
    memmove(aside->id, aside->id + lacks, aside->count * sizeof *aside->id);
    return true;
}

static kv_status take_in_memory(bt_tx *tx, uint64_t *id)
{
    bool has_low;
    KV_TRY(bt_freelist_load(tx, 1, &has_low));
    bt_ids *from = has_low ? &tx->reusable : &tx->aside;
    if (from->count == 0) return extend(tx, id);
    *id = from->id[--from->count];
    return expect_free(tx, *id);
}

kv_status bt_freelist_take(bt_tx *tx, uint64_t *id)
{
    if (tx->is_cow || tx->goal != 0) return take_in_memory(tx, id);
    uint64_t first = tx->shape.free_list;
    if (first == 0) return extend(tx, id);
    const uint8_t *page;
    KV_TRY(read_list_page(tx, first, &page));
    if (bt_count(page) == 0) {
        tx->shape.free_list = bt_link(page);
        *id = first;
        return KV_OK;
    }
    uint8_t *changed;
    KV_TRY(expect_count(tx, first, 1));
    KV_TRY(bt_tx_change(tx, &first, &changed));
    *id = bt_free_pop(changed);
    tx->shape.free_count--;
    return expect_free(tx, *id);
}

// The first page of the list with room for one more id, or a new first page:
// made of `id` itself, which then is not on the list but of it.
static kv_status push(bt_tx *tx, uint64_t id)
{
    uint64_t first = tx->shape.free_list;
    const uint8_t *page = NULL;
    uint8_t *changed;
    uint32_t page_bytes = tx->cache->config.page_bytes;
    if (first != 0) KV_TRY(read_list_page(tx, first, &page));
    if (page != NULL && bt_count(page) < bt_free_capacity(page_bytes)) {
        KV_TRY(bt_tx_change(tx, &first, &changed));
        bt_free_push(changed, id);
        tx->shape.free_count++;
        return KV_OK;
    }
    KV_TRY(bt_tx_create_at(tx, id, false, &changed));
    bt_page_init(changed, page_bytes, BT_FREE_LIST, 0, id);
    bt_set_link(changed, first);
    tx->shape.free_list = id;
    return KV_OK;
}

// Of two lists that ascend, the highest id.
static uint64_t take_highest(bt_ids *a, bt_ids *b)
{
    bool has_a = a->count > 0, has_b = b->count > 0;
    bool is_a = has_a && (!has_b || a->id[a->count - 1] > b->id[b->count - 1]);
    bt_ids *from = is_a ? a : b;
    return from->id[--from->count];
}

// A place for a page of the list: one that was free before, or in place of one
// that no superblock leads to (X2), or the end of the file.
static kv_status take_own(bt_tx *tx, bt_ids *places, bt_ids *ids, uint64_t *id,
                          uint8_t **page)
{
    bool is_listed = places->count > 0;
    if (is_listed) *id = places->id[--places->count];
    else if (!tx->is_cow) *id = ids->id[--ids->count];
    else KV_TRY(extend(tx, id));
    if (is_listed) KV_TRY(expect_free(tx, *id));
    return bt_tx_create_at(tx, *id, is_listed, page);
}

// Writes ids into new pages at the front of the list; `from` were free before
// this commit, and the last of them, its highest, have the pages. Of the rest
// the highest are written first: the lowest are the first to be given out.
static kv_status write_ids(bt_tx *tx, bt_ids *from, bt_ids *ids)
{
    uint32_t page_bytes = tx->cache->config.page_bytes;
    size_t capacity = bt_free_capacity(page_bytes);
    size_t pages = (from->count + ids->count + capacity) / (capacity + 1);
    if (pages > from->count) pages = from->count;
    from->count -= pages;
    bt_ids places = {.count = pages};
    if (pages > 0) places.id = from->id + from->count;
    while (places.count + from->count + ids->count > 0) {
        uint64_t id = 0;
        uint8_t *page;
        KV_TRY(take_own(tx, &places, ids, &id, &page));
        bt_page_init(page, page_bytes, BT_FREE_LIST, 0, id);
        bt_set_link(page, tx->shape.free_list);
        tx->shape.free_list = id;
        size_t room = capacity;
        for (; room > 0 && from->count + ids->count > 0; room--) {
            bt_free_push(page, take_highest(from, ids));
            tx->shape.free_count++;
        }
    }
    return KV_OK;
}

static kv_status close_sorted(bt_tx *tx)
{
    for (size_t i = 0; i < tx->aside.count; i++) {
        bt_ids_add(&tx->reusable, tx->aside.id[i]);
    }
    bt_ids_sort(&tx->reusable);
    bt_ids_sort(&tx->dropped);
    return write_ids(tx, &tx->reusable, &tx->dropped);
}

// A page that two others refer to is given up twice, by a commit that drops
// both of those.
static kv_status expect_different(const bt_tx *tx, const bt_ids *ids)
{
    bt_ids sorted = {0};
    kv_status st = KV_OK;
    for (size_t i = 0; i < ids->count; i++) bt_ids_add(&sorted, ids->id[i]);
    bt_ids_sort(&sorted);
    for (size_t i = 1; i < sorted.count && st == KV_OK; i++) {
        if (sorted.id[i] != sorted.id[i - 1]) continue;
        st = bt_freelist_bad(tx, sorted.id[i], "would be free twice");
    }
    bt_ids_free(&sorted);
    return st;
}

kv_status bt_freelist_close(bt_tx *tx)
{
    if (tx->dropped.count > 1) KV_TRY(expect_different(tx, &tx->dropped));
    if (tx->goal != 0) return close_sorted(tx);
    if (tx->is_cow) return write_ids(tx, &tx->reusable, &tx->dropped);
    while (tx->dropped.count > 0) {
        KV_TRY(push(tx, tx->dropped.id[--tx->dropped.count]));
    }
    return KV_OK;
}

kv_status bt_freelist_walk(bt_tx *tx, bt_freelist_visitor *visit, void *arg)
{
    uint64_t count = 0, pages = 0, mark = 0;
    const uint8_t *page;
    for (uint64_t id = tx->shape.free_list; id != 0; id = bt_link(page)) {
        // Each page is compared with one before it, the last whose number is a
        // power of two: a circle comes back to that, once it is behind us.
        if (id == mark) return bt_freelist_bad(tx, id, "is on a circle");
        if ((pages & (pages - 1)) == 0) mark = id;
        pages++;
        KV_TRY(read_list_page(tx, id, &page));
        KV_TRY(visit(arg, id, true));
        count += bt_count(page);
        for (size_t i = 0; i < bt_count(page); i++) {
            KV_TRY(expect_place(tx, bt_free_get(page, i)));
            KV_TRY(visit(arg, bt_free_get(page, i), false));
        }
    }
    if (count == tx->shape.free_count) return KV_OK;
    return bt_page_bad(tx->shape.free_list, tx->cache->config.page_bytes,
                       "begins a free list of %" PRIu64
                       " pages, which should have %" PRIu64,
                       count, tx->shape.free_count);
}

// ---- the end of the file ----------------------------------------------------

typedef struct gathered {
    bt_ids listed, own, all;
} gathered;

static kv_status gather_id(void *arg, uint64_t id, bool is_own)
{
    gathered *g = arg;
    bt_ids_add(is_own ? &g->own : &g->listed, id);
    bt_ids_add(&g->all, id);
    return KV_OK;
}

static bool take_last(bt_ids *ids, uint64_t id)
{
    if (ids->count == 0 || ids->id[ids->count - 1] != id) return false;
    ids->count--;
    return true;
}

kv_status bt_freelist_trim(bt_tx *tx)
{
    gathered g = {0};
    bt_shape *shape = &tx->shape;
    if (shape->free_list == 0) return KV_OK;
    kv_status st = bt_freelist_walk(tx, gather_id, &g);
    if (st == KV_OK) st = expect_different(tx, &g.all);
    if (st != KV_OK) goto out;
    bt_ids_sort(&g.listed);
    bt_ids_sort(&g.own);
    while (take_last(&g.listed, shape->page_count - 1) ||
           take_last(&g.own, shape->page_count - 1)) {
        shape->page_count--;
    }
    if (shape->page_count == tx->base.page_count) goto out;
    // Written anew. The pages of the list itself are free now, and used again
    // as far as nobody's superblock leads to them (X2).
    shape->free_list = shape->free_count = 0;
    for (size_t i = 0; i < g.own.count; i++) {
        bt_ids_add(tx->is_cow ? &tx->dropped : &g.listed, g.own.id[i]);
    }
    bt_ids_sort(&g.listed);
    st = write_ids(tx, &g.listed, &tx->dropped);
out:
    bt_ids_free(&g.listed);
    bt_ids_free(&g.own);
    bt_ids_free(&g.all);
    return st;
}
