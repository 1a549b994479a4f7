// claims_range.c -- what a range of keys costs where they are in many files.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "compare/claims/claim.h"
#include "compare/theory.h"

// ---- C20 --------------------------------------------------------------------

// Up to 100 rows a scan reads block by block; then it reads ahead.
static const uint32_t scan_rows[] = {1, 10, 30, 100, 1000};
enum {
    SCANS = 100,
    LENGTHS = 5,
    BY_BLOCK = 4,
    NO_CACHE = 4 << 10,
    BLOCK = 4096
};
enum { MEMTABLES = 122 }; // that the data fills

struct scans {
    double first, per_row; // reads, by a line through the measured ones
    double one;            // reads for a row
    double runs, blocks;   // what theory has: sorted runs, blocks per row
};

// Reads per scan of each length, from any of the first `near` places, with no
// cache to speak of.
static kv_status scan_some(cmp_specimen *s, uint32_t near, double *reads)
{
    s->options.memory_bytes = NO_CACHE;
    KV_TRY(cmp_specimen_reopen(s));
    for (int i = 0; i < LENGTHS; i++) {
        cmp_specimen_mark(s);
        for (uint32_t j = 0; j < SCANS; j++) {
            uint32_t from = (uint32_t)kv_rng_below(&s->rng, near);
            KV_TRY(cmp_specimen_scan(s, from, scan_rows[i]));
        }
        reads[i] = (double)cmp_specimen_reads(s) / SCANS;
    }
    return KV_OK;
}

static void fit(cmp_bench *b, const char *series, const double *reads,
                struct scans *out)
{
    double rows[BY_BLOCK];
    for (int i = 0; i < LENGTHS; i++) {
        double theory =
            cmp_theory_scan_reads(out->runs, scan_rows[i], 1 / out->blocks);
        cmp_note(b, series, scan_rows[i], reads[i],
                 i < BY_BLOCK ? theory : NAN);
        if (i < BY_BLOCK) rows[i] = scan_rows[i];
    }
    out->per_row = cmp_slope(rows, reads, BY_BLOCK);
    out->first = reads[0] - out->per_row;
    out->one = reads[0];
}

static kv_status scan_tree(cmp_bench *b, const char *knobs, const char *series,
                           struct scans *out)
{
    cmp_specimen s;
    double reads[LENGTHS];
    char engine[160];
    unsigned memtable = (unsigned)(b->records * 128.0 / MEMTABLES);
    cmp_shape shape = {.records = b->records};
    snprintf(engine, sizeof engine,
             "lsm:%s,compression=none,memtable_bytes=%u,table_bytes=%u", knobs,
             memtable, memtable);
    kv_status st = cmp_specimen_load(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_update(&s, 2 * b->records);
    // From the first tenth, where every run has something yet to come.
    if (st == KV_OK) st = scan_some(&s, b->records / 10, reads);
    if (st == KV_OK) {
        out->runs = cmp_specimen_levels(&s, "runs");
        out->blocks =
            cmp_specimen_levels(&s, "bytes") / BLOCK / (double)s.live_count;
        fit(b, series, reads, out);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status scan_pages(cmp_bench *b, struct scans *out)
{
    cmp_specimen s;
    double reads[LENGTHS];
    cmp_shape shape = {.records = b->records};
    kv_status st = cmp_specimen_load(b, &s, "bt", shape);
    if (st == KV_OK) st = scan_some(&s, b->records / 2, reads);
    if (st == KV_OK) {
        out->runs = 1;
        out->blocks =
            cmp_specimen_fact(&s, "level 0", "pages") / (double)s.live_count;
        fit(b, "B-tree", reads, out);
    }
    cmp_specimen_close(&s);
    return st;
}

// Every run as large as the next, so that filters change nothing else.
static kv_status scan_equal_runs(cmp_bench *b, unsigned bits, double *reads)
{
    cmp_specimen s;
    enum { RUNS = 7 };
    char knobs[96];
    snprintf(knobs, sizeof knobs,
             "lsm:compaction=tiered,tier_runs=100,compression=none,"
             "bits_per_key=%u",
             bits);
    uint32_t each = b->records / RUNS;
    cmp_shape shape = {.records = each * RUNS,
                       .memory_bytes = (uint64_t)b->records << 11};
    kv_status st = cmp_specimen_open(b, &s, knobs, shape);
    for (int i = 0; i < RUNS && st == KV_OK; i++) {
        st = cmp_specimen_fill(&s, each);
        if (st == KV_OK) st = cmp_specimen_settle(&s);
    }
    if (st == KV_OK) st = scan_some(&s, b->records / 2, reads);
    cmp_specimen_close(&s);
    return st;
}

static kv_status ranges_visit_every_run(cmp_bench *b)
{
    struct scans leveled, tiered, tree;
    double with[LENGTHS], without[LENGTHS], distance = 0;
    KV_TRY(scan_tree(b, "compaction=leveled", "leveled", &leveled));
    KV_TRY(scan_tree(b, "compaction=tiered", "tiered", &tiered));
    KV_TRY(scan_pages(b, &tree));
    KV_TRY(scan_equal_runs(b, 10, with));
    KV_TRY(scan_equal_runs(b, 0, without));
    for (int i = 0; i < LENGTHS; i++) {
        distance = cmp_worse(distance, fabs(with[i] / without[i] - 1));
    }
    cmp_check_at_most(b, "reads with filters / without, distance from 1",
                      distance, 0.01);
    cmp_check_near(b, "leveled: reads before the first row / runs",
                   leveled.first / leveled.runs, 1, 0.1);
    cmp_check_near(b, "tiered: reads before the first row / runs",
                   tiered.first / tiered.runs, 1, 0.1);
    cmp_check_near(b, "leveled: reads per further row / blocks per record",
                   leveled.per_row / leveled.blocks, 1, 0.25);
    cmp_check_near(b, "tiered: reads per further row / blocks per record",
                   tiered.per_row / tiered.blocks, 1, 0.25);
    cmp_check_at_least(b, "one row: reads, leveled / B-tree",
                       leveled.one / tree.one, 2);
    cmp_check_depends(b, "each further row: the same",
                      leveled.per_row / tree.per_row, 1);
    return KV_OK;
}

// ---- the claims -------------------------------------------------------------

const cmp_claim cmp_claims_of_ranges[] = {
    {.id = "C20",
     .text = "Filters do not help ranges: a range reads from every run.",
     .first = "Performance optimizations",
     .second = "Read performance",
     .setup = "Scans of 1 to 1000 rows in trees that were rewritten twice, "
              "without a cache; 7 equal runs with filters and without. "
              "Expected: a block per run, then blocks as records need them; "
              "from 1000 rows on several blocks are read at once.",
     .x = "rows of a scan",
     .y = "reads per scan",
     .is_counted = true,
     .run = ranges_visit_every_run},
    {0}};
