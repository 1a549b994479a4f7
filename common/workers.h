// workers.h -- housekeeping as steps: on N threads, or inline when N is 0.
// SPDX-License-Identifier: MIT
//
// A stage writes its background work (a merge, a flush, a checkpoint) as one
// bounded step that says whether it found something to do. Who calls the step
// is decided here, by the knob background=N:
//
//   N > 0   N threads call it, again while it does work, then sleep until woken
//   N = 0   nobody calls it but kv_maintain and whoever made the work: the
//           same input then makes the same I/O, byte for byte
//
// A step that fails is remembered, and the threads stop calling: the store's
// next write reports it (kv_workers_failure).

#ifndef COMMON_WORKERS_H
#define COMMON_WORKERS_H

#include "common/status.h"
#include "common/thread.h"

typedef kv_status kv_step(void *arg, bool *did_work);

typedef struct kv_workers {
    unsigned count;
    kv_step *step;
    void *arg;
    kv_thread *threads;
    kv_mutex lock;
    kv_cond wake; // workers wait here for work
    // Guarded by lock:
    uint64_t calls;    // to wake, so far
    uint64_t alarm_ns; // the moment of the next; 0: none is set
    bool is_stopping;
    kv_status failure;
    char sentence[256]; // of the failure
} kv_workers;

// Starts `count` threads that call step(arg). Requires a zeroed `w`.
void kv_workers_open(kv_workers *w, unsigned count, kv_step *step, void *arg);
// There may be work now. With count 0 this does nothing.
void kv_workers_wake(kv_workers *w);
// There may be work in so many nanoseconds: they are woken then, unless they
// were before. For a step that has found nothing to do yet.
void kv_workers_wake_in(kv_workers *w, uint64_t ns);
// Waits for running steps to end, and joins. A zeroed or closed one is fine.
void kv_workers_close(kv_workers *w);
// KV_OK, or the status and (through kv_fail) the sentence of the first failure.
kv_status kv_workers_failure(kv_workers *w);

#endif
