// recover.c -- see recover.h.
// SPDX-License-Identifier: MIT

#include "recover.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/mem.h"

static const kv_why why = {KV_FOR_RECOVERY, false};

// ---- list -------------------------------------------------------------------

typedef struct span_list {
    log_span *at;
    size_t count, cap;
} span_list;

static void add_span(span_list *list, log_span span)
{
    if (list->count == list->cap) {
        list->cap = list->cap * 2 + 16;
        list->at = kv_realloc(list->at, list->cap * sizeof *list->at);
    }
    list->at[list->count++] = span;
}

// Older positions first; of one position, the merge that covers most first.
static int compare_spans(const void *a, const void *b)
{
    const log_span *x = a, *y = b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    if (x->generation == y->generation) return 0;
    return x->generation > y->generation ? -1 : 1;
}

static kv_status list_files(log_recovery *r, span_list *spans)
{
    kv_names names = {0};
    kv_status st = kv_disk_list(r->finder->segments->disk, &names);
    for (size_t i = 0; i < names.count && st == KV_OK; i++) {
        log_span span;
        switch (log_name_parse(names.name[i], &span)) {
        case LOG_NAME_SEGMENT:
            add_span(spans, span);
            break;
        case LOG_NAME_UNFINISHED:
        case LOG_NAME_HINT_TMP:
            kv_names_add(&r->trash, names.name[i]);
            break;
        case LOG_NAME_HINT:
        case LOG_NAME_FOREIGN:
            break; // check tells of foreign ones
        }
    }
    kv_names_free(&names);
    if (spans->count > 0) {
        qsort(spans->at, spans->count, sizeof *spans->at, compare_spans);
    }
    return st;
}

static kv_status gap(uint32_t first, uint32_t limit)
{
    log_name name = log_name_of((log_span){first, first, 0}, false);
    if (first + 1 == limit) {
        return kv_fail(KV_CORRUPT,
                       "%s, or a merge that covers it, is missing; restore it "
                       "from a backup",
                       name.text);
    }
    return kv_fail(KV_CORRUPT,
                   "%s and what follows, up to position %" PRIu32
                   ", are missing; restore them from a backup",
                   name.text, limit - 1);
}

// Keeps the spans that count (F1), in order.
static kv_status keep_what_counts(log_recovery *r, span_list *spans)
{
    size_t kept = 0;
    for (size_t i = 0; i < spans->count; i++) {
        log_span span = spans->at[i];
        uint32_t newest = kept > 0 ? spans->at[kept - 1].last : 0;
        if (span.first > newest + 1) return gap(newest + 1, span.first);
        if (span.first == newest + 1) {
            spans->at[kept++] = span;
            continue;
        }
        // It begins inside the one before, which must have replaced it.
        log_span cover = spans->at[kept - 1];
        if (span.last > cover.last || span.generation >= cover.generation) {
            return kv_fail(KV_CORRUPT,
                           "%s and %s cover the same positions, and neither "
                           "replaced the other",
                           log_name_of(cover, false).text,
                           log_name_of(span, false).text);
        }
        kv_names_add(&r->trash, log_name_of(span, false).text);
    }
    spans->count = kept;
    return KV_OK;
}

// ---- open -------------------------------------------------------------------

static kv_status wrong_place(const char *file, const kv_recordlog_id *id)
{
    return kv_fail(KV_CORRUPT,
                   "%s: its header says log %" PRIu64 " of store %016" PRIx64
                   ": the file is in the wrong place",
                   file, id->number, id->store_id);
}

// Reads and verifies the header. A file torn at birth is for the replay.
static kv_status read_header(const log_finder *finder, log_segment *s)
{
    kv_recordlog_id id;
    log_name name = log_name_of(s->span, false);
    KV_TRY(kv_recordlog_read_id(s->log.file, why, &id));
    if (memcmp(id.kind, LOG_SEGMENT_KIND, 4) != 0 ||
        id.store_id != finder->segments->store_id ||
        id.number != log_number_of(s->span)) {
        return wrong_place(name.text, &id);
    }
    log_segment_set_id(s, &id);
    return KV_OK;
}

static kv_status open_all(const log_finder *finder, const span_list *spans)
{
    for (size_t i = 0; i < spans->count; i++) {
        log_segment *s;
        KV_TRY(log_segments_open(finder->segments, spans->at[i], why, &s));
        log_segments_insert(finder->segments, s);
    }
    return KV_OK;
}

