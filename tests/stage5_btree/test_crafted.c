// test_crafted.c -- pages of good checksums that do not fit together: said,
// never followed into a circle or a crash.
// SPDX-License-Identifier: MIT
//
// A closed store is changed by hand and sealed again, as a bug of ours or
// somebody's tool might: kv_check always says KV_CORRUPT; gets, scans, puts,
// dels and settling end, with KV_OK or KV_CORRUPT, and what a put said KV_OK to
// is there.

#include <stdlib.h>

#include "common/disk_sim.h"

#include "format.h"
#include "page.h"
#include "tests/stage5_btree/yard.h"
#include "tests/support/test.h"

enum { PAGE = 512, KEYS = 500, LONG = 1300 };

// A store's TREE, in memory.
typedef struct craft {
    kv_disk *disk;
    const char *knobs;
    uint8_t *tree;
    uint64_t bytes;
    bt_super super;
    uint64_t root, inner[2], leaf[2]; // neighbours: the root's first children,
                                      // and those of the first of them
    uint64_t value[2][3];             // two chains
} craft;

static uint8_t *page_of(const craft *c, uint64_t id)
{
    return c->tree + id * PAGE;
}

static void write_tree(craft *c)
{
    kv_file *f = NULL;
    kv_why why = kv_for(KV_FOR_RECOVERY);
    for (uint64_t id = BT_FIRST_PAGE; id < c->bytes / PAGE; id++) {
        bt_page_seal(page_of(c, id), c->super.store_id);
    }
    for (unsigned slot = 0; slot < 2; slot++) {
        c->super.counter++;
        bt_super_encode(&c->super, c->tree + c->super.counter % 2 * PAGE);
    }
    assert_ok(kv_file_open(c->disk, bt_file_name,
                           (kv_open_how){.mode = KV_OPEN_WRITE}, why, &f));
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
    bt_cell_read(page_of(c, c->leaf[0]), slot, &cell);
    chain[0] = cell.page_id;
    for (int i = 1; i < 3; i++) chain[i] = bt_link(page_of(c, chain[i - 1]));
}

// Three levels, the first two keys with values on chains, and free pages.
static void make(craft *c, const char *knobs)
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
    assert_int_equal(bt_level(page_of(c, c->root)), 2);
    for (size_t i = 0; i < 2; i++) {
        c->inner[i] = bt_page_child(page_of(c, c->root), i);
    }
    for (size_t i = 0; i < 2; i++) {
        c->leaf[i] = bt_page_child(page_of(c, c->inner[0]), i);
        find_value(c, i, c->value[i]);
    }
    assert_true(c->super.free_count > 2);
}

static void drop(craft *c)
{
    kv_disk_close(c->disk);
    free(c->tree);
}

// ---- what is wrong ----------------------------------------------------------

// What has to say KV_CORRUPT at once, asked about the first key.
enum { GETS = 1, SCANS = 2, PUTS = 4 };

typedef int damage(craft *c);

static int set_child(craft *c, uint64_t id)
{
    bt_page_set_child(page_of(c, c->inner[0]), 0, id);
    return GETS | SCANS | PUTS;
}

static int child_is_the_root(craft *c) { return set_child(c, c->root); }

static int child_is_itself(craft *c) { return set_child(c, c->inner[0]); }

static int child_is_a_neighbour_of_its_parent(craft *c)
{
    return set_child(c, c->inner[1]);
}

static int child_is_a_value(craft *c) { return set_child(c, c->value[0][0]); }

static int child_is_behind_the_end(craft *c)
{
    return set_child(c, c->super.page_count);
}

static int child_is_far_out(craft *c) { return set_child(c, BT_PAGE_ID_MAX); }

static int child_is_a_leaf_at_once(craft *c)
{
    bt_page_set_child(page_of(c, c->root), 0, c->leaf[0]);
    return GETS | SCANS | PUTS;
}

static int level_is_too_high(craft *c)
{
    page_of(c, c->inner[0])[5] = 40;
    return GETS | SCANS | PUTS;
}

static int root_is_too_high(craft *c)
{
    page_of(c, c->root)[5] = BT_LEVEL_MAX;
    return GETS | SCANS | PUTS;
}

static int root_is_a_value(craft *c)
{
    c->super.root = c->value[0][0];
    return GETS | SCANS | PUTS;
}

static int leaves_changed_places(craft *c)
{
    bt_page_set_child(page_of(c, c->inner[0]), 0, c->leaf[1]);
    bt_page_set_child(page_of(c, c->inner[0]), 1, c->leaf[0]);
    return SCANS;
}

static int inner_pages_changed_places(craft *c)
{
    bt_page_set_child(page_of(c, c->root), 0, c->inner[1]);
    bt_page_set_child(page_of(c, c->root), 1, c->inner[0]);
    return 0; // backwards all is in order: only a check misses the other one
}

static int a_leaf_is_there_twice(craft *c)
{
    bt_page_set_child(page_of(c, c->inner[0]), 1, c->leaf[0]);
    return SCANS;
}

