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
    return kv_fail(KV_CORRUPT,
                   "%s: page %" PRIu64 " should hold a value's last %" PRIu64
                   " bytes, and does not; restore the store from a backup",
                   bt_file_name, bt_page_id(page), rest);
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
