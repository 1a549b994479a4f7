// picker.c -- see picker.h.
// SPDX-License-Identifier: MIT

#include "picker.h"

#include "common/mem.h"

enum { LAST = LSM_LEVELS - 1 };

// ---- parts ------------------------------------------------------------------

static bool overlaps(const lsm_bounds *a, const lsm_bounds *b)
{
    return !lsm_bounds_before(a, b) && !lsm_bounds_before(b, a);
}

// True if somebody works on these keys in one of these levels (P2).
static bool is_claimed(const lsm_busy *busy, const lsm_bounds *bounds,
                       uint32_t first_level, uint32_t last_level)
{
    for (size_t i = 0; i < busy->count; i++) {
        const lsm_pick *other = busy->picks[i];
        if (first_level <= other->target_level &&
            other->first_level <= last_level &&
            overlaps(bounds, &other->bounds)) {
            return true;
        }
    }
    return false;
}

static void begin_pick(lsm_pick *pick, lsm_version *v, uint32_t target_level)
{
    *pick = (lsm_pick){.version = v,
                       .target_level = target_level,
                       .target_run = LSM_SORTED_RUN};
    pick->parts = kv_alloc((v->run_count + 1) * sizeof *pick->parts);
}

static lsm_bounds bounds_of(const lsm_run *run, size_t first, size_t count)
{
    lsm_bounds bounds = lsm_table_bounds(run->tables[first]);
    lsm_bounds last = lsm_table_bounds(run->tables[first + count - 1]);
    lsm_bounds_join(&bounds, &last);
    return bounds;
}

static void add_part(lsm_pick *pick, const lsm_run *run, size_t first,
                     size_t count)
{
    if (count == 0) return;
    lsm_bounds bounds = bounds_of(run, first, count);
    if (pick->part_count == 0) {
        pick->bounds = bounds;
        pick->first_level = run->level;
    }
    lsm_bounds_join(&pick->bounds, &bounds);
    pick->parts[pick->part_count++] = (lsm_pick_part){run, first, count};
}

// A pick that nothing stands against gets its reference, another is dropped.
static bool end_pick(lsm_pick *pick, const lsm_busy *busy)
{
    if (pick->part_count > 0 &&
        !is_claimed(busy, &pick->bounds, pick->first_level,
                    pick->target_level)) {
        lsm_version_ref(pick->version);
        return true;
    }
    kv_free(pick->parts);
    *pick = (lsm_pick){0};
    return false;
}

void lsm_pick_free(lsm_pick *pick)
{
    kv_free(pick->parts);
    lsm_version_unref(pick->version);
    *pick = (lsm_pick){0};
}

static const lsm_run *run_of_level(const lsm_version *v, uint32_t level)
{
    for (size_t i = 0; i < v->run_count; i++) {
        if (v->runs[i].level == level) return &v->runs[i];
    }
    return NULL;
}

// What is compacted into the last level loses its tombstones there and gets
// that level's compression; what is moved keeps what it has.
static bool may_move(const lsm_table *t, const lsm_shape *shape,
                     uint32_t target_level)
{
    if (target_level < LAST) return true;
    return !shape->repacks_last && t->props.tombstone_count == 0 &&
           t->props.range_count == 0;
}

static uint64_t overlap_bytes(const lsm_run *run, const lsm_bounds *bounds)
{
    if (run == NULL) return 0;
    size_t count, first = lsm_run_overlap(run, bounds, &count);
    uint64_t bytes = 0;
    for (size_t i = first; i < first + count; i++) {
        bytes += run->tables[i]->props.file_bytes;
    }
    return bytes;
}

// ---- leveled ----------------------------------------------------------------

