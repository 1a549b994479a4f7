// rundir.c -- see rundir.h.
// SPDX-License-Identifier: MIT

#include "compare/report/rundir.h"

#include <math.h>
#include <stdlib.h>

#include "common/mem.h"

// Columns of measures.tsv.
enum { ENGINE, WORKLOAD, PHASE, REP, MEASURE, VALUE };

// ---- lists ------------------------------------------------------------------

size_t cmp_list_find(const cmp_list *l, const char *name)
{
    size_t i = 0;
    while (i < l->count && strcmp(l->names[i], name) != 0) i++;
    return i;
}

void cmp_list_add(cmp_list *l, const char *name)
{
    if (cmp_list_find(l, name) < l->count) return;
    if (l->count == l->cap) {
        l->cap = l->cap == 0 ? 8 : 2 * l->cap;
        l->names = kv_realloc(l->names, l->cap * sizeof *l->names);
    }
    l->names[l->count++] = kv_strdup(name);
}

void cmp_list_free(cmp_list *l)
{
    for (size_t i = 0; i < l->count; i++) kv_free(l->names[i]);
    kv_free(l->names);
    *l = (cmp_list){0};
}

static void add_words(cmp_list *l, const char *words)
{
    char *copy = kv_strdup(words != NULL ? words : "");
    for (char *word = copy; *word != '\0';) {
        size_t len = strcspn(word, " ");
        char end = word[len];
        word[len] = '\0';
        if (len > 0) cmp_list_add(l, word);
        word += len + (end != '\0');
    }
    kv_free(copy);
}

// ---- reading ----------------------------------------------------------------

static kv_status read_sheet(const char *dir, const char *file,
                            const char *header, bool may_be_missing,
                            cmp_sheet *out)
{
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/%s%c", dir, file, 0);
    kv_status st = cmp_sheet_read((char *)path.data, header, out);
    if (st == KV_NOT_FOUND && may_be_missing) {
        kv_buf text = {0};
        kv_buf_append(&text, kv_str(header));
        kv_buf_append(&text, kv_str("\n"));
        for (size_t i = 0; i < text.len; i++) {
            if (text.data[i] == ' ') text.data[i] = '\t';
        }
        st = cmp_sheet_parse((char *)path.data, kv_buf_slice(&text), out);
        kv_buf_free(&text);
    }
    kv_buf_free(&path);
    return st;
}

static kv_status read_sheets(const char *dir, cmp_rundir *r)
{
    KV_TRY(read_sheet(dir, "manifest.tsv", "key value", false, &r->manifest));
    KV_TRY(read_sheet(dir, "measures.tsv",
                      "engine workload phase rep measure value", false,
                      &r->measures));
    KV_TRY(read_sheet(dir, "space.tsv",
                      "engine workload rep user_bytes "
                      "disk_bytes live_bytes",
                      true, &r->space));
    KV_TRY(read_sheet(dir, "latency.tsv", "engine workload op ns count", true,
                      &r->latency));
    KV_TRY(read_sheet(dir, "claims.tsv",
                      "claim verdict text first second setup x y counted "
                      "records seed",
                      true, &r->claims));
    KV_TRY(read_sheet(dir, "checks.tsv",
                      "claim what measured relation expected verdict", true,
                      &r->checks));
    KV_TRY(read_sheet(dir, "points.tsv", "claim series x y theory", true,
                      &r->points));
    KV_TRY(
        read_sheet(dir, "timeline.tsv", "engine workload", true, &r->timeline));
    KV_TRY(
        read_sheet(dir, "openloop.tsv", "engine workload", true, &r->openloop));
    return read_sheet(dir, "void.tsv", "engine workload rep reason", true,
                      &r->voids);
}

// Every number of a column; so that later code need not expect surprises.
static kv_status check_numbers(const cmp_sheet *t, size_t first, size_t limit)
{
    double ignored = 0;
    for (size_t row = 0; row < t->rows; row++) {
        for (size_t column = first; column < limit; column++) {
            KV_TRY(cmp_sheet_number(t, row, column, &ignored));
        }
    }
    return KV_OK;
}

static kv_status take_values(cmp_rundir *r)
{
    r->values = kv_alloc((r->measures.rows + 1) * sizeof *r->values);
    for (size_t row = 0; row < r->measures.rows; row++) {
        KV_TRY(cmp_sheet_number(&r->measures, row, VALUE, &r->values[row]));
    }
    KV_TRY(check_numbers(&r->space, 2, 6));
    KV_TRY(check_numbers(&r->points, 2, 5));
    return check_numbers(&r->latency, 3, 5);
}

static void take_names(cmp_rundir *r)
{
    add_words(&r->engines, cmp_rundir_fact(r, "engines"));
    add_words(&r->workloads, cmp_rundir_fact(r, "workloads"));
    for (size_t row = 0; row < r->measures.rows; row++) {
        cmp_list_add(&r->engines, cmp_sheet_cell(&r->measures, row, ENGINE));
        cmp_list_add(&r->workloads,
                     cmp_sheet_cell(&r->measures, row, WORKLOAD));
    }
    cmp_list_add(&r->groups, "");
    add_words(&r->groups, cmp_rundir_fact(r, "data"));
}

