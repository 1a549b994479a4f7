// test_format.c -- the bytes that format.h draws, and what becomes of others.
// SPDX-License-Identifier: MIT

#include "deal.h"
#include "format.h"
#include "tests/stage5_btree/shelf.h"
#include "tests/support/test.h"

enum { STORE = 0x5b3c };

// ---- worked examples --------------------------------------------------------

static void expect(const uint8_t *page, size_t at, const char *bytes,
                   size_t len)
{
    assert_memory_equal(page + at, bytes, len);
}

#define EXPECT(page, at, bytes) expect((page), (at), (bytes), sizeof(bytes) - 1)

// A page of these pairs as a deal leaves it: one prefix, no dead bytes.
static void make_leaf(uint8_t *page, uint32_t page_bytes, uint64_t page_id)
{
    bt_cell cat = bt_cell_of(kv_str("cat"), kv_str("meow"));
    bt_cell fish = bt_cell_of(kv_str("catfish"), kv_str("blub"));
    bt_page_init(page, page_bytes, BT_LEAF, 0, page_id);
    assert_true(bt_page_insert(page, 0, &cat));
    bt_deal deal = {.from_count = 1, .from = {page}, .extra = &fish};
    assert_true(bt_deal_out(&deal, 1, &page, &page_id, NULL));
}

static void a_leaf(void **state)
{
    (void)state;
    uint8_t page[512];
    make_leaf(page, sizeof page, 7);
    bt_set_lsn(page, 0x0102);
    EXPECT(page, 4, "\1\0\x09\0");
    EXPECT(page, 8, "\7\0\0\0\0\0\0\0");
    EXPECT(page, 16, "\2\1\0\0\0\0\0\0");
    EXPECT(page, 24, "\0\0\0\0\0\0\0\0");
    EXPECT(page, 32, "\2\0\3\0\x0c\0\0\0");
    EXPECT(page, 40,
           "cat"
           "\0\0\0\0\xfa\1"
           "hsif\xf4\1\0");
    EXPECT(page, 500,
           "\x08\4"
           "blub"
           "\0\4"
           "meow");
    bt_page_seal(page, STORE);
    uint8_t store[8] = {0x3c, 0x5b};
    uint32_t crc = kv_crc32c(kv_crc32c(0, kv_slice_of(store, 8)),
                             kv_slice_of(page + 4, sizeof page - 4));
    assert_int_equal(kv_get_u32(page), crc);
    assert_ok(bt_page_verify(page, sizeof page, 7, STORE));
}

// A key longer than prefix and head has a rest in its cell; a large value has
// its first overflow page there.
static void a_leaf_with_a_rest_and_a_large_value(void **state)
{
    (void)state;
    uint8_t page[512];
    bt_cell cell = bt_cell_of_overflow(kv_str("elephant"), 0x0504030201, 300);
    bt_cell zoo = bt_cell_of(kv_str("zoo"), kv_str("moo")); // no common front
    bt_page_init(page, sizeof page, BT_LEAF, 0, 7);
    assert_true(bt_page_insert(page, 0, &zoo));
    assert_true(bt_page_insert(page, 0, &cell));
    EXPECT(page, 32, "\2\0\0\0\x11\0\0\0");
    EXPECT(page, 40,
           "pele\xef\1"
           "\0ooz\xfb\1");
    EXPECT(page, 495,
           "\x11\xac\2"
           "hant"
           "\1\2\3\4\5"
           "\6\3"
           "moo");
    assert_ok(bt_page_check(page, sizeof page, 7));
}

