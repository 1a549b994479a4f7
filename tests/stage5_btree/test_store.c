// test_store.c -- what the stage promises in figures: fill, height, writes; and
// what a store keeps as it began.
// SPDX-License-Identifier: MIT
//
// With background=0 the counters are exact, and the same on every run.

#include <math.h>

#include "common/disk_count.h"
#include "common/disk_sim.h"
#include "common/mem.h"
#include "common/rng.h"

#include "backup.h"
#include "bt.h"
#include "format.h"
#include "tests/stage5_btree/yard.h"
#include "tests/support/test.h"

enum { KEY = 16, VALUE = 100 };

static void put(kv *db, uint64_t number)
{
    uint8_t key[KEY], value[VALUE] = {0};
    for (int i = 0; i < KEY; i++) {
        key[i] = (uint8_t)(i < 8 ? 0 : number >> (8 * (15 - i)));
    }
    for (int i = 0; i < 8; i++) value[i] = (uint8_t)(number >> (8 * i));
    assert_ok(kv_put(db, kv_slice_of(key, KEY), kv_slice_of(value, VALUE)));
}

// C28: pages of ascending loads are full, those of random ones at least as
// full as splitting alone would leave them.
static void pages_are_as_full_as_they_should(void **state)
{
    (void)state;
    for (int order = 0; order < 3; order++) {
        yard y;
        yard_open(&y, "background=0");
        for (uint64_t i = 0; i < 20000; i++) {
            put(y.db, order == 0   ? i
                      : order == 1 ? 20000 - i
                                   : kv_mix64(i) >> 20);
        }
        double fill = yard_fact(&y, "level 0", "fill");
        print_message("order %d: fill %.3f\n", order, fill);
        if (order == 0) assert_true(fill > 0.95);
        if (order == 1) assert_true(fill > 0.6);
        if (order == 2) assert_true(fill > 0.75);
        assert_ok(yard_check(&y));
        yard_close(&y);
    }
}

// C27: as many levels as the formula of the theory says, from measured fill.
static void the_tree_is_as_high_as_it_should(void **state)
{
    (void)state;
    for (uint64_t n = 10; n <= 100000; n *= 10) {
        yard y;
        yard_open(&y, "background=0");
        for (uint64_t i = 0; i < n; i++) put(y.db, kv_mix64(i) >> 20);
        double leaves = yard_fact(&y, "level 0", "pages");
        double fanout = 1 + yard_fact(&y, "level 1", "separators a page");
        int levels =
            leaves < 2
                ? 1
                : 1 + (int)ceil(log(leaves) / log(fanout > 2 ? fanout : 2));
        char top[24], above[24];
        snprintf(top, sizeof top, "level %d", levels - 1);
        snprintf(above, sizeof above, "level %d", levels);
        assert_true(yard_fact(&y, top, "pages") == 1);
        assert_true(yard_fact(&y, above, "pages") < 0);
        yard_close(&y);
    }
}

// Page writes per uniform update lie within the bounds of the theory: evictions
// e = 1 - cached share, checkpoints d = (1 - exp(-x)) / x with x updates a leaf
// between two of them; max(e, d) <= w <= min(1, e + d).
static void page_writes_are_within_their_bounds(void **state)
{
    (void)state;
    enum { RECORDS = 30000, UPDATES = 60000 };
    static const double cached[] = {0.25, 0.5, 2.0};
    for (size_t i = 0; i < 3; i++) {
        yard y;
        kv_stats before, after;
        kv_rng rng;
        kv_rng_seed(&rng, 5);
        yard_open(&y, "background=0,checkpoint_bytes=256KiB");
        for (uint64_t n = 0; n < RECORDS; n++) put(y.db, kv_mix64(n) >> 20);
        double leaves = yard_fact(&y, "level 0", "pages");
        y.memory_bytes = (uint64_t)(leaves * 4096 * cached[i] * 16 / 15);
        yard_reopen(&y);
        for (uint64_t n = 0; n < UPDATES / 2; n++) { // until it is steady
            put(y.db, kv_mix64(kv_rng_below(&rng, RECORDS)) >> 20);
        }
        kv_stats_read(y.db, &before);
        for (uint64_t n = 0; n < UPDATES; n++) {
            put(y.db, kv_mix64(kv_rng_below(&rng, RECORDS)) >> 20);
        }
        kv_stats_read(y.db, &after);
        double pages = (double)(after.disk[KV_FOR_PAGE].write_bytes -
                                before.disk[KV_FOR_PAGE].write_bytes) /
                       4096;
        double log_bytes = (double)(after.disk[KV_FOR_WAL].write_bytes -
                                    before.disk[KV_FOR_WAL].write_bytes);
        double per_checkpoint = (256 << 10) / (log_bytes / UPDATES);
        double x = per_checkpoint / leaves, w = pages / UPDATES;
        double e = cached[i] < 1 ? 1 - cached[i] : 0, d = (1 - exp(-x)) / x;
        print_message("cached %.2f: w %.3f, e %.3f, d %.3f\n", cached[i], w, e,
                      d);
        assert_true(w >= (e > d ? e : d) * 0.85);
        assert_true(w <= (e + d < 1 ? e + d : 1) * 1.15);
        yard_close(&y);
    }
}

