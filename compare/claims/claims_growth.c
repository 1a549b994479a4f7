// claims_growth.c -- claims about stores that grow, lag behind and shrink.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdio.h>

#include "compare/claims/claim.h"

// ---- C35 --------------------------------------------------------------------

enum { TENTHS = 10, FLUSHES_OF_ALL = 128 };

// Write amplification of each tenth of a load from nothing.
static kv_status load_in_tenths(cmp_bench *b, const char *engine,
                                const char *series, double *wa)
{
    cmp_specimen s;
    cmp_shape shape = {.records = b->records};
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    for (uint32_t i = 0; i < TENTHS && st == KV_OK; i++) {
        cmp_specimen_mark(&s);
        uint32_t limit = (uint32_t)((uint64_t)shape.records * (i + 1) / TENTHS);
        st = cmp_specimen_fill(&s, limit - s.filled);
        wa[i] = (double)cmp_specimen_written(&s) /
                (double)cmp_specimen_user_bytes(&s);
        cmp_note(b, series, s.filled, wa[i], NAN);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status short_trials_flatter(cmp_bench *b)
{
    char engine[96];
    double lsm[TENTHS], log[TENTHS];
    unsigned memtable = b->records * 128 / FLUSHES_OF_ALL;
    snprintf(engine, sizeof engine, "lsm:memtable_bytes=%u,table_bytes=%u",
             memtable, memtable);
    KV_TRY(load_in_tenths(b, engine, "LSM-tree", lsm));
    KV_TRY(load_in_tenths(b, "log", "log", log));
    cmp_check_at_least(b,
                       "LSM-tree: bytes written per byte, last tenth / first",
                       lsm[TENTHS - 1] / lsm[0], 2);
    cmp_check_near(b, "the same of a log without updates",
                   log[TENTHS - 1] / log[0], 1, 0.05);
    return KV_OK;
}

// ---- C36 --------------------------------------------------------------------

enum { LAG_FLUSHES = 32, LAG_POINTS = 8, LAG_GETS = 200, LAG_TRIGGER = 4 };

typedef struct lag {
    double slope;             // further reads of a miss per memtable
    double reads, space;      // in the end
    double most, level0_most; // bytes written within a put; runs of level 0
} lag;

static kv_status update_watched(cmp_specimen *s, uint32_t count, lag *l)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t before = cmp_specimen_written(s);
        KV_TRY(cmp_specimen_update(s, 1));
        l->most = fmax(l->most, (double)(cmp_specimen_written(s) - before));
    }
    return KV_OK;
}

static kv_status measure_lag(cmp_specimen *s, const char *series, double x,
                             lag *l)
{
    uint64_t before = cmp_specimen_reads(s);
    KV_TRY(cmp_specimen_get_absent(s, LAG_GETS));
    l->reads = (double)(cmp_specimen_reads(s) - before) / LAG_GETS;
    l->space = (double)cmp_specimen_stats(s).disk_bytes / (double)s->live_bytes;
    l->level0_most =
        cmp_worse(l->level0_most, cmp_specimen_level(s, 0, "runs"));
    cmp_note(s->bench, series, x, l->reads, NAN);
    return KV_OK;
}

static kv_status lag_behind(cmp_bench *b, unsigned trigger, const char *series,
                            lag *l)
{
    cmp_specimen s;
    char engine[128];
    double x[LAG_POINTS], y[LAG_POINTS];
    uint32_t flush = b->records / 8 / 64 * 4;
    cmp_shape shape = {.records = b->records / 8};
    *l = (lag){0};
    snprintf(engine, sizeof engine,
             "lsm:level0_runs=%u,bits_per_key=0,compression=none,"
             "memtable_bytes=%u",
             trigger, flush * 128);
    shape.memory_bytes = (uint64_t)flush * 128 * 4; // that memtable, no more
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
    for (int i = 0; i < LAG_POINTS && st == KV_OK; i++) {
        st = update_watched(&s, flush * LAG_FLUSHES / LAG_POINTS, l);
        x[i] = (i + 1.0) * LAG_FLUSHES / LAG_POINTS;
        if (st == KV_OK) st = measure_lag(&s, series, x[i], l);
        y[i] = l->reads;
    }
    if (st == KV_OK) l->slope = cmp_slope(x, y, LAG_POINTS);
    cmp_specimen_close(&s);
    return st;
}

static kv_status lag_costs_reads_and_space(cmp_bench *b)
{
    lag off, on;
    KV_TRY(lag_behind(b, 100, "nobody waits", &off));
    KV_TRY(lag_behind(b, LAG_TRIGGER, "writers wait", &on));
    cmp_check_at_least(b, "nobody waits: further reads of a miss per memtable",
                       off.slope, 0.5);
    cmp_check_at_most(b, "writers wait: the same", on.slope, 0.1);
    cmp_check_at_most(b, "writers wait: runs of level 0, trigger",
                      on.level0_most, LAG_TRIGGER);
    cmp_check_at_least(b, "bytes on disk / live, nobody waits / writers wait",
                       off.space / on.space, 1.5);
    cmp_check_at_least(b, "bytes that one put waited for, the other way",
                       on.most / off.most, 2);
    return KV_OK;
}

// ---- C37 --------------------------------------------------------------------

