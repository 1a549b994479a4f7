// disk.c -- the calls of disk.h, each handed to the layer below.
// SPDX-License-Identifier: MIT

#include "common/disk.h"

#include <stdlib.h>

#include "common/mem.h"

const char *kv_reason_word(kv_reason reason)
{
    static const char *const words[] = {
#define X(code, word, text) word,
        KV_REASON_LIST(X)
#undef X
    };
    return (unsigned)reason < KV_REASONS ? words[reason] : "unknown";
}

// ---- files ------------------------------------------------------------------

kv_status kv_file_open(kv_disk *d, const char *name, kv_open_how how,
                       kv_why why, kv_file **out)
{
    return d->ops->open(d, name, how, why, out);
}

const char *kv_file_name(const kv_file *f) { return f->name; }

kv_status kv_file_read(kv_file *f, uint64_t offset, void *to, size_t len,
                       size_t *got, kv_why why)
{
    return f->disk->ops->read(f, offset, to, len, got, why);
}

kv_status kv_file_read_all(kv_file *f, uint64_t offset, void *to, size_t len,
                           kv_why why)
{
    size_t got = 0;
    KV_TRY(kv_file_read(f, offset, to, len, &got, why));
    if (got == len) return KV_OK;
    return kv_fail(KV_CORRUPT,
                   "%s: ends too soon: %zu bytes expected at offset %llu, %zu "
                   "are there",
                   f->name, len, (unsigned long long)offset, got);
}

kv_status kv_file_map(kv_file *f, uint64_t offset, size_t len, kv_why why,
                      kv_slice *out)
{
    return f->disk->ops->map(f, offset, len, why, out);
}

kv_status kv_file_write(kv_file *f, uint64_t offset, kv_slice bytes, kv_why why)
{
    return f->disk->ops->write(f, offset, bytes, why);
}

kv_status kv_file_truncate(kv_file *f, uint64_t size, kv_why why)
{
    return f->disk->ops->truncate(f, size, why);
}

kv_status kv_file_allocate(kv_file *f, uint64_t size, kv_why why)
{
    return f->disk->ops->allocate(f, size, why);
}

kv_status kv_file_size(kv_file *f, uint64_t *size)
{
    return f->disk->ops->size(f, size);
}

// Also where the disk is full a sync that failed leaves bytes in doubt (D4).
static kv_status of_sync(kv_status st)
{
    return st == KV_NO_SPACE ? KV_IO : st;
}

kv_status kv_file_sync(kv_file *f, kv_why why)
{
    return of_sync(f->disk->ops->sync(f, why));
}

kv_status kv_file_close(kv_file *f)
{
    return f != NULL ? f->disk->ops->close(f) : KV_OK;
}

// ---- the directory ----------------------------------------------------------

kv_status kv_disk_list(kv_disk *d, kv_names *out)
{
    return d->ops->list(d, out);
}

kv_status kv_disk_rename(kv_disk *d, const char *from, const char *to,
                         kv_why why)
{
    return d->ops->rename(d, from, to, why);
}

kv_status kv_disk_remove(kv_disk *d, const char *name, kv_why why)
{
    return d->ops->remove(d, name, why);
}

kv_status kv_disk_link(kv_disk *d, const char *name, kv_disk *target,
                       const char *target_name, kv_why why)
{
    return d->ops->link(d, name, target, target_name, why);
}

static kv_status copy_bytes(kv_file *from, kv_file *to, kv_why why)
{
    enum { CHUNK_BYTES = 1 << 20 };
    kv_buf chunk = {0};
    kv_buf_reserve(&chunk, CHUNK_BYTES);
    kv_status st = KV_OK;
    uint64_t at = 0;
    size_t got = CHUNK_BYTES;
    while (st == KV_OK && got == CHUNK_BYTES) {
        st = kv_file_read(from, at, chunk.data, CHUNK_BYTES, &got, why);
        if (st != KV_OK || got == 0) break;
        st = kv_file_write(to, at, kv_slice_of(chunk.data, got), why);
        at += got;
    }
    kv_buf_free(&chunk);
    return st == KV_OK ? kv_file_sync(to, why) : st;
}

static kv_status copy_file(kv_disk *d, const char *name, kv_disk *target,
                           kv_why why)
{
    kv_open_how read = {.mode = KV_OPEN_READ};
    kv_open_how create = {.mode = KV_OPEN_CREATE};
    kv_file *from = NULL, *to = NULL;
    kv_status st = kv_file_open(d, name, read, why, &from);
    if (st == KV_OK) st = kv_file_open(target, name, create, why, &to);
    if (st == KV_OK) st = copy_bytes(from, to, why);
    kv_status closed = kv_file_close(to);
    kv_file_close(from);
    return st == KV_OK ? closed : st;
}

kv_status kv_disk_share(kv_disk *d, const char *name, kv_disk *target,
                        kv_why why)
{
    kv_status st = kv_disk_link(d, name, target, name, why);
    return st == KV_UNSUPPORTED ? copy_file(d, name, target, why) : st;
}

kv_status kv_disk_sync_dir(kv_disk *d, kv_why why)
{
    return of_sync(d->ops->sync_dir(d, why));
}

kv_status kv_disk_lock(kv_disk *d, const char *name, kv_file **out)
{
    return d->ops->lock(d, name, out);
}

kv_status kv_disk_open_beside(kv_disk *d, const char *path, bool create,
                              kv_disk **out)
{
    return d->ops->open_beside(d, path, create, out);
}

void kv_disk_space(kv_disk *d, uint64_t *now, uint64_t *peak)
{
    d->ops->space(d, now, peak);
}

void kv_disk_close(kv_disk *d)
{
    if (d != NULL) d->ops->close_disk(d);
}

// ---- names ------------------------------------------------------------------

void kv_names_add(kv_names *names, const char *name)
{
    if (names->count == names->cap) {
        names->cap = names->cap > 0 ? names->cap * 2 : 16;
        names->name = kv_realloc(names->name, names->cap * sizeof(char *));
    }
    names->name[names->count++] = kv_strdup(name);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void kv_names_sort(kv_names *names)
{
    if (names->count == 0) return;
    qsort(names->name, names->count, sizeof(char *), compare_names);
}

void kv_names_free(kv_names *names)
{
    for (size_t i = 0; i < names->count; i++) kv_free(names->name[i]);
    kv_free(names->name);
    *names = (kv_names){0};
}
