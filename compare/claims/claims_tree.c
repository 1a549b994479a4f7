// claims_tree.c -- claims about B-trees.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "compare/claims/claim.h"
#include "compare/claims/trees.h"
#include "compare/theory.h"

enum { TREE_LEVELS = 16 };

// The tree's pages by level, the leaves first.
static size_t count_nodes(const cmp_specimen *s, double *nodes)
{
    for (size_t level = 0; level < TREE_LEVELS; level++) {
        char branch[32];
        snprintf(branch, sizeof branch, "level %zu", level);
        nodes[level] = cmp_specimen_fact(s, branch, "pages");
        if (isnan(nodes[level])) return level;
    }
    return TREE_LEVELS;
}

// ---- C25 --------------------------------------------------------------------

// Bytes written / bytes given, of replacing each record twice on the mean.
static kv_status update_sized(cmp_bench *b, const char *engine,
                              size_t value_bytes, double *wa)
{
    cmp_specimen s;
    const size_t key = 16;
    // As much data at every size, and memory for a sixteenth of it.
    uint32_t records = b->records * 128 / (uint32_t)(key + value_bytes);
    cmp_shape shape = {.records = records, .value_bytes = value_bytes};
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, records);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) cmp_specimen_mark(&s);
    if (st == KV_OK) st = cmp_specimen_update(&s, 2 * (uint64_t)records);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) {
        *wa = (double)cmp_specimen_written(&s) /
              (double)cmp_specimen_user_bytes(&s);
        double record = (double)(key + value_bytes);
        bool is_lsm = strcmp(engine, "lsm") == 0;
        cmp_note(b, engine, record, *wa,
                 is_lsm ? cmp_tree_expected_uniform(&s, record)
                        : cmp_pages_expected(&s, record));
    }
    cmp_specimen_close(&s);
    return st;
}

enum { RECORD_SIZES = 8, SMALLEST = 32, PAGE_BYTES = 4096 };

// Where two falling lines, straight between points on log axes, meet.
static double crossing(const double *lsm, const double *tree)
{
    for (int i = 1; i < RECORD_SIZES; i++) {
        double before = log(tree[i - 1] / lsm[i - 1]);
        double after = log(tree[i] / lsm[i]);
        if (before >= 0 && after < 0) {
            double size = SMALLEST * pow(2, i - 1);
            return size * pow(2, before / (before - after));
        }
    }
    return NAN;
}

static kv_status merging_writes_less_than_pages(cmp_bench *b)
{
    double lsm[RECORD_SIZES], tree[RECORD_SIZES];
    for (int i = 0; i < RECORD_SIZES; i++) {
        size_t value = ((size_t)SMALLEST << i) - 16;
        KV_TRY(update_sized(b, "lsm", value, &lsm[i]));
        KV_TRY(update_sized(b, "bt", value, &tree[i]));
    }
    const double record = 128; // the third size
    double page_writes = (tree[2] - 1) * record / PAGE_BYTES;
    cmp_check_at_most(b, "records of 128 B, LSM-tree / B-tree",
                      lsm[2] / tree[2], 0.5);
    cmp_check_near(b, "bytes of a record where both write the same",
                   crossing(lsm, tree),
                   cmp_theory_crossover(page_writes, PAGE_BYTES, lsm[2]), 0.25);
    cmp_check_depends(b, "records of 4 KiB: LSM-tree / B-tree",
                      lsm[RECORD_SIZES - 1] / tree[RECORD_SIZES - 1], 0.5);
    return KV_OK;
}

// ---- C26 --------------------------------------------------------------------

