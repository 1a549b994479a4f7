// test_squeeze.c -- deleting gives space back: how much, in steps, and through
// whatever comes between them.
// SPDX-License-Identifier: MIT

#include "common/disk_sim.h"

#include "tests/stage5_btree/yard.h"
#include "tests/support/test.h"

static const char *const settings[] = {
    "page_bytes=512,background=0,journal=log",
    "page_bytes=512,background=0,journal=cow",
    "page_bytes=4KiB,background=0,journal=log",
    "page_bytes=4KiB,background=0,journal=cow",
};
static const uint64_t page_bytes[] = {512, 512, 4096, 4096};

static uint64_t file_bytes(const yard *y)
{
    kv_file *file = NULL;
    uint64_t size;
    assert_ok(kv_file_open(y->disk, "TREE", (kv_open_how){.mode = KV_OPEN_READ},
                           kv_for(KV_FOR_READ), &file));
    assert_ok(kv_file_size(file, &size));
    kv_file_close(file);
    return size;
}

static uint64_t live_bytes(const yard *y)
{
    uint64_t sum = 0;
    for (unsigned key = 0; key < YARD_KEYS; key++) {
        if (y->seed[key] != 0) sum += strlen("key-0000") + y->size[key];
    }
    return sum;
}

// Keys in an order that jumps about; each fourth run of values is long.
static void fill(yard *y, uint32_t size, uint32_t long_size)
{
    for (unsigned i = 0; i < YARD_KEYS; i++) {
        unsigned key = i * 787 % YARD_KEYS;
        yard_put(y, key, i + 1, key % 16 == 5 ? long_size : size);
    }
}

// Of five keys one stays.
static void thin_out(yard *y)
{
    for (unsigned i = 0; i < YARD_KEYS; i++) {
        unsigned key = i * 1231 % YARD_KEYS;
        if (key * 2654435761u % 5 != 0) yard_del(y, key);
    }
}

static void deleting_most_gives_space_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        yard y;
        yard_open(&y, settings[i]);
        fill(&y, 100, 100);
        assert_ok(kv_settle(y.db));
        uint64_t before = file_bytes(&y);
        thin_out(&y);
        assert_ok(kv_settle(y.db));
        // Two pages are superblocks, however little is left.
        uint64_t pages = file_bytes(&y) - 2 * page_bytes[i];
        double ratio = (double)pages / (double)live_bytes(&y);
        print_message("%s: %.2f times what is left, and two superblocks\n",
                      settings[i], ratio);
        assert_true(ratio <= 2.0);
        assert_true(file_bytes(&y) < before / 3);
        assert_true(
            yard_fact(&y, "squeezed since it was opened", "pages merged") > 0);
        assert_true(
            yard_fact(&y, "squeezed since it was opened", "pages moved") > 0);
        yard_compare(&y);
        yard_reopen(&y);
        yard_compare(&y);
        yard_close(&y);
    }
}

// Long values move as well, page by page.
static void long_values_move(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        yard y;
        yard_open(&y, settings[i]);
        fill(&y, 40, 9000);
        thin_out(&y);
        assert_ok(kv_settle(y.db));
        double ratio = (double)file_bytes(&y) / (double)live_bytes(&y);
        print_message("%s: %.2f times what is left\n", settings[i], ratio);
        assert_true(ratio <= 1.6);
        yard_compare(&y);
        yard_close(&y);
    }
}

// Chains of so many pages that one at the end of the file finds no place for
// all of them below the goal: they move, too, each time.
static void longest_values_move(void **state)
{
    (void)state;
    enum { KEYS = 48, BYTES = 40000, EACH = 6, SPARED = 32 << 10 };
    for (size_t i = 0; i < 4; i++) {
        yard y;
        yard_open(&y, settings[i]);
        for (unsigned key = 0; key < KEYS; key++) yard_put(&y, key, 1, BYTES);
        assert_ok(kv_settle(y.db));
        for (unsigned key = 0; key < KEYS; key++) {
            yard_del(&y, key);
            if (key % EACH != EACH - 1) continue;
            assert_ok(kv_settle(y.db));
            uint64_t most = live_bytes(&y) / 16 * 18 + SPARED;
            assert_true(file_bytes(&y) <= most);
        }
        yard_compare(&y);
        yard_close(&y);
    }
}

// A process that ends between any two steps has lost nothing, and the next one
// brings it to an end.
static void a_walk_may_end_at_any_step(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        yard y;
        bool did_work = true;
        int steps = 0;
        yard_open(&y, settings[i]);
        fill(&y, 60, 1500);
        thin_out(&y);
        for (; did_work && steps < 200; steps++) {
            assert_ok(kv_maintain(y.db, &did_work));
            if (steps % 3 != 2) continue;
            yard_kill(&y);
            yard_reopen(&y);
            assert_ok(yard_check(&y));
        }
        assert_in_range(steps, 4, 199);
        assert_ok(kv_settle(y.db));
        assert_true(file_bytes(&y) <= 2 * live_bytes(&y));
        yard_compare(&y);
        yard_close(&y);
    }
}

