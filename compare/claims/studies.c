// studies.c -- experiments that ask without claiming: points for charts.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "common/clock.h"

#include "compare/chooser.h"
#include "compare/claims/claim.h"
#include "compare/claims/trees.h"
#include "compare/machine.h"

enum { RECORD = 128 }; // bytes of a record, key and value

static double written_per_byte(const cmp_specimen *s)
{
    return (double)cmp_specimen_written(s) / (double)cmp_specimen_user_bytes(s);
}

// ---- S04: when is it steady? ------------------------------------------------

enum { WINDOWS = 24, LOADED = 4 }; // windows, and those of the load

// Whose formula expects what of the windows after the load.
typedef double (*expectation)(const cmp_specimen *s);

static double log_expects(const cmp_specimen *s)
{
    double framing = (double)cmp_specimen_written_for(s, KV_FOR_DATA) /
                     (double)cmp_specimen_user_bytes(s);
    return cmp_theory_log_merge_wa(framing, 0.5);
}

static double leveled_expects(const cmp_specimen *s)
{
    return cmp_tree_expected_uniform(s, RECORD);
}

static double tiered_expects(const cmp_specimen *s)
{
    return cmp_tree_expected_tiered(s, 4, RECORD);
}

static double tree_expects(const cmp_specimen *s)
{
    return cmp_pages_expected(s, RECORD);
}

