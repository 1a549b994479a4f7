// look_laws.c -- what stats, inspect, check and explain owe.
// SPDX-License-Identifier: MIT

#include "tests/engine/laws.h"

static void stats_count_what_was_asked(subject *s)
{
    kv_buf value = {0};
    kv_batch batch = {0};
    kv_cursor *cursor = NULL;
    kv_slice k, v;
    subject_put(s, kv_str("cat"), kv_str("meow"));   // 7 bytes written
    subject_put(s, kv_str("dog"), kv_str("woof!"));  // 8
    subject_del(s, kv_str("owl"));                   // 3
    kv_batch_put(&batch, kv_str("ant"), kv_str("")); // 3
    kv_batch_del(&batch, kv_str("cat"));             // 3
    assert_ok(kv_write(s->db, &batch));
    kv_batch_free(&batch);
    assert_ok(kv_get(s->db, kv_str("dog"), &value)); // 8 bytes read
    assert_status(kv_get(s->db, kv_str("cat"), &value), KV_NOT_FOUND);
    kv_buf_free(&value);
    assert_ok(kv_scan(s->db, (kv_range){0}, &cursor));
    while (kv_cursor_next(cursor, &k, &v) == KV_OK) { // 8 + 3
    }
    kv_cursor_close(cursor);
    kv_stats stats;
    kv_stats_read(s->db, &stats);
    assert_int_equal(stats.puts, 3);
    assert_int_equal(stats.dels, 2);
    assert_int_equal(stats.gets, 2);
    assert_int_equal(stats.scans, 1);
    assert_int_equal(stats.user_write_bytes, 24);
    assert_int_equal(stats.user_read_bytes, 19);
    if (stats.key_count != 0) assert_int_equal(stats.key_count, 2);
}

static void key_count_is_exact_where_it_is_known(subject *s)
{
    char name[32];
    kv_stats stats;
    for (unsigned i = 0; i < 500; i++) {
        if (i % 4 == 3) subject_del(s, subject_key(name, i / 2));
        else subject_put(s, subject_key(name, i % 120), kv_str("v"));
        if (i % 50 != 49) continue;
        kv_stats_read(s->db, &stats);
        if (stats.key_count != 0) {
            assert_int_equal(stats.key_count, s->model.count);
        }
    }
    subject_reopen(s);
    kv_stats_read(s->db, &stats);
    if (stats.key_count != 0) {
        assert_int_equal(stats.key_count, s->model.count);
    }
}

// Sums only grow; what a call waited for is a part of all; the peak of the
// space is never below the space.
static void stats_never_go_back(subject *s)
{
    char name[32];
    kv_stats last, now;
    kv_stats_read(s->db, &last);
    for (unsigned i = 0; i < 600; i++) {
        subject_put(s, subject_key(name, i % 30), kv_str("some value"));
        if (i % 60 == 0) assert_ok(kv_settle(s->db));
        if (i % 20 != 0) continue;
        kv_stats_read(s->db, &now);
        assert_true(now.puts >= last.puts);
        assert_true(now.user_write_bytes >= last.user_write_bytes);
        assert_true(now.disk_bytes_peak >= last.disk_bytes_peak);
        assert_true(now.disk_bytes_peak >= now.disk_bytes);
        assert_true(now.memory_bytes >= now.index_bytes);
        for (int r = 0; r < KV_REASONS; r++) {
            assert_true(now.disk[r].writes >= last.disk[r].writes);
            assert_true(now.disk[r].reads >= last.disk[r].reads);
            assert_true(now.disk[r].write_bytes >= last.disk[r].write_bytes);
            assert_true(now.disk[r].read_bytes >= last.disk[r].read_bytes);
            assert_true(now.disk[r].syncs >= last.disk[r].syncs);
            assert_true(now.waited[r].writes <= now.disk[r].writes);
            assert_true(now.waited[r].write_bytes <= now.disk[r].write_bytes);
            assert_true(now.waited[r].reads <= now.disk[r].reads);
        }
        last = now;
    }
}

// A durable engine writes at least what the user does: nobody stores for free.
// One that goes past our disk wrote only its identity there.
static void bytes_written_reach_the_disk(subject *s)
{
    if (!subject_can(s, KV_CAP_DURABLE)) return;
    char name[32];
    for (unsigned i = 0; i < 200; i++) {
        kv_buf value = subject_value(i, 100); // of no pattern: incompressible
        subject_put(s, subject_key(name, i), kv_buf_slice(&value));
        kv_buf_free(&value);
    }
    assert_ok(kv_sync(s->db));
    kv_stats stats;
    kv_stats_read(s->db, &stats);
    uint64_t written = 0;
    for (int r = 0; r < KV_REASONS; r++) written += stats.disk[r].write_bytes;
    if (written == stats.disk[KV_FOR_META].write_bytes) return;
    assert_true(written >= 200 * 100);
    assert_true(stats.disk_bytes > 0);
}