static bt_store *open_on(kv_disk *disk, bool is_cow)
{
    static const kv_explainer nobody;
    bt_config config = {.disk = disk,
                        .store_id = 7,
                        .steps_inline = true,
                        .page_bytes = 4096,
                        .is_cow = is_cow,
                        .checkpoint_bytes = 64 << 20,
                        .memory_bytes = 16 << 20};
    bt_store *s = kv_alloc_pages(sizeof *s);
    assert_ok(bt_store_open(s, &config, &nobody));
    return s;
}

static void close_store(bt_store *s)
{
    assert_ok(bt_store_close(s));
    kv_free_pages(s, sizeof *s);
}

enum { COPIED = 3000, COPIED_BYTES = 8000 };

static void fill(bt_store *s)
{
    kv_batch batch = {0};
    for (unsigned i = 0; i < COPIED; i++) {
        char name[32];
        uint8_t value[COPIED_BYTES] = {(uint8_t)i};
        unsigned key = (unsigned)(i * UINT64_C(7919) % COPIED);
        kv_batch_put(&batch, yard_key(name, key),
                     kv_slice_of(value, sizeof value));
        size_t count;
        const kv_change *changes = kv_batch_changes(&batch, &count);
        if (count == 500) {
            assert_ok(bt_store_write(s, changes, count));
            kv_batch_clear(&batch);
        }
    }
    kv_batch_free(&batch);
}

// More than the copy's budget holds, and still each page is written about once.
static void a_backup_writes_each_page_about_once(void **state)
{
    (void)state;
    for (int is_cow = 0; is_cow < 2; is_cow++) {
        kv_disk *from = NULL, *to = NULL, *counted = NULL;
        assert_ok(kv_disk_open_sim(NULL, &from));
        assert_ok(kv_disk_open_sim(NULL, &to));
        assert_ok(kv_disk_open_count(to, &counted));
        bt_store *s = open_on(from, is_cow == 1);
        fill(s);
        assert_ok(bt_backup(s, counted));
        close_store(s);
        kv_disk_stats written[KV_REASONS], waited[KV_REASONS];
        kv_disk_count_read(counted, written, waited);
        double bytes = 0;
        for (int i = 0; i < KV_REASONS; i++) {
            bytes += (double)written[i].write_bytes;
        }
        s = open_on(counted, is_cow == 1);
        double times = bytes / (double)(s->file_pages * 4096);
        print_message("cow %d: %.3f times the pages\n", is_cow, times);
        assert_true(times < 1.1);
        kv_buf value = {0};
        for (unsigned key = 0; key < COPIED; key += 37) {
            char name[32];
            assert_ok(bt_store_get(s, yard_key(name, key), &value));
            assert_int_equal(value.len, COPIED_BYTES);
        }
        kv_buf_free(&value);
        close_store(s);
        kv_disk_close(counted);
        kv_disk_close(from);
    }
}

static void what_a_store_keeps_is_not_asked_for_otherwise(void **state)
{
    (void)state;
    static const struct {
        const char *born, *asked, *because;
    } cases[] = {
        {"page_bytes=1KiB", "page_bytes=4KiB", "has pages of 1024 bytes"},
        {"", "page_bytes=512", "has pages of 4096 bytes"},
        {"", "journal=cow", "is one of journal=log"},
        {"journal=cow", "background=0,journal=log", "is one of journal=cow"},
        {"page_bytes=1KiB", "page_bytes=2047", NULL}, // rounded down
        {"page_bytes=1KiB,journal=cow", "journal=cow,page_bytes=1KiB", NULL},
        {"page_bytes=1KiB,journal=cow", "background=0", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        yard y;
        yard_open(&y, cases[i].born);
        for (unsigned n = 0; n < 40; n++) yard_put(&y, n, n + 1, 100);
        assert_ok(kv_close(y.db));
        kv_options options = {.knobs = cases[i].asked, .disk = y.disk};
        kv_status st = kv_open(&bt_engine, &options, &y.db);
        bool is_fine = cases[i].because == NULL;
        assert_status(st, is_fine ? KV_OK : KV_INVALID);
        if (is_fine) assert_ok(kv_close(y.db));
        else assert_non_null(strstr(kv_last_error(), cases[i].because));
        y.db = NULL;
        y.knobs = NULL;
        yard_reopen(&y);
        yard_compare(&y);
        yard_close(&y);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_as_full_as_they_should),
        cmocka_unit_test(the_tree_is_as_high_as_it_should),
        cmocka_unit_test(page_writes_are_within_their_bounds),
        cmocka_unit_test(what_a_store_keeps_is_not_asked_for_otherwise),
        cmocka_unit_test(a_backup_writes_each_page_about_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
