// test_explain.c -- what stage 4 says of each step of a call: from the memtable
// by way of filter, index and block to the answer.
// SPDX-License-Identifier: MIT

#include "common/disk_sim.h"

#include "lsm.h"
#include "tests/support/test.h"

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

static void bench_open(bench *b)
{
    *b = (bench){0};
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &b->disk));
    kv_options options = {.path = "explain",
                          .knobs = "background=0,compression=none",
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
    bench_open(&b);
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
    bench_open(&b);
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
    bench_open(&b);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_memtable_answers),
        cmocka_unit_test(a_table_answers),
        cmocka_unit_test(a_scan_says_what_it_merges),
    };
    return cmocka_run_group_tests_name("stage4.explain", tests, NULL, NULL);
}
