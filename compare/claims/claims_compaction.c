// claims_compaction.c -- claims about ways of compacting: leveled and tiered.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "common/mem.h"

#include "compare/chooser.h"
#include "compare/claims/claim.h"
#include "compare/theory.h"

// The reference: data of 122 memtables, tables as large as one.
enum { MEMTABLES = 122, AGE = 3, MEASURED = 5 };

typedef struct way {
    const char *name, *knobs; // of stage 4
    double ratio;             // between levels, or runs per tier
} way;

static const way leveled_10 = {"leveled, T=10", "compaction=leveled", 10};
static const way leveled_4 = {"leveled, T=4", "compaction=leveled,size_ratio=4",
                              4};
static const way tiered_4 = {"tiered, T=4", "compaction=tiered", 4};
static const way tiered_10 = {"tiered, T=10", "compaction=tiered,tier_runs=10",
                              10};

static kv_status load(cmp_bench *b, cmp_specimen *s, const way *w,
                      unsigned bits, uint32_t records)
{
    char engine[160];
    unsigned memtable = (unsigned)(records * 128.0 / MEMTABLES);
    cmp_shape shape = {.records = records};
    snprintf(engine, sizeof engine,
             "lsm:%s,compression=none,bits_per_key=%u,memtable_bytes=%u,"
             "table_bytes=%u",
             w->knobs, bits, memtable, memtable);
    return cmp_specimen_load(b, s, engine, shape);
}

static double metric(const cmp_specimen *s, unsigned level, const char *name)
{
    char branch[16];
    snprintf(branch, sizeof branch, "level %u", level);
    double value = cmp_specimen_fact_of(s, "metrics", branch, name);
    return isnan(value) ? 0 : value;
}

enum { LEVELS = 8 };

static double sum_metric(const cmp_specimen *s, const char *name)
{
    double sum = 0;
    for (unsigned level = 0; level < LEVELS; level++) {
        sum += metric(s, level, name);
    }
    return sum;
}

static double write_amplification(const cmp_specimen *s)
{
    return (double)cmp_specimen_written(s) / (double)cmp_specimen_user_bytes(s);
}

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

struct scans {
    double first, per_row; // reads, by a line through the measured ones
    double one, thousand;  // reads for so many rows
    double runs, blocks;   // what theory has: sorted runs, blocks per row
};

