// test_cost.c -- what a call costs in disk calls is what engine.h says.
// SPDX-License-Identifier: MIT
//
// With read=copy and background=0 the figures are exact: the same input makes
// the same calls. One row for each engine that engine.h names a cost for.

#include <stdlib.h>

#include "tests/engine/subject.h"

typedef struct cost {
    const char *engine;
    uint64_t put_writes, put_syncs; // of a put in KV_SYNC_COMMIT
    uint64_t found_reads, missing_reads;
    uint64_t change_reads; // of a put or del of a key that is there
} cost;

static const cost costs[] = {
    {"memory", 0, 0, 0, 0, 0},
    {"hash", 0, 0, 0, 0, 0},
    {"log", 1, 1, 1, 0, 1},
};

typedef struct sums {
    uint64_t reads, writes, syncs;
} sums;

static sums sums_of(kv *db)
{
    kv_stats stats;
    sums sum = {0};
    kv_stats_read(db, &stats);
    for (int reason = 0; reason < KV_REASONS; reason++) {
        sum.reads += stats.disk[reason].reads;
        sum.writes += stats.disk[reason].writes;
        sum.syncs += stats.disk[reason].syncs;
    }
    return sum;
}

// Fails unless exactly so much was asked of the disk since `before`.
static void assert_cost(kv *db, sums before, uint64_t reads, uint64_t writes,
                        uint64_t syncs)
{
    sums now = sums_of(db);
    assert_int_equal(now.reads - before.reads, reads);
    assert_int_equal(now.writes - before.writes, writes);
    assert_int_equal(now.syncs - before.syncs, syncs);
}

static const cost *cost_of(const char *engine)
{
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++) {
        if (strcmp(costs[i].engine, engine) == 0) return &costs[i];
    }
    return NULL;
}

static bool has_knob(const kv_engine_info *info, const char *name)
{
    for (size_t i = 0; i < info->knob_count; i++) {
        if (strcmp(info->knobs[i].name, name) == 0) return true;
    }
    return false;
}

static void open_exact(subject *s, kv_sync_mode sync)
{
    kv_buf knobs = {0};
    static const char *const exact[][2] = {{"read", "read=copy,"},
                                           {"background", "background=0,"},
                                           {"merge", "merge=never,"}};
    for (int i = 0; i < 3; i++) {
        if (!has_knob(s->info, exact[i][0])) continue;
        kv_buf_append(&knobs, kv_str(exact[i][1]));
    }
    kv_buf_append(&knobs, kv_slice_of("", 1));
    subject_close(s);
    s->options.knobs = (const char *)knobs.data;
    s->options.sync = sync;
    subject_open(s);
    s->options.knobs = s->knobs;
    kv_buf_free(&knobs);
}

static void a_put_costs_what_it_says(subject *s)
{
    const cost *want = cost_of(s->info->name);
    if (want == NULL) skip();
    for (int commit = 0; commit < 2; commit++) {
        open_exact(s, commit ? KV_SYNC_COMMIT : KV_SYNC_NONE);
        uint64_t syncs = commit ? want->put_syncs : 0;
        subject_put(s, kv_str("first"), kv_str("may make a file"));
        sums before = sums_of(s->db);
        for (uint64_t i = 0; i < 50; i++) { // new keys: no garbage, no merge
            uint64_t key = i + 1000 * (uint64_t)commit;
            subject_put(s, kv_slice_of(&key, sizeof key), kv_str("value"));
        }
        assert_cost(s->db, before, 0, 50 * want->put_writes, 50 * syncs);
        before = sums_of(s->db);
        subject_put(s, kv_str("cat"), kv_str("overwritten"));
        subject_put(s, kv_str("cat"), kv_str("twice"));
        subject_del(s, kv_str("cat"));
        assert_cost(s->db, before, 2 * want->change_reads, 3 * want->put_writes,
                    3 * syncs);
    }
}

static void a_batch_costs_as_much_as_one_put(subject *s)
{
    const cost *want = cost_of(s->info->name);
    if (want == NULL) skip();
    open_exact(s, KV_SYNC_COMMIT);
    subject_put(s, kv_str("first"), kv_str("may make a file"));
    kv_batch batch = {0};
    for (uint64_t i = 0; i < 100; i++) {
        kv_batch_put(&batch, kv_slice_of(&i, sizeof i), kv_str("value"));
    }
    sums before = sums_of(s->db);
    assert_ok(kv_write(s->db, &batch));
    kv_batch_free(&batch);
    assert_cost(s->db, before, 0, want->put_writes, want->put_syncs);
}

static void a_get_costs_what_it_says(subject *s)
{
    const cost *want = cost_of(s->info->name);
    if (want == NULL) skip();
    open_exact(s, KV_SYNC_NONE);
    for (uint64_t i = 0; i < 100; i++) {
        subject_put(s, kv_slice_of(&i, sizeof i), kv_str("value"));
    }
    kv_buf value = {0};
    sums before = sums_of(s->db);
    for (uint64_t i = 0; i < 100; i++) {
        assert_ok(kv_get(s->db, kv_slice_of(&i, sizeof i), &value));
    }
    assert_cost(s->db, before, 100 * want->found_reads, 0, 0);
    before = sums_of(s->db);
    for (uint64_t i = 100; i < 200; i++) {
        assert_status(kv_get(s->db, kv_slice_of(&i, sizeof i), &value),
                      KV_NOT_FOUND);
    }
    assert_cost(s->db, before, 100 * want->missing_reads, 0, 0);
    kv_buf_free(&value);
}

// The engine is as exact as the rows above suppose: the same again gives the
// same figures.
static void the_same_input_makes_the_same_calls(subject *s)
{
    kv_stats first = {0}, second;
    for (int round = 0; round < 2; round++) {
        subject again;
        subject_begin(&again, s->engine, s->knobs);
        open_exact(&again, KV_SYNC_NONE);
        char name[32];
        for (unsigned i = 0; i < 3000; i++) {
            kv_slice key = subject_key(name, i * 7 % 100);
            if (i % 13 == 0) subject_del(&again, key);
            else subject_put(&again, key, kv_str("a value of some length"));
        }
        assert_ok(kv_settle(again.db));
        kv_stats_read(again.db, &second);
        subject_end(&again);
        if (round == 0) first = second;
    }
    assert_memory_equal(first.disk, second.disk, sizeof first.disk);
    assert_int_equal(first.disk_bytes, second.disk_bytes);
    assert_int_equal(first.disk_bytes_peak, second.disk_bytes_peak);
}

int main(int argc, char **argv)
{
    static const law laws[] = {
        LAW(a_put_costs_what_it_says),
        LAW(a_batch_costs_as_much_as_one_put),
        LAW(a_get_costs_what_it_says),
        LAW(the_same_input_makes_the_same_calls),
    };
    arguments args = subject_arguments(argc, argv);
    if (args.setting == NULL) args.setting = "";
    return subject_run_laws(&args, laws, sizeof laws / sizeof laws[0]) > 0;
}
