// store.c -- reading and writing; see store.h.
// SPDX-License-Identifier: MIT

#include "store.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/mem.h"

static kv_status write_group(void *arg, const kv_commit_entry *entries,
                             size_t count);

sst_name sst_log_name(uint64_t number)
{
    sst_name name;
    snprintf(name.text, sizeof name.text, "%06" PRIu64 ".log", number);
    return name;
}

uint64_t sst_store_new_number(sst_store *s)
{
    return atomic_fetch_add(&s->next_number, 1);
}

// ---- views ------------------------------------------------------------------

sst_view *sst_store_view(sst_store *s)
{
    kv_latch_read(&s->view_latch);
    sst_view *view = sst_view_ref(s->view);
    kv_latch_read_end(&s->view_latch);
    return view;
}

void sst_store_set_view(sst_store *s, sst_view *view)
{
    kv_latch_write(&s->view_latch);
    sst_view *old = s->view;
    s->view = view;
    kv_latch_write_end(&s->view_latch);
    sst_view_unref(old);
}

// ---- open and close ---------------------------------------------------------

kv_status sst_store_open(sst_store *s, const sst_config *config,
                         const kv_explainer *explain)
{
    s->config = *config;
    s->explain = explain;
    kv_mutex_init(&s->work);
    s->has_work_lock = true;
    kv_commit_open(&s->line, write_group, s);
    return sst_store_recover(s);
}

// A closing record vouches for all before it (recordlog.h, R5): a log whose
// sync failed must not get one. The catalog vouches for that record (T4), but
// an empty log has nothing to lose.
static kv_status seal_log(sst_store *s)
{
    if (s->log.file == NULL || s->log_in_doubt) return KV_OK;
    KV_TRY(kv_recordlog_seal(&s->log, kv_for(KV_FOR_WAL)));
    if (sst_memtable_count(s->active) == 0) return KV_OK;
    return sst_store_write_last_catalog(s);
}

kv_status sst_store_close(sst_store *s)
{
    sst_store_drop_jobs(s);
    kv_status st = s->config.read_only ? KV_OK : seal_log(s);
    kv_status closed = kv_recordlog_close(&s->log);
    sst_view_unref(s->view);
    s->view = NULL;
    kv_buf_free(&s->payload);
    kv_commit_close(&s->line);
    if (s->has_work_lock) kv_mutex_free(&s->work);
    s->has_work_lock = false;
    return st != KV_OK ? st : closed;
}

// ---- get --------------------------------------------------------------------

// What a memtable says: KV_OK and the value, KV_NOT_FOUND because of a
// tombstone (*is_known), or KV_NOT_FOUND because it does not hold the key.
static kv_status get_from_memtable(sst_store *s, sst_memtable *m,
                                   const char *which, kv_slice key,
                                   kv_buf *value, bool *is_known)
{
    kv_latch *latch = sst_memtable_latch(m);
    kv_latch_read(latch);
    const sst_version *v = sst_memtable_find(m, key, SST_SEQ_MAX);
    *is_known = v != NULL;
    bool is_found = v != NULL && !v->is_tombstone;
    if (is_found) kv_buf_set(value, kv_slice_of(v->value, v->value_len));
    kv_latch_read_end(latch);
    EXPLAIN(s->explain, "%s memtable: %s", which,
            is_found    ? "found; no disk read"
            : *is_known ? "a tombstone: the key is gone"
                        : "does not have the key");
    return is_found ? KV_OK : KV_NOT_FOUND;
}

static kv_status get_from_segments(sst_store *s, const sst_view *view,
                                   kv_slice key, kv_buf *value)
{
    for (size_t i = 0; i < view->count; i++) {
        sst_segment *segment = view->segments[i];
        if (!sst_segment_may_hold(segment, key)) {
            EXPLAIN(s->explain,
                    "segment %" PRIu64 ": outside its key range: skipped",
                    segment->id.number);
            continue;
        }
        bool is_tombstone = false;
        kv_status st =
            sst_segment_get(segment, key, s->explain, value, &is_tombstone);
        if (st == KV_NOT_FOUND) continue;
        return st == KV_OK && is_tombstone ? KV_NOT_FOUND : st;
    }
    return KV_NOT_FOUND;
}

