// stores.h -- small stores of stage 4 for tests that look below its door, and
// what a store of any stage has written.
// SPDX-License-Identifier: MIT

#ifndef TESTS_STAGE4_LSM_STORES_H
#define TESTS_STAGE4_LSM_STORES_H

#include "common/engine.h"

#include "store.h"

enum { SMALL_STORE_ID = 1 };

// Sizes that nothing in a test fills: flushes and compactions come only when
// they are asked for, inside the call that asks. Change what matters.
lsm_config small_store(kv_disk *disk, bool is_new);

// Bytes written since the store was opened, for all reasons.
uint64_t written_bytes(kv *db);

#endif
