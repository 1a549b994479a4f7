// disk_sim.c -- see disk_sim.h: the calls of a disk.
// SPDX-License-Identifier: MIT

#include "common/disk_sim.h"

#include <assert.h>

#include "common/disk_sim_impl.h"
#include "common/mem.h"

enum { SECTOR_BYTES = 512 };

typedef struct view {
    struct view *next;
    uint8_t *bytes;
} view;

typedef struct sim_file {
    kv_file base;
    kv_sim_node *node;
    bool holds_lock;
    view *views; // copies handed out by map
} sim_file;

static const kv_disk_ops sim_ops;

static kv_sim_disk *disk_of(kv_disk *d) { return (kv_sim_disk *)d; }

static sim_file *file_of(kv_file *f) { return (sim_file *)f; }

static kv_sim_disk *lock_disk(kv_disk *d)
{
    kv_mutex_lock(&disk_of(d)->lock);
    return disk_of(d);
}

static kv_status unlock_disk(kv_sim_disk *d, kv_status st)
{
    kv_mutex_unlock(&d->lock);
    return st;
}

// ---- names and nodes --------------------------------------------------------

static size_t place_of(const kv_sim_names *names, const char *name)
{
    size_t i = 0;
    while (i < names->count && strcmp(names->name[i].name, name) != 0) i++;
    return i;
}

kv_sim_node *kv_sim_find(const kv_sim_names *names, const char *name)
{
    size_t i = place_of(names, name);
    return i < names->count ? names->name[i].node : NULL;
}

void kv_sim_release(kv_sim_node *node)
{
    assert(node->holders > 0);
    if (--node->holders > 0) return;
    kv_buf_free(&node->now);
    kv_buf_free(&node->disk);
    kv_free(node);
}

void kv_sim_bind(kv_sim_names *names, const char *name, kv_sim_node *node)
{
    size_t i = place_of(names, name);
    if (node != NULL) node->holders++;
    if (i < names->count) {
        kv_sim_release(names->name[i].node);
        names->name[i].node = node;
        if (node != NULL) return;
        kv_free(names->name[i].name);
        names->name[i] = names->name[--names->count];
        return;
    }
    if (node == NULL) return;
    if (names->count == names->cap) {
        names->cap = names->cap > 0 ? names->cap * 2 : 8;
        names->name = kv_realloc(names->name, names->cap * sizeof *names->name);
    }
    names->name[names->count++] = (kv_sim_name){kv_strdup(name), node};
}

static void use(kv_sim_disk *d, kv_sim_node *node)
{
    if (node->now_users++ == 0) d->used += node->now.len;
}

static void stop_using(kv_sim_disk *d, kv_sim_node *node)
{
    if (--node->now_users == 0) d->used -= node->now.len;
}

// What `name` means now.
static void rebind(kv_sim_disk *d, const char *name, kv_sim_node *node)
{
    kv_sim_node *old = kv_sim_find(&d->now, name);
    if (node != NULL) use(d, node);
    if (old != NULL) stop_using(d, old);
    kv_sim_bind(&d->now, name, node);
}

void kv_sim_resize(kv_buf *bytes, uint64_t size)
{
    if (size > bytes->len) {
        kv_buf_reserve(bytes, (size_t)size - bytes->len);
        memset(bytes->data + bytes->len, 0, (size_t)size - bytes->len);
    }
    bytes->len = (size_t)size;
}

// ---- atoms ------------------------------------------------------------------

static kv_sim_atom *add_atom(kv_sim_disk *d, kv_sim_atom_kind kind,
                             kv_sim_node *node, const char *name)
{
    if (d->atom_count == d->atom_cap) {
        d->atom_cap = d->atom_cap > 0 ? d->atom_cap * 2 : 16;
        d->atoms = kv_realloc(d->atoms, d->atom_cap * sizeof *d->atoms);
    }
    kv_sim_atom *atom = &d->atoms[d->atom_count++];
    *atom = (kv_sim_atom){.kind = kind, .node = node};
    if (name != NULL) atom->name = kv_strdup(name);
    node->holders++;
    return atom;
}

