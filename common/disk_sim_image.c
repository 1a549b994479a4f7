// disk_sim_image.c -- see disk_sim.h: what a crash leaves behind.
// SPDX-License-Identifier: MIT

#include <assert.h>

#include "common/disk_sim_impl.h"
#include "common/hash.h"
#include "common/mem.h"

// A file of the old disk, and the file it becomes on the new one.
typedef struct twin {
    const kv_sim_node *old;
    kv_sim_node *new;
} twin;

typedef struct twins {
    twin *pair;
    size_t count;
} twins;

static kv_sim_node *twin_of(twins *t, kv_sim_node *old)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->pair[i].old == old) return t->pair[i].new;
    }
    kv_sim_node *made = kv_zalloc(sizeof *made);
    made->holders = 1; // ours, until the image is done
    kv_buf_append(&made->now, kv_buf_slice(&old->disk));
    t->pair[t->count++] = (twin){old, made};
    return made;
}

// A write that did not arrive, although the file's new size did.
static void fill_lost(const kv_sim_atom *atom, uint64_t old_size,
                      kv_sim_fill fill, kv_buf *bytes)
{
    uint64_t end = atom->offset + atom->bytes.len;
    uint64_t start = atom->offset > old_size ? atom->offset : old_size;
    if (fill == KV_SIM_SHORT || start >= end) return;
    if (end > bytes->len) kv_sim_resize(bytes, end);
    for (uint64_t i = start; i < end; i++) {
        // Any bytes would do, as long as they come out the same each time.
        uint8_t rubbish = (uint8_t)(i * 167 + (i >> 3) * 31 + 13);
        bytes->data[i] = fill == KV_SIM_GARBAGE ? rubbish : 0;
    }
}

// A name that takes its file's data along keeps all atoms of it so far.
static bool is_taken(const kv_sim_disk *d, const uint8_t *keep, size_t atom)
{
    for (size_t i = atom + 1; i < d->atom_count; i++) {
        if (d->atoms[i].takes_data && keep[i] &&
            d->atoms[i].node == d->atoms[atom].node) {
            return true;
        }
    }
    return false;
}

static bool is_kept(const kv_sim_disk *d, const uint8_t *keep, size_t i)
{
    const kv_sim_atom *atom = &d->atoms[i];
    if (atom->is_second) {
        assert(i > 0);
        // A journal takes a rename whole.
        return keep[i - 1] && (keep[i] || d->options.names_with_sync); // S3
    }
    return keep[i] || is_taken(d, keep, i);
}

static kv_sim_disk *open_like(const kv_sim_disk *d)
{
    kv_disk *made = NULL;
    kv_status st = kv_disk_open_sim(&d->options, &made);
    assert(st == KV_OK);
    (void)st;
    return (kv_sim_disk *)made;
}

static void copy_names(const kv_sim_names *from, twins *t, kv_sim_names *to)
{
    for (size_t i = 0; i < from->count; i++) {
        kv_sim_bind(to, from->name[i].name, twin_of(t, from->name[i].node));
    }
}

// What is there is there: both of each, and the space it takes.
static void make_durable(kv_sim_disk *d)
{
    for (size_t i = 0; i < d->now.count; i++) {
        kv_sim_node *node = d->now.name[i].node;
        if (node->now_users++ == 0) {
            d->used += node->now.len;
            kv_buf_set(&node->disk, kv_buf_slice(&node->now));
        }
        kv_sim_bind(&d->disk, d->now.name[i].name, node);
    }
}

static kv_disk *finish(kv_sim_disk *made, twins *t)
{
    make_durable(made);
    for (size_t i = 0; i < t->count; i++) kv_sim_release(t->pair[i].new);
    kv_free(t->pair);
    return &made->base;
}

kv_disk *kv_disk_sim_crash(kv_disk *disk, const uint8_t *keep, kv_sim_fill fill)
{
    kv_sim_disk *d = (kv_sim_disk *)disk;
    kv_sim_disk *made = open_like(d);
    twins t = {
        .pair = kv_alloc((d->disk.count + d->atom_count + 1) * sizeof(twin))};
    copy_names(&d->disk, &t, &made->now);
    for (size_t i = 0; i < d->atom_count; i++) {
        kv_sim_atom atom = d->atoms[i];
        uint64_t old_size = atom.node->disk.len;
        atom.node = twin_of(&t, atom.node);
        if (is_kept(d, keep, i)) {
            kv_sim_apply(&atom, &atom.node->now, &made->now);
        } else if (atom.kind == KV_SIM_WRITE) {
            fill_lost(&atom, old_size, fill, &atom.node->now);
        }
    }
    return finish(made, &t);
}

kv_disk *kv_disk_sim_kill(kv_disk *disk)
{
    kv_sim_disk *d = (kv_sim_disk *)disk;
    kv_sim_disk *made = open_like(d);
    twins t = {.pair = kv_alloc((d->now.count + 1) * sizeof(twin))};
    copy_names(&d->now, &t, &made->now);
    for (size_t i = 0; i < t.count; i++) {
        kv_buf_set(&t.pair[i].new->now, kv_buf_slice(&t.pair[i].old->now));
    }
    return finish(made, &t);
}

kv_sim_hash kv_disk_sim_hash(kv_disk *disk)
{
    kv_sim_disk *d = (kv_sim_disk *)disk;
    kv_sim_hash sum = {{0, 0}};
    // A sum does not depend on the order of the names.
    for (size_t i = 0; i < d->now.count; i++) {
        const kv_sim_name *n = &d->now.name[i];
        for (uint64_t half = 0; half < 2; half++) {
            uint64_t name = kv_hash(kv_str(n->name), half + 1);
            sum.half[half] += kv_hash(kv_buf_slice(&n->node->now), name);
        }
    }
    return sum;
}

kv_status kv_disk_copy(kv_disk *from, kv_disk *to)
{
    kv_names names = {0};
    kv_buf bytes = {0};
    kv_why why = kv_for(KV_FOR_META);
    kv_status st = kv_disk_list(from, &names);
    for (size_t i = 0; i < names.count && st == KV_OK; i++) {
        kv_file *in = NULL, *out = NULL;
        kv_open_how read = {.mode = KV_OPEN_READ},
                    make = {.mode = KV_OPEN_CREATE};
        uint64_t size = 0;
        st = kv_file_open(from, names.name[i], read, why, &in);
        if (st == KV_OK) st = kv_file_size(in, &size);
        kv_buf_clear(&bytes);
        kv_buf_reserve(&bytes, (size_t)size);
        if (st == KV_OK) {
            st = kv_file_read_all(in, 0, bytes.data, (size_t)size, why);
        }
        bytes.len = (size_t)size;
        if (st == KV_OK) st = kv_file_open(to, names.name[i], make, why, &out);
        if (st == KV_OK) st = kv_file_write(out, 0, kv_buf_slice(&bytes), why);
        kv_file_close(in);
        kv_file_close(out);
    }
    kv_buf_free(&bytes);
    kv_names_free(&names);
    return st;
}
