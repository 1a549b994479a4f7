// look.c -- measure and inspect.
// SPDX-License-Identifier: MIT

#include "store.h"

// ---- measure ----------------------------------------------------------------

void log_measure(kv *db, kv_stats *stats)
{
    log_store *store = log_store_of(db);
    log_segments *ss = &store->segments;
    if (store->finder.index != NULL) {
        stats->index_bytes = log_index_bytes(&store->index);
        stats->key_count = log_index_count(&store->index);
    }
    kv_mutex_lock(&ss->lock);
    uint64_t lists = ss->cap * sizeof(log_segment *) +
                     ss->count * (sizeof(log_segment) + sizeof(void *));
    kv_mutex_unlock(&ss->lock);
    stats->memory_bytes = stats->index_bytes + sizeof *store + lists;
}

// ---- inspect ----------------------------------------------------------------

static double share_of(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static void tell_segment(kv_report *report, const log_segment *s)
{
    log_facts f = log_segment_facts(s);
    kv_report_begin(report, "segment %s", log_name_of(s->span, false).text);
    kv_report_text(report, "state", "%s",
                   atomic_load(&s->is_damaged)  ? "damaged: run check"
                   : atomic_load(&s->is_sealed) ? "sealed"
                                                : "being written");
    kv_report_bytes(report, "size", f.size);
    kv_report_share(report, "live", share_of(f.live_bytes, f.entry_bytes));
    kv_report_count(report, "live keys", f.live_count);
    kv_report_bytes(report, "tombstones", f.tombstone_bytes);
    if (f.span.generation > 0) kv_report_count(report, "horizon", f.horizon);
    kv_report_end(report);
}

static void tell_index(kv_report *report, log_store *store)
{
    if (store->finder.index == NULL) {
        kv_report_text(report, "index", "off: every lookup reads the log");
        return;
    }
    uint64_t count = log_index_count(&store->index);
    uint64_t bytes = log_index_bytes(&store->index);
    kv_report_begin(report, "index");
    kv_report_count(report, "keys", count);
    kv_report_bytes(report, "memory", bytes);
    if (count > 0) {
        kv_report_ratio(report, "bytes per key", (double)bytes / (double)count);
    }
    kv_report_end(report);
}

static void tell_opening(kv_report *report, const log_store *store)
{
    kv_report_begin(report, "when opened");
    kv_report_text(report, "hints", "%s",
                   store->hint_says ? store->hint_says : "used");
    kv_report_count(report, "records read", store->opened_records);
    kv_report_bytes(report, "bytes read", store->opened_bytes);
    kv_report_bytes(report, "torn tail", store->torn_bytes);
    kv_report_end(report);
}

static void tell_merges(kv_report *report, log_store *store)
{
    kv_mutex_lock(&store->work_lock);
    const log_merge *m = &store->merge;
    kv_report_begin(report, "merging");
    kv_report_text(report, "now", "%s",
                   log_merge_is_under_way(m) ? "under way" : "at rest");
    kv_report_count(report, "merges", m->merges);
    kv_report_bytes(report, "read", m->read_bytes);
    kv_report_bytes(report, "written", m->written_bytes);
    kv_report_end(report);
    kv_mutex_unlock(&store->work_lock);
}

kv_status log_inspect(kv *db, const char *what, kv_report *report)
{
    log_store *store = log_store_of(db);
    if (what != NULL && strcmp(what, "index") == 0) {
        tell_index(report, store);
        return KV_OK;
    }
    log_segment_list list = log_segments_pin_all(&store->segments);
    size_t told = 0;
    for (size_t i = 0; i < list.count; i++) {
        log_name name = log_name_of(list.at[i]->span, false);
        if (what != NULL && strcmp(what, name.text) != 0) continue;
        tell_segment(report, list.at[i]);
        told++;
    }
    log_segment_list_free(&list);
    if (what == NULL) {
        tell_index(report, store);
        tell_merges(report, store);
        tell_opening(report, store);
        return KV_OK;
    }
    if (told > 0) return KV_OK;
    return kv_fail(KV_INVALID,
                   "there is no part \"%s\": say index, or a segment's file "
                   "name as inspect lists them",
                   what);
}
