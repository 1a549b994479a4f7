// look.c -- inspect and check; see look.h.
// SPDX-License-Identifier: MIT

#include "look.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/mem.h"

// ---- live entries -----------------------------------------------------------

// live[i]: how many entries of the i-th place of the view (V1's order) are
// neither hidden by a newer place nor tombstones.
static kv_status count_live(sst_view *view, uint64_t *live, uint64_t *keys)
{
    sst_merge merge = {0};
    kv_slice all = {0};
    sst_entry entry;
    sst_memtable *memtables[] = {view->active, view->frozen};
    kv_status st = KV_OK;
    for (uint32_t i = 0; i < 2 && st == KV_OK; i++) {
        if (memtables[i] == NULL) continue;
        st = sst_merge_add(
            &merge,
            sst_memtable_scan(memtables[i], all, all, false, SST_SEQ_MAX), i);
    }
    for (size_t i = 0; i < view->count && st == KV_OK; i++) {
        st = sst_merge_add(&merge,
                           sst_segment_scan(view->segments[i], all, all, false,
                                            kv_for(KV_FOR_READ)),
                           (uint32_t)i + 2);
    }
    while (st == KV_OK) {
        st = sst_merge_next(&merge, &entry);
        if (st != KV_OK || entry.is_tombstone) continue;
        live[sst_merge_rank(&merge)]++;
        ++*keys;
    }
    sst_merge_free(&merge);
    return st == KV_END ? KV_OK : st;
}

// ---- inspect ----------------------------------------------------------------

static void report_memtable(kv_report *report, const char *name,
                            sst_memtable *m)
{
    if (m == NULL) return;
    kv_report_begin(report, "%s memtable", name);
    kv_report_count(report, "keys", sst_memtable_count(m));
    kv_report_bytes(report, "bytes", sst_memtable_bytes(m));
    if (sst_memtable_number(m) != 0) {
        kv_report_text(report, "log", "%s",
                       sst_log_name(sst_memtable_number(m)).text);
    }
    kv_report_end(report);
}

static void report_segment(kv_report *report, const sst_segment *s,
                           const uint64_t *live)
{
    kv_report_begin(report, "segment %" PRIu64, s->id.number);
    kv_report_text(report, "made by", "%s", s->is_merged ? "merge" : "flush");
    kv_report_bytes(report, "bytes", s->file_bytes);
    kv_report_count(report, "entries", s->footer.entry_count);
    kv_report_count(report, "tombstones", s->footer.tombstone_count);
    kv_report_count(report, "intervals", s->interval_count);
    kv_report_key(report, "first key", s->first_key);
    kv_report_key(report, "last key", s->last_key);
    if (live != NULL) {
        kv_report_share(report, "live",
                        (double)*live / (double)s->footer.entry_count);
    }
    kv_report_end(report);
}

// "segment 7" is 7; anything else 0.
static uint64_t segment_asked(const char *what)
{
    uint64_t number = 0;
    if (what == NULL || sscanf(what, "segment %20" SCNu64, &number) != 1) {
        return 0;
    }
    return number;
}

static kv_status report_view(sst_view *view, const char *what,
                             kv_report *report)
{
    uint64_t asked = segment_asked(what), keys = 0;
    bool wants_live = what != NULL && strcmp(what, "live") == 0;
    if (what != NULL && asked == 0 && !wants_live) {
        return kv_fail(KV_INVALID,
                       "there is no part \"%s\": ask for live, or segment N",
                       what);
    }
    uint64_t *live = kv_zalloc((view->count + 2) * sizeof *live);
    kv_status st = wants_live ? count_live(view, live, &keys) : KV_OK;
    if (asked == 0) {
        report_memtable(report, "active", view->active);
        report_memtable(report, "frozen", view->frozen);
    }
    bool is_found = asked == 0;
    for (size_t i = 0; i < view->count && st == KV_OK; i++) {
        if (asked != 0 && view->segments[i]->id.number != asked) continue;
        report_segment(report, view->segments[i],
                       wants_live ? &live[i + 2] : NULL);
        is_found = true;
    }
    if (wants_live) kv_report_count(report, "live keys", keys);
    kv_free(live);
    if (st == KV_OK && !is_found) {
        return kv_fail(KV_INVALID, "there is no segment %" PRIu64, asked);
    }
    return st;
}