kv_status sst_store_get(sst_store *s, kv_slice key, kv_buf *value)
{
    sst_view *view = sst_store_view(s);
    bool is_known = false;
    kv_status st =
        get_from_memtable(s, view->active, "active", key, value, &is_known);
    if (!is_known && view->frozen != NULL) {
        st =
            get_from_memtable(s, view->frozen, "frozen", key, value, &is_known);
    }
    if (!is_known) st = get_from_segments(s, view, key, value);
    sst_view_unref(view);
    return st;
}

// ---- the log ----------------------------------------------------------------

kv_status sst_log_create(const sst_config *config, kv_disk *disk,
                         uint64_t number, uint64_t previous_size,
                         kv_recordlog *out)
{
    kv_why why = kv_for(KV_FOR_WAL);
    kv_recordlog_id id = {.kind = "WAL ",
                          .store_id = config->store_id,
                          .number = number,
                          .previous_size = previous_size,
                          .framing = config->is_text ? KV_FRAMING_TEXT
                                                     : KV_FRAMING_BINARY};
    kv_recordlog log = {0};
    KV_TRY(kv_recordlog_create(&log, disk, sst_log_name(number).text, &id, 0,
                               why));
    kv_status st = kv_disk_sync_dir(disk, why);
    if (st != KV_OK) {
        kv_recordlog_close(&log);
        return st;
    }
    *out = log;
    return KV_OK;
}

// Remembers that a call on the log failed in a way that leaves it in doubt.
static kv_status doubt(sst_store *s, kv_status st)
{
    if (st == KV_IO) s->log_in_doubt = true;
    return st;
}

// Who stood in line when a sync failed: the next one may be good, and then says
// nothing of what the failed one lost.
static kv_status expect_sure(const sst_store *s)
{
    if (!s->log_in_doubt) return KV_OK;
    return kv_fail(KV_READ_ONLY,
                   "a sync has failed: reopen the store to write");
}

kv_status sst_store_freeze(sst_store *s)
{
    kv_why why = kv_for(KV_FOR_WAL);
    KV_TRY(expect_sure(s));
    if (s->log.file != NULL) {
        KV_TRY(doubt(s, kv_recordlog_seal(&s->log, why)));
        kv_file *sealed = s->log.file; // gone even if closing it fails
        s->log.file = NULL;
        KV_TRY(kv_file_close(sealed));
    }
    // Where there is no room for a new log, the next writer tries again.
    uint64_t previous_size = s->log.size;
    kv_buf_free(&s->log.pending);
    KV_TRY(sst_log_create(&s->config, s->config.disk, sst_store_new_number(s),
                          previous_size, &s->log));
    sst_view *old = sst_store_view(s);
    sst_memtable *active = sst_memtable_new(s->log.id.number);
    sst_store_set_view(
        s, sst_view_new(active, old->active, old->segments, old->count));
    s->active = active; // the view's reference keeps it
    sst_memtable_unref(active);
    sst_view_unref(old);
    return KV_OK;
}

static kv_status make_room_locked(sst_store *s)
{
    KV_TRY(sst_store_flush_locked(s)); // W3
    KV_TRY(sst_store_freeze(s));
    if (s->must_flush) KV_TRY(sst_store_flush_locked(s));
    s->must_flush = false;
    bool did_work = s->config.steps_inline;
    while (did_work) KV_TRY(sst_store_step_locked(s, &did_work));
    return KV_OK;
}

// Sees to an active memtable that is not full and a log that is open.
static kv_status make_room(sst_store *s)
{
    bool is_full = sst_memtable_bytes(s->active) >= s->config.memtable_bytes;
    if (!is_full && s->log.file != NULL && !s->must_flush) return KV_OK;
    kv_mutex_lock(&s->work);
    kv_status st = make_room_locked(s);
    kv_mutex_unlock(&s->work);
    return st;
}

