// test_cache.c -- the block cache: its budget, what it keeps, and threads.
// SPDX-License-Identifier: MIT

#include "common/mem.h"
#include "common/rng.h"
#include "common/thread.h"

#include "cache.h"
#include "tests/support/test.h"

enum { BLOCK_BYTES = 4096 };

// What a block of this number holds, all over.
static uint64_t stamp(size_t number) { return kv_mix64(number + 1); }

static lsm_frame *fill(lsm_cache *c, lsm_slot *slots, size_t number)
{
    lsm_frame *f = lsm_cache_claim(c, &slots[number], BLOCK_BYTES);
    uint64_t word = stamp(number);
    for (size_t i = 0; i < BLOCK_BYTES; i += 8) memcpy(f->bytes + i, &word, 8);
    f->block.count = (uint32_t)number;
    return lsm_cache_publish(f, &slots[number]);
}

// The block, pinned, from the cache or into it. *hit says which.
static lsm_frame *get(lsm_cache *c, lsm_slot *slots, size_t number, bool *hit)
{
    lsm_frame *f = lsm_cache_pin(c, &slots[number]);
    *hit = f != NULL;
    return *hit ? f : fill(c, slots, number);
}

static bool touch(lsm_cache *c, lsm_slot *slots, size_t number)
{
    bool hit;
    lsm_frame_unpin(get(c, slots, number, &hit));
    return hit;
}

static bool is_intact(const lsm_frame *f, size_t number)
{
    uint64_t word = stamp(number);
    for (size_t i = 0; i < BLOCK_BYTES; i += 8) {
        if (memcmp(f->bytes + i, &word, 8) != 0) return false;
    }
    return f->block.count == number;
}

static uint64_t bytes_of(lsm_cache *c)
{
    lsm_cache_stats s;
    lsm_cache_read_stats(c, &s);
    return s.bytes;
}

static void a_hit_is_what_was_put(void **state)
{
    (void)state;
    lsm_slot slots[4] = {0};
    lsm_cache *c = lsm_cache_new(1 << 20, 4096);
    lsm_cache_stats s;
    bool hit;
    assert_null(lsm_cache_pin(c, &slots[2]));
    lsm_frame_unpin(fill(c, slots, 2));
    assert_true(lsm_slot_is_filled(&slots[2]));
    lsm_frame *f = get(c, slots, 2, &hit);
    assert_true(hit && is_intact(f, 2));
    lsm_frame_unpin(f);
    lsm_cache_read_stats(c, &s);
    assert_int_equal(s.hits, 1);
    assert_int_equal(s.misses, 1);
    lsm_cache_forget(slots, 4);
    assert_null(lsm_cache_pin(c, &slots[2]));
    assert_int_equal(bytes_of(c), 0);
    lsm_cache_free(c);
}

static void the_quicker_one_counts(void **state)
{
    (void)state;
    lsm_slot slot = {0};
    lsm_cache *c = lsm_cache_new(1 << 20, 4096);
    lsm_frame *mine = lsm_cache_claim(c, &slot, 100);
    lsm_frame *other = lsm_cache_claim(c, &slot, 100);
    assert_ptr_equal(lsm_cache_publish(other, &slot), other);
    assert_ptr_equal(lsm_cache_publish(mine, &slot), other);
    lsm_frame_unpin(other);
    lsm_frame_unpin(other);
    // A frame that is never published leaves nothing behind.
    uint64_t before = bytes_of(c);
    lsm_frame_unpin(lsm_cache_claim(c, &slot, 5000));
    assert_int_equal(bytes_of(c), before);
    lsm_cache_forget(&slot, 1);
    lsm_cache_free(c);
}

// What a reader meets who loaded a slot just before its frame moved on (C3).
static void an_old_slot_finds_nothing(void **state)
{
    (void)state;
    lsm_slot slots[2] = {0};
    lsm_cache *c = lsm_cache_new(1 << 20, 4096);
    lsm_frame_unpin(fill(c, slots, 0));
    atomic_store(&slots[1].word, atomic_load(&slots[0].word));
    assert_null(lsm_cache_pin(c, &slots[1]));
    lsm_cache_forget(slots, 1); // nobody has it pinned
    assert_int_equal(bytes_of(c), 0);
    lsm_cache_free(c);
}

