// test_find.c -- lookups: one read if found, none if not, and equal hashes.
// SPDX-License-Identifier: MIT

#include "shop.h"

static uint64_t reads_of(const shop *s)
{
    kv_stats stats;
    kv_stats_read(s->db, &stats);
    return stats.disk[KV_FOR_READ].reads;
}

static uint64_t read_bytes_of(const shop *s)
{
    kv_stats stats;
    kv_stats_read(s->db, &stats);
    return stats.disk[KV_FOR_READ].read_bytes;
}

static void a_hit_is_one_read_and_a_miss_is_none(void **state)
{
    (void)state;
    static const char *const knobs[] = {"read=copy", "read=map",
                                        "read=copy,format=text"};
    for (size_t k = 0; k < 3; k++) {
        shop s = shop_new(knobs[k]);
        shop_open(&s);
        for (unsigned bytes = 1; bytes < 20000; bytes = bytes * 5 / 2 + 1) {
            kv_buf value = {0};
            while (value.len < bytes) kv_buf_append(&value, kv_str("v"));
            assert_ok(kv_put(s.db, kv_str("cat"), kv_buf_slice(&value)));
            uint64_t reads = reads_of(&s), read = read_bytes_of(&s);
            assert_ok(kv_get(s.db, kv_str("cat"), &value));
            assert_int_equal(value.len, bytes);
            assert_int_equal(reads_of(&s) - reads, 1);
            assert_true(read_bytes_of(&s) - read <= (bytes + 40u) * 9 / 8);
            assert_status(kv_get(s.db, kv_str("dog"), &value), KV_NOT_FOUND);
            assert_int_equal(reads_of(&s) - reads, 1);
            kv_buf_free(&value);
        }
        shop_free(&s);
    }
}

// Puts an entry in front of the key's own that has its hash and names another
// key's record, as a collision of all 42 bits would.
static void plant(shop *s, const char *key, const char *other)
{
    log_store *store = shop_store(s);
    log_record record = {0};
    kv_buf bytes = {0};
    record.view.bytes = &bytes;
    uint64_t hash = log_hash(&store->finder, kv_str(other));
    assert_ok(log_find(&store->finder, kv_str(other), hash, kv_for(KV_FOR_READ),
                       &record));
    log_index_add(&store->index, log_hash(&store->finder, kv_str(key)),
                  record.place);
    log_record_end(&record);
    kv_buf_free(&record.view.text);
    kv_buf_free(&bytes);
}

static void keys_of_one_hash_are_told_apart(void **state)
{
    (void)state;
    shop s = shop_new("background=0");
    shop_open(&s);
    shop_put(&s, "dog", "woof");
    shop_put(&s, "cow", "moo");
    for (int i = 0; i < 6; i++) plant(&s, "cat", i % 2 ? "dog" : "cow");
    shop_expect(&s, "cat", NULL); // six candidates, none of them the cat's
    shop_put(&s, "cat", "meow");
    shop_expect(&s, "cat", "meow");
    shop_expect(&s, "dog", "woof");
    shop_put(&s, "cat", "purr"); // replaces its own entry, not another's
    shop_expect(&s, "cat", "purr");
    shop_expect(&s, "dog", "woof");
    shop_del(&s, "cat");
    shop_expect(&s, "cat", NULL);
    shop_expect(&s, "dog", "woof");
    shop_expect(&s, "cow", "moo");
    shop_kill(&s);
    shop_open(&s); // the planted entries were in memory only
    shop_expect_sound(&s, 2);
    shop_free(&s);
}

// With a dozen entries of the key's hash in its way.
static void a_group_may_change_a_key_twice(void **state)
{
    (void)state;
    shop s = shop_new("background=0");
    shop_open(&s);
    shop_put(&s, "old", "1");
    for (int i = 0; i < 12; i++) plant(&s, "new", "old");
    kv_batch b = {0};
    kv_batch_put(&b, kv_str("new"), kv_str("a"));
    kv_batch_put(&b, kv_str("new"), kv_str("b"));
    kv_batch_del(&b, kv_str("old"));
    kv_batch_put(&b, kv_str("old"), kv_str("2"));
    kv_batch_put(&b, kv_str("gone"), kv_str("x"));
    kv_batch_del(&b, kv_str("gone"));
    kv_batch_del(&b, kv_str("gone"));
    kv_batch_del(&b, kv_str("never"));
    assert_ok(kv_write(s.db, &b));
    kv_batch_free(&b);
    shop_expect(&s, "new", "b");
    shop_expect(&s, "old", "2");
    shop_expect(&s, "gone", NULL);
    shop_kill(&s);
    shop_open(&s);
    shop_expect(&s, "new", "b");
    shop_expect(&s, "old", "2");
    shop_expect_sound(&s, 2);
    shop_free(&s);
}

static void damage_is_found_by_the_read_that_meets_it(void **state)
{
    (void)state;
    for (int map = 0; map < 2; map++) {
        shop s = shop_new(map ? "read=map" : "read=copy");
        shop_open(&s);
        shop_put(&s, "cat", "meow");
        shop_put(&s, "dog", "woof");
        shop_close(&s);
        shop_flip(&s, "000001.seg", 52 + 9 + 2);
        shop_open(&s); // by its hints: it does not read the segment
        kv_buf value = {0};
        assert_status(kv_get(s.db, kv_str("cat"), &value), KV_CORRUPT);
        assert_non_null(strstr(kv_last_error(), "000001.seg"));
        shop_expect(&s, "dog", "woof");
        kv_report report = {0};
        assert_status(kv_check(s.db, &report), KV_CORRUPT);
        kv_report_free(&report);
        kv_buf_free(&value);
        shop_free(&s);
    }
}

static void without_an_index_the_log_is_read(void **state)
{
    (void)state;
    shop s = shop_new("index=off,segment_bytes=4096");
    shop_open(&s);
    shop_fill(&s, 100, 100, 1);
    shop_fill(&s, 50, 100, 2);
    shop_del(&s, "key 1");
    shop_expect(&s, "key 1", NULL);
    shop_expect(&s, "never", NULL);
    shop_put(&s, "key 1", "back");
    shop_expect(&s, "key 1", "back");
    shop_expect_sound(&s, 100);
    shop_kill(&s);
    shop_open(&s);
    shop_expect(&s, "key 1", "back");
    shop_expect_sound(&s, 100);
    shop_close(&s);
    s.knobs = "index=hash"; // the same files
    shop_open(&s);
    shop_expect(&s, "key 1", "back");
    shop_expect_sound(&s, 100);
    shop_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hit_is_one_read_and_a_miss_is_none),
        cmocka_unit_test(keys_of_one_hash_are_told_apart),
        cmocka_unit_test(a_group_may_change_a_key_twice),
        cmocka_unit_test(damage_is_found_by_the_read_that_meets_it),
        cmocka_unit_test(without_an_index_the_log_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
