// test_table.c -- whole tables against a sorted oracle: every way to read, pack
// and walk one.
// SPDX-License-Identifier: MIT

#include "common/disk_count.h"
#include "common/disk_sim.h"
#include "common/hash.h"
#include "common/thread.h"

#include "tables.h"
#include "tests/support/test.h"

static const kv_why for_flush = {KV_FOR_FLUSH, true};
static const kv_why for_read = {KV_FOR_READ, false};

// The ways to keep and to read a table.
typedef struct way {
    const char *name;
    lsm_compression compression;
    uint32_t block_bytes;
    double bits_per_key;
    bool use_map, has_cache;
    uint64_t cache_bytes;
} way;

static const way ways[] = {
    {"copy", LSM_COMPRESS_NONE, 4096, 10, false, true, 1 << 20},
    {"map", LSM_COMPRESS_NONE, 4096, 10, true, true, 1 << 20},
    {"copy lz4", LSM_COMPRESS_LZ4, 4096, 10, false, true, 1 << 20},
    {"map lz4", LSM_COMPRESS_LZ4, 1000, 10, true, true, 20000},
    {"copy zstd", LSM_COMPRESS_ZSTD, 4096, 10, false, true, 1 << 20},
    {"no filter, no cache", LSM_COMPRESS_NONE, 512, 0, false, false, 0},
    {"an entry a block", LSM_COMPRESS_LZ4, 1, 5, false, true, 20000},
    {"large blocks", LSM_COMPRESS_ZSTD, 1 << 20, 10, true, true, 1 << 20},
};
enum { WAYS = sizeof ways / sizeof *ways };

typedef struct bench {
    oracle o;
    kv_disk *disk;
    lsm_cache *cache;
    lsm_table *table;
    kv_rng rng;
} bench;

static void bench_open(bench *b, const way *w, uint64_t seed, size_t keys)
{
    print_message("%s, seed %llu\n", w->name, (unsigned long long)seed);
    *b = (bench){0};
    kv_rng_seed(&b->rng, seed);
    oracle_make(&b->o, &b->rng, keys);
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &b->disk));
    lsm_builder_config config = {.block_bytes = w->block_bytes,
                                 .bits_per_key = w->bits_per_key,
                                 .compression = w->compression,
                                 .seq_base = seed % 2 * 100,
                                 .why = for_flush};
    table_build(b->disk, &b->o, &config, NULL, 0);
    if (w->has_cache) b->cache = lsm_cache_new(w->cache_bytes, 4096);
    lsm_table_home home = {b->disk, b->cache, w->use_map, &test_nobody, NULL};
    assert_ok(lsm_table_open(&home, &test_table_id, for_read, &b->table));
}

static void bench_close(bench *b)
{
    lsm_table_unref(b->table);
    lsm_cache_free(b->cache);
    assert_int_equal(kv_disk_sim_open_count(b->disk), 0);
    kv_disk_close(b->disk);
    oracle_free(&b->o);
}

static void gets_agree(bench *b)
{
    kv_buf key = {0};
    for (int i = 0; i < 3000; i++) {
        oracle_pick_key(&b->o, &b->rng, &key);
        kv_slice k = kv_buf_slice(&key);
        uint64_t hash = kv_hash(k, LSM_HASH_SEED);
        uint64_t seq_max = LSM_SEQ_MAX;
        if (i % 2 == 0) seq_max = 100 + kv_rng_below(&b->rng, b->o.count + 1);
        const lsm_entry *want = oracle_get(&b->o, k, seq_max);
        lsm_found found;
        assert_status(lsm_table_get(b->table, k, hash, seq_max, &found),
                      want != NULL ? KV_OK : KV_NOT_FOUND);
        assert_int_equal(found.step == LSM_STEP_FOUND, want != NULL);
        if (want == NULL) continue;
        lsm_entry got = {want->key, found.value, found.seq, found.kind};
        assert_entry(&got, want);
        lsm_found_release(&found);
    }
    kv_buf_free(&key);
}

static void walk_all(const bench *b, bool is_bulk)
{
    const oracle *o = &b->o;
    lsm_iter *it = lsm_table_iter(b->table, (lsm_scan_how){for_read, is_bulk});
    size_t i = 0;
    assert_false(it->is_valid);
    assert_ok(it->ops->first(it));
    for (; it->is_valid; i++) {
        assert_entry(&it->entry, &o->entries[i]);
        assert_ok(it->ops->next(it));
    }
    assert_int_equal(i, o->count);
    assert_ok(it->ops->last(it));
    for (; it->is_valid; i--) {
        assert_entry(&it->entry, &o->entries[i - 1]);
        assert_ok(it->ops->prev(it));
    }
    assert_int_equal(i, 0);
    it->ops->free(it);
}

