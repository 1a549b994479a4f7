// disk_count.c -- see disk_count.h.
// SPDX-License-Identifier: MIT

#include "common/disk_count.h"

#include "common/mem.h"
#include "common/thread.h"

enum { BLOCK_BYTES = 4096 }; // what a file system allocates at a time

// A kv_disk_stats that grows while others read it.
typedef struct sums {
    _Atomic uint64_t reads, read_bytes, writes, write_bytes;
    _Atomic uint64_t sequential_bytes, syncs;
} sums;

// One thread's counters.
typedef struct tally {
    _Alignas(64) sums by[KV_REASONS][2]; // [1]: a background step's
} tally;

// A file on disk, however often it is open and whatever it is called now.
typedef struct entry {
    struct entry *next;
    char *name;                      // NULL once it was removed
    _Atomic uint64_t blocks;         // it occupies; changed under the lock
    _Atomic uint64_t last_write_end; // by whoever writes
    unsigned open_count;
} entry;

typedef struct count_disk {
    kv_disk base;
    kv_disk *below;
    tally *tallies; // KV_THREAD_SLOTS of them
    kv_mutex lock;  // guards the ledger: entries and sums
    entry *entries;
    _Atomic uint64_t blocks, blocks_peak;
} count_disk;

typedef struct count_file {
    kv_file base;
    kv_file *below;
    entry *entry;
    kv_open_how how;
} count_file;

static const kv_disk_ops count_ops;

static count_disk *disk_of(kv_disk *d) { return (count_disk *)d; }

static count_file *file_of(kv_file *f) { return (count_file *)f; }

#define COUNT(disk, why, what, n)                                              \
    kv_count(&(disk)                                                           \
                  ->tallies[kv_thread_slot()]                                  \
                  .by[(why).reason][(why).background]                          \
                  .what,                                                       \
             kv_thread_slot(), (n))

// ---- the ledger -------------------------------------------------------------

// Requires the lock.
static void set_blocks(count_disk *d, entry *e, uint64_t blocks)
{
    uint64_t before = atomic_load(&e->blocks);
    if (blocks == before) return;
    uint64_t sum = atomic_load(&d->blocks) - before + blocks;
    atomic_store(&e->blocks, blocks);
    atomic_store(&d->blocks, sum);
    if (sum > atomic_load(&d->blocks_peak)) atomic_store(&d->blocks_peak, sum);
}