static void an_inner_page(void **state)
{
    (void)state;
    uint8_t page[512];
    bt_cell cow = bt_cell_of_child(kv_str("cow"), 5);
    bt_cell elk = bt_cell_of_child(kv_str("elkhound"), 6);
    bt_page_init(page, sizeof page, BT_INNER, 1, 9);
    bt_set_link(page, 4);
    assert_true(bt_page_insert(page, 0, &cow));
    assert_true(bt_page_insert(page, 1, &elk));
    EXPECT(page, 4, "\2\1\x09\0");
    EXPECT(page, 24, "\4\0\0\0\0\0\0\0");
    EXPECT(page, 32, "\2\0\0\0\x10\0\0\0");
    EXPECT(page, 40,
           "\0woc\xfa\1"
           "hkle\xf0\1");
    EXPECT(page, 496,
           "\x10\6\0\0\0\0"
           "ound"
           "\6\5\0\0\0\0");
    assert_ok(bt_page_check(page, sizeof page, 9));
}

static void overflow_pages(void **state)
{
    (void)state;
    uint8_t page[512], value[500];
    for (size_t i = 0; i < sizeof value; i++) value[i] = (uint8_t)(i + 1);
    kv_slice rest = kv_slice_of(value, sizeof value);
    assert_int_equal(bt_overflow_pages(512, 472), 1);
    assert_int_equal(bt_overflow_pages(512, 473), 2);
    assert_int_equal(bt_overflow_encode(page, 512, 3, 8, rest), 472);
    EXPECT(page, 4, "\3\0\x09\0\3\0\0\0\0\0\0\0");
    EXPECT(page, 24, "\x08\0\0\0\0\0\0\0\xd8\1\0\0\xf4\1\0\0\1\2\3");
    assert_ok(bt_page_check(page, 512, 3));
    assert_int_equal(bt_overflow_rest(page), 500);
    assert_int_equal(bt_overflow_bytes(page).len, 472);
    rest = kv_slice_of(value + 472, 28);
    assert_int_equal(bt_overflow_encode(page, 512, 8, 0, rest), 28);
    EXPECT(page, 24, "\0\0\0\0\0\0\0\0\x1c\0\0\0\x1c\0\0\0\xd9\xda");
    assert_ok(bt_page_check(page, 512, 8));
    assert_true(kv_slice_equal(bt_overflow_bytes(page), rest));
    page[511] = 1;
    assert_status(bt_page_check(page, 512, 8), KV_CORRUPT);
}

static void a_free_list_page(void **state)
{
    (void)state;
    uint8_t page[512];
    bt_page_init(page, sizeof page, BT_FREE_LIST, 0, 5);
    bt_set_link(page, 6);
    bt_free_push(page, 0x0a0b);
    bt_free_push(page, 77);
    EXPECT(page, 4, "\4\0\x09\0");
    EXPECT(page, 24, "\6\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0");
    EXPECT(page, 40, "\x0b\x0a\0\0\0\0\0\0\x4d\0\0\0\0\0\0\0");
    assert_ok(bt_page_check(page, sizeof page, 5));
    assert_int_equal(bt_free_pop(page), 77);
    assert_int_equal(bt_free_pop(page), 0x0a0b);
    for (size_t i = 0; i < bt_free_capacity(512); i++) {
        bt_free_push(page, 100 + i);
    }
    assert_ok(bt_page_check(page, sizeof page, 5));
    assert_int_equal(bt_free_get(page, 58), 158);
    assert_int_equal(bt_free_capacity(512), 59);
}

static const bt_super super_example = {
    .major = 1,
    .minor = 2,
    .page_bytes = 4096,
    .store_id = 0x1112131415161718,
    .counter = 3,
    .root = 4,
    .page_count = 50,
    .free_list = 6,
    .free_count = 7,
    .lsn = 8,
    .key_count = 9,
    .journal = 1,
    .log = 10,
    .closed.log = 11,
    .closed.bytes = 300,
};