static void free_atom(kv_sim_atom *atom)
{
    kv_buf_free(&atom->bytes);
    kv_free(atom->name);
    kv_sim_release(atom->node);
}

void kv_sim_apply(const kv_sim_atom *atom, kv_buf *bytes, kv_sim_names *names)
{
    switch (atom->kind) {
    case KV_SIM_WRITE: {
        uint64_t end = atom->offset + atom->bytes.len;
        if (end > bytes->len) kv_sim_resize(bytes, end);
        memcpy(bytes->data + atom->offset, atom->bytes.data, atom->bytes.len);
        break;
    }
    case KV_SIM_SIZE:
        kv_sim_resize(bytes, atom->offset);
        break;
    case KV_SIM_NAME:
        kv_sim_bind(names, atom->name, atom->node);
        break;
    case KV_SIM_GONE:
        kv_sim_bind(names, atom->name, NULL);
        break;
    }
}

static bool is_data(const kv_sim_atom *atom)
{
    return atom->kind == KV_SIM_WRITE || atom->kind == KV_SIM_SIZE;
}

// Takes the atoms of a file's data (of the names, for NULL) off the list; the
// first `keep` of them reach the disk.
static void settle_atoms(kv_sim_disk *d, const kv_sim_node *node, size_t keep)
{
    size_t left = 0, met = 0;
    for (size_t i = 0; i < d->atom_count; i++) {
        kv_sim_atom *atom = &d->atoms[i];
        bool mine =
            node != NULL ? is_data(atom) && atom->node == node : !is_data(atom);
        if (!mine) {
            d->atoms[left++] = *atom;
            continue;
        }
        if (met++ < keep) kv_sim_apply(atom, &atom->node->disk, &d->disk);
        free_atom(atom);
    }
    d->atom_count = left;
}

static size_t count_data(const kv_sim_disk *d, const kv_sim_node *node)
{
    size_t count = 0;
    for (size_t i = 0; i < d->atom_count; i++) {
        count += is_data(&d->atoms[i]) && d->atoms[i].node == node;
    }
    return count;
}

// ---- files ------------------------------------------------------------------

static kv_status make_file(kv_sim_disk *d, const char *name, kv_sim_node *node,
                           kv_file **out)
{
    sim_file *f = kv_zalloc(sizeof *f);
    f->base = (kv_file){.disk = &d->base, .name = kv_strdup(name)};
    f->node = node;
    node->holders++;
    use(d, node);
    d->open_count++;
    *out = &f->base;
    return KV_OK;
}

static kv_status too_many(const kv_sim_disk *d, const char *name)
{
    return kv_fail(KV_IO, "%s: cannot open: %u files are open already", name,
                   d->open_count);
}

static bool is_at_limit(const kv_sim_disk *d)
{
    return d->options.open_max > 0 && d->open_count >= d->options.open_max;
}

static kv_sim_node *make_node(kv_sim_disk *d, const char *name)
{
    kv_sim_node *node = kv_zalloc(sizeof *node);
    add_atom(d, KV_SIM_NAME, node, name);
    rebind(d, name, node);
    return node;
}

static kv_status sim_open(kv_disk *disk, const char *name, kv_open_how how,
                          kv_why why, kv_file **out)
{
    (void)why;
    kv_sim_disk *d = lock_disk(disk);
    kv_sim_node *node = kv_sim_find(&d->now, name);
    if (is_at_limit(d)) return unlock_disk(d, too_many(d, name));
    if (how.mode == KV_OPEN_CREATE) {
        if (node != NULL) {
            return unlock_disk(d, kv_fail(KV_IO, "%s: exists already", name));
        }
        node = make_node(d, name);
    }
    if (node == NULL) return unlock_disk(d, KV_NOT_FOUND);
    return unlock_disk(d, make_file(d, name, node, out));
}

static kv_status sim_read(kv_file *f, uint64_t offset, void *to, size_t len,
                          size_t *got, kv_why why)
{
    (void)why;
    kv_sim_disk *d = lock_disk(f->disk);
    const kv_buf *now = &file_of(f)->node->now;
    *got = 0;
    if (offset < now->len) {
        *got = now->len - offset < len ? (size_t)(now->len - offset) : len;
        memcpy(to, now->data + offset, *got);
    }
    return unlock_disk(d, KV_OK);
}

