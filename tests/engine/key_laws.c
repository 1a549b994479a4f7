// key_laws.c -- what get, put and del owe to any key and any value.
// SPDX-License-Identifier: MIT

#include "common/mem.h"

#include "tests/engine/laws.h"

static void assert_get(subject *s, kv_slice key, kv_slice want)
{
    kv_buf value = {0};
    kv_status st = kv_get(s->db, key, &value);
    bool is_same = st == KV_OK && kv_slice_equal(kv_buf_slice(&value), want);
    kv_buf_free(&value);
    assert_ok(st);
    assert_true(is_same);
}

static void assert_absent(subject *s, kv_slice key)
{
    kv_buf value = {0};
    kv_buf_append(&value, kv_str("left over"));
    kv_status st = kv_get(s->db, key, &value);
    size_t len = value.len;
    kv_buf_free(&value);
    assert_status(st, KV_NOT_FOUND);
    assert_int_equal(len, 0);
}

static void get_of_absent_key_leaves_value_empty(subject *s)
{
    assert_absent(s, kv_str("cat"));
    subject_put(s, kv_str("cat"), kv_str("meow"));
    assert_absent(s, kv_str("ca"));
    assert_absent(s, kv_str("catt"));
    assert_absent(s, kv_str("bat"));
}

static void get_returns_last_put(subject *s)
{
    subject_put(s, kv_str("cat"), kv_str("meow"));
    assert_get(s, kv_str("cat"), kv_str("meow"));
    subject_put(s, kv_str("cat"), kv_str("purr, and then some more"));
    assert_get(s, kv_str("cat"), kv_str("purr, and then some more"));
    subject_put(s, kv_str("cat"), kv_str("m"));
    assert_get(s, kv_str("cat"), kv_str("m"));
    subject_compare(s);
}

static void empty_value_is_a_value(subject *s)
{
    subject_put(s, kv_str("quiet"), kv_str(""));
    subject_put(s, kv_str("null"), (kv_slice){0});
    assert_get(s, kv_str("quiet"), kv_str(""));
    subject_compare(s);
    subject_put(s, kv_str("quiet"), kv_str("no more"));
    subject_put(s, kv_str("null"), kv_str("x"));
    subject_put(s, kv_str("null"), kv_str(""));
    subject_compare(s);
    subject_reopen(s);
    subject_compare(s);
}

static void del_removes_whether_there_or_not(subject *s)
{
    subject_del(s, kv_str("never"));
    subject_put(s, kv_str("cat"), kv_str("meow"));
    subject_put(s, kv_str("dog"), kv_str("woof"));
    subject_del(s, kv_str("cat"));
    assert_absent(s, kv_str("cat"));
    subject_del(s, kv_str("cat"));
    subject_compare(s);
    subject_put(s, kv_str("cat"), kv_str("back"));
    subject_compare(s);
}

static void any_byte_is_a_key(subject *s)
{
    for (int i = 0; i < 256; i++) {
        uint8_t key[4] = {(uint8_t)i, 0, (uint8_t)i, 0xff};
        for (size_t len = 1; len <= 4; len++) {
            subject_put(s, kv_slice_of(key, len), kv_slice_of(key, len - 1));
        }
    }
    subject_compare(s);
    for (int i = 0; i < 256; i += 2) {
        uint8_t key[2] = {(uint8_t)i, 0};
        subject_del(s, kv_slice_of(key, 2));
    }
    subject_compare(s);
}

// What a text format, a path or a C string would trip over.
static void awkward_bytes_are_kept(subject *s)
{
    static const char *const awkward[] = {"\n",       "\r\n",
                                          "a\nb",     " ",
                                          "  ",       "a b",
                                          "~",        "\\",
                                          "\\n",      "\\x00",
                                          "\t",       "\"",
                                          "'",        "#",
                                          "SET a",    "DEL",
                                          "+",        "@",
                                          "../x",     "/",
                                          "%00",      "\x7f",
                                          "\x1b",     "\xff",
                                          "\xc3\x28", "  ~0123abcd@00000072\n"};
    enum { COUNT = sizeof awkward / sizeof awkward[0] };
    for (int i = 0; i < COUNT; i++) {
        subject_put(s, kv_str(awkward[i]), kv_str(awkward[COUNT - 1 - i]));
    }
    subject_put(s, kv_slice_of("\0", 1), kv_slice_of("\0\0\0", 3));
    subject_put(s, kv_slice_of("\0\0", 2), kv_slice_of("\n\0\n", 3));
    subject_compare(s);
    subject_reopen(s);
    subject_compare(s);
}

static void keys_that_begin_alike_are_apart(subject *s)
{
    uint8_t key[300];
    size_t most = kv_key_max(s->db);
    if (most > sizeof key) most = sizeof key;
    memset(key, 'a', sizeof key);
    for (size_t len = 1; len <= most; len++) {
        uint8_t n = (uint8_t)len;
        subject_put(s, kv_slice_of(key, len), kv_slice_of(&n, 1));
    }
    for (size_t len = 3; len <= most; len += 3) {
        subject_del(s, kv_slice_of(key, len));
    }
    subject_compare(s);
}

