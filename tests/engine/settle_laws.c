// settle_laws.c -- what maintain, settle and compact owe.
// SPDX-License-Identifier: MIT

#include "tests/engine/laws.h"

static void housekeeping_ends_and_keeps_the_content(subject *s)
{
    for (unsigned round = 0; round < 4; round++) {
        subject_churn(s, round * 500, 500);
        bool did_work = true;
        for (int steps = 0; did_work; steps++) {
            assert_true(steps < 100000);
            assert_ok(kv_maintain(s->db, &did_work));
        }
        subject_compare(s);
        assert_ok(kv_settle(s->db));
        subject_compare(s);
        subject_reopen(s);
        subject_compare(s);
    }
}

static uint64_t disk_bytes(const subject *s)
{
    kv_stats stats;
    kv_stats_read(s->db, &stats);
    return stats.disk_bytes;
}

// With the defaults: a knob may well forbid it.
static void settling_gives_dead_bytes_back(subject *s)
{
    if (!subject_can(s, KV_CAP_RECLAIMS | KV_CAP_DURABLE)) return;
    if (s->knobs[0] != '\0') return;
    char name[32];
    kv_buf value = subject_value(1, 4000);
    for (unsigned i = 0; i < 2000; i++) {
        subject_put(s, subject_key(name, i % 20), kv_buf_slice(&value));
    }
    kv_buf_free(&value);
    assert_ok(kv_settle(s->db));
    assert_in_range(disk_bytes(s), 20 * 4000, 1 << 20); // of 8 MB
    subject_compare(s);
    subject_reopen(s);
    subject_compare(s);
}

// A tombstone is small, and what it frees need not be.
static void settling_gives_deleted_values_back(subject *s)
{
    if (!subject_can(s, KV_CAP_RECLAIMS | KV_CAP_DURABLE)) return;
    if (s->knobs[0] != '\0') return;
    char name[32];
    for (unsigned i = 0; i < 50; i++) {
        kv_buf value = subject_value(i, 40000);
        subject_put(s, subject_key(name, i), kv_buf_slice(&value));
        kv_buf_free(&value);
    }
    assert_ok(kv_settle(s->db));
    for (unsigned i = 0; i < 45; i++) {
        subject_del(s, subject_key(name, i));
        if (i % 15 == 14) assert_ok(kv_settle(s->db));
    }
    assert_in_range(disk_bytes(s), 5 * 40000, 1 << 20); // of 2 MB
    subject_compare(s);
}

// Knobs that let dead bytes lie, as their help says; and one that gives each
// value of a few KiB a file of its own, and so two blocks of the disk.
static bool may_keep_the_dead(const subject *s)
{
    static const char *const knobs[] = {"never", "off", "garbage_percent=95",
                                        "memtable_bytes=256"};
    for (size_t i = 0; i < sizeof knobs / sizeof *knobs; i++) {
        if (strstr(s->knobs, knobs[i]) != NULL) return true;
    }
    return false;
}

// However little was written since the last settling, but for what is too
// little to be worth the work.
static void settling_bounds_the_space(subject *s)
{
    if (!subject_can(s, KV_CAP_RECLAIMS | KV_CAP_DURABLE)) return;
    if (may_keep_the_dead(s)) return;
    enum { KEYS = 240, BYTES = 4000, SPARED = 256 << 10 };
    char name[32];
    uint64_t before = disk_bytes(s);
    kv_buf value = subject_value(1, BYTES);
    for (size_t at = 0; at < BYTES; at++) { // as long where files are text
        value.data[at] = 'a' + value.data[at] % 26;
    }
    for (unsigned i = 0; i < KEYS; i++) {
        subject_put(s, subject_key(name, i), kv_buf_slice(&value));
    }
    kv_buf_free(&value);
    assert_ok(kv_settle(s->db));
    static const unsigned left[] = {KEYS / 2, KEYS / 16, 0};
    unsigned gone = 0;
    for (int i = 0; i < 3; i++) {
        for (; gone < KEYS - left[i]; gone++) {
            subject_del(s, subject_key(name, gone));
        }
        assert_ok(kv_settle(s->db));
        uint64_t live = (uint64_t)left[i] * BYTES;
        assert_true(disk_bytes(s) <= before + 2 * live + SPARED);
    }
    subject_compare(s);
}