static void a_superblock(void **state)
{
    (void)state;
    uint8_t bytes[BT_SUPER_BYTES];
    bt_super back;
    bt_super_encode(&super_example, bytes);
    EXPECT(bytes, 0, "SCTREE\r\n\1\0\2\0\0\x10\0\0");
    EXPECT(bytes, 16, "\x18\x17\x16\x15\x14\x13\x12\x11\3\0\0\0\0\0\0\0");
    EXPECT(bytes, 32, "\4\0\0\0\0\0\0\0\x32\0\0\0\0\0\0\0");
    EXPECT(bytes, 48, "\6\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0");
    EXPECT(bytes, 64, "\x08\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0");
    EXPECT(bytes, 80, "\1\0\0\0\0\0\0\0\x0a\0\0\0\0\0\0\0");
    EXPECT(bytes, 96, "\x0b\0\0\0\0\0\0\0\x2c\1\0\0\0\0\0\0");
    EXPECT(bytes, 112, "\0\0\0\0\0\0\0\0\0\0\0\0");
    assert_ok(bt_super_decode(kv_slice_of(bytes, sizeof bytes), 0, &back));
    uint8_t again[BT_SUPER_BYTES];
    bt_super_encode(&back, again);
    assert_memory_equal(again, bytes, sizeof bytes);
    assert_int_equal(back.log, 10);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        kv_status st =
            bt_super_decode(kv_slice_of(bytes, sizeof bytes), 0, &back);
        assert_true(st == (bit < 64 ? KV_INVALID : KV_CORRUPT));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    kv_slice cut = kv_slice_of(bytes, sizeof bytes - 1);
    assert_status(bt_super_decode(cut, 0, &back), KV_INVALID);
}

// With a good checksum too, each field has a range.
static void superblocks_that_make_no_sense(void **state)
{
    (void)state;
    enum { WRONG = 9 };
    bt_super wrong[WRONG];
    for (size_t i = 0; i < WRONG; i++) wrong[i] = super_example;
    wrong[0].page_bytes = 5000;
    wrong[1].root = 1;
    wrong[2].root = 50;
    wrong[3].free_list = 50;
    wrong[4].free_count = 51;
    wrong[5].journal = 2;
    wrong[6].page_count = BT_PAGE_ID_MAX + 1;
    wrong[7].closed.log = 9; // the first one is 10
    wrong[8].closed.bytes = 0;
    for (size_t i = 0; i < WRONG; i++) {
        uint8_t bytes[BT_SUPER_BYTES];
        bt_super back;
        bt_super_encode(&wrong[i], bytes);
        kv_slice slice = kv_slice_of(bytes, sizeof bytes);
        assert_status(bt_super_decode(slice, 4096, &back), KV_CORRUPT);
        assert_non_null(strstr(kv_last_error(), "byte 4096"));
    }
}

// ---- damage -----------------------------------------------------------------

// A leaf whose cells are of one size and leave no byte dead.
static void make_plain_leaf(uint8_t *page)
{
    bt_page_init(page, 512, BT_LEAF, 0, 7);
    for (uint8_t i = 0; i < 12; i++) {
        uint8_t key[] = {'k', i / 5, i, 7, 'e', 'y', i};
        size_t slot;
        bt_cell cell = bt_cell_of(kv_slice_of(key, 7), kv_str("value"));
        assert_false(bt_page_find(page, cell.prefix, &slot));
        assert_true(bt_page_insert(page, slot, &cell));
    }
}

enum { MODELS = 6 };