// The oldest run of level 0, if it stands clear of the newer ones and of the
// base level: keys that arrive in order need no merging.
static bool pick_move_from_0(lsm_version *v, const lsm_shape *shape,
                             const lsm_busy *busy, const lsm_plan *p,
                             lsm_pick *out)
{
    const lsm_run *oldest = &v->runs[p->runs[0] - 1];
    const lsm_run *base = run_of_level(v, p->base);
    if (oldest->count != 1 || !may_move(oldest->tables[0], shape, p->base)) {
        return false;
    }
    lsm_bounds bounds = lsm_table_bounds(oldest->tables[0]);
    for (const lsm_run *run = v->runs; run < oldest; run++) {
        size_t count;
        (void)lsm_run_overlap(run, &bounds, &count);
        if (count > 0) return false;
    }
    if (overlap_bytes(base, &bounds) > 0) return false;
    begin_pick(out, v, p->base);
    if (base != NULL) out->target_run = base->id;
    out->is_move = true;
    add_part(out, oldest, 0, 1);
    return end_pick(out, busy);
}

static bool pick_level_0(lsm_version *v, const lsm_shape *shape,
                         const lsm_busy *busy, const lsm_plan *p, lsm_pick *out)
{
    if (pick_move_from_0(v, shape, busy, p, out)) return true;
    begin_pick(out, v, p->base);
    for (size_t i = 0; i < p->runs[0]; i++) {
        add_part(out, &v->runs[i], 0, v->runs[i].count);
    }
    const lsm_run *base = run_of_level(v, p->base);
    if (base != NULL) {
        size_t count, first = lsm_run_overlap(base, &out->bounds, &count);
        add_part(out, base, first, count);
        out->target_run = base->id;
    }
    return end_pick(out, busy);
}

// The table of the run that drags the least of the next level along, for what
// it weighs.
static bool cheapest(const lsm_version *v, const lsm_run *run,
                     const lsm_run *below, const lsm_busy *busy, size_t *out)
{
    double put_bytes = lsm_bytes_a_put(v), least = 0;
    bool is_found = false;
    for (size_t i = 0; i < run->count; i++) {
        const lsm_table *t = run->tables[i];
        lsm_bounds bounds = lsm_table_bounds(t);
        // The claim of what it overlaps as well is end_pick's to see to.
        if (is_claimed(busy, &bounds, run->level, run->level + 1)) continue;
        double cost = (double)overlap_bytes(below, &bounds) /
                      lsm_table_weight(t, put_bytes);
        if (is_found && cost >= least) continue;
        is_found = true;
        least = cost;
        *out = i;
    }
    return is_found;
}

static bool pick_table(lsm_version *v, const lsm_shape *shape,
                       const lsm_busy *busy, uint32_t level, lsm_pick *out)
{
    const lsm_run *run = run_of_level(v, level);
    const lsm_run *below = run_of_level(v, level + 1);
    size_t chosen;
    if (run == NULL || !cheapest(v, run, below, busy, &chosen)) return false;
    lsm_bounds bounds = lsm_table_bounds(run->tables[chosen]);
    size_t count = 0, first = 0;
    if (below != NULL) first = lsm_run_overlap(below, &bounds, &count);
    begin_pick(out, v, level + 1);
    if (below != NULL) out->target_run = below->id;
    out->is_move =
        count == 0 && may_move(run->tables[chosen], shape, level + 1);
    add_part(out, run, chosen, 1);
    if (below != NULL) add_part(out, below, first, count);
    return end_pick(out, busy);
}

// ---- whole levels -----------------------------------------------------------

static bool pick_level(lsm_version *v, const lsm_busy *busy, uint32_t level,
                       uint32_t target_level, lsm_pick *out)
{
    begin_pick(out, v, target_level);
    for (size_t i = 0; i < v->run_count; i++) {
        const lsm_run *run = &v->runs[i];
        if (run->level == level) add_part(out, run, 0, run->count);
    }
    return end_pick(out, busy);
}

static bool pick_from(lsm_version *v, const lsm_shape *shape,
                      const lsm_busy *busy, const lsm_plan *p, uint32_t level,
                      lsm_pick *out)
{
    if (shape->policy == LSM_TIERED) {
        uint32_t target_level = level < LAST ? level + 1 : LAST;
        bool is_good = pick_level(v, busy, level, target_level, out);
        out->makes_run = true;
        return is_good;
    }
    if (level == 0) return pick_level_0(v, shape, busy, p, out);
    if (p->runs[level] > 1) return pick_level(v, busy, level, level, out);
    return pick_table(v, shape, busy, level, out);
}

