// bench.c -- see bench.h.
// SPDX-License-Identifier: MIT

#include "compare/claims/bench.h"

#include <assert.h>
#include <math.h>

#include "common/mem.h"

#include "compare/machine.h"

// ---- the protocol -----------------------------------------------------------

void cmp_note(cmp_bench *b, const char *series, double x, double y,
              double theory)
{
    fprintf(b->points, "%s\t%s\t%.12g\t%.12g\t", b->claim, series, x, y);
    if (isnan(theory)) fprintf(b->points, "NA\n");
    else fprintf(b->points, "%.12g\n", theory);
}

static void tell(cmp_bench *b, const char *what, double measured,
                 const char *relation, double expected, const char *verdict)
{
    fprintf(b->checks, "%s\t%s\t%.12g\t%s\t%.12g\t%s\n", b->claim, what,
            measured, relation, expected, verdict);
}

// A figure that is not a number holds nothing.
static void check(cmp_bench *b, const char *what, double measured,
                  const char *relation, double expected, bool holds)
{
    if (holds) b->held++;
    else b->failed++;
    tell(b, what, measured, relation, expected, holds ? "holds" : "fails");
}

void cmp_check_near(cmp_bench *b, const char *what, double measured,
                    double expected, double share)
{
    char relation[32];
    snprintf(relation, sizeof relation, "within %g %%", share * 100);
    check(b, what, measured, relation, expected,
          fabs(measured - expected) <= fabs(expected) * share);
}

void cmp_check_at_most(cmp_bench *b, const char *what, double measured,
                       double most)
{
    check(b, what, measured, "at most", most, measured <= most);
}

void cmp_check_at_least(cmp_bench *b, const char *what, double measured,
                        double least)
{
    check(b, what, measured, "at least", least, measured >= least);
}

void cmp_check_depends(cmp_bench *b, const char *what, double measured,
                       double expected)
{
    b->conditions++;
    tell(b, what, measured, "against", expected, "depends");
}

double cmp_worse(double a, double b)
{
    return isnan(a) || isnan(b) ? NAN : fmax(a, b);
}

double cmp_slope(const double *x, const double *y, size_t count)
{
    double mean_x = 0, mean_y = 0, above = 0, below = 0;
    for (size_t i = 0; i < count; i++) {
        mean_x += x[i] / (double)count;
        mean_y += y[i] / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        above += (x[i] - mean_x) * (y[i] - mean_y);
        below += (x[i] - mean_x) * (x[i] - mean_x);
    }
    return above / below;
}

// ---- a store under trial ----------------------------------------------------

static cmp_records records_of(const cmp_bench *b, const cmp_shape *shape)
{
    return (cmp_records){
        .seed = b->seed,
        .count = shape->records,
        .key_bytes = shape->key_bytes ? shape->key_bytes : 16,
        .value_bytes = shape->value_bytes ? shape->value_bytes : 112,
    };
}

// Its threads would make the counters differ from run to run.
static kv_status without_background(cmp_engine *e)
{
    const uint64_t none = UINT64_MAX;
    if (cmp_engine_knob(e, "background", none) == none) return KV_OK;
    return cmp_engine_set(e, "background=0");
}

static bool is_here(const char *engine)
{
    size_t len = strcspn(engine, ":");
    for (size_t i = 0; cmp_engine_name(i) != NULL; i++) {
        const char *name = cmp_engine_name(i);
        if (strlen(name) == len && strncmp(name, engine, len) == 0) return true;
    }
    return false;
}

kv_status cmp_specimen_open(cmp_bench *b, cmp_specimen *s, const char *engine,
                            cmp_shape shape)
{
    *s = (cmp_specimen){.bench = b};
    if (!is_here(engine)) return KV_NOT_FOUND;
    snprintf(s->path, sizeof s->path, "%s/specimen", b->dir);
    cmp_remove_tree(s->path);
    cmp_records_init(&s->records, records_of(b, &shape),
                     shape.is_sorted ? CMP_SORTED : CMP_SHUFFLED);
    s->version = kv_zalloc(shape.records * sizeof *s->version);
    s->key = kv_alloc(cmp_records_key_max(&s->records));
    s->scratch = kv_alloc(cmp_records_value_max(&s->records) + 8);
    kv_rng_seed(&s->rng, kv_mix64(b->seed));
    KV_TRY(cmp_engine_find(&s->engine, engine));
    if (s->engine.engine == NULL) return KV_NOT_FOUND;
    KV_TRY(without_background(&s->engine));
    uint64_t data = (uint64_t)shape.records *
                    (s->records.key_bytes + s->records.value_bytes);
    s->options = (kv_options){
        .path = s->path,
        .knobs = s->engine.knobs[0] ? s->engine.knobs : NULL,
        .sync = KV_SYNC_NONE,
        .memory_bytes = shape.memory_bytes ? shape.memory_bytes : data / 16,
        .seed = b->seed + 1, // 0 would be chance
        .create = true,
        .disk = shape.disk,
    };
    cmp_engine_prepare(&s->engine);
    return kv_open(s->engine.engine, &s->options, &s->db);
}