// Seeks, then goes on for a while in one direction, turning now and then.
static void walk_about(bench *b, bool is_bulk)
{
    const oracle *o = &b->o;
    lsm_iter *it = lsm_table_iter(b->table, (lsm_scan_how){for_read, is_bulk});
    kv_buf key = {0};
    for (int round = 0; round < 60; round++) {
        oracle_pick_key(o, &b->rng, &key);
        size_t at = oracle_below(o, kv_buf_slice(&key));
        if (kv_rng_below(&b->rng, 2) == 0) {
            assert_ok(it->ops->seek(it, kv_buf_slice(&key)));
        } else {
            assert_ok(it->ops->seek_before(it, kv_buf_slice(&key)));
            at--;
        }
        bool is_forward = kv_rng_below(&b->rng, 2) == 0;
        for (int step = 0; step < 200 && at < o->count; step++) {
            assert_true(it->is_valid);
            assert_entry(&it->entry, &o->entries[at]);
            if (kv_rng_below(&b->rng, 40) == 0) is_forward = !is_forward;
            assert_ok((is_forward ? it->ops->next : it->ops->prev)(it));
            at += is_forward ? 1 : (size_t)-1;
        }
        assert_int_equal(it->is_valid, at < o->count);
    }
    kv_buf_free(&key);
    it->ops->free(it);
}

static void agrees_with_the_oracle(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        for (int i = 0; i < WAYS; i++) {
            bench b;
            bench_open(&b, &ways[i], seed, seed == 1 ? 1 : 1500);
            gets_agree(&b);
            for (int bulk = 0; bulk < 2; bulk++) {
                walk_all(&b, bulk == 1);
                walk_about(&b, bulk == 1);
            }
            assert_ok(lsm_table_check(b.table));
            bench_close(&b);
        }
    }
}

// Keys that all begin alike, as an index likes them, and seeks around them.
static void keys_may_begin_alike(void **state)
{
    (void)state;
    enum { KEYS = 500 };
    static char names[KEYS][16];
    static lsm_entry entries[KEYS];
    for (int i = 0; i < KEYS; i++) {
        snprintf(names[i], sizeof names[i], "user%04d", 2 * i + 3000);
        entries[i] = (lsm_entry){kv_str(names[i]), kv_str("value"), 1, LSM_PUT};
    }
    const oracle o = {.entries = entries, .count = KEYS};
    static const char *const seeks[] = {
        "a",     "us", "user",  "user3", "user3001", "user3998", "user3999",
        "user4", "v",  "user2", "usez",  "userz",    "user3500x"};
    kv_disk *disk = NULL;
    lsm_table *t = NULL;
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    lsm_builder_config config = {
        .block_bytes = 128, .bits_per_key = 10, .why = for_flush};
    table_build(disk, &o, &config, NULL, 0);
    lsm_table_home home = {disk, NULL, false, &test_nobody, NULL};
    assert_ok(lsm_table_open(&home, &test_table_id, for_read, &t));
    assert_true(t->index.prefix_len > 0);
    lsm_iter *it = lsm_table_iter(t, (lsm_scan_how){for_read, false});
    for (size_t i = 0; i < sizeof seeks / sizeof *seeks; i++) {
        size_t at = oracle_below(&o, kv_str(seeks[i]));
        assert_ok(it->ops->seek(it, kv_str(seeks[i])));
        assert_int_equal(it->is_valid, at < KEYS);
        if (it->is_valid) assert_entry(&it->entry, &entries[at]);
        assert_ok(it->ops->seek_before(it, kv_str(seeks[i])));
        assert_int_equal(it->is_valid, at > 0);
        if (it->is_valid) assert_entry(&it->entry, &entries[at - 1]);
    }
    it->ops->free(it);
    lsm_table_unref(t);
    kv_disk_close(disk);
}

// ---- threads ----------------------------------------------------------------

enum { READERS = 3 };

static void *read_about(void *arg)
{
    bench b = *(const bench *)arg; // a generator of its own
    static _Atomic uint64_t readers;
    kv_rng_seed(&b.rng, atomic_fetch_add(&readers, 1));
    gets_agree(&b);
    walk_about(&b, false);
    return NULL;
}

static void readers_do_not_disturb_each_other(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        bench b;
        kv_thread threads[READERS];
        bench_open(&b, &ways[i], 2, 800);
        for (int k = 0; k < READERS; k++) {
            kv_thread_start(&threads[k], read_about, &b);
        }
        for (int k = 0; k < READERS; k++) kv_thread_join(&threads[k]);
        bench_close(&b);
    }
}

