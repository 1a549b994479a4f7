// test_cache.c -- versions of pages: who sees which, what is kept, what goes.
// SPDX-License-Identifier: MIT

#include "common/disk_fault.h"
#include "common/disk_sim.h"

#include "cache.h"
#include "tests/support/test.h"
#include "tx.h"

enum { PAGE = 512, STORE = 77, PAGES = 400 };

typedef struct lab {
    kv_disk *disk;
    kv_file *file;
    bt_cache cache;
    uint64_t seq;
} lab;

// A file of overflow pages; each begins with its id, of commit 1.
static void begin(lab *l)
{
    kv_why why = kv_for(KV_FOR_PAGE);
    kv_disk *sim = NULL;
    *l = (lab){.seq = 1};
    assert_ok(kv_disk_open_sim(NULL, &sim));
    assert_ok(kv_disk_open_fault(sim, "", &l->disk));
    assert_ok(kv_file_open(
        l->disk, "TREE", (kv_open_how){.mode = KV_OPEN_CREATE}, why, &l->file));
    for (uint64_t id = BT_FIRST_PAGE; id < PAGES; id++) {
        uint8_t page[PAGE];
        (void)bt_overflow_encode(page, PAGE, id, 0, kv_slice_of(&id, 8));
        bt_set_lsn(page, 1);
        bt_page_seal(page, STORE);
        assert_ok(
            kv_file_write(l->file, id * PAGE, kv_slice_of(page, PAGE), why));
    }
    bt_cache_config config = {.file = l->file,
                              .page_bytes = PAGE,
                              .store_id = STORE,
                              .memory_bytes = 0}; // BT_FRAMES_MIN frames
    bt_cache_open(&l->cache, &config);
    bt_cache_publish(&l->cache, NULL, 0, 1, 2);
}

static void end(lab *l)
{
    bt_cache_close(&l->cache);
    kv_file_close(l->file);
    kv_disk_close(l->disk);
}

// The number that a version of a page holds, for a snapshot; loads the page.
static uint64_t number_at(lab *l, uint64_t id, uint64_t snapshot)
{
    bt_cache *c = &l->cache;
    for (int tries = 0; tries < 3; tries++) {
        const uint8_t *page = NULL;
        uint64_t number = 0;
        bt_epochs_enter(&c->epochs);
        bt_seen seen = bt_cache_see_at(c, id, snapshot, &page);
        if (seen == BT_SEEN) {
            memcpy(&number, bt_overflow_bytes(page).data, sizeof number);
        }
        bt_epochs_leave(&c->epochs);
        if (seen == BT_SEEN) return number;
        if (seen == BT_CHANGED) return 0;
        assert_ok(bt_cache_load(c, id, kv_for(KV_FOR_READ)));
    }
    fail();
    return 0;
}

static void set_number(uint8_t *page, uint64_t id, uint64_t seq, uint64_t n)
{
    (void)bt_overflow_encode(page, PAGE, id, 0, kv_slice_of(&n, 8));
    bt_set_lsn(page, seq);
}

// A commit that gives a page another number.
static void commit(lab *l, uint64_t id, uint64_t number)
{
    assert_ok(bt_cache_load(&l->cache, id, kv_for(KV_FOR_READ)));
    uint8_t *page = bt_cache_change(&l->cache, id);
    assert_non_null(page);
    set_number(page, id, ++l->seq, number);
    bt_cache_publish(&l->cache, &id, 1, l->seq, 2);
}

static void a_private_version_is_nobodys_until_published(void **state)
{
    (void)state;
    lab l;
    const uint8_t *page;
    uint64_t id = 5;
    begin(&l);
    assert_int_equal(number_at(&l, id, 1), id);
    uint8_t *own = bt_cache_change(&l.cache, id);
    set_number(own, id, 2, 1000);
    assert_true(bt_cache_is_private(&l.cache, id));
    assert_int_equal(number_at(&l, id, 1), id);
    bt_epochs_enter(&l.cache.epochs);
    assert_int_equal(bt_cache_see(&l.cache, id, 1, &page), BT_SEEN);
    assert_int_equal(bt_lsn(page), 1);
    bt_epochs_leave(&l.cache.epochs);
    bt_cache_forget(&l.cache, &id, 1, 0);
    assert_int_equal(number_at(&l, id, 1), id);
    own = bt_cache_change(&l.cache, id);
    set_number(own, id, 2, 1000);
    bt_cache_publish(&l.cache, &id, 1, 2, 2);
    assert_int_equal(bt_cache_visible(&l.cache), 2);
    assert_int_equal(number_at(&l, id, 2), 1000);
    // Who has registered nothing begins again.
    bt_epochs_enter(&l.cache.epochs);
    assert_int_equal(bt_cache_see(&l.cache, id, 1, &page), BT_CHANGED);
    bt_epochs_leave(&l.cache.epochs);
    end(&l);
}

