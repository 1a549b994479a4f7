// harness_cost.c -- see harness_cost.h.
// SPDX-License-Identifier: MIT

#include "compare/harness_cost.h"

#include <math.h>

#include "common/engine_impl.h"
#include "common/mem.h"

#include "compare/player.h"

enum { ROUNDS = 5, RECORDS = 50000 };

struct nothing {
    kv base;
};

static kv_status nothing_open(kv *db)
{
    (void)db;
    return KV_OK;
}

static kv_status nothing_get(kv *db, kv_slice key, kv_buf *value)
{
    (void)db, (void)key, (void)value;
    return KV_NOT_FOUND;
}

static kv_status nothing_write(kv *db, const kv_change *changes, size_t count)
{
    (void)db, (void)changes, (void)count;
    return KV_OK;
}

static void nothing_measure(kv *db, kv_stats *stats) { (void)db, (void)stats; }

static const kv_engine nothing_engine = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "nothing",
             .title = "an engine that does nothing",
             .book = "",
             .key_max = KV_KEY_MAX,
             .value_max = KV_VALUE_MAX},
    .store_size = sizeof(struct nothing),
    .cursor_size = sizeof(kv_cursor),
    .open = nothing_open,
    .close = nothing_open,
    .get = nothing_get,
    .write = nothing_write,
    .measure = nothing_measure,
};

static double round_cost(kv *db, const cmp_records *records, uint32_t *state)
{
    static const cmp_workload puts = {.share = {[CMP_INSERT] = 1}, .group = 1};
    memset(state, 0, records->count * sizeof *state);
    cmp_stream stream = {.records = records, .state = state, .threads = 1};
    cmp_stream_load(&stream, records->count, &puts);
    cmp_player player = {.db = db, .stream = &stream};
    cmp_player_init(&player, records, &puts);
    kv_status st = cmp_player_run(&player);
    double cost = (double)player.ns / (double)records->count;
    cmp_player_free(&player);
    return st == KV_OK ? cost : NAN;
}

double cmp_harness_cost(const cmp_setup *setup)
{
    kv *db = NULL;
    if (kv_open(&nothing_engine, &(kv_options){.seed = 1}, &db) != KV_OK) {
        return NAN;
    }
    cmp_records records;
    cmp_records_init(&records,
                     (cmp_records){.seed = 1,
                                   .count = RECORDS,
                                   .key_bytes = setup->key_bytes,
                                   .value_bytes = setup->value_bytes},
                     CMP_SHUFFLED);
    uint32_t *state = kv_zalloc(RECORDS * sizeof *state);
    double best = INFINITY;
    for (int i = 0; i < ROUNDS; i++) {
        best = fmin(best, round_cost(db, &records, state));
    }
    kv_free(state);
    cmp_records_free(&records);
    kv_status st = kv_close(db);
    return st == KV_OK ? best : NAN;
}
