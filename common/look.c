// look.c -- the front door's calls that look inside, keep house, and copy.
// SPDX-License-Identifier: MIT

#include <inttypes.h>
#include <stdio.h>

#include "common/disk_count.h"
#include "common/front.h"

// ---- figures ----------------------------------------------------------------

void kv_stats_read(kv *db, kv_stats *out)
{
    *out = (kv_stats){0};
    for (int slot = 0; slot < KV_THREAD_SLOTS; slot++) {
        kv_counters *c = &db->front->counters[slot];
        out->gets += atomic_load(&c->gets);
        out->puts += atomic_load(&c->puts);
        out->dels += atomic_load(&c->dels);
        out->range_dels += atomic_load(&c->range_dels);
        out->scans += atomic_load(&c->scans);
        out->user_read_bytes += atomic_load(&c->user_read_bytes);
        out->user_write_bytes += atomic_load(&c->user_write_bytes);
    }
    if (db->disk != NULL) {
        kv_disk_count_read(db->disk, out->disk, out->waited);
        kv_disk_space(db->disk, &out->disk_bytes, &out->disk_bytes_peak);
    }
    db->engine->measure(db, out);
}

kv_status kv_inspect(kv *db, const char *what, kv_report *report)
{
    return db->engine->inspect(db, what, report);
}

kv_status kv_check(kv *db, kv_report *report)
{
    if (db->disk != NULL) {
        kv_identity again;
        kv_status st = kv_identity_read(db->disk, db->path, &again);
        if (st == KV_NOT_FOUND ||
            (st == KV_OK && again.id != db->front->identity.id)) {
            return kv_fail(KV_CORRUPT,
                           "%s: the file IDENTITY was removed or replaced "
                           "while the store was open",
                           db->path);
        }
        KV_TRY(st);
    }
    return db->engine->check(db, report);
}

void kv_explain(kv *db, kv_listener *listener, void *arg)
{
    db->explain = (kv_explainer){listener, arg};
}

static void xray_text(kv_xray *x, kv_slice text)
{
    for (size_t at = 0; at < text.len;) {
        const uint8_t *line = text.data + at;
        const uint8_t *feed = memchr(line, '\n', text.len - at);
        size_t len = feed ? (size_t)(feed - line) + 1 : text.len - at;
        kv_quoted q;
        kv_xray_field(x, at, kv_slice_of(line, len), "line", "%s",
                      kv_quote(&q, kv_slice_of(line, len)));
        at += len;
    }
}

static kv_status xray_identity(kv_disk *disk, const char *name, kv_xray *x)
{
    kv_file *file = NULL;
    kv_why why = kv_for(KV_FOR_READ);
    kv_status st = kv_file_open(disk, name, (kv_open_how){.mode = KV_OPEN_READ},
                                why, &file);
    if (st == KV_NOT_FOUND)
        return kv_fail(st, "%s: there is no such file", name);
    KV_TRY(st);
    uint8_t text[512];
    size_t got = 0;
    st = kv_file_read(file, 0, text, sizeof text, &got, why);
    if (st == KV_OK) {
        kv_slice lines = kv_slice_of(text, got);
        kv_identity identity;
        xray_text(x, lines);
        if (strcmp(name, "LOCK") != 0 &&
            kv_identity_decode(lines, &identity) != KV_OK) {
            kv_xray_damage(x, 0, "%s", kv_last_error());
        }
    }
    kv_file_close(file);
    return st;
}

kv_status kv_xray_file(const kv_engine *engine, kv_disk *disk, const char *file,
                       kv_xray *xray)
{
    if (kv_identity_owns(file)) return xray_identity(disk, file, xray);
    if (engine->xray != NULL) return engine->xray(disk, file, xray);
    return kv_fail(KV_UNSUPPORTED, "the engine \"%s\" keeps no files",
                   engine->info.name);
}

// ---- housekeeping -----------------------------------------------------------

kv_status kv_maintain(kv *db, bool *did_work)
{
    *did_work = false;
    if (db->engine->maintain == NULL) return KV_OK;
    KV_TRY(kv_front_writable(db));
    return db->engine->maintain(db, did_work);
}

kv_status kv_settle(kv *db)
{
    bool did_work = true;
    while (did_work) KV_TRY(kv_maintain(db, &did_work));
    return kv_sync(db);
}

kv_status kv_compact(kv *db, kv_slice from, kv_slice to)
{
    if (!kv_has(db, KV_CAP_COMPACT)) {
        return kv_fail(KV_UNSUPPORTED,
                       "the engine \"%s\" cannot do the housekeeping of some "
                       "keys alone; settle does it for all",
                       db->engine->info.name);
    }
    if (to.len > 0 && kv_slice_cmp(from, to) >= 0) return KV_OK;
    KV_TRY(kv_front_writable(db));
    return db->engine->compact(db, from, to);
}

// ---- backup -----------------------------------------------------------------

static kv_status require_empty(kv_disk *target, const char *path)
{
    kv_identity there;
    kv_status st = kv_identity_read(target, path, &there);
    if (st == KV_NOT_FOUND) return KV_OK;
    if (st != KV_OK) return st;
    return kv_fail(KV_INVALID,
                   "%s: a store is there already; name a new directory", path);
}

// What a backup that failed left behind. Best effort: the failure that led
// here is the one to report.
static void remove_all(kv_disk *target)
{
    kv_names names = {0};
    if (kv_disk_list(target, &names) != KV_OK) return;
    for (size_t i = 0; i < names.count; i++) {
        if (kv_disk_remove(target, names.name[i], kv_for(KV_FOR_META)) != KV_OK)
            break;
    }
    kv_names_free(&names);
}

kv_status kv_backup(kv *db, const char *path)
{
    if (!kv_has(db, KV_CAP_BACKUP)) {
        return kv_fail(KV_UNSUPPORTED,
                       "the engine \"%s\" has no backup; dump it instead",
                       db->engine->info.name);
    }
    kv_disk *target = NULL;
    KV_TRY(kv_disk_open_beside(db->disk, path, true, &target));
    kv_status st = require_empty(target, path);
    if (st == KV_OK) {
        st = db->engine->backup(db, target);
        // Last, so that an unfinished copy is not taken for a store (I2).
        if (st == KV_OK) st = kv_identity_write(target, &db->front->identity);
        if (st != KV_OK) {
            char sentence[512];
            snprintf(sentence, sizeof sentence, "%s", kv_last_error());
            remove_all(target);
            kv_fail(st, "%s", sentence);
        }
    }
    kv_disk_close(target);
    return st;
}
