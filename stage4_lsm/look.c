// look.c -- inspect and check; see look.h.
// SPDX-License-Identifier: MIT

#include "look.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/mem.h"

#include "head.h"

// ---- bars -------------------------------------------------------------------

// Where a key lies between two others, 0 to 1, as far as eight bytes tell.
static double position(kv_slice prefix, kv_slice first, kv_slice last,
                       kv_slice key)
{
    double low = (double)lsm_head(prefix, first);
    double high = (double)lsm_head(prefix, last);
    double at = (double)lsm_head(prefix, key);
    if (high <= low || at <= low) return 0;
    return at >= high ? 1 : (at - low) / (high - low);
}

void lsm_draw_bar(const lsm_run *run, kv_slice first, kv_slice last,
                  size_t width, char *bar)
{
    kv_slice prefix = lsm_common_prefix(first, last);
    memset(bar, '.', width);
    bar[width] = '\0';
    for (size_t i = 0; i < run->count; i++) {
        const lsm_properties *p = &run->tables[i]->props;
        kv_slice end = p->last_key.len > 0 ? p->last_key : last;
        double from = position(prefix, first, last, p->first_key);
        double to = position(prefix, first, last, end);
        size_t begin = (size_t)(from * (double)(width - 1));
        size_t limit = (size_t)(to * (double)(width - 1));
        for (size_t j = begin; j <= limit; j++) bar[j] = i % 2 ? '=' : '#';
    }
}

// The first and the last key of everything.
static void span_of(const lsm_version *v, kv_slice *first, kv_slice *last)
{
    for (size_t i = 0; i < v->table_count; i++) {
        const lsm_properties *p = &v->tables[i]->props;
        if (i == 0 || kv_slice_cmp(p->first_key, *first) < 0) {
            *first = p->first_key;
        }
        if (i == 0 || kv_slice_cmp(*last, p->last_key) < 0) {
            *last = p->last_key;
        }
    }
}

// ---- inspect ----------------------------------------------------------------

static void report_memtable(kv_report *report, const char *name,
                            const lsm_memtable *m)
{
    kv_report_begin(report, "%s memtable", name);
    kv_report_count(report, "entries", lsm_memtable_count(m));
    kv_report_count(report, "range tombstones", lsm_memtable_range_count(m));
    kv_report_bytes(report, "bytes", lsm_memtable_bytes(m));
    kv_report_text(report, "log", "%s",
                   lsm_log_name(lsm_memtable_number(m)).text);
    kv_report_end(report);
}

static void report_run(kv_report *report, const lsm_run *run, kv_slice first,
                       kv_slice last)
{
    enum { WIDTH = 56 };
    char bar[WIDTH + 1];
    uint64_t entries = 0, tombstones = 0;
    for (size_t i = 0; i < run->count; i++) {
        entries += run->tables[i]->props.entry_count;
        tombstones += run->tables[i]->props.tombstone_count;
    }
    lsm_draw_bar(run, first, last, WIDTH, bar);
    kv_report_begin(report, "level %" PRIu32 " run %" PRIu64, run->level,
                    run->id);
    kv_report_text(report, "keys", "%s", bar);
    kv_report_count(report, "tables", run->count);
    kv_report_bytes(report, "bytes", run->bytes);
    kv_report_count(report, "entries", entries);
    kv_report_count(report, "tombstones", tombstones);
    kv_report_end(report);
}

static void report_table(kv_report *report, const lsm_table *t)
{
    kv_report_begin(report, "table %" PRIu64, t->id.number);
    kv_report_bytes(report, "bytes", t->props.file_bytes);
    kv_report_key(report, "first key", t->props.first_key);
    kv_report_key(report, "last key", t->props.last_key);
    kv_report_end(report);
}

static void report_all(lsm_store *s, const lsm_view *view, kv_report *report)
{
    kv_slice first = {0}, last = {0};
    report_memtable(report, "active", view->active);
    for (size_t i = 0; i < view->frozen_count; i++) {
        report_memtable(report, "frozen", view->frozen[i]);
    }
    const lsm_version *v = view->version;
    span_of(v, &first, &last);
    if (v->table_count > 0) {
        kv_report_key(report, "first key", first);
        kv_report_key(report, "last key", last);
    }
    for (size_t i = 0; i < v->run_count; i++) {
        report_run(report, &v->runs[i], first, last);
    }
    kv_report_bytes(report, "to compact", lsm_debt_bytes(v, &s->config.shape));
}

static void report_level(const lsm_version *v, uint64_t level,
                         kv_report *report)
{
    uint64_t tables = 0;
    for (size_t i = 0; i < v->run_count; i++) {
        if (v->runs[i].level != level) continue;
        for (size_t j = 0; j < v->runs[i].count; j++) {
            report_table(report, v->runs[i].tables[j]);
        }
        tables += v->runs[i].count;
    }
    kv_report_count(report, "tables", tables);
}

// The number behind a word: "level 3" is 3. False if it is something else, or
// has more digits than always fit.
static bool asks_for(const char *what, const char *word, uint64_t *number)
{
    size_t len = strlen(word);
    int end = 0;
    return what != NULL && strncmp(what, word, len) == 0 &&
           sscanf(what + len, " %19" SCNu64 "%n", number, &end) == 1 &&
           what[len + (size_t)end] == '\0';
}

static kv_status inspect_table(const lsm_version *v, uint64_t number,
                               kv_report *report)
{
    for (size_t i = 0; i < v->table_count; i++) {
        if (v->tables[i]->id.number != number) continue;
        lsm_table_inspect(v->tables[i], report);
        return KV_OK;
    }
    return kv_fail(KV_INVALID, "there is no table %" PRIu64, number);
}

