// handles.h -- for a library whose handles (sessions, connections) serve one
// thread at a time: each thread has its own, cursors take theirs from a pool.
// SPDX-License-Identifier: MIT
//
// A thread's own handle is found by its slot, without a lock, so that the
// yardstick is not slowed by its harness. Threads beyond the slots, and
// cursors, borrow an idle handle under a lock.

#ifndef COMPARE_YARDSTICKS_HANDLES_H
#define COMPARE_YARDSTICKS_HANDLES_H

#include "common/engine_impl.h"

enum { HANDLES_IDLE_MAX = 64 };

typedef struct handles {
    kv_status (*open)(kv *db, void **handle);
    void (*close)(void *handle);
    kv_mutex lock;
    void *own[KV_THREAD_SLOTS];
    void *idle[HANDLES_IDLE_MAX];
    size_t idle_count;
} handles;

static inline void handles_init(handles *h, kv_status (*open)(kv *, void **),
                                void (*close)(void *))
{
    h->open = open;
    h->close = close;
    kv_mutex_init(&h->lock);
}

// Every handle must have been given back.
static inline void handles_free(handles *h)
{
    if (h->open == NULL) return;
    for (size_t i = 0; i < KV_THREAD_SLOTS; i++) {
        if (h->own[i] != NULL) h->close(h->own[i]);
    }
    for (size_t i = 0; i < h->idle_count; i++) h->close(h->idle[i]);
    kv_mutex_free(&h->lock);
}

static inline kv_status handles_borrow(handles *h, kv *db, void **handle)
{
    kv_mutex_lock(&h->lock);
    *handle = h->idle_count > 0 ? h->idle[--h->idle_count] : NULL;
    kv_mutex_unlock(&h->lock);
    return *handle != NULL ? KV_OK : h->open(db, handle);
}

static inline void handles_return(handles *h, void *handle)
{
    kv_mutex_lock(&h->lock);
    bool has_room = h->idle_count < HANDLES_IDLE_MAX;
    if (has_room) h->idle[h->idle_count++] = handle;
    kv_mutex_unlock(&h->lock);
    if (!has_room) h->close(handle);
}

// The calling thread's own handle, until it calls handles_done.
static inline kv_status handles_mine(handles *h, kv *db, void **handle)
{
    unsigned slot = kv_thread_slot();
    if (slot == KV_THREAD_SLOTS - 1) return handles_borrow(h, db, handle);
    kv_status st = KV_OK;
    if (h->own[slot] == NULL) st = h->open(db, &h->own[slot]);
    *handle = h->own[slot];
    return st;
}

static inline void handles_done(handles *h, void *handle)
{
    if (kv_thread_slot() == KV_THREAD_SLOTS - 1) handles_return(h, handle);
}

#endif
