// test_deal.c -- cells dealt out anew: none lost, separators right, pages as
// full as they have to be.
// SPDX-License-Identifier: MIT

#include "common/mem.h"

#include "deal.h"
#include "tests/stage5_btree/shelf.h"
#include "tests/support/test.h"

enum { FROM = 3, TO = BT_DEAL_MAX };

typedef struct desk {
    shelf shelf;
    kv_rng rng;
    uint8_t *from[FROM], *to[TO];
    uint64_t ids[TO];
    kv_buf between[FROM - 1], separators[TO - 1];
    kv_buf key, value;
    bt_deal deal;
} desk;

static void desk_begin(desk *d, bt_kind kind, uint32_t page_bytes,
                       uint64_t seed)
{
    *d = (desk){.shelf = {.kind = kind, .page_bytes = page_bytes}};
    kv_rng_seed(&d->rng, seed);
    for (size_t i = 0; i < FROM; i++) d->from[i] = kv_zalloc(page_bytes);
    for (size_t i = 0; i < TO; i++) {
        d->to[i] = kv_zalloc(page_bytes);
        d->ids[i] = 20 + i;
    }
}

static bool is_home(const desk *d, const uint8_t *page)
{
    for (size_t i = 0; i < FROM; i++) {
        if (d->from[i] == page) return true;
    }
    return false;
}

static void desk_end(desk *d)
{
    for (size_t i = 0; i < TO; i++) {
        if (!is_home(d, d->to[i])) kv_free(d->to[i]);
    }
    for (size_t i = 0; i < FROM; i++) kv_free(d->from[i]);
    for (size_t i = 0; i + 1 < FROM; i++) kv_buf_free(&d->between[i]);
    for (size_t i = 0; i + 1 < TO; i++) kv_buf_free(&d->separators[i]);
    kv_buf_free(&d->key);
    kv_buf_free(&d->value);
    shelf_free(&d->shelf);
}

// Puts random entries into the shelf and the page, until it refuses one or has
// `most`.
static void fill_page(desk *d, size_t i, unsigned shape, size_t most)
{
    shelf *s = &d->shelf;
    uint8_t *page = d->from[i];
    bt_page_init(page, s->page_bytes, s->kind, s->kind == BT_INNER, 7 + i);
    bt_set_lsn(page, 100 - i);
    if (s->kind == BT_INNER) bt_set_link(page, 77);
    shelf mine = {.kind = s->kind, .page_bytes = s->page_bytes};
    bool is_full = false;
    for (unsigned k = 0; k < 5000 && mine.count < most && !is_full; k++) {
        size_t slot, at;
        shelf_make_key(&d->rng, shape, s->page_bytes, &d->key);
        // The page's share of the key space: keys that begin with its number.
        kv_buf whole = {0};
        uint8_t digit = (uint8_t)('a' + i);
        kv_buf_append(&whole, kv_slice_of(&digit, 1));
        kv_buf_append(&whole, kv_buf_slice(&d->key));
        if (whole.len > bt_key_max(s->page_bytes)) {
            whole.len = bt_key_max(s->page_bytes);
        }
        kv_slice key = kv_buf_slice(&whole);
        bt_cell cell = shelf_make_cell(s, &d->rng, key, &d->value);
        if (!shelf_find(&mine, key, &at)) {
            assert_false(bt_page_find(page, key, &slot));
            if (bt_page_insert(page, slot, &cell)) {
                shelf_put(&mine, &cell);
                shelf_put(s, &cell);
            } else {
                is_full = true;
            }
        }
        kv_buf_free(&whole);
    }
    shelf_free(&mine);
}

// Makes `count` neighbours, each of `most` entries if so many fit.
static void fill(desk *d, size_t count, unsigned shape, size_t most)
{
    d->deal = (bt_deal){.from_count = count};
    for (size_t i = 0; i < count; i++) {
        fill_page(d, i, shape, most);
        d->deal.from[i] = d->from[i];
        if (i == 0) continue;
        uint8_t digit = (uint8_t)('a' + i);
        kv_buf_clear(&d->between[i - 1]);
        kv_buf_append(&d->between[i - 1], kv_slice_of(&digit, 1));
        d->deal.between[i - 1] = kv_buf_slice(&d->between[i - 1]);
        if (d->shelf.kind == BT_LEAF) continue;
        bt_cell down = bt_cell_of_child(d->deal.between[i - 1], 77);
        shelf_put(&d->shelf, &down);
    }
}

