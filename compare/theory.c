// theory.c -- see theory.h.
// SPDX-License-Identifier: MIT

#include "compare/theory.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#include "common/mem.h"

// ---- solving ----------------------------------------------------------------

enum { HALVINGS = 80 };

typedef double (*rising)(double x, const void *arg);

// Where a rising function reaches `want`, from 0 on.
static double solve(rising f, const void *arg, double want)
{
    double low = 0, high = 1;
    while (f(high, arg) < want) high *= 2;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;
        if (f(middle, arg) < want) low = middle;
        else high = middle;
    }
    return high;
}

// ---- logs with an index in memory -------------------------------------------

double cmp_theory_log_merge_wa(double a, double garbage) { return a / garbage; }

double cmp_theory_log_merge_space(double garbage)
{
    return (1 + 1 / (1 - garbage)) / 2;
}

double cmp_theory_log_merge_peak(double garbage)
{
    return 1 / (1 - garbage) + 1;
}

double cmp_theory_log_clean_live(double budget)
{
    assert(budget > 1);
    // By steps from below, where the wanted root is: u = 1 is the other.
    double u = 0;
    for (int i = 0; i < 10000; i++) u = exp(-(1 - u) * budget);
    return u;
}

double cmp_theory_log_clean_wa(double a, double budget)
{
    return a / (1 - cmp_theory_log_clean_live(budget));
}

double cmp_theory_hint_share(double key, double record, double hint)
{
    return (key + hint) / (record + hint);
}

// ---- sorted segments --------------------------------------------------------

double cmp_theory_merge_all_wa(double flushes) { return 1 + (flushes + 1) / 2; }

double cmp_theory_merge_all_update_wa(double flushes) { return 1 + flushes; }

double cmp_theory_merge_every_wa(double flushes, double every)
{
    return 2 + (flushes / every + 1) / 2;
}

// ---- log-structured merge-trees ---------------------------------------------

double cmp_theory_tiered_wa(double flushes, double runs_per_tier)
{
    // A hair off, so that 1000 = 10^3 has three tiers whatever log() rounds to.
    return 2 + ceil(log(flushes) / log(runs_per_tier) - 1e-9);
}

double cmp_theory_leveled_worst_wa(double levels, double size_ratio)
{
    return 2 + levels * size_ratio;
}

cmp_popularity cmp_popularity_uniform(double keys)
{
    cmp_popularity p = {.keys = keys, .count = 1};
    p.classes = kv_alloc(sizeof *p.classes);
    p.classes[0] = (struct cmp_key_class){.chance = 1 / keys, .count = keys};
    return p;
}

// The width of the class that begins with key i: 2 % of i, so that chances
// within it differ by as little, and there are only a few hundred classes.
static size_t class_width(size_t i, size_t keys)
{
    size_t width = i < 50 ? 1 : i / 50;
    return i + width > keys + 1 ? keys + 1 - i : width;
}

cmp_popularity cmp_popularity_zipf(size_t keys, double s)
{
    cmp_popularity p = {.keys = (double)keys};
    for (size_t i = 1; i <= keys; i += class_width(i, keys)) p.count++;
    p.classes = kv_alloc(p.count * sizeof *p.classes);
    double all = 0;
    size_t i = 1;
    for (size_t c = 0; c < p.count; c++) {
        size_t width = class_width(i, keys);
        double sum = 0;
        for (size_t k = i; k < i + width; k++) sum += pow((double)k, -s);
        p.classes[c] = (struct cmp_key_class){.chance = sum / (double)width,
                                              .count = (double)width};
        all += sum;
        i += width;
    }
    for (size_t c = 0; c < p.count; c++) p.classes[c].chance /= all;
    return p;
}

void cmp_popularity_free(cmp_popularity *p)
{
    kv_free(p->classes);
    *p = (cmp_popularity){0};
}

double cmp_theory_unique(const cmp_popularity *p, double requests)
{
    double never = 0;
    for (size_t i = 0; i < p->count; i++) {
        never +=
            p->classes[i].count * exp(requests * log1p(-p->classes[i].chance));
    }
    return p->keys - never;
}

static double unique_of(double requests, const void *arg)
{
    return cmp_theory_unique(arg, requests);
}

double cmp_theory_unique_inverse(const cmp_popularity *p, double unique)
{
    // Beyond this share of all keys the last few cost any number of requests.
    if (unique >= p->keys * 0.9999999) return INFINITY;
    return solve(unique_of, p, unique);
}

// Records in the merge of two runs that hold u and v different keys.
static double merged(const cmp_popularity *p, double u, double v)
{
    double requests =
        cmp_theory_unique_inverse(p, u) + cmp_theory_unique_inverse(p, v);
    return isinf(requests) ? p->keys : cmp_theory_unique(p, requests);
}

enum { STEPS = 40 };

// The mean of Unique over an interval of D requests, which is what a level
// holds when its files are merged down one after the other.
static double mean_unique(double requests, const void *arg)
{
    double sum = 0;
    for (int i = 0; i < STEPS; i++) {
        sum += cmp_theory_unique(arg, requests * (i + 0.5) / STEPS);
    }
    return sum / STEPS;
}