typedef struct sizes {
    double loaded, before, settled; // bytes on disk / live
    double shrunk; // bytes on disk after deleting and settling / before
} sizes;

static double disk_bytes(const cmp_specimen *s)
{
    return (double)cmp_specimen_stats(s).disk_bytes;
}

// Bytes on disk / live; noted in parts of what was loaded, beside what is live.
static double space_of(cmp_specimen *s, const char *engine, bool is_settled,
                       double x)
{
    char series[32];
    double all = s->bench->records * 128.0, live = (double)s->live_bytes;
    snprintf(series, sizeof series, "%s%s", engine,
             is_settled ? ", settled" : "");
    cmp_note(s->bench, series, x, disk_bytes(s) / all,
             is_settled ? live / all : NAN);
    return disk_bytes(s) / live;
}

// The first `count` that were inserted.
static kv_status delete_first(cmp_specimen *s, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        KV_TRY(cmp_specimen_del(s, cmp_records_place(&s->records, i)));
    }
    return KV_OK;
}

static kv_status delete_and_refill(cmp_bench *b, const char *engine,
                                   const char *series, sizes *out)
{
    cmp_specimen s;
    uint32_t many = b->records / 10 * 8, all = b->records + many;
    cmp_shape shape = {.records = all,
                       .memory_bytes = (uint64_t)b->records * 128 / 16};
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, b->records);
    if (st == KV_OK) st = cmp_specimen_update(&s, b->records);
    if (st == KV_OK) out->loaded = space_of(&s, series, false, 0);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    double before = st == KV_OK ? disk_bytes(&s) : NAN;
    if (st == KV_OK) out->before = space_of(&s, series, true, 0);
    if (st == KV_OK) st = delete_first(&s, many);
    if (st == KV_OK) space_of(&s, series, false, 1);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) out->shrunk = disk_bytes(&s) / before;
    if (st == KV_OK) space_of(&s, series, true, 1);
    if (st == KV_OK) st = cmp_specimen_fill(&s, many);
    if (st == KV_OK) space_of(&s, series, false, 2);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) out->settled = space_of(&s, series, true, 2);
    cmp_specimen_close(&s);
    return st;
}

static kv_status trees_keep_their_space(cmp_bench *b)
{
    sizes lsm, tree;
    KV_TRY(delete_and_refill(b, "lsm:compression=none", "lsm", &lsm));
    KV_TRY(delete_and_refill(b, "bt", "bt", &tree));
    cmp_check_at_most(b, "LSM-tree: bytes on disk / live, settled", lsm.settled,
                      1.3);
    cmp_check_at_most(b, "LSM-tree / B-tree, loaded at random and settled",
                      lsm.before / tree.before, 1);
    cmp_check_at_most(b, "LSM-tree after deleting 80 % / before", lsm.shrunk,
                      0.2 * 1.3);
    // Levels of a fixed size keep much that is dead until they are merged.
    const char *early = "LSM-tree before settling / B-tree";
    if (lsm.loaded > tree.before) {
        cmp_check_depends(b, early, lsm.loaded / tree.before, 1);
    } else {
        cmp_check_at_most(b, early, lsm.loaded / tree.before, 1);
    }
    // A B-tree whose file ends in free pages can be cut short.
    if (tree.shrunk < 0.95) {
        cmp_check_depends(b,
                          "B-tree after deleting 80 % / before: free pages "
                          "at the end are given back here",
                          tree.shrunk, 1);
    } else {
        cmp_check_at_least(b, "B-tree after deleting 80 % / before",
                           tree.shrunk, 0.95);
    }
    return KV_OK;
}

// ---- the claims -------------------------------------------------------------

const cmp_claim cmp_claims_of_growth[] = {
    {.id = "C35",
     .text = "An LSM-tree writes more per byte as it grows, so that a short "
             "trial flatters it.",
     .first = "Downsides of LSM-trees",
     .second = "Write amplification",
     .setup = "Records inserted in random order from nothing to 128 "
              "memtables; bytes written in each tenth of the load.",
     .x = "records",
     .y = "bytes written / bytes given",
     .is_counted = true,
     .run = short_trials_flatter},
    {.id = "C36",
     .text = "If compaction lags behind, runs pile up, reads get slower and "
             "the disk fills; writers that wait keep it bounded.",
     .first = "Downsides of LSM-trees",
     .second = "Read performance",
     .setup = "Updates for 32 memtables, no filters: with compaction that does "
              "not get its turn (it would begin at 100 runs), and with "
              "writers that compact whenever 4 runs are there.",
     .x = "memtables written",
     .y = "reads of a miss",
     .is_counted = true,
     .run = lag_costs_reads_and_space},
    {.id = "C37",
     .text = "An LSM-tree's files are smaller; a B-tree is fragmented and does "
             "not give space back.",
     .first = "Advantages of LSM-trees",
     .second = "Disk space usage",
     .setup = "Records loaded in random order and replaced once on the mean, "
              "80 % of them deleted, as many "
              "others inserted, and settled after each (=); bytes on disk, and "
              "(dotted) live bytes.",
     .x = "loaded, deleted, refilled",
     .y = "bytes on disk / bytes loaded",
     .is_counted = true,
     .run = trees_keep_their_space},
    {0}};