// Steps taken meanwhile judge by what was there then.
static void settling_ends_what_steps_began(subject *s)
{
    if (!subject_can(s, KV_CAP_RECLAIMS | KV_CAP_DURABLE)) return;
    if (s->knobs[0] != '\0') return;
    enum { KEYS = 200, LEFT = 3 };
    char name[32];
    bool did_work;
    kv_buf value = subject_value(1, 20000);
    for (unsigned i = 0; i < KEYS; i++) {
        subject_put(s, subject_key(name, i), kv_buf_slice(&value));
    }
    kv_buf_free(&value);
    for (unsigned i = 0; i < KEYS; i += 2) {
        subject_del(s, subject_key(name, i));
    }
    assert_ok(kv_maintain(s->db, &did_work));
    for (unsigned i = 0; i < KEYS - LEFT; i++) {
        subject_del(s, subject_key(name, i));
        if (i % 64 == 63) assert_ok(kv_maintain(s->db, &did_work));
    }
    assert_ok(kv_settle(s->db));
    assert_in_range(disk_bytes(s), 20000, 1 << 18); // of 4 MB
    subject_compare(s);
}

static void compacting_a_range_keeps_the_content(subject *s)
{
    static const char *const ranges[][2] = {
        {"", ""},
        {"key-000020", "key-000040"},
        {"key-000040", "key-000020"},
        {"", "key-000030"},
        {"key-000050", ""},
        {"a", "b"},
    };
    kv_slice none = {0};
    subject_churn(s, 0, 300);
    if (!subject_can(s, KV_CAP_COMPACT)) {
        assert_status(kv_compact(s->db, none, none), KV_UNSUPPORTED);
        assert_non_null(strstr(kv_last_error(), "settle"));
        return;
    }
    for (unsigned i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        subject_churn(s, 300 * i, 300);
        assert_ok(
            kv_compact(s->db, kv_str(ranges[i][0]), kv_str(ranges[i][1])));
        subject_compare(s);
    }
    assert_ok(kv_compact(s->db, none, none));
    assert_ok(kv_compact(s->db, none, none)); // nothing is left to do
    subject_reopen(s);
    subject_compare(s);
    assert_ok(kv_settle(s->db));
    subject_compare(s);
}

// With the defaults, as above.
static void compacting_gives_dead_bytes_back(subject *s)
{
    if (!subject_can(s, KV_CAP_COMPACT | KV_CAP_DURABLE)) return;
    if (s->knobs[0] != '\0') return;
    char name[32];
    kv_slice none = {0};
    kv_buf value = subject_value(1, 4000);
    for (unsigned i = 0; i < 1000; i++) {
        subject_put(s, subject_key(name, i % 20), kv_buf_slice(&value));
    }
    kv_buf_free(&value);
    for (unsigned i = 0; i < 19; i++) subject_del(s, subject_key(name, i));
    assert_ok(kv_compact(s->db, none, none));
    assert_in_range(disk_bytes(s), 4000, 1 << 20); // of 4 MB
    subject_compare(s);
}

static const law laws[] = {
    LAW(housekeeping_ends_and_keeps_the_content),
    LAW(settling_gives_dead_bytes_back),
    LAW(settling_gives_deleted_values_back),
    LAW(settling_bounds_the_space),
    LAW(settling_ends_what_steps_began),
    LAW(compacting_a_range_keeps_the_content),
    LAW(compacting_gives_dead_bytes_back),
};

const law_list settle_laws = {"housekeeping", laws,
                              sizeof laws / sizeof laws[0]};
