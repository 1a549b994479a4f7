// redo.c -- see redo.h.
// SPDX-License-Identifier: MIT

#include "redo.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/mem.h"

enum { MET_BYTES = BT_PAGES_MAX / 8 };

void bt_redo_free(bt_redo *r)
{
    kv_free(r->announced);
    bt_ids_free(&r->torn);
    bt_ids_free(&r->changed);
    kv_buf_free(&r->page);
    *r = (bt_redo){0};
}

// ---- what was announced -----------------------------------------------------

static void announce(bt_redo *r, const bt_written *w)
{
    if (r->announced_count == r->announced_cap) {
        r->announced_cap = r->announced_cap == 0 ? 64 : r->announced_cap * 2;
        r->announced =
            kv_realloc(r->announced, r->announced_cap * sizeof *r->announced);
    }
    r->announced[r->announced_count] =
        (bt_announced){w->page_id, w->number, r->announced_count, w->checksum};
    r->announced_count++;
}

static int compare_announced(const void *a, const void *b)
{
    const bt_announced *x = a, *y = b;
    if (x->page_id != y->page_id) return x->page_id < y->page_id ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

// Of each page the last one counts.
void bt_redo_end_survey(bt_redo *r)
{
    size_t count = 0;
    if (r->announced_count == 0) return;
    qsort(r->announced, r->announced_count, sizeof *r->announced,
          compare_announced);
    for (size_t i = 0; i < r->announced_count; i++) {
        bool is_last = i + 1 == r->announced_count ||
                       r->announced[i + 1].page_id != r->announced[i].page_id;
        if (is_last) r->announced[count++] = r->announced[i];
    }
    r->announced_count = count;
}

static const bt_announced *find_announced(const bt_redo *r, uint64_t page_id)
{
    size_t low = 0, high = r->announced_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->announced[middle].page_id < page_id) low = middle + 1;
        else high = middle;
    }
    bool is_there =
        low < r->announced_count && r->announced[low].page_id == page_id;
    return is_there ? &r->announced[low] : NULL;
}

// ---- torn pages -------------------------------------------------------------

static size_t find_torn(const bt_redo *r, uint64_t id)
{
    size_t i = 0;
    while (i < r->torn.count && r->torn.id[i] != id) i++;
    return i;
}

static void mend(bt_redo *r, size_t torn)
{
    r->torn.id[torn] = r->torn.id[--r->torn.count];
}

// Reads a page that is not whole, to be patched all the same.
static kv_status read_torn(bt_redo *r, uint64_t id, uint8_t **page)
{
    bt_store *s = r->store;
    uint32_t page_bytes = s->config.page_bytes;
    kv_buf_clear(&r->page);
    kv_buf_reserve(&r->page, page_bytes);
    KV_TRY(kv_file_read_all(s->file, id * page_bytes, r->page.data, page_bytes,
                            kv_for(KV_FOR_RECOVERY)));
    *page = bt_cache_create(&s->cache, id, false);
    if (*page == NULL) return kv_fail(KV_NO_SPACE, "no memory for a page");
    memcpy(*page, r->page.data, page_bytes);
    bt_ids_add(&r->torn, id);
    return KV_OK;
}

// After an item: is this the version that was announced, and is it whole?
static void prove(bt_redo *r, const bt_item *item, const uint8_t *page)
{
    if (r->torn.count == 0) return;
    size_t torn = find_torn(r, item->page_id);
    if (torn == r->torn.count) return;
    const bt_announced *a = find_announced(r, item->page_id);
    if (item->kind == BT_ITEM_IMAGE) {
        mend(r, torn);
    } else if (a != NULL && a->number == r->number) {
        kv_buf_set(&r->page, kv_slice_of(page, r->store->config.page_bytes));
        if (bt_page_bytes(r->page.data) != r->page.len) return;
        bt_page_seal(r->page.data, r->store->config.store_id);
        if (kv_get_u32(r->page.data) == a->checksum) mend(r, torn);
    }
}

kv_status bt_redo_finish(const bt_redo *r)
{
    if (r->torn.count == 0) return KV_OK;
    return bt_page_bad(r->torn.id[0], r->store->config.page_bytes,
                       "is damaged, and the log does not say how to mend it");
}

// ---- items ------------------------------------------------------------------

static kv_status bad_item(const bt_redo *r, uint64_t offset)
{
    return kv_fail(KV_CORRUPT,
                   "%s: the record at offset %" PRIu64
                   " has a good checksum and makes no sense",
                   r->file, offset);
}

// A private version of the page, as the items before left it.
static kv_status take_page(bt_redo *r, const bt_item *item, uint8_t **page)
{
    bt_cache *c = &r->store->cache;
    uint64_t id = item->page_id;
    kv_status st = KV_OK;
    bool is_there = bt_cache_newest(c, id) != NULL;
    if (is_there && bt_cache_is_private(c, id)) {
        *page = bt_cache_private(c, id);
        return KV_OK;
    }
    if (item->kind == BT_ITEM_IMAGE) {
        *page = bt_cache_create(c, id, false);
    } else {
        // Nobody else is here who could evict it again.
        if (!is_there) st = bt_cache_load(c, id, kv_for(KV_FOR_RECOVERY));
        if (st == KV_CORRUPT) st = read_torn(r, id, page);
        else if (st == KV_OK) *page = bt_cache_change(c, id);
    }
    if (st == KV_OK && *page == NULL) {
        st = kv_fail(KV_NO_SPACE, "no memory for a page");
    }
    if (st == KV_OK) bt_ids_add(&r->changed, id);
    return st;
}

