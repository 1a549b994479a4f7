// backup.c -- a copy that opens as a store: hard links of all tables, and a
// manifest; see store.h.
// SPDX-License-Identifier: MIT

#include "store.h"

static kv_status link_tables(lsm_store *s, const lsm_version *version,
                             kv_disk *target)
{
    for (size_t i = 0; i < version->table_count; i++) {
        lsm_name name = lsm_table_name(version->tables[i]->id.number);
        KV_TRY(kv_disk_share(s->config.disk, name.text, target,
                             kv_for(KV_FOR_META)));
    }
    return KV_OK;
}

// A new log, and a manifest that names it and all tables. Making the log also
// makes the names of the tables durable (X1).
static kv_status write_manifest(lsm_store *s, const lsm_version *version,
                                kv_disk *target)
{
    kv_why why = kv_for(KV_FOR_META);
    uint64_t log_number = lsm_store_new_number(s);
    kv_recordlog log = {0};
    KV_TRY(lsm_log_create(target, s->config.store_id, log_number, &log));
    kv_status st = kv_recordlog_seal(&log, why);
    kv_status closed = kv_recordlog_close(&log);
    if (st == KV_OK) st = closed;
    lsm_manifest manifest = {.disk = target, .store_id = s->config.store_id};
    lsm_edit all;
    uint64_t number = lsm_store_new_number(s);
    lsm_store_all(s, version, log_number, &all);
    if (st == KV_OK) st = lsm_manifest_begin(&manifest, &all, number, why);
    closed = lsm_manifest_close(&manifest, st == KV_OK);
    lsm_edit_free(&all);
    return st == KV_OK ? closed : st;
}

// A store that may not change holds in memory what is in its logs: that
// becomes a table of the copy.
static kv_status write_backup(lsm_store *s, const lsm_view *view,
                              kv_disk *target)
{
    KV_TRY(link_tables(s, view->version, target));
    lsm_workshop shop = s->shop;
    shop.home.disk = target;
    lsm_version *version = lsm_version_ref(view->version);
    kv_status st = s->config.read_only
                       ? lsm_store_shelve(&shop, view->active, &version)
                       : KV_OK;
    if (st == KV_OK) st = write_manifest(s, version, target);
    lsm_version_unref(version);
    return st;
}

static kv_status flush_all(lsm_store *s)
{
    KV_TRY(kv_commit_exclusive(&s->line, lsm_store_freeze_all, s));
    return lsm_store_flush(s, 0);
}

// The install lock keeps tables from being removed while they are linked;
// readers and writers go on.
kv_status lsm_store_backup(lsm_store *s, kv_disk *target)
{
    if (!s->config.read_only) KV_TRY(flush_all(s));
    kv_mutex_lock(&s->install);
    lsm_view *view = lsm_gate_view(&s->gate, NULL);
    kv_status st = write_backup(s, view, target);
    lsm_view_unref(view);
    kv_mutex_unlock(&s->install);
    return st;
}
