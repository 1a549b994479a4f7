// claims_log.c -- claims about logs and hash indexes.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "common/mem.h"

#include "compare/claims/claim.h"
#include "compare/theory.h"

// Every engine here that keeps something; the first is the log.
static const char *const durable[] = {"log:merge=never,hints=off", "sst", "lsm",
                                      "bt"};
enum { DURABLE = sizeof durable / sizeof *durable };

static const char *word_of(const char *engine, char *to, size_t size)
{
    snprintf(to, size, "%.*s", (int)strcspn(engine, ":"), engine);
    return to;
}

// ---- C01 --------------------------------------------------------------------

static kv_status append(cmp_bench *b, size_t engine, double *wa)
{
    cmp_specimen s;
    char word[16];
    cmp_shape shape = {.records = b->records};
    kv_status st = cmp_specimen_open(b, &s, durable[engine], shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) {
        double written = (double)cmp_specimen_written(&s);
        *wa = written / (double)cmp_specimen_user_bytes(&s);
        cmp_note(b, word_of(durable[engine], word, sizeof word), (double)engine,
                 *wa, NAN);
        if (engine == 0) {
            double log = (double)cmp_specimen_written_for(&s, KV_FOR_DATA);
            cmp_check_near(b, "bytes the log wrote / bytes of its records",
                           written / log, 1, 0.001);
        }
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status appending_is_cheapest(cmp_bench *b)
{
    double log = 0, least = INFINITY;
    KV_TRY(append(b, 0, &log));
    for (size_t i = 1; i < DURABLE; i++) {
        double wa = INFINITY;
        kv_status st = append(b, i, &wa);
        if (st == KV_NOT_FOUND) continue;
        if (st != KV_OK) return st;
        if (wa < least) least = wa;
    }
    cmp_check_at_most(b, "write amplification of the log, others' least", log,
                      least);
    return KV_OK;
}

// ---- C02 --------------------------------------------------------------------

enum { SIZES = 5, LOOKUPS = 16 };

static kv_status look_up(cmp_bench *b, const char *engine, const char *series,
                         double *slope)
{
    double x[SIZES], y[SIZES];
    for (int i = 0; i < SIZES; i++) {
        cmp_specimen s;
        cmp_shape shape = {.records = b->records >> (SIZES - i)};
        kv_status st = cmp_specimen_open(b, &s, engine, shape);
        if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
        if (st == KV_OK) cmp_specimen_mark(&s);
        if (st == KV_OK) st = cmp_specimen_get_some(&s, LOOKUPS);
        if (st == KV_OK) {
            double bytes = (double)cmp_specimen_read_bytes(&s) / LOOKUPS;
            cmp_note(b, series, shape.records, bytes, NAN);
            x[i] = log((double)shape.records);
            y[i] = log(bytes);
        }
        cmp_specimen_close(&s);
        if (st != KV_OK) return st;
    }
    *slope = cmp_slope(x, y, SIZES);
    return KV_OK;
}

static kv_status without_index_all_is_read(cmp_bench *b)
{
    double scanned = 0, indexed = 0;
    KV_TRY(look_up(b, "log:index=off", "no index", &scanned));
    KV_TRY(look_up(b, "log", "hash index", &indexed));
    cmp_check_near(b, "slope of bytes read over records, no index", scanned, 1,
                   0.05);
    cmp_check_at_most(b, "the same with the index, either way", fabs(indexed),
                      0.05);
    return KV_OK;
}

// ---- C04 --------------------------------------------------------------------

static kv_status one_read_finds_a_record(cmp_bench *b)
{
    cmp_specimen s;
    const uint64_t gets = 2000;
    cmp_shape shape = {.records = b->records};
    kv_status st = cmp_specimen_open(b, &s, "log", shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
    if (st == KV_OK) cmp_specimen_mark(&s);
    if (st == KV_OK) st = cmp_specimen_get_some(&s, gets);
    double hits = (double)cmp_specimen_reads(&s) / (double)gets;
    if (st == KV_OK) cmp_specimen_mark(&s);
    if (st == KV_OK) st = cmp_specimen_get_absent(&s, gets);
    double misses = (double)cmp_specimen_reads(&s) / (double)gets;
    if (st == KV_OK) {
        cmp_note(b, "found", 0, hits, 1);
        cmp_note(b, "absent", 1, misses, 0);
        cmp_check_near(b, "reads per key that is there", hits, 1, 0);
        cmp_check_at_most(b, "reads per key that is not", misses, 0);
    }
    cmp_specimen_close(&s);
    return st;
}

// ---- C05 --------------------------------------------------------------------

static kv_status index_per_key(cmp_bench *b, const char *engine,
                               uint32_t records, double *bytes)
{
    cmp_specimen s;
    char word[16];
    cmp_shape shape = {.records = records};
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, records);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) {
        *bytes = (double)cmp_specimen_stats(&s).index_bytes / records;
        cmp_note(b, word_of(engine, word, sizeof word), records, *bytes, NAN);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status all_keys_are_in_memory(cmp_bench *b)
{
    enum { DOUBLINGS = 3 };
    double log[DOUBLINGS], sparse = 0;
    // Doubled from size to size, so that the table is as full in each.
    for (int i = 0; i < DOUBLINGS; i++) {
        uint32_t records = b->records >> (DOUBLINGS - 1 - i);
        KV_TRY(index_per_key(b, "log", records, &log[i]));
        double other;
        KV_TRY(index_per_key(b, "hash", records, &other));
        KV_TRY(index_per_key(b, "lsm", records, &other));
        KV_TRY(index_per_key(b, "sst", records, &sparse));
    }
    double more = 2 * log[2] - log[1], less = 2 * log[1] - log[0];
    cmp_check_near(b, "index bytes per further key of the hash, large / small",
                   more / less, 1, 0.1);
    const double key = 16;
    cmp_check_at_most(b, "sparse index / a hash index that keeps its keys",
                      sparse / (key + log[2]), 0.1);
    cmp_check_depends(b, "sparse index / this one, which keeps hashes of keys",
                      sparse / log[2], 0.1);
    return KV_OK;
}

// ---- C06 --------------------------------------------------------------------

enum { ROWS = 100, RANGES = 50 };

// What has no order looks up each key of the range, if it knows them.
static kv_status read_range(cmp_specimen *s, uint32_t from, bool is_ordered)
{
    if (is_ordered) return cmp_specimen_scan(s, from, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) KV_TRY(cmp_specimen_get(s, from + i));
    return KV_OK;
}

static kv_status reads_per_range(cmp_bench *b, size_t engine, double *reads)
{
    cmp_specimen s;
    char word[16];
    cmp_shape shape = {.records = b->records};
    kv_status st = cmp_specimen_open(b, &s, durable[engine], shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) cmp_specimen_mark(&s);
    for (uint32_t i = 0; i < RANGES && st == KV_OK; i++) {
        uint32_t from = (shape.records - ROWS) / RANGES * i;
        st = read_range(&s, from, engine > 0);
    }
    if (st == KV_OK) {
        *reads = (double)cmp_specimen_reads(&s) / RANGES;
        cmp_note(b, word_of(durable[engine], word, sizeof word), (double)engine,
                 *reads, NAN);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status ranges_need_an_order(cmp_bench *b)
{
    for (size_t i = 0; i < DURABLE; i++) {
        double reads = 0;
        kv_status st = reads_per_range(b, i, &reads);
        if (st == KV_NOT_FOUND) continue;
        if (st != KV_OK) return st;
        char what[64], word[16];
        snprintf(what, sizeof what, "reads for 100 neighbours, %s",
                 word_of(durable[i], word, sizeof word));
        if (i == 0) cmp_check_at_least(b, what, reads, 90);
        else cmp_check_at_most(b, what, reads, 10);
    }
    return KV_OK;
}

// ---- C07 --------------------------------------------------------------------

enum { ROUNDS = 20 };

static const double garbage = 0.5;

static kv_status rewrite(cmp_bench *b, const char *engine, const char *series,
                         double *slope, kv_stats *stats, double *live)
{
    cmp_specimen s;
    cmp_shape shape = {.records = b->records / 10};
    double x[ROUNDS + 1], y[ROUNDS + 1];
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
    for (int round = 0; round <= ROUNDS && st == KV_OK; round++) {
        kv_stats now = cmp_specimen_stats(&s);
        x[round] = round;
        y[round] = (double)now.disk_bytes / (double)s.live_bytes;
        cmp_note(b, series, round, y[round], NAN);
        if (round < ROUNDS) st = cmp_specimen_update(&s, shape.records);
    }
    if (st == KV_OK) {
        // In units of a load: the framing of records is not the claim's.
        double load =
            (double)cmp_specimen_written_for(&s, KV_FOR_DATA) / (ROUNDS + 1);
        *slope = cmp_slope(x, y, ROUNDS + 1) * (double)s.live_bytes / load;
        *stats = cmp_specimen_stats(&s);
        *live = load;
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status a_log_grows_unless_merged(cmp_bench *b)
{
    double slope = 0, live = 0;
    kv_stats stats;
    char merged[96];
    uint32_t segment = b->records / 10 * 128;
    char never[96];
    snprintf(never, sizeof never, "log:merge=never,hints=off,segment_bytes=%u",
             (unsigned)segment);
    snprintf(merged, sizeof merged,
             "log:merge=all,garbage_percent=50,segment_bytes=%u",
             (unsigned)segment);
    KV_TRY(rewrite(b, never, "never merged", &slope, &stats, &live));
    cmp_check_near(b, "growth per rewrite of all records, in loads", slope, 1,
                   0.02);
    KV_TRY(rewrite(b, merged, "merged", &slope, &stats, &live));
    cmp_check_at_most(b, "peak of space when merged, in loads",
                      (double)stats.disk_bytes_peak / live,
                      cmp_theory_log_merge_peak(garbage) + segment / live);
    return KV_OK;
}

// ---- C08 --------------------------------------------------------------------

// Merges a log of `updates` updates of `keys` keys; bytes out / bytes in.
static kv_status merge_log(cmp_bench *b, uint32_t keys, uint64_t updates,
                           double *share)
{
    cmp_specimen s;
    cmp_shape shape = {.records = keys};
    kv_status st = cmp_specimen_open(b, &s, "log:merge=never", shape);
    s.filled = keys; // the first update of a key is its insert
    if (st == KV_OK) st = cmp_specimen_update(&s, updates);
    double in = (double)cmp_specimen_written_for(&s, KV_FOR_DATA);
    if (st == KV_OK) {
        st = cmp_engine_set(&s.engine, "merge=all,garbage_percent=1");
    }
    if (st == KV_OK) st = cmp_specimen_reopen(&s);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) {
        *share = (double)cmp_specimen_written_for(&s, KV_FOR_COMPACT) / in;
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status merging_pays_where_keys_repeat(cmp_bench *b)
{
    uint64_t updates = b->records / 2;
    double worst = 0;
    for (uint32_t times = 1; times <= 64; times *= 2) {
        double share = 0;
        uint32_t keys = (uint32_t)(updates / times);
        KV_TRY(merge_log(b, keys, updates, &share));
        cmp_popularity p = cmp_popularity_uniform(keys);
        double theory =
            cmp_theory_unique(&p, (double)updates) / (double)updates;
        cmp_popularity_free(&p);
        cmp_note(b, "merge", times, share, theory);
        worst = cmp_worse(worst, fabs(share / theory - 1));
    }
    cmp_check_at_most(b, "bytes out / in, largest distance from theory", worst,
                      0.03);
    return KV_OK;
}

// ---- C09 --------------------------------------------------------------------

enum { HINT_BYTES = 10 }; // an entry: 32 bits of hash, 6 bytes of place

struct opening {
    double bytes, written;
};

static kv_status open_again(cmp_bench *b, const char *engine, cmp_shape shape,
                            struct opening *out)
{
    cmp_specimen s;
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
    out->written = (double)cmp_specimen_written_for(&s, KV_FOR_DATA);
    if (st == KV_OK) st = cmp_specimen_reopen(&s);
    if (st == KV_OK) out->bytes = (double)cmp_specimen_recovery_bytes(&s);
    if (st == KV_OK) st = cmp_specimen_get_some(&s, 100);
    cmp_specimen_close(&s);
    return st;
}

// Per further record: what every opening reads, whatever there is, is not in
// it.
static kv_status bytes_per_record(cmp_bench *b, const char *engine,
                                  cmp_shape shape, struct opening *out)
{
    struct opening small, large;
    KV_TRY(open_again(b, engine, shape, &small));
    shape.records *= 2;
    KV_TRY(open_again(b, engine, shape, &large));
    double further = shape.records / 2.0;
    out->bytes = (large.bytes - small.bytes) / further;
    out->written = (large.written - small.written) / further;
    return KV_OK;
}

static kv_status hints_make_a_start_fast(cmp_bench *b)
{
    static const size_t values[] = {100, 1000, 3000};
    // Enough of them that each of the index's tables has some.
    uint32_t records = b->records / 8 > 20000 ? b->records / 8 : 20000;
    for (size_t i = 0; i < 3; i++) {
        cmp_shape shape = {.records = records, .value_bytes = values[i]};
        struct opening with, without;
        KV_TRY(bytes_per_record(b, "log:hints=on", shape, &with));
        KV_TRY(bytes_per_record(b, "log:hints=off", shape, &without));
        double theory = HINT_BYTES / without.written;
        double share = with.bytes / without.bytes;
        cmp_note(b, "hints", (double)values[i], share, theory);
        char what[64];
        snprintf(what, sizeof what, "bytes to open by hints, values of %zu B",
                 values[i]);
        cmp_check_near(b, what, share, theory, 0.05);
    }
    return KV_OK;
}

// ---- the claims -------------------------------------------------------------

const cmp_claim cmp_claims_of_logs[] = {
    {.id = "C01",
     .text = "Appending to a file is about the cheapest write there is.",
     .first = "Data Structures That Power Your Database",
     .second = "Storage and Indexing for OLTP",
     .setup = "Every record inserted once, in random order; bytes written, "
              "all reasons / bytes given.",
     .x = "engine",
     .y = "bytes written / bytes given",
     .is_counted = true,
     .run = appending_is_cheapest},
    {.id = "C02",
     .text = "Without an index a lookup reads the whole file.",
     .first = "Data Structures That Power Your Database",
     .second = "Storage and Indexing for OLTP",
     .setup = "A log with and without its index; bytes read per lookup.",
     .x = "records",
     .y = "bytes read per lookup",
     .is_counted = true,
     .run = without_index_all_is_read},
    {.id = "C04",
     .text = "A hash index finds a record with one read.",
     .first = "Hash Indexes",
     .second = "Log-Structured Storage",
     .setup = "Random lookups of keys that are there and of keys between them.",
     .x = "found, absent",
     .y = "reads per lookup",
     .is_counted = true,
     .run = one_read_finds_a_record},
    {.id = "C05",
     .text = "All keys of a hash index have to fit in memory.",
     .first = "Hash Indexes",
     .second = "Log-Structured Storage",
     .setup = "Index bytes in memory per key, at four sizes.",
     .x = "records",
     .y = "index bytes per key",
     .is_counted = true,
     .run = all_keys_are_in_memory},
    {.id = "C06",
     .text = "A hash index is of no help with ranges of keys.",
     .first = "Hash Indexes",
     .second = "Log-Structured Storage",
     .setup = "100 neighbouring keys read: by a scan where there is one, "
              "else one by one.",
     .x = "engine",
     .y = "reads per 100 neighbours",
     .is_counted = true,
     .run = ranges_need_an_order},
    {.id = "C07",
     .text = "A log grows without bound unless it is compacted.",
     .first = "Hash Indexes",
     .second = "Log-Structured Storage",
     .setup = "All records rewritten twenty times over, at random, with "
              "merging and without.",
     .x = "rewrites of all records",
     .y = "bytes on disk / live bytes",
     .is_counted = true,
     .run = a_log_grows_unless_merged},
    {.id = "C08",
     .text = "Compaction pays most where the same keys are written often.",
     .first = "Hash Indexes",
     .second = "Log-Structured Storage",
     .setup = "A log of as many updates, of fewer and fewer keys, merged once.",
     .x = "updates per key",
     .y = "bytes out of the merge / bytes into it",
     .is_counted = true,
     .run = merging_pays_where_keys_repeat},
    {.id = "C09",
     .text = "An index kept on disk makes a restart fast.",
     .first = "Hash Indexes",
     .second = "Log-Structured Storage",
     .setup = "Bytes read, per further record, by opening a store that was "
              "closed: with hints / without.",
     .x = "bytes of a value",
     .y = "bytes read with hints / without",
     .is_counted = true,
     .run = hints_make_a_start_fast},
    {0}};
