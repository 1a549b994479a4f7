// orphans.c -- files in the directory that the manifest does not name: which of
// them are ours, and dead; see store.h.
// SPDX-License-Identifier: MIT
//
// A crash leaves outputs half written or not installed, inputs that were not
// yet removed, and logs made ahead. All carry a name that only we give, none a
// number that the manifest needs, so by X2 nobody will ever ask for them. But
// anybody can give such a name, so what is removed must also prove to be ours:
//
//   000007.sst.tmp, MANIFEST.tmp   by a name that means "unfinished"
//   000007.sst                     by its footer: it was whole and synced
//                                  before it got this name (builder.h)
//   000009.log                     by its header, or by being a piece of it
//                                  and no more: torn at birth
//
// All else is somebody else's, or damaged, and stays.

#include "common/identity.h"

#include "store.h"

static bool is_named(lsm_store *s, const lsm_view *view, const char *name)
{
    if (kv_identity_owns(name) || strcmp(name, lsm_manifest_name) == 0) {
        return true;
    }
    uint64_t table = lsm_number_of(name, ".sst"),
             log = lsm_number_of(name, ".log");
    for (size_t i = 0; i < view->version->table_count; i++) {
        if (table != 0 && view->version->tables[i]->id.number == table) {
            return true;
        }
    }
    if (log == 0) return false;
    for (size_t i = 0; i < view->frozen_count; i++) {
        if (log == lsm_memtable_number(view->frozen[i])) return true;
    }
    return log == lsm_memtable_number(view->active) ||
           (lsm_wal_has_spare(&s->wal) && log == s->wal.spare.id.number);
}

static kv_status is_foreign_table(lsm_store *s, uint64_t number, kv_file *file,
                                  bool *answer)
{
    uint8_t bytes[LSM_FOOTER_BYTES];
    lsm_footer footer;
    uint64_t size = 0;
    kv_why why = kv_for(KV_FOR_RECOVERY);
    KV_TRY(kv_file_size(file, &size));
    *answer = true;
    if (size < sizeof bytes) return KV_OK;
    KV_TRY(
        kv_file_read_all(file, size - sizeof bytes, bytes, sizeof bytes, why));
    *answer =
        !lsm_get_footer(kv_slice_of(bytes, sizeof bytes), size, &footer) ||
        footer.id.store_id != s->config.store_id || footer.id.number != number;
    return KV_OK;
}

// A log without a header is ours if it is a piece of that header, the rest of
// which is zeroes: before the header is synced, nothing follows it (R6).
static kv_status is_no_header(kv_file *file, const kv_recordlog_id *id,
                              bool *answer)
{
    uint8_t bytes[KV_RECORDLOG_HEADER_BYTES];
    uint64_t size = 0;
    KV_TRY(kv_file_size(file, &size));
    *answer = size > sizeof bytes;
    if (*answer) return KV_OK;
    KV_TRY(kv_file_read_all(file, 0, bytes, size, kv_for(KV_FOR_RECOVERY)));
    kv_buf header = {0};
    kv_recordlog_encode_header(id, &header);
    for (size_t i = 0; i < size; i++) {
        *answer = *answer || (bytes[i] != 0 && bytes[i] != header.data[i]);
    }
    kv_buf_free(&header);
    return KV_OK;
}

static kv_status is_foreign_log(lsm_store *s, uint64_t number, kv_file *file,
                                bool *answer)
{
    kv_recovery found = {0};
    kv_recordlog_id expect = lsm_log_id(s->config.store_id, number);
    kv_status st = kv_recordlog_recover(file, &expect, NULL, NULL,
                                        kv_for(KV_FOR_RECOVERY), &found);
    *answer = true;
    if (st == KV_CORRUPT) return KV_OK; // or damaged: not ours to judge
    KV_TRY(st);
    *answer = false;
    return found.good_size > 0 ? KV_OK : is_no_header(file, &expect, answer);
}

static kv_status is_foreign(lsm_store *s, const char *name, bool *answer)
{
    uint64_t table = lsm_number_of(name, ".sst");
    uint64_t log = lsm_number_of(name, ".log");
    *answer = table + log == 0 && lsm_number_of(name, ".sst.tmp") == 0 &&
              strcmp(name, lsm_manifest_temporary) != 0;
    if (table + log == 0) return KV_OK;
    kv_file *file = NULL;
    KV_TRY(kv_file_open(s->config.disk, name,
                        (kv_open_how){.mode = KV_OPEN_READ},
                        kv_for(KV_FOR_RECOVERY), &file));
    kv_status st = table != 0 ? is_foreign_table(s, table, file, answer)
                              : is_foreign_log(s, log, file, answer);
    kv_file_close(file);
    return st;
}

static kv_status look_at_all(lsm_store *s, const kv_names *names,
                             const lsm_view *view, bool remove,
                             uint64_t *strangers)
{
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->name[i];
        bool foreign = true;
        if (is_named(s, view, name)) continue;
        KV_TRY(is_foreign(s, name, &foreign));
        if (foreign && strangers != NULL) ++*strangers;
        if (foreign || !remove) continue;
        KV_TRY(kv_disk_remove(s->config.disk, name, kv_for(KV_FOR_RECOVERY)));
    }
    return KV_OK;
}

kv_status lsm_store_orphans(lsm_store *s, bool remove, uint64_t *strangers)
{
    kv_names names = {0};
    KV_TRY(kv_disk_list(s->config.disk, &names));
    lsm_view *view = lsm_gate_view(&s->gate, NULL);
    kv_status st = look_at_all(s, &names, view, remove, strangers);
    lsm_view_unref(view);
    kv_names_free(&names);
    return st;
}
