// claims_filter.c -- claims about Bloom filters and what they save.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <string.h>

#include "compare/claims/claim.h"
#include "compare/theory.h"

// Memory of a store that is only read: too little to cache a block, so that
// each block that is looked at is a read.
enum { NO_CACHE = 4 << 10 };

// A store of so many sorted runs that overlap, opened again without a cache.
static kv_status open_runs(cmp_bench *b, cmp_specimen *s, unsigned runs,
                           unsigned bits, uint32_t records)
{
    char engine[96];
    // With memory for all of it: a run is made when it is asked for.
    cmp_shape shape = {.records = records,
                       .memory_bytes = (uint64_t)records << 11};
    snprintf(engine, sizeof engine,
             "lsm:compaction=tiered,tier_runs=100,compression=none,"
             "bits_per_key=%u",
             bits);
    KV_TRY(cmp_specimen_open(b, s, engine, shape));
    for (unsigned i = 0; i < runs; i++) {
        KV_TRY(cmp_specimen_fill(s, records / runs));
        KV_TRY(cmp_specimen_settle(s));
    }
    s->options.memory_bytes = NO_CACHE;
    KV_TRY(cmp_specimen_reopen(s));
    cmp_specimen_mark(s);
    return KV_OK;
}

enum { TAIL = 8 };

// Gets of keys that were never there, another one each time, between keys that
// are.
static kv_status get_never(cmp_specimen *s, uint32_t count)
{
    uint8_t key[64];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = (uint32_t)kv_rng_below(&s->rng, s->records.count - 1);
        kv_slice near = cmp_records_absent(&s->records, place, key);
        uint64_t tail = kv_rng_next(&s->rng);
        memcpy(key + near.len, &tail, TAIL);
        kv_status st =
            kv_get(s->db, kv_slice_of(key, near.len + TAIL), &s->value);
        if (st == KV_OK) return kv_fail(KV_CORRUPT, "found a key never put");
        if (st != KV_NOT_FOUND) return st;
    }
    return KV_OK;
}

// ---- C18 --------------------------------------------------------------------

enum { GETS = 4000, ABSENT_GETS = 20000 };

struct reads {
    double absent, oldest, newest; // per get
};

// Gets of records by number, from `first` on, round and round.
static kv_status get_some_of(cmp_specimen *s, uint32_t first, uint32_t count,
                             double *reads)
{
    cmp_specimen_mark(s);
    for (uint32_t i = 0; i < GETS; i++) {
        uint32_t number = first + i % count;
        KV_TRY(cmp_specimen_get(s, cmp_records_place(&s->records, number)));
    }
    *reads = (double)cmp_specimen_reads(s) / GETS;
    return KV_OK;
}

static kv_status read_runs(cmp_bench *b, unsigned runs, unsigned bits,
                           struct reads *r)
{
    cmp_specimen s;
    uint32_t each = b->records / 2 / runs;
    kv_status st = open_runs(b, &s, runs, bits, each * runs);
    if (st == KV_OK) st = get_never(&s, ABSENT_GETS);
    r->absent = (double)cmp_specimen_reads(&s) / ABSENT_GETS;
    if (st == KV_OK) st = get_some_of(&s, 0, each, &r->oldest);
    if (st == KV_OK) {
        st = get_some_of(&s, (runs - 1) * each, each, &r->newest);
    }
    cmp_specimen_close(&s);
    return st;
}

// Distance as a share of what is allowed: 15 %, or 0.002 reads.
static double strayed(double measured, double theory)
{
    return fabs(measured - theory) / fmax(0.15 * theory, 0.002);
}

