// test_hint.c -- the hint file is a cache: used when it fits, else ignored.
// SPDX-License-Identifier: MIT

#include "common/rng.h"

#include "shop.h"

static shop filled(const char *knobs)
{
    shop s = shop_new(knobs);
    shop_open(&s);
    shop_fill(&s, 300, 60, 1);
    shop_fill(&s, 100, 60, 2);
    shop_del(&s, "key 300");
    shop_close(&s);
    return s;
}

static void expect_content(shop *s)
{
    shop_expect_fill(s, 100, 60, 2);
    shop_expect(s, "key 300", NULL);
    shop_expect_sound(s, 299);
}

static void a_clean_start_reads_no_records(void **state)
{
    (void)state;
    shop s = filled("segment_bytes=4096,background=0");
    shop_open(&s);
    assert_null(shop_store(&s)->hint_says);
    assert_int_equal(shop_store(&s)->opened_records, 0);
    expect_content(&s);
    shop_free(&s);
}

static void every_damaged_byte_is_noticed(void **state)
{
    (void)state;
    shop s = filled("segment_bytes=4096,background=0");
    kv_buf good = test_read_file(shop_file(&s, "index.hint"));
    kv_rng rng;
    kv_rng_seed(&rng, 11);
    print_message("seed 11\n");
    for (int i = 0; i < 150; i++) {
        size_t size = shop_size(&s, "index.hint");
        size_t at = i < 40 ? (size_t)i : kv_rng_below(&rng, size);
        shop_flip(&s, "index.hint", at);
        shop_open(&s);
        assert_non_null(shop_store(&s)->hint_says);
        shop_expect_fill(&s, 100, 60, 2);
        shop_expect_sound(&s, 299);
        shop_close(&s); // writes it anew
        shop_open(&s);
        assert_null(shop_store(&s)->hint_says);
        shop_close(&s);
    }
    for (size_t size = 0; size < good.len; size += good.len / 9) {
        shop_cut(&s, "index.hint", size);
        shop_open(&s);
        assert_non_null(shop_store(&s)->hint_says);
        expect_content(&s);
        shop_close(&s);
    }
    kv_buf_free(&good);
    shop_open(&s);
    shop_free(&s);
}

// A copy of the hint file of long ago: what merges replaced is not trusted.
static void a_stale_one_is_right_about_what_is_unchanged(void **state)
{
    (void)state;
    shop s = filled("segment_bytes=4096,background=0");
    kv_buf old = test_read_file(shop_file(&s, "index.hint"));
    shop_open(&s);
    shop_fill(&s, 150, 60, 3);
    shop_del(&s, "key 299");
    assert_ok(kv_settle(s.db));
    shop_fill(&s, 20, 60, 4);
    shop_close(&s);
    test_write_file(shop_file(&s, "index.hint"), kv_buf_slice(&old));
    shop_open(&s);
    shop_expect_fill(&s, 20, 60, 4);
    shop_expect(&s, "key 299", NULL);
    shop_expect_sound(&s, 298);
    kv_buf_free(&old);
    shop_free(&s);
}

static void a_crash_reads_only_what_came_after(void **state)
{
    (void)state;
    shop s = filled("segment_bytes=64KiB,background=0,merge=never");
    shop_open(&s);
    shop_put(&s, "new", "one");
    shop_kill(&s);
    shop_open(&s);
    assert_int_equal(shop_store(&s)->opened_records, 1);
    shop_expect(&s, "new", "one");
    shop_expect_sound(&s, 300);
    shop_free(&s);
}

enum { VALUE_BYTES = 200 };

// Some are longer than others.
static void set_value(char to[VALUE_BYTES], size_t key, int step)
{
    memset(to, '.', VALUE_BYTES);
    to[20 + key * 6] = '\0';
    to[snprintf(to, 16, "%d", step)] = '.';
}

// Kills come between closes: the hint is older than the last merges, and their
// tombstones, read again, are older than what it says of later segments.
static void merges_after_it_take_nothing_back(void **state)
{
    (void)state;
    enum { KEYS = 24, STEPS = 3000 };
    shop s = shop_new("segment_bytes=1KiB,format=text,background=0");
    char key[24], value[VALUE_BYTES];
    int held[KEYS] = {0}; // the step that put it, 0: not there
    kv_rng rng;
    kv_rng_seed(&rng, 5);
    print_message("seed 5\n");
    shop_open(&s);
    for (int step = 1; step <= STEPS; step++) {
        size_t k = kv_rng_below(&rng, KEYS);
        bool did_work;
        snprintf(key, sizeof key, "%zu", k);
        set_value(value, k, step);
        uint64_t kind = kv_rng_below(&rng, 20);
        if (kind < 10) shop_put(&s, key, value);
        else if (kind < 15) shop_del(&s, key);
        else assert_ok(kv_maintain(s.db, &did_work));
        if (kind < 15) held[k] = kind < 10 ? step : 0;
        if (kv_rng_below(&rng, 10) > 0) continue;
        if (kv_rng_below(&rng, 3) == 0) shop_close(&s);
        else shop_kill(&s);
        shop_open(&s);
        for (size_t i = 0; i < KEYS; i++) {
            snprintf(key, sizeof key, "%zu", i);
            set_value(value, i, held[i]);
            shop_expect(&s, key, held[i] > 0 ? value : NULL);
        }
    }
    shop_free(&s);
}

static void a_segment_it_knows_must_be_there(void **state)
{
    (void)state;
    static const char *const knobs[] = {"segment_bytes=1MiB",
                                        "segment_bytes=1MiB,hints=off"};
    for (int i = 0; i < 2; i++) {
        shop s = filled(knobs[i]);
        assert_int_equal(remove(shop_file(&s, "000001.seg")), 0);
        kv_options options = {.path = s.path};
        assert_status(kv_open(&log_engine, &options, &s.db), KV_CORRUPT);
        assert_non_null(strstr(kv_last_error(), "000001.seg"));
        test_remove_dir(s.path);
    }
}

static void off_means_that_the_log_is_read(void **state)
{
    (void)state;
    shop s = filled("hints=off");
    shop_open(&s);
    assert_true(shop_store(&s)->opened_records > 300);
    expect_content(&s);
    shop_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_start_reads_no_records),
        cmocka_unit_test(every_damaged_byte_is_noticed),
        cmocka_unit_test(a_stale_one_is_right_about_what_is_unchanged),
        cmocka_unit_test(a_crash_reads_only_what_came_after),
        cmocka_unit_test(merges_after_it_take_nothing_back),
        cmocka_unit_test(a_segment_it_knows_must_be_there),
        cmocka_unit_test(off_means_that_the_log_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
