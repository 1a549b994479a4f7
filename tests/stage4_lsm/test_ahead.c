// test_ahead.c -- in which pieces a walk over a table reads: a short one block
// by block through the cache, a long one more and more at once past it.
// SPDX-License-Identifier: MIT

#include "common/disk_count.h"
#include "common/disk_sim.h"

#include "cache.h"
#include "tables.h"
#include "tests/support/test.h"

// Keys of 8 bytes, values of 1000: four entries to a block of 4 KiB, and a
// table of 2 MiB.
enum { RECORDS = 2000, VALUE_BYTES = 1000, KIB = 1 << 10 };

typedef struct shelf {
    kv_disk *disk;
    lsm_cache *cache;
    lsm_table *table;
} shelf;

static const kv_why for_flush = {.reason = KV_FOR_FLUSH};
static const kv_why for_read = {.reason = KV_FOR_READ};

static kv_slice key_of(char text[9], unsigned n)
{
    snprintf(text, 9, "%08u", n);
    return kv_slice_of(text, 8);
}

static void build(kv_disk *disk)
{
    static char value[VALUE_BYTES];
    char key[9];
    lsm_builder b = {0};
    lsm_builder_config config = {.block_bytes = 4096, .why = for_flush};
    assert_ok(lsm_builder_open(&b, disk, &test_table_id, &config));
    for (unsigned i = 0; i < RECORDS; i++) {
        lsm_entry e = {key_of(key, i), kv_slice_of(value, sizeof value), i + 1,
                       LSM_PUT};
        assert_ok(lsm_builder_add(&b, &e));
    }
    assert_ok(lsm_builder_finish(&b));
    lsm_builder_close(&b);
}

static void open_shelf(shelf *s)
{
    kv_disk *sim = NULL;
    *s = (shelf){.cache = lsm_cache_new(4096 * KIB, 4096)};
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &sim));
    assert_ok(kv_disk_open_count(sim, &s->disk));
    build(s->disk);
    lsm_table_home home = {s->disk, s->cache, false, &test_nobody, NULL};
    assert_ok(lsm_table_open(&home, &test_table_id, for_read, &s->table));
    assert_in_range(s->table->index.count, RECORDS / 5, RECORDS / 3);
}

static void close_shelf(shelf *s)
{
    lsm_table_unref(s->table);
    lsm_cache_free(s->cache);
    kv_disk_close(s->disk);
}

// What a walk over `count` entries from the n-th on reads.
static kv_disk_stats cost_of_walk(shelf *s, unsigned n, unsigned count,
                                  bool is_backward, bool is_bulk)
{
    kv_disk_stats before[KV_REASONS], after[KV_REASONS], waited[KV_REASONS];
    char key[9];
    lsm_scan_how how = {.why = for_read, .is_bulk = is_bulk};
    lsm_iter *it = lsm_table_iter(s->table, how);
    kv_disk_count_read(s->disk, before, waited);
    assert_ok(it->ops->seek(it, key_of(key, n)));
    for (unsigned i = 0; i < count; i++) {
        assert_true(it->is_valid);
        unsigned at = is_backward ? n - i : n + i;
        assert_true(kv_slice_equal(it->entry.key, key_of(key, at)));
        if (i + 1 < count) {
            assert_ok((is_backward ? it->ops->prev : it->ops->next)(it));
        }
    }
    it->ops->free(it);
    kv_disk_count_read(s->disk, after, waited);
    after[KV_FOR_READ].reads -= before[KV_FOR_READ].reads;
    after[KV_FOR_READ].read_bytes -= before[KV_FOR_READ].read_bytes;
    return after[KV_FOR_READ];
}

// Blocks one by one; and whoever comes again finds them in the cache.
static void a_short_walk_reads_what_it_shows(void **state)
{
    (void)state;
    shelf s;
    open_shelf(&s);
    for (int is_backward = 0; is_backward < 2; is_backward++) {
        unsigned n = is_backward ? 1003 : 100;
        kv_disk_stats first = cost_of_walk(&s, n, 12, is_backward, false);
        assert_in_range(first.reads, 3, 4);
        assert_int_equal(first.read_bytes, first.reads * 4096);
        kv_disk_stats again = cost_of_walk(&s, n, 12, is_backward, false);
        assert_int_equal(again.reads, 0);
    }
    close_shelf(&s);
}

// Four blocks, then 32 KiB, twice as much, and so on up to 256 KiB at a time;
// and what is shown is all that is read, but for the last piece.
static void a_long_walk_reads_ahead(void **state)
{
    (void)state;
    shelf s;
    open_shelf(&s);
    for (int is_backward = 0; is_backward < 2; is_backward++) {
        unsigned from = is_backward ? RECORDS - 1 : 0;
        kv_disk_stats all = cost_of_walk(&s, from, RECORDS, is_backward, false);
        uint64_t bytes = s.table->index.count * 4096;
        // 4 blocks, 32 + 64 + 128 KiB in three reads, the rest by 256.
        uint64_t rest = bytes - 16 * KIB - (32 + 64 + 128) * KIB;
        uint64_t least = 4 + 3 + rest / (256 * KIB);
        assert_in_range(all.reads, least, least + 1);
        assert_int_equal(all.read_bytes, bytes);
        // The cache saw the first four of each walk, and nothing else.
        lsm_cache_stats cache;
        lsm_cache_read_stats(s.cache, &cache);
        assert_int_equal(cache.misses, is_backward ? 8 : 4);
    }
    // Of one that ends in the middle, less than a piece is for nothing.
    kv_disk_stats half = cost_of_walk(&s, 0, RECORDS / 2, false, false);
    uint64_t shown = s.table->index.count * 4096 / 2;
    assert_in_range(half.read_bytes, shown - 16 * KIB, shown + 256 * KIB);
    close_shelf(&s);
}

// Of a compaction: as far as can be from the first block on, past the cache.
static void a_compaction_reads_far_ahead(void **state)
{
    (void)state;
    shelf s;
    lsm_cache_stats cache;
    open_shelf(&s);
    kv_disk_stats all = cost_of_walk(&s, 0, RECORDS, false, true);
    uint64_t bytes = s.table->index.count * 4096;
    uint64_t least = bytes / (256 * KIB);
    assert_in_range(all.reads, least, least + 1);
    assert_int_equal(all.read_bytes, bytes);
    lsm_cache_read_stats(s.cache, &cache);
    assert_int_equal(cache.hits + cache.misses, 0);
    close_shelf(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_walk_reads_what_it_shows),
        cmocka_unit_test(a_long_walk_reads_ahead),
        cmocka_unit_test(a_compaction_reads_far_ahead),
    };
    return cmocka_run_group_tests_name("stage4.ahead", tests, NULL, NULL);
}
