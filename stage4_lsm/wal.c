// wal.c -- see wal.h.
// SPDX-License-Identifier: MIT

#include "wal.h"

#include <assert.h>
#include <inttypes.h>

// A large batch is cut into records of about this size, which form a group.
enum { RECORD_BYTES = 64 << 10 };

static const kv_why why_wal = {KV_FOR_WAL, false};

void lsm_wal_open(lsm_wal *w, kv_disk *disk, uint64_t store_id, bool syncs_each)
{
    w->syncs_each = syncs_each;
    w->disk = disk;
    w->store_id = store_id;
    kv_mutex_init(&w->making);
    kv_mutex_init(&w->lock);
    w->is_open = true;
}

// A switch that no change has followed is still pending.
static kv_status seal_log(kv_recordlog *log, lsm_closed *closed)
{
    KV_TRY(kv_recordlog_flush(log, why_wal));
    bool is_empty = log->size == KV_RECORDLOG_HEADER_BYTES;
    KV_TRY(kv_recordlog_seal(log, why_wal));
    if (!is_empty) *closed = (lsm_closed){log->id.number, log->size};
    return KV_OK;
}

static kv_status finish_log(kv_recordlog *log, bool seals, lsm_closed *closed)
{
    bool is_there = log->file != NULL;
    kv_status st = is_there && seals ? seal_log(log, closed) : KV_OK;
    kv_recordlog_drop_pending(log);
    kv_status shut = kv_recordlog_close(log);
    return st != KV_OK ? st : shut;
}

// It holds nothing; if it cannot be removed, the next open does.
static void discard_spare(lsm_wal *w, bool removes)
{
    if (w->spare.file == NULL) return;
    lsm_name name = lsm_log_name(w->spare.id.number);
    (void)kv_recordlog_close(&w->spare);
    kv_status st =
        removes ? kv_disk_remove(w->disk, name.text, why_wal) : KV_OK;
    (void)st;
}

kv_status lsm_wal_close(lsm_wal *w, bool seals, lsm_closed *closed)
{
    *closed = (lsm_closed){0};
    if (!w->is_open) return KV_OK;
    kv_status first = KV_OK;
    // A closing record vouches for all before it (recordlog.h, R5), and so
    // must not stand in a log behind one whose sync failed (L2).
    bool go_on = seals && !w->in_doubt;
    for (size_t i = 0; i <= w->older_count; i++) {
        kv_recordlog *log = i < w->older_count ? &w->older[i] : &w->active;
        kv_status st = finish_log(log, go_on, closed);
        if (st != KV_OK && first == KV_OK) first = st;
        go_on = go_on && st == KV_OK;
    }
    discard_spare(w, seals);
    kv_buf_free(&w->payload);
    kv_mutex_free(&w->lock);
    kv_mutex_free(&w->making);
    *w = (lsm_wal){0};
    return first;
}

// ---- logs come and go -------------------------------------------------------

kv_status lsm_log_create(kv_disk *disk, uint64_t store_id, uint64_t number,
                         kv_recordlog *out)
{
    kv_recordlog_id id = lsm_log_id(store_id, number);
    kv_recordlog log = {.syncs_each = out->syncs_each};
    KV_TRY(kv_recordlog_create(&log, disk, lsm_log_name(number).text, &id, 0,
                               why_wal));
    kv_status st = kv_disk_sync_dir(disk, why_wal);
    if (st == KV_OK) *out = log;
    else (void)kv_recordlog_close(&log);
    return st;
}

// The next log will be about as long as the last, which a large memtable makes
// very long: so much is reserved at most.
enum { RESERVE_BYTES_MAX = 64 << 20 };

static void reserve_space(lsm_wal *w, kv_recordlog *log)
{
    kv_mutex_lock(&w->lock);
    uint64_t bytes = w->last_bytes;
    kv_mutex_unlock(&w->lock);
    if (bytes > RESERVE_BYTES_MAX) bytes = RESERVE_BYTES_MAX;
    if (bytes > 0) {
        kv_recordlog_reserve(log, bytes, kv_for_background(KV_FOR_WAL));
    }
}

static kv_status make_spare(lsm_wal *w, uint64_t number, bool background)
{
    kv_recordlog log = {.syncs_each = w->syncs_each};
    KV_TRY(lsm_log_create(w->disk, w->store_id, number, &log));
    if (background && !w->syncs_each) reserve_space(w, &log);
    kv_mutex_lock(&w->lock);
    w->spare = log;
    kv_mutex_unlock(&w->lock);
    return KV_OK;
}

// One at a time, and numbered only when its turn has come: logs are used in the
// order of their numbers.
kv_status lsm_wal_prepare(lsm_wal *w, _Atomic uint64_t *next_number,
                          bool background)
{
    kv_mutex_lock(&w->making);
    kv_status st = KV_OK;
    if (!lsm_wal_has_spare(w)) {
        st = make_spare(w, atomic_fetch_add(next_number, 1), background);
    }
    kv_mutex_unlock(&w->making);
    return st;
}

bool lsm_wal_has_spare(lsm_wal *w)
{
    kv_mutex_lock(&w->lock);
    bool answer = w->spare.file != NULL;
    kv_mutex_unlock(&w->lock);
    return answer;
}

// Tells the new log what it follows (L1), in memory: it is written together
// with the first change, and means nothing before.
static void begin_after(kv_recordlog *log, const kv_recordlog *before,
                        kv_buf *payload)
{
    lsm_switch s = {before->id.number, before->size, before->synced_size};
    kv_buf_clear(payload);
    lsm_put_switch(payload, &s);
    (void)kv_recordlog_add(log, kv_buf_slice(payload), false);
}