static int a_leaf_is_there_again_elsewhere(craft *c)
{
    uint8_t *page = page_of(c, c->inner[1]);
    bt_page_set_child(page, bt_count(page), c->leaf[0]);
    return SCANS;
}

static int an_inner_page_is_there_twice(craft *c)
{
    bt_page_set_child(page_of(c, c->root), 1, c->inner[0]);
    return 0; // backwards all is in order: only a check misses the other one
}

static int a_leaf_is_empty(craft *c)
{
    bt_page_init(page_of(c, c->leaf[1]), PAGE, BT_LEAF, 0, c->leaf[1]);
    bt_set_lsn(page_of(c, c->leaf[1]), 1);
    return SCANS;
}

static int an_empty_leaf_is_there_twice(craft *c)
{
    a_leaf_is_empty(c);
    for (size_t i = 0; i < 4; i++) {
        bt_page_set_child(page_of(c, c->inner[0]), i, c->leaf[1]);
    }
    return 0;
}

static int chain_is_a_circle(craft *c)
{
    bt_set_link(page_of(c, c->value[0][1]), c->value[0][0]);
    return GETS | SCANS | PUTS;
}

static int set_next(craft *c, uint64_t id)
{
    bt_set_link(page_of(c, c->value[0][0]), id);
    return GETS | SCANS | PUTS;
}

static int chain_ends_in_itself(craft *c)
{
    return set_next(c, c->value[0][0]);
}

static int chain_goes_to_a_leaf(craft *c) { return set_next(c, c->leaf[1]); }

static int chain_goes_far_out(craft *c) { return set_next(c, BT_PAGE_ID_MAX); }

static int chains_join(craft *c)
{
    bt_set_link(page_of(c, c->value[0][0]), c->value[1][1]);
    return 0;
}

// ---- and in the free list ---------------------------------------------------

static uint8_t *list_page(craft *c) { return page_of(c, c->super.free_list); }

static void list_at(craft *c, size_t index, uint64_t id)
{
    uint8_t *page = list_page(c);
    size_t count = bt_count(page);
    uint64_t ids[PAGE / 8];
    for (size_t i = count; i-- > 0;) ids[i] = bt_free_pop(page);
    ids[index] = id;
    for (size_t i = 0; i < count; i++) bt_free_push(page, ids[i]);
}

// All of them: whichever is taken first, it is this one.
static int list_only(craft *c, uint64_t id)
{
    for (size_t i = 0; i < bt_count(list_page(c)); i++) list_at(c, i, id);
    return 0;
}

static int a_free_page_is_behind_the_end(craft *c)
{
    return list_only(c, c->super.page_count);
}

static int a_free_page_is_far_out(craft *c)
{
    return list_only(c, BT_PAGE_ID_MAX);
}

static int a_free_page_is_there_twice(craft *c)
{
    list_at(c, 0, bt_free_get(list_page(c), 1));
    return 0;
}

static int all_free_pages_are_one(craft *c)
{
    return list_only(c, bt_free_get(list_page(c), 1));
}

static int a_free_page_is_the_root(craft *c) { return list_only(c, c->root); }

static int a_free_page_is_a_leaf(craft *c) { return list_only(c, c->leaf[0]); }

static int a_free_page_is_of_the_list(craft *c)
{
    return list_only(c, c->super.free_list);
}

static int the_free_list_is_a_circle(craft *c)
{
    bt_set_link(list_page(c), c->super.free_list);
    return 0;
}

static int the_free_list_is_an_empty_circle(craft *c)
{
    while (bt_count(list_page(c)) > 0) (void)bt_free_pop(list_page(c));
    bt_set_link(list_page(c), c->super.free_list);
    return 0;
}

static int the_free_list_is_a_leaf(craft *c)
{
    c->super.free_list = c->leaf[0];
    return 0;
}

static int the_free_list_goes_far_out(craft *c)
{
    bt_set_link(list_page(c), BT_PAGE_ID_MAX);
    return 0;
}

static int too_few_are_free(craft *c)
{
    c->super.free_count = 1;
    return 0;
}

static int too_many_are_free(craft *c)
{
    c->super.free_count++;
    return 0;
}

