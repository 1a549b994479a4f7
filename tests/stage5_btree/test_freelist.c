// test_freelist.c -- pages given and taken, beside a set; both ways of
// journalling.
// SPDX-License-Identifier: MIT

#include "common/mem.h"
#include "common/rng.h"

#include "freelist.h"
#include "tests/support/test.h"

enum { PAGE = 512, LIMIT = 3000, COMMITS = 200 };

typedef struct lab {
    bt_cache cache;
    bt_tx tx;
    bt_shape shape;
    uint64_t seq;
    uint8_t is_used[LIMIT]; // by the tree, as it were
    kv_explainer nobody;
} lab;

// Nothing is ever written: all pages stay in memory.
static void begin(lab *l, bool is_cow)
{
    *l = (lab){.seq = 1, .shape = {.page_count = 3, .root = 2}};
    bt_cache_config config = {
        .page_bytes = PAGE, .store_id = 1, .memory_bytes = 16 << 20};
    bt_cache_open(&l->cache, &config);
    uint64_t root = 2;
    uint8_t *page = bt_cache_create(&l->cache, root, false);
    bt_page_init(page, PAGE, BT_LEAF, 0, root);
    bt_set_lsn(page, 1);
    bt_cache_publish(&l->cache, &root, 1, 1, root);
    l->is_used[root] = 1;
    l->tx.cache = &l->cache;
    l->tx.is_cow = is_cow;
    l->tx.explain = &l->nobody;
}

static void end(lab *l)
{
    bt_tx_free(&l->tx);
    bt_cache_close(&l->cache);
}

static void begin_commit(lab *l)
{
    bt_tx_begin(&l->tx, ++l->seq, &l->shape);
    bt_epochs_enter(&l->cache.epochs);
}

static void end_commit(lab *l)
{
    assert_ok(bt_freelist_close(&l->tx));
    bt_epochs_leave(&l->cache.epochs);
    for (size_t i = 0; i < l->tx.changed.count; i++) {
        bt_set_lsn(bt_cache_private(&l->cache, l->tx.changed.id[i]), l->seq);
    }
    bt_tx_publish(&l->tx);
    l->shape = l->tx.shape;
}

static uint64_t take(lab *l)
{
    uint64_t id;
    uint8_t *page;
    assert_ok(bt_tx_create(&l->tx, &id, &page));
    bt_page_init(page, PAGE, BT_LEAF, 0, id);
    assert_in_range(id, BT_FIRST_PAGE, LIMIT - 1);
    assert_int_equal(l->is_used[id], 0);
    l->is_used[id] = 1;
    return id;
}

static kv_status meet(void *arg, uint64_t id, bool is_own)
{
    uint8_t *met = arg;
    (void)is_own;
    assert_int_equal(met[id], 0);
    met[id] = 1;
    return KV_OK;
}

// F1: each page of the file is used, on the list or of it, in one way only.
static void check_all(lab *l)
{
    uint8_t *met = kv_zalloc(LIMIT);
    begin_commit(l);
    l->seq--;
    assert_ok(bt_freelist_walk(&l->tx, meet, met));
    bt_epochs_leave(&l->cache.epochs);
    for (uint64_t id = BT_FIRST_PAGE; id < l->shape.page_count; id++) {
        assert_int_equal(met[id] + l->is_used[id], 1);
    }
    kv_free(met);
}

static void run(bool is_cow, uint64_t seed)
{
    lab *l = kv_zalloc(sizeof *l);
    kv_rng rng;
    print_message("cow %d, seed %llu\n", is_cow, (unsigned long long)seed);
    kv_rng_seed(&rng, seed);
    begin(l, is_cow);
    for (int i = 0; i < COMMITS; i++) {
        uint8_t dropped[LIMIT] = {0};
        begin_commit(l);
        uint64_t takes = kv_rng_below(&rng, i % 40 < 20 ? 30 : 8);
        uint64_t drops = kv_rng_below(&rng, i % 40 < 20 ? 8 : 40);
        for (uint64_t n = 0; n < drops; n++) {
            uint64_t id = kv_rng_below(&rng, l->shape.page_count);
            if (id <= 2 || !l->is_used[id]) continue;
            bt_tx_drop(&l->tx, id);
            l->is_used[id] = 0;
            dropped[id] = 1;
        }
        for (uint64_t n = 0; n < takes; n++) {
            assert_int_equal(dropped[take(l)], 0); // X1
        }
        end_commit(l);
        check_all(l);
    }
    // Everything goes back, and with it the end of the file.
    begin_commit(l);
    for (uint64_t id = 3; id < l->shape.page_count; id++) {
        if (l->is_used[id]) bt_tx_drop(&l->tx, id);
        l->is_used[id] = 0;
    }
    end_commit(l);
    check_all(l);
    for (int i = 0; i < 3; i++) { // cow: the list itself has to move away
        begin_commit(l);
        assert_ok(bt_freelist_trim(&l->tx));
        end_commit(l);
        check_all(l);
    }
    assert_true(l->shape.page_count <= 5);
    end(l);
    kv_free(l);
}

static void every_page_is_in_one_place(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        run(false, seed);
        run(true, seed);
    }
}

static void a_list_that_is_none_is_refused(void **state)
{
    (void)state;
    lab *l = kv_zalloc(sizeof *l);
    uint8_t met[LIMIT] = {0};
    uint64_t id;
    begin(l, false);
    l->shape.free_list = 2; // a leaf
    begin_commit(l);
    assert_status(bt_freelist_take(&l->tx, &id), KV_CORRUPT);
    assert_status(bt_freelist_walk(&l->tx, meet, met), KV_CORRUPT);
    bt_epochs_leave(&l->cache.epochs);
    end(l);
    kv_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_is_in_one_place),
        cmocka_unit_test(a_list_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
