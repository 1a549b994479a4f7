// test_log.c -- what format_log.h draws: items there and back, and pages mended
// by patches.
// SPDX-License-Identifier: MIT

#include "common/mem.h"
#include "common/recordlog.h"

#include "format_log.h"
#include "page.h"
#include "tests/stage5_btree/shelf.h"
#include "tests/support/test.h"
#include "xray.h"

#define EXPECT(buf, bytes)                                                     \
    do {                                                                       \
        assert_int_equal((buf)->len, sizeof(bytes) - 1);                       \
        assert_memory_equal((buf)->data, bytes, (buf)->len);                   \
    } while (0)

static void worked_examples(void **state)
{
    (void)state;
    kv_buf b = {0};
    bt_shape shape = {
        .root = 5, .page_count = 300, .free_list = 7, .free_count = 2};
    bt_item_put_commit(&b, 12, 42);
    EXPECT(&b, "\1\x0c\x2a");
    kv_buf_clear(&b);
    bt_item_put_shape(&b, &shape);
    EXPECT(&b, "\2\5\xac\2\7\2");
    kv_buf_clear(&b);
    bt_item_put_written(&b, 1);
    bt_item_put_written_page(&b, 7, 12, 0x01020304);
    EXPECT(&b, "\5\1\7\x0c\4\3\2\1");
    kv_buf_free(&b);
}

// An insertion is logged as what it changed: log position, count and heap, the
// slot, the cell.
static void a_small_change_is_a_small_patch(void **state)
{
    (void)state;
    uint8_t base[512], page[512];
    kv_buf b = {0};
    bt_page_init(base, sizeof base, BT_LEAF, 0, 7);
    memcpy(page, base, sizeof page);
    bt_cell cat = bt_cell_of(kv_str("cat"), kv_str("meow"));
    assert_true(bt_page_insert(page, 0, &cat));
    bt_set_lsn(page, 12);
    bt_item_put_patch(&b, base, page, NULL);
    bt_item item;
    assert_int_equal(bt_item_decode(kv_buf_slice(&b), 512, &item), b.len);
    assert_int_equal(item.kind, BT_ITEM_PATCH);
    assert_int_equal(item.page_id, 7);
    assert_true(b.len < 50);
    bt_item_apply(&item, 512, base);
    assert_memory_equal(base + 4, page + 4, 508);
    kv_buf_free(&b);
}

// A put in place differs from its base where it says that it does, and nowhere
// else.
static void a_put_is_logged_where_it_touched(void **state)
{
    (void)state;
    enum { PUTS = 2000, PAGE = 1024 };
    uint8_t base[PAGE], page[PAGE], value[80];
    kv_buf b = {0};
    kv_rng rng;
    unsigned in_place = 0;
    kv_rng_seed(&rng, 7);
    bt_page_init(page, PAGE, BT_LEAF, 0, 7);
    for (uint64_t i = 1; i <= PUTS; i++) {
        char key[16];
        size_t slot;
        memcpy(base, page, PAGE);
        memset(value, (int)kv_rng_below(&rng, 256), sizeof value);
        snprintf(key, sizeof key, "key%03u", (unsigned)kv_rng_below(&rng, 60));
        bt_cell cell = bt_cell_of(
            kv_str(key), kv_slice_of(value, kv_rng_below(&rng, sizeof value)));
        bool is_there = bt_page_find(page, kv_str(key), &slot);
        bt_fit fit = is_there ? bt_page_replace(page, slot, &cell)
                              : bt_page_insert(page, slot, &cell);
        if (fit == BT_NO_ROOM) bt_page_remove(page, slot > 0 ? slot - 1 : 0);
        if (fit != BT_IN_PLACE) continue;
        in_place++;
        bt_set_lsn(page, i);
        bt_touched touched = bt_page_touched(page, slot);
        bt_item item;
        kv_buf_clear(&b);
        bt_item_put_patch(&b, base, page, &touched);
        assert_int_equal(bt_item_decode(kv_buf_slice(&b), PAGE, &item), b.len);
        bt_item_apply(&item, PAGE, base);
        assert_memory_equal(base + 4, page + 4, PAGE - 4);
    }
    assert_true(in_place > PUTS / 4);
    kv_buf_free(&b);
}

// ---- many changes to one page -----------------------------------------------

