// recordlog.c -- see recordlog.h: writing.
// SPDX-License-Identifier: MIT

#include "common/recordlog.h"

#include <assert.h>

// A log that stays shorter is not worth it.
enum { ZEROES_FROM = 64 << 10 };

kv_status kv_recordlog_create(kv_recordlog *log, kv_disk *disk,
                              const char *name, const kv_recordlog_id *id,
                              uint64_t map_bytes, kv_why why)
{
    kv_recordlog made = {.id = *id, .syncs_each = log->syncs_each};
    kv_buf header = {0};
    kv_recordlog_encode_header(id, &header);
    kv_open_how how = {KV_OPEN_CREATE, map_bytes,
                       .maps_writes = !made.syncs_each,
                       .zeroes_from = made.syncs_each ? ZEROES_FROM : 0};
    kv_status st = kv_file_open(disk, name, how, why, &made.file);
    if (st != KV_OK) goto out;
    st = kv_file_write(made.file, 0, kv_buf_slice(&header), why);
    if (st != KV_OK) goto out;
    made.size = header.len;
    st = kv_recordlog_sync(&made, why); // R6
    if (st != KV_OK) goto out;
    *log = made;
    made.file = NULL;
out:
    if (made.file != NULL) {
        (void)kv_file_close(made.file);
        // Of no use to anybody, and it takes room.
        kv_status removed =
            st == KV_NO_SPACE ? kv_disk_remove(disk, name, why) : KV_OK;
        (void)removed;
    }
    kv_buf_free(&header);
    return st;
}

uint64_t kv_recordlog_end(const kv_recordlog *log)
{
    return log->size + log->pending.len;
}

uint64_t kv_recordlog_add(kv_recordlog *log, kv_slice payload, bool more)
{
    uint64_t offset = kv_recordlog_end(log);
    assert(payload.len > 0); // R5
    assert(offset + payload.len + KV_RECORD_OVERHEAD_MAX <=
           KV_RECORDLOG_MAX_BYTES);
    kv_record_encode(&log->pending, &log->id, offset,
                     (uint32_t)log->synced_size, more, payload);
    log->in_group = more;
    return offset;
}

enum { RESERVE_BLOCK = 4096, RESERVE_SHARE = 8, RESERVE_MAX = 1 << 20 };

// Space is mapped as well, unless each flush is synced: most flushes then copy
// their bytes and make no system call. It is no error if it cannot be had,
// since the write that follows tells why.
void kv_recordlog_reserve(kv_recordlog *log, uint64_t bytes, kv_why why)
{
    uint64_t ahead = bytes / RESERVE_SHARE;
    if (ahead > RESERVE_MAX) ahead = RESERVE_MAX;
    uint64_t to = (bytes + ahead + RESERVE_BLOCK - 1) & ~(RESERVE_BLOCK - 1ull);
    kv_status st = kv_file_allocate(log->file, to, why);
    log->reserved = st == KV_OK ? to : bytes;
}

// The disk is full: what was half written must never be seen again, not even
// after a power cut, for the caller will say that nothing was changed.
static kv_status cut_back(kv_recordlog *log, kv_why why)
{
    KV_TRY(kv_file_truncate(log->file, log->size, why));
    log->reserved = 0;
    KV_TRY(kv_recordlog_sync(log, why));
    return kv_fail(KV_NO_SPACE,
                   "%s: the disk is full at byte %llu; nothing was changed",
                   kv_file_name(log->file), (unsigned long long)log->size);
}

kv_status kv_recordlog_trim(kv_recordlog *log, kv_why why)
{
    if (log->reserved <= log->size) return KV_OK;
    KV_TRY(kv_file_truncate(log->file, log->size, why));
    log->reserved = 0;
    return KV_OK;
}

kv_status kv_recordlog_flush(kv_recordlog *log, kv_why why)
{
    assert(!log->in_group);
    if (log->pending.len == 0) return KV_OK;
    uint64_t end = kv_recordlog_end(log);
    if (!KV_LIKELY(end <= log->reserved)) kv_recordlog_reserve(log, end, why);
    kv_status st =
        kv_file_write(log->file, log->size, kv_buf_slice(&log->pending), why);
    if (st == KV_NO_SPACE) return cut_back(log, why);
    if (st != KV_OK) return st;
    log->size += log->pending.len;
    kv_buf_clear(&log->pending);
    return KV_OK;
}

void kv_recordlog_drop_pending(kv_recordlog *log)
{
    kv_buf_clear(&log->pending);
    log->in_group = false;
}

kv_status kv_recordlog_sync(kv_recordlog *log, kv_why why)
{
    uint64_t size = log->size; // more may be flushed while this syncs
    KV_TRY(kv_file_sync(log->file, why));
    log->synced_size = size;
    return KV_OK;
}

