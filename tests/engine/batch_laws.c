// batch_laws.c -- what a batch owes: all of it or none, the later change wins.
// SPDX-License-Identifier: MIT

#include "tests/engine/laws.h"

// Writes the batch, frees it, and returns what the write said.
static kv_status write_and_free(subject *s, kv_batch *batch)
{
    kv_status st = kv_write(s->db, batch);
    kv_batch_free(batch);
    return st;
}

static void the_later_change_counts(subject *s)
{
    kv_batch batch = {0};
    subject_put(s, kv_str("old"), kv_str("before"));
    kv_batch_put(&batch, kv_str("twice"), kv_str("first"));
    kv_batch_put(&batch, kv_str("gone"), kv_str("x"));
    kv_batch_del(&batch, kv_str("old"));
    kv_batch_put(&batch, kv_str("twice"), kv_str("second"));
    kv_batch_del(&batch, kv_str("gone"));
    kv_batch_put(&batch, kv_str("old"), kv_str("after"));
    kv_batch_del(&batch, kv_str("never"));
    assert_ok(write_and_free(s, &batch));
    model_put(&s->model, kv_str("twice"), kv_str("second"));
    model_put(&s->model, kv_str("old"), kv_str("after"));
    subject_compare(s);
    subject_reopen(s);
    subject_compare(s);
}

static void an_empty_batch_does_nothing(subject *s)
{
    kv_batch batch = {0};
    subject_put(s, kv_str("cat"), kv_str("meow"));
    assert_ok(kv_write(s->db, &batch));
    assert_ok(write_and_free(s, &batch));
    subject_compare(s);
}

static void a_batch_can_be_written_twice_and_reused(subject *s)
{
    kv_batch batch = {0};
    kv_batch_put(&batch, kv_str("a"), kv_str("1"));
    assert_ok(kv_write(s->db, &batch));
    subject_put(s, kv_str("a"), kv_str("changed"));
    assert_ok(kv_write(s->db, &batch));
    kv_batch_clear(&batch);
    kv_batch_put(&batch, kv_str("b"), kv_str("2"));
    assert_ok(write_and_free(s, &batch));
    model_put(&s->model, kv_str("a"), kv_str("1"));
    model_put(&s->model, kv_str("b"), kv_str("2"));
    subject_compare(s);
}

static void one_bad_change_refuses_the_whole(subject *s)
{
    kv_buf key = subject_value(1, (size_t)kv_key_max(s->db) + 1);
    kv_status st[3];
    for (int i = 0; i < 3; i++) {
        kv_batch batch = {0};
        kv_batch_put(&batch, kv_str("good"), kv_str("x"));
        if (i == 0) kv_batch_put(&batch, kv_str(""), kv_str("x"));
        if (i == 1) kv_batch_del(&batch, kv_str(""));
        if (i == 2) kv_batch_put(&batch, kv_buf_slice(&key), kv_str("x"));
        kv_batch_put(&batch, kv_str("good too"), kv_str("y"));
        st[i] = write_and_free(s, &batch);
    }
    kv_buf_free(&key);
    assert_status(st[0], KV_INVALID);
    assert_status(st[1], KV_INVALID);
    assert_status(st[2], KV_TOO_BIG);
    subject_compare(s);
}

static void a_large_batch_is_one_change(subject *s)
{
    enum { COUNT = 1000 };
    char name[32];
    kv_batch batch = {0};
    for (unsigned i = 0; i < COUNT; i++) {
        kv_buf value = subject_value(i, i % 90);
        kv_batch_put(&batch, subject_key(name, i % 800), kv_buf_slice(&value));
        model_put(&s->model, subject_key(name, i % 800), kv_buf_slice(&value));
        kv_buf_free(&value);
    }
    for (unsigned i = 0; i < COUNT; i += 9) {
        kv_batch_del(&batch, subject_key(name, i));
        model_del(&s->model, subject_key(name, i));
    }
    assert_ok(write_and_free(s, &batch));
    subject_compare(s);
    subject_reopen(s);
    subject_compare(s);
}

static void many_batches_keep_their_order(subject *s)
{
    char name[32];
    for (unsigned round = 0; round < 300; round++) {
        kv_batch batch = {0};
        for (unsigned i = 0; i < 1 + round % 7; i++) {
            unsigned n = (round * 31 + i * 17) % 50;
            subject_key(name, n);
            if ((round + i) % 5 == 0) {
                kv_batch_del(&batch, kv_str(name));
                model_del(&s->model, kv_str(name));
            } else {
                kv_batch_put(&batch, kv_str(name),
                             kv_slice_of(&round, sizeof round));
                model_put(&s->model, kv_str(name),
                          kv_slice_of(&round, sizeof round));
            }
        }
        assert_ok(write_and_free(s, &batch));
    }
    subject_compare(s);
    subject_reopen(s);
    subject_compare(s);
    assert_ok(kv_settle(s->db));
    subject_compare(s);
}

static void a_range_deletion_takes_its_place_in_a_batch(subject *s)
{
    kv_batch batch = {0};
    subject_put(s, kv_str("b"), kv_str("old"));
    subject_put(s, kv_str("x"), kv_str("outside"));
    kv_batch_put(&batch, kv_str("a"), kv_str("before it"));
    kv_batch_del_range(&batch, kv_str("a"), kv_str("d"));
    kv_batch_put(&batch, kv_str("c"), kv_str("after it"));
    kv_status st = write_and_free(s, &batch);
    if (!subject_can(s, KV_CAP_RANGE_DELETE)) {
        assert_status(st, KV_UNSUPPORTED);
    } else {
        assert_ok(st);
        model_del(&s->model, kv_str("b"));
        model_put(&s->model, kv_str("c"), kv_str("after it"));
    }
    subject_compare(s);
    subject_reopen(s);
    subject_compare(s);
}

static const law laws[] = {
    LAW(the_later_change_counts),
    LAW(an_empty_batch_does_nothing),
    LAW(a_batch_can_be_written_twice_and_reused),
    LAW(one_bad_change_refuses_the_whole),
    LAW(a_large_batch_is_one_change),
    LAW(many_batches_keep_their_order),
    LAW(a_range_deletion_takes_its_place_in_a_batch),
};

const law_list batch_laws = {"batches", laws, sizeof laws / sizeof laws[0]};
