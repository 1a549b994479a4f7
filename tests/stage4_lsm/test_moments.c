// test_moments.c -- range tombstones under snapshots that are held: random
// changes, flushes and compactions beside a table in memory, and walks that go
// on over the moment at which they were opened.
// SPDX-License-Identifier: MIT

#include "common/disk_sim.h"
#include "common/rng.h"

#include "lsm.h"
#include "tests/support/test.h"

enum { KEYS = 60, HELD = 4, OPS = 1500, SEEDS = 6 };

// What each key has: the number of the change that put it, or 0.
typedef struct moment {
    uint32_t value[KEYS];
} moment;

// A walk, how far it has come, and what it must show.
typedef struct walk {
    kv_cursor *cursor; // NULL: none
    moment then;
    int next, limit; // keys still to be shown: next … limit-1, either way
    bool reverse;
} walk;

typedef struct trial {
    kv *db;
    kv_rng rng;
    moment now;
    walk held[HELD];
    uint32_t changes;
} trial;

// Of one key many lengths, so that tables and blocks end everywhere.
static kv_slice key_of(char *text, int n)
{
    int len = snprintf(text, 40, "%02d%.*s", n, n % 7, "xxxxxxx");
    return kv_slice_of(text, (size_t)len);
}

static kv_slice value_of(char *text, uint32_t change)
{
    int len = snprintf(text, 60, "%u:%.*s", change, (int)(change % 40),
                       "........................................");
    return kv_slice_of(text, (size_t)len);
}

static int draw(trial *t, int limit)
{
    return (int)kv_rng_below(&t->rng, (uint64_t)limit);
}

// A range of keys, never empty; one in eight is open at the end.
static void draw_range(trial *t, int *from, int *limit)
{
    *from = draw(t, KEYS);
    *limit = *from + 1 + draw(t, KEYS / 4);
    if (*limit > KEYS || draw(t, 8) == 0) *limit = KEYS;
}

static kv_slice limit_key(char *text, int limit)
{
    return limit == KEYS ? (kv_slice){0} : key_of(text, limit);
}

// ---- changes ----------------------------------------------------------------

static void put(trial *t)
{
    char key[40], value[60];
    int n = draw(t, KEYS);
    t->now.value[n] = ++t->changes;
    assert_ok(kv_put(t->db, key_of(key, n), value_of(value, t->changes)));
}

static void del(trial *t)
{
    char key[40];
    int n = draw(t, KEYS);
    t->now.value[n] = 0;
    assert_ok(kv_del(t->db, key_of(key, n)));
}

static void del_range(trial *t)
{
    char from[40], to[40];
    int first, limit;
    draw_range(t, &first, &limit);
    for (int n = first; n < limit; n++) t->now.value[n] = 0;
    assert_ok(kv_del_range(t->db, key_of(from, first), limit_key(to, limit)));
}

static void compact(trial *t)
{
    char from[40], to[40];
    int first, limit;
    draw_range(t, &first, &limit);
    assert_ok(kv_compact(t->db, key_of(from, first), limit_key(to, limit)));
}

static void settle(trial *t) { assert_ok(kv_settle(t->db)); }

static void step(trial *t)
{
    bool did_work;
    assert_ok(kv_maintain(t->db, &did_work));
}

// ---- looks ------------------------------------------------------------------

static void get(trial *t)
{
    char key[40], value[60];
    kv_buf got = {0};
    int n = draw(t, KEYS);
    kv_status st = kv_get(t->db, key_of(key, n), &got);
    assert_status(st, t->now.value[n] > 0 ? KV_OK : KV_NOT_FOUND);
    if (st == KV_OK) {
        assert_true(kv_slice_equal(kv_buf_slice(&got),
                                   value_of(value, t->now.value[n])));
    }
    kv_buf_free(&got);
}

// The next key that the walk must show, or -1.
static int expect(walk *w)
{
    while (w->next < w->limit) {
        int n = w->reverse ? --w->limit : w->next++;
        if (w->then.value[n] > 0) return n;
    }
    return -1;
}