// The separator is above what is left of it and not above what is right (D2).
static void expect_separator(const desk *d, size_t i, size_t limit)
{
    const shelf *s = &d->shelf;
    kv_slice separator = kv_buf_slice(&d->separators[i]);
    kv_slice left = kv_buf_slice(&s->entries[limit - 1].key);
    kv_slice right = kv_buf_slice(&s->entries[limit].key);
    assert_true(kv_slice_cmp(left, separator) < 0);
    if (s->kind == BT_INNER) {
        assert_true(kv_slice_equal(separator, right));
        assert_int_equal(bt_link(d->to[i + 1]), s->entries[limit].page_id);
        return;
    }
    assert_true(kv_slice_cmp(separator, right) <= 0);
    // No shorter one would do.
    separator.len--;
    assert_true(kv_slice_cmp(separator, left) <= 0);
}

// D1 and D2, and every page sound.
static void expect_dealt(const desk *d, size_t to_count)
{
    const shelf *s = &d->shelf;
    size_t from = 0;
    for (size_t i = 0; i < to_count; i++) {
        size_t limit = from + bt_count(d->to[i]);
        assert_true(limit > from && limit <= s->count);
        shelf_expect(s, from, limit, d->to[i]);
        assert_int_equal(bt_page_id(d->to[i]), d->ids[i]);
        assert_int_equal(bt_lsn(d->to[i]), 100);
        if (i + 1 < to_count) expect_separator(d, i, limit);
        from = limit + (s->kind == BT_INNER && i + 1 < to_count);
    }
    assert_int_equal(from, s->count);
    if (s->kind == BT_INNER) assert_int_equal(bt_link(d->to[0]), 77);
}

// An extra cell somewhere among the pages' keys; false if there is none to be
// had of this shape.
static bool add_extra(desk *d, unsigned shape, bt_cell *extra)
{
    shelf *s = &d->shelf;
    for (unsigned k = 0; k < 100; k++) {
        size_t at;
        shelf_make_key(&d->rng, shape, s->page_bytes - 8, &d->key);
        kv_buf whole = {0};
        uint8_t digit =
            (uint8_t)('a' + kv_rng_below(&d->rng, d->deal.from_count));
        kv_buf_append(&whole, kv_slice_of(&digit, 1));
        kv_buf_append(&whole, kv_buf_slice(&d->key));
        kv_buf_clear(&d->key);
        kv_buf_append(&d->key, kv_buf_slice(&whole));
        kv_buf_free(&whole);
        kv_slice key = kv_buf_slice(&d->key);
        bool is_there = shelf_find(s, key, &at);
        // In a leaf it may take another's place; a separator never comes twice.
        if (is_there && s->kind == BT_INNER) continue;
        *extra = shelf_make_cell(s, &d->rng, key, &d->value);
        shelf_put(s, extra);
        return true;
    }
    return false;
}

// The pages dealt out of are those dealt into, a new one after the first.
static void stay_at_home(desk *d, size_t to_count)
{
    size_t extra = to_count > d->deal.from_count;
    for (size_t i = 0; i < d->deal.from_count && i < to_count; i++) {
        size_t at = i > 0 ? i + extra : 0;
        if (at == TO) break;
        kv_free(d->to[at]);
        d->to[at] = d->from[i];
    }
}

static void run(bt_kind kind, uint32_t size, unsigned shape, uint64_t seed)
{
    static const size_t most[] = {1, 6, SIZE_MAX};
    for (size_t from = 1; from <= FROM; from++) {
        for (size_t to = 1; to <= TO; to++) {
            for (unsigned round = 0; round < 6; round++) {
                desk d;
                bt_cell extra;
                desk_begin(&d, kind, size, seed++);
                fill(&d, from, shape, most[round % 3]);
                if (round % 2 == 0 && add_extra(&d, shape, &extra)) {
                    d.deal.extra = &extra;
                }
                d.deal.packing = round < 3 ? BT_EVEN : BT_LEFT;
                if (seed % 2 == 0) stay_at_home(&d, to);
                bool fits = bt_deal_out(&d.deal, to, d.to, d.ids, d.separators);
                size_t least = to + (kind == BT_INNER ? to - 1 : 0);
                if (to > from) assert_int_equal(fits, d.shelf.count >= least);
                if (fits) expect_dealt(&d, to);
                desk_end(&d);
            }
        }
    }
}