// Puts and dels between the steps; cursors see what they saw.
static void commits_come_between_the_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        yard y;
        bool did_work = true;
        yard_open(&y, settings[i]);
        fill(&y, 60, 1500);
        thin_out(&y);
        for (unsigned n = 0; did_work && n < 300; n++) {
            assert_ok(kv_maintain(y.db, &did_work));
            if (n < 100) yard_put(&y, n * 31 % YARD_KEYS, n + 1, n % 7 * 90);
            if (n < 100) yard_del(&y, n * 53 % YARD_KEYS);
            if (n % 10 == 0) yard_compare(&y);
        }
        assert_false(did_work);
        yard_compare(&y);
        yard_reopen(&y);
        yard_compare(&y);
        yard_close(&y);
    }
}

// A goal that is outdated by the time the walk is at its end is not the last:
// steps (up to three, so that the walk is anywhere), then deletes, then settle.
static void what_steps_began_is_judged_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        yard y;
        bool did_work;
        yard_open(&y, settings[i % 4]);
        fill(&y, i < 8 ? 100 : 40, i < 8 ? 100 : 9000);
        thin_out(&y);
        for (unsigned n = 0; n < i / 4; n++) {
            assert_ok(kv_maintain(y.db, &did_work));
        }
        for (unsigned key = 0; key < YARD_KEYS - 3; key++) yard_del(&y, key);
        assert_ok(kv_settle(y.db));
        assert_true(file_bytes(&y) <= 8 * page_bytes[i % 4] + live_bytes(&y));
        yard_compare(&y);
        yard_close(&y);
    }
}

static void note_put_off(void *arg, const char *sentence)
{
    if (strstr(sentence, "nothing moves to the front") != NULL)
        *(bool *)arg = true;
}

// Settling ends, and says what it did not do; the next time does it, though
// nothing was written between.
static void an_open_cursor_puts_it_off(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        yard y;
        kv_cursor *cursor = NULL;
        kv_slice key, value;
        unsigned seen = 0;
        bool is_told = false;
        yard_open(&y, settings[i]);
        fill(&y, 60, 60);
        assert_ok(kv_settle(y.db));
        assert_ok(kv_scan(y.db, (kv_range){0}, &cursor));
        thin_out(&y);
        uint64_t before = file_bytes(&y);
        kv_explain(y.db, note_put_off, &is_told);
        assert_ok(kv_settle(y.db));
        assert_true(file_bytes(&y) >= before);
        assert_true(is_told);
        is_told = false;
        while (kv_cursor_next(cursor, &key, &value) == KV_OK) seen++;
        kv_cursor_close(cursor);
        assert_int_equal(seen, YARD_KEYS);
        assert_ok(kv_settle(y.db));
        assert_true(file_bytes(&y) < before / 2);
        assert_false(is_told);
        kv_explain(y.db, NULL, NULL);
        yard_compare(&y);
        yard_close(&y);
    }
}

// What is dense and has nothing free is left alone: settling writes nothing.
static void what_is_settled_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        yard y;
        kv_stats before, after;
        yard_open(&y, settings[i]);
        fill(&y, 60, 1500);
        assert_ok(kv_settle(y.db));
        kv_stats_read(y.db, &before);
        assert_ok(kv_settle(y.db));
        kv_stats_read(y.db, &after);
        for (int r = 0; r < KV_REASONS; r++) {
            assert_int_equal(before.disk[r].write_bytes,
                             after.disk[r].write_bytes);
        }
        yard_close(&y);
    }
}

// A full disk: an error, nothing lost, and later everything as it should be.
static void a_full_disk_delays_it(void **state)
{
    (void)state;
    yard y;
    yard_open(&y, settings[0]);
    fill(&y, 60, 1500);
    assert_ok(kv_settle(y.db));
    thin_out(&y);
    kv_disk_sim_set_capacity(y.disk, kv_disk_sim_used(y.disk) + 512);
    assert_status(kv_settle(y.db), KV_NO_SPACE);
    yard_compare(&y);
    kv_disk_sim_set_capacity(y.disk, 0);
    assert_ok(kv_settle(y.db));
    assert_true(file_bytes(&y) <= 2 * live_bytes(&y));
    yard_compare(&y);
    yard_close(&y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deleting_most_gives_space_back),
        cmocka_unit_test(long_values_move),
        cmocka_unit_test(longest_values_move),
        cmocka_unit_test(a_walk_may_end_at_any_step),
        cmocka_unit_test(commits_come_between_the_steps),
        cmocka_unit_test(what_steps_began_is_judged_again),
        cmocka_unit_test(an_open_cursor_puts_it_off),
        cmocka_unit_test(what_is_settled_stays),
        cmocka_unit_test(a_full_disk_delays_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
