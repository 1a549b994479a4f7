// test_store.c -- stage 1 through engine.h: what is its own, beside the
// contract that tests/engine/ checks for every stage.
// SPDX-License-Identifier: MIT

#include "common/mem.h"
#include "common/rng.h"

#include "hash.h"
#include "tests/support/test.h"

static kv *open_store(const char *knobs)
{
    kv *db = NULL;
    kv_options options = {.seed = 7, .knobs = knobs};
    assert_ok(kv_open(&hash_engine, &options, &db));
    return db;
}

static void check(kv *db)
{
    kv_report report = {0};
    assert_ok(kv_check(db, &report));
    kv_report_free(&report);
}

static kv_stats stats_of(kv *db)
{
    kv_stats stats;
    kv_stats_read(db, &stats);
    return stats;
}

static kv_slice number_key(char *to, uint64_t n)
{
    int len = snprintf(to, 32, "key %llu", (unsigned long long)n);
    return kv_slice_of(to, (size_t)len);
}

static void assert_value(kv *db, kv_slice key, kv_slice want)
{
    kv_buf value = {0};
    assert_ok(kv_get(db, key, &value));
    assert_true(kv_slice_equal(kv_buf_slice(&value), want));
    kv_buf_free(&value);
}

static void takes_keys_and_values_of_every_size(void **state)
{
    (void)state;
    kv *db = open_store(NULL);
    enum { LARGE = 8 << 20 };
    uint8_t *bytes = kv_alloc(LARGE);
    for (size_t i = 0; i < LARGE; i++) bytes[i] = (uint8_t)(i * 31 >> 3);
    const size_t keys[] = {1, 1020, 1024, 1025, KV_KEY_MAX};
    const size_t values[] = {0, 1, 3, 4, 5, 1023, 1024, 70000, LARGE};
    // Each size after each other: in place, inside to outside, and back.
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        kv_slice key = kv_slice_of(bytes + k, keys[k]);
        for (size_t v = 0; v < 2 * sizeof values / sizeof *values; v++) {
            size_t len = values[v * 5 % (sizeof values / sizeof *values)];
            kv_slice value =
                kv_slice_of(bytes + v % 3, len == LARGE ? len - 3 : len);
            assert_ok(kv_put(db, key, value));
            assert_value(db, key, value);
        }
        check(db);
    }
    assert_int_equal(stats_of(db).key_count, sizeof keys / sizeof *keys);
    assert_status(kv_put(db, kv_slice_of(bytes, KV_KEY_MAX + 1), kv_str("v")),
                  KV_TOO_BIG);
    kv_free(bytes);
    assert_ok(kv_close(db));
}

static void forgets_at_close(void **state)
{
    (void)state;
    kv *db = open_store(NULL);
    assert_ok(kv_put(db, kv_str("cat"), kv_str("meow")));
    assert_ok(kv_close(db));
    db = open_store(NULL);
    kv_buf value = {0};
    assert_status(kv_get(db, kv_str("cat"), &value), KV_NOT_FOUND);
    assert_ok(kv_close(db));
}

// ---- random work against an array -------------------------------------------

enum { KEYS = 3000, STEPS = 120000 };

typedef struct model {
    uint32_t version[KEYS]; // 0: not there
    size_t len[KEYS];
} model;

static kv_slice value_of(uint8_t *to, uint32_t version, size_t len)
{
    memset(to, (int)(version * 2654435761u >> 24), len);
    return kv_slice_of(to, len);
}

static void random_step(kv *db, model *m, kv_rng *rng, uint32_t step)
{
    static uint8_t bytes[4096];
    char text[32];
    uint64_t k = kv_rng_below(rng, KEYS);
    kv_slice key = number_key(text, k);
    uint64_t what = kv_rng_below(rng, 100);
    if (what < 45) {
        m->len[k] = kv_rng_below(rng, what == 0 ? 4000 : 150);
        m->version[k] = step + 1;
        assert_ok(kv_put(db, key, value_of(bytes, step + 1, m->len[k])));
    } else if (what < 75) {
        m->version[k] = 0;
        assert_ok(kv_del(db, key));
    } else if (m->version[k] != 0) {
        assert_value(db, key, value_of(bytes, m->version[k], m->len[k]));
    } else {
        kv_buf value = {0};
        assert_status(kv_get(db, key, &value), KV_NOT_FOUND);
    }
}

static size_t count_by_scan(kv *db)
{
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    size_t count = 0;
    kv_status st;
    assert_ok(kv_scan(db, (kv_range){0}, &cursor));
    while ((st = kv_cursor_next(cursor, &key, &value)) == KV_OK) count++;
    assert_status(st, KV_END);
    kv_cursor_close(cursor);
    return count;
}

