// test_recovery.c -- torn tails are cut, damage is refused, and what a crash
// left of a merge is put right.
// SPDX-License-Identifier: MIT

#include "shop.h"

static const char *const formats[] = {"format=binary,background=0",
                                      "format=text,background=0"};

static void expect_refused(shop *s, kv_status want, const char *word)
{
    kv_options options = {.path = s->path, .knobs = s->knobs};
    assert_status(kv_open(&log_engine, &options, &s->db), want);
    assert_non_null(strstr(kv_last_error(), word));
    s->db = NULL;
}

static void restore(const shop *s, const char *name, const kv_buf *bytes)
{
    for (int i = 0; i < 9; i++) { // what an earlier opening made of it
        char merged[64];
        snprintf(merged, sizeof merged, "000001-000001.%d.seg", i);
        (void)remove(shop_file(s, merged));
    }
    (void)remove(shop_file(s, "index.hint"));
    test_write_file(shop_file(s, name), kv_buf_slice(bytes));
}

// Wherever a kill cuts the log, what is left is the records before the cut.
static void every_cut_leaves_a_prefix(void **state)
{
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        shop s = shop_new(formats[f]);
        shop_open(&s);
        size_t end[9] = {0};
        for (int i = 1; i <= 8; i++) {
            char key[24];
            snprintf(key, sizeof key, "k%d", i);
            shop_put(&s, key, "value");
            end[i] = shop_written(&s, "000001.seg");
        }
        shop_kill(&s);
        kv_buf whole = test_read_file(shop_file(&s, "000001.seg"));
        whole.len = end[8];
        for (size_t cut = 0; cut <= whole.len; cut++) {
            restore(&s, "000001.seg", &whole);
            shop_cut(&s, "000001.seg", cut);
            unsigned expected = 0;
            while (expected < 8 && end[expected + 1] <= cut) expected++;
            shop_open(&s);
            shop_expect_sound(&s, expected);
            shop_put(&s, "after", "the cut"); // a second life
            shop_kill(&s);
            shop_open(&s);
            shop_expect(&s, "after", "the cut");
            shop_expect_sound(&s, expected + 1);
            shop_kill(&s);
            for (int i = 2; i < 5; i++) {
                char name[64];
                snprintf(name, sizeof name, "%06d.seg", i);
                (void)remove(shop_file(&s, name));
                for (int g = 1; g < 4; g++) {
                    snprintf(name, sizeof name, "%06d-%06d.%d.seg", i, i, g);
                    (void)remove(shop_file(&s, name));
                }
            }
        }
        kv_buf_free(&whole);
        test_remove_dir(s.path);
    }
}

static void a_batch_is_cut_whole(void **state)
{
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        shop s = shop_new(formats[f]);
        shop_open(&s);
        kv_batch b = {0};
        kv_batch_put(&b, kv_str("a"), kv_str("1"));
        kv_batch_put(&b, kv_str("b"), kv_str("2"));
        assert_ok(kv_write(s.db, &b));
        kv_batch_free(&b);
        shop_kill(&s);
        shop_cut(&s, "000001.seg", shop_written(&s, "000001.seg") - 1);
        shop_open(&s);
        shop_expect_sound(&s, 0);
        shop_free(&s);
    }
}

// After a clean close, no damaged byte goes unnoticed.
static void every_damaged_byte_is_refused(void **state)
{
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        shop s = shop_new(formats[f]);
        shop_open(&s);
        shop_put(&s, "cat", "meow");
        shop_put(&s, "dog", "woof");
        shop_close(&s);
        (void)remove(shop_file(&s, "index.hint"));
        size_t size = shop_size(&s, "000001.seg");
        for (size_t at = 0; at < size; at++) {
            shop_flip(&s, "000001.seg", at);
            kv_options options = {.path = s.path, .read_only = true};
            kv_status st = kv_open(&log_engine, &options, &s.db);
            if (st == KV_OK) { // the closing record alone: then all is there
                shop_expect(&s, "cat", "meow");
                shop_expect(&s, "dog", "woof");
                kv_close(s.db);
            } else {
                assert_true(st == KV_CORRUPT || st == KV_UNSUPPORTED);
            }
            s.db = NULL;
            shop_flip(&s, "000001.seg", at);
        }
        test_remove_dir(s.path);
    }
}

static shop three_segments(void)
{
    shop s = shop_new("segment_bytes=4096,background=0,merge=never");
    shop_open(&s);
    shop_fill(&s, 80, 100, 1);
    shop_close(&s);
    assert_true(shop_has(&s, "000003.seg"));
    return s;
}

static void a_missing_segment_is_named(void **state)
{
    (void)state;
    static const char *const names[] = {"000001.seg", "000002.seg"};
    for (int i = 0; i < 2; i++) {
        shop s = three_segments();
        (void)remove(shop_file(&s, "index.hint"));
        assert_int_equal(remove(shop_file(&s, names[i])), 0);
        expect_refused(&s, KV_CORRUPT, names[i]);
        test_remove_dir(s.path);
    }
}