static void empty_key_is_refused(subject *s)
{
    kv_buf value = {0};
    kv_slice none = kv_str("");
    subject_put(s, kv_str("cat"), kv_str("meow"));
    assert_status(kv_put(s->db, none, kv_str("x")), KV_INVALID);
    assert_status(kv_put(s->db, (kv_slice){0}, kv_str("x")), KV_INVALID);
    assert_status(kv_get(s->db, none, &value), KV_INVALID);
    assert_status(kv_del(s->db, none), KV_INVALID);
    kv_buf_free(&value);
    subject_compare(s);
}

static void longest_key_fits_and_no_longer_one(subject *s)
{
    kv_buf key = subject_value(3, (size_t)kv_key_max(s->db) + 1);
    kv_buf value = {0};
    kv_slice longest = kv_slice_of(key.data, key.len - 1);
    subject_put(s, longest, kv_str("a"));
    subject_put(s, kv_slice_of(key.data, key.len - 2), kv_str("b"));
    kv_status put = kv_put(s->db, kv_buf_slice(&key), kv_str("c"));
    kv_status got = kv_get(s->db, kv_buf_slice(&key), &value);
    kv_status deleted = kv_del(s->db, kv_buf_slice(&key));
    subject_compare(s);
    subject_reopen(s);
    subject_compare(s);
    subject_del(s, longest);
    subject_compare(s);
    kv_buf_free(&key);
    kv_buf_free(&value);
    assert_status(put, KV_TOO_BIG);
    assert_status(got, KV_TOO_BIG);
    assert_status(deleted, KV_TOO_BIG);
}

// Bounds are logged as keys are: a longer one would be there, acknowledged, and
// refused when the store is opened again.
static void ranges_to_delete_have_bounds_that_fit(subject *s)
{
    kv_buf key = subject_value(3, (size_t)kv_key_max(s->db) + 1);
    kv_slice longer = kv_buf_slice(&key), none = {0};
    kv_slice longest = kv_slice_of(key.data, key.len - 1);
    subject_put(s, kv_str("a"), kv_str("1"));
    subject_put(s, longest, kv_str("2"));
    kv_status from = kv_del_range(s->db, longer, none);
    kv_status to = kv_del_range(s->db, none, longer);
    kv_batch batch = {0};
    kv_batch_del_range(&batch, none, longer);
    kv_status in_batch = kv_write(s->db, &batch);
    kv_batch_free(&batch);
    subject_compare(s);
    subject_reopen(s);
    subject_compare(s);
    subject_put(s, longest, kv_str("3"));
    subject_del_range(s, longest, none);
    subject_del_range(s, none, longest);
    subject_reopen(s);
    subject_compare(s);
    kv_buf_free(&key);
    assert_status(from, KV_TOO_BIG);
    assert_status(to, KV_TOO_BIG);
    assert_status(in_batch, subject_can(s, KV_CAP_RANGE_DELETE)
                                ? KV_TOO_BIG
                                : KV_UNSUPPORTED);
}

// The longest value that this test can afford; values of 256 MiB are soaked.
static void long_values_fit_and_none_over_the_limit(subject *s)
{
    size_t affordable = 3 << 20, most = s->info->value_max;
    kv_buf value = subject_value(5, most < affordable ? most : affordable);
    subject_put(s, kv_str("long"), kv_buf_slice(&value));
    subject_put(s, kv_str("next"), kv_str("short"));
    subject_compare(s);
    // Refused by its length: its bytes are never looked at.
    kv_slice over = kv_slice_of(value.data, most + 1);
    kv_status st = kv_put(s->db, kv_str("over"), over);
    kv_buf_free(&value);
    assert_status(st, KV_TOO_BIG);
    subject_reopen(s);
    subject_compare(s);
    subject_put(s, kv_str("long"), kv_str("short now"));
    subject_compare(s);
}

static void values_of_every_size_class_survive_overwriting(subject *s)
{
    static const size_t sizes[] = {
        0,    1,    7,    8,    15,    16,    17,    31,   63,   64,
        65,   127,  128,  129,  255,   256,   511,   1023, 1024, 4083,
        4095, 4096, 4097, 8191, 16383, 16384, 65535, 65536};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    char name[32];
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < COUNT; i++) {
            unsigned pick = (i * 5 + round * 11) % COUNT;
            if (sizes[pick] > s->info->value_max) continue;
            kv_buf value = subject_value(i + round * 100, sizes[pick]);
            subject_put(s, subject_key(name, i), kv_buf_slice(&value));
            kv_buf_free(&value);
        }
        subject_compare(s);
    }
    subject_reopen(s);
    subject_compare(s);
}

