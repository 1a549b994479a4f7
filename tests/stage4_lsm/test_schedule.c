// test_schedule.c -- flushes, compactions and what waits for them in any order:
// each schedule of small steps follows from a seed, and none of them shows.
// SPDX-License-Identifier: MIT
//
//     test_schedule [SEED]
//
// Nobody works in the background: the test is every thread there could be. It
// takes one step now and then, of whichever job the seed says, so that writes,
// freezes, cursors and reopening meet each job half done.

#include <stdlib.h>

#include "common/disk_sim.h"
#include "common/rng.h"

#include "stores.h"
#include "tests/support/test.h"

enum { KEYS = 150, OPS = 2500, SEEDS = 12, FROZEN = 3 };

// What each key has: the number of the change that put it, or 0.
typedef struct content {
    uint32_t change[KEYS];
} content;

typedef struct yard {
    kv_disk *disk;
    lsm_store store;
    kv_rng rng;
    content now;
    uint32_t changes;
    lsm_cursor held; // open if it has a store
    content then;
} yard;

static uint64_t first_seed = 1, steps_taken, most_jobs;
static const kv_explainer nobody = {0};

static uint64_t draw(yard *y, uint64_t below)
{
    return kv_rng_below(&y->rng, below);
}

static bool toss(void *arg) { return draw(arg, 2) == 0; }

static kv_slice key_of(char *text, uint64_t n)
{
    int len = snprintf(text, 30, "key%03u", (unsigned)n);
    return kv_slice_of(text, (size_t)len);
}

static kv_slice value_of(char *text, uint32_t change)
{
    int len = snprintf(text, 80, "%u:%.*s", (unsigned)change, (int)change % 50,
                       "..................................................");
    return kv_slice_of(text, (size_t)len);
}

static void open_yard(yard *y, bool is_new)
{
    lsm_config config = small_store(y->disk, is_new);
    config.steps_inline = false;
    config.memory_bytes = 64 << 10;
    config.memtable_bytes = 2 << 10;
    config.table_bytes = 1 << 10;
    config.block_bytes = 128;
    config.manifest_bytes = 2 << 10;
    config.frozen_max = FROZEN;
    config.parallel = 3;
    config.shape.level0_runs = 2;
    config.shape.size_ratio = 3;
    config.shape.base_bytes = 2 << 10;
    config.pass_over = toss;
    config.pass_arg = y;
    config.step_bytes = 200;
    y->store = (lsm_store){0};
    assert_ok(lsm_store_open(&y->store, &config, &nobody));
}

// ---- steps ------------------------------------------------------------------

static void step(yard *y)
{
    bool did_work;
    assert_ok(lsm_store_step(&y->store, &did_work));
    steps_taken += did_work;
    size_t jobs = y->store.job_count + (y->store.flush != NULL);
    if (jobs > most_jobs) most_jobs = jobs;
}

// A writer would wait for ever: nobody else takes steps.
static void make_room(yard *y)
{
    while (atomic_load(&y->store.gate.current)->frozen_count >= FROZEN ||
           atomic_load(&y->store.pressure) > 0) {
        step(y);
    }
}

static void change(yard *y)
{
    char from[30], to[80];
    uint64_t n = draw(y, KEYS), limit = n + 1 + draw(y, 20);
    kv_change c = {.kind = KV_PUT, .key = key_of(from, n)};
    uint64_t dice = draw(y, 12);
    if (limit > KEYS) limit = KEYS;
    uint32_t number = ++y->changes;
    if (dice == 0) {
        c.kind = KV_DEL_RANGE;
        c.value = key_of(to, limit);
        for (uint64_t i = n; i < limit; i++) y->now.change[i] = 0;
    } else {
        c.kind = dice < 4 ? KV_DEL : KV_PUT;
        if (c.kind == KV_PUT) c.value = value_of(to, number);
        y->now.change[n] = c.kind == KV_PUT ? number : 0;
    }
    make_room(y);
    assert_ok(lsm_store_write(&y->store, &c, 1));
}