enum { VERSIONS = 40, SIZE = 1024 };

typedef struct history {
    uint8_t version[VERSIONS][SIZE];
    kv_buf item[VERSIONS]; // from the version before to this one; 0: an image
} history;

static void change(uint8_t *page, kv_rng *rng)
{
    uint8_t value[80];
    char key[16];
    size_t slot;
    memset(value, (int)kv_rng_below(rng, 256), sizeof value);
    snprintf(key, sizeof key, "key%03u", (unsigned)kv_rng_below(rng, 30));
    bt_cell cell =
        bt_cell_of(kv_str(key), kv_slice_of(value, kv_rng_below(rng, 80)));
    bool is_there = bt_page_find(page, kv_str(key), &slot);
    if (is_there && kv_rng_below(rng, 3) == 0) bt_page_remove(page, slot);
    else if (is_there) (void)bt_page_replace(page, slot, &cell);
    else if (!bt_page_insert(page, slot, &cell)) bt_page_remove(page, 0);
}

static history *make_history(uint64_t seed)
{
    history *h = kv_zalloc(sizeof *h);
    kv_rng rng;
    kv_rng_seed(&rng, seed);
    bt_page_init(h->version[0], SIZE, BT_LEAF, 0, 7);
    bt_set_lsn(h->version[0], 1);
    bt_item_put_image(&h->item[0], h->version[0]);
    for (uint64_t i = 1; i < VERSIONS; i++) {
        memcpy(h->version[i], h->version[i - 1], SIZE);
        for (uint64_t k = kv_rng_below(&rng, 4); k > 0; k--) {
            change(h->version[i], &rng);
        }
        bt_set_lsn(h->version[i], i + 1);
        bt_item_put_patch(&h->item[i], h->version[i - 1], h->version[i], NULL);
    }
    for (int i = 0; i < VERSIONS; i++) bt_page_seal(h->version[i], 5);
    return h;
}

static void free_history(history *h)
{
    for (int i = 0; i < VERSIONS; i++) kv_buf_free(&h->item[i]);
    kv_free(h);
}

// Applies the items of versions from..VERSIONS-1.
static void redo(const history *h, size_t from, uint8_t *page)
{
    for (size_t i = from; i < VERSIONS; i++) {
        bt_item item;
        kv_slice bytes = kv_buf_slice(&h->item[i]);
        assert_int_equal(bt_item_decode(bytes, SIZE, &item), bytes.len);
        bt_item_apply(&item, SIZE, page);
    }
}

// The log of everything since version 0 makes the last version of any mixture
// of sectors of any versions: of a page that was torn, more than once (L1).
static void patches_mend_every_mixture(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        history *h = make_history(seed);
        kv_rng rng;
        kv_rng_seed(&rng, seed + 1000);
        for (int round = 0; round < 20; round++) {
            uint8_t page[SIZE];
            for (size_t at = 0; at < SIZE; at += 128) {
                size_t v = kv_rng_below(&rng, VERSIONS);
                memcpy(page + at, h->version[v] + at, 128);
            }
            redo(h, 1, page);
            assert_memory_equal(page + 4, h->version[VERSIONS - 1] + 4,
                                SIZE - 4);
        }
        free_history(h);
    }
}

static void an_image_needs_no_page(void **state)
{
    (void)state;
    history *h = make_history(77);
    uint8_t page[SIZE];
    memset(page, 0xee, sizeof page);
    redo(h, 0, page);
    bt_page_seal(page, 5);
    assert_ok(bt_page_verify(page, SIZE, 7, 5));
    assert_memory_equal(page, h->version[VERSIONS - 1], SIZE);
    // Twice is as good as once.
    redo(h, 0, page);
    redo(h, VERSIONS / 2, page);
    assert_memory_equal(page + 4, h->version[VERSIONS - 1] + 4, SIZE - 4);
    free_history(h);
}

// ---- any bytes --------------------------------------------------------------