// ---- replay -----------------------------------------------------------------

typedef struct replaying {
    const log_finder *finder;
    log_segment *segment;
    kv_buf text, bytes;
    kv_why why;
    bool counts;    // into the segments' counters
    uint64_t limit; // what is behind it is not yet written
    log_record record;
    uint64_t records;
} replaying;

static kv_status bad_entry(const log_segment *s, uint64_t offset)
{
    return kv_fail(KV_CORRUPT, "%s: no entry of ours at byte %" PRIu64,
                   log_name_of(s->span, false).text, offset);
}

// Points the index at the record, or, for a tombstone, at nothing; unless a
// hint has told of a newer record already. That is so where neighbours were
// merged after the hint was written, and their tombstones are read again.
static kv_status apply(replaying *p, const log_entry *entry, uint64_t offset,
                       uint64_t size)
{
    log_index *index = p->finder->index;
    uint64_t hash = log_hash(p->finder, entry->key);
    kv_status st = log_find(p->finder, entry->key, hash, p->why, &p->record);
    if (st != KV_OK && st != KV_NOT_FOUND) return st;
    bool was_there = st == KV_OK;
    bool is_older =
        was_there && p->segment->span.last < p->record.segment->span.first;
    if (was_there && !is_older && p->counts) {
        log_segment_count_dead(p->record.segment, p->record.view.record_bytes);
    }
    log_record_end(&p->record);
    if (is_older) return KV_OK;
    if (entry->kind == LOG_TOMBSTONE) {
        if (was_there) log_index_remove(index, hash, p->record.place);
        return KV_OK;
    }
    log_place place = log_segment_place(p->segment, offset, size);
    if (was_there) log_index_move(index, hash, p->record.place, place);
    else log_index_add(index, hash, place);
    if (p->counts) log_segment_count_live(p->segment, size);
    return KV_OK;
}

static kv_status replay_record(void *arg, uint64_t offset,
                               const kv_record *record)
{
    replaying *p = arg;
    log_entry entry;
    log_segment *s = p->segment;
    if (offset >= p->limit) return KV_OK;
    p->records++;
    if (!log_entry_decode(record->payload, s->log.id.framing, &p->text,
                          &entry)) {
        return bad_entry(s, offset);
    }
    if (entry.kind == LOG_MERGED) {
        bool is_first = offset == s->header_bytes;
        if (!is_first || entry.last != s->span.last) {
            return bad_entry(s, offset);
        }
        s->horizon = entry.horizon;
        return KV_OK;
    }
    if (p->counts) log_segment_count_entry(s, entry.kind, record->size);
    if (p->finder->index == NULL) return KV_OK;
    return apply(p, &entry, offset, record->size);
}

static kv_status replay(const log_finder *finder, log_segment *s, kv_why reason,
                        bool counts, kv_recovery *found, uint64_t *records)
{
    replaying p = {
        .finder = finder, .segment = s, .why = reason, .counts = counts};
    p.record.view.bytes = &p.bytes;
    p.limit = atomic_load_explicit(&s->size, memory_order_acquire);
    kv_recordlog_id expect = s->log.id;
    kv_status st = kv_recordlog_recover(s->log.file, &expect, replay_record, &p,
                                        reason, found);
    kv_buf_free(&p.text);
    kv_buf_free(&p.bytes);
    kv_buf_free(&p.record.view.text);
    *records += p.records;
    return st;
}

// What recovery found of a segment that is not the newest must be complete.
static kv_status require_complete(const log_segment *s,
                                  const kv_recovery *found)
{
    if (found->sealed && found->good_size == found->file_size) return KV_OK;
    return kv_fail(KV_CORRUPT,
                   "%s: damage at byte %" PRIu64
                   ": it was complete when its successor was made, or the "
                   "store closed; restore it from a backup",
                   log_name_of(s->span, false).text, found->good_size);
}

