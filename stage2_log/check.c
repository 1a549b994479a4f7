// check.c -- every byte and every count of a store, verified while it is used.
// SPDX-License-Identifier: MIT
//
//   each sealed segment   read it, noting the records the index names;
//                         in the commit line: which of them it names still
//   the newest            in the commit line: writers wait for this one
//
// A sealed segment does not change, and what is dead in it stays dead, so its
// bytes are read while writers go on. Only comparing what is alive with the
// store's counts needs a moment at which nothing moves, and it takes no disk.
// Merges wait throughout (work_lock).

#include <inttypes.h>

#include "common/identity.h"
#include "common/mem.h"

#include "hint.h"
#include "store.h"

// A record that the index named when its segment was read.
typedef struct live_record {
    uint64_t hash, offset;
    uint32_t bytes;
} live_record;

typedef struct checking {
    log_store *store;
    kv_report *report;
    kv_buf text;
    const log_segment *segment;
    log_facts counted; // from the bytes on the disk
    uint64_t limit;
    live_record *live;
    size_t live_count, live_cap;
    uint32_t checked; // positions up to here are done
    bool is_done;
    uint64_t live_total, segments, records;
} checking;

static void note_live(checking *c, live_record record)
{
    if (c->live_count == c->live_cap) {
        c->live_cap = c->live_cap * 2 + 1024;
        c->live = kv_realloc(c->live, c->live_cap * sizeof *c->live);
    }
    c->live[c->live_count++] = record;
}

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
        note_live(c, (live_record){hash, offset, (uint32_t)record->size});
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

// In the commit line.
static kv_status count_live(void *arg)
{
    checking *c = arg;
    const log_segment *s = c->segment;
    for (size_t i = 0; i < c->live_count; i++) {
        const live_record *r = &c->live[i];
        uint64_t address = s->base + r->offset;
        if (!log_index_has(&c->store->index, r->hash, address)) continue;
        c->counted.live_bytes += r->bytes;
        c->counted.live_count++;
    }
    return compare(s, &c->counted);
}

static kv_status read_segment(checking *c, const log_segment *s)
{
    kv_recovery found;
    kv_recordlog_id expect = {.kind = LOG_SEGMENT_KIND,
                              .store_id = c->store->base.store_id,
                              .number = log_number_of(s->span)};
    c->segment = s;
    c->counted = (log_facts){0};
    c->limit = log_counter(&s->size);
    c->live_count = 0;
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
    c->checked = s->span.last;
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

static kv_status check_index(checking *c, const log_segment_list *list)
{
    log_store *store = c->store;
    for (size_t i = 0; i < list->count; i++) {
        c->live_total += log_counter(&list->at[i]->live_count);
    }
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

// The first segment that was not looked at, in a pinned list; NULL: none.
static log_segment *next_of(const checking *c, const log_segment_list *list)
{
    size_t i = 0;
    while (i < list->count && list->at[i]->span.first <= c->checked) i++;
    return i < list->count ? list->at[i] : NULL;
}

// In the commit line: the newest segment, and what only all together can tell.
// Does nothing if another one was sealed meanwhile.
static kv_status check_rest(void *arg)
{
    checking *c = arg;
    log_segment_list list = log_segments_pin_all(&c->store->segments);
    const log_segment *s = next_of(c, &list);
    kv_status st = KV_OK;
    c->is_done = s == NULL || !atomic_load(&s->is_sealed);
    if (c->is_done) {
        if (s != NULL) st = read_segment(c, s);
        if (s != NULL && st == KV_OK) st = count_live(c);
        if (st == KV_OK) st = check_spans(&list);
        if (st == KV_OK) st = check_index(c, &list);
    }
    log_segment_list_free(&list);
    return st;
}

static kv_status check_sealed(checking *c)
{
    kv_status st = KV_OK;
    log_segment_list list = log_segments_pin_all(&c->store->segments);
    const log_segment *s;
    while (st == KV_OK && (s = next_of(c, &list)) != NULL) {
        if (!atomic_load(&s->is_sealed)) break;
        st = read_segment(c, s);
        if (st == KV_OK) {
            st = kv_commit_exclusive(&c->store->line, count_live, c);
        }
    }
    log_segment_list_free(&list);
    return st;
}

kv_status log_check(kv *db, kv_report *report)
{
    log_store *store = log_store_of(db);
    checking c = {.store = store, .report = report};
    kv_status st = KV_OK;
    kv_mutex_lock(&store->work_lock);
    atomic_store(&store->is_checking, true);
    while (st == KV_OK && !c.is_done) {
        st = check_sealed(&c);
        if (st == KV_OK) {
            st = kv_commit_exclusive(&store->line, check_rest, &c);
        }
    }
    if (st == KV_OK) st = check_files(&c);
    atomic_store(&store->is_checking, false);
    kv_mutex_unlock(&store->work_lock);
    kv_buf_free(&c.text);
    kv_free(c.live);
    kv_report_count(report, "segments", c.segments);
    kv_report_count(report, "records", c.records);
    kv_report_count(report, "live keys", c.live_total);
    return st;
}
