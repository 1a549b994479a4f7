// identity.c -- see identity.h.
// SPDX-License-Identifier: MIT

#include "common/identity.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/coding.h"
#include "common/thread.h"

static const char lock_name[] = "LOCK";
static const char name[] = "IDENTITY";
static const char temporary_name[] = "IDENTITY.tmp";

enum { IDENTITY_MAX = 512 }; // bytes; a longer file is not one of ours

bool kv_identity_owns(const char *file)
{
    return strcmp(file, lock_name) == 0 || strcmp(file, name) == 0 ||
           strcmp(file, temporary_name) == 0;
}

// ---- the lock ---------------------------------------------------------------

static kv_status held_by_other(kv_file *lock, const char *path)
{
    char holder[64] = "";
    size_t got = 0;
    if (kv_file_read(lock, 0, holder, sizeof holder - 1, &got,
                     kv_for(KV_FOR_META)) != KV_OK) {
        got = 0;
    }
    holder[got] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    kv_file_close(lock);
    return kv_fail(KV_LOCKED,
                   "%s: the store is open elsewhere (%s); close it there first",
                   path, got > 0 ? holder : "the lock file does not say where");
}

kv_status kv_identity_lock(kv_disk *d, const char *path, kv_file **out)
{
    kv_file *lock = NULL;
    kv_status st = kv_disk_lock(d, lock_name, &lock);
    if (st == KV_LOCKED) return held_by_other(lock, path);
    KV_TRY(st);
    *out = lock;
    return KV_OK;
}

kv_status kv_identity_sign_lock(kv_file *lock)
{
    kv_why why = kv_for(KV_FOR_META);
    char text[64];
    snprintf(text, sizeof text, "held by process %ld\n", kv_process_id());
    KV_TRY(kv_file_truncate(lock, 0, why));
    return kv_file_write(lock, 0, kv_str(text), why);
}

// ---- the text ---------------------------------------------------------------

void kv_identity_encode(const kv_identity *identity, kv_buf *to)
{
    size_t from = to->len;
    kv_buf_printf(
        to, "stagecoach store\nengine %s\nformat %u.%u\nid %016" PRIx64 "\n",
        identity->engine, identity->major, identity->minor, identity->id);
    kv_slice lines = kv_slice_of(to->data + from, to->len - from);
    kv_buf_printf(to, "checksum %08" PRIx32 "\n", kv_crc32c(0, lines));
}

static bool parse(const char *text, kv_identity *out)
{
    unsigned major, minor;
    int scanned = sscanf(text,
                         "stagecoach store\nengine %31s\nformat %5u.%5u\n"
                         "id %16" SCNx64 "\n",
                         out->engine, &major, &minor, &out->id);
    if (scanned != 4 || major > UINT16_MAX || minor > UINT16_MAX) return false;
    out->major = (uint16_t)major;
    out->minor = (uint16_t)minor;
    return true;
}

kv_status kv_identity_decode(kv_slice text, kv_identity *out)
{
    char copy[IDENTITY_MAX + 1];
    kv_identity identity = {0};
    if (text.len <= IDENTITY_MAX && text.len > 0) {
        memcpy(copy, text.data, text.len);
        copy[text.len] = '\0';
        // Equal to its own encoding, checksum included: nothing else passes.
        kv_buf again = {0};
        bool is_parsed = parse(copy, &identity);
        if (is_parsed) kv_identity_encode(&identity, &again);
        bool is_same = is_parsed && kv_slice_equal(kv_buf_slice(&again), text);
        kv_buf_free(&again);
        if (is_same) {
            *out = identity;
            return KV_OK;
        }
    }
    return kv_fail(KV_CORRUPT,
                   "%s: its %zu bytes are not what was written; restore the "
                   "file from a backup of this store",
                   name, text.len);
}

// ---- the file ---------------------------------------------------------------

// I2: no identity is fine in a directory with nothing in it.
static kv_status require_new(kv_disk *d, const char *path)
{
    kv_names names = {0};
    KV_TRY(kv_disk_list(d, &names));
    kv_status st = KV_NOT_FOUND;
    for (size_t i = 0; i < names.count; i++) {
        if (kv_identity_owns(names.name[i])) continue;
        st = kv_fail(KV_INVALID,
                     "%s: has no file IDENTITY but has \"%s\": this is not a "
                     "store; name another directory, or an empty one",
                     path, names.name[i]);
        break;
    }
    kv_names_free(&names);
    return st;
}

kv_status kv_identity_read(kv_disk *d, const char *path, kv_identity *out)
{
    kv_file *file = NULL;
    kv_why why = kv_for(KV_FOR_RECOVERY);
    kv_status st =
        kv_file_open(d, name, (kv_open_how){.mode = KV_OPEN_READ}, why, &file);
    if (st == KV_NOT_FOUND) return require_new(d, path);
    KV_TRY(st);
    uint8_t text[IDENTITY_MAX + 1];
    size_t got = 0;
    st = kv_file_read(file, 0, text, sizeof text, &got, why);
    if (st == KV_OK) st = kv_identity_decode(kv_slice_of(text, got), out);
    kv_file_close(file);
    return st;
}

static kv_status write_synced(kv_disk *d, const char *file_name, kv_slice text)
{
    kv_why why = kv_for(KV_FOR_META);
    kv_file *file = NULL;
    KV_TRY(kv_file_open(d, file_name, (kv_open_how){.mode = KV_OPEN_CREATE},
                        why, &file));
    kv_status st = kv_file_write(file, 0, text, why);
    if (st == KV_OK) st = kv_file_sync(file, why);
    kv_status closed = kv_file_close(file);
    return st != KV_OK ? st : closed;
}

kv_status kv_identity_tidy(kv_disk *d)
{
    kv_status st = kv_disk_remove(d, temporary_name, kv_for(KV_FOR_META));
    return st == KV_NOT_FOUND ? KV_OK : st;
}

kv_status kv_identity_write(kv_disk *d, const kv_identity *identity)
{
    kv_why why = kv_for(KV_FOR_META);
    KV_TRY(kv_identity_tidy(d));
    kv_buf text = {0};
    kv_identity_encode(identity, &text);
    kv_status st = write_synced(d, temporary_name, kv_buf_slice(&text)); // I1
    kv_buf_free(&text);
    KV_TRY(st);
    KV_TRY(kv_disk_rename(d, temporary_name, name, why));
    return kv_disk_sync_dir(d, why);
}
