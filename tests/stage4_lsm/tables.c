// tables.c -- see tables.h.
// SPDX-License-Identifier: MIT

#include "tables.h"

#include <stdlib.h>

#include "common/mem.h"

#include "tests/support/test.h"

const lsm_table_id test_table_id = {0x5b3c1f0a99e01d77, 7};
const kv_explainer test_nobody;

enum { SEQ_FROM = 100, VERSIONS_MAX = 4, TEXT_MAX = 3000 };

static size_t make_key(kv_rng *rng, uint8_t *key)
{
    char *text = (char *)key;
    unsigned n = (unsigned)kv_rng_below(rng, 5000);
    size_t len;
    switch (kv_rng_below(rng, 5)) {
    case 0:
        return (size_t)snprintf(text, 40, "%016u", n);
    case 1:
        return (size_t)snprintf(text, 40, "user%u", n);
    case 2:
        return (size_t)snprintf(
            text, 90, "a/long/common/way/to/everything/%u/page%u", n % 10, n);
    case 3:
        len = 1 + (size_t)kv_rng_below(rng, 30);
        for (size_t i = 0; i < len; i++) {
            key[i] = (uint8_t)(kv_rng_below(rng, 2) * 0xff);
        }
        return len;
    default:
        len = 1 + (size_t)kv_rng_below(rng, n == 0 ? TEXT_MAX : 40);
        for (size_t i = 0; i < len; i++) key[i] = (uint8_t)kv_rng_next(rng);
        return len;
    }
}

static size_t make_value(kv_rng *rng, uint8_t *value)
{
    uint64_t shape = kv_rng_below(rng, 60);
    size_t len = (size_t)kv_rng_below(rng, shape == 0 ? TEXT_MAX : 120);
    for (size_t i = 0; i < len; i++) {
        value[i] = (uint8_t)(shape < 30 ? kv_rng_next(rng) : 'a' + i % 7);
    }
    return len;
}

static int compare(const void *a, const void *b) { return lsm_entry_cmp(a, b); }

// The key's versions: so many entries that differ in sequence number and value.
static void add_versions(oracle *o, kv_rng *rng, uint64_t *seq)
{
    uint8_t text[TEXT_MAX];
    size_t key_at = o->bytes.len, key_len = make_key(rng, text);
    kv_buf_append(&o->bytes, kv_slice_of(text, key_len));
    uint64_t versions = 1;
    if (kv_rng_below(rng, 4) == 0) versions += kv_rng_below(rng, VERSIONS_MAX);
    for (; versions > 0; versions--) {
        lsm_entry *e = &o->entries[o->count++];
        bool is_del = kv_rng_below(rng, 8) == 0;
        size_t value_at = o->bytes.len;
        size_t value_len = is_del ? 0 : make_value(rng, text);
        kv_buf_append(&o->bytes, kv_slice_of(text, value_len));
        // Kept as offsets, as the bytes move while more are added.
        e->key = kv_slice_of((const void *)(uintptr_t)key_at, key_len);
        e->value = kv_slice_of((const void *)(uintptr_t)value_at, value_len);
        e->seq = (*seq)++;
        e->kind = is_del ? LSM_DEL : LSM_PUT;
    }
}

void oracle_make(oracle *o, kv_rng *rng, size_t keys)
{
    *o = (oracle){0};
    uint64_t seq = SEQ_FROM;
    o->entries = kv_alloc(keys * (VERSIONS_MAX + 1) * sizeof *o->entries);
    for (size_t i = 0; i < keys; i++) add_versions(o, rng, &seq);
    for (size_t i = 0; i < o->count; i++) {
        lsm_entry *e = &o->entries[i];
        e->key.data = o->bytes.data + (uintptr_t)e->key.data;
        e->value.data = o->bytes.data + (uintptr_t)e->value.data;
    }
    qsort(o->entries, o->count, sizeof *o->entries, compare);
}

void oracle_free(oracle *o)
{
    kv_free(o->entries);
    kv_buf_free(&o->bytes);
}

size_t oracle_below(const oracle *o, kv_slice key)
{
    size_t low = 0, high = o->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (kv_slice_cmp(o->entries[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const lsm_entry *oracle_get(const oracle *o, kv_slice key, uint64_t seq_max)
{
    for (size_t i = oracle_below(o, key); i < o->count; i++) {
        if (!kv_slice_equal(o->entries[i].key, key)) return NULL;
        if (o->entries[i].seq <= seq_max) return &o->entries[i];
    }
    return NULL;
}

void oracle_pick_key(const oracle *o, kv_rng *rng, kv_buf *key)
{
    kv_buf_set(key, o->entries[kv_rng_below(rng, o->count)].key);
    switch (kv_rng_below(rng, 6)) {
    case 0:
        key->data[kv_rng_below(rng, key->len)]++;
        break;
    case 1:
        key->data[key->len - 1]--;
        break;
    case 2:
        kv_buf_append(key, kv_slice_of("", 1));
        break;
    case 3:
        if (key->len > 1) key->len--;
        break;
    default:
        break; // one that is there
    }
}

void assert_entry(const lsm_entry *got, const lsm_entry *want)
{
    assert_true(kv_slice_equal(got->key, want->key));
    assert_true(kv_slice_equal(got->value, want->value));
    assert_int_equal(got->seq, want->seq);
    assert_int_equal(got->kind, want->kind);
}

void table_build(kv_disk *disk, const oracle *o,
                 const lsm_builder_config *config,
                 const lsm_range_tombstone *ranges, size_t range_count)
{
    lsm_builder b = {0};
    assert_ok(lsm_builder_open(&b, disk, &test_table_id, config));
    for (size_t i = 0; i < range_count; i++) {
        lsm_builder_add_range(&b, &ranges[i]);
    }
    for (size_t i = 0; i < o->count; i++) {
        assert_ok(lsm_builder_add(&b, &o->entries[i]));
    }
    assert_ok(lsm_builder_finish(&b));
    lsm_builder_close(&b);
}

// ---- files ------------------------------------------------------------------

static const kv_why for_files = {KV_FOR_READ, false};

kv_buf file_read(kv_disk *disk, const char *name)
{
    kv_file *f = NULL;
    kv_buf bytes = {0};
    uint64_t size;
    assert_ok(kv_file_open(disk, name, (kv_open_how){.mode = KV_OPEN_READ},
                           for_files, &f));
    assert_ok(kv_file_size(f, &size));
    kv_buf_reserve(&bytes, (size_t)size);
    assert_ok(kv_file_read_all(f, 0, bytes.data, (size_t)size, for_files));
    bytes.len = (size_t)size;
    assert_ok(kv_file_close(f));
    return bytes;
}

void file_write(kv_disk *disk, const char *name, kv_slice bytes)
{
    kv_file *f = NULL;
    kv_status st = kv_disk_remove(disk, name, for_files);
    assert_true(st == KV_OK || st == KV_NOT_FOUND);
    assert_ok(kv_file_open(disk, name, (kv_open_how){.mode = KV_OPEN_CREATE},
                           for_files, &f));
    assert_ok(kv_file_write(f, 0, bytes, for_files));
    assert_ok(kv_file_close(f));
}
