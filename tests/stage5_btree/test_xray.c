// test_xray.c -- a file of pages drawn: every byte has a meaning, damage is
// said, and any bytes can be drawn.
// SPDX-License-Identifier: MIT

#include "page.h"
#include "tests/stage5_btree/shelf.h"
#include "tests/support/test.h"
#include "xray.h"

enum { SIZE = 512, PAGES = 7, STORE = 0x5b3c };

// Two superblocks and a page of each kind, the last never written.
static kv_buf make_file(void)
{
    static uint8_t pages[PAGES][SIZE];
    static const uint8_t value[600] = {'v'};
    memset(pages, 0, sizeof pages);
    bt_super super = {.major = 1,
                      .page_bytes = SIZE,
                      .store_id = STORE,
                      .counter = 4,
                      .root = 2,
                      .page_count = PAGES};
    bt_super_encode(&super, pages[0]);
    super.counter = 5;
    super.closed.log = 3;
    super.closed.bytes = 450;
    bt_super_encode(&super, pages[1]);
    bt_page_init(pages[2], SIZE, BT_INNER, 1, 2);
    bt_set_link(pages[2], 3);
    bt_cell cow = bt_cell_of_child(kv_str("cow"), 3);
    assert_true(bt_page_insert(pages[2], 0, &cow));
    bt_page_init(pages[3], SIZE, BT_LEAF, 0, 3);
    bt_cell cat = bt_cell_of(kv_str("cat"), kv_str("meow"));
    bt_cell dog = bt_cell_of_overflow(kv_str("dog"), 4, 600);
    assert_true(bt_page_insert(pages[3], 0, &cat));
    assert_true(bt_page_insert(pages[3], 1, &dog));
    bt_overflow_encode(pages[4], SIZE, 4, 5, kv_slice_of(value, 600));
    bt_page_init(pages[5], SIZE, BT_FREE_LIST, 0, 5);
    bt_free_push(pages[5], 6);
    for (size_t i = 2; i < PAGES - 1; i++) bt_page_seal(pages[i], STORE);
    kv_buf file = {0};
    kv_buf_append(&file, kv_slice_of(pages, sizeof pages));
    return file;
}

static kv_xray draw(const kv_buf *file, uint64_t from, uint64_t limit)
{
    kv_xray x = {.from = from, .limit = limit};
    bt_xray_pages(kv_buf_slice(file), &x);
    kv_buf_append(&x.text, kv_slice_of("", 1));
    return x;
}

static void expect_text(const kv_xray *x, const char *text)
{
    if (strstr((const char *)x->text.data, text) != NULL) return;
    print_error("\"%s\" is not in\n%s", text, (const char *)x->text.data);
    fail();
}

static void every_kind_of_page_is_drawn(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "page 0: superblock",
        "page 1: superblock",
        "recovery begins",
        "closed",
        "log 3 whole at 450 bytes",
        "page 2: inner page",
        "leftmost child: page 3",
        "from cow on: page 3",
        "page 3: leaf",
        "cat = meow",
        "head 63617400, cell at 506",
        "dog = 600 bytes from page 4 on",
        "page 4: overflow page",
        "472 bytes here, 600 from here to the end",
        "next: page 5",
        "page 5: free-list page",
        "page 6",
        "page 6: never written"};
    kv_buf file = make_file();
    kv_xray x = draw(&file, 0, UINT64_MAX);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        expect_text(&x, wanted[i]);
    }
    assert_int_equal(x.damage_count, 0);
    kv_buf_free(&x.text);
    x = draw(&file, 3 * SIZE + 45, 3 * SIZE + 46);
    assert_int_equal(x.field_count, 1);
    expect_text(&x, "cell at 506");
    kv_buf_free(&x.text);
    kv_buf_free(&file);
}

static void damage_is_said_and_the_rest_drawn(void **state)
{
    (void)state;
    kv_buf file = make_file();
    file.data[10] ^= 1;             // superblock 0
    file.data[3 * SIZE + 200] ^= 1; // an unused byte: only the checksum knows
    file.data[4 * SIZE + 32] ^= 1;  // a length
    kv_xray x = draw(&file, 0, UINT64_MAX);
    expect_text(&x, "!! TREE: the superblock at byte 0 has a bad checksum");
    expect_text(&x, "does not match");
    expect_text(&x, "cat = meow");
    expect_text(&x, "TREE: page 4, byte 2080");
    expect_text(&x, "page 6: never written");
    assert_int_equal(x.damage_count, 4);
    kv_buf_free(&x.text);
    file.len -= 100;
    x = draw(&file, 0, UINT64_MAX);
    expect_text(&x, "the file ends within page 6");
    kv_buf_free(&x.text);
    file.data[SIZE] ^= 1;
    x = draw(&file, 0, UINT64_MAX);
    expect_text(&x, "neither superblock is one");
    kv_buf_free(&x.text);
    kv_buf_free(&file);
}

static void any_bytes_can_be_drawn(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 13);
    kv_buf file = make_file();
    for (unsigned i = 0; i < 3000; i++) {
        kv_buf copy = {0};
        kv_buf_append(&copy, kv_buf_slice(&file));
        for (unsigned k = 0; k < 8; k++) {
            size_t page = kv_rng_below(&rng, PAGES);
            size_t at = kv_rng_below(&rng, k < 6 ? 60 : SIZE);
            copy.data[page * SIZE + at] = (uint8_t)kv_rng_next(&rng);
        }
        copy.len -= kv_rng_below(&rng, 2) * kv_rng_below(&rng, copy.len);
        kv_xray x = draw(&copy, 0, UINT64_MAX);
        assert_true(x.damage_count > 0 || x.field_count > 0);
        kv_buf_free(&x.text);
        kv_buf_free(&copy);
    }
    kv_buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_page_is_drawn),
        cmocka_unit_test(damage_is_said_and_the_rest_drawn),
        cmocka_unit_test(any_bytes_can_be_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