kv_status cmp_specimen_reopen(cmp_specimen *s)
{
    kv *db = s->db;
    s->db = NULL;
    s->mark = (kv_stats){0};
    s->options.knobs = s->engine.knobs[0] ? s->engine.knobs : NULL;
    KV_TRY(kv_close(db));
    cmp_engine_prepare(&s->engine);
    return kv_open(s->engine.engine, &s->options, &s->db);
}

void cmp_specimen_close(cmp_specimen *s)
{
    kv_close(s->db);
    if (s->path[0] != '\0') cmp_remove_tree(s->path);
    cmp_records_free(&s->records);
    kv_buf_free(&s->value);
    kv_free(s->version);
    kv_free(s->key);
    kv_free(s->scratch);
    *s = (cmp_specimen){0};
}

// ---- using it ---------------------------------------------------------------

kv_status cmp_specimen_put(cmp_specimen *s, uint32_t place)
{
    kv_slice key = cmp_records_key(&s->records, place, s->key);
    uint32_t version = s->version[place] + 1;
    kv_slice value = cmp_records_value(&s->records, place, version, s->scratch);
    KV_TRY(kv_put(s->db, key, value));
    if (s->version[place] == 0) {
        s->live_count++;
        s->live_bytes += key.len + value.len;
    }
    s->version[place] = version;
    return KV_OK;
}

kv_status cmp_specimen_del(cmp_specimen *s, uint32_t place)
{
    kv_slice key = cmp_records_key(&s->records, place, s->key);
    KV_TRY(kv_del(s->db, key));
    if (s->version[place] != 0) {
        s->live_count--;
        s->live_bytes -= key.len + s->records.value_bytes;
    }
    s->version[place] = 0;
    return KV_OK;
}

kv_status cmp_specimen_fill(cmp_specimen *s, uint32_t count)
{
    assert(count <= s->records.count - s->filled);
    for (uint32_t i = 0; i < count; i++) {
        KV_TRY(
            cmp_specimen_put(s, cmp_records_place(&s->records, s->filled++)));
    }
    return KV_OK;
}

kv_status cmp_specimen_load(cmp_bench *b, cmp_specimen *s, const char *engine,
                            cmp_shape shape)
{
    KV_TRY(cmp_specimen_open(b, s, engine, shape));
    KV_TRY(cmp_specimen_fill(s, shape.records));
    KV_TRY(cmp_specimen_settle(s));
    cmp_specimen_mark(s);
    return KV_OK;
}

static uint32_t any_filled(cmp_specimen *s)
{
    uint32_t number = (uint32_t)kv_rng_below(&s->rng, s->filled);
    return cmp_records_place(&s->records, number);
}

kv_status cmp_specimen_update(cmp_specimen *s, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        KV_TRY(cmp_specimen_put(s, any_filled(s)));
    }
    return KV_OK;
}

kv_status cmp_specimen_update_batch(cmp_specimen *s, uint32_t count)
{
    kv_batch batch = {0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = any_filled(s);
        uint32_t version = ++s->version[place];
        kv_batch_put(
            &batch, cmp_records_key(&s->records, place, s->key),
            cmp_records_value(&s->records, place, version, s->scratch));
    }
    kv_status st = kv_write(s->db, &batch);
    kv_batch_free(&batch);
    return st;
}

static kv_status wrong(const cmp_specimen *s, const char *what, uint32_t place)
{
    return kv_fail(KV_CORRUPT, "wrong: %s, %s of record %u", s->engine.label,
                   what, (unsigned)place);
}

static kv_status check_value(const cmp_specimen *s, uint32_t place,
                             kv_slice value)
{
    if (s->version[place] == 0) return wrong(s, "a value", place);
    kv_slice right =
        cmp_records_value(&s->records, place, s->version[place], s->scratch);
    if (kv_slice_cmp(value, right) == 0) return KV_OK;
    return wrong(s, "another value", place);
}

kv_status cmp_specimen_get(cmp_specimen *s, uint32_t place)
{
    kv_slice key = cmp_records_key(&s->records, place, s->key);
    kv_status st = kv_get(s->db, key, &s->value);
    if (st == KV_OK) return check_value(s, place, kv_buf_slice(&s->value));
    if (st != KV_NOT_FOUND) return st;
    return s->version[place] == 0 ? KV_OK : wrong(s, "no value", place);
}

kv_status cmp_specimen_get_some(cmp_specimen *s, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        KV_TRY(cmp_specimen_get(s, any_filled(s)));
    }
    return KV_OK;
}

