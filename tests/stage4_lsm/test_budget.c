// test_budget.c -- one budget for filters, memtables and blocks: who gets how
// much, and that it holds.
// SPDX-License-Identifier: MIT

#include "common/disk_sim.h"
#include "common/rng.h"

#include "store.h"
#include "tests/support/test.h"

enum { KIB = 1 << 10, MIB = 1 << 20 };

// ---- shares -----------------------------------------------------------------

static void memtables_share_what_tables_leave(void **state)
{
    (void)state;
    static const struct {
        uint64_t memory, tables;
        size_t memtables;
        uint64_t most, share;
    } cases[] = {
        {64 * MIB, 0, 3, 16 * MIB, 16 * MIB},       // the knob's
        {64 * MIB, 4 * MIB, 3, 16 * MIB, 16 * MIB}, // (60 - 4) / 3.375
        {64 * MIB, 13 * MIB, 3, 16 * MIB, 13 * MIB},
        {64 * MIB, 43 * MIB, 3, 16 * MIB, 5 * MIB},
        {64 * MIB, 43 * MIB, 2, 16 * MIB, 7 * MIB},
        {64 * MIB, 90 * MIB, 3, 16 * MIB, 1 * MIB}, // the least
        {64 * MIB, 0, 3, 1000, 1000},
        {8 * MIB, 4 * MIB, 2, 16 * MIB, 1536 * KIB},
        {100, 0, 2, 16 * MIB, 41},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(lsm_share_of_memtable(cases[i].memory, cases[i].tables,
                                               cases[i].memtables,
                                               cases[i].most),
                         cases[i].share);
    }
}

static void the_cache_has_the_rest(void **state)
{
    (void)state;
    assert_int_equal(lsm_share_of_cache(64 * MIB, 4 * MIB, 18 * MIB), 42 * MIB);
    assert_int_equal(lsm_share_of_cache(64 * MIB, 13 * MIB, 48 * MIB), 4 * MIB);
    assert_int_equal(lsm_share_of_cache(64 * MIB, 90 * MIB, 18 * MIB), 4 * MIB);
}

static void shares_add_up_to_the_memory(void **state)
{
    (void)state;
    for (uint64_t tables = 0; tables <= 52 * MIB; tables += 100 * 1000) {
        uint64_t share = lsm_share_of_memtable(64 * MIB, tables, 3, UINT64_MAX);
        uint64_t arenas = 3 * (share + share / 8);
        assert_true(tables + arenas + 4 * MIB <= 64 * MIB);
        uint64_t cache = lsm_share_of_cache(64 * MIB, tables, arenas);
        assert_int_equal(tables + arenas + cache, 64 * MIB);
    }
}

// ---- a store within a small budget ------------------------------------------

enum { RECORDS = 25 * 1000, BUDGET = 224 * KIB, TOLERANCE = BUDGET / 8 };

typedef struct watch {
    lsm_store store;
    kv_disk *disk;
    lsm_memory most; // of each, at any step
    uint64_t steps, over;
} watch;

static const kv_explainer nobody = {0};

static void look(watch *w)
{
    lsm_memory m;
    lsm_store_memory(&w->store, &m);
    assert_int_equal(m.all, m.tables + m.memtables + m.spare + m.cache);
    assert_true(m.used <= m.all);
    if (m.tables > w->most.tables) w->most.tables = m.tables;
    if (m.spare > w->most.spare) w->most.spare = m.spare;
    if (m.cache > w->most.cache) w->most.cache = m.cache;
    if (m.all > w->most.all) w->most.all = m.all;
    w->steps++;
    w->over += m.all > m.budget;
}

static void look_after_step(void *arg, uint64_t in_ns)
{
    (void)in_ns;
    look(arg);
}

static void open_watched(watch *w, uint64_t memory_bytes)
{
    *w = (watch){0};
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &w->disk));
    lsm_config config = {.disk = w->disk,
                         .store_id = 1,
                         .is_new = true,
                         .steps_inline = true,
                         .memory_bytes = memory_bytes,
                         .memtable_bytes = memory_bytes / 4,
                         .frozen_max = 2,
                         .manifest_bytes = 1 << 20,
                         .parallel = 1,
                         .shape = {.size_ratio = 10,
                                   .level0_runs = 4,
                                   .base_bytes = memory_bytes},
                         .table_bytes = 64 * KIB,
                         .block_bytes = 4096,
                         .bits_per_key = 10,
                         .wake = look_after_step,
                         .wake_arg = w};
    assert_ok(lsm_store_open(&w->store, &config, &nobody));
}

static void close_watched(watch *w)
{
    assert_ok(lsm_store_close(&w->store));
    kv_disk_close(w->disk);
}

static kv_slice key_of(char *text, uint64_t n)
{
    snprintf(text, 17, "%016llu", (unsigned long long)n);
    return kv_slice_of(text, 16);
}

static void put(watch *w, uint64_t n)
{
    char key[17], value[100] = {0};
    kv_change change = {KV_PUT, key_of(key, n * 7919 % RECORDS),
                        kv_slice_of(value, sizeof value)};
    assert_ok(lsm_store_write(&w->store, &change, 1));
}

static void get_all(watch *w)
{
    char key[17];
    kv_buf value = {0};
    for (uint64_t n = 0; n < RECORDS; n++) {
        assert_ok(lsm_store_get(&w->store, key_of(key, n), &value));
        if (n % 1000 == 0) look(w);
    }
    kv_buf_free(&value);
}

static void settle(watch *w)
{
    bool did_work = true;
    while (did_work) assert_ok(lsm_store_settle_step(&w->store, &did_work));
}

