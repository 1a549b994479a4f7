// bt.c -- fuzz targets of stage 5: a page, a superblock, the log's items, and
// drawings of them; see targets.h.
// SPDX-License-Identifier: MIT

#include <stdio.h>
#include <stdlib.h>

#include "deal.h"
#include "format_log.h"
#include "tests/fuzz/targets.h"
#include "xray.h"

enum { SIZE = 512, PAGE = 7, STORE = 0x5b3c };

static void must(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "broken: %s (last error: %s)\n", what, kv_last_error());
    abort();
}

// ---- pages ------------------------------------------------------------------

// A page that passes the check can be searched, changed and dealt out; the key
// is the input's last bytes.
static void use(uint8_t *page, kv_slice key)
{
    uint8_t left[SIZE], right[SIZE], *both[] = {left, right};
    uint64_t ids[] = {7, 8};
    kv_buf separator = {0};
    size_t slot;
    bool is_leaf = bt_kind_of(page) == BT_LEAF;
    bt_cell cell =
        is_leaf ? bt_cell_of(key, kv_str("value")) : bt_cell_of_child(key, 9);
    bool is_there = bt_page_find(page, key, &slot);
    bt_deal deal = {.from_count = 1, .from = {page}, .extra = &cell};
    bool fits = bt_deal_out(&deal, 2, both, ids, &separator);
    must(fits || bt_count(page) < 3, "a page splits");
    if (fits) {
        must(bt_page_check(left, SIZE, 7) == KV_OK, "a left half");
        must(bt_page_check(right, SIZE, 8) == KV_OK, "a right half");
    }
    if (is_there) (void)bt_page_replace(page, slot, &cell);
    else (void)bt_page_insert(page, slot, &cell);
    must(bt_page_check(page, SIZE, PAGE) == KV_OK, "a page with one more");
    while (bt_count(page) > 0) bt_page_remove(page, bt_count(page) / 2);
    must(bt_page_check(page, SIZE, PAGE) == KV_OK, "an empty page");
    kv_buf_free(&separator);
}

// The input is a page without its checksum, and a key behind it.
void fuzz_bt_page_run(kv_slice input)
{
    uint8_t page[SIZE] = {0};
    if (input.len <= SIZE) return;
    memcpy(page, input.data, SIZE);
    if (bt_page_check(page, SIZE, PAGE) != KV_OK) return;
    bt_page_seal(page, STORE);
    kv_status st = bt_page_verify(page, SIZE, PAGE, STORE);
    bool is_single = bt_kind_of(page) == BT_INNER && bt_count(page) == 0;
    must((st == KV_OK) != is_single, "a sealed page");
    kv_slice key = kv_slice_of(input.data + SIZE, input.len - SIZE);
    if (key.len > bt_key_max(SIZE)) key.len = bt_key_max(SIZE);
    if (bt_kind_of(page) <= BT_INNER) use(page, key);
}

bool fuzz_bt_page_seed(unsigned n, kv_buf *to)
{
    static const uint8_t value[600] = {1};
    uint8_t page[SIZE];
    if (n > 4) return false;
    bt_page_init(page, SIZE, n == 1 ? BT_INNER : BT_LEAF, n == 1, PAGE);
    if (n == 1) bt_set_link(page, 99);
    for (uint8_t i = 0; n < 2 && i < 12; i++) {
        uint8_t key[9] = {'p', 'r', (uint8_t)(i / 3), 'x', i, 'y'};
        kv_slice k = kv_slice_of(key, 5U + i % 5);
        bt_cell cell = n == 0   ? bt_cell_of(k, kv_slice_of(value, i))
                       : n == 1 ? bt_cell_of_child(k, 20U + i)
                                : bt_cell_of_overflow(k, 20U + i, 1000);
        must(bt_page_insert(page, i, &cell), "a seed");
    }
    if (n == 2) bt_overflow_encode(page, SIZE, 7, 8, kv_slice_of(value, 600));
    if (n == 3) bt_overflow_encode(page, SIZE, 7, 0, kv_slice_of(value, 60));
    if (n == 4) {
        bt_page_init(page, SIZE, BT_FREE_LIST, 0, PAGE);
        bt_free_push(page, 12);
    }
    kv_buf_append(to, kv_slice_of(page, SIZE));
    kv_buf_append(to, kv_str("prx"));
    return true;
}

// ---- superblocks, and a file of pages ---------------------------------------

// One superblock, one encoding; and a file that begins with it can be drawn.
void fuzz_bt_super_run(kv_slice input)
{
    bt_super super;
    uint8_t again[BT_SUPER_BYTES];
    kv_xray x = {.limit = UINT64_MAX};
    bt_xray_pages(input, &x);
    kv_buf_free(&x.text);
    if (bt_super_decode(input, 0, &super) != KV_OK) return;
    if (super.major > BT_FORMAT_MAJOR || super.minor > BT_FORMAT_MINOR) return;
    bt_super_encode(&super, again);
    must(memcmp(again, input.data, BT_SUPER_BYTES) == 0,
         "one superblock, one encoding");
}

bool fuzz_bt_super_seed(unsigned n, kv_buf *to)
{
    bt_super super = {.major = 1,
                      .page_bytes = SIZE,
                      .store_id = STORE,
                      .root = 2,
                      .page_count = 9};
    if (n > 4) return false;
    kv_buf_reserve(to, 10 * SIZE);
    memset(to->data, 0, 10 * SIZE);
    bt_super_encode(&super, to->data);
    to->len = PAGE * SIZE;
    fuzz_bt_page_seed(n, to);
    to->len = (PAGE + 1) * SIZE;
    return true;
}

// ---- what is in the log -----------------------------------------------------

// An item stays within its bytes, and within the page it is applied to.
void fuzz_bt_item_run(kv_slice input)
{
    uint8_t page[SIZE] = {0};
    kv_slice rest = input;
    bt_item item;
    size_t size;
    while ((size = bt_item_decode(rest, SIZE, &item)) > 0) {
        must(size <= rest.len, "an item within its bytes");
        if (item.kind == BT_ITEM_IMAGE || item.kind == BT_ITEM_PATCH) {
            bt_item_apply(&item, SIZE, page);
        }
        bt_written each;
        while (item.kind == BT_ITEM_WRITTEN &&
               bt_item_next_written(&item, &each)) {
        }
        rest = kv_slice_of(rest.data + size, rest.len - size);
    }
    kv_xray x = {.limit = UINT64_MAX};
    bt_xray_log(input, "input", &x);
    kv_buf_free(&x.text);
}

bool fuzz_bt_item_seed(unsigned n, kv_buf *to)
{
    bt_shape shape = {.root = 5, .page_count = 300, .free_list = 7};
    uint8_t base[SIZE], page[SIZE];
    kv_buf bytes = {0};
    if (n > 1) return false;
    fuzz_bt_page_seed(n, &bytes);
    memcpy(base, bytes.data, SIZE);
    memcpy(page, base, SIZE);
    kv_buf_free(&bytes);
    bt_page_remove(page, 3);
    bt_item_put_commit(to, 12, 42);
    bt_item_put_shape(to, &shape);
    bt_item_put_patch(to, base, page, NULL);
    bt_item_put_image(to, page);
    bt_item_put_written(to, 1);
    bt_item_put_written_page(to, PAGE, 12, 0x01020304);
    return true;
}
