// recovery.c -- from the files of a directory to a store that is open.
// SPDX-License-Identifier: MIT
//
//   1  the catalog says which segments count, and from which log on
//   2  open the segments
//   3  replay the logs, oldest first, into one memtable
//   4  unless read-only: flush that memtable to a segment, make a new log,
//      switch the catalog to both, and remove what it no longer names
//
// What was recovered is thereby in new, synced files before anything old goes
// or anything new is promised: bytes that merely read back well (from a cache
// whose sync once failed) are not relied upon. A crash at any point leaves the
// old catalog or the new one, and both are complete.

#include <inttypes.h>
#include <stdio.h>

#include "common/identity.h"
#include "common/mem.h"

#include "builder.h"

// What a recovered entry is numbered: above any snapshot, as none is open.
enum { RECOVERED_SEQ = 1 };
#include "store.h"

// ---- names ------------------------------------------------------------------

// The number of "000007.sst" with the right ending, or 0.
static uint64_t number_of(const char *name, const char *ending)
{
    uint64_t number = 0;
    size_t digits = strspn(name, "0123456789");
    if (digits < 6 || digits > 19 || strcmp(name + digits, ending) != 0) {
        return 0;
    }
    for (size_t i = 0; i < digits; i++) {
        number = number * 10 + (uint64_t)(name[i] - '0');
    }
    return number;
}

static uint64_t any_number_of(const char *name)
{
    uint64_t segment = number_of(name, ".sst"), log = number_of(name, ".log");
    uint64_t temporary = number_of(name, ".sst.tmp");
    return segment + log + temporary; // at most one is not 0
}

// ---- logs -------------------------------------------------------------------

typedef struct replay {
    sst_store *store;
    sst_memtable *memtable;
    const sst_codec *codec;
    const char *file;
    uint64_t vouched_log; // the catalog says that it was made whole
    sst_closed closed;    // what else it says
    kv_buf room;
} replay;

static kv_status replay_record(void *arg, uint64_t offset,
                               const kv_record *record)
{
    replay *r = arg;
    kv_buf line = {0};
    sst_entry entry;
    kv_slice payload = record->payload;
    kv_buf_clear(&r->room);
    if (r->codec == &sst_codec_text) { // the codec reads whole lines
        kv_buf_append(&line, payload);
        kv_buf_append(&line, kv_str("\n"));
        payload = kv_buf_slice(&line);
        kv_buf_reserve(&r->room, payload.len);
    }
    bool is_good =
        r->codec->get_entry(payload, &r->room, &entry) == payload.len;
    if (is_good) sst_memtable_put(r->memtable, &entry, RECOVERED_SEQ, 0);
    kv_buf_free(&line);
    if (is_good) return KV_OK;
    return kv_fail(KV_CORRUPT,
                   "%s: the record at offset %" PRIu64
                   " has a good checksum but is no entry",
                   r->file, offset);
}

// What one log says of itself.
typedef struct log_facts {
    uint64_t number;
    uint64_t previous_size; // of the log before it; 0 if it says nothing
    uint64_t size;          // up to where it is good
} log_facts;

static kv_status open_log(sst_store *s, uint64_t number, kv_file **out)
{
    sst_name name = sst_log_name(number);
    kv_status st = kv_file_open(s->config.disk, name.text,
                                (kv_open_how){.mode = KV_OPEN_READ},
                                kv_for(KV_FOR_RECOVERY), out);
    if (st != KV_NOT_FOUND) return st;
    return kv_fail(KV_CORRUPT,
                   "%s: the catalog needs this log, and the file is not "
                   "there; restore it from a backup",
                   name.text);
}

static kv_recordlog_id log_id(const sst_store *s, uint64_t number)
{
    return (kv_recordlog_id){
        .kind = "WAL ", .store_id = s->config.store_id, .number = number};
}

// Shows the log's records to the memtable. One that was torn at birth holds
// nothing: fine, except where the catalog vouches for the log.
static kv_status replay_file(replay *r, kv_file *file, log_facts *log)
{
    sst_store *s = r->store;
    kv_why why = kv_for(KV_FOR_RECOVERY);
    kv_recordlog_id id = {0}, expect = log_id(s, log->number);
    kv_recovery found = {0};
    kv_status st = kv_recordlog_read_id(file, why, &id);
    if (st == KV_CORRUPT && log->number != r->vouched_log) {
        return kv_recordlog_recover(file, &expect, NULL, NULL, why, &found);
    }
    KV_TRY(st);
    r->codec =
        id.framing == KV_FRAMING_TEXT ? &sst_codec_text : &sst_codec_binary;
    KV_TRY(kv_recordlog_recover(file, &expect, replay_record, r, why, &found));
    log->previous_size = found.id.previous_size;
    log->size = found.good_size;
    return KV_OK;
}

