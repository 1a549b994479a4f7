// claims_tail.c -- claims about single operations, for which a mean is no
// answer.
// SPDX-License-Identifier: MIT
//
// What an operation costs is what it asked of the disk, so that each trial
// gives the same figures. Where a time is wanted, a device is assumed.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"

#include "compare/claims/claim.h"
#include "compare/histogram.h"

// ---- C33 --------------------------------------------------------------------

enum { GETS = 150, READS_MAX = 64 };

typedef struct reads {
    double share[READS_MAX]; // of gets, by how many reads they needed
    double least, most;
} reads;

typedef enum which { FOUND, ABSENT, RECENT } which;

// Each get meets a store that was just opened: nothing is cached.
static kv_status read_cold(cmp_specimen *s, which kind, reads *out)
{
    *out = (reads){.least = INFINITY};
    for (uint32_t i = 0; i < GETS; i++) {
        uint32_t place = cmp_records_place(&s->records, i);
        if (kind == RECENT) KV_TRY(cmp_specimen_put(s, place));
        KV_TRY(cmp_specimen_reopen(s));
        KV_TRY(kind == RECENT  ? cmp_specimen_get(s, place)
               : kind == FOUND ? cmp_specimen_get_some(s, 1)
                               : cmp_specimen_get_absent(s, 1));
        uint64_t n = cmp_specimen_reads(s);
        out->share[n < READS_MAX ? n : READS_MAX - 1] += 1.0 / GETS;
        out->least = fmin(out->least, (double)n);
        out->most = fmax(out->most, (double)n);
    }
    return KV_OK;
}

static void note_reads(cmp_bench *b, const char *series, const reads *r)
{
    for (int n = (int)r->least; n <= (int)r->most && n < READS_MAX; n++) {
        cmp_note(b, series, n, r->share[n], NAN);
    }
}

// A store as its updates left it: not settled.
static kv_status open_aged(cmp_bench *b, cmp_specimen *s, const char *engine)
{
    cmp_shape shape = {.records = b->records};
    KV_TRY(cmp_specimen_open(b, s, engine, shape));
    KV_TRY(cmp_specimen_fill(s, shape.records));
    KV_TRY(cmp_specimen_update(s, shape.records / 2));
    return cmp_specimen_reopen(s); // which flushes what is in memory
}

static kv_status read_tree(cmp_bench *b)
{
    cmp_specimen s;
    reads found, absent;
    kv_status st = open_aged(b, &s, "bt");
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) st = read_cold(&s, FOUND, &found);
    if (st == KV_OK) st = read_cold(&s, ABSENT, &absent);
    if (st == KV_OK) {
        int levels = 0;
        for (char level[32];; levels++) {
            snprintf(level, sizeof level, "level %d", levels);
            if (isnan(cmp_specimen_fact(&s, level, "pages"))) break;
        }
        note_reads(b, "B-tree, found", &found);
        note_reads(b, "B-tree, absent", &absent);
        cmp_check_near(b, "B-tree: fewest reads of a get, levels",
                       fmin(found.least, absent.least), levels, 0);
        cmp_check_near(b, "B-tree: most reads of a get, levels",
                       fmax(found.most, absent.most), levels, 0);
    }
    cmp_specimen_close(&s);
    return st;
}

typedef struct tree_reads {
    reads of[3]; // by which
    double runs;
} tree_reads;