// ---- what it costs ----------------------------------------------------------

// Reads of the count layer since the last call.
static uint64_t reads(kv_disk *disk)
{
    static uint64_t before;
    kv_disk_stats all[KV_REASONS], waited[KV_REASONS];
    kv_disk_count_read(disk, all, waited);
    uint64_t sum = 0;
    for (int i = 0; i < KV_REASONS; i++) sum += all[i].reads;
    uint64_t since = sum - before;
    before = sum;
    return since;
}

static void a_get_reads_one_block(void **state)
{
    (void)state;
    kv_disk *sim = NULL, *disk = NULL;
    lsm_table *t = NULL;
    oracle o;
    kv_rng rng;
    kv_rng_seed(&rng, 5);
    oracle_make(&o, &rng, 2000);
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &sim));
    assert_ok(kv_disk_open_count(sim, &disk));
    lsm_builder_config config = {
        .block_bytes = 4096, .bits_per_key = 10, .why = for_flush};
    table_build(disk, &o, &config, NULL, 0);
    lsm_table_home home = {disk, NULL, false, &test_nobody, NULL};
    reads(disk);
    assert_ok(lsm_table_open(&home, &test_table_id, for_read, &t));
    assert_int_equal(reads(disk), 2);
    for (size_t i = 0; i < o.count; i++) {
        lsm_found found;
        kv_slice key = o.entries[i].key;
        if (i > 0 && kv_slice_equal(key, o.entries[i - 1].key)) continue;
        assert_ok(lsm_table_get(t, key, kv_hash(key, LSM_HASH_SEED),
                                LSM_SEQ_MAX, &found));
        lsm_found_release(&found);
        assert_int_equal(reads(disk), 1);
    }
    lsm_table_unref(t);
    oracle_free(&o);
    kv_disk_close(disk);
}

// ---- range tombstones, bounds -----------------------------------------------

static const lsm_range_tombstone ranges[] = {
    {{(const uint8_t *)"a", 1}, {(const uint8_t *)"n", 1}, 60},
    {{(const uint8_t *)"n", 1}, {(const uint8_t *)"p", 1}, 50},
    {{(const uint8_t *)"x", 1}, {NULL, 0}, 40},
};

static lsm_table *ranges_table(kv_disk **disk, const oracle *o, size_t from,
                               size_t count)
{
    lsm_table *t = NULL;
    lsm_builder_config config = {
        .block_bytes = 4096, .bits_per_key = 10, .why = for_flush};
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, disk));
    table_build(*disk, o, &config, ranges + from, count);
    lsm_table_home home = {*disk, NULL, false, &test_nobody, NULL};
    assert_ok(lsm_table_open(&home, &test_table_id, for_read, &t));
    assert_ok(lsm_table_check(t));
    return t;
}

static void range_tombstones_cover(void **state)
{
    (void)state;
    kv_disk *disk = NULL;
    const oracle nothing = {0};
    lsm_table *t = ranges_table(&disk, &nothing, 0, 3);
    assert_int_equal(t->props.range_count, 3);
    assert_slice(t->ranges.at[0].from, "a");
    assert_int_equal(lsm_spans_seq(&t->ranges, kv_str("A")), 0);
    assert_int_equal(lsm_spans_seq(&t->ranges, kv_str("a")), 60);
    assert_int_equal(lsm_spans_seq(&t->ranges, kv_str("m1")), 60);
    assert_int_equal(lsm_spans_seq(&t->ranges, kv_str("n")), 50);
    assert_int_equal(lsm_spans_seq(&t->ranges, kv_str("p")), 0);
    assert_int_equal(lsm_spans_seq(&t->ranges, kv_str("zz")), 40);
    assert_int_equal(t->props.seq_min, 40);
    assert_int_equal(t->props.seq_max, 60);
    assert_slice(t->props.first_key, "a");
    assert_true(t->props.last_is_open && t->props.last_key.len == 0);
    lsm_found found;
    assert_status(lsm_table_get(t, kv_str("b"), 1, LSM_SEQ_MAX, &found),
                  KV_NOT_FOUND);
    lsm_iter *it = lsm_table_iter(t, (lsm_scan_how){for_read, false});
    assert_ok(it->ops->first(it));
    assert_false(it->is_valid);
    assert_ok(it->ops->seek_before(it, kv_str("b")));
    assert_false(it->is_valid);
    it->ops->free(it);
    lsm_table_unref(t);
    kv_disk_close(disk);
}