// Reads per scan of each length, with no cache to speak of.
static kv_status scan_some(cmp_specimen *s, double *reads)
{
    s->options.memory_bytes = NO_CACHE;
    KV_TRY(cmp_specimen_reopen(s));
    for (int i = 0; i < LENGTHS; i++) {
        cmp_specimen_mark(s);
        uint32_t room = s->records.count - scan_rows[i];
        for (uint32_t j = 0; j < SCANS; j++) {
            uint32_t from = (uint32_t)kv_rng_below(&s->rng, room);
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
    out->thousand = reads[LENGTHS - 1];
}

static kv_status scan_tree(cmp_bench *b, const char *knobs, const char *series,
                           struct scans *out)
{
    cmp_specimen s;
    double reads[LENGTHS];
    way w = {series, knobs, 0};
    kv_status st = load(b, &s, &w, 10, b->records);
    if (st == KV_OK) st = cmp_specimen_update(&s, 2 * b->records);
    if (st == KV_OK) st = scan_some(&s, reads);
    if (st == KV_OK) {
        out->runs = sum_metric(&s, "runs");
        out->blocks = sum_metric(&s, "bytes") / BLOCK / (double)s.live_count;
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
    if (st == KV_OK) st = scan_some(&s, reads);
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
    if (st == KV_OK) st = scan_some(&s, reads);
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
                   leveled.first / leveled.runs, 1, 0.2);
    cmp_check_near(b, "tiered: reads before the first row / runs",
                   tiered.first / tiered.runs, 1, 0.2);
    cmp_check_near(b, "leveled: reads per further row / blocks per record",
                   leveled.per_row / leveled.blocks, 1, 0.2);
    cmp_check_near(b, "tiered: reads per further row / blocks per record",
                   tiered.per_row / tiered.blocks, 1, 0.2);
    cmp_check_at_least(b, "one row: reads, leveled / B-tree",
                       leveled.one / tree.one, 2);
    cmp_check_depends(b, "a thousand rows: reads, leveled / B-tree",
                      leveled.thousand / tree.thousand, 1);
    return KV_OK;
}

// ---- C21 --------------------------------------------------------------------

// A thousand flushes and some are whole rounds of tiers, of 4 runs and of 10; a
// sample at every seventh meets each state of the lower tiers alike.
enum { SAMPLES = 146, APART = 7, MISSES = 20 };

struct life {
    double writes, misses, runs, space; // means
    double peak, largest;               // of space; bytes / live
};

static kv_status sample(cmp_specimen *s, struct life *l)
{
    double before = sum_metric(s, "gets that read for nothing");
    KV_TRY(cmp_specimen_get_absent(s, MISSES));
    double after = sum_metric(s, "gets that read for nothing");
    l->misses += (after - before) / MISSES / SAMPLES;
    l->runs += sum_metric(s, "runs") / SAMPLES;
    l->space += (double)cmp_specimen_stats(s).disk_bytes /
                (double)s->live_bytes / SAMPLES;
    return KV_OK;
}

static kv_status update_by_flushes(cmp_specimen *s, unsigned flushes)
{
    double until = metric(s, 0, "jobs") + flushes;
    while (metric(s, 0, "jobs") < until) KV_TRY(cmp_specimen_update(s, 50));
    return KV_OK;
}

static kv_status live(cmp_bench *b, const way *w, uint32_t records,
                      struct life *l)
{
    cmp_specimen s;
    *l = (struct life){0};
    kv_status st = load(b, &s, w, 0, records);
    if (st == KV_OK) st = cmp_specimen_update(&s, AGE * records);
    if (st == KV_OK) cmp_specimen_mark(&s);
    for (int i = 0; i < SAMPLES && st == KV_OK; i++) {
        st = update_by_flushes(&s, APART);
        if (st == KV_OK) st = sample(&s, l);
    }
    if (st == KV_OK) l->writes = write_amplification(&s);
    cmp_specimen_close(&s);
    return st;
}

static kv_status tiers_write_less(cmp_bench *b)
{
    static const way *const ways[] = {&leveled_4, &tiered_4, &leveled_10,
                                      &tiered_10};
    struct life l[4];
    for (size_t i = 0; i < 4; i++) {
        KV_TRY(live(b, ways[i], b->records, &l[i]));
        cmp_note(b, ways[i]->name, l[i].writes, l[i].misses, NAN);
    }
    for (size_t i = 0; i < 4; i += 2) {
        char what[64];
        int ratio = (int)ways[i]->ratio;
        snprintf(what, sizeof what, "T=%d: bytes written, tiered / leveled",
                 ratio);
        cmp_check_at_most(b, what, l[i + 1].writes / l[i].writes, 0.6);
        snprintf(what, sizeof what, "T=%d: runs, tiered / leveled", ratio);
        cmp_check_at_least(b, what, l[i + 1].runs / l[i].runs,
                           ratio == 4 ? 1.3 : 2);
        snprintf(what, sizeof what, "T=%d: space, tiered / leveled", ratio);
        cmp_check_at_least(b, what, l[i + 1].space / l[i].space, 1.3);
    }
    return KV_OK;
}

// ---- C22 --------------------------------------------------------------------

enum { POINTS = 200, ROUNDS = 5 };

struct room {
    double mean, peak;         // bytes on disk / live bytes
    double transient, largest; // most held twice; the largest run after it
};

static double largest_run(const cmp_specimen *s)
{
    double most = 0;
    for (unsigned level = 0; level < LEVELS; level++) {
        double runs = metric(s, level, "runs");
        if (runs > 0) most = fmax(most, metric(s, level, "bytes") / runs);
    }
    return most;
}

// One put, and what the merges within it held beside what was there before. A
// merge that is no new peak of all is not seen.
static kv_status put_and_watch(cmp_specimen *s, struct room *r)
{
    kv_stats before = cmp_specimen_stats(s);
    KV_TRY(cmp_specimen_update(s, 1));
    kv_stats after = cmp_specimen_stats(s);
    if (after.disk_bytes_peak == before.disk_bytes_peak) return KV_OK;
    double twice = (double)(after.disk_bytes_peak - before.disk_bytes);
    if (twice <= r->transient) return KV_OK;
    r->transient = twice;
    r->largest = largest_run(s);
    return KV_OK;
}

static kv_status watch_room(cmp_bench *b, const way *w, struct room *r)
{
    cmp_specimen s;
    uint32_t each = ROUNDS * b->records / POINTS;
    *r = (struct room){0};
    kv_status st = load(b, &s, w, 10, b->records);
    for (int i = 1; i <= POINTS && st == KV_OK; i++) {
        for (uint32_t j = 0; j < each && st == KV_OK; j++) {
            st = put_and_watch(&s, r);
        }
        double space = (double)cmp_specimen_stats(&s).disk_bytes;
        cmp_note(b, w->name, (double)ROUNDS * i / POINTS,
                 space / (double)s.live_bytes, NAN);
        r->mean += space / (double)s.live_bytes / POINTS;
    }
    r->peak =
        (double)cmp_specimen_stats(&s).disk_bytes_peak / (double)s.live_bytes;
    r->transient /= (double)s.live_bytes;
    r->largest /= (double)s.live_bytes;
    cmp_specimen_close(&s);
    return st;
}

static kv_status tiers_need_room(cmp_bench *b)
{
    struct room tiered, leveled;
    KV_TRY(watch_room(b, &tiered_4, &tiered));
    KV_TRY(watch_room(b, &leveled_10, &leveled));
    cmp_check_at_least(b, "tiered: bytes a merge held twice / largest run",
                       tiered.transient / tiered.largest, 0.9);
    cmp_check_at_most(b, "leveled: bytes a merge held twice / live bytes",
                      leveled.transient, 0.15);
    cmp_check_at_least(b, "peak of space, tiered / leveled",
                       tiered.peak / leveled.peak, 1.3);
    return KV_OK;
}

// ---- C23 --------------------------------------------------------------------

#define HOT_DATA     0.01
#define HOT_REQUESTS 0.99

static kv_status update_by(cmp_specimen *s, cmp_chooser *c, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = (uint32_t)cmp_choose(c, s->filled);
        KV_TRY(cmp_specimen_put(s, cmp_records_place(&s->records, number)));
    }
    return KV_OK;
}

// The tree as it stands, in records, for the model.
static cmp_leveled shape_of(const cmp_specimen *s, double record)
{
    cmp_leveled tree = {.trigger = 4};
    double puts = (double)cmp_specimen_stats(s).puts;
    tree.memtable = puts / metric(s, 0, "jobs");
    for (unsigned level = 1; level < LEVELS; level++) {
        double target = metric(s, level, "target");
        if (target > 0) tree.size[tree.levels++] = target / record;
    }
    return tree;
}

static double expected_writes(const cmp_specimen *s, const cmp_popularity *p)
{
    // Of a record in a table, and in the log / as the user gave it.
    double entries = sum_metric(s, "entries out"), user = 128;
    double record = sum_metric(s, "written") / entries;
    double log = (double)cmp_specimen_written_for(s, KV_FOR_WAL) /
                 (double)cmp_specimen_user_bytes(s);
    cmp_leveled tree = shape_of(s, record);
    double wa = cmp_theory_leveled_wa(p, &tree, NULL);
    return log + (wa - 1) * record / user;
}

static kv_status write_by(cmp_bench *b, cmp_pattern pattern,
                          const cmp_popularity *p, double *wa, double *theory)
{
    cmp_specimen s;
    cmp_chooser chooser;
    cmp_chooser_init(&chooser, pattern, b->seed);
    chooser.hot_data = HOT_DATA;
    chooser.hot_requests = HOT_REQUESTS;
    kv_status st = load(b, &s, &leveled_10, 10, b->records);
    if (st == KV_OK) st = update_by(&s, &chooser, AGE * b->records);
    // The engine's own tallies begin anew as well.
    if (st == KV_OK) st = cmp_specimen_reopen(&s);
    if (st == KV_OK) st = update_by(&s, &chooser, MEASURED * b->records);
    if (st == KV_OK) {
        *wa = write_amplification(&s);
        *theory = expected_writes(&s, p);
    }
    cmp_specimen_close(&s);
    return st;
}

// 1 % of the keys get 99 % of the requests.
static cmp_popularity popularity_hotspot(double keys)
{
    cmp_popularity p = {.keys = keys, .count = 2};
    p.classes = kv_alloc(2 * sizeof *p.classes);
    double hot = keys * HOT_DATA, cold = keys - hot;
    p.classes[0] = (struct cmp_key_class){HOT_REQUESTS / hot, hot};
    p.classes[1] = (struct cmp_key_class){(1 - HOT_REQUESTS) / cold, cold};
    return p;
}

static kv_status few_keys_cost_less(cmp_bench *b)
{
    static const char *const names[] = {"uniform", "Zipf", "hotspot"};
    static const cmp_pattern pattern[] = {CMP_UNIFORM, CMP_ZIPF, CMP_HOTSPOT};
    double wa[3], theory[3], n = b->records;
    cmp_popularity p[] = {cmp_popularity_uniform(n),
                          cmp_popularity_zipf(b->records, 0.99),
                          popularity_hotspot(n)};
    kv_status st = KV_OK;
    for (int i = 0; i < 3 && st == KV_OK; i++) {
        st = write_by(b, pattern[i], &p[i], &wa[i], &theory[i]);
        if (st == KV_OK) cmp_note(b, names[i], i, wa[i], theory[i]);
    }
    for (int i = 0; i < 3; i++) cmp_popularity_free(&p[i]);
    KV_TRY(st);
    cmp_check_near(b, "uniform: bytes written / theory", wa[0] / theory[0], 1,
                   0.15);
    cmp_check_near(b, "Zipf 0.99: bytes written / theory", wa[1] / theory[1], 1,
                   0.1);
    cmp_check_at_most(b, "bytes written, Zipf / uniform", wa[1] / wa[0], 0.7);
    cmp_check_at_most(b, "1 % of the keys get 99 %: the same", wa[2] / wa[0],
                      0.7);
    return KV_OK;
}

// ---- the claims -------------------------------------------------------------

const cmp_claim cmp_claims_of_compaction[] = {
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
    {.id = "C21",
     .text = "Size-tiered compaction writes less; leveled reads and stores "
             "better.",
     .first = "Performance optimizations",
     .second = "Compaction strategies",
     .setup = "Data of 122 memtables, aged by three rewrites, then replaced at "
              "random for a thousand flushes; bytes written, blocks read per "
              "absent key without filters, runs and bytes on disk, as means.",
     .x = "bytes written / bytes given",
     .y = "reads per absent key, without filters",
     .is_counted = true,
     .run = tiers_write_less},
    {.id = "C22",
     .text = "Size-tiered compaction needs much room while it merges.",
     .first = "Performance optimizations",
     .second = "Disk space usage",
     .setup = "Data of 122 memtables, replaced five times over; bytes on disk "
              "before each put, and at most within it.",
     .x = "rewrites of all records",
     .y = "bytes on disk / live bytes",
     .is_counted = true,
     .run = tiers_need_room},
    {.id = "C23",
     .text = "Leveled compaction suits stores of which few keys are written "
             "often.",
     .first = "Performance optimizations",
     .second = "Compaction strategies",
     .setup = "Data of 122 memtables, leveled, aged by three rewrites, then "
              "replaced five times over: keys alike, by Zipf's law, and 1 % of "
              "them nearly always. Expected: the model of Lim, Andersen and "
              "Kaminsky with this tree's own levels.",
     .x = "which keys: all alike, Zipf, 1 %",
     .y = "bytes written / bytes given",
     .is_counted = true,
     .run = few_keys_cost_less},
    {0}};
