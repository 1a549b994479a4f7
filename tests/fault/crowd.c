// crowd.c -- see crowd.h.
// SPDX-License-Identifier: MIT

#include "tests/fault/crowd.h"

#include <string.h>

#include "common/crash/crash.h"
#include "common/mem.h"

// More than the smallest cache has room for.
enum { KEYS = 400, VALUE_BYTES = 100 };

static kv_slice key_of(char to[16], unsigned n)
{
    snprintf(to, 16, "%04u", n % KEYS);
    return kv_str(to);
}

static kv_status put(kv *db, unsigned n, char mark)
{
    char name[16], value[VALUE_BYTES];
    memset(value, mark, sizeof value);
    return kv_put(db, key_of(name, n), kv_slice_of(value, sizeof value));
}

// Once, and without a workload.
static void try_once(const kv_engine *engine, const char *what, life_test *test)
{
    uint64_t seed = life_seeds[1];
    life_seeds[1] = 0;
    life_try(engine, "R5", what, test);
    life_seeds[1] = seed;
}

// ---- an old cursor ----------------------------------------------------------

enum { WRITES = 30 };

// The cursor shows every key with the value that it had, to the end.
static void expect_old(kv_cursor *c, const char *knobs, const char *rule)
{
    kv_slice key, value;
    kv_status st;
    unsigned n = 0;
    for (; (st = kv_cursor_next(c, &key, &value)) == KV_OK; n++) {
        char name[16];
        assert_true(kv_slice_equal(key, key_of(name, n)));
        assert_int_equal(value.len, VALUE_BYTES);
        assert_int_equal(value.data[0], 'a');
    }
    if (st != KV_END) print_error("%s, %s: %s\n", knobs, rule, kv_last_error());
    assert_int_equal(st, KV_END);
    assert_int_equal(n, KEYS);
}

// Writes, as long as the disk fails, and gets between them, which turn the
// cache over: what a cursor needs is there all the same.
static void outlive(life *l, const char *rule)
{
    kv_cursor *cursor = NULL;
    kv_buf value = {0};
    char name[16];
    unsigned failed = 0;
    for (unsigned n = 0; n < KEYS; n++) assert_ok(put(l->db, n, 'a'));
    assert_ok(kv_scan(l->db, (kv_range){.reverse = false}, &cursor));
    for (unsigned n = 0; n < KEYS; n += 3) assert_ok(put(l->db, n, 'b'));
    assert_ok(kv_disk_fault_set(l->disk, rule));
    for (unsigned n = 0; n < WRITES; n++) {
        failed += put(l->db, n * 7, 'c') != KV_OK;
        for (unsigned i = 0; i < KEYS / 10; i++) {
            assert_ok(kv_get(l->db, key_of(name, n + i * 10), &value));
        }
    }
    kv_buf_free(&value);
    life_injections += failed;
    expect_old(cursor, l->knobs, rule);
    kv_cursor_close(cursor);
}

static void survive_old(const life *begin, const char *knobs, const char *rule)
{
    life l = *begin;
    kv_disk *sim = NULL;
    l.knobs = knobs;
    l.memory_bytes = 1;
    assert_ok(kv_disk_open_sim(NULL, &sim));
    assert_ok(kv_disk_open_fault(sim, "", &l.disk));
    assert_ok(life_open(&l));
    outlive(&l, rule);
    assert_ok(kv_disk_fault_set(l.disk, ""));
    (void)life_close(&l);
    assert_ok(life_open(&l));
    assert_ok(put(l.db, 1, 'd'));
    assert_ok(life_look(l.db));
    assert_ok(life_close(&l));
    kv_disk_close(l.disk);
}

// Each setting with another failure: all of them with all take long.
static void every_old_cursor(const life *begin)
{
    static const char *const rules[] = {"wal:open:1+:ENOSPC",
                                        "*:write:4+:short", "*:sync:1+:EIO"};
    kv_names knobs = {0};
    kv_crash_knobs(begin->engine, &knobs);
    for (size_t i = 0; i < knobs.count; i++) {
        survive_old(begin, knobs.name[i], rules[i % 3]);
    }
    kv_names_free(&knobs);
}

void crowd_outlive(const kv_engine *engine)
{
    unsigned needs = KV_CAP_SNAPSHOT | KV_CAP_ORDERED;
    if ((kv_describe(engine)->caps & needs) != needs) return;
    try_once(engine, "failures under a cursor", every_old_cursor);
}

// ---- a sync that fails ------------------------------------------------------

// A store that was told to put 'b' behind some keys' 'a', one by one.
typedef struct crowd {
    life life;
    const char *rule;
    unsigned told;     // so many keys
    bool is_last_sure; // the last of them was acknowledged
    unsigned refused;  // reads
} crowd;

enum { STRIDE = 147, TOLD_MAX = 20 }; // far apart

static unsigned nth_key(unsigned n) { return n * STRIDE % KEYS; }

// May the value be the key's? Of what failed nobody knows.
static bool is_lawful(const crowd *c, unsigned key, kv_slice value)
{
    bool may_be_old = true, may_be_new = false;
    for (unsigned n = 0; n < c->told; n++) {
        if (nth_key(n) != key) continue;
        may_be_old = n + 1 == c->told && !c->is_last_sure;
        may_be_new = true;
    }
    if (value.len != VALUE_BYTES) return false;
    return (may_be_old && value.data[0] == 'a') ||
           (may_be_new && value.data[0] == 'b');
}

