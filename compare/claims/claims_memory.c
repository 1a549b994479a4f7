// claims_memory.c -- the claim about stores whose data fits in memory.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdio.h>

#include "common/mem.h"

#include "compare/claims/claim.h"
#include "compare/machine.h"

enum { ENGINES = 3, LOOKUPS = 20000, ROUNDS = 5 };

// Chosen beforehand, so that only the store is timed.
static uint8_t *choose_keys(cmp_specimen *s, size_t size)
{
    uint8_t *keys = kv_alloc(LOOKUPS * size);
    for (size_t i = 0; i < LOOKUPS; i++) {
        uint32_t number = (uint32_t)kv_rng_below(&s->rng, s->filled);
        cmp_records_key(&s->records, cmp_records_place(&s->records, number),
                        keys + i * size);
    }
    return keys;
}

// Processor time of a lookup, the best of some rounds.
static kv_status time_gets(cmp_specimen *s, double *ns)
{
    size_t size = s->records.key_bytes;
    uint8_t *keys = choose_keys(s, size);
    kv_status st = KV_OK;
    *ns = INFINITY;
    for (int round = 0; round < ROUNDS && st == KV_OK; round++) {
        uint64_t from = cmp_thread_cpu_ns();
        for (size_t i = 0; i < LOOKUPS && st == KV_OK; i++) {
            st = kv_get(s->db, kv_slice_of(keys + i * size, size), &s->value);
        }
        *ns = fmin(*ns, (double)(cmp_thread_cpu_ns() - from) / LOOKUPS);
    }
    kv_free(keys);
    return st;
}

static kv_status look_up_cached(cmp_bench *b, const char *engine, double x,
                                double *ns, double *reads)
{
    cmp_specimen s;
    cmp_shape shape = {.records = b->records,
                       .memory_bytes = (uint64_t)b->records << 11};
    kv_status st = cmp_specimen_load(b, &s, engine, shape);
    // Read once, all of it is cached.
    for (uint32_t i = 0; i < shape.records && st == KV_OK; i++) {
        st = cmp_specimen_get(&s, i);
    }
    if (st == KV_OK) cmp_specimen_mark(&s);
    if (st == KV_OK) st = time_gets(&s, ns);
    if (st == KV_OK) {
        *reads = fmax(*reads, (double)cmp_specimen_reads(&s));
        cmp_note(b, engine, x, *ns, NAN);
    }
    cmp_specimen_close(&s);
    return st;
}

// No timing contradicts: it depends on the machine.
static void check_slower(cmp_bench *b, const char *what, double times)
{
    if (times >= 2) cmp_check_at_least(b, what, times, 2);
    else cmp_check_depends(b, what, times, 2);
}

static kv_status encoding_costs_more_than_reading(cmp_bench *b)
{
    static const char *const engines[ENGINES] = {"hash", "lsm", "bt"};
    double ns[ENGINES], reads = 0;
    for (int i = 0; i < ENGINES; i++) {
        KV_TRY(look_up_cached(b, engines[i], i, &ns[i], &reads));
    }
    cmp_check_at_most(b, "reads of the disk, any engine", reads, 0);
    check_slower(b, "LSM-tree / hash table, processor time", ns[1] / ns[0]);
    check_slower(b, "B-tree / hash table, processor time", ns[2] / ns[0]);
    return KV_OK;
}

const cmp_claim cmp_claims_of_memory[] = {
    {.id = "C39",
     .text = "A store in memory is fast because it skips the encoding for the "
             "disk, not because it skips the disk.",
     .first = "Keeping everything in memory",
     .second = "Keeping everything in memory",
     .setup = "Everything cached, so that no engine reads the disk; random "
              "lookups of keys that are there.",
     .x = "hash table, LSM-tree, B-tree",
     .y = "processor time of a lookup, ns",
     .is_counted = false,
     .run = encoding_costs_more_than_reading},
    {0}};