static void nothing_is_lost_and_separators_are_right(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (uint32_t size = BT_PAGE_MIN; size <= BT_PAGE_MAX; size *= 4) {
        for (unsigned shape = 0; shape < SHELF_SHAPES; shape++) {
            for (int kind = BT_LEAF; kind <= BT_INNER; kind++, seed += 1000) {
                print_message("kind %d, %u bytes, shape %u, seed %llu\n", kind,
                              size, shape, (unsigned long long)seed);
                run((bt_kind)kind, size, shape, seed);
            }
        }
    }
}

// Neighbours that a damaged tree claims, in the wrong order or with keys in
// common: refused, in whatever number of pages.
static void strangers_are_no_neighbours(void **state)
{
    (void)state;
    static const char *const keys[][2][2] = {
        {{"m", "n"}, {"a", "b"}},
        {{"abcdefghijkl", "abcdefghijklm"}, {"ab", "abcdefghijkz"}},
        {{"a", "b"}, {"b", "c"}}};
    for (size_t i = 0; i < 3; i++) {
        uint8_t pages[2][512], to[3][512];
        uint8_t *all[] = {to[0], to[1], to[2]};
        uint64_t ids[] = {7, 8, 9};
        kv_buf separators[2] = {{0}};
        for (int p = 0; p < 2; p++) {
            bt_page_init(pages[p], 512, BT_LEAF, 0, 7U + (unsigned)p);
            for (size_t k = 0; k < 2; k++) {
                bt_cell cell = bt_cell_of(kv_str(keys[i][p][k]), kv_str("v"));
                assert_true(bt_page_insert(pages[p], k, &cell));
            }
        }
        bt_deal deal = {.from_count = 2, .from = {pages[0], pages[1]}};
        for (size_t count = 1; count <= 3; count++) {
            assert_false(bt_deal_out(&deal, count, all, ids, separators));
        }
    }
}

// ---- what stays where it is -------------------------------------------------

static uint8_t *page_of(uint64_t first, size_t count, uint64_t page_id)
{
    static const uint8_t value[100] = {1};
    uint8_t *page = kv_zalloc(4096);
    bt_page_init(page, 4096, BT_LEAF, 0, page_id);
    for (uint64_t i = 0; i < count; i++) {
        char text[24];
        size_t slot;
        snprintf(text, sizeof text, "key %012u", // in no order, as keys come
                 (unsigned)(first + i * 9 % count));
        kv_slice key = kv_str(text);
        assert_false(bt_page_find(page, key, &slot));
        bt_cell cell = bt_cell_of(key, kv_slice_of(value, sizeof value));
        assert_true(bt_page_insert(page, slot, &cell));
    }
    bt_deal tidy = {.from_count = 1, .from = {page}}; // gives it its prefix
    assert_true(bt_deal_out(&tidy, 1, &page, &page_id, NULL));
    return page;
}

static size_t different_bytes(const uint8_t *a, const uint8_t *b)
{
    size_t count = 0;
    for (size_t i = 0; i < 4096; i++) count += a[i] != b[i];
    return count;
}

// Of two pages that share, or make room for a third between them, each changes
// in its header, its slots, and as many cells as come to it: what a log of
// changes has to hold.
static void a_page_keeps_what_stays_in_it(void **state)
{
    (void)state;
    enum { LEFT = 35, RIGHT = 26, CELL = 102 };
    for (size_t count = 2; count <= 3; count++) {
        uint8_t *left = page_of(0, LEFT, 7), *right = page_of(100, RIGHT, 8);
        uint8_t *was_left = kv_alloc(4096), *was_right = kv_alloc(4096);
        uint8_t *middle = kv_zalloc(4096);
        memcpy(was_left, left, 4096);
        memcpy(was_right, right, 4096);
        kv_buf separators[2] = {{0}};
        uint8_t *to[3] = {left, count == 2 ? right : middle, right};
        uint64_t ids[3] = {7, count == 2 ? 8 : 9, 8};
        bt_deal deal = {.from_count = 2, .from = {left, right}};
        assert_true(bt_deal_out(&deal, count, to, ids, separators));
        size_t stays = bt_count(left), comes = 0;
        if (count == 2) comes = LEFT - stays;
        assert_true(stays < LEFT);
        assert_true(different_bytes(left, was_left) <= 8);
        assert_int_equal(bt_dead_bytes(right) % CELL, 0);
        assert_true(different_bytes(right, was_right) <=
                    8 + bt_count(right) * BT_SLOT_BYTES + comes * CELL);
        assert_ok(bt_page_check(left, 4096, 7));
        assert_ok(bt_page_check(right, 4096, 8));
        for (size_t i = 0; i < 2; i++) kv_buf_free(&separators[i]);
        kv_free(left);
        kv_free(right);
        kv_free(middle);
        kv_free(was_left);
        kv_free(was_right);
    }
}