static kv_status replay_segment(log_recovery *r, log_segment *s, bool is_newest)
{
    kv_recovery found;
    KV_TRY(replay(r->finder, s, why, true, &found, &r->records));
    r->read_bytes += found.file_size;
    if (!is_newest || s->span.generation > 0 || r->is_newest_durable) {
        KV_TRY(require_complete(s, &found)); // F2, F3; or a clean close
    }
    atomic_store(&s->size, found.good_size);
    atomic_store(&s->is_sealed, found.sealed);
    // Even a closing record proves nothing if its sync may have failed: only a
    // hint file, written after that, or a rename says that it did not.
    if (is_newest && s->span.generation == 0 && !r->is_newest_durable) {
        r->unsealed = s;
        atomic_store(&s->is_sealed, false);
    }
    r->torn_bytes += found.torn_bytes;
    return KV_OK;
}

// A header that repeats another size than its predecessor has (R4).
static kv_status check_predecessor(const log_segment *before,
                                   const log_segment *s)
{
    if (before == NULL || before->span.generation > 0 ||
        s->span.generation > 0 ||
        s->log.id.previous_size == log_counter(&before->size)) {
        return KV_OK;
    }
    return kv_fail(KV_CORRUPT,
                   "%s: has %" PRIu64 " bytes; its successor says that it had "
                   "%" PRIu64,
                   log_name_of(before->span, false).text,
                   log_counter(&before->size), s->log.id.previous_size);
}

// ---- hint -------------------------------------------------------------------

// A segment that a clean close left and that nothing replaced must be there,
// and as long as it was: no other rule could tell a log that was cut behind its
// last mark from one that never went further. Both lists are in order.
static kv_status check_none_missing(const log_hint *hint, log_segments *ss)
{
    size_t at = 0;
    uint32_t newest = log_segments_newest(ss);
    for (uint32_t i = 0; i < hint->header.segment_count; i++) {
        const log_facts *facts = &hint->segments[i];
        log_span span = facts->span;
        if (span.last > newest) {
            return kv_fail(KV_CORRUPT,
                           "%s is missing; the last clean close left it",
                           log_name_of(span, false).text);
        }
        while (at < ss->count && ss->list[at]->span.first < span.first) at++;
        if (at == ss->count) continue;
        log_span found = ss->list[at]->span;
        uint64_t size = log_counter(&ss->list[at]->size);
        if (found.last != span.last || found.generation != span.generation ||
            size >= facts->size) {
            continue;
        }
        return kv_fail(KV_CORRUPT,
                       "%s: has %" PRIu64 " bytes; the last clean close left "
                       "it with %" PRIu64 "; restore it from a backup",
                       log_name_of(span, false).text, size, facts->size);
    }
    return KV_OK;
}

// trusted[i] becomes the segment that the hint's line i describes.
static void trust(log_recovery *r, const log_hint *hint, log_segment **trusted)
{
    log_segments *ss = r->finder->segments;
    for (size_t i = 0; i < ss->count; i++) {
        log_segment *s = ss->list[i];
        const log_facts *facts =
            log_hint_find(hint, s->span, log_counter(&s->size));
        if (facts == NULL) continue;
        trusted[facts - hint->segments] = s;
        log_segment_set_facts(s, facts);
        atomic_store(&s->is_sealed, true);
    }
}

static void distrust(log_recovery *r, log_segment **trusted, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (trusted[i] == NULL) continue;
        log_facts nothing = {.size = log_counter(&trusted[i]->size)};
        log_segment_set_facts(trusted[i], &nothing);
        atomic_store(&trusted[i]->is_sealed, false);
    }
    log_index_free(r->finder->index);
}

static kv_status use_hint(log_recovery *r, log_hint *hint)
{
    uint32_t count = hint->header.segment_count;
    KV_TRY(check_none_missing(hint, r->finder->segments));
    const log_segments *ss = r->finder->segments;
    const log_segment *newest = ss->count > 0 ? ss->list[ss->count - 1] : NULL;
    r->is_newest_durable =
        newest != NULL &&
        log_hint_find(hint, newest->span, log_counter(&newest->size)) != NULL;
    if (!r->uses_hints || hint->header.block_count == 0) {
        r->hint_says = "its entries are not wanted, or it has none";
        return KV_OK;
    }
    bool is_good = false;
    log_segment **trusted = kv_zalloc((count + 1) * sizeof(log_segment *));
    trust(r, hint, trusted);
    kv_status st = log_hint_restore(hint, trusted, r->finder->index, &is_good);
    if (st == KV_OK && is_good) {
        r->read_bytes += hint->size;
        for (uint32_t i = 0; i < count; i++) r->trusted += trusted[i] != NULL;
    } else if (st == KV_OK) {
        distrust(r, trusted, count);
        r->hint_says = "a block of it is damaged";
    }
    kv_free(trusted);
    return st;
}

