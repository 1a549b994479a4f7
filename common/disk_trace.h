// disk_trace.h -- the layer that tells of each call that changes something,
// before it happens.
// SPDX-License-Identifier: MIT
//
// The observer sees the disk as it is just before the call: this is where a
// power cut is interesting. It may look at the disk below and build others from
// it, but must not change it. With several threads it is called by one at a
// time, and the others wait.
//
// kv_trace_print is the observer for people: one line a call.
//
//     data     write    000001.seg @52 +31
//     data     sync     000001.seg

#ifndef COMMON_DISK_TRACE_H
#define COMMON_DISK_TRACE_H

#include "common/disk.h"

#define KV_TRACE_LIST(X)                                                       \
    X(KV_TRACE_CREATE, "create")                                               \
    X(KV_TRACE_WRITE, "write")                                                 \
    X(KV_TRACE_TRUNCATE, "truncate")                                           \
    X(KV_TRACE_ALLOCATE, "allocate")                                           \
    X(KV_TRACE_SYNC, "sync")                                                   \
    X(KV_TRACE_RENAME, "rename")                                               \
    X(KV_TRACE_REMOVE, "remove")                                               \
    X(KV_TRACE_LINK, "link")                                                   \
    X(KV_TRACE_SYNC_DIR, "sync-dir")                                           \
    X(KV_TRACE_MARK, "mark")

typedef enum kv_trace_kind {
#define X(code, word) code,
    KV_TRACE_LIST(X)
#undef X
} kv_trace_kind;

typedef struct kv_trace_event {
    uint64_t number; // of the event, from 0
    kv_trace_kind kind;
    kv_why why;
    const char *name; // of the file; "." for the directory; a mark's text
    const char *to;   // of a rename or a link, else NULL
    uint64_t offset;  // of a write; the new size of truncate and allocate
    kv_slice bytes;   // of a write
    bool is_beside;   // in the directory of kv_disk_open_beside: numbers of
                      // its own
} kv_trace_event;

typedef void kv_trace_observer(void *arg, const kv_trace_event *event);

// Takes over `below`: closing the new disk closes it.
KV_MUST_USE kv_status kv_disk_open_trace(kv_disk *below,
                                         kv_trace_observer *observe, void *arg,
                                         kv_disk **out);

// Puts the user's side between the calls: "put 17", "acknowledged 17".
void kv_disk_trace_mark(kv_disk *d, const char *text);

const char *kv_trace_word(kv_trace_kind kind);
// Appends the event's line to the kv_buf `arg`.
void kv_trace_print(void *arg, const kv_trace_event *event);

#endif