static void the_budget_holds(void **state)
{
    (void)state;
    enum { BUDGET = 256 << 10, BLOCKS = 1000, PINS = 200 };
    lsm_slot *slots = kv_zalloc(BLOCKS * sizeof *slots);
    lsm_cache *c = lsm_cache_new(BUDGET, 4096);
    for (size_t i = 0; i < BLOCKS; i++) {
        touch(c, slots, i);
        assert_true(bytes_of(c) <= BUDGET); // C2
    }
    // Pinned frames are beyond it, and stay.
    lsm_frame *pinned[PINS];
    for (size_t i = 0; i < PINS; i++) pinned[i] = fill(c, slots, i);
    for (size_t i = PINS; i < BLOCKS; i++) touch(c, slots, i);
    uint64_t pins = PINS * (BLOCK_BYTES + sizeof(lsm_frame));
    assert_true(bytes_of(c) <= pins + BLOCK_BYTES + sizeof(lsm_frame));
    for (size_t i = 0; i < PINS; i++) {
        assert_true(is_intact(pinned[i], i)); // C1
        lsm_frame_unpin(pinned[i]);
    }
    // The next claim brings it back; a smaller budget holds from then on.
    touch(c, slots, PINS);
    assert_true(bytes_of(c) <= BUDGET);
    lsm_cache_resize(c, BUDGET / 2);
    touch(c, slots, PINS + 1);
    assert_true(bytes_of(c) <= BUDGET / 2);
    lsm_cache_forget(slots, BLOCKS);
    lsm_cache_free(c);
    kv_free(slots);
}

// Blocks that are asked for again and again survive a scan of ten times the
// cache; with a plain queue none would.
static void a_scan_leaves_the_hot_blocks(void **state)
{
    (void)state;
    enum { BUDGET = 1 << 20, HOT = 100, BLOCKS = 2500 };
    lsm_slot *slots = kv_zalloc(BLOCKS * sizeof *slots);
    lsm_cache *c = lsm_cache_new(BUDGET, 4096);
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < HOT; i++) touch(c, slots, i);
    }
    for (size_t i = HOT; i < BLOCKS; i++) touch(c, slots, i);
    int hits = 0;
    for (size_t i = 0; i < HOT; i++) hits += touch(c, slots, i);
    print_message("%d of %d hot blocks are left\n", hits, HOT);
    assert_true(hits >= HOT * 9 / 10);
    lsm_cache_forget(slots, BLOCKS);
    lsm_cache_free(c);
    kv_free(slots);
}

// A block that went and came back soon is protected at once: a second scan
// does not take it away again.
static void a_ghost_comes_back_protected(void **state)
{
    (void)state;
    enum { BUDGET = 1 << 20, BLOCKS = 2500 };
    lsm_slot *slots = kv_zalloc(BLOCKS * sizeof *slots);
    lsm_cache *c = lsm_cache_new(BUDGET, 4096);
    size_t next = 1;
    // Fill it with protected blocks, so that probation is short.
    for (int round = 0; round < 2; round++) {
        for (size_t i = 1; i < 230; i++) touch(c, slots, i);
    }
    touch(c, slots, 0);
    for (next = 230; lsm_slot_is_filled(&slots[0]); next++) {
        assert_true(next < BLOCKS);
        touch(c, slots, next);
    }
    assert_false(touch(c, slots, 0)); // it went; here it is again
    for (size_t i = 0; i < 200; i++) touch(c, slots, next++);
    assert_true(touch(c, slots, 0));
    lsm_cache_forget(slots, BLOCKS);
    lsm_cache_free(c);
    kv_free(slots);
}

static void count_call(void *calls) { ++*(int *)calls; }

