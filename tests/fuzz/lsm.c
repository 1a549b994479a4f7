// lsm.c -- fuzz targets of stage 4: a block, the parts of a table, and a whole
// one; see targets.h.
// SPDX-License-Identifier: MIT

#include <stdio.h>
#include <stdlib.h>

#include "common/disk_sim.h"
#include "common/hash.h"

#include "builder.h"
#include "table.h"
#include "tests/fuzz/targets.h"

static void must(bool holds)
{
    if (!holds) abort();
}

// Every byte of it is there.
static unsigned sum_of(kv_slice bytes)
{
    unsigned sum = 0;
    for (size_t i = 0; i < bytes.len; i++) sum += bytes.data[i];
    return sum;
}

// ---- a block ----------------------------------------------------------------

static void add_entries(lsm_block_builder *b, unsigned count)
{
    lsm_block_begin(b, 5);
    for (unsigned i = 0; i < count; i++) {
        char key[64], value[16];
        unsigned version = i % 3 == 2, n = i - version;
        snprintf(key, sizeof key, "a common beginning, %u, %u", 100 + n,
                 n % 7 * 999);
        snprintf(value, sizeof value, "%u", i * i);
        lsm_entry e = {kv_str(key), version ? (kv_slice){0} : kv_str(value),
                       1000 - i, version ? LSM_DEL : LSM_PUT};
        must(lsm_block_add(b, &e, kv_hash(e.key, LSM_HASH_SEED), SIZE_MAX));
    }
}

void fuzz_lsm_block_run(kv_slice input)
{
    lsm_block block;
    if (!lsm_block_open(input, &block)) return;
    lsm_block_walk w = {.block = block};
    lsm_entry e, got;
    uint32_t count = 0, at;
    unsigned sum = 0;
    lsm_block_first(&w, &e);
    do {
        must(e.key.len > 0 && e.seq <= LSM_SEQ_MAX);
        lsm_block_get(&block, e.key, kv_hash(e.key, LSM_HASH_SEED), e.seq,
                      &got);
        sum += sum_of(e.key) + sum_of(e.value);
        count++;
    } while (lsm_block_next(&w, &e));
    must(count == block.count);
    lsm_block_last(&w, &e);
    do {
        sum -= sum_of(e.key) + sum_of(e.value);
    } while (lsm_block_prev(&w, &e));
    must(sum == 0); // both ways show the same
    lsm_block_seek(&w, kv_str("a common beginning, 120"), &e);
    lsm_block_seek_before(&w, kv_str("a common beginning, 120"), &e);
    lsm_block_check(&block, input, &at);
    kv_buf_free(&w.key);
}

bool fuzz_lsm_block_seed(unsigned n, kv_buf *to)
{
    static const unsigned counts[] = {1, 3, 17, 60};
    if (n >= 4) return false;
    lsm_block_builder b = {0};
    add_entries(&b, counts[n]);
    kv_buf_append(to, lsm_block_finish(&b, n));
    lsm_block_builder_free(&b);
    return true;
}

// ---- parts: what a get takes, its put gives back ----------------------------

static void run_range(kv_slice input, kv_buf *again)
{
    lsm_range_tombstone r;
    size_t size = lsm_get_range(input, &r);
    if (size == 0) return;
    lsm_put_range(again, &r);
    must(again->len == size && memcmp(again->data, input.data, size) == 0);
}

static void run_index_entry(kv_slice input, kv_buf *again)
{
    lsm_index_entry e;
    size_t size = lsm_get_index_entry(input, &e);
    if (size == 0) return;
    lsm_put_index_entry(again, &e);
    must(again->len == size && memcmp(again->data, input.data, size) == 0);
}

static void run_properties(kv_slice input, kv_buf *again)
{
    lsm_properties p = {0};
    if (lsm_get_properties(input, &p) == 0) return;
    lsm_put_properties(again, &p);
    must(kv_slice_equal(kv_buf_slice(again), input));
}

static void run_index(kv_slice input, kv_buf *unused)
{
    (void)unused;
    lsm_index x = {0};
    lsm_footer f = {.data_bytes = 4151, .block_count = 2};
    if (lsm_index_open(&x, input, &f)) {
        must(lsm_index_find(&x, x.fences[0].separator) == 0);
        must(lsm_index_find(&x, kv_str("dog")) <= 2);
    }
    lsm_index_free(&x);
}

static void run_filter(kv_slice input, kv_buf *unused)
{
    (void)unused;
    lsm_filter f;
    if (lsm_filter_open(input, &f)) lsm_filter_may_hold(&f, 0xfedcba9876543210);
}