static kv_status inspect_view(lsm_store *s, const lsm_view *view,
                              const char *what, kv_report *report)
{
    uint64_t number = 0;
    if (what == NULL) {
        report_all(s, view, report);
    } else if (asks_for(what, "level", &number) && number < LSM_LEVELS) {
        report_level(view->version, number, report);
    } else if (asks_for(what, "table", &number)) {
        return inspect_table(view->version, number, report);
    } else if (strcmp(what, "metrics") == 0) {
        lsm_look_metrics(s, view, report);
    } else if (strcmp(what, "history") == 0) {
        return lsm_look_history(s, report);
    } else {
        return kv_fail(KV_INVALID,
                       "there is no part \"%s\": ask for level N, table N, "
                       "metrics or history",
                       what);
    }
    return KV_OK;
}

kv_status lsm_look_inspect(lsm_store *s, const char *what, kv_report *report)
{
    lsm_view *view = lsm_gate_view(&s->gate, NULL);
    kv_status st = inspect_view(s, view, what, report);
    lsm_view_unref(view);
    return st;
}

// ---- check ------------------------------------------------------------------

// A log that is being written to ends where the memtable's does: recovering it
// must show no damage.
static kv_status check_log(lsm_store *s, const lsm_memtable *m)
{
    uint64_t number = lsm_memtable_number(m);
    lsm_name name = lsm_log_name(number);
    kv_file *file = NULL;
    kv_why why = kv_for(KV_FOR_READ);
    if (s->config.read_only || s->must_flush) return KV_OK; // as replayed
    kv_status st =
        kv_file_open(s->config.disk, name.text,
                     (kv_open_how){.mode = KV_OPEN_READ}, why, &file);
    if (st == KV_NOT_FOUND) {
        return kv_fail(KV_CORRUPT, "%s: is gone", name.text);
    }
    KV_TRY(st);
    kv_recovery found;
    kv_recordlog_id expect = lsm_log_id(s->config.store_id, number);
    st = kv_recordlog_recover(file, &expect, NULL, NULL, why, &found);
    kv_file_close(file);
    return st;
}

static kv_status check_memtable(lsm_store *s, const lsm_memtable *m)
{
    KV_TRY(lsm_memtable_check(m));
    return check_log(s, m);
}

// Everything, walked over once: what is live, in order.
static kv_status count_live(lsm_store *s, uint64_t *keys)
{
    lsm_cursor c = {0};
    kv_slice key, value, all = {0};
    kv_status st = lsm_cursor_open(&c, s, all, all, false);
    while (st == KV_OK) {
        st = lsm_cursor_next(&c, &key, &value);
        if (st == KV_OK) ++*keys;
    }
    lsm_cursor_close(&c);
    return st == KV_END ? KV_OK : st;
}

// The manifest's tables, after its last edit, counted.
static kv_status count_tables(void *arg, uint64_t i, const lsm_edit *edit)
{
    int64_t *count = arg;
    (void)i;
    *count += (int64_t)edit->added_count - (int64_t)edit->removed_count;
    return KV_OK;
}

static kv_status check_manifest(lsm_store *s, const lsm_version *v)
{
    int64_t count = 0;
    kv_status st = lsm_manifest_read(s->config.disk, s->config.store_id,
                                     count_tables, &count, kv_for(KV_FOR_READ));
    bool may_lack = s->must_flush || s->config.read_only;
    if (st == KV_NOT_FOUND && may_lack && v->table_count == 0) return KV_OK;
    if (st == KV_NOT_FOUND) {
        return kv_fail(KV_CORRUPT, "%s: is gone", lsm_manifest_name);
    }
    KV_TRY(st);
    if (count == (int64_t)v->table_count) return KV_OK;
    return kv_fail(KV_CORRUPT, "%s: names %" PRId64 " tables, not %zu",
                   lsm_manifest_name, count, v->table_count);
}

static kv_status check_view(lsm_store *s, const lsm_view *view,
                            kv_report *report)
{
    uint64_t entries = 0, keys = 0, strangers = 0;
    KV_TRY(check_memtable(s, view->active));
    for (size_t i = 0; i < view->frozen_count; i++) {
        KV_TRY(check_memtable(s, view->frozen[i]));
    }
    const lsm_version *v = view->version;
    KV_TRY(lsm_version_check(v));
    for (size_t i = 0; i < v->table_count; i++) {
        KV_TRY(lsm_table_check(v->tables[i]));
        entries += v->tables[i]->props.entry_count;
    }
    KV_TRY(check_manifest(s, v));
    KV_TRY(count_live(s, &keys));
    KV_TRY(lsm_store_orphans(s, false, &strangers));
    kv_report_count(report, "tables", v->table_count);
    kv_report_count(report, "runs", v->run_count);
    kv_report_count(report, "entries in them", entries);
    kv_report_count(report, "live keys", keys);
    kv_report_count(report, "files of strangers", strangers);
    return KV_OK;
}

typedef struct check_args {
    lsm_store *store;
    kv_report *report;
} check_args;

// In the writers' place, and with no change of tables: nothing moves meanwhile.
static kv_status check_quietly(void *arg)
{
    check_args *args = arg;
    lsm_store *s = args->store;
    kv_mutex_lock(&s->install);
    lsm_view *view = lsm_gate_view(&s->gate, NULL);
    kv_status st = check_view(s, view, args->report);
    lsm_view_unref(view);
    kv_mutex_unlock(&s->install);
    return st;
}

kv_status lsm_look_check(lsm_store *s, kv_report *report)
{
    check_args args = {s, report};
    return kv_commit_exclusive(&s->line, check_quietly, &args);
}
