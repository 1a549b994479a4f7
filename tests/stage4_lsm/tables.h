// tables.h -- sorted entries of every kind as an oracle, tables of them, and
// files read and written whole.
// SPDX-License-Identifier: MIT

#ifndef TESTS_STAGE4_LSM_TABLES_H
#define TESTS_STAGE4_LSM_TABLES_H

#include "common/rng.h"

#include "builder.h"
#include "table.h"

// Entries in order (E1), each key with one to four versions.
typedef struct oracle {
    lsm_entry *entries;
    size_t count;
    kv_buf bytes; // what the entries point into
} oracle;

// About `keys` keys of many shapes: numbers, long common prefixes, prefixes of
// each other, any bytes. Sequence numbers from 100 on.
void oracle_make(oracle *o, kv_rng *rng, size_t keys);
void oracle_free(oracle *o);
// How many entries stand before the first of a key at or above `key`.
size_t oracle_below(const oracle *o, kv_slice key);
// The newest entry of the key with seq <= seq_max, or NULL.
const lsm_entry *oracle_get(const oracle *o, kv_slice key, uint64_t seq_max);
// A key that may or may not be there: one of them, perhaps changed a little.
void oracle_pick_key(const oracle *o, kv_rng *rng, kv_buf *key);

// Fails the test unless they are the same.
void assert_entry(const lsm_entry *got, const lsm_entry *want);

extern const lsm_table_id test_table_id;
extern const kv_explainer test_nobody;

// Builds test_table_id's table of the oracle's entries and of these ranges.
void table_build(kv_disk *disk, const oracle *o,
                 const lsm_builder_config *config,
                 const lsm_range_tombstone *ranges, size_t range_count);

// ---- files ------------------------------------------------------------------

// All bytes of a file; a file of these bytes and no others.
kv_buf file_read(kv_disk *disk, const char *name);
void file_write(kv_disk *disk, const char *name, kv_slice bytes);

#endif
