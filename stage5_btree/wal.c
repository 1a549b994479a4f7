// wal.c -- see wal.h.
// SPDX-License-Identifier: MIT

#include "wal.h"

#include <inttypes.h>
#include <stdio.h>

bt_wal_name bt_wal_name_of(uint64_t number)
{
    bt_wal_name name;
    snprintf(name.text, sizeof name.text, "%06" PRIu64 ".wal", number);
    return name;
}

uint64_t bt_wal_number_of(const char *name)
{
    uint64_t number = 0;
    size_t digits = strspn(name, "0123456789");
    if (digits < 6 || digits > 19 || strcmp(name + digits, ".wal") != 0) {
        return 0;
    }
    for (size_t i = 0; i < digits; i++) {
        number = number * 10 + (uint64_t)(name[i] - '0');
    }
    return number;
}

kv_recordlog_id bt_wal_id(uint64_t store_id, uint64_t number)
{
    return (kv_recordlog_id){
        .kind = "WAL ", .store_id = store_id, .number = number};
}

void bt_wal_init(bt_wal *w, kv_disk *disk, uint64_t store_id, bool syncs_each)
{
    w->syncs_each = syncs_each;
    w->disk = disk;
    w->store_id = store_id;
    kv_mutex_init(&w->lock);
    kv_mutex_init(&w->syncing);
    w->has_lock = true;
}

// Remembers a failure after which nobody knows what is in the file.
static kv_status doubt(bt_wal *w, kv_status st)
{
    if (st == KV_IO) atomic_store(&w->in_doubt, true);
    return st;
}

kv_status bt_wal_close(bt_wal *w, bt_closed *closed)
{
    *closed = (bt_closed){0};
    if (!w->has_lock) return KV_OK;
    kv_status st = KV_OK;
    // A closing record vouches for all before it: a log in doubt gets none.
    if (w->log.file != NULL && !atomic_load(&w->in_doubt)) {
        st = kv_recordlog_seal(&w->log, kv_for(KV_FOR_WAL));
        if (st == KV_OK) *closed = (bt_closed){w->log.id.number, w->log.size};
    }
    kv_status shut = kv_recordlog_close(&w->log);
    kv_mutex_free(&w->lock);
    kv_mutex_free(&w->syncing);
    w->has_lock = false;
    return st != KV_OK ? st : shut;
}

static kv_status create(bt_wal *w, uint64_t number)
{
    kv_why why = kv_for(KV_FOR_WAL);
    kv_recordlog_id id = bt_wal_id(w->store_id, number);
    id.previous_size = w->sealed_size;
    kv_recordlog log = {.syncs_each = w->syncs_each};
    KV_TRY(kv_recordlog_create(&log, w->disk, bt_wal_name_of(number).text, &id,
                               0, why));
    kv_status st = kv_disk_sync_dir(w->disk, why);
    if (st != KV_OK) {
        kv_recordlog_close(&log);
        return doubt(w, st);
    }
    w->log = log;
    return KV_OK;
}

static kv_status seal(bt_wal *w)
{
    if (w->log.file == NULL) return KV_OK;
    KV_TRY(doubt(w, kv_recordlog_seal(&w->log, kv_for(KV_FOR_WAL))));
    atomic_store(&w->synced_seq, atomic_load(&w->flushed_seq));
    w->sealed_size = w->log.size;
    return doubt(w, kv_recordlog_close(&w->log));
}

kv_status bt_wal_rotate(bt_wal *w, uint64_t number)
{
    kv_mutex_lock(&w->lock);
    kv_status st = seal(w);
    if (st == KV_OK) st = create(w, number);
    kv_mutex_unlock(&w->lock);
    return st;
}

// ---- groups -----------------------------------------------------------------

void bt_wal_begin(bt_wal *w) { kv_mutex_lock(&w->lock); }

void bt_wal_add(void *wal, kv_slice payload, bool more)
{
    bt_wal *w = wal;
    uint64_t end = kv_recordlog_end(&w->log) + payload.len;
    if (end > KV_RECORDLOG_MAX_BYTES - KV_RECORD_OVERHEAD_MAX) {
        w->is_over = true;
        return;
    }
    (void)kv_recordlog_add(&w->log, payload, more);
}

static kv_status flush(bt_wal *w, kv_why why)
{
    if (!w->is_over) return doubt(w, kv_recordlog_flush(&w->log, why));
    w->is_over = false;
    return kv_fail(KV_TOO_BIG,
                   "a batch of %zu bytes does not fit into one log; write it "
                   "in parts",
                   w->log.pending.len);
}

kv_status bt_wal_end(bt_wal *w, uint64_t seq, kv_why why)
{
    kv_status st = flush(w, why);
    if (st != KV_OK) kv_recordlog_drop_pending(&w->log);
    if (st == KV_OK && seq > atomic_load(&w->flushed_seq)) {
        atomic_store(&w->flushed_seq, seq);
    }
    kv_mutex_unlock(&w->lock);
    return st;
}

static kv_status sync_all(bt_wal *w, kv_why why)
{
    kv_mutex_lock(&w->lock);
    kv_file *file = w->log.file; // only who writes pages back replaces it
    uint64_t size = w->log.size, flushed = atomic_load(&w->flushed_seq);
    bool is_synced = w->log.synced_size == size;
    kv_mutex_unlock(&w->lock);
    if (is_synced) return KV_OK;
    if (atomic_load(&w->in_doubt)) {
        return kv_fail(KV_IO, "%s: a call for it failed before",
                       kv_file_name(file));
    }
    KV_TRY(doubt(w, kv_file_sync(file, why)));
    kv_mutex_lock(&w->lock);
    if (size > w->log.synced_size) w->log.synced_size = size;
    if (flushed > atomic_load(&w->synced_seq)) {
        atomic_store(&w->synced_seq, flushed);
    }
    kv_mutex_unlock(&w->lock);
    return KV_OK;
}

kv_status bt_wal_sync_all(bt_wal *w, kv_why why)
{
    kv_mutex_lock(&w->syncing);
    kv_status st = sync_all(w, why);
    kv_mutex_unlock(&w->syncing);
    return st;
}

kv_status bt_wal_sync(bt_wal *w, uint64_t seq, kv_why why)
{
    return atomic_load(&w->synced_seq) >= seq ? KV_OK : bt_wal_sync_all(w, why);
}

uint64_t bt_wal_size(bt_wal *w)
{
    kv_mutex_lock(&w->lock);
    uint64_t size = w->log.file != NULL ? w->log.size : 0;
    kv_mutex_unlock(&w->lock);
    return size;
}