static void what_it_lacks_is_said_once(void **state)
{
    (void)state;
    enum { BUDGET = 1 << 20, BLOCKS = 2500 };
    lsm_slot *slots = kv_zalloc(BLOCKS * sizeof *slots);
    lsm_cache *c = lsm_cache_new(BUDGET, 4096);
    int calls = 0;
    lsm_cache_watch(c, count_call, &calls);
    lsm_cache_have_patience(c, BUDGET);
    size_t next = 0, room = BUDGET / (4096 + sizeof(lsm_frame));
    while (next < 2 * room) touch(c, slots, next++); // half of them are lost
    assert_int_equal(calls, 0);
    while (next < 2 * room + 2) touch(c, slots, next++);
    assert_int_equal(calls, 1);
    while (next < 4 * room) touch(c, slots, next++);
    assert_int_equal(calls, 1);
    lsm_cache_have_patience(c, BUDGET);
    while (next < 6 * room) touch(c, slots, next++);
    assert_int_equal(calls, 2);
    lsm_cache_forget(slots, BLOCKS);
    lsm_cache_free(c);
    kv_free(slots);
}

static void a_large_block_is_for_one_use(void **state)
{
    (void)state;
    lsm_slot slot = {0};
    lsm_cache *c = lsm_cache_new(1 << 20, 4096);
    lsm_frame *f = lsm_cache_claim(c, &slot, 900 << 10);
    memset(f->bytes, 1, 900 << 10);
    f = lsm_cache_publish(f, &slot);
    assert_null(lsm_cache_pin(c, &slot));
    lsm_frame_unpin(f);
    f = lsm_cache_publish(lsm_cache_claim(NULL, &slot, 10), &slot);
    lsm_frame_unpin(f);
    assert_int_equal(bytes_of(c), 0);
    lsm_cache_free(c);
}

// ---- threads ----------------------------------------------------------------

enum { THREADS = 4, SHARED_BLOCKS = 300, ROUNDS = 20000, TABLES = 3 };

typedef struct arena {
    lsm_cache *cache;
    lsm_slot slots[TABLES][SHARED_BLOCKS]; // the last table is each thread's
    _Atomic uint64_t wrong, hits, seeds;
} arena;

static void *play(void *arg)
{
    arena *a = arg;
    kv_rng rng;
    kv_rng_seed(&rng, atomic_fetch_add(&a->seeds, 1));
    lsm_slot own[50] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        bool hit;
        size_t table = (size_t)kv_rng_below(&rng, TABLES), number;
        lsm_slot *slots = a->slots[table];
        number = (size_t)kv_rng_below(&rng, SHARED_BLOCKS);
        if (table == TABLES - 1) {
            slots = own;
            number %= 50;
            // Our own table is closed now and then.
            if (kv_rng_below(&rng, 100) == 0) lsm_cache_forget(own, 50);
        }
        lsm_frame *f = get(a->cache, slots, number, &hit);
        if (!is_intact(f, number)) atomic_fetch_add(&a->wrong, 1);
        if (hit) atomic_fetch_add(&a->hits, 1);
        lsm_frame_unpin(f);
    }
    lsm_cache_forget(own, 50);
    return NULL;
}

static void threads_never_see_another_block(void **state)
{
    (void)state;
    arena *a = kv_zalloc(sizeof *a);
    kv_thread threads[THREADS];
    a->cache = lsm_cache_new(600 << 10, 4096);
    for (int i = 0; i < THREADS; i++) kv_thread_start(&threads[i], play, a);
    for (int i = 0; i < THREADS; i++) kv_thread_join(&threads[i]);
    assert_int_equal(a->wrong, 0);
    assert_true(a->hits > THREADS * ROUNDS / 10);
    assert_true(bytes_of(a->cache) <= 600 << 10);
    for (int t = 0; t < TABLES; t++) {
        lsm_cache_forget(a->slots[t], SHARED_BLOCKS);
    }
    assert_int_equal(bytes_of(a->cache), 0);
    lsm_cache_free(a->cache);
    kv_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hit_is_what_was_put),
        cmocka_unit_test(the_quicker_one_counts),
        cmocka_unit_test(an_old_slot_finds_nothing),
        cmocka_unit_test(the_budget_holds),
        cmocka_unit_test(a_scan_leaves_the_hot_blocks),
        cmocka_unit_test(a_ghost_comes_back_protected),
        cmocka_unit_test(what_it_lacks_is_said_once),
        cmocka_unit_test(a_large_block_is_for_one_use),
        cmocka_unit_test(threads_never_see_another_block),
    };
    return cmocka_run_group_tests_name("stage4.cache", tests, NULL, NULL);
}
