// claims_compaction.c -- claims about ways of compacting: leveled and tiered.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "common/mem.h"

#include "compare/chooser.h"
#include "compare/claims/claim.h"
#include "compare/claims/trees.h"

// Experiments that rewrite the reference tree (trees.h) many times over take
// half of the profile's records: what they measure follows from ratios, not
// from sizes.
enum { AGE = 3, MEASURED = 5 };

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

static double write_amplification(const cmp_specimen *s)
{
    return (double)cmp_specimen_written(s) / (double)cmp_specimen_user_bytes(s);
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
    double before = cmp_specimen_levels(s, "gets that read for nothing");
    KV_TRY(cmp_specimen_get_absent(s, MISSES));
    double after = cmp_specimen_levels(s, "gets that read for nothing");
    l->misses += (after - before) / MISSES / SAMPLES;
    l->runs += cmp_specimen_levels(s, "runs") / SAMPLES;
    l->space += (double)cmp_specimen_stats(s).disk_bytes /
                (double)s->live_bytes / SAMPLES;
    return KV_OK;
}

static kv_status update_by_flushes(cmp_specimen *s, unsigned flushes)
{
    double until = cmp_specimen_level(s, 0, "jobs") + flushes;
    while (cmp_specimen_level(s, 0, "jobs") < until)
        KV_TRY(cmp_specimen_update(s, 50));
    return KV_OK;
}

static kv_status live(cmp_bench *b, const way *w, uint32_t records,
                      struct life *l)
{
    cmp_specimen s;
    *l = (struct life){0};
    kv_status st = cmp_tree_load(b, &s, w->knobs, 0, records);
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
        KV_TRY(live(b, ways[i], b->records / 2, &l[i]));
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

enum { POINTS = 100, ROUNDS = 5 };

struct room {
    double peak;               // bytes on disk / live bytes, at most
    double transient, largest; // most held twice; the largest run after it
    uint64_t now, most;        // bytes on disk
};

static void note_space(const cmp_specimen *s, struct room *r)
{
    kv_stats stats = cmp_specimen_stats(s);
    r->now = stats.disk_bytes;
    r->most = stats.disk_bytes_peak;
}

static double largest_run(const cmp_specimen *s)
{
    double most = 0;
    for (unsigned level = 0; level < CMP_LEVELS; level++) {
        double runs = cmp_specimen_level(s, level, "runs");
        if (runs > 0)
            most = fmax(most, cmp_specimen_level(s, level, "bytes") / runs);
    }
    return most;
}

// One put, and what the merges within it held beside what was there before. A
// merge that is no new peak of all is not seen.
static kv_status put_and_watch(cmp_specimen *s, struct room *r)
{
    uint64_t space = r->now, peak = r->most;
    KV_TRY(cmp_specimen_update(s, 1));
    note_space(s, r);
    if (r->most == peak) return KV_OK;
    double twice = (double)(r->most - space);
    if (twice <= r->transient) return KV_OK;
    r->transient = twice;
    r->largest = largest_run(s);
    return KV_OK;
}

static kv_status watch_room(cmp_bench *b, const way *w, struct room *r)
{
    cmp_specimen s;
    uint32_t records = b->records / 2, each = ROUNDS * records / POINTS;
    *r = (struct room){0};
    kv_status st = cmp_tree_load(b, &s, w->knobs, 10, records);
    note_space(&s, r);
    for (int i = 1; i <= POINTS && st == KV_OK; i++) {
        for (uint32_t j = 0; j < each && st == KV_OK; j++) {
            st = put_and_watch(&s, r);
        }
        cmp_note(b, w->name, (double)ROUNDS * i / POINTS,
                 (double)r->now / (double)s.live_bytes, NAN);
    }
    r->peak = (double)r->most / (double)s.live_bytes;
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

static kv_status write_by(cmp_bench *b, cmp_pattern pattern,
                          const cmp_popularity *p, double *wa, double *theory)
{
    cmp_specimen s;
    cmp_chooser chooser;
    uint32_t records = b->records / 2;
    cmp_chooser_init(&chooser, pattern, b->seed);
    chooser.hot_data = HOT_DATA;
    chooser.hot_requests = HOT_REQUESTS;
    kv_status st = cmp_tree_load(b, &s, leveled_10.knobs, 10, records);
    if (st == KV_OK) st = update_by(&s, &chooser, AGE * records);
    // The engine's own tallies begin anew as well.
    if (st == KV_OK) st = cmp_specimen_reopen(&s);
    if (st == KV_OK) st = update_by(&s, &chooser, MEASURED * records);
    if (st == KV_OK) {
        *wa = write_amplification(&s);
        *theory = cmp_tree_expected(&s, p, 128);
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
    uint32_t n = b->records / 2;
    double wa[3], theory[3];
    cmp_popularity p[] = {cmp_popularity_uniform(n),
                          cmp_popularity_zipf(n, 0.99), popularity_hotspot(n)};
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
     .x = "uniform, Zipf, hotspot",
     .y = "bytes written / bytes given",
     .is_counted = true,
     .run = few_keys_cost_less},
    {0}};
