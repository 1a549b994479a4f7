// fence.c -- see fence.h.
// SPDX-License-Identifier: MIT

#include "fence.h"

kv_status bt_fence_broken(const bt_tx *tx, uint64_t page_id)
{
    return bt_page_bad(page_id, tx->cache->config.page_bytes,
                       "and its neighbours are not in order");
}

// The separator on the left of the child at `index` of the page at depth `d`,
// or on its right; an empty key if there is none on the whole way up.
static kv_status find_fence(bt_tx *tx, const bt_path *p, size_t d, size_t index,
                            bool is_right, kv_buf *fence)
{
    const uint8_t *page;
    kv_buf_clear(fence);
    for (;; index = p->step[d].index) {
        KV_TRY(bt_tx_read(tx, p->step[d].id, &page));
        if (is_right ? index < bt_count(page) : index > 0) break;
        if (d-- == 0) return KV_OK;
    }
    bt_page_key(page, is_right ? index : index - 1, fence);
    return KV_OK;
}

static kv_status expect_between(const bt_tx *tx, const uint8_t *page,
                                kv_slice low, kv_slice high)
{
    size_t count = bt_count(page);
    if (count == 0) return KV_OK;
    bool is_in = (low.len == 0 || bt_page_compare(page, 0, low) >= 0) &&
                 (high.len == 0 || bt_page_compare(page, count - 1, high) < 0);
    return is_in ? KV_OK : bt_fence_broken(tx, bt_page_id(page));
}

kv_status bt_fence_expect(bt_tx *tx, const bt_path *p, size_t d, size_t first,
                          size_t count)
{
    kv_buf low = {0}, high = {0};
    kv_status st = KV_OK;
    size_t empty = 0;
    for (size_t i = first; i < first + count && st == KV_OK; i++) {
        const uint8_t *parent, *page;
        st = find_fence(tx, p, d, i, false, &low);
        if (st == KV_OK) st = find_fence(tx, p, d, i, true, &high);
        if (st == KV_OK) st = bt_tx_read(tx, p->step[d].id, &parent);
        if (st != KV_OK) break;
        st = bt_tx_read(tx, bt_page_child(parent, i), &page);
        if (st != KV_OK) break;
        st = expect_between(tx, page, kv_buf_slice(&low), kv_buf_slice(&high));
        // A page met twice cannot have keys between its separators each time,
        // and a del empties one page at most.
        empty += bt_count(page) == 0;
        if (st == KV_OK && empty > 1)
            st = bt_fence_broken(tx, bt_page_id(page));
    }
    kv_buf_free(&low);
    kv_buf_free(&high);
    return st;
}