static kv_status sim_map(kv_file *f, uint64_t offset, size_t len, kv_why why,
                         kv_slice *out)
{
    view *v = kv_zalloc(sizeof *v);
    v->bytes = kv_alloc(len > 0 ? len : 1);
    kv_sim_disk *d = lock_disk(f->disk);
    v->next = file_of(f)->views;
    file_of(f)->views = v;
    unlock_disk(d, KV_OK);
    *out = kv_slice_of(v->bytes, len);
    return kv_file_read_all(f, offset, v->bytes, len, why);
}

// How many of `len` bytes at `offset` the disk has room for.
static size_t room_for(const kv_sim_disk *d, const kv_sim_node *node,
                       uint64_t offset, size_t len)
{
    uint64_t end = offset + len;
    if (d->options.capacity == 0 || end <= node->now.len) return len;
    uint64_t left =
        d->used < d->options.capacity ? d->options.capacity - d->used : 0;
    uint64_t limit = node->now.len + left;
    if (end <= limit) return len;
    return limit > offset ? (size_t)(limit - offset) : 0;
}

static void set_size(kv_sim_disk *d, kv_sim_node *node, uint64_t size)
{
    d->used = d->used - node->now.len + size;
    kv_sim_resize(&node->now, size);
}

static void write_sectors(kv_sim_disk *d, kv_sim_node *node, uint64_t offset,
                          kv_slice bytes)
{
    uint32_t sector = d->options.sector;
    while (bytes.len > 0) {
        size_t piece = sector - (size_t)(offset % sector);
        if (piece > bytes.len) piece = bytes.len;
        kv_sim_atom *atom = add_atom(d, KV_SIM_WRITE, node, NULL);
        atom->offset = offset;
        kv_buf_append(&atom->bytes, kv_slice_of(bytes.data, piece));
        if (offset + piece > node->now.len) set_size(d, node, offset + piece);
        memcpy(node->now.data + offset, bytes.data, piece);
        offset += piece;
        bytes = kv_slice_of(bytes.data + piece, bytes.len - piece);
    }
}

static kv_status sim_write(kv_file *f, uint64_t offset, kv_slice bytes,
                           kv_why why)
{
    (void)why;
    kv_sim_disk *d = lock_disk(f->disk);
    kv_sim_node *node = file_of(f)->node;
    size_t fits = room_for(d, node, offset, bytes.len);
    write_sectors(d, node, offset, kv_slice_of(bytes.data, fits));
    if (fits == bytes.len) return unlock_disk(d, KV_OK);
    return unlock_disk(d,
                       kv_fail(KV_NO_SPACE, "%s: the disk is full", f->name));
}

static kv_status sim_truncate(kv_file *f, uint64_t size, kv_why why)
{
    (void)why;
    kv_sim_disk *d = lock_disk(f->disk);
    kv_sim_node *node = file_of(f)->node;
    add_atom(d, KV_SIM_SIZE, node, NULL)->offset = size;
    set_size(d, node, size);
    return unlock_disk(d, KV_OK);
}

static kv_status sim_allocate(kv_file *f, uint64_t size, kv_why why)
{
    (void)why;
    kv_sim_disk *d = lock_disk(f->disk);
    kv_sim_node *node = file_of(f)->node;
    if (size <= node->now.len) return unlock_disk(d, KV_OK);
    size_t more = (size_t)(size - node->now.len);
    if (room_for(d, node, node->now.len, more) < more) {
        return unlock_disk(
            d, kv_fail(KV_NO_SPACE, "%s: the disk is full", f->name));
    }
    add_atom(d, KV_SIM_SIZE, node, NULL)->offset = size;
    set_size(d, node, size);
    return unlock_disk(d, KV_OK);
}

static kv_status sim_size(kv_file *f, uint64_t *size)
{
    kv_sim_disk *d = lock_disk(f->disk);
    *size = file_of(f)->node->now.len;
    return unlock_disk(d, KV_OK);
}

