// chain.c -- see chain.h.
// SPDX-License-Identifier: MIT

#include "chain.h"

#include <inttypes.h>

#include "freelist.h"

kv_status bt_chain_expect(const uint8_t *page, uint64_t rest)
{
    if (bt_kind_of(page) == BT_OVERFLOW && bt_overflow_rest(page) == rest) {
        return KV_OK;
    }
    return bt_page_bad(
        bt_page_id(page), bt_page_bytes(page),
        "should hold a value's last %" PRIu64 " bytes, and does not", rest);
}

static kv_status write_pages(bt_tx *tx, kv_slice value, const bt_ids *ids)
{
    uint32_t page_bytes = tx->cache->config.page_bytes;
    for (size_t i = 0; i < ids->count; i++) {
        uint8_t *page;
        KV_TRY(bt_tx_create_at(tx, ids->id[i], true, &page));
        uint64_t next = i + 1 < ids->count ? ids->id[i + 1] : 0;
        size_t here =
            bt_overflow_encode(page, page_bytes, ids->id[i], next, value);
        value = kv_slice_of(value.data + here, value.len - here);
    }
    return KV_OK;
}

kv_status bt_chain_write(bt_tx *tx, kv_slice value, uint64_t *first)
{
    bt_ids ids = {0};
    kv_status st = KV_OK;
    uint64_t count = bt_overflow_pages(tx->cache->config.page_bytes, value.len);
    for (uint64_t i = 0; i < count && st == KV_OK; i++) {
        uint64_t id;
        st = bt_freelist_take(tx, &id);
        if (st == KV_OK) bt_ids_add(&ids, id);
    }
    if (st == KV_OK) st = write_pages(tx, value, &ids);
    if (st == KV_OK) *first = ids.id[0];
    EXPLAIN(tx->explain, "%zu bytes are too long for a leaf: %zu pages",
            value.len, ids.count);
    bt_ids_free(&ids);
    return st;
}

kv_status bt_chain_drop(bt_tx *tx, uint64_t first, uint64_t bytes)
{
    const uint8_t *page;
    for (uint64_t id = first; bytes > 0; id = bt_link(page)) {
        KV_TRY(bt_tx_read(tx, id, &page));
        KV_TRY(bt_chain_expect(page, bytes));
        bytes -= bt_overflow_bytes(page).len;
        bt_tx_drop(tx, id);
    }
    return KV_OK;
}

// ---- to other places --------------------------------------------------------

// The chain's pages, in order; `count` of them have to move.
static kv_status list_pages(bt_tx *tx, uint64_t first, uint64_t bytes,
                            bt_ids *ids, size_t *count)
{
    const uint8_t *page;
    *count = 0;
    for (uint64_t id = first; bytes > 0; id = bt_link(page)) {
        KV_TRY(bt_tx_read(tx, id, &page));
        KV_TRY(bt_chain_expect(page, bytes));
        bytes -= bt_overflow_bytes(page).len;
        bt_ids_add(ids, id);
        if (id >= tx->goal) *count = tx->is_cow ? ids->count : *count + 1;
    }
    return KV_OK;
}

// From the last page to the first: each learns where its successor is now.
static kv_status move_pages(bt_tx *tx, const bt_ids *ids, uint64_t *first)
{
    bool has_moved = false; // the page behind this one
    uint64_t next = 0;
    for (size_t i = ids->count; i-- > 0;) {
        uint8_t *page;
        uint64_t id = ids->id[i];
        bool moves = id >= tx->goal || (tx->is_cow && has_moved);
        if (moves) KV_TRY(bt_tx_move(tx, &id, &page));
        else if (has_moved) KV_TRY(bt_tx_change(tx, &id, &page));
        if (has_moved) bt_set_link(page, next);
        has_moved = moves;
        next = id;
    }
    *first = next;
    return KV_OK;
}

static uint64_t highest_of(const bt_ids *ids)
{
    uint64_t highest = 0;
    for (size_t i = 0; i < ids->count; i++) {
        if (ids->id[i] > highest) highest = ids->id[i];
    }
    return highest;
}

kv_status bt_chain_move(bt_tx *tx, uint64_t *first, uint64_t bytes,
                        size_t spare, bool borrows, size_t *count, bool *done)
{
    bt_ids ids = {0};
    *done = false;
    kv_status st = list_pages(tx, *first, bytes, &ids, count);
    size_t places = *count > 0 ? *count + spare : 0;
    if (st == KV_OK) st = bt_freelist_load(tx, places, done);
    if (st == KV_OK && !*done && borrows) {
        *done = bt_freelist_borrow(tx, places, highest_of(&ids));
    }
    if (st == KV_OK && *done) st = move_pages(tx, &ids, first);
    bt_ids_free(&ids);
    return st;
}