static kv_status replay_log(replay *r, log_facts *log)
{
    sst_name name = sst_log_name(log->number);
    kv_file *file = NULL;
    r->file = name.text;
    KV_TRY(open_log(r->store, log->number, &file));
    kv_status st = replay_file(r, file, log);
    kv_file_close(file);
    return st;
}

static kv_status end_is_missing(const log_facts *log, uint64_t size,
                                const char *when)
{
    return kv_fail(KV_CORRUPT,
                   "%s: is good up to byte %" PRIu64 ", and was %" PRIu64
                   " bytes long when %s: its end is missing; restore it from "
                   "a backup",
                   sst_log_name(log->number).text, log->size, size, when);
}

static kv_status replay_logs(replay *r, const uint64_t *numbers, size_t count)
{
    log_facts before = {0};
    for (size_t i = 0; i < count; i++) {
        log_facts log = {.number = numbers[i]};
        KV_TRY(replay_log(r, &log));
        if (before.number != 0 && log.previous_size != 0 &&
            log.previous_size != before.size) {
            return end_is_missing(&before, log.previous_size,
                                  "its successor was begun");
        }
        if (log.number == r->closed.log && log.size < r->closed.bytes) { // T4
            return end_is_missing(&log, r->closed.bytes,
                                  "the store was closed");
        }
        // One that was torn at birth, on a full disk for one, was nobody's
        // predecessor: the next was begun behind the log before it.
        if (log.size > 0) before = log;
    }
    return KV_OK;
}

// ---- what is there ----------------------------------------------------------

typedef struct inventory {
    kv_names names;
    sst_catalog catalog;
    bool has_catalog;
    uint64_t *logs; // that the catalog needs, ascending
    size_t log_count;
    uint64_t highest; // number of any file
} inventory;

static void free_inventory(inventory *found)
{
    kv_names_free(&found->names);
    sst_catalog_free(&found->catalog);
    kv_free(found->logs);
}

// Insertion keeps them ascending: there are two or three.
static void add_log(inventory *found, uint64_t number)
{
    size_t i = found->log_count++;
    for (; i > 0 && found->logs[i - 1] > number; i--) {
        found->logs[i] = found->logs[i - 1];
    }
    found->logs[i] = number;
}

static kv_status take_inventory(sst_store *s, inventory *found)
{
    KV_TRY(kv_disk_list(s->config.disk, &found->names));
    kv_status st =
        sst_catalog_read(s->config.disk, s->config.store_id, &found->catalog);
    found->has_catalog = st == KV_OK;
    if (st != KV_OK && st != KV_NOT_FOUND) return st;
    found->logs = kv_alloc((found->names.count + 1) * sizeof(uint64_t));
    for (size_t i = 0; i < found->names.count; i++) {
        const char *name = found->names.name[i];
        uint64_t number = any_number_of(name), log = number_of(name, ".log");
        if (number > found->highest) found->highest = number;
        if (log != 0 && log >= found->catalog.log) add_log(found, log);
    }
    uint64_t next = found->catalog.next;
    if (found->highest + 1 > next) next = found->highest + 1;
    atomic_store(&s->next_number, next);
    return KV_OK;
}

// A store has a catalog before its first entry is logged: without one there is
// at most a first log without a record, from a crash while it was made.
static kv_status require_unused(sst_store *s, const inventory *found)
{
    replay r = {.store = s, .memtable = sst_memtable_new(0)};
    const char *used = NULL;
    kv_status st = KV_OK;
    for (size_t i = 0; i < found->names.count && st == KV_OK; i++) {
        const char *name = found->names.name[i];
        log_facts log = {.number = number_of(name, ".log")};
        if (log.number != 0) st = replay_log(&r, &log);
        if (number_of(name, ".sst") != 0 ||
            sst_memtable_count(r.memtable) > 0) {
            used = name;
        }
    }
    sst_memtable_unref(r.memtable);
    kv_buf_free(&r.room);
    KV_TRY(st);
    if (used == NULL) return KV_OK;
    return kv_fail(KV_CORRUPT,
                   "%s: is there, and the file %s that should name it is not; "
                   "restore that from a backup",
                   used, sst_catalog_name);
}