kv_status cmp_specimen_get_absent(cmp_specimen *s, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint32_t place = any_filled(s);
        kv_slice key = cmp_records_absent(&s->records, place, s->key);
        kv_status st = kv_get(s->db, key, &s->value);
        if (st == KV_OK) return wrong(s, "a value of the neighbour", place);
        if (st != KV_NOT_FOUND) return st;
    }
    return KV_OK;
}

kv_status cmp_specimen_scan(cmp_specimen *s, uint32_t place, uint32_t rows)
{
    kv_cursor *cursor = NULL;
    kv_range range = {.from = cmp_records_key(&s->records, place, s->key)};
    KV_TRY(kv_scan(s->db, range, &cursor));
    kv_status st = KV_OK;
    for (; st == KV_OK && rows > 0; place++) {
        if (place == s->records.count) break;
        if (s->version[place] == 0) continue;
        kv_slice key, value;
        st = kv_cursor_next(cursor, &key, &value);
        if (st == KV_END) st = wrong(s, "the end of a scan instead", place);
        if (st == KV_OK) st = check_value(s, place, value);
        rows--;
    }
    kv_cursor_close(cursor);
    return st;
}

kv_status cmp_specimen_settle(cmp_specimen *s) { return kv_settle(s->db); }

// ---- what it cost -----------------------------------------------------------

void cmp_specimen_mark(cmp_specimen *s) { s->mark = cmp_specimen_stats(s); }

kv_stats cmp_specimen_stats(const cmp_specimen *s)
{
    kv_stats now = {0};
    if (s->db != NULL) kv_stats_read(s->db, &now);
    return now;
}

uint64_t cmp_specimen_written_for(const cmp_specimen *s, kv_reason reason)
{
    return cmp_specimen_stats(s).disk[reason].write_bytes -
           s->mark.disk[reason].write_bytes;
}

uint64_t cmp_specimen_written(const cmp_specimen *s)
{
    uint64_t sum = 0;
    for (int reason = 0; reason < KV_REASONS; reason++) {
        sum += cmp_specimen_written_for(s, (kv_reason)reason);
    }
    return sum;
}

uint64_t cmp_specimen_user_bytes(const cmp_specimen *s)
{
    return cmp_specimen_stats(s).user_write_bytes - s->mark.user_write_bytes;
}

uint64_t cmp_specimen_reads(const cmp_specimen *s)
{
    return cmp_specimen_stats(s).disk[KV_FOR_READ].reads -
           s->mark.disk[KV_FOR_READ].reads;
}

uint64_t cmp_specimen_read_bytes(const cmp_specimen *s)
{
    return cmp_specimen_stats(s).disk[KV_FOR_READ].read_bytes -
           s->mark.disk[KV_FOR_READ].read_bytes;
}

static double number_in(const kv_report *report, const char *branch,
                        const char *name)
{
    size_t depth = 0, inside = branch[0] == '\0' ? 0 : SIZE_MAX;
    for (size_t i = 0; i < report->count; i++) {
        const kv_fact *fact = &report->facts[i];
        if (fact->kind == KV_FACT_BRANCH_END) {
            if (depth-- == inside) inside = SIZE_MAX;
        } else if (fact->kind == KV_FACT_BRANCH_BEGIN) {
            depth++;
            if (strcmp(fact->name, branch) == 0) inside = depth;
        } else if (depth == inside && strcmp(fact->name, name) == 0) {
            bool is_whole =
                fact->kind == KV_FACT_COUNT || fact->kind == KV_FACT_BYTES;
            return is_whole ? (double)fact->count : fact->ratio;
        }
    }
    return NAN;
}

double cmp_specimen_fact_of(const cmp_specimen *s, const char *part,
                            const char *branch, const char *name)
{
    if (s->db == NULL) return NAN;
    kv_report report = {0};
    kv_status st = kv_inspect(s->db, part, &report);
    double value = st == KV_OK ? number_in(&report, branch, name) : NAN;
    kv_report_free(&report);
    return value;
}

double cmp_specimen_fact(const cmp_specimen *s, const char *branch,
                         const char *name)
{
    return cmp_specimen_fact_of(s, NULL, branch, name);
}

double cmp_specimen_level(const cmp_specimen *s, unsigned level,
                          const char *name)
{
    char branch[16];
    snprintf(branch, sizeof branch, "level %u", level);
    double value = cmp_specimen_fact_of(s, "metrics", branch, name);
    return isnan(value) ? 0 : value;
}

double cmp_specimen_levels(const cmp_specimen *s, const char *name)
{
    double sum = 0;
    for (unsigned level = 0; level < CMP_LEVELS; level++) {
        sum += cmp_specimen_level(s, level, name);
    }
    return sum;
}

uint64_t cmp_specimen_recovery_bytes(const cmp_specimen *s)
{
    return cmp_specimen_stats(s).disk[KV_FOR_RECOVERY].read_bytes -
           s->mark.disk[KV_FOR_RECOVERY].read_bytes;
}