// A record has some 4 bytes of filter and index: half the budget in the end.
static void a_small_budget_holds(void **state)
{
    (void)state;
    static watch w;
    uint64_t least = UINT64_MAX;
    open_watched(&w, BUDGET);
    for (uint64_t n = 0; n < RECORDS; n++) {
        put(&w, n);
        uint64_t bytes = w.store.memtable_bytes;
        if (bytes < least) least = bytes;
        if (n % 100 == 0) look(&w);
    }
    get_all(&w);
    for (uint64_t n = 0; n < RECORDS / 4; n++) put(&w, n);
    print_message("tables %llu, at most %llu of %u; over it in %llu of %llu "
                  "looks; memtables from %u to %llu\n",
                  (unsigned long long)w.most.tables,
                  (unsigned long long)w.most.all, BUDGET,
                  (unsigned long long)w.over, (unsigned long long)w.steps,
                  BUDGET / 4, (unsigned long long)least);
    assert_true(w.most.tables > BUDGET / 3); // or this shows nothing
    assert_true(w.most.all <= BUDGET + TOLERANCE);
    assert_true(w.over <= w.steps / 10);
    assert_true(least < BUDGET / 4); // they gave way
    close_watched(&w);
}

static void a_rest_gives_memory_to_the_cache(void **state)
{
    (void)state;
    static watch w;
    lsm_cache_stats cache;
    open_watched(&w, 2 * MIB);
    for (uint64_t n = 0; n < RECORDS; n++) put(&w, n);
    look(&w);
    assert_true(w.most.spare > 0); // from flush to freeze
    lsm_cache_read_stats(w.store.cache, &cache);
    uint64_t busy = cache.budget_bytes;
    settle(&w);
    w.most.spare = 0;
    look(&w);
    assert_int_equal(w.most.spare, 0);
    lsm_cache_read_stats(w.store.cache, &cache);
    uint64_t rested = cache.budget_bytes;
    assert_true(rested > busy);
    // It is used, and given back when it is needed for memtables.
    w.most = (lsm_memory){0};
    get_all(&w);
    assert_true(w.most.cache > rested * 9 / 10);
    for (uint64_t n = 0; n < RECORDS; n++) put(&w, n);
    lsm_cache_read_stats(w.store.cache, &cache);
    assert_true(cache.budget_bytes < (busy + rested) / 2);
    assert_true(cache.held_bytes <= cache.budget_bytes);
    assert_true(w.most.all <= 2 * MIB + 2 * MIB / 8);
    close_watched(&w);
}

static uint64_t cache_budget(watch *w)
{
    lsm_cache_stats cache;
    lsm_cache_read_stats(w->store.cache, &cache);
    return cache.budget_bytes;
}

// Nobody settles, and the store is not opened anew.
static void who_only_reads_gets_a_large_cache(void **state)
{
    (void)state;
    static watch w;
    open_watched(&w, 2 * MIB);
    for (uint64_t n = 0; n < RECORDS; n++) put(&w, n);
    look(&w);
    assert_true(w.most.spare > 0);
    uint64_t busy = cache_budget(&w);
    get_all(&w); // 2.5 MiB
    get_all(&w);
    assert_true(cache_budget(&w) > busy + w.most.spare * 3 / 4);
    look(&w);
    assert_true(w.most.all <= 2 * MIB + 2 * MIB / 8);
    // Writers come back for it.
    for (uint64_t n = 0; n < RECORDS; n++) put(&w, n);
    assert_true(cache_budget(&w) <= busy + 2 * MIB / 64);
    close_watched(&w);
}

// The cache keeps its size, however much is read beside.
static void who_writes_as_well_keeps_what_it_has(void **state)
{
    (void)state;
    static watch w;
    char key[17];
    kv_buf value = {0};
    open_watched(&w, 2 * MIB);
    for (uint64_t n = 0; n < RECORDS; n++) put(&w, n);
    uint64_t busy = cache_budget(&w);
    for (uint64_t n = 0; n < RECORDS / 2; n++) {
        put(&w, n);
        for (uint64_t i = n; i < n + 3; i++) {
            uint64_t other = i * 4 % RECORDS;
            assert_ok(lsm_store_get(&w.store, key_of(key, other), &value));
        }
        assert_true(cache_budget(&w) <= busy + 2 * MIB / 64);
    }
    kv_buf_free(&value);
    close_watched(&w);
}

static void a_short_budget_keeps_no_spare(void **state)
{
    (void)state;
    static watch w;
    lsm_memory m;
    open_watched(&w, 24 * KIB);
    for (uint64_t n = 0; n < RECORDS / 3; n++) put(&w, n);
    lsm_store_memory(&w.store, &m);
    assert_true(m.tables > m.budget); // filters and indexes must be there
    lsm_store_balance(&w.store);
    lsm_store_memory(&w.store, &m);
    assert_int_equal(m.spare, 0);
    // The others have their least.
    assert_int_equal(w.store.memtable_bytes, m.budget / 64);
    assert_true(m.all - m.tables < m.budget / 4);
    close_watched(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memtables_share_what_tables_leave),
        cmocka_unit_test(the_cache_has_the_rest),
        cmocka_unit_test(shares_add_up_to_the_memory),
        cmocka_unit_test(a_small_budget_holds),
        cmocka_unit_test(a_rest_gives_memory_to_the_cache),
        cmocka_unit_test(who_only_reads_gets_a_large_cache),
        cmocka_unit_test(who_writes_as_well_keeps_what_it_has),
        cmocka_unit_test(a_short_budget_keeps_no_spare),
    };
    return cmocka_run_group_tests_name("stage4.budget", tests, NULL, NULL);
}