static const struct {
    const char *name;
    damage *apply;
} cases[] = {
#define CASE(name)                                                             \
    {                                                                          \
#name, name                                                            \
    }
    CASE(child_is_the_root),
    CASE(child_is_itself),
    CASE(child_is_a_neighbour_of_its_parent),
    CASE(child_is_a_value),
    CASE(child_is_behind_the_end),
    CASE(child_is_far_out),
    CASE(child_is_a_leaf_at_once),
    CASE(level_is_too_high),
    CASE(root_is_too_high),
    CASE(root_is_a_value),
    CASE(leaves_changed_places),
    CASE(inner_pages_changed_places),
    CASE(a_leaf_is_there_twice),
    CASE(a_leaf_is_there_again_elsewhere),
    CASE(an_inner_page_is_there_twice),
    CASE(a_leaf_is_empty),
    CASE(an_empty_leaf_is_there_twice),
    CASE(chain_is_a_circle),
    CASE(chain_ends_in_itself),
    CASE(chain_goes_to_a_leaf),
    CASE(chain_goes_far_out),
    CASE(chains_join),
    CASE(a_free_page_is_behind_the_end),
    CASE(a_free_page_is_far_out),
    CASE(a_free_page_is_there_twice),
    CASE(all_free_pages_are_one),
    CASE(a_free_page_is_the_root),
    CASE(a_free_page_is_a_leaf),
    CASE(a_free_page_is_of_the_list),
    CASE(the_free_list_is_a_circle),
    CASE(the_free_list_is_an_empty_circle),
    CASE(the_free_list_is_a_leaf),
    CASE(the_free_list_goes_far_out),
    CASE(too_few_are_free),
    CASE(too_many_are_free),
};

// ---- what is asked ----------------------------------------------------------

static kv *open_copy(const craft *c, kv_disk **disk)
{
    kv *db = NULL;
    *disk = kv_disk_sim_kill(c->disk);
    kv_options options = {.path = "craft",
                          .knobs = c->knobs,
                          .disk = *disk,
                          .sync = KV_SYNC_NONE,
                          .seed = 1};
    assert_ok(kv_open(test_engine("bt"), &options, &db));
    return db;
}

static void close_copy(kv *db, kv_disk *disk)
{
    (void)kv_close(db);
    kv_disk_close(disk);
}

static void expect_lawful(kv_status st)
{
    assert_true(st == KV_OK || st == KV_CORRUPT);
}

static kv_status scan_all(kv *db, bool reverse)
{
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    kv_status st = kv_scan(db, (kv_range){.reverse = reverse}, &cursor);
    unsigned seen = 0;
    while (st == KV_OK) {
        st = kv_cursor_next(cursor, &key, &value);
        assert_true(seen++ < 10 * KEYS); // else it is a circle
    }
    kv_cursor_close(cursor);
    return st == KV_END ? KV_OK : st;
}

static void put_is_there(kv *db, unsigned key, size_t bytes)
{
    char name[32];
    kv_buf value = {0};
    static const uint8_t zeroes[LONG];
    kv_status st = kv_put(db, yard_key(name, key), kv_slice_of(zeroes, bytes));
    expect_lawful(st);
    if (st == KV_OK) {
        expect_lawful(kv_get(db, yard_key(name, key), &value));
    }
    kv_buf_free(&value);
}

// Splits, merges, chains and free pages, wherever the damage is.
static void write_much(kv *db)
{
    char name[32];
    for (unsigned key = 0; key < KEYS + 100; key += 7) {
        put_is_there(db, key, key % 3 == 0 ? LONG : 60);
    }
    for (unsigned key = 0; key < KEYS; key++) {
        if (key % 9 != 0) expect_lawful(kv_del(db, yard_key(name, key)));
    }
    expect_lawful(kv_settle(db));
    for (unsigned key = 0; key < 300; key++) put_is_there(db, key, 50);
    expect_lawful(kv_settle(db));
}

static kv_status check(kv *db)
{
    kv_report report = {0};
    kv_status st = kv_check(db, &report);
    kv_report_free(&report);
    return st;
}

static void ask(const craft *c, int asks)
{
    kv_disk *disk;
    char name[32];
    kv_buf value = {0};
    kv *db = open_copy(c, &disk);
    assert_status(check(db), KV_CORRUPT);
    kv_status got = kv_get(db, yard_key(name, 0), &value);
    if (asks & GETS) assert_status(got, KV_CORRUPT);
    for (int reverse = 0; reverse < 2; reverse++) {
        kv_status scanned = scan_all(db, reverse);
        expect_lawful(scanned);
        if (asks & SCANS) assert_status(scanned, KV_CORRUPT);
    }
    kv_status put = kv_put(db, yard_key(name, 0), kv_str("new"));
    if (asks & PUTS) assert_status(put, KV_CORRUPT);
    expect_lawful(put);
    close_copy(db, disk);
    db = open_copy(c, &disk);
    write_much(db);
    expect_lawful(scan_all(db, false));
    expect_lawful(scan_all(db, true));
    close_copy(db, disk);
    kv_buf_free(&value);
}

static void what_does_not_fit_is_said(void **state)
{
    (void)state;
    static const char *const knobs[] = {
        "page_bytes=512,background=0",
        "page_bytes=512,background=0,journal=cow",
    };
    size_t count = sizeof cases / sizeof cases[0];
    for (size_t i = 0; i < 2 * count; i++) {
        craft c;
        make(&c, knobs[i / count]);
        print_message("%s: %s\n", c.knobs, cases[i % count].name);
        int asks = cases[i % count].apply(&c);
        write_tree(&c);
        ask(&c, asks);
        drop(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