// ---- looking ----------------------------------------------------------------

static void get(yard *y, uint64_t n)
{
    char key[30], text[80];
    kv_buf value = {0};
    kv_status st = lsm_store_get(&y->store, key_of(key, n), &value);
    uint32_t number = y->now.change[n];
    assert_int_equal(st, number > 0 ? KV_OK : KV_NOT_FOUND);
    kv_slice want = number > 0 ? value_of(text, number) : (kv_slice){0};
    assert_true(kv_slice_equal(kv_buf_slice(&value), want));
    kv_buf_free(&value);
}

// The rest of the held cursor shows what was there when it was opened.
static void drop(yard *y)
{
    char key[30], text[80];
    kv_slice k, v;
    if (y->held.store == NULL) return;
    for (uint64_t n = 0; n < KEYS; n++) {
        uint32_t number = y->then.change[n];
        if (number == 0) continue;
        assert_ok(lsm_cursor_next(&y->held, &k, &v));
        assert_true(kv_slice_equal(k, key_of(key, n)));
        assert_true(kv_slice_equal(v, value_of(text, number)));
    }
    assert_status(lsm_cursor_next(&y->held, &k, &v), KV_END);
    lsm_cursor_close(&y->held);
    y->held = (lsm_cursor){0};
}

static void hold(yard *y)
{
    drop(y);
    y->then = y->now;
    kv_slice all = {0};
    assert_ok(lsm_cursor_open(&y->held, &y->store, all, all, false));
}

static void look_at_all(yard *y)
{
    for (uint64_t n = 0; n < KEYS; n++) get(y, n);
    hold(y);
    drop(y);
}

// ---- the whole --------------------------------------------------------------

static void reopen(yard *y)
{
    drop(y);
    assert_ok(lsm_store_close(&y->store)); // with jobs half done
    open_yard(y, false);
}

static void do_op(yard *y)
{
    char from[30], to[30];
    uint64_t dice = draw(y, 200), n = draw(y, KEYS);
    if (dice < 100) change(y);
    else if (dice < 170) step(y);
    else if (dice < 186) get(y, n);
    else if (dice < 190) hold(y);
    else if (dice < 193) drop(y);
    else if (dice < 196) {
        assert_ok(kv_commit_exclusive(&y->store.line, lsm_store_freeze_all,
                                      &y->store));
    } else if (dice < 198) {
        assert_ok(lsm_store_compact(&y->store, key_of(from, n),
                                    key_of(to, n + draw(y, 40))));
    } else if (dice < 199) {
        look_at_all(y);
    } else {
        reopen(y);
    }
}

static void run(uint64_t seed)
{
    yard y = {0};
    print_message("seed %llu\n", (unsigned long long)seed);
    kv_rng_seed(&y.rng, seed);
    assert_ok(kv_disk_open_sim(NULL, &y.disk));
    open_yard(&y, true);
    for (int i = 0; i < OPS; i++) do_op(&y);
    look_at_all(&y);
    for (bool did_work = true; did_work;) {
        assert_ok(lsm_store_settle_step(&y.store, &did_work));
    }
    look_at_all(&y);
    reopen(&y);
    look_at_all(&y);
    assert_ok(lsm_store_close(&y.store));
    assert_int_equal(kv_disk_sim_open_count(y.disk), 0);
    kv_disk_close(y.disk);
}

static void no_order_of_steps_shows(void **state)
{
    (void)state;
    steps_taken = most_jobs = 0;
    for (uint64_t i = 0; i < SEEDS; i++) run(first_seed + i);
    print_message("%llu steps, up to %llu jobs at once\n",
                  (unsigned long long)steps_taken,
                  (unsigned long long)most_jobs);
    assert_true(steps_taken > SEEDS * OPS / 8);
    assert_true(most_jobs > 2);
}

int main(int argc, char **argv)
{
    if (argc == 2) first_seed = strtoull(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_order_of_steps_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
