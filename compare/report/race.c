// race.c -- see race.h.
// SPDX-License-Identifier: MIT

#include "compare/report/race.h"

// How many times better the first is than the second, median by median.
static double times_better(cmp_spread a, cmp_spread b, bool is_cost)
{
    return is_cost ? b.median / a.median : a.median / b.median;
}

static bool overlap(cmp_spread winner, cmp_spread next, bool is_cost)
{
    return is_cost ? winner.max >= next.min : winner.min <= next.max;
}

cmp_race cmp_race_of(const cmp_rundir *r, const char *workload, cmp_contest c)
{
    cmp_race race = {.workload = workload};
    cmp_spread second = {0};
    for (size_t e = 0; e < r->engines.count; e++) {
        const char *engine = r->engines.names[e];
        bool on_disk = cmp_rundir_origin(r, engine) != CMP_FROM_NOTHING;
        if (on_disk != c.on_disk) continue;
        cmp_spread s = cmp_rundir_spread(r, engine, workload, c.measure);
        if (s.count == 0 || !(s.median > 0)) continue;
        cmp_list_add(&race.field, engine);
        if (race.winner == NULL ||
            times_better(s, race.spread, c.is_cost) > 1) {
            race.next = race.winner, second = race.spread;
            race.winner = engine, race.spread = s;
        } else if (race.next == NULL ||
                   times_better(s, second, c.is_cost) > 1) {
            race.next = engine, second = s;
        }
    }
    if (race.next != NULL) {
        race.ahead = times_better(race.spread, second, c.is_cost);
        race.is_tie = overlap(race.spread, second, c.is_cost); // A1
    }
    return race;
}

void cmp_race_free(cmp_race *race)
{
    cmp_list_free(&race->field);
    *race = (cmp_race){0};
}

bool cmp_race_same_field(const cmp_race *a, const cmp_race *b)
{
    if (a->field.count != b->field.count) return false;
    for (size_t i = 0; i < a->field.count; i++) {
        if (strcmp(a->field.names[i], b->field.names[i]) != 0) return false;
    }
    return true;
}