kv_status kv_recordlog_seal(kv_recordlog *log, kv_why why)
{
    assert(log->pending.len == 0);
    if (log->synced_size < log->size) KV_TRY(kv_recordlog_sync(log, why));
    kv_record_encode(&log->pending, &log->id, log->size, (uint32_t)log->size,
                     false, kv_slice_of(NULL, 0)); // R5
    kv_status st = kv_recordlog_flush(log, why);
    kv_recordlog_drop_pending(log);
    if (st != KV_OK) return st;
    st = kv_recordlog_trim(log, why); // R8
    if (st == KV_OK) st = kv_recordlog_sync(log, why);
    // It is closed: nothing may be written behind that, room or not.
    return st == KV_NO_SPACE ? KV_IO : st;
}

kv_status kv_recordlog_close(kv_recordlog *log)
{
    kv_status st = kv_file_close(log->file);
    kv_buf_free(&log->pending);
    *log = (kv_recordlog){0};
    return st;
}

// ---- rescue -----------------------------------------------------------------

typedef struct rescue {
    kv_recordlog log;
    uint64_t from; // offset in the old log: what is before stays there
    kv_why why;
} rescue;

enum { RESCUE_FLUSH_BYTES = 1 << 20 };

// Groups stay groups: `more` is copied, and a flush waits for a group's end.
static kv_status rescue_record(void *arg, uint64_t offset,
                               const kv_record *record)
{
    rescue *r = arg;
    if (offset < r->from) return KV_OK;
    (void)kv_recordlog_add(&r->log, record->payload, record->more);
    if (record->more || r->log.pending.len < RESCUE_FLUSH_BYTES) return KV_OK;
    return kv_recordlog_flush(&r->log, r->why);
}

static kv_status copy_tail(kv_disk *disk, kv_file *old, rescue *r,
                           const char *temporary, const kv_recordlog_id *id)
{
    kv_recovery again;
    kv_status st = kv_disk_remove(disk, temporary, r->why);
    if (st != KV_OK && st != KV_NOT_FOUND) return st;
    KV_TRY(kv_recordlog_create(&r->log, disk, temporary, id, 0, r->why));
    st = kv_recordlog_recover(old, NULL, rescue_record, r, r->why, &again);
    if (st == KV_OK) st = kv_recordlog_flush(&r->log, r->why);
    if (st == KV_OK) st = kv_recordlog_seal(&r->log, r->why);
    kv_status closed = kv_recordlog_close(&r->log);
    return st != KV_OK ? st : closed;
}

// A log without records says nothing about its header (R6): written again, it
// is known to be there when its successor names it (R4).
static kv_status renew_header(kv_file *old, const kv_recovery *found,
                              kv_why why)
{
    kv_buf header = {0};
    kv_recordlog_encode_header(&found->id, &header);
    kv_status st = kv_file_write(old, 0, kv_buf_slice(&header), why);
    kv_buf_free(&header);
    return st;
}

// A closing record proves what is before it, not itself: if its own sync failed
// it may be seen and not be there. Written again, its successor may name it.
static kv_status renew_seal(kv_file *old, const kv_recovery *found, kv_why why)
{
    uint8_t bytes[KV_RECORD_OVERHEAD_MAX];
    size_t size = (size_t)(found->good_size - found->durable_size);
    assert(size <= sizeof bytes);
    KV_TRY(kv_file_read_all(old, found->durable_size, bytes, size, why));
    kv_slice again = {bytes, size};
    return kv_file_write(old, found->durable_size, again, why);
}

static kv_status cut_tail(kv_file *old, const kv_recovery *found, uint64_t at,
                          kv_why why)
{
    bool renews = found->record_count == 0 && !found->sealed;
    if (found->sealed) KV_TRY(renew_seal(old, found, why));
    else if (!renews && at == found->file_size) return KV_OK;
    if (renews) KV_TRY(renew_header(old, found, why));
    if (at < found->file_size) KV_TRY(kv_file_truncate(old, at, why));
    return kv_file_sync(old, why);
}

kv_status kv_recordlog_rescue(kv_disk *disk, kv_file *old,
                              const kv_recovery *found, const char *name,
                              kv_recordlog_id *id, bool *made)
{
    assert(found->good_size > 0);
    rescue r = {.from = found->good_size, .why = kv_for(KV_FOR_RECOVERY)};
    bool copies = !found->sealed && found->durable_size < found->good_size;
    kv_status st = KV_OK;
    if (copies) {
        kv_buf temporary = {0};
        kv_buf_printf(&temporary, "%s.tmp%c", name, '\0');
        const char *from = (const char *)temporary.data;
        r.from = id->previous_size = found->durable_size;
        st = copy_tail(disk, old, &r, from, id);
        if (st == KV_OK) st = kv_disk_rename(disk, from, name, r.why);
        if (st == KV_OK) st = kv_disk_sync_dir(disk, r.why);
        kv_buf_free(&temporary);
    }
    if (st == KV_OK) st = cut_tail(old, found, r.from, r.why);
    if (st == KV_OK) *made = copies;
    return st;
}