static uint64_t blocks_of(uint64_t bytes)
{
    return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

// The file reaches to `end` at least, and keeps what was allocated ahead. Most
// writes end in a block that is there already: those need no lock.
static void grow_to(count_disk *d, entry *e, uint64_t end)
{
    uint64_t blocks = blocks_of(end);
    if (KV_LIKELY(blocks <=
                  atomic_load_explicit(&e->blocks, memory_order_relaxed))) {
        return;
    }
    kv_mutex_lock(&d->lock);
    if (blocks > atomic_load(&e->blocks)) set_blocks(d, e, blocks);
    kv_mutex_unlock(&d->lock);
}

static entry *find(count_disk *d, const char *name)
{
    entry *e = d->entries;
    while (e != NULL && (e->name == NULL || strcmp(e->name, name) != 0)) {
        e = e->next;
    }
    return e;
}

static entry *find_or_add(count_disk *d, const char *name)
{
    entry *e = find(d, name);
    if (e != NULL) return e;
    e = kv_zalloc(sizeof *e);
    e->name = kv_strdup(name);
    e->next = d->entries;
    d->entries = e;
    return e;
}

// Takes the entry off the ledger if nothing holds it on disk any more.
static void drop_if_gone(count_disk *d, entry *e)
{
    if (e->name != NULL || e->open_count > 0) return;
    set_blocks(d, e, 0);
    entry **at = &d->entries;
    while (*at != e) at = &(*at)->next;
    *at = e->next;
    kv_free(e);
}

static void lose_name(count_disk *d, const char *name)
{
    entry *e = find(d, name);
    if (e == NULL) return;
    kv_free(e->name);
    e->name = NULL;
    drop_if_gone(d, e);
}

// ---- files ------------------------------------------------------------------

static kv_status wrap(count_disk *d, const char *name, kv_file *below,
                      kv_file **out)
{
    uint64_t size = 0;
    kv_status st = kv_file_size(below, &size);
    if (st != KV_OK) {
        kv_file_close(below);
        return st;
    }
    count_file *f = kv_zalloc(sizeof *f);
    f->base = (kv_file){.disk = &d->base, .name = kv_strdup(name)};
    f->below = below;
    kv_mutex_lock(&d->lock);
    f->entry = find_or_add(d, name);
    if (f->entry->open_count++ == 0 && blocks_of(size) > f->entry->blocks) {
        set_blocks(d, f->entry, blocks_of(size));
    }
    kv_mutex_unlock(&d->lock);
    *out = &f->base;
    return KV_OK;
}

static kv_status count_open(kv_disk *d, const char *name, kv_open_how how,
                            kv_why why, kv_file **out)
{
    kv_file *below = NULL;
    KV_TRY(kv_file_open(disk_of(d)->below, name, how, why, &below));
    KV_TRY(wrap(disk_of(d), name, below, out));
    file_of(*out)->how = how;
    return KV_OK;
}

static kv_status count_read(kv_file *f, uint64_t offset, void *to, size_t len,
                            size_t *got, kv_why why)
{
    KV_TRY(kv_file_read(file_of(f)->below, offset, to, len, got, why));
    count_disk *d = disk_of(f->disk);
    COUNT(d, why, reads, 1);
    COUNT(d, why, read_bytes, *got);
    return KV_OK;
}

static kv_status count_map(kv_file *f, uint64_t offset, size_t len, kv_why why,
                           kv_slice *out)
{
    KV_TRY(kv_file_map(file_of(f)->below, offset, len, why, out));
    count_disk *d = disk_of(f->disk);
    COUNT(d, why, reads, 1);
    COUNT(d, why, read_bytes, len);
    return KV_OK;
}

static kv_status count_write(kv_file *f, uint64_t offset, kv_slice bytes,
                             kv_why why)
{
    count_disk *d = disk_of(f->disk);
    entry *e = file_of(f)->entry;
    KV_TRY(kv_file_write(file_of(f)->below, offset, bytes, why));
    COUNT(d, why, writes, 1);
    COUNT(d, why, write_bytes, bytes.len);
    uint64_t end = offset + bytes.len;
    if (offset ==
        atomic_load_explicit(&e->last_write_end, memory_order_relaxed)) {
        COUNT(d, why, sequential_bytes, bytes.len);
    }
    atomic_store_explicit(&e->last_write_end, end, memory_order_relaxed);
    grow_to(d, e, end);
    return KV_OK;
}

static kv_status count_truncate(kv_file *f, uint64_t size, kv_why why)
{
    count_disk *d = disk_of(f->disk);
    KV_TRY(kv_file_truncate(file_of(f)->below, size, why));
    kv_mutex_lock(&d->lock);
    set_blocks(d, file_of(f)->entry, blocks_of(size));
    kv_mutex_unlock(&d->lock);
    return KV_OK;
}

static kv_status count_allocate(kv_file *f, uint64_t size, kv_why why)
{
    count_disk *d = disk_of(f->disk);
    kv_open_how how = file_of(f)->how;
    uint64_t end = size, from;
    if (how.zeroes_from > 0) KV_TRY(kv_file_size(file_of(f)->below, &end));
    KV_TRY(kv_file_allocate(file_of(f)->below, size, why));
    uint64_t zeroes = kv_zeroes_to_write(how, end, size, &from);
    if (zeroes > 0) {
        COUNT(d, why, writes, 1);
        COUNT(d, why, write_bytes, zeroes);
    }
    grow_to(d, file_of(f)->entry, size);
    return KV_OK;
}

static kv_status count_size(kv_file *f, uint64_t *size)
{
    return kv_file_size(file_of(f)->below, size);
}

static kv_status count_sync(kv_file *f, kv_why why)
{
    KV_TRY(kv_file_sync(file_of(f)->below, why));
    COUNT(disk_of(f->disk), why, syncs, 1);
    return KV_OK;
}

static kv_status count_close(kv_file *f)
{
    count_disk *d = disk_of(f->disk);
    kv_status st = kv_file_close(file_of(f)->below);
    kv_mutex_lock(&d->lock);
    file_of(f)->entry->open_count--;
    drop_if_gone(d, file_of(f)->entry);
    kv_mutex_unlock(&d->lock);
    kv_free(f->name);
    kv_free(f);
    return st;
}

// ---- the directory ----------------------------------------------------------

static kv_status count_list(kv_disk *d, kv_names *out)
{
    return kv_disk_list(disk_of(d)->below, out);
}

static kv_status count_rename(kv_disk *disk, const char *from, const char *to,
                              kv_why why)
{
    count_disk *d = disk_of(disk);
    KV_TRY(kv_disk_rename(d->below, from, to, why));
    if (strcmp(from, to) == 0) return KV_OK;
    kv_mutex_lock(&d->lock);
    lose_name(d, to);
    entry *e = find_or_add(d, from);
    kv_free(e->name);
    e->name = kv_strdup(to);
    kv_mutex_unlock(&d->lock);
    return KV_OK;
}

static kv_status count_remove(kv_disk *disk, const char *name, kv_why why)
{
    count_disk *d = disk_of(disk);
    KV_TRY(kv_disk_remove(d->below, name, why));
    kv_mutex_lock(&d->lock);
    lose_name(d, name);
    kv_mutex_unlock(&d->lock);
    return KV_OK;
}

// The second name is in another directory, whose ledger counts it there.
static kv_status count_link(kv_disk *d, const char *name, kv_disk *target,
                            const char *target_name, kv_why why)
{
    return kv_disk_link(disk_of(d)->below, name, disk_of(target)->below,
                        target_name, why);
}

static kv_status count_sync_dir(kv_disk *d, kv_why why)
{
    KV_TRY(kv_disk_sync_dir(disk_of(d)->below, why));
    COUNT(disk_of(d), why, syncs, 1);
    return KV_OK;
}

static kv_status count_lock(kv_disk *d, const char *name, kv_file **out)
{
    kv_file *below = NULL;
    kv_status locked = kv_disk_lock(disk_of(d)->below, name, &below);
    if (locked != KV_OK && locked != KV_LOCKED) return locked;
    KV_TRY(wrap(disk_of(d), name, below, out));
    return locked;
}

static kv_status count_open_beside(kv_disk *d, const char *path, bool create,
                                   kv_disk **out)
{
    kv_disk *below = NULL;
    KV_TRY(kv_disk_open_beside(disk_of(d)->below, path, create, &below));
    kv_status st = kv_disk_open_count(below, out);
    if (st != KV_OK) kv_disk_close(below);
    return st;
}

static void count_space(kv_disk *d, uint64_t *now, uint64_t *peak)
{
    *now = atomic_load(&disk_of(d)->blocks) * BLOCK_BYTES;
    *peak = atomic_load(&disk_of(d)->blocks_peak) * BLOCK_BYTES;
}

static void count_close_disk(kv_disk *disk)
{
    count_disk *d = disk_of(disk);
    if (d->below != NULL) kv_disk_close(d->below);
    while (d->entries != NULL) {
        entry *e = d->entries;
        d->entries = e->next;
        kv_free(e->name);
        kv_free(e);
    }
    kv_mutex_free(&d->lock);
    kv_free_pages(d->tallies, KV_THREAD_SLOTS * sizeof *d->tallies);
    kv_free(d);
}

kv_disk *kv_disk_count_release(kv_disk *d)
{
    kv_disk *below = disk_of(d)->below;
    disk_of(d)->below = NULL;
    count_close_disk(d);
    return below;
}

static const kv_disk_ops count_ops = {
    .open = count_open,
    .read = count_read,
    .map = count_map,
    .write = count_write,
    .truncate = count_truncate,
    .allocate = count_allocate,
    .size = count_size,
    .sync = count_sync,
    .close = count_close,
    .list = count_list,
    .rename = count_rename,
    .remove = count_remove,
    .link = count_link,
    .sync_dir = count_sync_dir,
    .lock = count_lock,
    .open_beside = count_open_beside,
    .space = count_space,
    .close_disk = count_close_disk,
};

// Enters what is there already. Opening it for that reads no bytes.
static kv_status enter_files(count_disk *d)
{
    kv_names names = {0};
    KV_TRY(kv_disk_list(d->below, &names));
    kv_status st = KV_OK;
    for (size_t i = 0; i < names.count && st == KV_OK; i++) {
        kv_file *file = NULL;
        st = kv_file_open(&d->base, names.name[i],
                          (kv_open_how){.mode = KV_OPEN_READ},
                          kv_for(KV_FOR_META), &file);
        // What is no file, or not ours to read, is not the store's space.
        if (st == KV_OK) st = kv_file_close(file);
        if (st == KV_NOT_FOUND) st = KV_OK;
    }
    kv_names_free(&names);
    return st;
}

kv_status kv_disk_open_count(kv_disk *below, kv_disk **out)
{
    count_disk *d = kv_zalloc(sizeof *d);
    d->base.ops = &count_ops;
    d->below = below;
    d->tallies = kv_alloc_pages(KV_THREAD_SLOTS * sizeof *d->tallies);
    kv_mutex_init(&d->lock);
    kv_status st = enter_files(d);
    if (st != KV_OK) {
        kv_disk_count_release(&d->base);
        return st;
    }
    *out = &d->base;
    return KV_OK;
}

static uint64_t now(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_sums(kv_disk_stats *to, const sums *from)
{
    to->reads += now(&from->reads);
    to->read_bytes += now(&from->read_bytes);
    to->writes += now(&from->writes);
    to->write_bytes += now(&from->write_bytes);
    to->sequential_bytes += now(&from->sequential_bytes);
    to->syncs += now(&from->syncs);
}

static void add_stats(kv_disk_stats *to, const kv_disk_stats *from)
{
    to->reads += from->reads;
    to->read_bytes += from->read_bytes;
    to->writes += from->writes;
    to->write_bytes += from->write_bytes;
    to->sequential_bytes += from->sequential_bytes;
    to->syncs += from->syncs;
}

void kv_disk_count_read(kv_disk *disk, kv_disk_stats *all,
                        kv_disk_stats *waited)
{
    const count_disk *d = disk_of(disk);
    for (int reason = 0; reason < KV_REASONS; reason++) {
        all[reason] = waited[reason] = (kv_disk_stats){0};
        for (int slot = 0; slot < KV_THREAD_SLOTS; slot++) {
            add_sums(&waited[reason], &d->tallies[slot].by[reason][0]);
            add_sums(&all[reason], &d->tallies[slot].by[reason][1]);
        }
        add_stats(&all[reason], &waited[reason]); // so that all >= waited
    }
}