// ---- how full ---------------------------------------------------------------

// The leaves of a tree, from left to right, without what is above them.
typedef struct row {
    uint8_t *leaves[2000];
    kv_buf low[2000]; // the separator to the left of each
    size_t count;
} row;

static size_t leaf_for(const row *r, kv_slice key)
{
    size_t i = r->count - 1;
    while (i > 0 && kv_slice_cmp(kv_buf_slice(&r->low[i]), key) > 0) i--;
    return i;
}

// Deals leaves at..at+from-1, and the cell, into themselves or one more.
static bool deal_row(row *r, size_t at, size_t from, size_t to,
                     const bt_cell *cell, bt_packing packing)
{
    bt_deal deal = {.from_count = from, .extra = cell, .packing = packing};
    uint64_t ids[] = {10, 11, 12};
    for (size_t i = 0; i < from; i++) deal.from[i] = r->leaves[at + i];
    if (to > from) {
        size_t after = r->count++ - at - from, next = at + from;
        memmove(&r->leaves[next + 1], &r->leaves[next],
                after * sizeof r->leaves[0]);
        memmove(&r->low[next + 1], &r->low[next], after * sizeof r->low[0]);
        r->leaves[next] = kv_alloc(4096);
        r->low[next] = (kv_buf){0};
    }
    return bt_deal_out(&deal, to, &r->leaves[at], ids, &r->low[at + 1]);
}

static void put_in_row(row *r, kv_slice key, kv_slice value, bool shares,
                       bt_packing packing)
{
    bt_cell cell = bt_cell_of(key, value);
    size_t slot, at = leaf_for(r, key);
    assert_false(bt_page_find(r->leaves[at], key, &slot));
    if (bt_page_insert(r->leaves[at], slot, &cell)) return;
    if (!shares || r->count == 1) {
        assert_true(deal_row(r, at, 1, 2, &cell, packing));
        return;
    }
    if (at + 1 == r->count) at--;
    if (deal_row(r, at, 2, 2, &cell, packing)) return;
    assert_true(deal_row(r, at, 2, 3, &cell, packing));
}

// Inserts records of 16 + 100 bytes; returns how full the leaves are.
static double fill_row(bool is_random, bool shares, bt_packing packing)
{
    enum { RECORDS = 20000 };
    static const uint8_t value[100] = {1};
    row *r = kv_zalloc(sizeof *r);
    r->leaves[r->count++] = kv_alloc(4096);
    bt_page_init(r->leaves[0], 4096, BT_LEAF, 0, 10);
    for (uint64_t i = 0; i < RECORDS; i++) {
        char key[24];
        unsigned long long n = is_random ? kv_mix64(i) : i;
        snprintf(key, sizeof key, "%016llx", n);
        put_in_row(r, kv_str(key), kv_slice_of(value, 100), shares, packing);
    }
    size_t used = 0, capacity = r->count * bt_page_capacity(4096);
    for (size_t i = 0; i < r->count; i++) {
        assert_ok(bt_page_check(r->leaves[i], 4096, bt_page_id(r->leaves[i])));
        used += bt_page_used(r->leaves[i]);
        kv_free(r->leaves[i]);
        kv_buf_free(&r->low[i]);
    }
    kv_free(r);
    return (double)used / (double)capacity;
}

static void pages_are_as_full_as_the_book_says(void **state)
{
    (void)state;
    double halves = fill_row(true, false, BT_EVEN);
    double shared = fill_row(true, true, BT_EVEN);
    double naive = fill_row(false, false, BT_EVEN);
    double packed = fill_row(false, false, BT_LEFT);
    print_message("random %.3f, shared %.3f, ascending %.3f, packed %.3f\n",
                  halves, shared, naive, packed);
    assert_true(halves > 0.66 && halves < 0.73);
    assert_true(shared > 0.8);
    assert_true(naive > 0.47 && naive < 0.54);
    assert_true(packed > 0.95);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_and_separators_are_right),
        cmocka_unit_test(strangers_are_no_neighbours),
        cmocka_unit_test(a_page_keeps_what_stays_in_it),
        cmocka_unit_test(pages_are_as_full_as_the_book_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
