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

// ---- parts ------------------------------------------------------------------

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

static void report_segment(kv_report *report, const sst_segment *s)
{
    kv_report_begin(report, "segment %" PRIu64, s->id.number);
    kv_report_text(report, "made by", "%s", s->is_merged ? "merge" : "flush");
    kv_report_bytes(report, "bytes", s->file_bytes);
    kv_report_count(report, "entries", s->footer.entry_count);
    kv_report_count(report, "tombstones", s->footer.tombstone_count);
    kv_report_count(report, "intervals", s->interval_count);
    kv_report_bytes(report, "index", sst_segment_index_bytes(s));
    kv_report_key(report, "first key", s->first_key);
    kv_report_key(report, "last key", s->last_key);
    kv_report_end(report);
}

// ---- a picture of all segments ----------------------------------------------

// The lowest and the highest key of all segments, how many bytes they share at
// the front, and the bytes that keys are made of behind that.
typedef struct span {
    kv_slice low, high;
    size_t shared;
    uint8_t least, most;
} span;

static void widen(span *all, kv_slice key)
{
    for (size_t i = all->shared; i < key.len; i++) {
        if (key.data[i] < all->least) all->least = key.data[i];
        if (key.data[i] > all->most) all->most = key.data[i];
    }
}

static span span_of(const sst_view *view)
{
    span all = {.low = view->segments[0]->first_key,
                .high = view->segments[0]->last_key,
                .least = UINT8_MAX};
    for (size_t i = 1; i < view->count; i++) {
        const sst_segment *s = view->segments[i];
        if (kv_slice_cmp(s->first_key, all.low) < 0) all.low = s->first_key;
        if (kv_slice_cmp(s->last_key, all.high) > 0) all.high = s->last_key;
    }
    while (all.shared < all.low.len && all.shared < all.high.len &&
           all.low.data[all.shared] == all.high.data[all.shared]) {
        all.shared++;
    }
    for (size_t i = 0; i < view->count; i++) {
        widen(&all, view->segments[i]->first_key);
        widen(&all, view->segments[i]->last_key);
    }
    return all;
}

// What follows the shared bytes, taken for a number below 1. Its digits are the
// bytes that occur: 0500 is halfway from 0000 to 0999, and m from a to z.
static double number_of(const span *all, kv_slice key)
{
    double number = 0, unit = 1;
    for (size_t i = all->shared; i < key.len && i < all->shared + 8; i++) {
        unit /= all->most - all->least + 1;
        number += (key.data[i] - all->least) * unit;
    }
    return number;
}

enum { COLUMNS = 24 };

static int column_of(const span *all, kv_slice key)
{
    double low = number_of(all, all->low), high = number_of(all, all->high);
    if (high <= low) return 0;
    return (int)((number_of(all, key) - low) / (high - low) * (COLUMNS - 1));
}

// "    ####......   ": where the keys are, and in how many of the entries there
// is what a reader still sees (live NULL: not asked).
static void draw_segment(const span *all, const sst_segment *s,
                         const uint64_t *live, char bar[COLUMNS + 1])
{
    int from = column_of(all, s->first_key), to = column_of(all, s->last_key);
    double share =
        live == NULL ? 0 : (double)*live / (double)s->footer.entry_count;
    int dead_from = from + (int)(share * (to - from + 1) + 0.5);
    for (int i = 0; i < COLUMNS; i++) {
        bar[i] = i < from || i > to ? ' '
                 : live == NULL     ? '='
                 : i < dead_from    ? '#'
                                    : '.';
    }
    bar[COLUMNS] = '\0';
}

static void report_segments(kv_report *report, const sst_view *view,
                            const uint64_t *live)
{
    uint64_t bytes = 0;
    kv_report_begin(report, "segments");
    kv_report_count(report, "count", view->count);
    for (size_t i = 0; i < view->count; i++) {
        bytes += view->segments[i]->file_bytes;
    }
    kv_report_bytes(report, "bytes", bytes);
    if (view->count > 0) {
        span all = span_of(view);
        kv_report_key(report, "from", all.low);
        kv_report_key(report, "to", all.high);
        for (size_t i = 0; i < view->count; i++) {
            const sst_segment *s = view->segments[i];
            char name[32], bar[COLUMNS + 1], share[32] = "";
            snprintf(name, sizeof name, "segment %" PRIu64, s->id.number);
            draw_segment(&all, s, live != NULL ? &live[i] : NULL, bar);
            if (live != NULL) {
                snprintf(share, sizeof share, ", %.0f %% live",
                         100.0 * (double)live[i] /
                             (double)s->footer.entry_count);
            }
            kv_report_text(report, name, "|%s| %" PRIu64 " entr%s%s", bar,
                           s->footer.entry_count,
                           s->footer.entry_count == 1 ? "y" : "ies", share);
        }
    }
    kv_report_end(report);
}

// ---- inspect ----------------------------------------------------------------

static kv_status inspect_all(sst_view *view, bool wants_live, kv_report *report)
{
    uint64_t keys = 0;
    uint64_t *live = kv_zalloc((view->count + 2) * sizeof *live);
    kv_status st = wants_live ? count_live(view, live, &keys) : KV_OK;
    if (st == KV_OK) {
        report_memtable(report, "active", view->active);
        report_memtable(report, "frozen", view->frozen);
        report_segments(report, view, wants_live ? live + 2 : NULL);
        if (wants_live) kv_report_count(report, "live keys", keys);
    }
    kv_free(live);
    return st;
}

static kv_status inspect_segment(sst_view *view, uint64_t number,
                                 kv_report *report)
{
    for (size_t i = 0; i < view->count; i++) {
        if (view->segments[i]->id.number != number) continue;
        report_segment(report, view->segments[i]);
        return KV_OK;
    }
    return kv_fail(KV_INVALID, "there is no segment %" PRIu64, number);
}

static kv_status inspect_view(sst_view *view, const char *what,
                              kv_report *report)
{
    uint64_t number = 0;
    if (what == NULL) return inspect_all(view, false, report);
    if (strcmp(what, "live") == 0) return inspect_all(view, true, report);
    int end = 0; // 19 digits always fit
    if (sscanf(what, "segment %19" SCNu64 "%n", &number, &end) == 1 &&
        what[end] == '\0') {
        return inspect_segment(view, number, report);
    }
    return kv_fail(KV_INVALID,
                   "there is no part \"%s\": ask for live, or segment N", what);
}

kv_status sst_look_inspect(sst_store *s, const char *what, kv_report *report)
{
    sst_view *view = sst_store_view(s);
    kv_status st = inspect_view(view, what, report);
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
    // Its first opening was cut off, and this one may not write: it is empty.
    bool is_unmade =
        st == KV_NOT_FOUND && s->config.read_only && view->count == 0;
    if (is_unmade) st = KV_OK;
    if (st == KV_NOT_FOUND) {
        st = kv_fail(KV_CORRUPT, "%s: is gone", sst_catalog_name);
    }
    if (st == KV_OK && catalog.count != view->count) {
        st = kv_fail(KV_CORRUPT, "%s: names %zu segments, not %zu",
                     sst_catalog_name, catalog.count, view->count);
    }
    sst_catalog_free(&catalog);
    if (st == KV_OK) st = sst_store_orphans(s, false, &strangers);
    if (st == KV_OK) {
        kv_report_count(args->report, "files of strangers", strangers);
    }
    sst_view_unref(view);
    kv_mutex_unlock(&s->work);
    return st;
}

kv_status sst_look_check(sst_store *s, kv_report *report)
{
    check_args args = {s, report};
    return kv_commit_exclusive(&s->line, check_quietly, &args);
}
