// disk_trace.c -- see disk_trace.h.
// SPDX-License-Identifier: MIT

#include "common/disk_trace.h"

#include <inttypes.h>

#include "common/mem.h"
#include "common/thread.h"

typedef struct trace_disk {
    kv_disk base;
    kv_disk *below;
    kv_trace_observer *observe;
    void *arg;
    kv_mutex lock; // of the observer; guards count
    uint64_t count;
    bool is_beside;
} trace_disk;

typedef struct trace_file {
    kv_file base;
    kv_file *below;
} trace_file;

static const kv_disk_ops trace_ops;

static trace_disk *disk_of(kv_disk *d) { return (trace_disk *)d; }

static kv_file *below_of(kv_file *f) { return ((trace_file *)f)->below; }

// The observer may open disks of its own, traced ones too: it is told under a
// lock of this disk only.
static void tell(kv_disk *disk, kv_trace_event event)
{
    trace_disk *d = disk_of(disk);
    kv_mutex_lock(&d->lock);
    event.number = d->count++;
    event.is_beside = d->is_beside;
    d->observe(d->arg, &event);
    kv_mutex_unlock(&d->lock);
}

const char *kv_trace_word(kv_trace_kind kind)
{
    static const char *const words[] = {
#define X(code, word) word,
        KV_TRACE_LIST(X)
#undef X
    };
    return words[kind];
}

void kv_trace_print(void *arg, const kv_trace_event *e)
{
    kv_buf *to = arg;
    if (e->kind == KV_TRACE_MARK) {
        kv_buf_printf(to, "-- %s\n", e->name);
        return;
    }
    kv_buf_printf(to, "%-8s %-8s %s", kv_reason_word((kv_reason)e->why.reason),
                  kv_trace_word(e->kind), e->name);
    if (e->to != NULL) kv_buf_printf(to, " to %s", e->to);
    if (e->kind == KV_TRACE_WRITE) {
        kv_buf_printf(to, " @%" PRIu64 " +%zu", e->offset, e->bytes.len);
    } else if (e->kind == KV_TRACE_TRUNCATE || e->kind == KV_TRACE_ALLOCATE) {
        kv_buf_printf(to, " to %" PRIu64 " bytes", e->offset);
    }
    kv_buf_printf(to, "\n");
}

// ---- files ------------------------------------------------------------------

static kv_file *wrap(kv_disk *d, const char *name, kv_file *below)
{
    trace_file *f = kv_zalloc(sizeof *f);
    f->base = (kv_file){.disk = d, .name = kv_strdup(name)};
    f->below = below;
    return &f->base;
}

static kv_status trace_open(kv_disk *d, const char *name, kv_open_how how,
                            kv_why why, kv_file **out)
{
    kv_file *below = NULL;
    if (how.mode == KV_OPEN_CREATE) {
        tell(d, (kv_trace_event){
                    .kind = KV_TRACE_CREATE, .why = why, .name = name});
    }
    KV_TRY(kv_file_open(disk_of(d)->below, name, how, why, &below));
    *out = wrap(d, name, below);
    return KV_OK;
}

static kv_status trace_read(kv_file *f, uint64_t offset, void *to, size_t len,
                            size_t *got, kv_why why)
{
    return kv_file_read(below_of(f), offset, to, len, got, why);
}

static kv_status trace_map(kv_file *f, uint64_t offset, size_t len, kv_why why,
                           kv_slice *out)
{
    return kv_file_map(below_of(f), offset, len, why, out);
}

static kv_status trace_write(kv_file *f, uint64_t offset, kv_slice bytes,
                             kv_why why)
{
    tell(f->disk, (kv_trace_event){.kind = KV_TRACE_WRITE,
                                   .why = why,
                                   .name = f->name,
                                   .offset = offset,
                                   .bytes = bytes});
    return kv_file_write(below_of(f), offset, bytes, why);
}

static kv_status trace_truncate(kv_file *f, uint64_t size, kv_why why)
{
    tell(f->disk, (kv_trace_event){.kind = KV_TRACE_TRUNCATE,
                                   .why = why,
                                   .name = f->name,
                                   .offset = size});
    return kv_file_truncate(below_of(f), size, why);
}

static kv_status trace_allocate(kv_file *f, uint64_t size, kv_why why)
{
    tell(f->disk, (kv_trace_event){.kind = KV_TRACE_ALLOCATE,
                                   .why = why,
                                   .name = f->name,
                                   .offset = size});
    return kv_file_allocate(below_of(f), size, why);
}