static kv_status open_segments(sst_store *s, const sst_catalog *catalog,
                               sst_segment **segments, size_t *count)
{
    for (size_t i = 0; i < catalog->count; i++) {
        const sst_catalog_segment *named = &catalog->segments[i];
        sst_segment_id id = {s->config.store_id, named->number};
        KV_TRY(sst_segment_open(s->config.disk, &id, s->config.use_map,
                                kv_for(KV_FOR_RECOVERY), &segments[i]));
        *count = i + 1;
        segments[i]->is_merged = named->is_merged;
        if (segments[i]->file_bytes != named->bytes) {
            return kv_fail(KV_CORRUPT,
                           "%s: has %" PRIu64 " bytes, and the catalog says "
                           "%" PRIu64 "; restore it from a backup",
                           sst_segment_name(named->number).text,
                           segments[i]->file_bytes, named->bytes);
        }
    }
    return KV_OK;
}

static kv_status require_log(sst_store *s, const inventory *found,
                             uint64_t number)
{
    kv_file *file = NULL;
    for (size_t i = 0; i < found->log_count; i++) {
        if (found->logs[i] == number) return KV_OK;
    }
    return open_log(s, number, &file); // says that it is not there
}

static kv_status replay_all(sst_store *s, const inventory *found,
                            sst_memtable *m)
{
    uint64_t first = found->catalog.log;
    replay r = {.store = s,
                .memtable = m,
                .vouched_log = first,
                .closed = found->catalog.closed};
    KV_TRY(require_log(s, found, first));
    if (r.closed.log != 0) KV_TRY(require_log(s, found, r.closed.log));
    kv_status st = replay_logs(&r, found->logs, found->log_count);
    kv_buf_free(&r.room);
    return st;
}

// ---- making it good ---------------------------------------------------------

kv_status sst_store_shelve(sst_store *s, sst_memtable *m, kv_disk *disk,
                           sst_segment **out)
{
    sst_segment_id id = {s->config.store_id, sst_store_new_number(s)};
    kv_why why = kv_for(KV_FOR_FLUSH);
    kv_slice all = {0};
    sst_builder b = {0};
    sst_source *source = sst_memtable_scan(m, all, all, false, SST_SEQ_MAX);
    kv_status st =
        sst_builder_open(&b, disk, &id, s->codec, s->config.index_bytes, why);
    if (st == KV_OK) st = source->next(source);
    while (st == KV_OK && source->has_entry) {
        st = sst_builder_add(&b, &source->entry);
        if (st == KV_OK) st = source->next(source);
    }
    if (st == KV_OK) st = sst_builder_finish(&b);
    sst_builder_close(&b);
    source->free(source);
    KV_TRY(st);
    return sst_segment_open(disk, &id, s->config.use_map, why, out);
}

static void begin(sst_store *s, sst_memtable *active,
                  sst_segment *const *segments, size_t count)
{
    sst_store_set_view(s, sst_view_new(active, NULL, segments, count));
    s->active = active;
    s->seq = RECOVERED_SEQ;
    atomic_store(&s->visible_seq, s->seq);
}

// A new log, and a catalog that names it instead of those that were replayed.
static kv_status start_afresh(sst_store *s, sst_segment *const *segments,
                              size_t count)
{
    uint64_t number = sst_store_new_number(s);
    // This also makes the name of a segment just written durable (T1).
    KV_TRY(sst_log_create(&s->config, s->config.disk, number, 0, &s->log));
    sst_memtable *active = sst_memtable_new(number);
    begin(s, active, segments, count);
    sst_memtable_unref(active);
    return sst_store_write_catalog(&s->config, s->config.disk, s->view,
                                   atomic_load(&s->next_number), number,
                                   kv_for(KV_FOR_META));
}

// The format is the catalog's, or that of the knob where there is none yet.
static kv_status choose_format(sst_store *s, const inventory *found)
{
    static const char *const words[] = {"binary", "text"};
    bool is_text = s->config.is_text;
    if (found->has_catalog) is_text = found->catalog.is_text;
    if (s->config.insists_on_format && is_text != s->config.is_text) {
        return kv_fail(KV_INVALID,
                       "format=%s: the store is in format=%s, and keeps it; "
                       "leave format out, or begin a new store",
                       words[s->config.is_text], words[is_text]);
    }
    s->config.is_text = is_text;
    s->codec = is_text ? &sst_codec_text : &sst_codec_binary;
    return KV_OK;
}

static kv_status recover_with(sst_store *s, inventory *found, sst_memtable *m,
                              sst_segment **segments, size_t *count)
{
    KV_TRY(choose_format(s, found));
    if (!found->has_catalog) KV_TRY(require_unused(s, found));
    KV_TRY(open_segments(s, &found->catalog, segments + 1, count));
    if (found->has_catalog) KV_TRY(replay_all(s, found, m));
    return KV_OK;
}

