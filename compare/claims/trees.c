// trees.c -- see trees.h.
// SPDX-License-Identifier: MIT

#include "compare/claims/trees.h"

#include <math.h>

kv_status cmp_tree_load(cmp_bench *b, cmp_specimen *s, const char *knobs,
                        unsigned bits, uint32_t records)
{
    char engine[160];
    unsigned memtable = (unsigned)(records * 128.0 / CMP_TREE_MEMTABLES);
    // Room for that memtable beside filters and indexes.
    cmp_shape shape = {.records = records,
                       .memory_bytes = (uint64_t)records * 32};
    snprintf(engine, sizeof engine,
             "lsm:%s,compression=none,bits_per_key=%u,memtable_bytes=%u,"
             "table_bytes=%u",
             knobs, bits, memtable, memtable);
    return cmp_specimen_load(b, s, engine, shape);
}

// ---- log-structured merge-trees ---------------------------------------------

// Of a record in a table.
static double table_bytes(const cmp_specimen *s)
{
    return cmp_specimen_levels(s, "written") /
           cmp_specimen_levels(s, "entries out");
}

// Puts for each memtable that became a table.
static double memtable_records(const cmp_specimen *s)
{
    return (double)cmp_specimen_stats(s).puts /
           cmp_specimen_level(s, 0, "jobs");
}

static double log_per_byte(const cmp_specimen *s)
{
    return (double)cmp_specimen_written_for(s, KV_FOR_WAL) /
           (double)cmp_specimen_user_bytes(s);
}

// What the log wrote, and all else, of which the formula says how often.
static double with_log(const cmp_specimen *s, double wa, double user)
{
    return log_per_byte(s) + (wa - 1) * table_bytes(s) / user;
}

double cmp_tree_expected(const cmp_specimen *s, const cmp_popularity *p,
                         double user)
{
    // All is in the memtable: nothing but the log was written.
    if (!(cmp_specimen_level(s, 0, "jobs") > 0)) return log_per_byte(s);
    cmp_leveled tree = {.trigger = 4, .memtable = memtable_records(s)};
    for (unsigned level = 1; level < CMP_LEVELS; level++) {
        double target = cmp_specimen_level(s, level, "target");
        if (target > 0) tree.size[tree.levels++] = target / table_bytes(s);
    }
    // Of what never left level 0, the next is one level with every key.
    if (tree.levels == 0) tree.size[tree.levels++] = p->keys;
    return with_log(s, cmp_theory_leveled_wa(p, &tree, NULL), user);
}

double cmp_tree_expected_uniform(const cmp_specimen *s, double user)
{
    cmp_popularity p = cmp_popularity_uniform((double)s->live_count);
    double wa = cmp_tree_expected(s, &p, user);
    cmp_popularity_free(&p);
    return wa;
}

double cmp_tree_expected_tiered(const cmp_specimen *s, double runs_per_tier,
                                double user)
{
    double flushes = (double)s->live_count / memtable_records(s);
    return with_log(s, cmp_theory_tiered_wa(flushes, runs_per_tier), user);
}

// ---- B-trees ----------------------------------------------------------------

double cmp_pages_cached(const cmp_specimen *s)
{
    double frames = cmp_specimen_fact(s, "cache", "of so many");
    double leaves = cmp_specimen_fact(s, "level 0", "pages");
    for (unsigned level = 1; level < CMP_LEVELS; level++) {
        char branch[16];
        snprintf(branch, sizeof branch, "level %u", level);
        double pages = cmp_specimen_fact(s, branch, "pages");
        if (!isnan(pages)) frames -= pages;
    }
    return fmin(fmax(frames / leaves, 0), 1);
}

double cmp_pages_expected(const cmp_specimen *s, double user)
{
    double log = (double)cmp_specimen_written_for(s, KV_FOR_WAL) /
                 (double)cmp_specimen_user_bytes(s);
    double cached = cmp_pages_cached(s);
    if (!(cached < 1)) return NAN;
    return cmp_theory_btree_wa(
        log, 1 - cached, cmp_specimen_fact(s, "", "page size"), user, 0, 0);
}