static void agrees_with_a_model(void **state)
{
    const char *knobs = *state;
    const uint64_t seed = 42;
    printf("seed %llu, knobs %s\n", (unsigned long long)seed, knobs);
    kv_rng rng;
    kv_rng_seed(&rng, seed);
    kv *db = open_store(knobs);
    model *m = kv_zalloc(sizeof *m);
    for (uint32_t step = 0; step < STEPS; step++) {
        random_step(db, m, &rng, step);
        if (step % 20000 == 0) check(db);
        if (step % 50000 == 0) assert_ok(kv_settle(db));
    }
    check(db);
    size_t count = 0;
    for (size_t k = 0; k < KEYS; k++) count += m->version[k] != 0;
    assert_int_equal(stats_of(db).key_count, count);
    assert_int_equal(count_by_scan(db), count);
    kv_free(m);
    assert_ok(kv_close(db));
}

// ---- memory -----------------------------------------------------------------

static void memory_does_not_grow_with_churn(void **state)
{
    (void)state;
    kv *db = open_store("shards=1");
    char text[32];
    uint8_t bytes[300];
    assert_ok(kv_put(db, kv_str("keep"), kv_str("me")));
    for (uint32_t i = 0; i < 200000; i++) {
        kv_slice key = number_key(text, i % 10);
        assert_ok(kv_put(db, key, value_of(bytes, i, i % 299)));
        if (i % 3 == 0) assert_ok(kv_del(db, key));
    }
    // 60 MB went through; what lives fits in a chunk.
    assert_true(stats_of(db).memory_bytes < 4 << 20);
    assert_value(db, kv_str("keep"), kv_str("me"));
    check(db);
    assert_ok(kv_close(db));
}

static void settle_gives_memory_back(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    kv *db = open_store(NULL);
    char text[32];
    uint8_t bytes[100];
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_ok(kv_put(db, number_key(text, i), value_of(bytes, i, 100)));
    }
    uint64_t full = stats_of(db).memory_bytes;
    for (uint32_t i = 0; i < COUNT; i++) {
        if (i % 20 != 0) assert_ok(kv_del(db, number_key(text, i)));
    }
    assert_ok(kv_settle(db));
    check(db);
    uint64_t settled = stats_of(db).memory_bytes;
    printf("%llu bytes, after deletion %llu\n", (unsigned long long)full,
           (unsigned long long)settled);
    // A twentieth is live; tables and open chunks of 128 shards, and the two
    // slabs kept free, are there anyway.
    assert_true(settled < full / 3);
    for (uint32_t i = 0; i < COUNT; i += 20) {
        assert_value(db, number_key(text, i), value_of(bytes, i, 100));
    }
    bool did_work = true;
    assert_ok(kv_maintain(db, &did_work));
    assert_false(did_work);
    assert_ok(kv_close(db));
}

// The promise of the README: at most a fifth more than keys and values.
static void overhead_is_below_a_fifth(void **state)
{
    (void)state;
    enum { COUNT = 400000 };
    kv *db = open_store(NULL);
    uint8_t value[100] = {0};
    for (uint64_t i = 0; i < COUNT; i++) {
        uint64_t key[2] = {kv_mix64(i), i};
        assert_ok(kv_put(db, kv_slice_of(key, 16), kv_slice_of(value, 100)));
    }
    double live = COUNT * 116.0;
    double overhead = (double)stats_of(db).memory_bytes / live;
    printf("%.3f bytes of memory for each live byte\n", overhead);
    assert_true(overhead < 1.20);
    assert_ok(kv_close(db));
}

// ---- many at once -----------------------------------------------------------

static void get_many_takes_any_number(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    kv *db = open_store("shards=5");
    char text[COUNT][32];
    kv_slice keys[COUNT];
    kv_buf values[COUNT] = {{0}};
    bool found[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        keys[i] = number_key(text[i], i);
        if (i % 3 != 0) assert_ok(kv_put(db, keys[i], keys[i]));
    }
    assert_ok(kv_get_many(db, 0, keys, values, found));
    for (size_t count = 1; count <= COUNT; count += 33) {
        assert_ok(kv_get_many(db, count, keys, values, found));
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(found[i], i % 3 != 0);
            if (!found[i]) continue;
            assert_true(kv_slice_equal(kv_buf_slice(&values[i]), keys[i]));
        }
    }
    for (size_t i = 0; i < COUNT; i++) kv_buf_free(&values[i]);
    assert_ok(kv_close(db));
}