bool lsm_pick_next(lsm_version *v, const lsm_shape *shape, const lsm_busy *busy,
                   lsm_pick *out)
{
    lsm_plan p = lsm_make_plan(v, shape);
    double score[LSM_LEVELS];
    for (uint32_t i = 0; i < LSM_LEVELS; i++) {
        score[i] = lsm_level_score(v, shape, &p, i);
    }
    for (;;) {
        uint32_t fullest = 0;
        for (uint32_t i = 1; i < LSM_LEVELS; i++) {
            if (score[i] > score[fullest]) fullest = i;
        }
        double full = score[fullest];
        if (full < 1 || (fullest > 0 && shape->policy == LSM_LEVELED &&
                         p.runs[fullest] == 1 && full <= 1)) {
            return false;
        }
        if (pick_from(v, shape, busy, &p, fullest, out)) {
            out->score = full;
            return true;
        }
        score[fullest] = 0; // what it needs is busy
    }
}

// ---- what scans wear out ----------------------------------------------------

bool lsm_pick_worn(lsm_version *v, const lsm_shape *shape, const lsm_busy *busy,
                   lsm_pick *out)
{
    if (shape->policy == LSM_TIERED || !lsm_level_0_is_worn(v)) return false;
    lsm_plan p = lsm_make_plan(v, shape);
    // Not into a base level that is empty: that would be one more to scan.
    if (p.runs[0] < v->run_count) p.base = v->runs[p.runs[0]].level;
    if (p.runs[0] == 1) return pick_level_0(v, shape, busy, &p, out);
    if (pick_move_from_0(v, shape, busy, &p, out)) return true;
    if (!pick_level(v, busy, 0, 0, out)) return false;
    out->target_run = v->runs[0].id; // below what is flushed meanwhile: V1
    return true;
}

// ---- down to the bottom -----------------------------------------------------

// Where a table stands.
typedef struct place {
    const lsm_run *run; // NULL: nowhere
    size_t i;
} place;

static bool holds_tombstones(const lsm_table *t)
{
    return t->props.tombstone_count > 0 || t->props.range_count > 0;
}

// True if what sinks ends in one sorted run: not where compaction is tiered, or
// was until now.
static bool has_one_bottom(const lsm_version *v, const lsm_shape *shape)
{
    size_t count = v->run_count;
    bool is_double = count > 1 && v->runs[count - 2].level == LAST;
    return shape->policy == LSM_LEVELED && !is_double;
}

// The table, and of each run below it what overlaps anything taken so far. What
// is above stays there, and stays newer.
static bool pick_down(lsm_version *v, const lsm_shape *shape,
                      const lsm_busy *busy, place from, lsm_pick *out)
{
    const lsm_run *end = v->runs + v->run_count, *last = run_of_level(v, LAST);
    begin_pick(out, v, LAST);
    if (last != NULL) out->target_run = last->id;
    add_part(out, from.run, from.i, 1);
    for (const lsm_run *run = from.run + 1; run < end; run++) {
        size_t count, first = lsm_run_overlap(run, &out->bounds, &count);
        add_part(out, run, first, count);
    }
    out->is_move = out->part_count == 1 && from.run->level < LAST &&
                   may_move(from.run->tables[from.i], shape, LAST);
    return end_pick(out, busy);
}

// Widens the bounds until no table crosses them.
static void widen(const lsm_version *v, lsm_bounds *bounds)
{
    for (bool grew = true; grew;) {
        grew = false;
        for (size_t i = 0; i < v->table_count; i++) {
            lsm_bounds t = lsm_table_bounds(v->tables[i]);
            if (!overlaps(bounds, &t)) continue;
            lsm_bounds before = *bounds;
            lsm_bounds_join(bounds, &t);
            grew = grew || before.from.data != bounds->from.data ||
                   before.to.data != bounds->to.data ||
                   before.is_closed != bounds->is_closed;
        }
    }
}