static kv_status filters_repair_absent_keys(cmp_bench *b)
{
    static const unsigned runs[] = {1, 4, 7, 12}, bits[] = {0, 5, 10, 15};
    double absent = 0, oldest = 0, newest = 0, bare = 0;
    for (size_t i = 0; i < 4; i++) {
        char series[32];
        snprintf(series, sizeof series, "%u runs", runs[i]);
        for (size_t j = 0; j < 4; j++) {
            struct reads r;
            double miss = cmp_theory_miss_reads(runs[i], bits[j]);
            double old = cmp_theory_oldest_reads(runs[i], bits[j]);
            KV_TRY(read_runs(b, runs[i], bits[j], &r));
            cmp_note(b, series, bits[j], r.absent, miss);
            absent = cmp_worse(absent, strayed(r.absent, miss));
            oldest = cmp_worse(oldest, fabs(r.oldest / old - 1));
            newest = cmp_worse(newest, fabs(r.newest - 1));
            if (bits[j] == 0) {
                bare = cmp_worse(bare, fabs(r.absent / runs[i] - 1));
            }
        }
    }
    cmp_check_at_most(b, "no filter: reads per absent key, distance from runs",
                      bare, 0.02);
    cmp_check_at_most(b, "absent keys, distance from theory / 15 % or 0.002",
                      absent, 1);
    cmp_check_at_most(b, "keys of the oldest run, distance from theory", oldest,
                      0.05);
    cmp_check_at_most(b, "keys of the newest run, distance from 1 read", newest,
                      0);
    return KV_OK;
}

// ---- C19 --------------------------------------------------------------------

enum { PROBES_MAX = 10000000 };

static kv_status count_denied(cmp_specimen *s, double *denied)
{
    for (uint32_t place = 0; place < s->records.count; place++) {
        kv_slice key = cmp_records_key(&s->records, place, s->key);
        kv_status st = kv_get(s->db, key, &s->value);
        if (st == KV_NOT_FOUND) ++*denied;
        else if (st != KV_OK) return st;
    }
    return KV_OK;
}

static kv_status probe_filter(cmp_bench *b, unsigned bits, double *rate,
                              double *denied)
{
    cmp_specimen s;
    // So many that chance hides less than the figure's tenth.
    double wanted = b->records / 12.0 / cmp_theory_bloom(bits);
    uint32_t probes = wanted < PROBES_MAX ? (uint32_t)wanted : PROBES_MAX;
    kv_status st = open_runs(b, &s, 1, bits, b->records);
    if (st == KV_OK) st = get_never(&s, probes);
    *rate = (double)cmp_specimen_reads(&s) / probes;
    if (st == KV_OK) st = count_denied(&s, denied);
    cmp_specimen_close(&s);
    return st;
}

static kv_status ten_bits_are_one_percent(cmp_bench *b)
{
    static const unsigned bits[] = {2, 5, 8, 10, 12, 15};
    enum { SETTINGS = sizeof bits / sizeof *bits };
    double distance = 0, denied = 0, rate[SETTINGS];
    for (size_t i = 0; i < SETTINGS; i++) {
        KV_TRY(probe_filter(b, bits[i], &rate[i], &denied));
        double theory = cmp_theory_bloom(bits[i]);
        cmp_note(b, "one run", bits[i], rate[i], theory);
        distance = cmp_worse(distance, fabs(rate[i] / theory - 1));
    }
    cmp_check_at_most(b, "false positives, largest distance from theory",
                      distance, 0.1);
    cmp_check_near(b, "share of false positives at 10 bits", rate[3], 0.01,
                   0.25);
    cmp_check_near(b, "the share at 10 bits / at 15", rate[3] / rate[5], 11,
                   0.15);
    cmp_check_at_most(b, "keys that are there and were denied", denied, 0);
    return KV_OK;
}

// ---- the claims -------------------------------------------------------------

const cmp_claim cmp_claims_of_filters[] = {
    {.id = "C18",
     .text = "Keys that are absent, or were written long ago, are a "
             "log-structured tree's worst reads; filters repair the absent.",
     .first = "Performance optimizations",
     .second = "Bloom filters",
     .setup = "1 to 12 sorted runs whose keys overlap, filters of 0 to 15 "
              "bits a key, no cache; blocks read per absent key, and per key "
              "of the oldest and of the newest run.",
     .x = "bits of filter per key",
     .y = "reads per absent key",
     .is_counted = true,
     .run = filters_repair_absent_keys},
    {.id = "C19",
     .text = "Ten bits a key let one absent key in a hundred through; five "
             "bits more, ten times fewer.",
     .first = "Performance optimizations",
     .second = "Bloom filters",
     .setup = "One sorted run, absent keys asked for, a new one each time; "
              "the share for which a block was read.",
     .x = "bits of filter per key",
     .y = "share of false positives",
     .is_counted = true,
     .run = ten_bits_are_one_percent},
    {0}};
