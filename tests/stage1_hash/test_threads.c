// test_threads.c -- many threads on one store; run it under TSan.
// SPDX-License-Identifier: MIT

#include "common/rng.h"
#include "common/thread.h"

#include "hash.h"
#include "tests/support/test.h"

enum { PAIRS = 200, ROUNDS = 4000, WRITERS = 2, READERS = 2 };

typedef struct worker {
    kv *db;
    kv_thread thread;
    uint64_t seed;
    const char *failure; // cmocka's asserts belong to the main thread
} worker;

static kv_slice side_key(char *to, char side, uint64_t pair)
{
    int len = snprintf(to, 32, "%c%llu", side, (unsigned long long)pair);
    return kv_slice_of(to, (size_t)len);
}

// Both sides of a pair get the same value, or both go, in one batch.
static void *write_pairs(void *arg)
{
    worker *w = arg;
    kv_rng rng;
    kv_rng_seed(&rng, w->seed);
    kv_batch batch = {0};
    char left[32], right[32], value[128];
    for (int i = 0; i < ROUNDS && w->failure == NULL; i++) {
        uint64_t pair = kv_rng_below(&rng, PAIRS);
        size_t len = 1 + kv_rng_below(&rng, sizeof value - 1);
        memset(value, 'a' + i % 26, len);
        kv_batch_clear(&batch);
        if (i % 4 == 0) {
            kv_batch_del(&batch, side_key(left, 'l', pair));
            kv_batch_del(&batch, side_key(right, 'r', pair));
        } else {
            kv_slice v = kv_slice_of(value, len);
            kv_batch_put(&batch, side_key(left, 'l', pair), v);
            kv_batch_put(&batch, side_key(right, 'r', pair), v);
        }
        if (kv_write(w->db, &batch) != KV_OK) w->failure = kv_last_error();
    }
    kv_batch_free(&batch);
    return NULL;
}

static void *read_pairs(void *arg)
{
    worker *w = arg;
    kv_rng rng;
    kv_rng_seed(&rng, w->seed);
    kv_buf values[2] = {{0}};
    char left[32], right[32];
    for (int i = 0; i < ROUNDS && w->failure == NULL; i++) {
        uint64_t pair = kv_rng_below(&rng, PAIRS);
        kv_slice keys[] = {side_key(left, 'l', pair),
                           side_key(right, 'r', pair)};
        bool found[2];
        if (kv_get_many(w->db, 2, keys, values, found) != KV_OK) {
            w->failure = kv_last_error();
        } else if (found[0] != found[1] ||
                   !kv_slice_equal(kv_buf_slice(&values[0]),
                                   kv_buf_slice(&values[1]))) {
            w->failure = "half of a batch was seen";
        }
    }
    kv_buf_free(&values[0]);
    kv_buf_free(&values[1]);
    return NULL;
}

// Single puts that grow the tables, scans, checks and housekeeping between.
static void *do_the_rest(void *arg)
{
    worker *w = arg;
    char text[32];
    kv_slice key, value;
    for (uint64_t i = 0; i < ROUNDS && w->failure == NULL; i++) {
        kv_slice mine = side_key(text, 'x', i);
        bool did_work;
        kv_status st = kv_put(w->db, mine, mine);
        if (st == KV_OK && i % 2 == 0) st = kv_del(w->db, mine);
        if (st == KV_OK && i % 20 == 0) st = kv_maintain(w->db, &did_work);
        if (st == KV_OK && i % 500 == 0) {
            kv_report report = {0};
            st = kv_check(w->db, &report);
            kv_report_free(&report);
        }
        if (st == KV_OK && i % 100 == 0) {
            kv_cursor *cursor = NULL;
            st = kv_scan(w->db, (kv_range){0}, &cursor);
            while (st == KV_OK) st = kv_cursor_next(cursor, &key, &value);
            kv_cursor_close(cursor);
            if (st == KV_END || st == KV_STALE) st = KV_OK;
        }
        if (st != KV_OK) w->failure = kv_last_error();
    }
    return NULL;
}

static void readers_see_whole_batches(void **state)
{
    const char *knobs = *state;
    kv *db = NULL;
    kv_options options = {.seed = 3, .knobs = knobs};
    assert_ok(kv_open(&hash_engine, &options, &db));
    worker workers[WRITERS + READERS + 1] = {{0}};
    for (uint64_t i = 0; i < WRITERS + READERS + 1; i++) {
        worker *w = &workers[i];
        w->db = db;
        w->seed = 1000 + i;
        printf("thread %llu: seed %llu\n", (unsigned long long)i,
               (unsigned long long)w->seed);
        kv_thread_start(&w->thread,
                        i < WRITERS             ? write_pairs
                        : i < WRITERS + READERS ? read_pairs
                                                : do_the_rest,
                        w);
    }
    for (int i = 0; i < WRITERS + READERS + 1; i++) {
        kv_thread_join(&workers[i].thread);
        if (workers[i].failure != NULL) fail_msg("%s", workers[i].failure);
    }
    kv_report report = {0};
    assert_ok(kv_check(db, &report));
    kv_report_free(&report);
    assert_ok(kv_close(db));
}

int main(void)
{
    static char one[] = "shards=1", few[] = "shards=4,garbage=10",
                many[] = "shards=128";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(readers_see_whole_batches, one),
        cmocka_unit_test_prestate(readers_see_whole_batches, few),
        cmocka_unit_test_prestate(readers_see_whole_batches, many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