// ---- write ------------------------------------------------------------------

// One caller's changes become one group of records: whole, or not at all.
static void log_entry(sst_store *s, const kv_commit_entry *entry)
{
    for (size_t i = 0; i < entry->count; i++) {
        const kv_change *change = &entry->changes[i];
        sst_entry e = {.key = change->key,
                       .value = change->value,
                       .is_tombstone = change->kind == KV_DEL};
        kv_buf_clear(&s->payload);
        s->codec->put_entry(&s->payload, &e);
        if (s->config.is_text) s->payload.len--; // the line feed is the log's
        kv_recordlog_add(&s->log, kv_buf_slice(&s->payload),
                         i + 1 < entry->count);
    }
}

static void apply(sst_store *s, const kv_commit_entry *entries, size_t count)
{
    sst_memtable *m = s->active;
    uint64_t seq = ++s->seq;
    kv_latch_write(sst_memtable_latch(m));
    uint64_t snapshot = atomic_load(&s->newest_snapshot);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < entries[i].count; j++) {
            const kv_change *change = &entries[i].changes[j];
            sst_entry e = {.key = change->key,
                           .value = change->value,
                           .is_tombstone = change->kind == KV_DEL};
            sst_memtable_put(m, &e, seq, snapshot);
        }
    }
    atomic_store(&s->visible_seq, seq);
    kv_latch_write_end(sst_memtable_latch(m));
}

// Text at its longest is four bytes for one, and a line's frame.
static kv_status check_log_room(const sst_store *s,
                                const kv_commit_entry *entries, size_t count)
{
    uint64_t bytes = kv_recordlog_end(&s->log);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < entries[i].count; j++) {
            const kv_change *change = &entries[i].changes[j];
            bytes += 64 + 4 * (change->key.len + change->value.len);
        }
    }
    if (bytes < KV_RECORDLOG_MAX_BYTES) return KV_OK;
    return kv_fail(KV_TOO_BIG,
                   "a batch of %" PRIu64
                   " bytes does not fit into one log; write it in parts",
                   bytes);
}

static kv_status log_group(sst_store *s, const kv_commit_entry *entries,
                           size_t count)
{
    kv_why why = kv_for(KV_FOR_WAL);
    KV_TRY(check_log_room(s, entries, count));
    for (size_t i = 0; i < count; i++) log_entry(s, &entries[i]);
    kv_status st = kv_recordlog_flush(&s->log, why);
    if (st != KV_OK) kv_recordlog_drop_pending(&s->log);
    if (st == KV_OK && s->config.sync_commits) {
        st = kv_recordlog_sync(&s->log, why);
    }
    return doubt(s, st);
}

static kv_status write_group(void *arg, const kv_commit_entry *entries,
                             size_t count)
{
    sst_store *s = arg;
    KV_TRY(expect_sure(s));
    KV_TRY(make_room(s));
    KV_TRY(log_group(s, entries, count)); // W1
    apply(s, entries, count);
    EXPLAIN(s->explain,
            "log %" PRIu64 ": ends at %" PRIu64 " now, %s; active memtable: "
            "%" PRIu64 " keys",
            s->log.id.number, s->log.size,
            s->config.sync_commits ? "synced" : "not synced",
            sst_memtable_count(s->active));
    return KV_OK;
}

kv_status sst_store_write(sst_store *s, const kv_change *changes, size_t count)
{
    return kv_commit(&s->line, changes, count);
}

static kv_status sync_log(void *arg)
{
    sst_store *s = arg;
    KV_TRY(expect_sure(s));
    if (s->log.file == NULL) return KV_OK; // sealed, and so synced
    return doubt(s, kv_recordlog_sync(&s->log, kv_for(KV_FOR_WAL)));
}

kv_status sst_store_sync(sst_store *s)
{
    return kv_commit_exclusive(&s->line, sync_log, s);
}
