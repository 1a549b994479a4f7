// test_cursor.c -- a walk over every kind of place at once, beside a model: two
// runs of level 0 and one of the last level, a frozen memtable and the active
// one, each with tombstones and range tombstones; from and to everywhere, both
// ways.
// SPDX-License-Identifier: MIT

#include "common/disk_sim.h"
#include "common/rng.h"

#include "stores.h"
#include "tests/support/test.h"

enum { KEYS = 9, LAYERS = 5, CHANGES = 5, SEEDS = 40 };

// Key n is a letter. Where it stands as a bound, one beyond is no bound.
static kv_slice key_of(unsigned n)
{
    static const char letters[] = "bdfhjlnpr";
    return kv_slice_of(letters + n, n < KEYS ? 1 : 0);
}

typedef struct world {
    kv_disk *disk;
    lsm_store store;
    kv_rng rng;
    uint8_t value[KEYS]; // the model; 0: the key is not there
    uint8_t last_value;
} world;

static unsigned draw(world *w, unsigned limit)
{
    return (unsigned)kv_rng_below(&w->rng, limit);
}

static void open_world(world *w, uint64_t seed)
{
    static const kv_explainer nobody;
    *w = (world){0};
    kv_rng_seed(&w->rng, seed);
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &w->disk));
    lsm_config config = small_store(w->disk, true);
    config.steps_inline = false;
    config.table_bytes = config.block_bytes = 64; // several tables in a run
    assert_ok(lsm_store_open(&w->store, &config, &nobody));
}

static void close_world(world *w)
{
    assert_ok(lsm_store_close(&w->store));
    kv_disk_close(w->disk);
}

// A put, a deletion, or a deletion of a range; in the first layer a put.
static void change_once(world *w)
{
    unsigned from = draw(w, KEYS), limit = from + 1 + draw(w, 3);
    unsigned what = w->last_value < CHANGES ? 2 : draw(w, 6);
    uint8_t byte = ++w->last_value;
    if (limit > KEYS) limit = KEYS;
    kv_change put = {KV_PUT, key_of(from), kv_slice_of(&byte, 1)};
    kv_change del = {KV_DEL, key_of(from), {0}};
    kv_change del_range = {KV_DEL_RANGE, key_of(from), key_of(limit)};
    const kv_change *change = what > 1 ? &put : what > 0 ? &del : &del_range;
    assert_ok(lsm_store_write(&w->store, change, 1));
    w->value[from] = what > 1 ? byte : 0;
    if (what > 0) return;
    for (unsigned n = from; n < limit; n++) w->value[n] = 0;
}

static void freeze(world *w)
{
    lsm_store *s = &w->store;
    assert_ok(kv_commit_exclusive(&s->line, lsm_store_freeze_all, s));
}

// The changes of one layer, and to where they sink: the last level, level 0,
// level 0 again, a frozen memtable, the active one.
static void fill_layer(world *w, int layer)
{
    lsm_store *s = &w->store;
    for (int i = 0; i < CHANGES; i++) change_once(w);
    if (layer == 0)
        assert_ok(lsm_store_compact(s, (kv_slice){0}, (kv_slice){0}));
    if (layer >= 1 && layer <= 3) freeze(w);
    if (layer == 1 || layer == 2) assert_ok(lsm_store_flush(s, 0));
}

// What is left of a walk shows the model's keys from `from` up to `to`.
static void expect(lsm_cursor *c, const uint8_t *value, unsigned from,
                   unsigned to, bool reverse)
{
    kv_slice key, shown;
    for (unsigned i = 0; i < KEYS; i++) {
        unsigned n = reverse ? KEYS - 1 - i : i;
        if (value[n] == 0 || n < from || n >= to) continue;
        assert_ok(lsm_cursor_next(c, &key, &shown));
        assert_true(kv_slice_equal(key, key_of(n)));
        assert_int_equal(shown.len, 1);
        assert_int_equal(shown.data[0], value[n]);
    }
    assert_status(lsm_cursor_next(c, &key, &shown), KV_END);
}

static void expect_all_ranges(world *w)
{
    for (unsigned from = 0; from <= KEYS; from++) {
        for (unsigned to = 0; to <= KEYS; to++) {
            for (int reverse = 0; reverse < 2; reverse++) {
                lsm_cursor c = {0};
                assert_ok(lsm_cursor_open(&c, &w->store, key_of(from),
                                          key_of(to), reverse > 0));
                expect(&c, w->value, from < KEYS ? from : 0, to, reverse > 0);
                lsm_cursor_close(&c);
            }
        }
    }
}

static void a_walk_shows_the_newest_of_all_places(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        world w;
        uint8_t then[KEYS];
        lsm_cursor held[2] = {{0}, {0}};
        print_message("seed %llu\n", (unsigned long long)seed);
        open_world(&w, seed);
        for (int layer = 0; layer < LAYERS - 1; layer++) fill_layer(&w, layer);
        memcpy(then, w.value, sizeof then);
        for (int i = 0; i < 2; i++) {
            assert_ok(lsm_cursor_open(&held[i], &w.store, (kv_slice){0},
                                      (kv_slice){0}, i > 0));
        }
        fill_layer(&w, LAYERS - 1);
        const lsm_view *view = w.store.gate.current;
        assert_int_equal(view->frozen_count, 1);
        assert_int_equal(view->version->run_count, 3);
        expect_all_ranges(&w);
        // Walks that were opened before show their moment, all having moved.
        freeze(&w);
        assert_ok(lsm_store_compact(&w.store, (kv_slice){0}, (kv_slice){0}));
        expect_all_ranges(&w);
        for (int i = 0; i < 2; i++) {
            expect(&held[i], then, 0, KEYS, i > 0);
            lsm_cursor_close(&held[i]);
        }
        close_world(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_shows_the_newest_of_all_places)};
    return cmocka_run_group_tests_name("stage4.cursor", tests, NULL, NULL);
}
