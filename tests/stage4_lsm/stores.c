// stores.c -- see stores.h.
// SPDX-License-Identifier: MIT

#include "tests/stage4_lsm/stores.h"

lsm_config small_store(kv_disk *disk, bool is_new)
{
    return (lsm_config){
        .disk = disk,
        .store_id = SMALL_STORE_ID,
        .is_new = is_new,
        .steps_inline = true,
        .memtable_bytes = 1 << 20,
        .memory_bytes = 16 << 20,
        .frozen_max = 2,
        .manifest_bytes = 1 << 20,
        .parallel = 1,
        .shape = {.size_ratio = 10, .level0_runs = 100, .base_bytes = 1 << 20},
        .table_bytes = 1 << 20,
        .block_bytes = 4096};
}

uint64_t written_bytes(kv *db)
{
    kv_stats stats;
    uint64_t sum = 0;
    kv_stats_read(db, &stats);
    for (int i = 0; i < KV_REASONS; i++) sum += stats.disk[i].write_bytes;
    return sum;
}