static void a_snapshot_keeps_what_it_needs_and_no_more(void **state)
{
    (void)state;
    lab l;
    bt_snapshot first, second;
    begin(&l);
    bt_cache_open_snapshot(&l.cache, &first); // sees the file's 7
    for (uint64_t n = 0; n < 1000; n++) commit(&l, 7, 100 + n);
    bt_cache_open_snapshot(&l.cache, &second); // sees 1099
    for (uint64_t n = 0; n < 1000; n++) commit(&l, 7, 5000 + n);
    assert_int_equal(number_at(&l, 7, first.seq), 7);
    assert_int_equal(number_at(&l, 7, second.seq), 1099);
    assert_int_equal(number_at(&l, 7, l.seq), 5999);
    assert_true(l.cache.kept_count <= 2);
    bt_cache_close_snapshot(&l.cache, &first);
    assert_int_equal(number_at(&l, 7, second.seq), 1099);
    bt_cache_close_snapshot(&l.cache, &second);
    assert_int_equal(l.cache.kept_count, 0);
    // Thousands of versions needed no more than a handful of frames.
    assert_true(l.cache.frames_made <= BT_FRAMES_MIN);
    end(&l);
}

static void the_budget_is_kept_by_evicting_what_is_clean(void **state)
{
    (void)state;
    lab l;
    begin(&l);
    for (int round = 0; round < 3; round++) {
        for (uint64_t id = BT_FIRST_PAGE; id < PAGES; id++) {
            assert_int_equal(number_at(&l, id, 1), id);
        }
    }
    assert_true(l.cache.frames_made <= BT_FRAMES_MIN);
    end(&l);
}

static void dirty_pages_stay_until_they_are_written(void **state)
{
    (void)state;
    lab l;
    bt_ids ids = {0};
    uint8_t copy[PAGE];
    begin(&l);
    for (uint64_t id = 10; id < 30; id++) commit(&l, id, id + 1000);
    for (int round = 0; round < 3; round++) { // much else goes through
        for (uint64_t id = 40; id < PAGES; id++) (void)number_at(&l, id, l.seq);
    }
    for (uint64_t id = 10; id < 30; id++) {
        assert_int_equal(number_at(&l, id, l.seq), id + 1000);
    }
    bt_cache_dirty_ids(&l.cache, &ids);
    assert_int_equal(ids.count, 20);
    assert_int_equal(ids.id[0], 10);
    assert_true(bt_cache_copy_dirty(&l.cache, 12, copy));
    commit(&l, 12, 77); // a newer version than the one that was copied
    bt_cache_written(&l.cache, 12, bt_lsn(copy));
    assert_true(bt_cache_copy_dirty(&l.cache, 12, copy));
    assert_true(bt_cache_copy_dirty(&l.cache, 13, copy));
    bt_cache_written(&l.cache, 13, bt_lsn(copy));
    assert_false(bt_cache_copy_dirty(&l.cache, 13, copy));
    assert_int_equal(l.cache.dirty_count, 19);
    bt_ids_free(&ids);
    end(&l);
}

// Pages that get new content while a snapshot needs the old, in a cache whose
// other frames can all be evicted: the old one must not be.
static void a_created_page_hides_an_old_one(void **state)
{
    (void)state;
    lab l;
    bt_snapshot old;
    begin(&l);
    bt_cache_open_snapshot(&l.cache, &old);
    for (uint64_t id = 200; id < PAGES; id++) (void)number_at(&l, id, old.seq);
    for (uint64_t id = 9; id < 60; id++) {
        assert_ok(bt_cache_load(&l.cache, id, kv_for(KV_FOR_READ)));
        uint8_t *page = bt_cache_create(&l.cache, id, true);
        assert_null(bt_cache_base(&l.cache, id));
        set_number(page, id, ++l.seq, id + 1000);
        bt_cache_publish(&l.cache, &id, 1, l.seq, 2);
    }
    for (uint64_t id = 9; id < 60; id++) {
        assert_int_equal(number_at(&l, id, old.seq), id);
        assert_int_equal(number_at(&l, id, l.seq), id + 1000);
    }
    bt_cache_close_snapshot(&l.cache, &old);
    // Who says that it is needed and has not loaded it gets nothing.
    assert_null(bt_cache_create(&l.cache, PAGES + 1, true));
    end(&l);
}

// A commit that writes over pages and then fails: what a snapshot needs of them
// is in memory only, and stays there as long as the snapshot.
static void a_failed_commit_leaves_a_snapshot_what_it_needs(void **state)
{
    (void)state;
    enum { FIRST = 20, COUNT = 8 };
    lab l;
    bt_snapshot old, later;
    uint64_t ids[COUNT];
    begin(&l);
    bt_cache_open_snapshot(&l.cache, &old);
    commit(&l, 10, 1000); // in a store, the one that frees those pages
    for (uint64_t i = 0; i < COUNT; i++) {
        ids[i] = FIRST + i;
        assert_ok(bt_cache_load(&l.cache, ids[i], kv_for(KV_FOR_READ)));
        assert_non_null(bt_cache_create(&l.cache, ids[i], true));
        assert_ok(kv_file_write(l.file, ids[i] * PAGE, kv_str("spoiled"),
                                kv_for(KV_FOR_PAGE)));
    }
    bt_cache_forget(&l.cache, ids, COUNT, l.seq + 1);
    for (uint64_t id = 100; id < PAGES; id++) (void)number_at(&l, id, l.seq);
    for (uint64_t i = 0; i < COUNT; i++) {
        assert_int_equal(number_at(&l, ids[i], old.seq), ids[i]);
    }
    commit(&l, 10, 2000);
    bt_cache_open_snapshot(&l.cache, &later); // does not lead to them
    bt_cache_close_snapshot(&l.cache, &old);
    for (int round = 0; round < 2; round++) {
        for (uint64_t id = 100; id < PAGES; id++) {
            (void)number_at(&l, id, l.seq);
        }
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        assert_null(bt_cache_newest(&l.cache, ids[i]));
    }
    bt_cache_close_snapshot(&l.cache, &later);
    end(&l);
}

