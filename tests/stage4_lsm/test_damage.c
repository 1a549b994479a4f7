// test_damage.c -- a table with one bit turned, or an end missing, is refused,
// and nothing that was not written is ever shown.
// SPDX-License-Identifier: MIT

#include "common/disk_sim.h"
#include "common/hash.h"

#include "tables.h"
#include "tests/support/test.h"

static const kv_why for_read = {KV_FOR_READ, false};

// A small table of several blocks, with a range tombstone.
static kv_buf make_table(oracle *o, lsm_compression compression)
{
    kv_rng rng;
    kv_disk *disk = NULL;
    kv_rng_seed(&rng, 3);
    oracle_make(o, &rng, 12);
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    lsm_builder_config config = {.block_bytes = 300,
                                 .bits_per_key = 10,
                                 .compression = compression,
                                 .why = {KV_FOR_FLUSH, true}};
    lsm_range_tombstone range = {kv_str("a"), kv_str("c"), 999};
    table_build(disk, o, &config, &range, 1);
    kv_buf bytes = file_read(disk, lsm_table_name(test_table_id.number).text);
    kv_disk_close(disk);
    return bytes;
}

// Opens these bytes as the table and reads all of it. KV_OK only if all is as
// it was written.
static kv_status read_all(kv_slice bytes, const oracle *o, bool use_map)
{
    kv_disk *disk = NULL;
    lsm_table *t = NULL;
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    file_write(disk, lsm_table_name(test_table_id.number).text, bytes);
    // Small: it is cleared for each of these thousands of tables.
    lsm_cache *cache = lsm_cache_new(64 << 10, 4096);
    lsm_table_home home = {disk, cache, use_map, &test_nobody, NULL};
    kv_status st = lsm_table_open(&home, &test_table_id, for_read, &t);
    if (st == KV_OK) {
        lsm_iter *it = lsm_table_iter(t, (lsm_scan_how){for_read, false});
        st = it->ops->first(it);
        for (size_t i = 0; st == KV_OK && it->is_valid; i++) {
            assert_true(i < o->count);
            assert_entry(&it->entry, &o->entries[i]);
            st = it->ops->next(it);
            assert_true(st != KV_OK || it->is_valid == (i + 1 < o->count));
        }
        it->ops->free(it);
        for (size_t i = 0; i < o->count; i++) {
            lsm_found found;
            const lsm_entry *e = &o->entries[i];
            kv_status got = lsm_table_get(
                t, e->key, kv_hash(e->key, LSM_HASH_SEED), e->seq, &found);
            assert_true(got == KV_OK || got == KV_CORRUPT);
            if (got != KV_OK) continue;
            assert_true(kv_slice_equal(found.value, e->value));
            lsm_found_release(&found);
        }
        assert_int_equal(lsm_table_check(t), st);
        lsm_table_unref(t);
    }
    lsm_cache_free(cache);
    kv_disk_close(disk);
    return st;
}

static void xray_survives(kv_slice bytes, uint64_t damages)
{
    kv_xray x = {.limit = UINT64_MAX};
    lsm_table_xray(bytes, &x);
    if (damages == 0) {
        assert_int_equal(x.damage_count, 0);
    } else {
        assert_true(x.damage_count > 0);
    }
    kv_buf_free(&x.text);
}

static void every_flip_is_noticed(void **state)
{
    (void)state;
    for (int c = 0; c < LSM_COMPRESSIONS; c++) {
        oracle o;
        kv_buf bytes = make_table(&o, (lsm_compression)c);
        kv_slice whole = kv_buf_slice(&bytes);
        print_message("%zu bytes\n", whole.len);
        assert_ok(read_all(whole, &o, false));
        assert_ok(read_all(whole, &o, true));
        xray_survives(whole, 0);
        for (size_t bit = 0; bit < whole.len * 8; bit++) {
            bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_status(read_all(whole, &o, bit % 2 == 0), KV_CORRUPT);
            if (bit % 7 == 0) xray_survives(whole, 1);
            bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        kv_buf_free(&bytes);
        oracle_free(&o);
    }
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    oracle o;
    kv_buf bytes = make_table(&o, LSM_COMPRESS_LZ4);
    for (size_t len = 0; len < bytes.len; len++) {
        kv_slice prefix = kv_slice_of(bytes.data, len);
        assert_status(read_all(prefix, &o, false), KV_CORRUPT);
        xray_survives(prefix, 1);
    }
    kv_buf_append(&bytes, kv_str("x"));
    assert_status(read_all(kv_buf_slice(&bytes), &o, false), KV_CORRUPT);
    kv_buf_free(&bytes);
    oracle_free(&o);
}

// A table under another number, or of another store, is refused by name.
static void another_table_is_refused(void **state)
{
    (void)state;
    oracle o;
    kv_buf bytes = make_table(&o, LSM_COMPRESS_NONE);
    static const lsm_table_id others[] = {{0x5b3c1f0a99e01d77, 8}, {1, 7}};
    for (int i = 0; i < 2; i++) {
        kv_disk *disk = NULL;
        lsm_table *t = NULL;
        assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
        file_write(disk, lsm_table_name(others[i].number).text,
                   kv_buf_slice(&bytes));
        lsm_table_home home = {disk, NULL, false, &test_nobody, NULL};
        assert_status(lsm_table_open(&home, &others[i], for_read, &t),
                      KV_CORRUPT);
        assert_non_null(strstr(kv_last_error(), "not this store's"));
        assert_status(
            lsm_table_open(&home, &(lsm_table_id){1, 99}, for_read, &t),
            KV_CORRUPT);
        assert_non_null(strstr(kv_last_error(), "000099.sst"));
        kv_disk_close(disk);
    }
    kv_buf_free(&bytes);
    oracle_free(&o);
}

// Two blocks of equal size that changed places have good bytes in bad places.
static void a_moved_block_is_refused(void **state)
{
    (void)state;
    char keys[8][16];
    lsm_entry entries[8];
    for (int i = 0; i < 8; i++) {
        snprintf(keys[i], sizeof keys[i], "key %d", i);
        entries[i] = (lsm_entry){kv_str(keys[i]), kv_str("value"),
                                 (uint64_t)i + 1, LSM_PUT};
    }
    const oracle o = {.entries = entries, .count = 8};
    kv_disk *disk = NULL;
    assert_ok(kv_disk_open_sim(&(kv_sim_options){0}, &disk));
    lsm_builder_config config = {.block_bytes = 1, .why = for_read};
    table_build(disk, &o, &config, NULL, 0);
    kv_buf bytes = file_read(disk, lsm_table_name(test_table_id.number).text);
    kv_disk_close(disk);
    assert_ok(read_all(kv_buf_slice(&bytes), &o, false));
    size_t size = 3 + 5 + 5 + 3 + LSM_BLOCK_TAIL_BYTES + LSM_SEAL_BYTES;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = bytes.data[i];
        bytes.data[i] = bytes.data[size + i];
        bytes.data[size + i] = byte;
    }
    assert_status(read_all(kv_buf_slice(&bytes), &o, false), KV_CORRUPT);
    kv_buf_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flip_is_noticed),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(another_table_is_refused),
        cmocka_unit_test(a_moved_block_is_refused),
    };
    return cmocka_run_group_tests_name("stage4.damage", tests, NULL, NULL);
}