static kv_status trace_size(kv_file *f, uint64_t *size)
{
    return kv_file_size(below_of(f), size);
}

static kv_status trace_sync(kv_file *f, kv_why why)
{
    tell(f->disk,
         (kv_trace_event){.kind = KV_TRACE_SYNC, .why = why, .name = f->name});
    return kv_file_sync(below_of(f), why);
}

static kv_status trace_close(kv_file *f)
{
    kv_status st = kv_file_close(below_of(f));
    kv_free(f->name);
    kv_free(f);
    return st;
}

// ---- the directory ----------------------------------------------------------

static kv_status trace_list(kv_disk *d, kv_names *out)
{
    return kv_disk_list(disk_of(d)->below, out);
}

static kv_status trace_rename(kv_disk *d, const char *from, const char *to,
                              kv_why why)
{
    tell(d, (kv_trace_event){
                .kind = KV_TRACE_RENAME, .why = why, .name = from, .to = to});
    return kv_disk_rename(disk_of(d)->below, from, to, why);
}

static kv_status trace_remove(kv_disk *d, const char *name, kv_why why)
{
    tell(d,
         (kv_trace_event){.kind = KV_TRACE_REMOVE, .why = why, .name = name});
    return kv_disk_remove(disk_of(d)->below, name, why);
}

static kv_status trace_link(kv_disk *d, const char *name, kv_disk *target,
                            const char *target_name, kv_why why)
{
    tell(d, (kv_trace_event){.kind = KV_TRACE_LINK,
                             .why = why,
                             .name = name,
                             .to = target_name});
    return kv_disk_link(disk_of(d)->below, name, disk_of(target)->below,
                        target_name, why);
}

static kv_status trace_sync_dir(kv_disk *d, kv_why why)
{
    tell(d,
         (kv_trace_event){.kind = KV_TRACE_SYNC_DIR, .why = why, .name = "."});
    return kv_disk_sync_dir(disk_of(d)->below, why);
}

static kv_status trace_lock(kv_disk *d, const char *name, kv_file **out)
{
    kv_file *below = NULL;
    kv_status locked = kv_disk_lock(disk_of(d)->below, name, &below);
    if (locked != KV_OK && locked != KV_LOCKED) return locked;
    *out = wrap(d, name, below);
    return locked;
}

static kv_status trace_open_beside(kv_disk *d, const char *path, bool create,
                                   kv_disk **out)
{
    kv_disk *below = NULL;
    KV_TRY(kv_disk_open_beside(disk_of(d)->below, path, create, &below));
    KV_TRY(
        kv_disk_open_trace(below, disk_of(d)->observe, disk_of(d)->arg, out));
    disk_of(*out)->is_beside = true;
    return KV_OK;
}

static void trace_space(kv_disk *d, uint64_t *now, uint64_t *peak)
{
    kv_disk_space(disk_of(d)->below, now, peak);
}

static void trace_close_disk(kv_disk *d)
{
    kv_disk_close(disk_of(d)->below);
    kv_mutex_free(&disk_of(d)->lock);
    kv_free(d);
}

static const kv_disk_ops trace_ops = {
    .open = trace_open,
    .read = trace_read,
    .map = trace_map,
    .write = trace_write,
    .truncate = trace_truncate,
    .allocate = trace_allocate,
    .size = trace_size,
    .sync = trace_sync,
    .close = trace_close,
    .list = trace_list,
    .rename = trace_rename,
    .remove = trace_remove,
    .link = trace_link,
    .sync_dir = trace_sync_dir,
    .lock = trace_lock,
    .open_beside = trace_open_beside,
    .space = trace_space,
    .close_disk = trace_close_disk,
};

kv_status kv_disk_open_trace(kv_disk *below, kv_trace_observer *observe,
                             void *arg, kv_disk **out)
{
    trace_disk *d = kv_zalloc(sizeof *d);
    d->base.ops = &trace_ops;
    d->below = below;
    d->observe = observe;
    d->arg = arg;
    kv_mutex_init(&d->lock);
    *out = &d->base;
    return KV_OK;
}

void kv_disk_trace_mark(kv_disk *d, const char *text)
{
    tell(d, (kv_trace_event){.kind = KV_TRACE_MARK,
                             .why = kv_for(KV_FOR_META),
                             .name = text});
}