// On a full disk the store opens all the same, and can be read. What the logs
// hold stays in them until the first write for which there is room flushes it.
static kv_status begin_full(sst_store *s, sst_memtable *m,
                            sst_segment *const *segments, size_t count)
{
    kv_status closed = kv_recordlog_close(&s->log);
    begin(s, m, segments, count);
    s->must_flush = true;
    return closed;
}

static kv_status make_good(sst_store *s, sst_memtable *m,
                           sst_segment **segments, size_t count)
{
    bool has_entries = sst_memtable_count(m) > 0;
    if (has_entries) {
        KV_TRY(sst_store_shelve(s, m, s->config.disk, &segments[0]));
    }
    KV_TRY(has_entries ? start_afresh(s, segments, count + 1)
                       : start_afresh(s, segments + 1, count));
    return sst_store_orphans(s, true, NULL);
}

kv_status sst_store_recover(sst_store *s)
{
    inventory found = {0};
    size_t count = 0;
    kv_status st = take_inventory(s, &found);
    // One place in front, for what the logs hold.
    sst_segment **segments =
        kv_zalloc((found.catalog.count + 1) * sizeof(sst_segment *));
    sst_memtable *m = sst_memtable_new(found.catalog.log);
    if (st == KV_OK) st = recover_with(s, &found, m, segments, &count);
    if (st == KV_OK && s->config.read_only) {
        begin(s, m, segments + 1, count);
    } else if (st == KV_OK) {
        st = make_good(s, m, segments, count);
        if (st == KV_NO_SPACE && found.has_catalog) {
            st = begin_full(s, m, segments + 1, count);
        }
    }
    for (size_t i = 0; i <= found.catalog.count; i++) {
        sst_segment_unref(segments[i]);
    }
    kv_free(segments);
    sst_memtable_unref(m);
    free_inventory(&found);
    return st;
}

// ---- orphans ----------------------------------------------------------------

static bool is_named(const sst_store *s, const char *name)
{
    if (kv_identity_owns(name) || strcmp(name, sst_catalog_name) == 0) {
        return true;
    }
    uint64_t segment = number_of(name, ".sst"), log = number_of(name, ".log");
    const sst_view *view = s->view;
    for (size_t i = 0; i < view->count; i++) {
        if (segment != 0 && view->segments[i]->id.number == segment) {
            return true;
        }
    }
    if (log == 0) return false;
    return log == sst_memtable_number(view->active) ||
           (view->frozen && log == sst_memtable_number(view->frozen));
}

// Ours by its name alone (only a builder or a catalog makes such), or by the
// mark in its header.
static kv_status is_ours(sst_store *s, const char *name, bool *answer)
{
    *answer = number_of(name, ".sst.tmp") != 0 ||
              strcmp(name, sst_catalog_temporary) == 0;
    bool is_log = number_of(name, ".log") != 0;
    if (*answer || (!is_log && number_of(name, ".sst") == 0)) return KV_OK;
    kv_file *file = NULL;
    kv_why why = kv_for(KV_FOR_RECOVERY);
    KV_TRY(kv_file_open(s->config.disk, name,
                        (kv_open_how){.mode = KV_OPEN_READ}, why, &file));
    kv_status st = KV_OK;
    if (is_log) {
        kv_recovery found = {0};
        kv_recordlog_id expect = log_id(s, number_of(name, ".log"));
        st = kv_recordlog_recover(file, &expect, NULL, NULL, why, &found);
        *answer = st == KV_OK;
        if (st == KV_CORRUPT) st = KV_OK; // not ours to judge
    } else {
        uint8_t bytes[SST_HEADER_MAX];
        size_t got = 0;
        sst_segment_id id;
        st = kv_file_read(file, 0, bytes, sizeof bytes, &got, why);
        kv_slice header = kv_slice_of(bytes, got);
        const sst_codec *codec = sst_codec_of(header);
        *answer = st == KV_OK && codec != NULL &&
                  codec->get_header(header, &id) > 0 &&
                  id.store_id == s->config.store_id;
    }
    kv_file_close(file);
    return st;
}

kv_status sst_store_orphans(sst_store *s, bool remove, uint64_t *strangers)
{
    kv_names names = {0};
    KV_TRY(kv_disk_list(s->config.disk, &names));
    kv_status st = KV_OK;
    for (size_t i = 0; i < names.count && st == KV_OK; i++) {
        if (is_named(s, names.name[i])) continue;
        bool is_dead = false;
        st = is_ours(s, names.name[i], &is_dead);
        if (st == KV_OK && !is_dead && strangers != NULL) ++*strangers;
        if (st == KV_OK && is_dead && remove) {
            st = kv_disk_remove(s->config.disk, names.name[i],
                                kv_for(KV_FOR_RECOVERY));
        }
    }
    kv_names_free(&names);
    return st;
}
