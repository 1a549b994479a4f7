// yard.c -- see yard.h.
// SPDX-License-Identifier: MIT

#include "tests/stage5_btree/yard.h"

#include "common/disk_sim.h"
#include "common/rng.h"

#include "bt.h"
#include "tests/support/test.h"

static void open_store(yard *y)
{
    kv_options options = {.path = "yard",
                          .knobs = y->knobs,
                          .disk = y->disk,
                          .sync = y->sync,
                          .memory_bytes = y->memory_bytes,
                          .seed = 1,
                          .create = true};
    assert_ok(kv_open(&bt_engine, &options, &y->db));
}

void yard_open(yard *y, const char *knobs)
{
    *y = (yard){.knobs = knobs, .sync = KV_SYNC_NONE};
    assert_ok(kv_disk_open_sim(NULL, &y->disk));
    open_store(y);
}

void yard_reopen(yard *y)
{
    if (y->db != NULL) assert_ok(kv_close(y->db));
    y->db = NULL;
    open_store(y);
}

void yard_close(yard *y)
{
    if (y->db != NULL) assert_ok(kv_close(y->db));
    kv_disk_close(y->disk);
    y->db = NULL;
    y->disk = NULL;
}

void yard_kill(yard *y)
{
    kv_disk *left = kv_disk_sim_kill(y->disk);
    (void)kv_close(y->db);
    kv_disk_close(y->disk);
    y->db = NULL;
    y->disk = left;
}

kv_slice yard_key(char to[32], unsigned key)
{
    snprintf(to, 32, "key-%04u", key);
    return kv_str(to);
}

static void fill_value(kv_buf *to, uint32_t seed, uint32_t size)
{
    kv_buf_clear(to);
    kv_buf_reserve(to, size);
    for (uint32_t i = 0; i < size; i++) {
        to->data[i] = (uint8_t)kv_mix64(seed * UINT64_C(7919) + i / 8);
    }
    to->len = size;
}

void yard_put(yard *y, unsigned key, uint32_t seed, uint32_t size)
{
    char name[32];
    kv_buf value = {0};
    fill_value(&value, seed, size);
    kv_slice k = yard_key(name, key), v = kv_buf_slice(&value);
    if (y->gathers) kv_batch_put(&y->batch, k, v);
    else assert_ok(kv_put(y->db, k, v));
    kv_buf_free(&value);
    y->count += y->seed[key] == 0;
    y->seed[key] = seed;
    y->size[key] = size;
}

void yard_del(yard *y, unsigned key)
{
    char name[32];
    kv_slice k = yard_key(name, key);
    if (y->gathers) kv_batch_del(&y->batch, k);
    else assert_ok(kv_del(y->db, k));
    y->count -= y->seed[key] != 0;
    y->seed[key] = 0;
}

void yard_begin_batch(yard *y) { y->gathers = true; }

void yard_end_batch(yard *y)
{
    y->gathers = false;
    assert_ok(kv_write(y->db, &y->batch));
    kv_batch_free(&y->batch);
}

kv_status yard_check(yard *y)
{
    kv_report report = {0};
    kv_status st = kv_check(y->db, &report);
    kv_report_free(&report);
    return st;
}

static void compare_entry(const yard *y, unsigned key, kv_slice name,
                          kv_slice value)
{
    char want_name[32];
    kv_buf want = {0};
    fill_value(&want, y->seed[key], y->size[key]);
    assert_true(kv_slice_equal(name, yard_key(want_name, key)));
    assert_true(kv_slice_equal(value, kv_buf_slice(&want)));
    kv_buf_free(&want);
}

static void compare_scan(yard *y, bool reverse)
{
    kv_cursor *cursor = NULL;
    kv_slice name, value;
    unsigned key = reverse ? YARD_KEYS : 0, seen = 0;
    assert_ok(kv_scan(y->db, (kv_range){.reverse = reverse}, &cursor));
    while (kv_cursor_next(cursor, &name, &value) == KV_OK) {
        if (reverse) key--;
        while (y->seed[key] == 0) key += reverse ? (unsigned)-1 : 1;
        compare_entry(y, key, name, value);
        if (!reverse) key++;
        seen++;
    }
    kv_cursor_close(cursor);
    assert_int_equal(seen, y->count);
}

void yard_compare(yard *y)
{
    kv_buf value = {0};
    char name[32];
    for (unsigned key = 0; key < YARD_KEYS; key++) {
        kv_status st = kv_get(y->db, yard_key(name, key), &value);
        assert_int_equal(st, y->seed[key] != 0 ? KV_OK : KV_NOT_FOUND);
        if (st == KV_OK) {
            compare_entry(y, key, yard_key(name, key), kv_buf_slice(&value));
        }
    }
    kv_buf_free(&value);
    compare_scan(y, false);
    compare_scan(y, true);
    assert_ok(yard_check(y));
}

static double find_fact(yard *y, const char *what, const char *branch,
                        const char *name)
{
    kv_report report = {0};
    double found = -1;
    bool is_below = false;
    assert_ok(kv_inspect(y->db, what, &report));
    for (size_t i = 0; i < report.count && found < 0; i++) {
        const kv_fact *fact = &report.facts[i];
        if (fact->name == NULL) continue;
        is_below |= strcmp(fact->name, branch) == 0;
        if (!is_below || strcmp(fact->name, name) != 0) continue;
        bool is_ratio =
            fact->kind == KV_FACT_RATIO || fact->kind == KV_FACT_SHARE;
        found = is_ratio ? fact->ratio : (double)fact->count;
    }
    kv_report_free(&report);
    return found;
}

double yard_fact(yard *y, const char *branch, const char *name)
{
    return find_fact(y, NULL, branch, name);
}

double yard_metric(yard *y, const char *branch, const char *name)
{
    return find_fact(y, "metrics", branch, name);
}