// Takes up to `count` steps; closes what has ended.
static void walk_on(walk *w, int count)
{
    char text[60];
    for (; count > 0 && w->cursor != NULL; count--) {
        kv_slice key, value;
        int n = expect(w);
        kv_status st = kv_cursor_next(w->cursor, &key, &value);
        assert_status(st, n >= 0 ? KV_OK : KV_END);
        if (n >= 0) {
            assert_true(kv_slice_equal(key, key_of(text, n)));
            assert_true(
                kv_slice_equal(value, value_of(text, w->then.value[n])));
        } else {
            kv_cursor_close(w->cursor);
            w->cursor = NULL;
        }
    }
}

static void hold(trial *t)
{
    char from[40], to[40];
    walk *w = &t->held[draw(t, HELD)];
    walk_on(w, KEYS + 1);
    draw_range(t, &w->next, &w->limit);
    w->then = t->now;
    w->reverse = draw(t, 2) == 1;
    kv_range range = {.from = key_of(from, w->next),
                      .to = limit_key(to, w->limit),
                      .reverse = w->reverse};
    assert_ok(kv_scan(t->db, range, &w->cursor));
}

static void walk_a_little(trial *t)
{
    walk_on(&t->held[draw(t, HELD)], 1 + draw(t, 5));
}

// ---- the whole --------------------------------------------------------------

typedef struct act {
    void (*run)(trial *t);
    int weight;
} act;

static const act acts[] = {{put, 40}, {del, 10},    {del_range, 8},
                           {get, 30}, {hold, 4},    {walk_a_little, 10},
                           {step, 6}, {compact, 2}, {settle, 1}};

static void act_once(trial *t)
{
    int sum = 0;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        sum += acts[i].weight;
    }
    int drawn = draw(t, sum);
    size_t i = 0;
    for (; drawn >= acts[i].weight; i++) drawn -= acts[i].weight;
    acts[i].run(t);
}

static void open_trial(trial *t, kv_disk *disk, const char *knobs)
{
    kv_options options = {.knobs = knobs,
                          .disk = disk,
                          .sync = KV_SYNC_NONE,
                          .memory_bytes = 1 << 20,
                          .seed = 1,
                          .create = true};
    assert_ok(kv_open(&lsm_engine, &options, &t->db));
}

static void release_all(trial *t)
{
    for (int i = 0; i < HELD; i++) walk_on(&t->held[i], KEYS + 1);
}

static void run_trial(const char *knobs, uint64_t seed)
{
    trial t = {0};
    kv_disk *disk = NULL;
    kv_report report = {0};
    print_message("%s, seed %llu\n", knobs, (unsigned long long)seed);
    kv_rng_seed(&t.rng, seed);
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    for (int life = 0; life < 2; life++) { // what lasts is what was
        open_trial(&t, disk, knobs);
        for (int i = 0; i < OPS / 2; i++) act_once(&t);
        release_all(&t);
        assert_ok(kv_check(t.db, &report));
        assert_ok(kv_close(t.db));
    }
    kv_report_free(&report);
    kv_disk_close(disk);
}

#define TINY                                                                   \
    "background=0,memtable_bytes=700,table_bytes=400,block_bytes=100,"         \
    "manifest_bytes=2000"

static void a_held_moment_stays(void **state)
{
    (void)state;
    static const char *const knobs[] = {
        TINY ",level0_runs=2,size_ratio=3",
        TINY ",compaction=tiered,tier_runs=3",
        TINY ",level0_runs=1,size_ratio=2,bits_per_key=2,parallel=3",
        "background=0,memtable_bytes=8KiB,level0_runs=4"};
    for (size_t i = 0; i < sizeof knobs / sizeof *knobs; i++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            run_trial(knobs[i], seed);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_held_moment_stays)};
    return cmocka_run_group_tests_name("stage4.moments", tests, NULL, NULL);
}
