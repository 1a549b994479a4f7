// scan_laws.c -- what a cursor owes: its range, its order, its moment.
// SPDX-License-Identifier: MIT

#include "tests/engine/laws.h"

static void empty_store_ends_at_once_and_stays_ended(subject *s)
{
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    assert_ok(kv_scan(s->db, (kv_range){0}, &cursor));
    kv_status first = kv_cursor_next(cursor, &key, &value);
    kv_status again = kv_cursor_next(cursor, &key, &value);
    kv_cursor_close(cursor);
    assert_status(first, KV_END);
    assert_status(again, KV_END);
}

static void end_comes_again_after_the_last_entry(subject *s)
{
    for (int reverse = 0; reverse <= subject_can(s, KV_CAP_ORDERED);
         reverse++) {
        kv_cursor *cursor = NULL;
        kv_slice key, value;
        subject_put(s, kv_str("cat"), kv_str("meow"));
        assert_ok(kv_scan(s->db, (kv_range){.reverse = reverse}, &cursor));
        kv_status st[3];
        for (int i = 0; i < 3; i++)
            st[i] = kv_cursor_next(cursor, &key, &value);
        kv_cursor_close(cursor);
        assert_status(st[0], KV_OK);
        assert_status(st[1], KV_END);
        assert_status(st[2], KV_END);
    }
}

static void fill(subject *s)
{
    static const char *const keys[] = {"b", "d", "da", "dab", "f", "h", "hh"};
    for (unsigned i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        subject_put(s, kv_str(keys[i]), kv_slice_of(&i, 1 + i % 4));
    }
    subject_put(s, kv_slice_of("d\0", 2), kv_str("after d, before da"));
    subject_put(s, kv_slice_of("\0", 1), kv_str("first"));
    subject_put(s, kv_slice_of("\xff\xff", 2), kv_str("last"));
    subject_put(s, kv_str("e"), kv_str("gone"));
    subject_del(s, kv_str("e"));
}

static void every_pair_of_bounds_cuts_where_it_says(subject *s)
{
    static const char *const bounds[] = {"",  "a", "b",  "c",   "d",  "da",
                                         "e", "g", "hh", "hhh", "zz", "\xff"};
    enum { COUNT = sizeof bounds / sizeof bounds[0] };
    bool is_ordered = subject_can(s, KV_CAP_ORDERED);
    fill(s);
    for (int i = 0; i < COUNT * COUNT; i++) {
        kv_range range = {kv_str(bounds[i / COUNT]), kv_str(bounds[i % COUNT]),
                          false};
        subject_compare_range(s, range);
        range.reverse = true;
        if (is_ordered) subject_compare_range(s, range);
    }
    subject_compare_range(s, (kv_range){.from = kv_slice_of("d\0", 2),
                                        .to = kv_slice_of("d\0\0", 3)});
}

static void bounds_hold_among_many_keys(subject *s)
{
    char name[32], name2[32];
    for (unsigned i = 0; i < 400; i++) {
        unsigned n = i * 7919 % 400 * 2;
        subject_put(s, subject_key(name, n), kv_slice_of(&n, sizeof n));
    }
    for (unsigned i = 1; i < 800; i += 151) {
        for (unsigned len = 0; len < 300; len = len * 3 + 1) {
            kv_range range = {subject_key(name, i), subject_key(name2, i + len),
                              false};
            subject_compare_range(s, range);
            range.reverse = true;
            if (subject_can(s, KV_CAP_ORDERED)) subject_compare_range(s, range);
        }
    }
    subject_reopen(s);
    subject_compare(s);
}

static void reverse_needs_an_order(subject *s)
{
    if (subject_can(s, KV_CAP_ORDERED)) return;
    kv_cursor *cursor = NULL;
    kv_range range = {.reverse = true};
    assert_status(kv_scan(s->db, range, &cursor), KV_UNSUPPORTED);
    assert_null(cursor);
}

static void bounds_are_copied_by_the_cursor(subject *s)
{
    char from[] = "c", to[] = "f";
    fill(s);
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    assert_ok(
        kv_scan(s->db, (kv_range){kv_str(from), kv_str(to), false}, &cursor));
    from[0] = 'z';
    to[0] = 'a';
    int count = 0;
    while (kv_cursor_next(cursor, &key, &value) == KV_OK) count++;
    kv_cursor_close(cursor);
    assert_int_equal(count, 4); // d, d\0, da, dab
}

// An entry is good until the cursor's next call, whatever else is read.
static void an_entry_outlives_other_reads(subject *s)
{
    char name[32];
    for (unsigned i = 0; i < 50; i++) {
        kv_buf value = subject_value(i, 100 + i);
        subject_put(s, subject_key(name, i), kv_buf_slice(&value));
        kv_buf_free(&value);
    }
    kv_cursor *cursor = NULL, *other = NULL;
    kv_slice key, value, key2, value2;
    kv_buf got = {0};
    bool is_same = true;
    assert_ok(kv_scan(s->db, (kv_range){0}, &cursor));
    assert_ok(kv_scan(s->db, (kv_range){0}, &other));
    while (kv_cursor_next(cursor, &key, &value) == KV_OK) {
        for (unsigned i = 0; i < 50; i += 7) {
            is_same &= kv_get(s->db, subject_key(name, i), &got) == KV_OK;
        }
        is_same &= kv_cursor_next(other, &key2, &value2) == KV_OK;
        const kv_buf *want = model_get(&s->model, key);
        is_same &= want != NULL && kv_slice_equal(kv_buf_slice(want), value);
        is_same &= kv_slice_equal(key, key2) && kv_slice_equal(value, value2);
    }
    kv_cursor_close(cursor);
    kv_cursor_close(other);
    kv_buf_free(&got);
    assert_true(is_same);
}