static void judge(crowd *c, unsigned key, kv_status st, kv_slice value,
                  bool may_fail)
{
    bool is_refused = may_fail && (st == KV_IO || st == KV_CORRUPT);
    bool is_right = st == KV_OK && is_lawful(c, key, value);
    c->refused += is_refused;
    if (is_refused) assert_true(strlen(kv_last_error()) > 10);
    if (is_right || is_refused) return;
    print_error("%s, %s: key %u of %u told: status %d, value of '%c': %s\n",
                c->life.knobs, c->rule, key, c->told, (int)st,
                value.len > 0 ? value.data[0] : '-', kv_last_error());
    fail();
}

static void expect_all(crowd *c, bool may_fail)
{
    kv_buf value = {0};
    for (unsigned n = 0; n < KEYS; n++) {
        char name[16];
        kv_buf_clear(&value);
        kv_status st = kv_get(c->life.db, key_of(name, n), &value);
        judge(c, n, st, kv_buf_slice(&value), may_fail);
    }
    kv_buf_free(&value);
}

// A scan skips nothing; a read that fails ends it.
static void expect_scan(crowd *c)
{
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    unsigned n = 0;
    if (!(kv_describe(c->life.engine)->caps & KV_CAP_ORDERED)) return;
    kv_status st = kv_scan(c->life.db, (kv_range){.reverse = false}, &cursor);
    while (st == KV_OK) {
        char name[16];
        st = kv_cursor_next(cursor, &key, &value);
        if (st == KV_END) break;
        if (st == KV_OK) assert_true(kv_slice_equal(key, key_of(name, n)));
        judge(c, n++, st, value, true);
    }
    if (st == KV_END) assert_int_equal(n, KEYS);
    kv_cursor_close(cursor);
}

// Power goes, and nothing that was not synced is there.
static void cut_power(life *l)
{
    size_t atoms = 0;
    (void)kv_disk_sim_atoms(l->disk, &atoms);
    uint8_t *none = kv_zalloc(atoms + 1);
    kv_disk *cut = kv_disk_sim_crash(l->disk, none, KV_SIM_SHORT);
    kv_free(none);
    (void)life_close(l);
    kv_disk_close(l->disk);
    l->disk = cut;
}

// Writes until the sync has failed; false: it was not met.
static bool lose(crowd *c, uint64_t nth, kv_sim_loss loss)
{
    life *l = &c->life;
    uint64_t before = kv_disk_sim_syncs(l->disk);
    kv_status st = KV_OK;
    kv_disk_sim_fail_sync(l->disk, nth, loss);
    while (st == KV_OK && c->told < TOLD_MAX) {
        st = put(l->db, nth_key(c->told++), 'b');
        c->is_last_sure = st == KV_OK;
    }
    bool met = kv_disk_sim_syncs(l->disk) >= before + nth;
    kv_disk_sim_fail_sync(l->disk, 0, loss); // it must not be met later
    if (met) assert_status(st, KV_IO);
    return met;
}

// What the store holds stays right while it is open, when it is reopened on
// what reads show, and when power goes then.
static bool survive_loss(const life *loaded, uint64_t nth, kv_sim_loss loss)
{
    char rule[40];
    crowd c = {.life = *loaded, .rule = rule};
    snprintf(rule, sizeof rule, "sync %d lost in way %d", (int)nth, (int)loss);
    c.life.disk = kv_disk_sim_kill(loaded->disk);
    assert_ok(life_open(&c.life));
    bool met = lose(&c, nth, loss);
    expect_all(&c, met);
    expect_scan(&c);
    (void)life_close(&c.life);
    assert_ok(life_open(&c.life));
    expect_all(&c, false);
    cut_power(&c.life);
    assert_ok(life_open(&c.life));
    expect_all(&c, false);
    assert_ok(life_look(c.life.db));
    assert_ok(life_close(&c.life));
    kv_disk_close(c.life.disk);
    life_injections += met;
    return met;
}

// The first syncs, and fewer and fewer of those that follow.
static void lose_syncs(const life *begin, const char *knobs, kv_sim_loss loss)
{
    uint64_t nth = 1;
    life l = *begin;
    l.knobs = knobs;
    l.memory_bytes = 1;
    assert_ok(kv_disk_open_sim(NULL, &l.disk));
    assert_ok(life_open(&l));
    for (unsigned n = 0; n < KEYS; n++) assert_ok(put(l.db, n, 'a'));
    assert_ok(life_close(&l));
    while (survive_loss(&l, nth, loss)) nth += 1 + nth / 24;
    kv_disk_close(l.disk);
}

// The first setting in each way, and the others in turn: all of them with all
// take long.
static void every_lost_sync(const life *begin)
{
    kv_names knobs = {0};
    kv_crash_knobs(begin->engine, &knobs);
    for (unsigned i = 0; i < KV_SIM_LOSSES + knobs.count - 1; i++) {
        unsigned setting = i < KV_SIM_LOSSES ? 0 : i - KV_SIM_LOSSES + 1;
        lose_syncs(begin, knobs.name[setting],
                   (kv_sim_loss)(i % KV_SIM_LOSSES));
    }
    kv_names_free(&knobs);
}

void crowd_lose_syncs(const kv_engine *engine)
{
    try_once(engine, "syncs that failed in a crowd", every_lost_sync);
}