static kv_status lose_pages(kv_sim_disk *d, kv_sim_node *node, const char *name)
{
    if (node != NULL) {
        size_t half = d->loss == KV_SIM_HALF ? count_data(d, node) / 2 : 0;
        settle_atoms(d, node, half);
        if (d->loss == KV_SIM_REVERTS) {
            set_size(d, node, node->disk.len);
            if (node->disk.len > 0) {
                memcpy(node->now.data, node->disk.data, node->disk.len);
            }
        }
    }
    return kv_fail(KV_IO, "%s: cannot sync: Input/output error", name);
}

static kv_status sim_sync(kv_file *f, kv_why why)
{
    (void)why;
    kv_sim_disk *d = lock_disk(f->disk);
    kv_sim_node *node = file_of(f)->node;
    if (++d->syncs == d->fail_at) {
        return unlock_disk(d, lose_pages(d, node, f->name));
    }
    settle_atoms(d, node, SIZE_MAX);
    if (d->options.names_with_sync) settle_atoms(d, NULL, SIZE_MAX);
    return unlock_disk(d, KV_OK);
}

static kv_status sim_close(kv_file *f)
{
    kv_sim_disk *d = lock_disk(f->disk);
    sim_file *file = file_of(f);
    if (file->holds_lock) file->node->is_locked = false;
    stop_using(d, file->node);
    kv_sim_release(file->node);
    d->open_count--;
    unlock_disk(d, KV_OK);
    while (file->views != NULL) {
        view *v = file->views;
        file->views = v->next;
        kv_free(v->bytes);
        kv_free(v);
    }
    kv_free(f->name);
    kv_free(f);
    return KV_OK;
}

// ---- the directory ----------------------------------------------------------

static kv_status sim_list(kv_disk *disk, kv_names *out)
{
    kv_sim_disk *d = lock_disk(disk);
    for (size_t i = 0; i < d->now.count; i++) {
        kv_names_add(out, d->now.name[i].name);
    }
    kv_names_sort(out);
    return unlock_disk(d, KV_OK);
}

static kv_status sim_rename(kv_disk *disk, const char *from, const char *to,
                            kv_why why)
{
    (void)why;
    kv_sim_disk *d = lock_disk(disk);
    kv_sim_node *node = kv_sim_find(&d->now, from);
    if (node == NULL) return unlock_disk(d, KV_NOT_FOUND);
    if (strcmp(from, to) == 0) return unlock_disk(d, KV_OK);
    bool replaces = kv_sim_find(&d->now, to) != NULL;
    add_atom(d, KV_SIM_NAME, node, to)->takes_data =
        replaces && d->options.names_with_sync;
    add_atom(d, KV_SIM_GONE, node, from)->is_second = true; // S3
    rebind(d, to, node);
    rebind(d, from, NULL);
    return unlock_disk(d, KV_OK);
}

static kv_status sim_remove(kv_disk *disk, const char *name, kv_why why)
{
    (void)why;
    kv_sim_disk *d = lock_disk(disk);
    kv_sim_node *node = kv_sim_find(&d->now, name);
    if (node == NULL) return unlock_disk(d, KV_NOT_FOUND);
    add_atom(d, KV_SIM_GONE, node, name);
    rebind(d, name, NULL);
    return unlock_disk(d, KV_OK);
}

static kv_status sim_link(kv_disk *d, const char *name, kv_disk *target,
                          const char *target_name, kv_why why)
{
    (void)d, (void)target, (void)target_name, (void)why;
    return kv_fail(KV_UNSUPPORTED, "%s: a simulated disk has no links", name);
}

static kv_status sim_sync_dir(kv_disk *disk, kv_why why)
{
    (void)why;
    kv_sim_disk *d = lock_disk(disk);
    if (++d->syncs == d->fail_at) {
        return unlock_disk(d, lose_pages(d, NULL, "the directory"));
    }
    settle_atoms(d, NULL, SIZE_MAX);
    return unlock_disk(d, KV_OK);
}

