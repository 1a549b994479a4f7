// test_page.c -- one page beside a sorted array: random changes, every page
// size, keys of all kinds; and what a change may move.
// SPDX-License-Identifier: MIT

#include "common/mem.h"

#include "page.h"
#include "tests/stage5_btree/shelf.h"
#include "tests/support/test.h"

typedef struct desk {
    shelf shelf;
    kv_rng rng;
    uint8_t *page, *before;
    kv_buf key, value;
} desk;

static void desk_begin(desk *d, bt_kind kind, uint32_t page_bytes,
                       uint64_t seed)
{
    *d = (desk){.shelf = {.kind = kind, .page_bytes = page_bytes}};
    kv_rng_seed(&d->rng, seed);
    d->page = kv_zalloc(page_bytes);
    d->before = kv_zalloc(page_bytes);
    bt_page_init(d->page, page_bytes, kind, kind == BT_INNER, 7);
    if (kind == BT_INNER) bt_set_link(d->page, 99);
}

static void desk_end(desk *d)
{
    kv_free(d->page);
    kv_free(d->before);
    kv_buf_free(&d->key);
    kv_buf_free(&d->value);
    shelf_free(&d->shelf);
}

// A refusal leaves the page as it was (P1), and happens only if the entries
// would not fit without any prefix truncated either.
static void expect_refusal(desk *d, const bt_cell *cell, size_t old_bytes)
{
    const shelf *s = &d->shelf;
    size_t more = BT_SLOT_BYTES + bt_cell_bytes(cell, s->kind, 0);
    assert_memory_equal(d->page, d->before, s->page_bytes);
    assert_true(shelf_plain_bytes(s, 0, s->count) + more - old_bytes >
                bt_page_capacity(s->page_bytes));
}

static void put_one(desk *d)
{
    shelf *s = &d->shelf;
    kv_slice key = kv_buf_slice(&d->key);
    bt_cell cell = shelf_make_cell(s, &d->rng, key, &d->value);
    size_t slot, at;
    bool is_there = bt_page_find(d->page, key, &slot);
    assert_int_equal(is_there, shelf_find(s, key, &at));
    assert_int_equal(slot, at);
    memcpy(d->before, d->page, s->page_bytes);
    bool fits = is_there ? bt_page_replace(d->page, slot, &cell)
                         : bt_page_insert(d->page, slot, &cell);
    if (fits) shelf_put(s, &cell);
    else
        expect_refusal(d, &cell,
                       is_there ? shelf_plain_bytes(s, at, at + 1) : 0);
}

static void remove_one(desk *d)
{
    size_t slot, at = kv_rng_below(&d->rng, d->shelf.count);
    kv_slice key = kv_buf_slice(&d->shelf.entries[at].key);
    assert_true(bt_page_find(d->page, key, &slot));
    assert_int_equal(slot, at);
    bt_page_remove(d->page, slot);
    shelf_remove(&d->shelf, at);
}

// For a key that need not be there, everything that searches agrees.
static void look_up(desk *d)
{
    const shelf *s = &d->shelf;
    kv_slice key = kv_buf_slice(&d->key);
    size_t slot, at;
    bool is_there = shelf_find(s, key, &at);
    assert_int_equal(bt_page_find(d->page, key, &slot), is_there);
    assert_int_equal(slot, at);
    if (at < s->count) {
        assert_true((bt_page_compare(d->page, at, key) == 0) == is_there);
        assert_true(bt_page_compare(d->page, at, key) >= 0);
    }
    if (at > 0) assert_true(bt_page_compare(d->page, at - 1, key) < 0);
    if (s->kind == BT_LEAF) return;
    size_t index = bt_page_child_index(d->page, key);
    assert_int_equal(index, at + is_there);
    uint64_t want = index == 0 ? 99 : s->entries[index - 1].page_id;
    assert_int_equal(bt_page_child(d->page, index), want);
}

static void change(desk *d, unsigned shape, bool grow)
{
    shelf *s = &d->shelf;
    shelf_make_key(&d->rng, shape, s->page_bytes, &d->key);
    if (d->key.len == 0) return;
    look_up(d);
    if (s->count > 0 && kv_rng_below(&d->rng, grow ? 4 : 2) == 0) remove_one(d);
    else put_one(d);
}

static void run(bt_kind kind, uint32_t page_bytes, unsigned shape,
                uint64_t seed)
{
    desk d;
    desk_begin(&d, kind, page_bytes, seed);
    unsigned steps = 1500, stride = page_bytes <= 4096 ? 1 : 16;
    for (unsigned i = 0; i < steps; i++) {
        change(&d, shape, i / 300 % 2 == 0);
        if (i % stride == 0) shelf_expect(&d.shelf, 0, d.shelf.count, d.page);
    }
    while (d.shelf.count > 0) remove_one(&d);
    shelf_expect(&d.shelf, 0, 0, d.page);
    assert_int_equal(bt_page_used(d.page), 0);
    desk_end(&d);
}

static void random_changes_as_in_a_sorted_array(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (uint32_t size = BT_PAGE_MIN; size <= BT_PAGE_MAX; size *= 2) {
        for (unsigned shape = 0; shape < SHELF_SHAPES; shape++) {
            for (int kind = BT_LEAF; kind <= BT_INNER; kind++, seed++) {
                print_message("kind %d, %u bytes, shape %u, seed %llu\n", kind,
                              size, shape, (unsigned long long)seed);
                run((bt_kind)kind, size, shape, seed);
            }
        }
    }
}

