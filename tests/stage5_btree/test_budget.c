// test_budget.c -- the cache stays within its budget, whatever is written (K5).
// SPDX-License-Identifier: MIT

#include "bt.h"
#include "tests/stage5_btree/yard.h"
#include "tests/support/test.h"

// A quarter of a megabyte, and five times as much data, in 1300 pages.
enum { MEMORY = 256 << 10, PAGE = 1024, KEYS = 8000, BATCH = 20, LEAP = 4999 };

static const char *const settings[] = {
    "page_bytes=1KiB,background=0",
    "page_bytes=1KiB,background=0,torn_pages=images",
    "page_bytes=1KiB,background=0,checkpoint_bytes=64KiB",
    "page_bytes=1KiB,background=0,journal=cow",
};

static void open_small(yard *y, const char *knobs)
{
    yard_open(y, knobs);
    y->memory_bytes = MEMORY;
    yard_reopen(y);
}

static uint64_t memory_of(kv *db)
{
    kv_stats stats;
    kv_stats_read(db, &stats);
    return stats.memory_bytes;
}

// Beside the budget: what is spare, the table, and the batch's own pages twice.
static void expect_budget(kv *db)
{
    assert_in_range(memory_of(db), 0, MEMORY + MEMORY / 2);
}

// The same after there was more: what describes a frame stays.
static void expect_budget_again(kv *db)
{
    assert_in_range(memory_of(db), 0, 2 * MEMORY);
}

// Keys in an order that leaps about, 100 bytes each.
static void write_batch(kv *db, unsigned first, unsigned count)
{
    kv_batch batch = {0};
    char name[32];
    uint8_t value[100];
    for (unsigned i = first; i < first + count; i++) {
        memset(value, (int)(i & 0xff), sizeof value);
        kv_batch_put(&batch, yard_key(name, i * LEAP % KEYS),
                     kv_slice_of(value, sizeof value));
    }
    assert_ok(kv_write(db, &batch));
    kv_batch_free(&batch);
}

static void a_fast_load_stays_within_the_budget(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        yard y;
        open_small(&y, settings[i]);
        for (unsigned n = 0; n < KEYS; n += BATCH) {
            write_batch(y.db, n, BATCH);
            expect_budget(y.db);
        }
        for (unsigned n = 0; n < KEYS / 4; n += BATCH) { // in pages that are
            write_batch(y.db, n, BATCH);                 // there
            expect_budget(y.db);
        }
        assert_ok(yard_check(&y));
        expect_budget(y.db);
        yard_close(&y);
    }
}

// What a cursor may need is in memory beyond the budget, is counted, and goes
// with the cursor.
static void what_a_cursor_holds_on_to_goes_with_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        yard y;
        kv_cursor *cursor = NULL;
        open_small(&y, settings[i]);
        for (unsigned n = 0; n < KEYS; n += BATCH) write_batch(y.db, n, BATCH);
        assert_ok(kv_scan(y.db, (kv_range){0}, &cursor));
        for (unsigned n = 0; n < KEYS / 4; n += BATCH) {
            write_batch(y.db, n, BATCH);
        }
        double kept = yard_fact(&y, "cache", "versions kept");
        assert_in_range((uint64_t)kept, 400, 4000);
        // With each version stays the newer one that leads to it.
        uint64_t held = (uint64_t)kept * 2 * PAGE;
        assert_in_range(memory_of(y.db), kept * PAGE,
                        held + held / 8 + 2 * MEMORY);
        kv_cursor_close(cursor);
        write_batch(y.db, 0, BATCH);
        expect_budget_again(y.db);
        yard_close(&y);
    }
}

// A commit's own pages are in memory until it is logged; then they go.
static void a_large_batch_gives_its_memory_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        yard y;
        open_small(&y, settings[i]);
        write_batch(y.db, 0, KEYS);
        assert_ok(kv_settle(y.db));
        expect_budget_again(y.db);
        write_batch(y.db, 0, KEYS);
        write_batch(y.db, 0, 1); // makes room first
        expect_budget_again(y.db);
        assert_ok(yard_check(&y));
        yard_close(&y);
    }
}

// Opened to be read only, a store has in memory what redo made of its pages:
// nothing of it is written, and few frames may be left for lookups.
static void what_recovery_fills_memory_with_can_be_read(void **state)
{
    (void)state;
    for (unsigned pages = 40; pages < 80; pages += 2) {
        yard y;
        kv_options options = {.memory_bytes = 1, .read_only = true};
        yard_open(&y, settings[0]);
        for (unsigned n = 0; n < YARD_KEYS; n++) yard_put(&y, n, n + 1, 90);
        assert_ok(kv_settle(y.db));
        for (unsigned n = 0; n < pages; n++) yard_put(&y, n * 20, n + 7, 90);
        yard_kill(&y);
        options.disk = y.disk;
        assert_ok(kv_open(&bt_engine, &options, &y.db));
        yard_compare(&y);
        yard_close(&y);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fast_load_stays_within_the_budget),
        cmocka_unit_test(what_a_cursor_holds_on_to_goes_with_it),
        cmocka_unit_test(a_large_batch_gives_its_memory_back),
        cmocka_unit_test(what_recovery_fills_memory_with_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