static kv_status follow(cmp_bench *b, const char *engine, const char *series,
                        expectation expects)
{
    cmp_specimen s;
    cmp_shape shape = {.records = b->records / 4};
    uint32_t window = shape.records / 4;
    double wa[WINDOWS];
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    for (uint32_t i = 0; i < WINDOWS && st == KV_OK; i++) {
        cmp_specimen_mark(&s);
        st = i < LOADED ? cmp_specimen_fill(&s, window)
                        : cmp_specimen_update(&s, window);
        wa[i] = written_per_byte(&s);
    }
    double theory = st == KV_OK ? expects(&s) : NAN;
    for (uint32_t i = 0; i < WINDOWS && st == KV_OK; i++) {
        cmp_note(b, series, (i + 1) / 4.0, wa[i],
                 i < 2 * LOADED ? NAN : theory);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status when_it_is_steady(cmp_bench *b)
{
    char log[96];
    snprintf(log, sizeof log, "log:merge=all,garbage_percent=50,%s=%u",
             "segment_bytes", b->records / 4 * RECORD / 64);
    KV_TRY(follow(b, log, "log", log_expects));
    KV_TRY(follow(b, "lsm", "leveled", leveled_expects));
    KV_TRY(follow(b, "lsm:compaction=tiered", "tiered", tiered_expects));
    return follow(b, "bt", "B-tree", tree_expects);
}

// ---- S13, S23: how large should a level be? ---------------------------------

struct shaped {
    double wa, space, theory;
};

static kv_status shape_tree(cmp_bench *b, bool is_tiered, unsigned ratio,
                            struct shaped *out)
{
    cmp_specimen s;
    char knobs[64];
    uint32_t records = b->records / 4;
    snprintf(knobs, sizeof knobs, "compaction=%s,%s=%u",
             is_tiered ? "tiered" : "leveled",
             is_tiered ? "tier_runs" : "size_ratio", ratio);
    kv_status st = cmp_tree_load(b, &s, knobs, 10, records);
    if (st == KV_OK) st = cmp_specimen_update(&s, records); // it ages
    if (st == KV_OK) cmp_specimen_mark(&s);
    if (st == KV_OK) st = cmp_specimen_update(&s, 2 * records);
    if (st == KV_OK) {
        out->wa = written_per_byte(&s);
        // Of tables as long as they are: the file system's blocks are large
        // beside tables as small as these.
        out->space = cmp_specimen_levels(&s, "bytes") / (double)s.live_bytes;
        out->theory = is_tiered ? cmp_tree_expected_tiered(&s, ratio, RECORD)
                                : cmp_tree_expected_uniform(&s, RECORD);
    }
    cmp_specimen_close(&s);
    return st;
}

enum { RATIOS = 4, LEVELED = 0, TIERED = 1 }; // 2, 4, 8, 16

// Both studies look at the same trees, which are grown once.
static struct grown {
    uint32_t records;
    uint64_t seed;
    struct shaped tree[2][RATIOS];
} grown;

static kv_status grow_trees(cmp_bench *b)
{
    if (grown.records == b->records && grown.seed == b->seed) return KV_OK;
    for (unsigned i = 0; i < RATIOS; i++) {
        KV_TRY(shape_tree(b, false, 2u << i, &grown.tree[LEVELED][i]));
        KV_TRY(shape_tree(b, true, 2u << i, &grown.tree[TIERED][i]));
    }
    grown.records = b->records;
    grown.seed = b->seed;
    return KV_OK;
}

static kv_status shape_trees(cmp_bench *b, bool of_space)
{
    KV_TRY(grow_trees(b));
    for (unsigned i = 0; i < RATIOS; i++) {
        unsigned ratio = 2u << i;
        const struct shaped *leveled = &grown.tree[LEVELED][i];
        const struct shaped *tiered = &grown.tree[TIERED][i];
        cmp_note(b, "leveled", ratio, of_space ? leveled->space : leveled->wa,
                 of_space ? cmp_theory_leveled_space(ratio) : leveled->theory);
        cmp_note(b, "tiered", ratio, of_space ? tiered->space : tiered->wa,
                 of_space ? NAN : tiered->theory);
    }
    return KV_OK;
}

static kv_status what_a_ratio_writes(cmp_bench *b)
{
    return shape_trees(b, false);
}

static kv_status what_a_ratio_keeps(cmp_bench *b)
{
    return shape_trees(b, true);
}

// ---- S14, S15: what does memory save? ---------------------------------------

static const char *const sorted[] = {"lsm", "bt", "sst", "log"};

static kv_status write_in_memory(cmp_bench *b, const char *engine, double part)
{
    cmp_specimen s;
    cmp_shape shape = {.records = b->records};
    shape.memory_bytes = (uint64_t)(shape.records * RECORD * part);
    kv_status st = cmp_specimen_load(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_update(&s, 2 * shape.records);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) {
        cmp_note(b, engine, part, written_per_byte(&s),
                 strcmp(engine, "bt") == 0 ? tree_expects(&s)
                                           : leveled_expects(&s));
    }
    cmp_specimen_close(&s);
    return st;
}

// Caches are warm: as many lookups before those that count.
static kv_status read_in_memory(cmp_bench *b, const char *engine, double part)
{
    cmp_specimen s;
    cmp_shape shape = {.records = b->records};
    uint32_t gets = shape.records / 4;
    shape.memory_bytes = (uint64_t)(shape.records * RECORD * part);
    kv_status st = cmp_specimen_load(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_get_some(&s, gets);
    if (st == KV_OK) cmp_specimen_mark(&s);
    if (st == KV_OK) st = cmp_specimen_get_some(&s, gets);
    if (st == KV_OK) {
        double reads = (double)cmp_specimen_reads(&s) / gets, theory = NAN;
        if (strcmp(engine, "log") == 0) theory = 1;
        if (strcmp(engine, "bt") == 0) theory = 1 - cmp_pages_cached(&s);
        cmp_note(b, engine, part, reads, theory);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status what_memory_saves_in_writing(cmp_bench *b)
{
    for (double part = 1 / 64.0; part <= 1; part *= 4) {
        for (size_t i = 0; i < 2; i++) {
            KV_TRY(write_in_memory(b, sorted[i], part));
        }
    }
    return KV_OK;
}

static kv_status what_memory_saves_in_reading(cmp_bench *b)
{
    for (double part = 1 / 64.0; part <= 4; part *= 4) {
        for (size_t i = 0; i < 4; i++) {
            KV_TRY(read_in_memory(b, sorted[i], part));
        }
    }
    return KV_OK;
}

// ---- S16: what does a log pay for its space? --------------------------------

struct budget {
    const char *merge, *series;
    cmp_pattern pattern;
};

static kv_status update_by(cmp_specimen *s, cmp_pattern pattern, uint64_t count)
{
    cmp_chooser chooser;
    cmp_chooser_init(&chooser, pattern, s->bench->seed);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t number = cmp_choose(&chooser, s->filled);
        uint32_t place = cmp_records_place(&s->records, (uint32_t)number);
        KV_TRY(cmp_specimen_put(s, place));
    }
    return KV_OK;
}

static kv_status keep_to_budget(cmp_bench *b, const struct budget *way,
                                unsigned percent)
{
    cmp_specimen s;
    cmp_shape shape = {.records = b->records / 4};
    char engine[128];
    snprintf(engine, sizeof engine,
             "log:hints=off,merge=%s,garbage_percent=%u,segment_bytes=%u",
             way->merge, percent, shape.records * RECORD / 64);
    kv_status st = cmp_specimen_load(b, &s, engine, shape);
    kv_stats loaded = cmp_specimen_stats(&s);
    double framing =
        (double)loaded.disk[KV_FOR_DATA].write_bytes / (double)s.live_bytes;
    if (st == KV_OK) st = update_by(&s, way->pattern, 2 * shape.records);
    if (st == KV_OK) cmp_specimen_mark(&s); // it is steady now
    if (st == KV_OK) st = update_by(&s, way->pattern, 3 * shape.records);
    if (st == KV_OK) {
        double garbage = percent / 100.0, budget = 1 / (1 - garbage);
        bool is_all = strcmp(way->merge, "all") == 0;
        double theory = is_all ? cmp_theory_log_merge_wa(framing, garbage)
                               : cmp_theory_log_clean_wa(framing, budget);
        cmp_note(b, way->series, budget, written_per_byte(&s),
                 way->pattern == CMP_UNIFORM ? theory : NAN);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status what_a_log_pays(cmp_bench *b)
{
    static const struct budget ways[] = {
        {"all", "all at once", CMP_UNIFORM},
        {"segment", "by segments", CMP_UNIFORM},
        {"segment", "by segments, Zipf", CMP_ZIPF},
    };
    static const unsigned percents[] = {20, 33, 50, 67};
    for (size_t w = 0; w < 3; w++) {
        for (size_t i = 0; i < 4; i++) {
            KV_TRY(keep_to_budget(b, &ways[w], percents[i]));
        }
    }
    return KV_OK;
}

// ---- S21: what does opening cost? -------------------------------------------

static kv_status open_again(cmp_bench *b, const char *engine,
                            const char *series, uint32_t records)
{
    cmp_specimen s;
    cmp_shape shape = {.records = records};
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, records);
    if (st == KV_OK) st = cmp_specimen_reopen(&s);
    if (st == KV_OK) {
        double bytes = (double)cmp_specimen_recovery_bytes(&s);
        cmp_note(b, series, records, bytes, NAN);
        st = cmp_specimen_get_some(&s, 100);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status what_opening_costs(cmp_bench *b)
{
    static const char *const ways[][2] = {{"log:hints=off", "log: no hints"},
                                          {"log:hints=on", "log: hints"},
                                          {"sst", "sst"},
                                          {"lsm", "lsm"},
                                          {"bt", "bt"}};
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        for (uint32_t n = b->records / 32; n <= b->records / 2; n *= 4) {
            KV_TRY(open_again(b, ways[w][0], ways[w][1], n));
        }
    }
    return KV_OK;
}

// ---- S22: what does durability cost? ----------------------------------------

static kv_status commit_groups(cmp_specimen *s, uint32_t group, double *rate)
{
    uint32_t commits = 24;
    uint64_t from = kv_now_ns();
    for (uint32_t i = 0; i < commits; i++) {
        KV_TRY(cmp_specimen_update_batch(s, group));
        KV_TRY(kv_sync(s->db));
    }
    *rate = commits * group / ((double)(kv_now_ns() - from) / 1e9);
    return KV_OK;
}

static kv_status commit_in_groups(cmp_bench *b, const char *engine)
{
    cmp_specimen s;
    enum { SIZES = 6 }; // 1, 4, .. 1024
    double rate[SIZES];
    cmp_shape shape = {.records = b->records / 4};
    kv_status st = cmp_specimen_load(b, &s, engine, shape);
    for (int i = 0; i < SIZES && st == KV_OK; i++) {
        st = commit_groups(&s, 1u << (2 * i), &rate[i]);
    }
    // The largest group says what a record costs, the smallest what a sync.
    double record = 1 / rate[SIZES - 1], sync = 1 / rate[0] - record;
    for (int i = 0; i < SIZES && st == KV_OK; i++) {
        double group = 1u << (2 * i);
        cmp_note(b, engine, group, rate[i],
                 sync > 0 ? cmp_theory_commit_rate(sync, group, record) : NAN);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status what_durability_costs(cmp_bench *b)
{
    KV_TRY(commit_in_groups(b, "log"));
    KV_TRY(commit_in_groups(b, "lsm"));
    return commit_in_groups(b, "bt");
}

// ---- S25: who sees which bytes? ---------------------------------------------

static kv_status count_layers(cmp_bench *b, const char *engine, double x)
{
    cmp_specimen s;
    cmp_io before = {0}, after = {0};
    cmp_shape shape = {.records = b->records / 4};
    kv_status st = cmp_specimen_load(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_io_read(&before);
    if (st == KV_OK) st = cmp_specimen_update(&s, shape.records);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) st = kv_sync(s.db);
    if (st == KV_OK) st = cmp_io_read(&after);
    if (st == KV_OK) {
        double user = (double)cmp_specimen_user_bytes(&s);
        double calls = (double)(after.write_bytes - before.write_bytes);
        double charged = (double)(after.charged_bytes - before.charged_bytes);
        // Beside each other, for they often agree to the byte.
        cmp_note(b, "given by the user", x, 1, NAN);
        cmp_note(b, "counted by the engine", x + 0.1, written_per_byte(&s),
                 NAN);
        cmp_note(b, "seen in write calls", x + 0.2, calls / user, NAN);
        if (charged > 0) {
            cmp_note(b, "charged to the device", x + 0.3, charged / user, NAN);
        }
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status who_sees_which_bytes(cmp_bench *b)
{
    static const char *const engines[] = {"log", "sst", "lsm", "bt"};
    for (size_t i = 0; i < 4; i++) {
        KV_TRY(count_layers(b, engines[i], (double)i));
    }
    return KV_OK;
}

// ---- the studies ------------------------------------------------------------

#define COMPARING "Comparing B-Trees and LSM-Trees"

const cmp_claim cmp_studies[] = {
    {.id = "S04",
     .text = "When does an engine write as much as it always will?",
     .first = COMPARING,
     .second = "Write amplification",
     .setup = "Every record inserted, then as many replaced five times over; "
              "bytes written / bytes given in each quarter of that.",
     .x = "bytes given / bytes of all records",
     .y = "bytes written / bytes given",
     .is_counted = true,
     .run = when_it_is_steady},
    {.id = "S13",
     .text = "How large should a level be, for writing?",
     .first = "Performance optimizations",
     .second = "Compaction strategies",
     .setup = "Data of 122 memtables, aged by one rewrite, then every record "
              "replaced twice on the mean, leveled and tiered.",
     .x = "size ratio or runs per tier",
     .y = "bytes written / bytes given",
     .is_counted = true,
     .run = what_a_ratio_writes},
    {.id = "S23",
     .text = "How large should a level be, for space?",
     .first = "Performance optimizations",
     .second = "Compaction strategies",
     .setup = "The same; bytes of tables in the end / live bytes.",
     .x = "size ratio or runs per tier",
     .y = "bytes on disk / live bytes",
     .is_counted = true,
     .run = what_a_ratio_keeps},
    {.id = "S14",
     .text = "What does memory save in writing?",
     .first = COMPARING,
     .second = "Write amplification",
     .setup = "Every record replaced twice on the mean, with memory for a "
              "64th of the data to all of it.",
     .x = "memory / data",
     .y = "bytes written / bytes given",
     .is_counted = true,
     .run = what_memory_saves_in_writing},
    {.id = "S15",
     .text = "What does memory save in reading?",
     .first = COMPARING,
     .second = "Read performance",
     .setup = "Random keys that are there, read after as many others, with "
              "memory for a 64th of the data to four times as much.",
     .x = "memory / data",
     .y = "reads per found key",
     .is_counted = true,
     .run = what_memory_saves_in_reading},
    {.id = "S16",
     .text = "What does a log pay for its space?",
     .first = "Hash Indexes",
     .second = "Log-Structured Storage",
     .setup = "Garbage of 20 to 67 % starts a merge, of all or of the "
              "emptiest segments; counted once it is steady.",
     .x = "bytes allowed on disk / live bytes",
     .y = "bytes written / bytes given",
     .is_counted = true,
     .run = what_a_log_pays},
    {.id = "S21",
     .text = "What does it cost to open a store?",
     .first = "Hash Indexes",
     .second = "Log-Structured Storage",
     .setup = "Records inserted, the store closed and opened again.",
     .x = "records",
     .y = "bytes read to open",
     .is_counted = true,
     .run = what_opening_costs},
    {.id = "S22",
     .text = "What does it cost to wait for the disk?",
     .first = "Making B-trees reliable",
     .second = "Making B-trees reliable",
     .setup = "24 commits of each size, each forced to the disk before the "
              "next.",
     .x = "records per commit",
     .y = "records per second",
     .run = what_durability_costs},
    {.id = "S25",
     .text = "Who sees which bytes?",
     .first = COMPARING,
     .second = "Write amplification",
     .setup = "Every record replaced once on the mean, then forced to the "
              "disk; bytes at each layer / bytes given.",
     .x = "log, sst, lsm, bt",
     .y = "bytes / bytes given",
     .run = who_sees_which_bytes},
    {0}};
