// test_explain.c -- what stage 4 says of each step of a call: from the memtable
// by way of filter, index and block to the answer.
// SPDX-License-Identifier: MIT

#include "common/disk_sim.h"

#include "lsm.h"
#include "stores.h"
#include "tests/support/test.h"

#define PLAIN "background=0,compression=none"

typedef struct bench {
    kv_disk *disk;
    kv *db;
    kv_buf said; // a line for each sentence
} bench;

static void hear(void *arg, const char *sentence)
{
    bench *b = arg;
    kv_buf_printf(&b->said, "%s\n", sentence);
}

static void bench_open(bench *b, const char *knobs)
{
    *b = (bench){0};
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &b->disk));
    kv_options options = {.path = "explain",
                          .knobs = knobs,
                          .sync = KV_SYNC_COMMIT,
                          .memory_bytes = 4 << 20,
                          .seed = 1,
                          .create = true,
                          .disk = b->disk};
    assert_ok(kv_open(&lsm_engine, &options, &b->db));
    kv_explain(b->db, hear, b);
}

static void bench_close(bench *b)
{
    assert_ok(kv_close(b->db));
    kv_disk_close(b->disk);
    kv_buf_free(&b->said);
}

static void expect_said(bench *b, const char *wanted)
{
    kv_buf_append(&b->said, kv_slice_of("", 1));
    if (strcmp((const char *)b->said.data, wanted) != 0) {
        fprintf(stderr, "wanted:\n%s\ngot:\n%s\n", wanted,
                (const char *)b->said.data);
        fail();
    }
    kv_buf_clear(&b->said);
}

static void get(bench *b, const char *key, const char *wanted)
{
    kv_buf value = {0};
    kv_buf_clear(&b->said);
    kv_status st = kv_get(b->db, kv_str(key), &value);
    assert_status(st, wanted != NULL ? KV_OK : KV_NOT_FOUND);
    if (wanted != NULL) assert_slice(kv_buf_slice(&value), wanted);
    kv_buf_free(&value);
}

static void a_memtable_answers(void **state)
{
    (void)state;
    bench b;
    bench_open(&b, PLAIN);
    kv_buf_clear(&b.said);
    assert_ok(kv_put(b.db, kv_str("cat"), kv_str("meow")));
    expect_said(&b, "log 1: ends at 71 now, synced; active memtable: "
                    "1 entries, newest sequence number 1\n");
    get(&b, "cat", "meow");
    expect_said(&b, "active memtable: found; no disk read\n");
    assert_ok(kv_del(b.db, kv_str("cat")));
    get(&b, "cat", NULL);
    expect_said(&b, "active memtable: a tombstone: the key is gone\n");
    assert_ok(kv_del_range(b.db, kv_str("d"), kv_str("f")));
    get(&b, "dog", NULL);
    expect_said(&b, "active memtable: a range tombstone: the key is gone\n");
    get(&b, "owl", NULL);
    expect_said(&b, "active memtable: does not have the key\n");
    bench_close(&b);
}

static void a_table_answers(void **state)
{
    (void)state;
    bench b;
    bench_open(&b, PLAIN);
    assert_ok(kv_put(b.db, kv_str("cat"), kv_str("meow")));
    assert_ok(kv_put(b.db, kv_str("dog"), kv_str("woof")));
    assert_ok(kv_settle(b.db));
    get(&b, "dog", "woof"); // its block is read
    expect_said(&b, "active memtable: does not have the key\n"
                    "table 5: its filter says maybe\n"
                    "table 5: the index says block 0 of 1, at byte 0\n"
                    "table 5: found an entry of sequence number 2\n"
                    "table 5 in level 0: found\n");
    get(&b, "cat", "meow"); // and now it is there
    expect_said(&b,
                "active memtable: does not have the key\n"
                "table 5: its filter says maybe\n"
                "table 5: the index says block 0 of 1, at byte 0, which is in "
                "memory\n"
                "table 5: found an entry of sequence number 1\n"
                "table 5 in level 0: found\n");
    get(&b, "cow", NULL); // between the two
    expect_said(&b, "active memtable: does not have the key\n"
                    "table 5: its filter says no\n");
    get(&b, "owl", NULL); // behind them
    expect_said(&b, "active memtable: does not have the key\n"
                    "level 0, run 4: no table's key range holds it\n");
    bench_close(&b);
}

