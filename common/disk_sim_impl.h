// disk_sim_impl.h -- the inside of disk_sim.h, for its two files.
// SPDX-License-Identifier: MIT

#ifndef COMMON_DISK_SIM_IMPL_H
#define COMMON_DISK_SIM_IMPL_H

#include "common/disk_sim.h"
#include "common/thread.h"

typedef struct kv_sim_node {
    kv_buf now, disk;
    uint32_t holders;   // names, atoms and open files that mean it
    uint32_t now_users; // of them, names of now and open files: it uses space
    bool is_locked;
} kv_sim_node;

typedef struct kv_sim_name {
    char *name;
    kv_sim_node *node;
} kv_sim_name;

typedef struct kv_sim_names {
    kv_sim_name *name;
    size_t count, cap;
} kv_sim_names;

typedef struct kv_sim_disk {
    kv_disk base;
    kv_sim_options options;
    kv_mutex lock; // guards everything below
    kv_sim_names now, disk;
    kv_sim_atom *atoms;
    size_t atom_count, atom_cap;
    uint64_t used;
    uint32_t open_count;
    uint32_t users;  // who may close it: its opener, and the disk it is beside
    kv_disk *beside; // or NULL
    uint64_t syncs, fail_at;
    kv_sim_loss loss;
} kv_sim_disk;

kv_sim_node *kv_sim_find(const kv_sim_names *names, const char *name);
// Makes `name` mean `node`, or nothing when it is NULL.
void kv_sim_bind(kv_sim_names *names, const char *name, kv_sim_node *node);
void kv_sim_release(kv_sim_node *node);
void kv_sim_resize(kv_buf *bytes, uint64_t size);
// Applies an atom to what is on disk: of its file, or of the names.
void kv_sim_apply(const kv_sim_atom *atom, kv_buf *bytes, kv_sim_names *names);

#endif