static void of_two_changes_the_later_counts(void **state)
{
    (void)state;
    kv *db = open_store(NULL);
    kv_batch batch = {0};
    kv_batch_put(&batch, kv_str("a"), kv_str("1"));
    kv_batch_put(&batch, kv_str("b"), kv_str("1"));
    kv_batch_put(&batch, kv_str("a"), kv_str("two"));
    kv_batch_del(&batch, kv_str("b"));
    assert_ok(kv_write(db, &batch));
    assert_value(db, kv_str("a"), kv_str("two"));
    assert_int_equal(stats_of(db).key_count, 1);
    kv_batch_free(&batch);
    assert_ok(kv_close(db));
}

// ---- cursors ----------------------------------------------------------------

static void a_write_ends_a_cursor_and_housekeeping_does_not(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    kv *db = open_store("shards=3,garbage=100");
    char text[32];
    for (uint32_t i = 0; i < 2 * COUNT; i++) {
        assert_ok(kv_put(db, number_key(text, i), kv_str("v")));
    }
    for (uint32_t i = COUNT; i < 2 * COUNT; i++) {
        assert_ok(kv_del(db, number_key(text, i)));
    }
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    size_t count = 0;
    bool did_work = false, did_any = false;
    kv_status st;
    assert_ok(kv_scan(db, (kv_range){0}, &cursor));
    while ((st = kv_cursor_next(cursor, &key, &value)) == KV_OK) {
        assert_slice(value, "v");
        count++;
        if (count % 10 == 0) assert_ok(kv_maintain(db, &did_work));
        did_any |= did_work;
    }
    assert_status(st, KV_END);
    assert_int_equal(count, COUNT);
    assert_true(did_any);
    kv_cursor_close(cursor);

    assert_ok(kv_scan(db, (kv_range){0}, &cursor));
    assert_ok(kv_cursor_next(cursor, &key, &value));
    assert_ok(kv_put(db, kv_str("new"), kv_str("v")));
    assert_status(kv_cursor_next(cursor, &key, &value), KV_STALE);
    kv_cursor_close(cursor);
    assert_ok(kv_close(db));
}

// ---- looking inside ---------------------------------------------------------

static void listen(void *arg, const char *sentence)
{
    kv_buf_printf(arg, "%s\n", sentence);
}

static void explains_a_search(void **state)
{
    (void)state;
    kv *db = open_store("shards=1");
    kv_buf heard = {0}, value = {0};
    assert_ok(kv_put(db, kv_str("cat"), kv_str("meow")));
    kv_explain(db, listen, &heard);
    assert_ok(kv_get(db, kv_str("cat"), &value));
    assert_status(kv_get(db, kv_str("dog"), &value), KV_NOT_FOUND);
    kv_explain(db, NULL, NULL);
    kv_buf_append(&heard, kv_slice_of("", 1));
    const char *text = (const char *)heard.data;
    assert_non_null(strstr(text, "shard 0, group "));
    assert_non_null(strstr(text, ": 1 candidate, equal; 0 disk reads\n"));
    assert_non_null(strstr(text, ": no candidate, and a hole: not here"));
    kv_buf_free(&heard);
    kv_buf_free(&value);
    assert_ok(kv_close(db));
}

static void inspects_a_shard_or_all(void **state)
{
    (void)state;
    kv *db = open_store("shards=4");
    kv_report report = {0};
    assert_ok(kv_put(db, kv_str("cat"), kv_str("meow")));
    assert_ok(kv_inspect(db, NULL, &report));
    assert_ok(kv_inspect(db, "shard 3", &report));
    assert_status(kv_inspect(db, "shard 4", &report), KV_INVALID);
    assert_status(kv_inspect(db, "shard", &report), KV_INVALID);
    assert_status(kv_inspect(db, "shard 1x", &report), KV_INVALID);
    kv_report_free(&report);
    assert_ok(kv_close(db));
}

int main(void)
{
    static char one[] = "shards=1", few[] = "shards=3,garbage=10",
                never[] = "shards=2,garbage=100", many[] = "shards=1024";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_keys_and_values_of_every_size),
        cmocka_unit_test(forgets_at_close),
        cmocka_unit_test_prestate(agrees_with_a_model, one),
        cmocka_unit_test_prestate(agrees_with_a_model, few),
        cmocka_unit_test_prestate(agrees_with_a_model, never),
        cmocka_unit_test_prestate(agrees_with_a_model, many),
        cmocka_unit_test(memory_does_not_grow_with_churn),
        cmocka_unit_test(settle_gives_memory_back),
        cmocka_unit_test(overhead_is_below_a_fifth),
        cmocka_unit_test(get_many_takes_any_number),
        cmocka_unit_test(of_two_changes_the_later_counts),
        cmocka_unit_test(a_write_ends_a_cursor_and_housekeeping_does_not),
        cmocka_unit_test(explains_a_search),
        cmocka_unit_test(inspects_a_shard_or_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