kv_status cmp_rundir_read(const char *path, cmp_rundir *out)
{
    cmp_rundir r = {.path = kv_strdup(path)};
    kv_status st = read_sheets(path, &r);
    if (st == KV_OK) st = take_values(&r);
    if (st == KV_OK && r.measures.rows == 0) {
        st = kv_fail(KV_INVALID,
                     "%s: has a header and no measure; the run "
                     "that wrote it measured nothing",
                     r.measures.name);
    }
    if (st == KV_OK) {
        take_names(&r);
        *out = r;
    } else {
        cmp_rundir_free(&r);
    }
    return st;
}

void cmp_rundir_free(cmp_rundir *r)
{
    kv_free(r->path);
    cmp_sheet_free(&r->manifest);
    cmp_sheet_free(&r->measures);
    cmp_sheet_free(&r->space);
    cmp_sheet_free(&r->latency);
    cmp_sheet_free(&r->voids);
    cmp_sheet_free(&r->timeline);
    cmp_sheet_free(&r->openloop);
    cmp_sheet_free(&r->claims);
    cmp_sheet_free(&r->checks);
    cmp_sheet_free(&r->points);
    kv_free(r->values);
    cmp_list_free(&r->engines);
    cmp_list_free(&r->workloads);
    cmp_list_free(&r->groups);
    *r = (cmp_rundir){0};
}

// ---- the manifest -----------------------------------------------------------

const char *cmp_rundir_about(const cmp_rundir *r, const char *prefix,
                             const char *name)
{
    size_t len = strlen(prefix);
    for (size_t row = 0; row < r->manifest.rows; row++) {
        const char *key = cmp_sheet_cell(&r->manifest, row, 0);
        if (strncmp(key, prefix, len) == 0 && strcmp(key + len, name) == 0) {
            return cmp_sheet_cell(&r->manifest, row, 1);
        }
    }
    return NULL;
}

const char *cmp_rundir_fact(const cmp_rundir *r, const char *key)
{
    return cmp_rundir_about(r, "", key);
}

cmp_origin cmp_rundir_origin(const cmp_rundir *r, const char *engine)
{
    static const char *const words[] = {"",        "counted", "calls",
                                        "written", "mapped",  "none"};
    const char *word = cmp_rundir_about(r, "bytes.", engine);
    for (size_t i = 1; word != NULL && i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0) return (cmp_origin)i;
    }
    return CMP_FROM_UNKNOWN;
}

bool cmp_rundir_is_yardstick(const cmp_rundir *r, const char *engine)
{
    const char *title = cmp_rundir_about(r, "engine.", engine);
    return title != NULL && strstr(title, "(yardstick)") != NULL;
}

size_t cmp_rundir_group(const cmp_rundir *r, const char *workload)
{
    for (size_t i = 1; i < r->groups.count; i++) {
        size_t len = strlen(r->groups.names[i]);
        if (strncmp(workload, r->groups.names[i], len) == 0 &&
            workload[len] == '-') {
            return i;
        }
    }
    return 0;
}

// ---- figures ----------------------------------------------------------------

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

cmp_spread cmp_spread_of(double *values, size_t count)
{
    cmp_spread s = {.count = count};
    if (count == 0) return s;
    qsort(values, count, sizeof *values, by_value);
    s.min = values[0];
    s.max = values[count - 1];
    s.median = (values[(count - 1) / 2] + values[count / 2]) / 2;
    return s;
}

static bool row_is(const cmp_rundir *r, size_t row, size_t column,
                   const char *text)
{
    return strcmp(cmp_sheet_cell(&r->measures, row, column), text) == 0;
}

bool cmp_rundir_took_part(const cmp_rundir *r, const char *engine,
                          const char *workload)
{
    for (size_t row = 0; row < r->measures.rows; row++) {
        if (row_is(r, row, ENGINE, engine) &&
            row_is(r, row, WORKLOAD, workload)) {
            return true;
        }
    }
    return false;
}

cmp_spread cmp_rundir_spread(const cmp_rundir *r, const char *engine,
                             const char *workload, const char *measure)
{
    double *values = kv_alloc((r->measures.rows + 1) * sizeof *values);
    size_t count = 0;
    for (size_t row = 0; row < r->measures.rows; row++) {
        if (isnan(r->values[row]) || !row_is(r, row, MEASURE, measure) ||
            !row_is(r, row, ENGINE, engine) ||
            !row_is(r, row, WORKLOAD, workload) ||
            !row_is(r, row, PHASE, "run")) {
            continue;
        }
        values[count++] = r->values[row];
    }
    cmp_spread s = cmp_spread_of(values, count);
    kv_free(values);
    return s;
}