// The page, if the rehearsal has to follow what becomes of it; else NULL.
static kv_status take_if_torn(bt_redo *r, const bt_item *item, uint8_t **page)
{
    bt_cache *c = &r->store->cache;
    uint64_t id = item->page_id, *word = &r->met[id / 64];
    uint64_t bit = UINT64_C(1) << id % 64;
    bool is_met = (*word & bit) != 0;
    *word |= bit;
    *page = bt_cache_is_private(c, id) ? bt_cache_private(c, id) : NULL;
    if (is_met || item->kind == BT_ITEM_IMAGE) return KV_OK;
    kv_status st = bt_cache_load(c, id, kv_for(KV_FOR_RECOVERY));
    if (st != KV_CORRUPT) return st;
    KV_TRY(read_torn(r, id, page));
    bt_ids_add(&r->changed, id);
    return KV_OK;
}

// Was the page read whole, with what this commit did to it? Its old bytes would
// make a mixture of it until it is as new again, which might be written back.
static bool is_newer(const bt_redo *r, uint64_t id)
{
    const uint8_t *base = bt_cache_base(&r->store->cache, id);
    return base != NULL && bt_lsn(base) >= r->number &&
           find_torn(r, id) == r->torn.count;
}

static kv_status redo_item(bt_redo *r, const bt_item *item, uint64_t offset)
{
    uint8_t *page;
    if (item->kind == BT_ITEM_COMMIT) {
        r->is_commit = true;
        r->number = item->number;
        r->shape.key_count = item->shape.key_count;
        return KV_OK;
    }
    if (item->kind == BT_ITEM_SHAPE) {
        uint64_t key_count = r->shape.key_count;
        if (item->shape.page_count > BT_PAGES_MAX) return bad_item(r, offset);
        r->shape = item->shape;
        r->shape.key_count = key_count;
        return KV_OK;
    }
    if (item->page_id < BT_FIRST_PAGE || item->page_id >= BT_PAGES_MAX) {
        return bad_item(r, offset);
    }
    KV_TRY(r->is_rehearsal ? take_if_torn(r, item, &page)
                           : take_page(r, item, &page));
    if (page == NULL || is_newer(r, item->page_id)) return KV_OK;
    bt_item_apply(item, r->store->config.page_bytes, page);
    prove(r, item, page);
    return KV_OK;
}

static void survey_item(bt_redo *r, bt_item *item)
{
    bt_written w;
    r->page_items += item->kind == BT_ITEM_IMAGE || item->kind == BT_ITEM_PATCH;
    if (item->kind != BT_ITEM_WRITTEN) return;
    while (bt_item_next_written(item, &w)) announce(r, &w);
}

// Dirty pages, of which more would leave little room for others.
static size_t much(const bt_redo *r)
{
    return r->store->cache.frames_budget / 2;
}

static void forget(bt_redo *r)
{
    bt_cache_forget(&r->store->cache, r->changed.id, r->changed.count, 0);
    r->changed.count = 0;
}

static kv_status end_commit(bt_redo *r)
{
    bt_store *s = r->store;
    bt_cache_publish(&s->cache, r->changed.id, r->changed.count, r->number,
                     r->shape.root);
    r->changed.count = 0;
    r->is_commit = false;
    s->seq = r->number;
    s->shape = r->shape;
    bool is_much = atomic_load(&s->cache.dirty_count) > much(r);
    if (!is_much || !r->may_write || r->torn.count > 0) return KV_OK;
    return bt_store_write_all(s, false);
}

static kv_status visit(void *arg, uint64_t offset, const kv_record *record)
{
    bt_redo *r = arg;
    kv_slice rest = record->payload;
    while (rest.len > 0) {
        bt_item item;
        size_t size = bt_item_decode(rest, r->store->config.page_bytes, &item);
        if (size == 0) return bad_item(r, offset);
        if (r->is_survey) survey_item(r, &item);
        else if (item.kind != BT_ITEM_WRITTEN) {
            KV_TRY(redo_item(r, &item, offset));
        }
        rest = kv_slice_of(rest.data + size, rest.len - size);
    }
    if (r->is_survey || r->is_rehearsal) return KV_OK;
    return record->more || !r->is_commit ? KV_OK : end_commit(r);
}

kv_status bt_redo_survey(bt_redo *r, kv_file *log,
                         const kv_recordlog_id *expect, kv_recovery *found)
{
    r->is_survey = true;
    r->file = kv_file_name(log);
    return kv_recordlog_recover(log, expect, visit, r, kv_for(KV_FOR_RECOVERY),
                                found);
}

kv_status bt_redo_run(bt_redo *r, kv_file *log, const kv_recordlog_id *expect)
{
    kv_recovery found;
    r->is_survey = false;
    r->file = kv_file_name(log);
    kv_status st = kv_recordlog_recover(log, expect, visit, r,
                                        kv_for(KV_FOR_RECOVERY), &found);
    if (st != KV_OK) forget(r);
    return st;
}

bool bt_redo_may_be_much(const bt_redo *r) { return r->page_items > much(r); }

void bt_redo_begin_rehearsal(bt_redo *r)
{
    r->is_rehearsal = true;
    r->met = kv_reserve(MET_BYTES);
}

void bt_redo_end_rehearsal(bt_redo *r)
{
    forget(r);
    kv_unreserve(r->met, MET_BYTES);
    r->met = NULL;
    r->torn.count = 0;
    r->shape = r->store->shape;
    r->is_rehearsal = r->is_commit = false;
}
