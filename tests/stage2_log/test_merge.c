// test_merge.c -- merging: what is kept, what is dropped, and when.
// SPDX-License-Identifier: MIT

#include "common/mem.h"

#include "shop.h"

static const char small[] =
    "segment_bytes=4096,background=0,garbage_percent=25";

static uint64_t disk_bytes(const shop *s)
{
    kv_stats stats;
    kv_stats_read(s->db, &stats);
    return stats.disk_bytes;
}

static void settling_gives_dead_bytes_back(void **state)
{
    (void)state;
    static const char *const knobs[] = {
        small, "segment_bytes=4096,merge=all,background=0",
        "segment_bytes=4096,background=2", "background=0,format=text",
        "segment_bytes=4096,background=0,format=text,read=map"};
    for (size_t k = 0; k < sizeof knobs / sizeof *knobs; k++) {
        shop s = shop_new(knobs[k]);
        shop_open(&s);
        for (unsigned round = 1; round <= 8; round++) {
            shop_fill(&s, 1000, 100, round);
        }
        assert_ok(kv_settle(s.db));
        // A file takes whole blocks of 4 KiB, so small segments waste some.
        assert_true(disk_bytes(&s) < 4 * 1000 * 140);
        shop_expect_fill(&s, 1000, 100, 8);
        shop_expect_sound(&s, 1000);
        shop_kill(&s);
        shop_open(&s);
        shop_expect_fill(&s, 1000, 100, 8);
        shop_expect_sound(&s, 1000);
        shop_free(&s);
    }
}

static void deleting_everything_leaves_next_to_nothing(void **state)
{
    (void)state;
    shop s = shop_new(small);
    shop_open(&s);
    char key[16];
    shop_fill(&s, 500, 100, 1);
    for (unsigned i = 1; i <= 500; i++) {
        snprintf(key, sizeof key, "key %u", i);
        shop_del(&s, key);
    }
    assert_ok(kv_settle(s.db));
    assert_true(disk_bytes(&s) < 20 * 4096);
    shop_expect_sound(&s, 0);
    shop_close(&s);
    shop_open(&s);
    shop_expect_sound(&s, 0);
    shop_free(&s);
}

static void never_means_never(void **state)
{
    (void)state;
    shop s = shop_new("segment_bytes=4096,background=0,merge=never");
    shop_open(&s);
    for (unsigned round = 1; round <= 4; round++)
        shop_fill(&s, 200, 100, round);
    assert_ok(kv_settle(s.db));
    assert_true(shop_size(&s, "000001.seg") > 3000);
    shop_expect_fill(&s, 200, 100, 4);
    shop_free(&s);
}

// F5: seg 1 holds "cat", seg 2 its tombstone. Merging 2 alone must keep it.
static void a_tombstone_stays_while_an_older_file_has_the_key(void **state)
{
    (void)state;
    shop s = shop_new("background=0,merge=never,segment_bytes=4096");
    shop_open(&s);
    shop_put(&s, "cat", "meow");
    shop_put(&s, "dog", "woof");
    log_store *store = shop_store(&s);
    assert_ok(kv_commit_exclusive(&store->line, log_seal_newest, store));
    shop_del(&s, "cat");
    shop_put(&s, "cow", "moo");
    assert_ok(kv_commit_exclusive(&store->line, log_seal_newest, store));
    log_segment_list list = log_segments_pin_all(&store->segments);
    assert_int_equal(list.count, 2);
    log_merge_plan plan = {.inputs = {kv_alloc(sizeof(log_segment *)), 1},
                           .last = 2,
                           .horizon = 3,
                           .drops_below = 0, // 1 has a dead cat, horizon 0
                           .why = kv_for(KV_FOR_COMPACT)};
    plan.inputs.at[0] = list.at[1];
    log_segment_pin(list.at[1]);
    log_segment_list_free(&list);
    assert_ok(log_merge_begin(&store->merge, plan));
    while (log_merge_is_under_way(&store->merge)) {
        assert_ok(log_merge_step(&store->merge));
    }
    assert_true(shop_has(&s, "000002-000002.1.seg"));
    assert_false(shop_has(&s, "000002.seg"));
    shop_kill(&s);
    shop_open(&s);
    shop_expect(&s, "cat", NULL);
    shop_expect(&s, "cow", "moo");
    shop_expect_sound(&s, 2);
    shop_free(&s);
}

// M2: a key written between copying and installing keeps its newer value.
static void a_key_written_during_a_merge_wins(void **state)
{
    (void)state;
    shop s = shop_new(small);
    shop_open(&s);
    for (unsigned round = 1; round <= 3; round++) shop_fill(&s, 60, 100, round);
    bool did_work = true;
    for (int i = 0; i < 400 && did_work; i++) {
        assert_ok(kv_maintain(s.db, &did_work));
        char key[16], value[32];
        snprintf(key, sizeof key, "key %d", i % 60 + 1);
        snprintf(value, sizeof value, "step %d", i);
        shop_put(&s, key, value);
        shop_expect(&s, key, value);
    }
    shop_expect_sound(&s, 60);
    shop_kill(&s);
    shop_open(&s);
    shop_expect_sound(&s, 60);
    shop_free(&s);
}

// A reader that has a segment pinned reads on after the merge removed it.
static void a_scan_goes_on_over_a_merge(void **state)
{
    (void)state;
    shop s = shop_new(small);
    shop_open(&s);
    for (unsigned round = 1; round <= 3; round++)
        shop_fill(&s, 300, 100, round);
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    assert_ok(kv_scan(s.db, (kv_range){0}, &cursor));
    assert_ok(kv_cursor_next(cursor, &key, &value));
    assert_ok(kv_settle(s.db));
    unsigned seen = 1;
    kv_status st;
    while ((st = kv_cursor_next(cursor, &key, &value)) == KV_OK) seen++;
    assert_status(st, KV_END);
    assert_int_equal(seen, 300);
    kv_cursor_close(cursor);
    shop_free(&s);
}

static void damage_stops_the_merge_and_nothing_else(void **state)
{
    (void)state;
    shop s = shop_new("segment_bytes=4096,background=0,merge=never");
    shop_open(&s);
    for (unsigned round = 1; round <= 3; round++)
        shop_fill(&s, 100, 100, round);
    shop_close(&s);
    shop_flip(&s, "000002.seg", 1000);
    s.knobs = small;
    shop_open(&s);
    assert_ok(kv_settle(s.db));
    assert_true(shop_has(&s, "000002.seg")); // M4
    shop_put(&s, "still", "writable");
    shop_expect(&s, "still", "writable");
    shop_expect_fill(&s, 100, 100, 3);
    shop_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settling_gives_dead_bytes_back),
        cmocka_unit_test(deleting_everything_leaves_next_to_nothing),
        cmocka_unit_test(never_means_never),
        cmocka_unit_test(a_tombstone_stays_while_an_older_file_has_the_key),
        cmocka_unit_test(a_key_written_during_a_merge_wins),
        cmocka_unit_test(a_scan_goes_on_over_a_merge),
        cmocka_unit_test(damage_stops_the_merge_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