static void a_cursor_may_be_closed_anywhere(subject *s)
{
    fill(s);
    for (int steps = 0; steps < 12; steps++) {
        kv_cursor *cursor = NULL;
        kv_slice key, value;
        assert_ok(kv_scan(s->db, (kv_range){0}, &cursor));
        for (int i = 0; i < steps; i++) {
            (void)!kv_cursor_next(cursor, &key, &value);
        }
        kv_cursor_close(cursor);
    }
    kv_cursor_close(NULL);
    subject_compare(s);
}

// What the rest of `cursor` shows has to be the model's entries from..limit-1;
// returns how the walk ended.
static kv_status walk(kv_cursor *cursor, const model *m, size_t from)
{
    kv_slice key, value;
    kv_status st;
    while ((st = kv_cursor_next(cursor, &key, &value)) == KV_OK) {
        if (from >= m->count) return KV_CORRUPT;
        const model_entry *want = &m->entries[from++];
        if (!kv_slice_equal(key, kv_buf_slice(&want->key)) ||
            !kv_slice_equal(value, kv_buf_slice(&want->value))) {
            return KV_CORRUPT;
        }
    }
    return st == KV_END && from != m->count ? KV_CORRUPT : st;
}

typedef void change(subject *s);

static void put_a_new_key(subject *s)
{
    subject_put(s, kv_str("dz"), kv_str("new"));
}

static void put_an_old_key(subject *s)
{
    subject_put(s, kv_str("h"), kv_str("changed"));
}

static void del_a_key(subject *s) { subject_del(s, kv_str("dab")); }

static void write_much_and_settle(subject *s)
{
    char name[32];
    for (unsigned i = 0; i < 400; i++) {
        subject_put(s, subject_key(name, i % 40), kv_str("churn"));
    }
    assert_ok(kv_settle(s->db));
}

static void del_everything(subject *s)
{
    subject_del_range(s, kv_str(""), kv_str(""));
}

// With KV_CAP_SNAPSHOT a cursor shows the moment it was opened, without it
// the first write ends it: never a mixture of two moments.
static void a_cursor_shows_one_moment(subject *s)
{
    static change *const changes[] = {put_a_new_key, put_an_old_key, del_a_key,
                                      write_much_and_settle, del_everything};
    for (int i = 0; i < 10; i++) {
        fill(s);
        model before = {0};
        kv_cursor *cursor = NULL;
        kv_slice key, value;
        model_copy(&before, &s->model);
        assert_ok(kv_scan(s->db, (kv_range){0}, &cursor));
        size_t shown = i < 5 ? 0 : 2;
        for (size_t n = 0; n < shown; n++) {
            assert_ok(kv_cursor_next(cursor, &key, &value));
        }
        changes[i % 5](s);
        kv_status st;
        if (subject_can(s, KV_CAP_SNAPSHOT)) st = walk(cursor, &before, shown);
        else st = kv_cursor_next(cursor, &key, &value);
        kv_cursor_close(cursor);
        model_free(&before);
        assert_status(st, subject_can(s, KV_CAP_SNAPSHOT) ? KV_END : KV_STALE);
        subject_compare(s);
    }
}

// Only writes end a cursor; reads, syncs and housekeeping do not.
static void housekeeping_leaves_cursors_alone(subject *s)
{
    char name[32];
    for (unsigned i = 0; i < 600; i++) {
        subject_put(s, subject_key(name, i % 60), kv_slice_of(&i, sizeof i));
    }
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    bool did_work = true;
    int count = 0;
    assert_ok(kv_scan(s->db, (kv_range){0}, &cursor));
    while (kv_cursor_next(cursor, &key, &value) == KV_OK) {
        const kv_buf *want = model_get(&s->model, key);
        assert_non_null(want);
        assert_true(kv_slice_equal(kv_buf_slice(want), value));
        if (count++ < 30) assert_ok(kv_maintain(s->db, &did_work));
        if (count == 40) assert_ok(kv_settle(s->db));
    }
    kv_cursor_close(cursor);
    assert_int_equal(count, 60);
}

static const law laws[] = {
    LAW(empty_store_ends_at_once_and_stays_ended),
    LAW(end_comes_again_after_the_last_entry),
    LAW(every_pair_of_bounds_cuts_where_it_says),
    LAW(bounds_hold_among_many_keys),
    LAW(reverse_needs_an_order),
    LAW(bounds_are_copied_by_the_cursor),
    LAW(an_entry_outlives_other_reads),
    LAW(a_cursor_may_be_closed_anywhere),
    LAW(a_cursor_shows_one_moment),
    LAW(housekeeping_leaves_cursors_alone),
};

const law_list scan_laws = {"scans", laws, sizeof laws / sizeof laws[0]};