static void an_older_segment_may_not_be_short(void **state)
{
    (void)state;
    shop s = three_segments();
    (void)remove(shop_file(&s, "index.hint"));
    size_t size = shop_size(&s, "000002.seg");
    for (size_t cut = size - 1; cut > 60; cut -= cut / 9) {
        shop_cut(&s, "000002.seg", cut);
        expect_refused(&s, KV_CORRUPT, "000002.seg");
    }
    test_remove_dir(s.path);
}

static void files_in_the_wrong_place_are_refused(void **state)
{
    (void)state;
    shop s = three_segments();
    (void)remove(shop_file(&s, "index.hint"));
    kv_buf one = test_read_file(shop_file(&s, "000001.seg"));
    test_write_file(shop_file(&s, "000002.seg"), kv_buf_slice(&one));
    expect_refused(&s, KV_CORRUPT, "000002.seg");
    kv_buf_free(&one);
    test_remove_dir(s.path);
}

// A crash between the rename and the removal of the inputs (F1).
static void what_a_merge_replaced_does_not_come_back(void **state)
{
    (void)state;
    shop s = shop_new("segment_bytes=4096,background=0,merge=never");
    shop_open(&s);
    shop_fill(&s, 80, 100, 1);
    shop_close(&s);
    kv_buf one = test_read_file(shop_file(&s, "000001.seg"));
    s.knobs = "segment_bytes=4096,background=0";
    shop_open(&s);
    shop_fill(&s, 80, 100, 2);
    char key[16];
    for (unsigned i = 1; i <= 40; i++) {
        snprintf(key, sizeof key, "key %u", i);
        shop_del(&s, key);
    }
    assert_ok(kv_settle(s.db));
    assert_false(shop_has(&s, "000001.seg"));
    shop_kill(&s);
    test_write_file(shop_file(&s, "000001.seg"), kv_buf_slice(&one));
    test_write_file(shop_file(&s, "000001-000002.1.seg.tmp"), kv_str("half"));
    test_write_file(shop_file(&s, "index.hint.tmp"), kv_str("half"));
    test_write_file(shop_file(&s, "notes.txt"), kv_str("mine"));
    shop_open(&s);
    shop_expect(&s, "key 1", NULL);
    shop_expect_sound(&s, 40);
    assert_false(shop_has(&s, "000001.seg"));
    assert_int_equal(shop_count_files(&s, ".tmp"), 0);
    assert_true(shop_has(&s, "notes.txt")); // not ours: left alone
    kv_buf_free(&one);
    shop_free(&s);
}

static void the_first_file_may_be_torn_at_birth(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < 52; cut += 13) {
        shop s = shop_new("background=0");
        shop_open(&s);
        shop_put(&s, "cat", "meow");
        shop_kill(&s);
        shop_cut(&s, "000001.seg", cut);
        shop_open(&s);
        shop_expect_sound(&s, 0);
        shop_put(&s, "cat", "again");
        shop_close(&s);
        shop_open(&s);
        shop_expect(&s, "cat", "again");
        shop_free(&s);
    }
}

static void reading_only_changes_nothing(void **state)
{
    (void)state;
    shop s = shop_new("background=0");
    shop_open(&s);
    shop_put(&s, "cat", "meow");
    shop_put(&s, "dog", "woof");
    shop_kill(&s);
    size_t size = shop_written(&s, "000001.seg") - 3;
    shop_cut(&s, "000001.seg", size);
    kv_options options = {.path = s.path, .read_only = true};
    assert_ok(kv_open(&log_engine, &options, &s.db));
    shop_expect(&s, "cat", "meow");
    shop_expect_sound(&s, 1);
    assert_status(kv_put(s.db, kv_str("a"), kv_str("b")), KV_READ_ONLY);
    shop_close(&s);
    assert_int_equal(shop_size(&s, "000001.seg"), size);
    shop_open(&s);
    shop_free(&s);
}

static void a_store_keeps_its_format(void **state)
{
    (void)state;
    shop s = shop_new("format=text");
    shop_open(&s);
    shop_put(&s, "cat", "meow");
    shop_close(&s);
    s.knobs = "format=binary";
    expect_refused(&s, KV_INVALID, "format=text");
    s.knobs = NULL;
    shop_open(&s);
    shop_put(&s, "dog", "woof");
    shop_close(&s);
    kv_buf text = test_read_file(shop_file(&s, "000002.seg"));
    kv_buf_append(&text, kv_slice_of("", 1));
    assert_non_null(strstr((const char *)text.data, "\nSET dog woof  ~"));
    kv_buf_free(&text);
    test_remove_dir(s.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_leaves_a_prefix),
        cmocka_unit_test(a_batch_is_cut_whole),
        cmocka_unit_test(every_damaged_byte_is_refused),
        cmocka_unit_test(a_missing_segment_is_named),
        cmocka_unit_test(an_older_segment_may_not_be_short),
        cmocka_unit_test(files_in_the_wrong_place_are_refused),
        cmocka_unit_test(what_a_merge_replaced_does_not_come_back),
        cmocka_unit_test(the_first_file_may_be_torn_at_birth),
        cmocka_unit_test(reading_only_changes_nothing),
        cmocka_unit_test(a_store_keeps_its_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