kv_status sst_look_inspect(sst_store *s, const char *what, kv_report *report)
{
    sst_view *view = sst_store_view(s);
    kv_status st = report_view(view, what, report);
    sst_view_unref(view);
    return st;
}

// ---- check ------------------------------------------------------------------

static kv_status check_memtable(sst_memtable *m)
{
    if (m == NULL) return KV_OK;
    kv_latch_read(sst_memtable_latch(m));
    kv_status st = sst_memtable_check(m);
    kv_latch_read_end(sst_memtable_latch(m));
    return st;
}

static kv_status check_view(sst_view *view, kv_report *report)
{
    uint64_t entries = 0, keys = 0;
    KV_TRY(check_memtable(view->active));
    KV_TRY(check_memtable(view->frozen));
    for (size_t i = 0; i < view->count; i++) {
        KV_TRY(sst_segment_check(view->segments[i]));
        entries += view->segments[i]->footer.entry_count;
    }
    uint64_t *live = kv_zalloc((view->count + 2) * sizeof *live);
    kv_status st = count_live(view, live, &keys);
    kv_free(live);
    KV_TRY(st);
    kv_report_count(report, "segments", view->count);
    kv_report_count(report, "entries in them", entries);
    kv_report_count(report, "live keys", keys);
    return KV_OK;
}

// A log that is being written to ends where the memtable's does, or in a group
// on its way: recovering it must show no damage.
static kv_status check_log(sst_store *s, const sst_memtable *m)
{
    if (m == NULL || sst_memtable_number(m) == 0) return KV_OK;
    sst_name name = sst_log_name(sst_memtable_number(m));
    kv_file *file = NULL;
    kv_why why = kv_for(KV_FOR_READ);
    kv_status st =
        kv_file_open(s->config.disk, name.text,
                     (kv_open_how){.mode = KV_OPEN_READ}, why, &file);
    if (st == KV_NOT_FOUND)
        return kv_fail(KV_CORRUPT, "%s: is gone", name.text);
    KV_TRY(st);
    kv_recovery found;
    kv_recordlog_id expect = {.kind = "WAL ",
                              .store_id = s->config.store_id,
                              .number = sst_memtable_number(m)};
    st = kv_recordlog_recover(file, &expect, NULL, NULL, why, &found);
    kv_file_close(file);
    return st;
}

typedef struct check_args {
    sst_store *store;
    kv_report *report;
} check_args;

// In the writers' place and under the work lock: nothing moves meanwhile.
static kv_status check_quietly(void *arg)
{
    check_args *args = arg;
    sst_store *s = args->store;
    uint64_t strangers = 0;
    sst_catalog catalog = {0};
    kv_mutex_lock(&s->work);
    sst_view *view = sst_store_view(s);
    kv_status st = check_view(view, args->report);
    if (st == KV_OK) st = check_log(s, view->active);
    if (st == KV_OK) st = check_log(s, view->frozen);
    if (st == KV_OK) {
        st = sst_catalog_read(s->config.disk, s->config.store_id, &catalog);
    }
    if (st == KV_NOT_FOUND) {
        st = kv_fail(KV_CORRUPT, "%s: is gone", sst_catalog_name);
    }
    if (st == KV_OK && catalog.count != view->count) {
        st = kv_fail(KV_CORRUPT, "%s: names %zu segments, not %zu",
                     sst_catalog_name, catalog.count, view->count);
    }
    sst_catalog_free(&catalog);
    if (st == KV_OK) st = sst_store_orphans(s, false, &strangers);
    kv_report_count(args->report, "files of strangers", strangers);
    sst_view_unref(view);
    kv_mutex_unlock(&s->work);
    return st;
}

kv_status sst_look_check(sst_store *s, kv_report *report)
{
    check_args args = {s, report};
    return kv_commit_exclusive(&s->line, check_quietly, &args);
}
