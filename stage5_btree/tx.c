// tx.c -- see tx.h.
// SPDX-License-Identifier: MIT

#include "tx.h"

#include <assert.h>
#include <inttypes.h>

#include "freelist.h"
#include "page.h"

enum { PAYLOAD_BYTES = 64 << 10 };

void bt_tx_begin(bt_tx *tx, uint64_t seq, const bt_shape *shape)
{
    tx->seq = seq;
    tx->base = tx->shape = *shape;
    tx->changed.count = tx->dropped.count = tx->reusable.count = 0;
    tx->aside.count = 0;
    tx->goal = 0;
    tx->has_last = tx->has_only = false;
    tx->changes = 0;
}

void bt_tx_free(bt_tx *tx)
{
    bt_ids_free(&tx->changed);
    bt_ids_free(&tx->dropped);
    bt_ids_free(&tx->reusable);
    bt_ids_free(&tx->aside);
}

// ---- pages ------------------------------------------------------------------

static kv_status outside(const bt_tx *tx, uint64_t id)
{
    return bt_page_bad(id, tx->cache->config.page_bytes,
                       "is referred to, and there are %" PRIu64 " pages",
                       tx->shape.page_count);
}

kv_status bt_tx_read(bt_tx *tx, uint64_t id, const uint8_t **page)
{
    if (id >= tx->shape.page_count) return outside(tx, id);
    while ((*page = bt_cache_newest(tx->cache, id)) == NULL) {
        KV_TRY(bt_cache_load(tx->cache, id, kv_for(KV_FOR_READ)));
        EXPLAIN(tx->explain, "page %" PRIu64 ", not in memory: read from disk",
                id);
    }
    return KV_OK;
}

static kv_status no_frame(void)
{
    return kv_fail(KV_NO_SPACE,
                   "memory is full of page versions that open cursors may "
                   "need: close a cursor");
}

// A snapshot may need what is on disk (K3 of cache.h). Bytes that are no page
// any more are nothing that a snapshot leads to: then there is nothing to keep.
static kv_status bring_old(bt_tx *tx, uint64_t id, bool *keeps_old)
{
    if (!*keeps_old || bt_cache_newest(tx->cache, id) != NULL) return KV_OK;
    kv_status st = bt_cache_load(tx->cache, id, kv_for(KV_FOR_READ));
    if (st == KV_CORRUPT) *keeps_old = false;
    return st == KV_CORRUPT ? KV_OK : st;
}

kv_status bt_tx_create_at(bt_tx *tx, uint64_t id, bool is_listed,
                          uint8_t **page)
{
    tx->changes++;
    // Where it is private already its base is older still, and the log says
    // how the one became the other.
    if (bt_cache_is_private(tx->cache, id)) {
        *page = bt_cache_private(tx->cache, id);
        return KV_OK;
    }
    bool keeps_old =
        id < tx->base.page_count &&
        (!is_listed || bt_cache_oldest_snapshot(tx->cache) != UINT64_MAX);
    do { // a reader who needs a frame may evict what was just loaded
        KV_TRY(bring_old(tx, id, &keeps_old));
        *page = bt_cache_create(tx->cache, id, keeps_old);
    } while (*page == NULL && keeps_old &&
             bt_cache_newest(tx->cache, id) == NULL);
    if (*page == NULL) return no_frame();
    bt_ids_add(&tx->changed, id);
    return KV_OK;
}

kv_status bt_tx_create(bt_tx *tx, uint64_t *id, uint8_t **page)
{
    KV_TRY(bt_freelist_take(tx, id));
    return bt_tx_create_at(tx, *id, true, page);
}

void bt_tx_drop(bt_tx *tx, uint64_t id) { bt_ids_add(&tx->dropped, id); }

kv_status bt_tx_move(bt_tx *tx, uint64_t *id, uint8_t **page)
{
    const uint8_t *old;
    uint64_t new_id;
    KV_TRY(bt_tx_create(tx, &new_id, page));
    if (new_id == *id) return bt_freelist_bad(tx, new_id, "is free and in use");
    KV_TRY(bt_tx_read(tx, *id, &old));
    EXPLAIN(tx->explain, "page %" PRIu64 " is copied to page %" PRIu64, *id,
            new_id);
    memcpy(*page, old, bt_page_bytes(old));
    bt_set_page_id(*page, new_id);
    bt_tx_drop(tx, *id); // X2
    *id = new_id;
    return KV_OK;
}