double cmp_theory_leveled_wa(const cmp_popularity *p, const cmp_leveled *tree,
                             double *terms)
{
    assert(tree->levels >= 1 && tree->levels <= CMP_THEORY_LEVELS);
    double term[CMP_THEORY_LEVELS + 2] = {1};
    double w = tree->memtable;
    double requests = w * tree->trigger; // since a key's level was last emptied
    term[1] = cmp_theory_unique(p, w) / w;
    term[2] =
        merged(p, cmp_theory_unique(p, requests), tree->size[0]) / requests;
    for (size_t l = 0; l + 1 < tree->levels; l++) {
        requests += solve(mean_unique, p, tree->size[l]);
        double moved = cmp_theory_unique(p, requests);
        bool is_last = l + 2 == tree->levels;
        double next = is_last ? p->keys : tree->size[l + 1];
        term[l + 3] = (merged(p, moved, next) + moved) / requests;
    }
    double sum = 0;
    for (size_t i = 0; i < tree->levels + 2; i++) {
        sum += term[i];
        if (terms != NULL) terms[i] = term[i];
    }
    return sum;
}

double cmp_theory_leveled_space(double size_ratio)
{
    return size_ratio / (size_ratio - 1);
}

double cmp_theory_apart_wa(double tree_wa, double tree_bytes, double log_wa,
                           double log_bytes, double user)
{
    return (tree_wa * tree_bytes + log_wa * log_bytes) / user;
}

// ---- filters and reads ------------------------------------------------------

double cmp_theory_bloom(double bits)
{
    if (bits <= 0) return 1;
    double probes = round(bits * log(2));
    if (probes < 1) probes = 1;
    return pow(1 - exp(-probes / bits), probes);
}

double cmp_theory_miss_reads(double runs, double bits)
{
    return runs * cmp_theory_bloom(bits);
}

double cmp_theory_oldest_reads(double runs, double bits)
{
    return cmp_theory_miss_reads(runs, bits) - cmp_theory_bloom(bits) + 1;
}

// With chances c * T^-(L-i) and bits ~ -ln(chance), the bits of all keys
// together decide c: level i has T-1 times its share of the keys, T^-(L-i).
double cmp_theory_monkey_bits(double bits, size_t level, size_t levels,
                              double size_ratio)
{
    double weight = 0, depth = 0;
    for (size_t i = 1; i <= levels; i++) {
        double above = (double)(levels - i);
        double share = pow(size_ratio, -above);
        weight += share;
        depth += share * above;
    }
    double per_ratio = log(size_ratio) / (log(2) * log(2));
    double above = (double)(levels - level);
    return bits + per_ratio * (above - depth / weight);
}

double cmp_theory_scan_reads(double runs, double rows, double rows_per_block)
{
    return runs + rows / rows_per_block;
}

// ---- B-trees ----------------------------------------------------------------

double cmp_theory_page_entries(double page, double header, double entry,
                               double slot)
{
    return floor((page - header) / (entry + slot));
}

double cmp_theory_btree_height(double records, double capacity, double fan_out,
                               double fill)
{
    double pages = ceil(records / (capacity * fill));
    double height = 1;
    for (; pages > 1; height++) pages = ceil(pages / (fan_out * fill));
    return height;
}

double cmp_theory_btree_reach(double per_leaf, double fan_out, double levels)
{
    return per_leaf * pow(fan_out, levels);
}

double cmp_theory_btree_fill(void) { return log(2); }

cmp_bounds cmp_theory_btree_page_writes(double cached, double interval)
{
    double evicted = 1 - cached;
    double kept = interval > 0 ? -expm1(-interval) / interval : 1;
    return (cmp_bounds){.low = fmax(evicted, kept),
                        .high = fmin(1, evicted + kept)};
}

double cmp_theory_btree_wa(double a, double page_writes, double page, double E,
                           double splits, double images)
{
    return a + (page_writes + 2 * splits + images) * page / E;
}

double cmp_theory_crossover(double page_writes, double page, double lsm_wa)
{
    return page_writes * page / (lsm_wa - 1);
}

double cmp_theory_cow_pages(const double *nodes, size_t levels, double batch)
{
    double pages = 1;
    for (size_t i = 0; i < levels; i++) {
        double spared = nodes[i] > 1 ? pow(1 - 1 / nodes[i], batch) : 0;
        pages += nodes[i] * (1 - spared);
    }
    return pages;
}

double cmp_theory_cow_wa(const double *nodes, size_t levels, double batch,
                         double page, double E)
{
    return cmp_theory_cow_pages(nodes, levels, batch) * page / (batch * E);
}

// ---- time: guide lines only -------------------------------------------------

double cmp_theory_write_limit(double bandwidth, double wa)
{
    return bandwidth / wa;
}

double cmp_theory_commit_rate(double sync, double group, double record)
{
    return 1 / (sync / group + record);
}