static void many_keys_are_all_found(subject *s)
{
    char name[32];
    enum { MANY = 701 };
    for (unsigned i = 0; i < MANY; i++) {
        unsigned n = i * 7919 % MANY * 2; // all even numbers, shuffled
        subject_put(s, subject_key(name, n), kv_slice_of(&n, sizeof n));
    }
    for (unsigned i = 1; i < MANY; i += 23) {
        assert_absent(s, subject_key(name, i * 2 - 1));
    }
    for (unsigned i = 0; i < MANY; i += 3) {
        subject_del(s, subject_key(name, i * 2));
    }
    subject_compare(s);
    subject_reopen(s);
    subject_compare(s);
}

static void what_is_passed_in_is_only_borrowed(subject *s)
{
    char key[] = "cat", value[] = "meow";
    assert_ok(kv_put(s->db, kv_str(key), kv_str(value)));
    memset(key, 'x', 3);
    memset(value, 'y', 4);
    assert_get(s, kv_str("cat"), kv_str("meow"));
    assert_absent(s, kv_str("xxx"));
}

static void get_many_is_as_many_gets(subject *s)
{
    enum { COUNT = 200 };
    char names[COUNT][32];
    kv_slice keys[COUNT];
    kv_buf values[COUNT] = {{0}};
    bool found[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        keys[i] = subject_key(names[i], i / 2 * 2); // each twice
        kv_buf_append(&values[i], kv_str("left over"));
        found[i] = true;
        if (i % 3 == 0) subject_put(s, keys[i], kv_slice_of(&i, i % 5));
    }
    kv_status st = kv_get_many(s->db, COUNT, keys, values, found);
    bool is_same = true;
    for (unsigned i = 0; i < COUNT; i++) {
        const kv_buf *want = model_get(&s->model, keys[i]);
        kv_slice bytes = want != NULL ? kv_buf_slice(want) : (kv_slice){0};
        is_same &= found[i] == (want != NULL);
        is_same &= kv_slice_equal(kv_buf_slice(&values[i]), bytes);
    }
    for (unsigned i = 0; i < COUNT; i++) kv_buf_free(&values[i]);
    assert_ok(st);
    assert_true(is_same);
    assert_ok(kv_get_many(s->db, 0, NULL, NULL, NULL));
}

static void get_many_refuses_an_empty_key(subject *s)
{
    kv_slice keys[2] = {kv_str("cat"), kv_str("")};
    kv_buf values[2] = {{0}};
    bool found[2];
    subject_put(s, kv_str("cat"), kv_str("meow"));
    kv_status st = kv_get_many(s->db, 2, keys, values, found);
    kv_buf_free(&values[0]);
    kv_buf_free(&values[1]);
    assert_status(st, KV_INVALID);
}

static void del_range_takes_its_first_and_leaves_its_last(subject *s)
{
    char name[32], name2[32];
    for (unsigned i = 0; i < 300; i++) {
        subject_put(s, subject_key(name, i), kv_str("x"));
    }
    subject_del_range(s, subject_key(name, 10), subject_key(name2, 20));
    subject_compare(s);
    subject_del_range(s, kv_str("key-00003"), kv_str("key-000035x"));
    subject_compare(s);
    // Nothing is in these.
    subject_del_range(s, subject_key(name, 50), subject_key(name2, 50));
    subject_del_range(s, subject_key(name, 60), subject_key(name2, 55));
    subject_del_range(s, kv_str("zebra"), kv_str("zoo"));
    subject_compare(s);
    // Open ends.
    subject_del_range(s, kv_str(""), subject_key(name, 5));
    subject_del_range(s, subject_key(name, 290), kv_str(""));
    subject_compare(s);
    subject_put(s, subject_key(name, 12), kv_str("back"));
    subject_reopen(s);
    subject_compare(s);
    subject_del_range(s, kv_str(""), kv_str(""));
    assert_int_equal(s->model.count, 0);
    subject_compare(s);
    subject_put(s, kv_str("after"), kv_str("all"));
    subject_compare(s);
}

static const law laws[] = {
    LAW(get_of_absent_key_leaves_value_empty),
    LAW(get_returns_last_put),
    LAW(empty_value_is_a_value),
    LAW(del_removes_whether_there_or_not),
    LAW(any_byte_is_a_key),
    LAW(awkward_bytes_are_kept),
    LAW(keys_that_begin_alike_are_apart),
    LAW(empty_key_is_refused),
    LAW(longest_key_fits_and_no_longer_one),
    LAW(ranges_to_delete_have_bounds_that_fit),
    LAW(long_values_fit_and_none_over_the_limit),
    LAW(values_of_every_size_class_survive_overwriting),
    LAW(many_keys_are_all_found),
    LAW(what_is_passed_in_is_only_borrowed),
    LAW(get_many_is_as_many_gets),
    LAW(get_many_refuses_an_empty_key),
    LAW(del_range_takes_its_first_and_leaves_its_last),
};

const law_list key_laws = {"keys", laws, sizeof laws / sizeof laws[0]};
