// orphans.c -- files in the directory that the manifest does not name: which of
// them are ours, and dead; see store.h.
// SPDX-License-Identifier: MIT
//
// A crash leaves outputs that were not installed, inputs that were not yet
// removed, and logs made ahead. All carry a name that only we give, and none a
// number that the manifest needs, so by X2 nobody will ever ask for them. What
// carries another store's mark, or another name, is somebody else's and stays.

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

// Not ours: a whole table, with the mark of another store or another number.
// One that was never finished has no mark; only a builder makes such.
static kv_status is_foreign_table(lsm_store *s, uint64_t number, kv_file *file,
                                  bool *answer)
{
    uint8_t bytes[LSM_FOOTER_BYTES];
    lsm_footer footer;
    uint64_t size = 0;
    kv_why why = kv_for(KV_FOR_RECOVERY);
    KV_TRY(kv_file_size(file, &size));
    *answer = false;
    if (size < sizeof bytes) return KV_OK;
    KV_TRY(
        kv_file_read_all(file, size - sizeof bytes, bytes, sizeof bytes, why));
    *answer = lsm_get_footer(kv_slice_of(bytes, sizeof bytes), size, &footer) &&
              (footer.id.store_id != s->config.store_id ||
               footer.id.number != number);
    return KV_OK;
}

static kv_status is_foreign_log(lsm_store *s, uint64_t number, kv_file *file,
                                bool *answer)
{
    kv_recovery found = {0};
    kv_recordlog_id expect = lsm_log_id(s->config.store_id, number);
    kv_status st = kv_recordlog_recover(file, &expect, NULL, NULL,
                                        kv_for(KV_FOR_RECOVERY), &found);
    *answer = st == KV_CORRUPT; // or damaged: not ours to judge
    return *answer ? KV_OK : st;
}

static kv_status is_foreign(lsm_store *s, const char *name, bool *answer)
{
    uint64_t table = lsm_number_of(name, ".sst");
    uint64_t log = lsm_number_of(name, ".log");
    *answer = table + log == 0 && strcmp(name, lsm_manifest_temporary) != 0;
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
