// look.c -- measure, inspect and check.
// SPDX-License-Identifier: MIT

#include <inttypes.h>

#include "common/identity.h"
#include "common/mem.h"

#include "hint.h"
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

// ---- check ------------------------------------------------------------------

typedef struct checking {
    log_store *store;
    kv_report *report;
    kv_buf text;
    const log_segment *segment;
    log_facts counted; // from the bytes on the disk
    uint64_t limit;
    uint64_t live_total, segments, records;
} checking;

static kv_status check_record(void *arg, uint64_t offset,
                              const kv_record *record)
{
    checking *c = arg;
    const log_segment *s = c->segment;
    log_entry entry;
    if (offset >= c->limit) return KV_OK;
    c->records++;
    if (!log_entry_decode(record->payload, s->log.id.framing, &c->text,
                          &entry)) {
        return kv_fail(KV_CORRUPT, "%s: no entry of ours at byte %" PRIu64,
                       log_name_of(s->span, false).text, offset);
    }
    if (entry.kind == LOG_MERGED) {
        c->counted.horizon = entry.horizon;
        return KV_OK;
    }
    c->counted.entry_bytes += record->size;
    if (entry.kind == LOG_TOMBSTONE) c->counted.tombstone_bytes += record->size;
    if (entry.kind != LOG_SET || c->store->finder.index == NULL) return KV_OK;
    uint64_t hash = log_hash(&c->store->finder, entry.key);
    if (log_index_has(&c->store->index, hash, s->base + offset)) {
        c->counted.live_bytes += record->size;
        c->counted.live_count++;
    }
    return KV_OK;
}

static kv_status disagree(const log_segment *s, const char *what,
                          uint64_t counted, uint64_t known)
{
    return kv_fail(KV_CORRUPT,
                   "%s: %s: %" PRIu64 " by its records, %" PRIu64
                   " by the store's count",
                   log_name_of(s->span, false).text, what, counted, known);
}

static kv_status compare(const log_segment *s, const log_facts *counted)
{
    log_facts known = log_segment_facts(s);
    if (counted->entry_bytes != known.entry_bytes) {
        return disagree(s, "bytes of entries", counted->entry_bytes,
                        known.entry_bytes);
    }
    if (counted->tombstone_bytes != known.tombstone_bytes) {
        return disagree(s, "bytes of tombstones", counted->tombstone_bytes,
                        known.tombstone_bytes);
    }
    if (counted->live_bytes != known.live_bytes) {
        return disagree(s, "live bytes", counted->live_bytes, known.live_bytes);
    }
    if (counted->live_count != known.live_count) {
        return disagree(s, "live keys", counted->live_count, known.live_count);
    }
    if (counted->horizon != known.horizon) {
        return disagree(s, "horizon", counted->horizon, known.horizon);
    }
    return KV_OK;
}

static kv_status check_segment(checking *c, const log_segment *s)
{
    kv_recovery found;
    kv_recordlog_id expect = {.kind = LOG_SEGMENT_KIND,
                              .store_id = c->store->base.store_id,
                              .number = log_number_of(s->span)};
    c->segment = s;
    c->counted = (log_facts){0};
    c->limit = log_counter(&s->size);
    KV_TRY(kv_recordlog_recover(s->log.file, &expect, check_record, c,
                                kv_for(KV_FOR_READ), &found));
    bool is_sealed = atomic_load(&s->is_sealed);
    if (is_sealed && (!found.sealed || found.good_size != c->limit)) {
        return kv_fail(KV_CORRUPT,
                       "%s: damage at byte %" PRIu64
                       ": a sealed segment does not end there",
                       log_name_of(s->span, false).text, found.good_size);
    }
    if (found.good_size < c->limit) {
        return kv_fail(KV_CORRUPT, "%s: damage at byte %" PRIu64,
                       log_name_of(s->span, false).text, found.good_size);
    }
    KV_TRY(compare(s, &c->counted));
    c->live_total += c->counted.live_count;
    c->segments++;
    return KV_OK;
}

static kv_status check_spans(const log_segment_list *list)
{
    uint32_t newest = 0;
    for (size_t i = 0; i < list->count; i++) {
        log_span span = list->at[i]->span;
        if (span.first != newest + 1 || span.last < span.first) {
            return kv_fail(KV_CORRUPT,
                           "%s does not follow position %" PRIu32, // S1
                           log_name_of(span, false).text, newest);
        }
        newest = span.last;
    }
    return KV_OK;
}

static kv_status check_index(const checking *c)
{
    log_store *store = c->store;
    if (store->finder.index == NULL) return KV_OK;
    uint64_t wrong = log_index_check(&store->index);
    if (wrong > 0) {
        return kv_fail(KV_CORRUPT,
                       "the index: %" PRIu64 " groups violate I1 to I3", wrong);
    }
    uint64_t known = log_index_count(&store->index);
    if (known == c->live_total) return KV_OK;
    return kv_fail(KV_CORRUPT,
                   "the index has %" PRIu64 " entries, and %" PRIu64
                   " of them name a record",
                   known, c->live_total);
}

// A hint file that is damaged costs time at the next open, no more: it is told,
// and is no corruption of the store.
static kv_status check_files(checking *c)
{
    kv_names names = {0};
    log_span span;
    log_hint hint = {0};
    KV_TRY(kv_disk_list(c->store->base.disk, &names));
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.name[i];
        if (log_name_parse(name, &span) == LOG_NAME_FOREIGN &&
            !kv_identity_owns(name)) {
            kv_report_text(c->report, "foreign file", "%s", name);
        }
    }
    kv_names_free(&names);
    kv_status st =
        log_hint_open(c->store->base.disk, c->store->base.store_id, &hint);
    if (st == KV_OK && hint.doubt != NULL) {
        kv_report_text(c->report, "hint file", "not used: %s", hint.doubt);
    }
    log_hint_close(&hint);
    return st;
}

// In the commit line: nothing changes meanwhile, and writers wait.
static kv_status check_all(void *arg)
{
    checking *c = arg;
    log_segment_list list = log_segments_pin_all(&c->store->segments);
    kv_status st = check_spans(&list);
    for (size_t i = 0; i < list.count && st == KV_OK; i++) {
        st = check_segment(c, list.at[i]);
    }
    if (st == KV_OK) st = check_index(c);
    if (st == KV_OK) st = check_files(c);
    log_segment_list_free(&list);
    return st;
}

kv_status log_check(kv *db, kv_report *report)
{
    log_store *store = log_store_of(db);
    checking c = {.store = store, .report = report};
    kv_mutex_lock(&store->work_lock);
    kv_status st = kv_commit_exclusive(&store->line, check_all, &c);
    kv_mutex_unlock(&store->work_lock);
    kv_buf_free(&c.text);
    kv_report_count(report, "segments", c.segments);
    kv_report_count(report, "records", c.records);
    kv_report_count(report, "live keys", c.live_total);
    return st;
}