static void a_scan_says_what_it_merges(void **state)
{
    (void)state;
    bench b;
    kv_cursor *c = NULL;
    bench_open(&b, PLAIN);
    assert_ok(kv_put(b.db, kv_str("cat"), kv_str("meow")));
    assert_ok(kv_settle(b.db));
    kv_buf_clear(&b.said);
    assert_ok(kv_scan(b.db, (kv_range){0}, &c));
    kv_cursor_close(c);
    expect_said(&b, "level 0, run 4: 1 of 1 tables join the merge\n");
    kv_range behind = {.from = kv_str("m"), .to = kv_str("n")};
    assert_ok(kv_scan(b.db, behind, &c));
    kv_cursor_close(c);
    expect_said(&b, "level 0, run 4: 0 of 1 tables overlap: skipped\n");
    bench_close(&b);
}

static void a_scan_says_what_is_deleted_on_its_way(void **state)
{
    (void)state;
    bench b;
    kv_cursor *c = NULL;
    kv_slice key, value;
    bench_open(&b, PLAIN);
    for (const char *k = "a\0c\0e\0g\0i\0"; *k != '\0'; k += 2) {
        assert_ok(kv_put(b.db, kv_str(k), kv_str("v")));
    }
    assert_ok(kv_settle(b.db));
    assert_ok(kv_del_range(b.db, kv_str("c"), kv_str("h"))); // the sixth
    kv_buf_clear(&b.said);
    assert_ok(kv_scan(b.db, (kv_range){0}, &c));
    assert_ok(kv_cursor_next(c, &key, &value));
    expect_said(&b, "level 0, run 4: 1 of 1 tables join the merge\n");
    assert_ok(kv_cursor_next(c, &key, &value));
    assert_slice(key, "i");
    expect_said(&b, "a range tombstone of sequence number 6: from here to its "
                    "end what is older is gone\n");
    kv_cursor_close(c);
    bench_close(&b);
}

// ---- puts that find no room -------------------------------------------------

static void a_put_says_that_it_freezes(void **state)
{
    (void)state;
    bench b;
    bench_open(&b, PLAIN ",memtable_bytes=256");
    char value[300] = {0};
    kv_slice big = kv_slice_of(value, sizeof value);
    assert_ok(kv_put(b.db, kv_str("cat"), big)); // it is full now
    kv_buf_clear(&b.said);
    assert_ok(kv_put(b.db, kv_str("dog"), kv_str("woof")));
    expect_said(&b, "active memtable: full, so it is frozen and flushed at "
                    "once; log 3 and an empty one take over\n"
                    "log 3: ends at 86 now, synced; active memtable: "
                    "1 entries, newest sequence number 2\n");
    bench_close(&b);
}

// Flushes as soon as a writer waits for that.
static void *flush_for_a_writer(void *store)
{
    lsm_store *s = store;
    uint64_t stops = 0;
    while (stops == 0) {
        kv_thread_yield();
        kv_mutex_lock(&s->work);
        stops = s->stops;
        kv_mutex_unlock(&s->work);
    }
    assert_ok(lsm_store_flush(s, 0));
    return NULL;
}

static void a_put_says_that_it_waited(void **state)
{
    (void)state;
    bench b = {0};
    lsm_store s = {0};
    kv_thread flusher;
    kv_explainer listener = {hear, &b};
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &b.disk));
    lsm_config config = small_store(b.disk, true);
    config.steps_inline = false;
    config.memtable_bytes = 1;
    assert_ok(lsm_store_open(&s, &config, &listener));
    kv_change put = {KV_PUT, kv_str("cat"), kv_str("meow")};
    for (size_t i = 0; i <= config.frozen_max; i++) {
        assert_ok(lsm_store_write(&s, &put, 1));
    }
    assert_int_equal(s.gate.current->frozen_count, config.frozen_max);
    kv_buf_clear(&b.said);
    kv_thread_start(&flusher, flush_for_a_writer, &s);
    assert_ok(lsm_store_write(&s, &put, 1));
    kv_thread_join(&flusher);
    kv_buf_append(&b.said, kv_slice_of("", 1));
    const char *said = (const char *)b.said.data;
    assert_ptr_equal(strstr(said, "2 memtables were frozen: waited for a "
                                  "flush\nactive memtable: full, so it is "
                                  "frozen and will be flushed; log "),
                     said);
    kv_buf_free(&b.said);
    assert_ok(lsm_store_close(&s));
    kv_disk_close(b.disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_memtable_answers),
        cmocka_unit_test(a_table_answers),
        cmocka_unit_test(a_scan_says_what_it_merges),
        cmocka_unit_test(a_scan_says_what_is_deleted_on_its_way),
        cmocka_unit_test(a_put_says_that_it_freezes),
        cmocka_unit_test(a_put_says_that_it_waited),
    };
    return cmocka_run_group_tests_name("stage4.explain", tests, NULL, NULL);
}
