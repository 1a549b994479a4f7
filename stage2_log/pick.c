// pick.c -- see pick.h.
// SPDX-License-Identifier: MIT

#include "pick.h"

enum {
    SMALL_SHARE = 8,  // a segment below an eighth of the usual size is small
    FILES_SLACK = 16, // files more than twice what the bytes need: merge some
};

static uint64_t live_of(const log_pick_fact *f)
{
    return f->bytes - f->garbage;
}

bool log_pick_is_due(const log_pick_fact *facts, size_t count,
                     const log_pick_rule *rule)
{
    uint64_t bytes = 0, garbage = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += facts[i].bytes;
        garbage += facts[i].garbage;
    }
    return garbage > 0 && garbage >= rule->garbage_min &&
           garbage * 100 >= bytes * rule->percent;
}

// Whether a neighbour may come along with a run that has `live` bytes.
static bool fits(const log_pick_fact *f, uint64_t live,
                 const log_pick_rule *rule)
{
    if (!f->can_merge || live + live_of(f) > rule->segment_bytes) return false;
    bool is_small = f->bytes <= rule->segment_bytes / SMALL_SHARE;
    return is_small || f->garbage * 100 >= f->bytes * rule->percent;
}

static log_run extend(const log_pick_fact *facts, size_t count, size_t at,
                      const log_pick_rule *rule)
{
    size_t first = at, limit = at + 1;
    uint64_t live = live_of(&facts[at]);
    while (first > 0 && fits(&facts[first - 1], live, rule)) {
        live += live_of(&facts[--first]);
    }
    while (limit < count && fits(&facts[limit], live, rule)) {
        live += live_of(&facts[limit++]);
    }
    return (log_run){first, limit - first};
}

// Whether a has the larger share of garbage.
static bool is_emptier(const log_pick_fact *a, const log_pick_fact *b)
{
    return (double)a->garbage * (double)b->bytes >
           (double)b->garbage * (double)a->bytes;
}

static log_run pick_garbage(const log_pick_fact *facts, size_t count,
                            const log_pick_rule *rule)
{
    const log_pick_fact *best = NULL;
    for (size_t i = 0; i < count; i++) {
        const log_pick_fact *f = &facts[i];
        if (!f->can_merge || f->garbage == 0) continue;
        if (best == NULL || is_emptier(f, best)) best = f;
    }
    // When even the emptiest is nearly full, the garbage is in what is being
    // written, or must not be dropped yet.
    if (best == NULL || best->garbage * 200 < best->bytes * rule->percent) {
        return (log_run){0};
    }
    return extend(facts, count, (size_t)(best - facts), rule);
}

// Stores that are opened often get many small segments.
static log_run pick_small(const log_pick_fact *facts, size_t count,
                          const log_pick_rule *rule)
{
    uint64_t bytes = 0;
    log_run longest = {0};
    for (size_t i = 0; i < count; i++) bytes += facts[i].bytes;
    if (count <= FILES_SLACK + 2 * (bytes / rule->segment_bytes)) {
        return longest;
    }
    for (size_t i = 0; i < count; i++) {
        if (!facts[i].can_merge) continue;
        log_run run = extend(facts, count, i, rule);
        if (run.count > longest.count) longest = run;
    }
    if (longest.count < 2) return (log_run){0}; // K2
    return longest;
}

log_run log_pick_emptiest(const log_pick_fact *facts, size_t count,
                          const log_pick_rule *rule)
{
    log_run run = {0};
    if (log_pick_is_due(facts, count, rule)) {
        run = pick_garbage(facts, count, rule);
    }
    return run.count > 0 ? run : pick_small(facts, count, rule);
}

log_run log_pick_round(const log_pick_fact *facts, size_t count, size_t from,
                       const log_pick_rule *rule)
{
    size_t first = from;
    while (first < count && !facts[first].can_merge) first++;
    if (first >= count) return (log_run){0};
    size_t limit = first + 1;
    uint64_t live = live_of(&facts[first]);
    while (limit < count && facts[limit].can_merge &&
           live + live_of(&facts[limit]) <= rule->segment_bytes) {
        live += live_of(&facts[limit++]);
    }
    return (log_run){first, limit - first};
}