// Every table that overlaps the bounds, and those that overlap these, into one
// run of the level of the oldest.
static bool pick_across(lsm_version *v, const lsm_shape *shape,
                        const lsm_busy *busy, const lsm_bounds *bounds,
                        lsm_pick *out)
{
    lsm_bounds wide = *bounds;
    widen(v, &wide);
    begin_pick(out, v, 1);
    for (size_t i = 0; i < v->run_count; i++) {
        size_t count, first = lsm_run_overlap(&v->runs[i], &wide, &count);
        add_part(out, &v->runs[i], first, count);
        if (count > 0 && v->runs[i].level > 0) {
            out->target_level = v->runs[i].level;
        }
    }
    out->makes_run = shape->policy == LSM_TIERED;
    if (!out->makes_run) {
        const lsm_run *last = run_of_level(v, LAST);
        out->target_level = LAST;
        if (last != NULL) out->target_run = last->id;
    }
    return end_pick(out, busy);
}

// ---- a range ----------------------------------------------------------------

// The first table that keeps the keys in the bounds from lying in one run
// without tombstones; newest runs first.
static place find_loose(const lsm_version *v, const lsm_shape *shape,
                        const lsm_bounds *bounds, uint64_t seq_max)
{
    bool has_bottom = has_one_bottom(v, shape);
    place only = {0};
    for (size_t r = 0; r < v->run_count; r++) {
        const lsm_run *run = &v->runs[r];
        size_t count, first = lsm_run_overlap(run, bounds, &count);
        for (size_t i = first; i < first + count; i++) {
            const lsm_table *t = run->tables[i];
            if (t->props.seq_min > seq_max) continue;
            bool is_loose = has_bottom ? run->level < LAST
                                       : only.run != NULL && only.run != run;
            if (is_loose || holds_tombstones(t)) return (place){run, i};
            only = (place){run, i};
        }
    }
    return (place){0};
}

bool lsm_range_is_compact(const lsm_version *v, const lsm_shape *shape,
                          const lsm_bounds *bounds, uint64_t seq_max)
{
    return find_loose(v, shape, bounds, seq_max).run == NULL;
}

bool lsm_pick_range(lsm_version *v, const lsm_shape *shape,
                    const lsm_busy *busy, const lsm_bounds *bounds,
                    uint64_t seq_max, lsm_pick *out)
{
    place loose = find_loose(v, shape, bounds, seq_max);
    if (loose.run == NULL) return false;
    if (has_one_bottom(v, shape)) return pick_down(v, shape, busy, loose, out);
    return pick_across(v, shape, busy, bounds, out);
}

// ---- cleaning ---------------------------------------------------------------

bool lsm_pick_cleaning(lsm_version *v, const lsm_shape *shape,
                       const lsm_busy *busy, lsm_pick *out)
{
    double all = 0, tombstones = 0;
    place worst = {0};
    bool has_ranges = false;
    for (size_t r = 0; r < v->run_count; r++) {
        const lsm_run *run = &v->runs[r];
        for (size_t i = 0; i < run->count; i++) {
            const lsm_table *t = run->tables[i];
            all += (double)t->props.file_bytes;
            tombstones += (double)t->props.tombstone_count;
            if (!holds_tombstones(t)) continue;
            if (t->props.range_count > 0) has_ranges = true;
            if (worst.run == NULL ||
                t->props.tombstone_count >
                    worst.run->tables[worst.i]->props.tombstone_count) {
                worst = (place){run, i};
            }
        }
    }
    // At a guess: each stands for one put.
    double dead = tombstones * lsm_bytes_a_put(v);
    bool is_worth_it = dead >= 0.05 * all || has_ranges;
    if (worst.run == NULL || !is_worth_it) return false;
    if (has_one_bottom(v, shape)) return pick_down(v, shape, busy, worst, out);
    lsm_bounds bounds = lsm_table_bounds(worst.run->tables[worst.i]);
    return pick_across(v, shape, busy, &bounds, out);
}