kv_status lsm_wal_trim(lsm_wal *w)
{
    kv_mutex_lock(&w->lock);
    kv_status st = KV_OK;
    if (w->active.file != NULL) st = kv_recordlog_trim(&w->active, why_wal);
    if (st == KV_OK && w->spare.file != NULL) {
        st = kv_recordlog_trim(&w->spare, why_wal);
    }
    kv_mutex_unlock(&w->lock);
    return st;
}

void lsm_wal_yield_space(lsm_wal *w)
{
    kv_mutex_lock(&w->lock);
    w->last_bytes = 0;
    if (w->spare.file != NULL) {
        kv_status st = kv_recordlog_trim(&w->spare, why_wal);
        (void)st; // the next open takes what is left
    }
    kv_mutex_unlock(&w->lock);
}

void lsm_wal_switch(lsm_wal *w)
{
    kv_mutex_lock(&w->lock);
    assert(w->spare.file != NULL);
    if (w->active.file != NULL) {
        assert(w->older_count < LSM_FROZEN_MAX);
        kv_recordlog_drop_pending(&w->active);
        kv_buf_free(&w->active.pending);
        begin_after(&w->spare, &w->active, &w->payload);
        w->older[w->older_count++] = w->active;
        w->last_bytes = w->active.size;
    }
    w->active = w->spare;
    w->spare = (kv_recordlog){0};
    kv_mutex_unlock(&w->lock);
}

void lsm_wal_retire(lsm_wal *w, uint64_t number, kv_why why)
{
    kv_recordlog gone[LSM_FROZEN_MAX];
    size_t count = 0;
    kv_mutex_lock(&w->lock);
    while (count < w->older_count && w->older[count].id.number < number) {
        gone[count] = w->older[count];
        count++;
    }
    w->older_count -= count;
    memmove(w->older, w->older + count, w->older_count * sizeof *w->older);
    kv_mutex_unlock(&w->lock);
    for (size_t i = 0; i < count; i++) {
        // One that cannot be removed is an orphan: the next open tries again.
        lsm_name name = lsm_log_name(gone[i].id.number);
        (void)kv_recordlog_close(&gone[i]);
        kv_status st = kv_disk_remove(w->disk, name.text, why);
        (void)st;
    }
}

// ---- writing ----------------------------------------------------------------

// Remembers that a call failed such that nobody knows what is on disk.
static kv_status doubt(lsm_wal *w, kv_status st)
{
    if (st != KV_OK && st != KV_NO_SPACE) w->in_doubt = true;
    return st;
}

// Who stood in line when a sync failed: the next one may be good, and then says
// nothing of what the failed one lost.
static kv_status expect_sure(const lsm_wal *w)
{
    if (!w->in_doubt) return KV_OK;
    return kv_fail(KV_READ_ONLY, "a sync has failed: reopen the store to "
                                 "write");
}

static kv_status check_room(const lsm_wal *w, const kv_commit_entry *entries,
                            size_t count)
{
    uint64_t bytes = kv_recordlog_end(&w->active) + KV_RECORD_OVERHEAD_MAX;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < entries[i].count; j++) {
            const kv_change *change = &entries[i].changes[j];
            bytes += LSM_CHANGE_OVERHEAD_MAX + KV_RECORD_OVERHEAD_MAX +
                     change->key.len + change->value.len;
        }
    }
    if (bytes < KV_RECORDLOG_MAX_BYTES) return KV_OK;
    return kv_fail(KV_TOO_BIG,
                   "a batch of %" PRIu64 " bytes does not fit into one log; "
                   "write it in parts",
                   bytes);
}

static void add_entry(lsm_wal *w, const kv_commit_entry *entry)
{
    kv_buf_clear(&w->payload);
    for (size_t i = 0; i < entry->count; i++) {
        bool is_last = i + 1 == entry->count;
        lsm_put_change(&w->payload, &entry->changes[i]);
        if (w->payload.len < RECORD_BYTES && !is_last) continue;
        (void)kv_recordlog_add(&w->active, kv_buf_slice(&w->payload), !is_last);
        kv_buf_clear(&w->payload);
    }
}

kv_status lsm_wal_write(lsm_wal *w, const kv_commit_entry *entries,
                        size_t count, bool syncs)
{
    KV_TRY(expect_sure(w));
    KV_TRY(check_room(w, entries, count));
    size_t begun = w->active.pending.len; // a switch's record, or nothing
    for (size_t i = 0; i < count; i++) add_entry(w, &entries[i]);
    kv_status st = kv_recordlog_flush(&w->active, why_wal);
    if (st != KV_OK) {
        w->active.pending.len = begun;
        return doubt(w, st);
    }
    if (w->payload.cap > 4 * RECORD_BYTES) kv_buf_free(&w->payload);
    return syncs ? lsm_wal_sync(w) : KV_OK;
}

static kv_status sync_log(kv_recordlog *log)
{
    if (log->file == NULL || log->synced_size == log->size) return KV_OK;
    return kv_recordlog_sync(log, why_wal);
}

kv_status lsm_wal_sync(lsm_wal *w)
{
    KV_TRY(expect_sure(w));
    kv_status st = KV_OK;
    kv_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->older_count && st == KV_OK; i++) { // L2
        st = sync_log(&w->older[i]);
    }
    kv_mutex_unlock(&w->lock);
    if (st == KV_OK) st = sync_log(&w->active);
    return doubt(w, st);
}