static kv_status sim_lock(kv_disk *disk, const char *name, kv_file **out)
{
    kv_sim_disk *d = lock_disk(disk);
    if (is_at_limit(d)) return unlock_disk(d, too_many(d, name));
    kv_sim_node *node = kv_sim_find(&d->now, name);
    if (node == NULL) node = make_node(d, name);
    make_file(d, name, node, out);
    if (node->is_locked) return unlock_disk(d, KV_LOCKED);
    file_of(*out)->holds_lock = node->is_locked = true;
    return unlock_disk(d, KV_OK);
}

static void sim_close_disk(kv_disk *disk);

static kv_status sim_open_beside(kv_disk *disk, const char *path, bool create,
                                 kv_disk **out)
{
    (void)path, (void)create;
    kv_sim_disk *d = disk_of(disk);
    if (d->beside != NULL) sim_close_disk(d->beside);
    KV_TRY(kv_disk_open_sim(&d->options, &d->beside));
    disk_of(d->beside)->users++;
    *out = d->beside;
    return KV_OK;
}

static void sim_space(kv_disk *d, uint64_t *now, uint64_t *peak)
{
    (void)d;
    *now = *peak = 0;
}

static void free_names(kv_sim_names *names)
{
    while (names->count > 0) kv_sim_bind(names, names->name[0].name, NULL);
    kv_free(names->name);
}

static void sim_close_disk(kv_disk *disk)
{
    kv_sim_disk *d = disk_of(disk);
    if (--d->users > 0) return;
    assert(d->open_count == 0);
    if (d->beside != NULL) sim_close_disk(d->beside);
    for (size_t i = 0; i < d->atom_count; i++) free_atom(&d->atoms[i]);
    kv_free(d->atoms);
    free_names(&d->now);
    free_names(&d->disk);
    kv_mutex_free(&d->lock);
    kv_free(d);
}

static const kv_disk_ops sim_ops = {
    .open = sim_open,
    .read = sim_read,
    .map = sim_map,
    .write = sim_write,
    .truncate = sim_truncate,
    .allocate = sim_allocate,
    .size = sim_size,
    .sync = sim_sync,
    .close = sim_close,
    .list = sim_list,
    .rename = sim_rename,
    .remove = sim_remove,
    .link = sim_link,
    .sync_dir = sim_sync_dir,
    .lock = sim_lock,
    .open_beside = sim_open_beside,
    .space = sim_space,
    .close_disk = sim_close_disk,
};

kv_status kv_disk_open_sim(const kv_sim_options *options, kv_disk **out)
{
    kv_sim_disk *d = kv_zalloc(sizeof *d);
    d->base.ops = &sim_ops;
    d->users = 1;
    if (options != NULL) d->options = *options;
    if (d->options.sector == 0) d->options.sector = SECTOR_BYTES;
    kv_mutex_init(&d->lock);
    *out = &d->base;
    return KV_OK;
}

// ---- for the experimenter ---------------------------------------------------

kv_disk *kv_disk_sim_beside(kv_disk *d) { return disk_of(d)->beside; }

void kv_disk_sim_set_capacity(kv_disk *d, uint64_t bytes)
{
    kv_sim_disk *sim = lock_disk(d);
    sim->options.capacity = bytes;
    unlock_disk(sim, KV_OK);
}

uint64_t kv_disk_sim_used(kv_disk *d)
{
    kv_sim_disk *sim = lock_disk(d);
    uint64_t used = sim->used;
    unlock_disk(sim, KV_OK);
    return used;
}

uint32_t kv_disk_sim_open_count(kv_disk *d) { return disk_of(d)->open_count; }

uint64_t kv_disk_sim_syncs(kv_disk *d)
{
    kv_sim_disk *sim = lock_disk(d);
    uint64_t syncs = sim->syncs;
    unlock_disk(sim, KV_OK);
    return syncs;
}

void kv_disk_sim_fail_sync(kv_disk *d, uint64_t nth, kv_sim_loss loss)
{
    kv_sim_disk *sim = lock_disk(d);
    sim->fail_at = sim->syncs + nth;
    sim->loss = loss;
    unlock_disk(sim, KV_OK);
}

const kv_sim_atom *kv_disk_sim_atoms(kv_disk *d, size_t *count)
{
    *count = disk_of(d)->atom_count;
    return disk_of(d)->atoms;
}