static kv_status update_evenly(cmp_bench *b, unsigned cached_64ths, double *log,
                               double *pages)
{
    cmp_specimen s;
    uint32_t records = b->records;
    cmp_shape shape = {.records = records,
                       .memory_bytes = (uint64_t)records * 2 * cached_64ths};
    kv_status st = cmp_specimen_open(b, &s, "bt", shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, records);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) cmp_specimen_mark(&s);
    if (st == KV_OK) st = cmp_specimen_update(&s, records);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) {
        double user = (double)cmp_specimen_user_bytes(&s);
        *log = (double)cmp_specimen_written_for(&s, KV_FOR_WAL) / user;
        *pages = (double)cmp_specimen_written_for(&s, KV_FOR_PAGE) / user;
        cmp_note(b, "to the log", cached_64ths / 64.0, *log, NAN);
        cmp_note(b, "to pages", cached_64ths / 64.0, *pages, NAN);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status everything_is_written_twice(cmp_bench *b)
{
    double log = 0, pages = 0, least_log = INFINITY, least_pages = INFINITY;
    for (unsigned cached = 4; cached <= 256; cached *= 4) {
        KV_TRY(update_evenly(b, cached, &log, &pages));
        least_log = fmin(least_log, log);
        least_pages = fmin(least_pages, pages);
    }
    cmp_check_at_least(b, "bytes to the log / bytes given", least_log, 1);
    cmp_check_at_least(b, "bytes to pages / bytes given", least_pages, 1);
    return KV_OK;
}

// ---- C27 --------------------------------------------------------------------

static kv_status measure_height(cmp_bench *b, unsigned page, uint32_t records,
                                double *distance)
{
    cmp_specimen s;
    char engine[64], series[32];
    cmp_shape shape = {.records = records,
                       .memory_bytes = (uint64_t)records << 10};
    snprintf(engine, sizeof engine, "bt:page_bytes=%u", page);
    snprintf(series, sizeof series, "pages of %u", page);
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, records);
    if (st == KV_OK) {
        double nodes[TREE_LEVELS];
        double height = (double)count_nodes(&s, nodes);
        double leaf = cmp_specimen_fact(&s, "level 0", "keys a page");
        double fan_out =
            cmp_specimen_fact(&s, "level 1", "separators a page") + 1;
        double theory = cmp_theory_btree_height(records, leaf, fan_out, 1);
        cmp_note(b, series, records, height, theory);
        *distance = cmp_worse(*distance, fabs(height - theory));
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status trees_are_low(cmp_bench *b)
{
    double distance = 0;
    for (unsigned page = 512; page <= 4096; page *= 8) {
        for (uint32_t records = b->records / 64; records <= b->records;
             records *= 4) {
            KV_TRY(measure_height(b, page, records, &distance));
        }
    }
    cmp_check_at_most(b, "levels, largest distance from the formula", distance,
                      0);
    const double leaf = 4096, fan_out = 500, levels = 4;
    cmp_check_near(b, "the book's tree of 4 levels, bytes",
                   cmp_theory_btree_reach(leaf, fan_out, levels), 256e12, 0.01);
    return KV_OK;
}

// ---- C28 --------------------------------------------------------------------

static kv_status measure_fill(cmp_bench *b, bool is_sorted, double *fill)
{
    cmp_specimen s;
    cmp_shape shape = {.records = b->records,
                       .memory_bytes = (uint64_t)b->records << 10,
                       .is_sorted = is_sorted};
    kv_status st = cmp_specimen_open(b, &s, "bt", shape);
    for (unsigned i = 0; i < 8 && st == KV_OK; i++) {
        st = cmp_specimen_fill(&s, shape.records / 8);
        *fill = cmp_specimen_fact(&s, "level 0", "fill");
        cmp_note(b, is_sorted ? "ascending" : "random", s.filled, *fill,
                 is_sorted ? 1 : cmp_theory_btree_fill());
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status splits_leave_room(cmp_bench *b)
{
    double random = 0, ascending = 0;
    KV_TRY(measure_fill(b, false, &random));
    KV_TRY(measure_fill(b, true, &ascending));
    cmp_check_at_least(b, "fill of leaves after an ascending load", ascending,
                       0.95);
    cmp_check_at_least(b, "the same, random, against ln 2", random,
                       cmp_theory_btree_fill() * 0.95);
    cmp_check_depends(b, "random: siblings share before they split here",
                      random, cmp_theory_btree_fill());
    return KV_OK;
}

// ---- C30 --------------------------------------------------------------------

// Each commit waits for the disk, so only as many as make the mean steady.
enum { COMMITTED = 3000, COMMITS_FEW = 32 };

static kv_status commit_in_batches(cmp_bench *b, uint32_t batch,
                                   double *distance)
{
    cmp_specimen s;
    uint32_t commits = batch < 100 ? COMMITS_FEW : COMMITTED / batch + 2;
    cmp_shape shape = {.records = b->records,
                       .memory_bytes = (uint64_t)b->records << 10};
    double nodes[TREE_LEVELS];
    kv_status st = cmp_specimen_open(b, &s, "bt:journal=cow", shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) cmp_specimen_mark(&s);
    for (uint32_t i = 0; i < commits && st == KV_OK; i++) {
        st = cmp_specimen_update_batch(&s, batch);
        if (st == KV_OK) st = kv_sync(s.db);
    }
    if (st == KV_OK) {
        double page = cmp_specimen_fact(&s, "", "page size");
        double bytes = (double)cmp_specimen_written(&s);
        double pages = bytes / page / commits / batch;
        size_t levels = count_nodes(&s, nodes);
        double theory = cmp_theory_cow_pages(nodes, levels, batch) / batch;
        cmp_note(b, "copy-on-write", batch, pages, theory);
        *distance = cmp_worse(*distance, fabs(pages / theory - 1));
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status copies_are_shared_by_a_batch(cmp_bench *b)
{
    double distance = 0;
    for (uint32_t batch = 1; batch <= 10000; batch *= 10) {
        KV_TRY(commit_in_batches(b, batch, &distance));
    }
    cmp_check_at_most(b, "pages per update, largest distance from theory",
                      distance, 0.1);
    return KV_OK;
}

// ---- the claims -------------------------------------------------------------

const cmp_claim cmp_claims_of_trees[] = {
    {.id = "C25",
     .text = "An LSM-tree usually writes less than a B-tree; it depends on "
             "the size of records.",
     .first = "Advantages of LSM-trees",
     .second = "Write amplification",
     .setup = "Records of 32 B to 4 KiB, as many bytes of each; each replaced "
              "twice on the mean, memory for a sixteenth of the data.",
     .x = "bytes of a record",
     .y = "bytes written / bytes given",
     .is_counted = true,
     .run = merging_writes_less_than_pages},
    {.id = "C26",
     .text = "A B-tree writes everything at least twice.",
     .first = "Making B-trees reliable",
     .second = "Write amplification",
     .setup = "Every record replaced once on the mean, with memory for a "
              "sixteenth to all of the data; bytes to the log and to pages.",
     .x = "memory / data",
     .y = "bytes written / bytes given",
     .is_counted = true,
     .run = everything_is_written_twice},
    {.id = "C27",
     .text = "A B-tree of n keys has O(log n) levels: three or four.",
     .first = "B-Trees",
     .second = "B-Trees",
     .setup = "Records inserted in random order, pages of 512 B and of 4 KiB.",
     .x = "records",
     .y = "levels",
     .is_counted = true,
     .run = trees_are_low},
    {.id = "C28",
     .text = "A full page splits, and pages stay partly empty.",
     .first = "B-Trees",
     .second = "B-Trees",
     .setup = "Records inserted in random and in ascending order; how full "
              "the leaves are.",
     .x = "records",
     .y = "fill of leaves",
     .is_counted = true,
     .run = splits_leave_room},
    {.id = "C30",
     .text = "Copy-on-write needs no log, and writes the way to the root "
             "with every change.",
     .first = "B-tree optimizations",
     .second = "B-tree variants",
     .setup = "Records replaced in commits of 1 to 10,000; pages written per "
              "update.",
     .x = "updates per commit",
     .y = "pages per update",
     .is_counted = true,
     .run = copies_are_shared_by_a_batch},
    {0}};