static kv_status open_hint(log_recovery *r)
{
    log_hint hint = {0};
    log_segments *ss = r->finder->segments;
    kv_status st = log_hint_open(ss->disk, ss->store_id, &hint);
    r->hint_says = hint.doubt;
    if (st == KV_OK && hint.file != NULL) st = use_hint(r, &hint);
    log_hint_close(&hint);
    return st;
}

// ---- all of it --------------------------------------------------------------

// The newest file may have been torn at birth: then nothing was in it.
static kv_status set_aside_stillborn(log_recovery *r)
{
    log_segments *ss = r->finder->segments;
    if (ss->count == 0) return KV_OK;
    log_segment *s = ss->list[ss->count - 1];
    if (s->span.generation > 0) return KV_OK;
    kv_recovery found;
    kv_recordlog_id id;
    if (kv_recordlog_read_id(s->log.file, why, &id) != KV_CORRUPT) {
        return KV_OK; // read_header, which comes next, tells of any failure
    }
    kv_recordlog_id expect = {.kind = LOG_SEGMENT_KIND,
                              .store_id = ss->store_id,
                              .number = log_number_of(s->span)};
    KV_TRY(kv_recordlog_recover(s->log.file, &expect, NULL, NULL, why, &found));
    if (found.good_size > 0) return KV_OK;
    kv_names_add(&r->trash, log_name_of(s->span, false).text);
    ss->count--;
    log_segments_drop(ss, s);
    return KV_OK;
}

static kv_status read_headers(log_recovery *r)
{
    log_segments *ss = r->finder->segments;
    for (size_t i = 0; i < ss->count; i++) {
        log_segment *s = ss->list[i];
        KV_TRY(read_header(r->finder, s));
        if (i == 0) ss->framing = s->log.id.framing;
        if (s->log.id.framing != ss->framing) {
            return kv_fail(KV_CORRUPT,
                           "%s: is in another framing than the files before",
                           log_name_of(s->span, false).text);
        }
    }
    return KV_OK;
}

static kv_status replay_untrusted(log_recovery *r)
{
    log_segments *ss = r->finder->segments;
    for (size_t i = 0; i < ss->count; i++) {
        log_segment *s = ss->list[i];
        if (!atomic_load(&s->is_sealed)) {
            KV_TRY(replay_segment(r, s, i + 1 == ss->count));
        }
        KV_TRY(check_predecessor(i > 0 ? ss->list[i - 1] : NULL, s));
    }
    return KV_OK;
}

kv_status log_recover(log_recovery *r)
{
    span_list spans = {0};
    kv_status st = list_files(r, &spans);
    if (st == KV_OK) st = keep_what_counts(r, &spans);
    if (st == KV_OK) st = open_all(r->finder, &spans);
    kv_free(spans.at);
    if (st == KV_OK) st = set_aside_stillborn(r);
    if (st == KV_OK) st = read_headers(r);
    if (st == KV_OK) st = open_hint(r);
    if (st == KV_OK) st = replay_untrusted(r);
    return st;
}

kv_status log_recovery_tidy(log_recovery *r)
{
    kv_disk *disk = r->finder->segments->disk;
    for (size_t i = 0; i < r->trash.count; i++) {
        kv_status st = kv_disk_remove(disk, r->trash.name[i], why);
        if (st != KV_OK && st != KV_NOT_FOUND) return st;
    }
    return r->trash.count > 0 ? kv_disk_sync_dir(disk, why) : KV_OK;
}

void log_recovery_free(log_recovery *r) { kv_names_free(&r->trash); }

kv_status log_rebuild_index(const log_finder *finder, kv_why reason)
{
    log_segment_list list = log_segments_pin_all(finder->segments);
    kv_status st = KV_OK;
    uint64_t records = 0;
    for (size_t i = 0; i < list.count && st == KV_OK; i++) {
        kv_recovery found;
        st = replay(finder, list.at[i], reason, false, &found, &records);
    }
    log_segment_list_free(&list);
    return st;
}
