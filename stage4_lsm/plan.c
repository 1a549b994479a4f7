// plan.c -- see plan.h.
// SPDX-License-Identifier: MIT

#include "plan.h"

enum { LAST = LSM_LEVELS - 1 };

// ---- sizes ------------------------------------------------------------------

lsm_plan lsm_make_plan(const lsm_version *v, const lsm_shape *shape)
{
    lsm_plan p = {.last = LAST};
    for (size_t i = 0; i < v->run_count; i++) {
        p.bytes[v->runs[i].level] += v->runs[i].bytes;
        p.runs[v->runs[i].level]++;
    }
    // Upwards from the last level, until what is next is small enough to take
    // level 0.
    uint32_t base = LAST;
    p.target[LAST] = p.bytes[LAST];
    if (p.target[LAST] < shape->base_bytes) p.target[LAST] = shape->base_bytes;
    while (base > 1 && p.target[base] > shape->base_bytes) {
        p.target[base - 1] = p.target[base] / shape->size_ratio;
        base--;
    }
    // A level further up that still holds something comes first (P1).
    p.base = base;
    for (uint32_t level = 1; level < base && p.base == base; level++) {
        if (p.bytes[level] > 0) p.base = level;
    }
    return p;
}

double lsm_bytes_a_put(const lsm_version *v)
{
    double bytes = 0, puts = 0;
    for (size_t i = 0; i < v->table_count; i++) {
        const lsm_properties *p = &v->tables[i]->props;
        bytes += (double)p->file_bytes;
        puts += (double)(p->entry_count - p->tombstone_count);
    }
    return puts > 0 ? bytes / puts : bytes;
}

double lsm_table_weight(const lsm_table *t, double put_bytes)
{
    return (double)t->props.file_bytes +
           put_bytes * (double)t->props.tombstone_count;
}

static double level_weight(const lsm_version *v, uint32_t level)
{
    double sum = 0, put_bytes = lsm_bytes_a_put(v);
    for (size_t i = 0; i < v->run_count; i++) {
        if (v->runs[i].level != level) continue;
        for (size_t j = 0; j < v->runs[i].count; j++) {
            sum += lsm_table_weight(v->runs[i].tables[j], put_bytes);
        }
    }
    return sum;
}

// Full with runs, or with tombstones: where a third of all that is stored is
// dead because of them, every scan walks over it until they are compacted.
static double score_of_0(const lsm_version *v, const lsm_shape *shape,
                         const lsm_plan *p)
{
    double by_runs = (double)p->runs[0] / (double)shape->level0_runs, all = 0;
    if (shape->policy == LSM_TIERED || p->runs[0] == 0) return by_runs;
    for (uint32_t i = 0; i < LSM_LEVELS; i++) all += (double)p->bytes[i];
    double by_dead = 3 * (level_weight(v, 0) - (double)p->bytes[0]) / all;
    return by_runs > by_dead ? by_runs : by_dead;
}

double lsm_level_score(const lsm_version *v, const lsm_shape *shape,
                       const lsm_plan *p, uint32_t level)
{
    double runs = (double)p->runs[level];
    if (level == 0) return score_of_0(v, shape, p);
    if (shape->policy == LSM_TIERED) return runs / (double)shape->size_ratio;
    if (p->runs[level] == 0) return 0;
    if (p->runs[level] > 1) return 1000; // it was tiered before
    if (level == LAST) return 0;
    if (p->target[level] == 0) return 100;
    return level_weight(v, level) / (double)p->target[level];
}

uint64_t lsm_debt_bytes(const lsm_version *v, const lsm_shape *shape)
{
    lsm_plan p = lsm_make_plan(v, shape);
    uint64_t debt = p.runs[0] >= shape->level0_runs ? p.bytes[0] : 0;
    if (shape->policy == LSM_TIERED) return debt;
    for (uint32_t level = 1; level < LAST; level++) {
        if (p.bytes[level] > p.target[level]) {
            debt += p.bytes[level] - p.target[level];
        }
    }
    return debt;
}

// ---- scans ------------------------------------------------------------------

bool lsm_level_0_is_worn(const lsm_version *v)
{
    uint64_t scanned = 0, bytes = 0;
    size_t r = 0;
    for (; r < v->run_count && v->runs[r].level == 0; r++) {
        const lsm_run *run = &v->runs[r];
        bytes += run->bytes;
        for (size_t i = 0; i < run->count; i++) {
            scanned += atomic_load_explicit(&run->tables[i]->scanned_bytes,
                                            memory_order_relaxed);
        }
    }
    if (r == 0 || v->run_count == 1) return false;
    if (r == 1) bytes += v->runs[1].bytes;
    return scanned >= 2 * bytes;
}