static kv_status read_runs(cmp_bench *b, const char *engine, const char *series,
                           tree_reads *r)
{
    static const char *const words[] = {"found", "absent", "just written"};
    cmp_specimen s;
    char name[64];
    kv_status st = open_aged(b, &s, engine);
    if (st == KV_OK) r->runs = cmp_specimen_levels(&s, "runs");
    for (int kind = FOUND; kind <= RECENT && st == KV_OK; kind++) {
        st = read_cold(&s, (which)kind, &r->of[kind]);
        snprintf(name, sizeof name, "%s, %s", series, words[kind]);
        if (st == KV_OK) note_reads(b, name, &r->of[kind]);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status trees_are_predictable(cmp_bench *b)
{
    tree_reads r;
    KV_TRY(read_tree(b));
    KV_TRY(read_runs(b, "lsm:bits_per_key=0", "LSM-tree, no filters", &r));
    cmp_check_near(b, "LSM-tree, no filters: most reads of a get, runs",
                   fmax(r.of[FOUND].most, r.of[ABSENT].most), r.runs, 0);
    cmp_check_at_most(b, "LSM-tree, no filters: fewest, of a key just written",
                      r.of[RECENT].least, 1);
    KV_TRY(read_runs(b, "lsm", "LSM-tree", &r));
    cmp_check_at_most(b, "LSM-tree with filters: most reads of a get, runs",
                      fmax(r.of[FOUND].most, r.of[ABSENT].most), r.runs);
    return KV_OK;
}

// ---- C34, C41: a trace of what each put asked of the disk -------------------

typedef struct trace {
    double *bytes, *calls; // of each put, written and read
    size_t count;
    double user; // bytes of a put
} trace;

static void free_trace(trace *t)
{
    kv_free(t->bytes);
    kv_free(t->calls);
    *t = (trace){0};
}

static void note_cost(const cmp_specimen *s, double *bytes, double *calls)
{
    kv_stats now = cmp_specimen_stats(s);
    *bytes = *calls = 0;
    for (int r = 0; r < KV_REASONS; r++) {
        const kv_disk_stats *d = &now.disk[r];
        *bytes += (double)(d->read_bytes + d->write_bytes);
        *calls += (double)(d->reads + d->writes);
    }
}

// Updates all records once on the mean, and notes what each put cost.
static kv_status record_puts(cmp_bench *b, const char *engine, cmp_shape shape,
                             trace *t)
{
    cmp_specimen s;
    *t = (trace){.count = shape.records};
    t->bytes = kv_zalloc(t->count * sizeof *t->bytes);
    t->calls = kv_zalloc(t->count * sizeof *t->calls);
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
    t->user = (double)(s.records.key_bytes + s.records.value_bytes);
    double bytes = 0, calls = 0, bytes_after = 0, calls_after = 0;
    if (st == KV_OK) note_cost(&s, &bytes, &calls);
    for (size_t i = 0; i < t->count && st == KV_OK; i++) {
        st = cmp_specimen_update(&s, 1);
        if (st == KV_OK) note_cost(&s, &bytes_after, &calls_after);
        t->bytes[i] = bytes_after - bytes;
        t->calls[i] = calls_after - calls;
        bytes = bytes_after;
        calls = calls_after;
    }
    cmp_specimen_close(&s);
    return st;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef struct spread {
    double mean, p50, p999, most; // bytes of a put / bytes given
} spread;

// Also notes the share of puts that cost more than each of some amounts.
static spread spread_of(cmp_bench *b, const char *series, const trace *t)
{
    spread out = {0};
    size_t n = t->count;
    double *sorted = kv_alloc(n * sizeof *sorted);
    for (size_t i = 0; i < n; i++) {
        sorted[i] = t->bytes[i] / t->user;
        out.mean += sorted[i] / (double)n;
    }
    qsort(sorted, n, sizeof *sorted, ascending);
    out.p50 = sorted[n / 2];
    out.p999 = sorted[n - 1 - n / 1000];
    out.most = sorted[n - 1];
    size_t i = 0;
    for (double least = 1; i < n && least < 1e9; least *= 2) {
        while (i < n && sorted[i] < least) i++;
        if (i < n) cmp_note(b, series, least, (double)(n - i) / (double)n, NAN);
    }
    kv_free(sorted);
    return out;
}

enum { PUTS_PER_FLUSH = 250 };

static kv_status spread_puts(cmp_bench *b, const char *engine,
                             const char *series, cmp_shape shape, spread *out)
{
    trace t;
    kv_status st = record_puts(b, engine, shape, &t);
    if (st == KV_OK) *out = spread_of(b, series, &t);
    free_trace(&t);
    return st;
}

static const char *busy_lsm(char *to, size_t size)
{
    snprintf(to, size, "lsm:memtable_bytes=%d", PUTS_PER_FLUSH * 128);
    return to;
}

static kv_status compaction_is_in_the_tail(cmp_bench *b)
{
    char engine[64];
    spread quiet, busy, tree;
    cmp_shape shape = {.records = b->records};
    cmp_shape roomy = {.records = b->records,
                       .memory_bytes = (uint64_t)b->records << 11};
    KV_TRY(spread_puts(b, "lsm", "LSM-tree, nothing to flush", roomy, &quiet));
    KV_TRY(spread_puts(b, busy_lsm(engine, sizeof engine), "LSM-tree", shape,
                       &busy));
    KV_TRY(spread_puts(b, "bt", "B-tree", shape, &tree));
    cmp_check_at_most(b, "LSM-tree: bytes of the median put, busy / quiet",
                      busy.p50 / quiet.p50, 2);
    cmp_check_at_least(b, "the same of one put in a thousand",
                       busy.p999 / quiet.p999, 5);
    cmp_check_at_least(b, "LSM-tree: one put in a thousand / the mean",
                       busy.p999 / busy.mean, 5);
    // A tree that writes its pages back in batches has such puts too.
    const char *control = "B-tree: one put in a thousand / the mean";
    if (tree.p999 > 5 * tree.mean) {
        cmp_check_depends(b, control, tree.p999 / tree.mean, 5);
    } else {
        cmp_check_at_most(b, control, tree.p999 / tree.mean, 5);
    }
    return KV_OK;
}

// ---- C41 --------------------------------------------------------------------

// An assumed device: so long a call, and so long a byte.
static const double call_ns = 2000, byte_ns = 1; // 1 GB/s

static double cost_ns(const trace *t, size_t i)
{
    return call_ns * t->calls[i] + byte_ns * t->bytes[i];
}

enum { WINDOW = 1000, WINDOWS_DRAWN = 50 };
static const double high = 0.999;

// Percentiles of windows, averaged, and of all that happened.
static void average_percentiles(cmp_bench *b, const trace *t, double *averaged,
                                double *merged)
{
    static cmp_histogram all, window; // large
    all = (cmp_histogram){0};
    *averaged = 0;
    size_t windows = t->count / WINDOW;
    for (size_t w = 0; w < windows; w++) {
        window = (cmp_histogram){0};
        for (size_t i = w * WINDOW; i < (w + 1) * WINDOW; i++) {
            cmp_histogram_add(&window, (uint64_t)cost_ns(t, i));
        }
        double p = (double)cmp_histogram_quantile(&window, high);
        if (w < WINDOWS_DRAWN) {
            cmp_note(b, "99.9th percentile of a window", (double)w + 1, p, NAN);
        }
        *averaged += p / (double)windows;
        cmp_histogram_merge(&all, &window);
    }
    *merged = (double)cmp_histogram_quantile(&all, high);
}

// The percentile of waiting and service when puts are intended at a steady
// rate, the share `load` of what the device can do, whether or not it keeps up.
static double open_percentile(const trace *t, double load)
{
    static cmp_histogram waits;
    double total = 0, now = 0;
    waits = (cmp_histogram){0};
    for (size_t i = 0; i < t->count; i++) total += cost_ns(t, i);
    double gap = total / load / (double)t->count;
    for (size_t i = 0; i < t->count; i++) {
        double intended = gap * (double)i;
        now = fmax(now, intended) + cost_ns(t, i);
        cmp_histogram_add(&waits, (uint64_t)(now - intended));
    }
    return (double)cmp_histogram_quantile(&waits, high);
}

static kv_status percentiles_cannot_be_averaged(cmp_bench *b)
{
    trace t;
    char engine[64];
    double averaged = 0, merged = 0, mean = 0;
    cmp_shape shape = {.records = b->records};
    kv_status st = record_puts(b, busy_lsm(engine, sizeof engine), shape, &t);
    if (st == KV_OK) {
        average_percentiles(b, &t, &averaged, &merged);
        for (size_t i = 0; i < t.count; i++) {
            mean += cost_ns(&t, i) / (double)t.count;
        }
        double open = open_percentile(&t, 0.7);
        cmp_check_at_least(b, "99.9th percentiles of windows, averaged: error",
                           fabs(averaged / merged - 1), 0.1);
        cmp_check_at_least(b, "99.9th percentile, open loop / closed loop",
                           open / merged, 10);
        cmp_check_at_least(b, "99.9th percentile, open loop / mean",
                           open / mean, 10);
    }
    free_trace(&t);
    return st;
}

// ---- the claims -------------------------------------------------------------

const cmp_claim cmp_claims_of_tails[] = {
    {.id = "C33",
     .text = "Reading from a B-tree is predictable: one page per level. An "
             "LSM-tree may have to look into every run.",
     .first = "Comparing B-Trees and LSM-Trees",
     .second = "Read performance",
     .setup = "150 keys that are there, that are not, and that were just "
              "written, each looked up in a store that was just opened (an "
              "LSM-tree then holds indexes "
              "and filters, a B-tree nothing); how many needed how many reads.",
     .x = "reads of a get",
     .y = "share of gets",
     .is_counted = true,
     .run = trees_are_predictable},
    {.id = "C34",
     .text = "Compaction is felt in the slowest operations far more than in "
             "the mean.",
     .first = "Downsides of LSM-trees",
     .second = "Read performance",
     .setup = "Every record replaced once on the mean, a flush for each 250; "
              "housekeeping is done by the put that makes it due, and what a "
              "put read and wrote is its cost. Quiet: memory for everything. "
              "(A B-tree writes pages back in batches, which is its tail.)",
     .x = "bytes that a put moved / bytes given",
     .y = "share of puts that moved more",
     .is_counted = true,
     .run = compaction_is_in_the_tail},
    {.id = "C41",
     .text = "A mean hides the slowest operations, and percentiles cannot be "
             "averaged.",
     .first = "Describing Performance",
     .second = "Describing Performance",
     .setup = "What each put of an LSM-tree asked of the disk, on an assumed "
              "device (2 us a call, 1 GB/s): 99.9th percentiles of windows of "
              "1000 puts "
              "and of all; one put after the other, and at 70 % of that rate "
              "with the time counted from when a put was due.",
     .x = "window",
     .y = "ns of a put",
     .is_counted = true,
     .run = percentiles_cannot_be_averaged},
    {0}};