static void inspect_tells_the_shape(subject *s)
{
    kv_report report = {0};
    kv_buf text = {0};
    subject_put(s, kv_str("cat"), kv_str("meow"));
    assert_ok(kv_inspect(s->db, NULL, &report));
    assert_true(report.count > 0);
    kv_report_draw_text(&report, &text);
    assert_true(text.len > 0);
    kv_buf_clear(&text);
    kv_report_draw_json(&report, &text);
    assert_int_equal(text.data[0], '{');
    kv_buf_free(&text);
    kv_report_free(&report);
}

static void inspect_of_no_such_part_says_so(subject *s)
{
    kv_report report = {0};
    kv_status st = kv_inspect(s->db, "no such part", &report);
    kv_report_free(&report);
    assert_true(st == KV_NOT_FOUND || st == KV_INVALID || st == KV_UNSUPPORTED);
    assert_true(kv_last_error()[0] != '\0');
}

static void check_is_clean_at_any_time(subject *s)
{
    char name[32];
    subject_compare(s); // which checks
    for (unsigned i = 0; i < 120; i++) {
        subject_put(s, subject_key(name, i % 40), kv_str("v"));
        kv_report report = {0};
        kv_status st = kv_check(s->db, &report);
        kv_report_free(&report);
        assert_ok(st);
    }
}

static void hear(void *arg, const char *sentence)
{
    assert_true(sentence[0] != '\0');
    ++*(int *)arg;
}

static void explaining_changes_no_answer(subject *s)
{
    int sentences = 0;
    char name[32];
    kv_explain(s->db, hear, &sentences);
    for (unsigned i = 0; i < 200; i++) {
        subject_put(s, subject_key(name, i % 40), kv_str("v"));
        if (i % 7 == 0) subject_del(s, subject_key(name, i % 40));
    }
    subject_compare(s);
    assert_ok(kv_settle(s->db));
    subject_compare(s);
    kv_explain(s->db, NULL, NULL);
    assert_true(sentences > 0); // an engine that explains nothing teaches less
    int before = sentences;
    subject_compare(s);
    assert_int_equal(sentences, before);
}

static void expect_told(int *sentences, const char *call)
{
    if (*sentences == 0) fail_msg("explain said nothing of a %s", call);
    *sentences = 0;
}

// Whether what is asked for is in memory or on the disk.
static void every_call_is_explained(subject *s)
{
    int sentences = 0;
    char name[32];
    kv_slice key = subject_key(name, 7);
    kv_buf value = {0};
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 40; i++) {
            subject_put(s, subject_key(name, i), kv_str("v"));
        }
        if (round == 1) assert_ok(kv_settle(s->db));
        kv_explain(s->db, hear, &sentences);
        key = subject_key(name, 7);
        assert_ok(kv_get(s->db, key, &value));
        expect_told(&sentences, "get");
        assert_status(kv_get(s->db, kv_str("nobody"), &value), KV_NOT_FOUND);
        expect_told(&sentences, "get of a missing key");
        kv_cursor *cursor;
        kv_slice got;
        kv_range all = {.reverse =
                            round == 1 && subject_can(s, KV_CAP_ORDERED)};
        assert_ok(kv_scan(s->db, all, &cursor));
        assert_ok(kv_cursor_next(cursor, &key, &got));
        kv_cursor_close(cursor);
        expect_told(&sentences, "scan");
        subject_put(s, subject_key(name, 7), kv_str("w"));
        expect_told(&sentences, "put");
        subject_del(s, subject_key(name, 7));
        expect_told(&sentences, "del");
        kv_explain(s->db, NULL, NULL);
    }
    kv_buf_free(&value);
}

static const law laws[] = {
    LAW(stats_count_what_was_asked), LAW(key_count_is_exact_where_it_is_known),
    LAW(stats_never_go_back),        LAW(bytes_written_reach_the_disk),
    LAW(inspect_tells_the_shape),    LAW(inspect_of_no_such_part_says_so),
    LAW(check_is_clean_at_any_time), LAW(explaining_changes_no_answer),
    LAW(every_call_is_explained),
};

const law_list look_laws = {"looking inside", laws,
                            sizeof laws / sizeof laws[0]};