// What an open snapshot may need is read before the page is made anew: if it
// cannot be, the page is not; if it is no page, nobody needs it.
static void no_page_is_made_over_what_cannot_be_read(void **state)
{
    (void)state;
    lab l;
    bt_snapshot old;
    kv_explainer nobody = {0};
    bt_shape shape = {.root = 2, .page_count = PAGES};
    uint64_t id = 9, garbage = 20;
    uint8_t *page, byte = 1;
    begin(&l);
    bt_tx tx = {.cache = &l.cache, .explain = &nobody};
    bt_cache_open_snapshot(&l.cache, &old);
    bt_tx_begin(&tx, ++l.seq, &shape);
    assert_ok(kv_disk_fault_set(l.disk, "*:read:1+:EIO"));
    assert_status(bt_tx_create_at(&tx, id, true, &page), KV_IO);
    assert_ok(kv_disk_fault_set(l.disk, ""));
    assert_ok(bt_tx_create_at(&tx, id, true, &page));
    set_number(page, id, l.seq, 4);
    assert_ok(kv_file_write(l.file, garbage * PAGE + 100, kv_slice_of(&byte, 1),
                            kv_for(KV_FOR_PAGE)));
    assert_ok(bt_tx_create_at(&tx, garbage, true, &page));
    set_number(page, garbage, l.seq, 5);
    bt_tx_publish(&tx);
    assert_int_equal(number_at(&l, id, old.seq), id);
    assert_int_equal(number_at(&l, garbage, l.seq), 5);
    bt_cache_close_snapshot(&l.cache, &old);
    bt_tx_free(&tx);
    end(&l);
}

static void what_is_on_disk_has_to_be_that_page(void **state)
{
    (void)state;
    lab l;
    begin(&l);
    uint8_t byte = 1;
    kv_why why = kv_for(KV_FOR_READ);
    assert_ok(
        kv_file_write(l.file, 20 * PAGE + 100, kv_slice_of(&byte, 1), why));
    assert_status(bt_cache_load(&l.cache, 20, why), KV_CORRUPT);
    assert_status(bt_cache_load(&l.cache, PAGES, why), KV_CORRUPT);
    assert_status(bt_cache_load(&l.cache, 0, why), KV_CORRUPT);
    assert_status(bt_cache_load(&l.cache, UINT64_MAX, why), KV_CORRUPT);
    uint8_t page[PAGE]; // of a commit that has not been
    uint64_t n = 21;
    (void)bt_overflow_encode(page, PAGE, 21, 0, kv_slice_of(&n, 8));
    bt_set_lsn(page, 99);
    bt_page_seal(page, STORE);
    assert_ok(kv_file_write(l.file, 21 * PAGE, kv_slice_of(page, PAGE), why));
    assert_status(bt_cache_load(&l.cache, 21, why), KV_CORRUPT);
    end(&l);
}

// Memory that a reader may be looking at is not handed out again.
static void a_reader_holds_what_it_sees(void **state)
{
    (void)state;
    lab l;
    begin(&l);
    const uint8_t *page;
    uint64_t number;
    (void)number_at(&l, 6, 1);
    bt_epochs_enter(&l.cache.epochs);
    assert_int_equal(bt_cache_see(&l.cache, 6, 1, &page), BT_SEEN);
    for (uint64_t n = 0; n < 500; n++) commit(&l, 6, 100 + n);
    memcpy(&number, bt_overflow_bytes(page).data, sizeof number);
    assert_int_equal(number, 6);
    bt_epochs_leave(&l.cache.epochs);
    size_t made = l.cache.frames_made;
    for (uint64_t n = 0; n < 500; n++) commit(&l, 6, 100 + n);
    assert_int_equal(l.cache.frames_made, made); // reused from here on
    end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_private_version_is_nobodys_until_published),
        cmocka_unit_test(a_snapshot_keeps_what_it_needs_and_no_more),
        cmocka_unit_test(the_budget_is_kept_by_evicting_what_is_clean),
        cmocka_unit_test(dirty_pages_stay_until_they_are_written),
        cmocka_unit_test(a_created_page_hides_an_old_one),
        cmocka_unit_test(a_failed_commit_leaves_a_snapshot_what_it_needs),
        cmocka_unit_test(no_page_is_made_over_what_cannot_be_read),
        cmocka_unit_test(what_is_on_disk_has_to_be_that_page),
        cmocka_unit_test(a_reader_holds_what_it_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