static void bounds_hold_entries_and_ranges(void **state)
{
    (void)state;
    lsm_entry entries[] = {{kv_str("b"), kv_str("1"), 7, LSM_PUT},
                           {kv_str("p"), kv_str("2"), 9, LSM_PUT}};
    oracle o = {.entries = entries, .count = 2};
    kv_disk *disk = NULL;
    // [n, p) ends before the entry "p": a closed end.
    lsm_table *t = ranges_table(&disk, &o, 1, 1);
    assert_slice(t->props.first_key, "b");
    assert_slice(t->props.last_key, "p");
    assert_false(t->props.last_is_open);
    lsm_table_unref(t);
    kv_disk_close(disk);
    // [a, n) begins before "b"; the entry "p" is behind it.
    t = ranges_table(&disk, &o, 0, 1);
    assert_slice(t->props.first_key, "a");
    assert_false(t->props.last_is_open);
    lsm_table_unref(t);
    kv_disk_close(disk);
    // Only "b": [n, p) reaches up to p, without it.
    o.count = 1;
    t = ranges_table(&disk, &o, 1, 1);
    assert_slice(t->props.last_key, "p");
    assert_true(t->props.last_is_open);
    lsm_table_unref(t);
    kv_disk_close(disk);
}

// ---- what the builder promises ----------------------------------------------

static void properties_are_the_same_on_both_sides(void **state)
{
    (void)state;
    kv_disk *disk = NULL;
    lsm_table *t = NULL;
    oracle o;
    kv_rng rng;
    kv_rng_seed(&rng, 9);
    oracle_make(&o, &rng, 900);
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    lsm_builder b = {0};
    lsm_builder_config config = {.block_bytes = 4096,
                                 .bits_per_key = 10,
                                 .compression = LSM_COMPRESS_LZ4,
                                 .why = for_flush};
    assert_ok(lsm_builder_open(&b, disk, &test_table_id, &config));
    assert_true(lsm_builder_is_empty(&b));
    for (size_t i = 0; i < o.count; i++) {
        assert_ok(lsm_builder_add(&b, &o.entries[i]));
    }
    assert_false(lsm_builder_is_empty(&b));
    assert_ok(lsm_builder_finish(&b));
    lsm_table_home home = {disk, NULL, false, &test_nobody, NULL};
    assert_ok(lsm_table_open(&home, &test_table_id, for_read, &t));
    const lsm_properties *p = &b.props, *q = &t->props;
    assert_int_equal(p->file_bytes, q->file_bytes);
    assert_int_equal(p->entry_count, o.count);
    assert_int_equal(q->entry_count, o.count);
    assert_int_equal(p->tombstone_count, q->tombstone_count);
    assert_int_equal(p->seq_min, 100);
    assert_int_equal(q->seq_min, 100);
    assert_int_equal(p->seq_max, q->seq_max);
    assert_int_equal(p->raw_bytes, q->raw_bytes);
    assert_true(kv_slice_equal(p->first_key, q->first_key));
    assert_true(kv_slice_equal(q->first_key, o.entries[0].key));
    assert_true(kv_slice_equal(p->last_key, q->last_key));
    assert_true(kv_slice_equal(q->last_key, o.entries[o.count - 1].key));
    lsm_builder_close(&b);
    lsm_table_unref(t);
    oracle_free(&o);
    kv_disk_close(disk);
}

static void an_abandoned_table_is_gone(void **state)
{
    (void)state;
    kv_disk *disk = NULL;
    kv_names names = {0};
    lsm_builder b = {0};
    lsm_builder_config config = {.block_bytes = 4096, .why = for_flush};
    lsm_entry e = {kv_str("k"), kv_str("v"), 1, LSM_PUT};
    assert_ok(kv_disk_open_sim(&(kv_sim_options){.capacity = 100}, &disk));
    assert_ok(lsm_builder_open(&b, disk, &test_table_id, &config));
    assert_ok(lsm_builder_add(&b, &e));
    assert_status(lsm_builder_finish(&b), KV_NO_SPACE);
    lsm_builder_close(&b);
    assert_ok(kv_disk_list(disk, &names));
    assert_int_equal(names.count, 0);
    kv_names_free(&names);
    kv_disk_close(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_oracle),
        cmocka_unit_test(keys_may_begin_alike),
        cmocka_unit_test(readers_do_not_disturb_each_other),
        cmocka_unit_test(a_get_reads_one_block),
        cmocka_unit_test(range_tombstones_cover),
        cmocka_unit_test(bounds_hold_entries_and_ranges),
        cmocka_unit_test(properties_are_the_same_on_both_sides),
        cmocka_unit_test(an_abandoned_table_is_gone),
    };
    return cmocka_run_group_tests_name("stage4.table", tests, NULL, NULL);
}
