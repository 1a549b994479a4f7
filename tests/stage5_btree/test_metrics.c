// test_metrics.c -- what a store says it cost: the figures add up, with each
// other and with the disk's.
// SPDX-License-Identifier: MIT

#include "tests/stage5_btree/yard.h"
#include "tests/support/test.h"

enum { PAGE = 512, MEMORY = 64 << 10, VALUE = 60, LEAP = 1237 };

static void open_yard(yard *y, const char *knobs, uint64_t memory_bytes)
{
    yard_open(y, knobs);
    y->memory_bytes = memory_bytes;
    yard_reopen(y);
}

static double of_tree(yard *y, const char *name)
{
    return yard_metric(y, "tree", name);
}

// All its pages, by a walk.
static double count_pages(yard *y)
{
    double pages = 0;
    for (int level = (int)of_tree(y, "levels") - 1; level >= 0; level--) {
        char branch[32];
        snprintf(branch, sizeof branch, "level %d", level);
        pages += yard_fact(y, branch, "pages");
    }
    return pages;
}

// A tree began as one leaf, and what became of it since is counted.
static void expect_pages(yard *y)
{
    double made = of_tree(y, "splits") +
                  of_tree(y, "leaves begun at the edge") +
                  of_tree(y, "levels added");
    double gone = of_tree(y, "merges") + of_tree(y, "levels removed");
    assert_int_equal((int)count_pages(y), (int)(1 + made - gone));
    assert_int_equal(
        (int)of_tree(y, "levels"),
        (int)(1 + of_tree(y, "levels added") - of_tree(y, "levels removed")));
}

static const char *const journals[] = {
    "page_bytes=512,background=0",
    "page_bytes=512,background=0,journal=cow",
};

static void every_page_of_the_tree_was_counted_when_it_came(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof journals / sizeof *journals; i++) {
        yard y;
        open_yard(&y, journals[i], 0);
        expect_pages(&y);
        for (unsigned n = 0; n < YARD_KEYS / 2; n++) yard_put(&y, n, n, VALUE);
        expect_pages(&y);
        assert_true(of_tree(&y, "leaves begun at the edge") > 100);
        assert_int_equal((int)of_tree(&y, "merges"), 0);
        for (unsigned n = 0; n < YARD_KEYS; n++) {
            yard_put(&y, n * LEAP % YARD_KEYS, n, VALUE + n % 50);
        }
        expect_pages(&y);
        assert_true(of_tree(&y, "splits") > 100);
        assert_true(of_tree(&y, "shared with a neighbour") > 0);
        for (unsigned n = 0; n < YARD_KEYS - 3; n++) {
            yard_del(&y, n * LEAP % YARD_KEYS);
        }
        expect_pages(&y);
        assert_true(of_tree(&y, "merges") > 100);
        assert_true(of_tree(&y, "borrowed from one") > 0);
        assert_true(of_tree(&y, "levels removed") > 0);
        assert_int_equal((int)of_tree(&y, "keys"), 3);
        yard_close(&y);
    }
}

static double of_writes(yard *y, const char *name)
{
    return yard_metric(y, "written", name);
}

// What causes there are for a page to be written, and what the disk was asked.
static void pages_are_written_for_reasons_that_add_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof journals / sizeof *journals; i++) {
        yard y;
        bool is_cow = i == 1;
        open_yard(&y, journals[i], MEMORY);
        for (unsigned n = 0; n < YARD_KEYS; n++) {
            yard_put(&y, n * LEAP % YARD_KEYS, n, VALUE);
        }
        assert_ok(kv_settle(y.db));
        double evicted = of_writes(&y, "pages, to be evicted");
        double checkpointed = of_writes(&y, "pages, by checkpoints");
        double committed = of_writes(&y, "pages, by commits");
        kv_stats stats;
        kv_stats_read(y.db, &stats);
        assert_int_equal((int)stats.disk[KV_FOR_PAGE].write_bytes,
                         (int)(evicted + checkpointed + committed) * PAGE);
        assert_int_equal(evicted > 0, !is_cow);
        assert_int_equal(checkpointed > 0, !is_cow);
        assert_int_equal(committed > 0, is_cow);
        assert_int_equal(of_writes(&y, "waves before evicting") > 0, !is_cow);
        assert_int_equal(of_writes(&y, "checkpoints") > 0, !is_cow);
        assert_int_equal(of_writes(&y, "logs") > 0, !is_cow);
        assert_true(of_writes(&y, "write amplification") > 1);
        yard_close(&y);
    }
}