kv_status bt_tx_change(bt_tx *tx, uint64_t *id, uint8_t **page)
{
    tx->changes++;
    if (bt_cache_is_private(tx->cache, *id)) {
        *page = bt_cache_private(tx->cache, *id);
        return KV_OK;
    }
    if (tx->is_cow) return bt_tx_move(tx, id, page);
    do { // a reader who needs a frame may evict what was just loaded
        const uint8_t *newest;
        KV_TRY(bt_tx_read(tx, *id, &newest));
        *page = bt_cache_change(tx->cache, *id);
    } while (*page == NULL && bt_cache_newest(tx->cache, *id) == NULL);
    if (*page == NULL) return no_frame();
    bt_ids_add(&tx->changed, *id);
    return KV_OK;
}

void bt_tx_note_put(bt_tx *tx, size_t slot)
{
    tx->has_only = tx->changes == 1;
    tx->only_slot = slot;
}

// ---- the end ----------------------------------------------------------------

// An inner page that was changed and then dropped may have lost its last
// separator. It would be no page on disk (F8); but who redoes the log reads
// what is free, too.
static void clear_dropped(bt_tx *tx)
{
    for (size_t i = 0; i < tx->dropped.count; i++) {
        uint64_t id = tx->dropped.id[i];
        if (!bt_cache_is_private(tx->cache, id)) continue;
        uint8_t *page = bt_cache_private(tx->cache, id);
        if (bt_kind_of(page) != BT_INNER || bt_count(page) > 0) continue;
        bt_page_init(page, tx->cache->config.page_bytes, BT_LEAF, 0, id);
    }
}

kv_status bt_tx_close_free_list(bt_tx *tx)
{
    clear_dropped(tx);
    return bt_freelist_close(tx);
}

static bool has_new_shape(const bt_tx *tx)
{
    return tx->shape.root != tx->base.root ||
           tx->shape.page_count != tx->base.page_count ||
           tx->shape.free_list != tx->base.free_list ||
           tx->shape.free_count != tx->base.free_count;
}

bool bt_tx_is_empty(const bt_tx *tx)
{
    return tx->changed.count == 0 && !has_new_shape(tx);
}

// Most commits are a put that is one change to one page: where that can differ
// is known, and a comparison of all its bytes would take longer than the put.
static void log_patch(const bt_tx *tx, const uint8_t *base, uint8_t *page,
                      kv_buf *to)
{
    bt_touched touched;
    bool is_known = tx->has_only && tx->changes == 1;
    if (is_known) touched = bt_page_touched(page, tx->only_slot);
    bt_item_put_patch(to, base, page, is_known ? &touched : NULL);
}

static void log_page(bt_tx *tx, uint64_t id, kv_buf *to)
{
    uint8_t *page = bt_cache_private(tx->cache, id);
    const uint8_t *base = bt_cache_base(tx->cache, id);
    bt_set_lsn(page, tx->seq);
    if (base == NULL || bt_lsn(base) <= tx->images_to) {
        bt_item_put_image(to, page);
    } else {
        log_patch(tx, base, page, to);
    }
}

void bt_tx_log(bt_tx *tx, kv_buf *scratch,
               void (*add)(void *arg, kv_slice payload, bool more), void *arg)
{
    kv_buf_clear(scratch);
    bt_item_put_commit(scratch, tx->seq, tx->shape.key_count);
    if (has_new_shape(tx)) bt_item_put_shape(scratch, &tx->shape);
    for (size_t i = 0; i < tx->changed.count; i++) {
        if (scratch->len > PAYLOAD_BYTES) {
            add(arg, kv_buf_slice(scratch), true);
            kv_buf_clear(scratch);
        }
        log_page(tx, tx->changed.id[i], scratch);
    }
    add(arg, kv_buf_slice(scratch), false);
}

void bt_tx_stamp(bt_tx *tx)
{
    for (size_t i = 0; i < tx->changed.count; i++) {
        bt_set_lsn(bt_cache_private(tx->cache, tx->changed.id[i]), tx->seq);
    }
}

void bt_tx_publish(bt_tx *tx)
{
    bt_cache_publish(tx->cache, tx->changed.id, tx->changed.count, tx->seq,
                     tx->shape.root);
}

void bt_tx_forget(bt_tx *tx)
{
    // Whatever had its place in the file by then: it was free (X2).
    uint64_t spoiled_by = tx->is_cow ? tx->seq : 0;
    bt_cache_forget(tx->cache, tx->changed.id, tx->changed.count, spoiled_by);
    tx->changed.count = 0;
}