// The least that a page holds: four of the longest separators, three of the
// largest cells.
static void the_longest_fit(void **state)
{
    (void)state;
    for (uint32_t size = BT_PAGE_MIN; size <= BT_PAGE_MAX; size *= 2) {
        uint8_t *page = kv_zalloc(size), *key = kv_zalloc(size);
        size_t len = bt_key_max(size), value = 0;
        memset(key, 'k', size);
        bt_page_init(page, size, BT_INNER, 1, 7);
        bt_set_link(page, 99);
        for (uint8_t i = 0; i < 4; i++) {
            key[0] = i;
            bt_cell cell = bt_cell_of_child(kv_slice_of(key, len), 5);
            assert_true(bt_page_insert(page, i, &cell));
        }
        while (bt_is_inline(size, len, value + 1)) value++;
        bt_page_init(page, size, BT_LEAF, 0, 7);
        for (uint8_t i = 0; i < 3; i++) {
            key[0] = i;
            bt_cell cell =
                bt_cell_of(kv_slice_of(key, len), kv_slice_of(key, value));
            assert_true(bt_page_insert(page, i, &cell));
        }
        assert_ok(bt_page_check(page, size, 7));
        kv_free(page);
        kv_free(key);
    }
    assert_true(bt_is_inline(4096, 16, 1024));
}

// Outside of header and slots an insertion changes the new cell alone, and the
// unused bytes in the middle are where bt_page_hole says.
static void an_insertion_moves_no_cell(void **state)
{
    (void)state;
    uint8_t page[1024], before[1024];
    size_t slot, from, limit;
    char key[16];
    bt_page_init(page, sizeof page, BT_LEAF, 0, 7);
    bt_cell cell = bt_cell_of(kv_str("k00"), kv_str("value"));
    assert_true(bt_page_insert(page, 0, &cell));
    for (unsigned i = 1; i < 30; i++) {
        snprintf(key, sizeof key, "k%02u", i * 17 % 97);
        memcpy(before, page, sizeof page);
        bt_page_hole(page, &from, &limit);
        assert_false(bt_page_find(page, kv_str(key), &slot));
        cell = bt_cell_of(kv_str(key), kv_str("value"));
        assert_true(bt_page_insert(page, slot, &cell));
        assert_memory_equal(page + limit, before + limit, sizeof page - limit);
    }
    bt_page_hole(page, &from, &limit);
    memset(page + from, 0xee, limit - from);
    assert_ok(bt_page_check(page, sizeof page, 7));
    assert_int_equal(bt_count(page), 30);
}

// Where cells were removed from a full page others of their size go in, and
// what is left stays where it is.
static void gaps_are_filled(void **state)
{
    (void)state;
    static const uint8_t value[40] = {1};
    uint8_t page[1024], before[1024];
    size_t slot;
    char key[16];
    unsigned n = 0, more;
    bt_page_init(page, sizeof page, BT_LEAF, 0, 7);
    for (bool fits = true; fits; n += fits) {
        snprintf(key, sizeof key, "key %04u", n * 17 % 83);
        bt_cell cell =
            bt_cell_of(kv_str(key), kv_slice_of(value, sizeof value));
        assert_false(bt_page_find(page, kv_str(key), &slot));
        fits = bt_page_insert(page, slot, &cell);
    }
    for (size_t i = 1; i < bt_count(page); i += 2) bt_page_remove(page, i);
    memcpy(before, page, sizeof page);
    more = n - (unsigned)bt_count(page);
    for (unsigned i = 0; i < more; i++) {
        snprintf(key, sizeof key, "key %04u", 84 + i);
        bt_cell cell =
            bt_cell_of(kv_str(key), kv_slice_of(value, sizeof value));
        assert_true(bt_page_insert(page, bt_count(page), &cell));
        assert_ok(bt_page_check(page, sizeof page, 7));
    }
    assert_int_equal(bt_count(page), n);
    for (size_t i = 0; i < bt_count(before); i++) {
        assert_memory_equal(bt_slot(page, i), bt_slot(before, i),
                            BT_SLOT_BYTES);
    }
    bt_cell cell =
        bt_cell_of(kv_str("key 0099"), kv_slice_of(value, sizeof value));
    assert_false(bt_page_insert(page, n, &cell));
}

// A child is changed where it stands, leftmost, first and last.
static void children_are_set(void **state)
{
    (void)state;
    uint8_t page[512];
    bt_page_init(page, sizeof page, BT_INNER, 3, 7);
    bt_set_link(page, 10);
    for (uint8_t i = 0; i < 5; i++) {
        uint8_t key[70] = {i};
        bt_cell cell = bt_cell_of_child(kv_slice_of(key, 1 + 15U * i), 11U + i);
        assert_true(bt_page_insert(page, i, &cell));
    }
    for (size_t i = 0; i <= 5; i++) {
        assert_int_equal(bt_page_child(page, i), 10 + i);
        bt_page_set_child(page, i, BT_PAGE_ID_MAX - i);
    }
    for (size_t i = 0; i <= 5; i++) {
        assert_int_equal(bt_page_child(page, i), BT_PAGE_ID_MAX - i);
    }
    assert_ok(bt_page_check(page, sizeof page, 7));
    bt_page_remove(page, 2);
    assert_int_equal(bt_page_child(page, 2), BT_PAGE_ID_MAX - 2);
    assert_int_equal(bt_page_child(page, 3), BT_PAGE_ID_MAX - 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_as_in_a_sorted_array),
        cmocka_unit_test(the_longest_fit),
        cmocka_unit_test(an_insertion_moves_no_cell),
        cmocka_unit_test(gaps_are_filled),
        cmocka_unit_test(children_are_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