static double of_cache(yard *y, const char *name)
{
    return yard_metric(y, "page cache", name);
}

static void get_all(yard *y)
{
    kv_buf value = {0};
    char name[32];
    for (unsigned n = 0; n < YARD_KEYS; n++) {
        assert_ok(kv_get(y->db, yard_key(name, n), &value));
    }
    kv_buf_free(&value);
}

static void a_get_that_reads_is_told_from_one_that_does_not(void **state)
{
    (void)state;
    yard y;
    open_yard(&y, journals[0], 0);
    for (unsigned n = 0; n < YARD_KEYS; n++) yard_put(&y, n, n, VALUE);
    assert_ok(kv_settle(y.db)); // or opening reads what the log changes
    yard_reopen(&y);
    get_all(&y);
    double leaves = yard_fact(&y, "level 0", "pages");
    double in_vain = of_cache(&y, "gets that read a page");
    assert_int_equal((int)in_vain, (int)leaves); // in order: each one's first
    assert_true(of_cache(&y, "pages read") > leaves);
    get_all(&y);
    assert_int_equal((int)of_cache(&y, "gets"), 2 * YARD_KEYS);
    assert_int_equal((int)of_cache(&y, "gets that read a page"), (int)in_vain);
    assert_int_equal((int)of_cache(&y, "pages evicted"), 0);
    y.memory_bytes = MEMORY;
    yard_reopen(&y);
    get_all(&y);
    assert_true(of_cache(&y, "pages evicted") > 0);
    assert_true(of_cache(&y, "pages in memory") <=
                of_cache(&y, "budget") + 64 * PAGE); // K5
    assert_true(of_cache(&y, "gets from memory") > 0.5);
    kv_stats stats;
    kv_stats_read(y.db, &stats);
    assert_int_equal((int)stats.disk[KV_FOR_READ].reads,
                     (int)of_cache(&y, "pages read"));
    yard_close(&y);
}

static double of_readers(yard *y, const char *name)
{
    return yard_metric(y, "readers", name);
}

static void what_readers_hold_is_told(void **state)
{
    (void)state;
    yard y;
    kv_cursor *first = NULL, *second = NULL;
    open_yard(&y, journals[0], 0);
    yard_put(&y, 1, 1, VALUE);
    assert_ok(kv_scan(y.db, (kv_range){0}, &first));
    yard_put(&y, 1, 2, VALUE);
    assert_ok(kv_scan(y.db, (kv_range){0}, &second));
    yard_put(&y, 1, 3, VALUE);
    yard_put(&y, 1, 4, VALUE);
    assert_int_equal((int)of_readers(&y, "open snapshots"), 2);
    assert_int_equal((int)of_readers(&y, "commits since the oldest"), 3);
    assert_int_equal((int)of_readers(&y, "versions kept for them"), 2);
    kv_cursor_close(first);
    assert_int_equal((int)of_readers(&y, "commits since the oldest"), 2);
    kv_cursor_close(second);
    assert_int_equal((int)of_readers(&y, "open snapshots"), 0);
    assert_int_equal((int)of_readers(&y, "commits since the oldest"), 0);
    assert_int_equal((int)of_readers(&y, "versions kept for them"), 0);
    yard_close(&y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_of_the_tree_was_counted_when_it_came),
        cmocka_unit_test(pages_are_written_for_reasons_that_add_up),
        cmocka_unit_test(a_get_that_reads_is_told_from_one_that_does_not),
        cmocka_unit_test(what_readers_hold_is_told),
    };
    return cmocka_run_group_tests_name("stage5.metrics", tests, NULL, NULL);
}