static void (*const part_runs[])(kv_slice, kv_buf *) = {
    run_range, run_index_entry, run_properties, run_index, run_filter};
enum { PART_RUNS = 5 };

// The first byte says which part the others are.
void fuzz_lsm_parts_run(kv_slice input)
{
    kv_buf again = {0};
    if (input.len == 0) return;
    kv_slice rest = kv_slice_of(input.data + 1, input.len - 1);
    part_runs[input.data[0] % PART_RUNS](rest, &again);
    kv_buf_free(&again);
}

bool fuzz_lsm_parts_seed(unsigned n, kv_buf *to)
{
    static const uint64_t hashes[] = {1, 99, UINT64_MAX};
    lsm_range_tombstone range = {kv_str("cat"), kv_str("dog"), 300};
    lsm_properties props = {.entry_count = 200,
                            .seq_max = 7,
                            .first_key = kv_str("a"),
                            .last_key = kv_str("z")};
    uint8_t which = (uint8_t)n;
    if (n >= PART_RUNS) return false;
    kv_buf_append(to, kv_slice_of(&which, 1));
    switch (n) {
    case 0:
        lsm_put_range(to, &range);
        break;
    case 2:
        lsm_put_properties(to, &props);
        break;
    case 4:
        lsm_filter_build(to, hashes, 3, 10);
        break;
    default:
        lsm_put_index_entry(to, &(lsm_index_entry){4096, kv_str("cat")});
        if (n == 3) {
            lsm_put_index_entry(to, &(lsm_index_entry){55, kv_str("dog")});
        }
    }
    return true;
}

// ---- a whole table ----------------------------------------------------------

static const lsm_table_id table_id = {77, 3};
static const kv_why why = {KV_FOR_READ, false};

static void write_table(kv_disk *disk, kv_slice bytes)
{
    kv_file *f = NULL;
    must(kv_file_open(disk, lsm_table_name(table_id.number).text,
                      (kv_open_how){.mode = KV_OPEN_CREATE}, why, &f) == KV_OK);
    must(kv_file_write(f, 0, bytes, why) == KV_OK);
    must(kv_file_close(f) == KV_OK);
}

// xray goes on behind bad checksums, into every decoder; the table does not.
void fuzz_lsm_table_run(kv_slice input)
{
    static const kv_explainer nobody;
    kv_xray x = {.limit = UINT64_MAX};
    kv_disk *disk = NULL;
    lsm_table *t = NULL;
    lsm_table_xray(input, &x);
    must(kv_disk_open_sim(&(kv_sim_options){0}, &disk) == KV_OK);
    write_table(disk, input);
    lsm_table_home home = {disk, NULL, input.len % 2 == 0, &nobody, NULL};
    kv_status st = lsm_table_open(&home, &table_id, why, &t);
    if (st == KV_OK) st = lsm_table_check(t);
    // What is sound to one is sound to the other.
    must((st == KV_OK) == (x.damage_count == 0));
    lsm_table_unref(t);
    kv_disk_close(disk);
    kv_buf_free(&x.text);
}

bool fuzz_lsm_table_seed(unsigned n, kv_buf *to)
{
    if (n >= LSM_COMPRESSIONS) return false;
    kv_disk *disk = NULL;
    kv_file *f = NULL;
    uint64_t size = 0;
    lsm_builder b = {0};
    lsm_builder_config config = {.block_bytes = 200,
                                 .bits_per_key = 10,
                                 .compression = (lsm_compression)n,
                                 .why = why};
    must(kv_disk_open_sim(&(kv_sim_options){0}, &disk) == KV_OK);
    must(lsm_builder_open(&b, disk, &table_id, &config) == KV_OK);
    for (unsigned i = 0; i < 30; i++) {
        char key[16];
        snprintf(key, sizeof key, "key %04u", i);
        lsm_entry e = {kv_str(key), kv_str("a value, a value, a value"), i,
                       LSM_PUT};
        must(lsm_builder_add(&b, &e) == KV_OK);
    }
    lsm_builder_add_range(&b, &(lsm_range_tombstone){kv_str("k"), {0}, 9});
    must(lsm_builder_finish(&b) == KV_OK);
    lsm_builder_close(&b);
    must(kv_file_open(disk, lsm_table_name(table_id.number).text,
                      (kv_open_how){.mode = KV_OPEN_READ}, why, &f) == KV_OK);
    must(kv_file_size(f, &size) == KV_OK);
    kv_buf_reserve(to, (size_t)size);
    must(kv_file_read_all(f, 0, to->data + to->len, (size_t)size, why) ==
         KV_OK);
    to->len += (size_t)size;
    must(kv_file_close(f) == KV_OK);
    kv_disk_close(disk);
    return true;
}