// Random damage: refused, or an item that stays within its bytes and its page.
static void any_bytes_are_an_item_or_none(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 21);
    unsigned refused = 0, taken = 0;
    history *h = make_history(78);
    for (unsigned i = 0; i < 100000; i++) {
        const kv_buf *model = &h->item[kv_rng_below(&rng, VERSIONS)];
        size_t len =
            model->len - kv_rng_below(&rng, 2) * kv_rng_below(&rng, model->len);
        // Of its own, so that a sanitizer sees a byte too far.
        uint8_t *bytes = kv_alloc(len), *page = kv_zalloc(SIZE);
        memcpy(bytes, model->data, len);
        for (uint64_t k = kv_rng_below(&rng, 3); k > 0; k--) {
            bytes[kv_rng_below(&rng, len < 12 ? len : 12)] =
                (uint8_t)kv_rng_next(&rng);
        }
        bt_item item;
        size_t size = bt_item_decode(kv_slice_of(bytes, len), SIZE, &item);
        assert_true(size <= len);
        refused += size == 0;
        taken += size > 0;
        if (size > 0 &&
            (item.kind == BT_ITEM_IMAGE || item.kind == BT_ITEM_PATCH)) {
            bt_item_apply(&item, SIZE, page);
        }
        kv_free(bytes);
        kv_free(page);
    }
    free_history(h);
    assert_true(refused > 1000 && taken > 1000);
}

// A record that ends within an item holds none: what is there of it would be
// applied to half of a page.
static void an_item_cut_short_is_none(void **state)
{
    (void)state;
    history *h = make_history(79);
    for (int i = 0; i < VERSIONS; i++) {
        for (size_t len = 0; len < h->item[i].len; len++) {
            uint8_t *bytes = kv_alloc(len + 1); // + 1: 0 is no size
            memcpy(bytes, h->item[i].data, len);
            bt_item item;
            assert_int_equal(
                bt_item_decode(kv_slice_of(bytes, len), SIZE, &item), 0);
            kv_free(bytes);
        }
    }
    free_history(h);
}

// ---- drawn ------------------------------------------------------------------

static void expect_text(const kv_buf *text, const char *want)
{
    if (strstr((const char *)text->data, want) != NULL) return;
    print_error("\"%s\" is not in\n", want);
    print_error("%s", (const char *)text->data);
    fail();
}

static void a_log_is_drawn_item_by_item(void **state)
{
    (void)state;
    kv_recordlog_id id = {.kind = "WAL ", .store_id = 5, .number = 1};
    kv_buf file = {0}, payload = {0};
    history *h = make_history(79);
    bt_shape shape = {.root = 7, .page_count = 8};
    kv_recordlog_encode_header(&id, &file);
    bt_item_put_commit(&payload, 12, 42);
    bt_item_put_shape(&payload, &shape);
    kv_buf_append(&payload, kv_buf_slice(&h->item[0]));
    kv_buf_append(&payload, kv_buf_slice(&h->item[3]));
    kv_record_encode(&file, &id, file.len, 0, false, kv_buf_slice(&payload));
    kv_buf_clear(&payload);
    bt_item_put_written(&payload, 1);
    bt_item_put_written_page(&payload, 7, 12, 0x01020304);
    kv_record_encode(&file, &id, file.len, 0, false, kv_buf_slice(&payload));
    kv_record_encode(&file, &id, file.len, 0, false, kv_str("\xff nothing"));
    kv_xray x = {.limit = UINT64_MAX};
    bt_xray_log(kv_buf_slice(&file), "000001.wal", &x);
    kv_buf_append(&x.text, kv_slice_of("", 1));
    static const char *const wanted[] = {"number 12; the store has 42 keys",
                                         "root page 7, 8 pages",
                                         "page 7, all but bytes 40 to 1024",
                                         "of the page",
                                         "runs",
                                         "bytes 16 to 16 of the page",
                                         "1 pages are about to be",
                                         "7 of commit 12, checksum 01020304"};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        expect_text(&x.text, wanted[i]);
    }
    expect_text(&x.text, "!! no item of a log begins here");
    assert_int_equal(x.damage_count, 1);
    kv_buf_free(&x.text);
    kv_buf_free(&file);
    kv_buf_free(&payload);
    free_history(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_examples),
        cmocka_unit_test(a_small_change_is_a_small_patch),
        cmocka_unit_test(a_put_is_logged_where_it_touched),
        cmocka_unit_test(patches_mend_every_mixture),
        cmocka_unit_test(an_image_needs_no_page),
        cmocka_unit_test(any_bytes_are_an_item_or_none),
        cmocka_unit_test(an_item_cut_short_is_none),
        cmocka_unit_test(a_log_is_drawn_item_by_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