// One page of each kind, sealed; returns how many there are.
static size_t make_pages(uint8_t (*pages)[512])
{
    static const uint8_t value[600] = {1};
    make_leaf(pages[0], 512, 7);
    bt_page_init(pages[1], 512, BT_INNER, 1, 7);
    bt_set_link(pages[1], 99);
    for (uint8_t i = 0; i < 5; i++) {
        uint8_t key[40] = {'a', i / 2, 'b', i, 'c'};
        bt_cell cell = bt_cell_of_child(kv_slice_of(key, 10U + i), 20U + i);
        assert_true(bt_page_insert(pages[1], i, &cell));
    }
    bt_page_remove(pages[1], 2);
    bt_overflow_encode(pages[2], 512, 7, 8, kv_slice_of(value, 600));
    bt_overflow_encode(pages[3], 512, 7, 0, kv_slice_of(value, 60));
    bt_page_init(pages[4], 512, BT_FREE_LIST, 0, 7);
    bt_free_push(pages[4], 12);
    bt_free_push(pages[4], 13);
    make_plain_leaf(pages[5]);
    for (size_t i = 0; i < MODELS; i++) bt_page_seal(pages[i], STORE);
    return MODELS;
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    uint8_t pages[MODELS][512];
    size_t count = make_pages(pages);
    for (size_t i = 0; i < count; i++) {
        assert_ok(bt_page_verify(pages[i], 512, 7, STORE));
        for (size_t bit = 0; bit < 512 * 8; bit++) {
            pages[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_status(bt_page_verify(pages[i], 512, 7, STORE), KV_CORRUPT);
            pages[i][bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

// Two slots with one cell: as many bytes as there should be, keys in order, and
// nothing else amiss.
static void a_cell_has_one_slot(void **state)
{
    (void)state;
    uint8_t page[512], wrong[512];
    make_plain_leaf(page);
    assert_ok(bt_page_check(page, 512, 7));
    for (size_t i = 0; i < bt_count(page); i++) {
        for (size_t k = 0; k < bt_count(page); k++) {
            if (i == k) continue;
            memcpy(wrong, page, sizeof page);
            uint8_t *slot = wrong + (bt_slot(wrong, i) - wrong);
            bt_slot_encode(slot, bt_slot_head(slot),
                           bt_slot_offset(bt_slot(page, k)));
            assert_status(bt_page_check(wrong, 512, 7), KV_CORRUPT);
            assert_non_null(strstr(kv_last_error(), "on top of another"));
        }
    }
}

static void a_page_belongs_to_its_place_store_and_size(void **state)
{
    (void)state;
    uint8_t pages[MODELS][512], large[1024] = {0};
    size_t count = make_pages(pages);
    for (size_t i = 0; i < count; i++) {
        assert_status(bt_page_verify(pages[i], 512, 8, STORE), KV_CORRUPT);
        assert_non_null(strstr(kv_last_error(), "page 8, byte 41"));
        assert_status(bt_page_verify(pages[i], 512, 7, STORE + 1), KV_CORRUPT);
        memcpy(large, pages[i], 512);
        bt_page_seal(large, STORE);
        assert_status(bt_page_verify(large, 1024, 7, STORE), KV_CORRUPT);
        assert_status(bt_page_check(large, 1024, 7), KV_CORRUPT);
    }
}

static void an_inner_page_of_one_child_is_damage_on_disk(void **state)
{
    (void)state;
    uint8_t page[512];
    bt_page_init(page, sizeof page, BT_INNER, 1, 7);
    bt_set_link(page, 9);
    bt_page_seal(page, STORE);
    assert_ok(bt_page_check(page, sizeof page, 7));
    assert_status(bt_page_verify(page, sizeof page, 7, STORE), KV_CORRUPT);
}

// Does everything to a page that a tree does.
static void use(uint8_t *page, kv_rng *rng)
{
    size_t slot;
    kv_buf key = {0}, separator = {0};
    uint8_t left[512], right[512], *both[] = {left, right};
    uint64_t ids[] = {7, 8};
    shelf_make_key(rng, (unsigned)kv_rng_below(rng, SHELF_SHAPES), 512, &key);
    if (key.len == 0) kv_buf_append(&key, kv_str("a"));
    kv_slice k = kv_buf_slice(&key);
    bool is_leaf = bt_kind_of(page) == BT_LEAF;
    bt_cell cell =
        is_leaf ? bt_cell_of(k, kv_str("value")) : bt_cell_of_child(k, 9);
    bool is_there = bt_page_find(page, k, &slot);
    if (!is_leaf) (void)bt_page_child(page, bt_page_child_index(page, k));
    bt_deal deal = {.from_count = 1, .from = {page}, .extra = &cell};
    if (bt_deal_out(&deal, 2, both, ids, &separator)) {
        assert_ok(bt_page_check(left, 512, 7));
        assert_ok(bt_page_check(right, 512, 8));
    } else {
        assert_true(bt_count(page) < 3);
    }
    if (!is_there) (void)bt_page_insert(page, slot, &cell);
    else (void)bt_page_replace(page, slot, &cell);
    assert_ok(bt_page_check(page, 512, 7));
    for (size_t i = 0; i < bt_count(page); i++) bt_page_key(page, i, &key);
    while (bt_count(page) > 0) {
        bt_page_remove(page, kv_rng_below(rng, bt_count(page)));
    }
    assert_ok(bt_page_check(page, 512, 7));
    kv_buf_free(&key);
    kv_buf_free(&separator);
}

// The last error names this page, and a byte within it.
static void expect_place(unsigned page_id)
{
    unsigned page = 0, byte = 0;
    assert_int_equal(
        sscanf(kv_last_error(), "TREE: page %u, byte %u:", &page, &byte), 2);
    assert_int_equal(page, page_id);
    assert_int_equal(byte / 512, page_id);
}

// What passes the check can be used; what cannot be used does not pass. The
// checksum is left out: it would hide all that comes behind it.
static void damaged_pages_are_refused_or_usable(void **state)
{
    (void)state;
    uint8_t pages[MODELS][512], page[512];
    kv_rng rng;
    kv_rng_seed(&rng, 11);
    size_t count = make_pages(pages), refused = 0, used = 0;
    for (unsigned i = 0; i < 200000; i++) {
        const uint8_t *model = pages[kv_rng_below(&rng, count)];
        memcpy(page, model, sizeof page);
        for (uint64_t k = 1 + kv_rng_below(&rng, 3); k > 0; k--) {
            // Mostly where the header and the slots are.
            size_t at = kv_rng_below(&rng, kv_rng_below(&rng, 4) ? 80 : 512);
            page[at] = (uint8_t)kv_rng_next(&rng);
        }
        if (bt_page_check(page, sizeof page, 7) != KV_OK) {
            expect_place(7);
            refused++;
        } else if (bt_kind_of(page) <= BT_INNER) {
            use(page, &rng);
            used++;
        }
    }
    assert_true(refused > 10000 && used > 10000);
}

static void random_bytes_are_no_page(void **state)
{
    (void)state;
    uint8_t page[512];
    kv_rng rng;
    kv_rng_seed(&rng, 12);
    for (unsigned i = 0; i < 20000; i++) {
        for (size_t k = 0; k < sizeof page; k++) {
            page[k] = (uint8_t)kv_rng_next(&rng);
        }
        assert_status(bt_page_verify(page, 512, 7, STORE), KV_CORRUPT);
        // With a header that is right, so that what follows is looked at.
        memcpy(page + 4, "\1\0\x09\0\7\0\0\0\0\0\0\0", 12);
        page[4] = (uint8_t)(1 + i % 4);
        page[5] = page[4] == BT_INNER;
        page[33] = 0;
        assert_status(bt_page_check(page, 512, 7), KV_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf),
        cmocka_unit_test(a_leaf_with_a_rest_and_a_large_value),
        cmocka_unit_test(an_inner_page),
        cmocka_unit_test(overflow_pages),
        cmocka_unit_test(a_free_list_page),
        cmocka_unit_test(a_superblock),
        cmocka_unit_test(superblocks_that_make_no_sense),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(a_cell_has_one_slot),
        cmocka_unit_test(a_page_belongs_to_its_place_store_and_size),
        cmocka_unit_test(an_inner_page_of_one_child_is_damage_on_disk),
        cmocka_unit_test(damaged_pages_are_refused_or_usable),
        cmocka_unit_test(random_bytes_are_no_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
