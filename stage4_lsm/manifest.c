// manifest.c -- see manifest.h.
// SPDX-License-Identifier: MIT

#include "manifest.h"

#include <inttypes.h>

const char lsm_manifest_name[] = "MANIFEST";
const char lsm_manifest_temporary[] = "MANIFEST.tmp";

// ---- writing ----------------------------------------------------------------

static kv_status write_edit(kv_recordlog *log, const lsm_edit *edit, kv_why why)
{
    kv_buf payload = {0};
    lsm_put_edit(&payload, edit);
    (void)kv_recordlog_add(log, kv_buf_slice(&payload), false);
    kv_buf_free(&payload);
    kv_status st = kv_recordlog_flush(log, why);
    if (st != KV_OK) kv_recordlog_drop_pending(log);
    return st == KV_OK ? kv_recordlog_sync(log, why) : st;
}

// The new file, complete and synced, but not yet of its name.
static kv_status write_temporary(lsm_manifest *m, const lsm_edit *all,
                                 uint64_t number, kv_why why, kv_recordlog *out)
{
    kv_recordlog_id id = {
        .kind = "", .store_id = m->store_id, .number = number};
    memcpy(id.kind, lsm_manifest_kind, sizeof id.kind);
    kv_status st = kv_disk_remove(m->disk, lsm_manifest_temporary, why);
    if (st != KV_OK && st != KV_NOT_FOUND) return st;
    kv_recordlog log = {0};
    KV_TRY(kv_recordlog_create(&log, m->disk, lsm_manifest_temporary, &id, 0,
                               why));
    st = write_edit(&log, all, why);
    // It is opened again under its new name.
    kv_status closed = kv_file_close(log.file);
    log.file = NULL;
    if (st == KV_OK) st = closed;
    if (st == KV_OK) *out = log;
    else (void)kv_recordlog_close(&log);
    return st;
}

// From the rename on, either manifest may be the one that a crash leaves.
static kv_status switch_to(lsm_manifest *m, kv_recordlog *log, kv_why why)
{
    KV_TRY(kv_disk_rename(m->disk, lsm_manifest_temporary, lsm_manifest_name,
                          why));
    KV_TRY(kv_disk_sync_dir(m->disk, why));
    KV_TRY(kv_file_open(m->disk, lsm_manifest_name,
                        (kv_open_how){.mode = KV_OPEN_WRITE}, why, &log->file));
    kv_status closed = kv_recordlog_close(&m->log);
    m->log = *log;
    *log = (kv_recordlog){0};
    m->edits = 1;
    return closed;
}

kv_status lsm_manifest_begin(lsm_manifest *m, const lsm_edit *all,
                             uint64_t number, kv_why why)
{
    kv_recordlog log = {0};
    KV_TRY(write_temporary(m, all, number, why, &log));
    kv_status st = switch_to(m, &log, why);
    if (st != KV_OK) m->in_doubt = true;
    (void)kv_recordlog_close(&log);
    return st;
}

kv_status lsm_manifest_append(lsm_manifest *m, const lsm_edit *edit, kv_why why)
{
    kv_status st = write_edit(&m->log, edit, why);
    if (st == KV_OK) m->edits++;
    else if (st != KV_NO_SPACE) m->in_doubt = true;
    return st;
}

uint64_t lsm_manifest_bytes(const lsm_manifest *m)
{
    return kv_recordlog_end(&m->log);
}

kv_status lsm_manifest_close(lsm_manifest *m, bool seals)
{
    kv_status st = KV_OK;
    if (m->log.file != NULL && seals && !m->in_doubt) {
        st = kv_recordlog_seal(&m->log, kv_for(KV_FOR_META));
    }
    kv_status closed = kv_recordlog_close(&m->log);
    return st != KV_OK ? st : closed;
}

// ---- reading ----------------------------------------------------------------

typedef struct show {
    lsm_edit_visitor *visit;
    void *arg;
    uint64_t count;
} show;

static kv_status show_edit(void *arg, uint64_t offset, const kv_record *record)
{
    show *s = arg;
    lsm_edit edit = {0};
    bool is_good = lsm_get_edit(record->payload, &edit);
    bool is_whole = edit.what == LSM_EDIT_ALL;
    if (!is_good || is_whole != (s->count == 0)) {
        lsm_edit_free(&edit);
        return kv_fail(KV_CORRUPT,
                       "%s: the record at offset %" PRIu64 " has a good "
                       "checksum but is no edit that belongs there",
                       lsm_manifest_name, offset);
    }
    kv_status st = s->visit(s->arg, s->count++, &edit);
    lsm_edit_free(&edit);
    return st;
}

kv_status lsm_manifest_read(kv_disk *disk, uint64_t store_id,
                            lsm_edit_visitor *visit, void *arg, kv_why why)
{
    kv_file *file = NULL;
    kv_recordlog_id id = {0};
    kv_recovery found = {0};
    KV_TRY(kv_file_open(disk, lsm_manifest_name,
                        (kv_open_how){.mode = KV_OPEN_READ}, why, &file));
    kv_status st = kv_recordlog_read_id(file, why, &id);
    show s = {.visit = visit, .arg = arg};
    if (st == KV_OK) {
        kv_recordlog_id expect = {.store_id = store_id, .number = id.number};
        memcpy(expect.kind, lsm_manifest_kind, sizeof expect.kind);
        st = kv_recordlog_recover(file, &expect, show_edit, &s, why, &found);
    }
    kv_file_close(file);
    if (st == KV_OK && s.count == 0) {
        return kv_fail(KV_CORRUPT, "%s: says nothing; restore it from a backup",
                       lsm_manifest_name);
    }
    return st;
}
