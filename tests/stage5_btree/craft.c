// craft.c -- see craft.h.
// SPDX-License-Identifier: MIT

#include "tests/stage5_btree/craft.h"

#include <stdlib.h>

#include "tests/stage5_btree/yard.h"
#include "tests/support/test.h"

uint8_t *craft_page(const craft *c, uint64_t id) { return c->tree + id * PAGE; }

static void seal(craft *c)
{
    for (uint64_t id = BT_FIRST_PAGE; id < c->bytes / PAGE; id++) {
        bt_page_seal(craft_page(c, id), c->super.store_id);
    }
    for (unsigned slot = 0; slot < 2; slot++) {
        c->super.counter++;
        bt_super_encode(&c->super, c->tree + c->super.counter % 2 * PAGE);
    }
}

void craft_write(craft *c)
{
    kv_file *f = NULL;
    kv_why why = kv_for(KV_FOR_RECOVERY);
    if (!c->is_raw) seal(c);
    assert_ok(kv_file_open(c->disk, bt_file_name,
                           (kv_open_how){.mode = KV_OPEN_WRITE}, why, &f));
    assert_ok(kv_file_truncate(f, 0, why));
    assert_ok(kv_file_write(f, 0, kv_slice_of(c->tree, c->bytes), why));
    assert_ok(kv_file_close(f));
}

static void read_tree(craft *c)
{
    kv_file *f = NULL;
    kv_why why = kv_for(KV_FOR_RECOVERY);
    assert_ok(kv_file_open(c->disk, bt_file_name,
                           (kv_open_how){.mode = KV_OPEN_READ}, why, &f));
    assert_ok(kv_file_size(f, &c->bytes));
    c->tree = malloc(c->bytes);
    assert_ok(kv_file_read_all(f, 0, c->tree, c->bytes, why));
    assert_ok(kv_file_close(f));
    assert_ok(bt_super_decode(kv_slice_of(c->tree, PAGE), 0, &c->super));
}

static void find_value(const craft *c, size_t slot, uint64_t chain[3])
{
    bt_cell cell;
    bt_cell_read(craft_page(c, c->leaf[0]), slot, &cell);
    chain[0] = cell.page_id;
    for (int i = 1; i < 3; i++) chain[i] = bt_link(craft_page(c, chain[i - 1]));
}

void craft_make(craft *c, const char *knobs)
{
    yard y;
    yard_open(&y, knobs);
    for (unsigned key = 0; key < KEYS; key++) {
        bool is_long = key < 2 || key == 50 || key == 150;
        yard_put(&y, key, key + 1, is_long ? LONG : 40);
    }
    assert_ok(kv_settle(y.db));
    for (unsigned key = 50; key <= 150; key += 100) yard_put(&y, key, 1, 40);
    assert_ok(kv_settle(y.db));
    assert_ok(kv_close(y.db));
    *c = (craft){.disk = y.disk, .knobs = knobs};
    read_tree(c);
    c->root = c->super.root;
    assert_int_equal(bt_level(craft_page(c, c->root)), 2);
    for (size_t i = 0; i < 2; i++) {
        c->inner[i] = bt_page_child(craft_page(c, c->root), i);
    }
    for (size_t i = 0; i < 2; i++) {
        c->leaf[i] = bt_page_child(craft_page(c, c->inner[0]), i);
        find_value(c, i, c->value[i]);
    }
    assert_true(c->super.free_count > 2);
}

void craft_free(craft *c)
{
    kv_disk_close(c->disk);
    free(c->tree);
}
