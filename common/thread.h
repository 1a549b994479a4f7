// thread.h -- threads, locks and waiting: the POSIX ones, with shorter names.
// SPDX-License-Identifier: MIT
//
// Everything here is zeroed before use with its *_init and given back with its
// *_free. None of the calls can fail for a correct program: misuse aborts.
//
//   kv_mutex    one at a time; waiters sleep
//   kv_cond     wait inside a kv_mutex until somebody signals
//   kv_latch    many readers or one writer, for a handful of instructions at
//               most: waiters spin, then yield. Never hold one over disk calls.

#ifndef COMMON_THREAD_H
#define COMMON_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct kv_thread {
    pthread_t id;
} kv_thread;

void kv_thread_start(kv_thread *t, void *(*run)(void *), void *arg);
void kv_thread_join(kv_thread *t);
void kv_thread_yield(void); // lets others run that are ready

typedef struct kv_mutex {
    pthread_mutex_t m;
} kv_mutex;

void kv_mutex_init(kv_mutex *m);
void kv_mutex_free(kv_mutex *m);
void kv_mutex_lock(kv_mutex *m);
void kv_mutex_unlock(kv_mutex *m);

typedef struct kv_cond {
    pthread_cond_t c;
} kv_cond;

void kv_cond_init(kv_cond *c);
void kv_cond_free(kv_cond *c);
void kv_cond_wait(kv_cond *c, kv_mutex *m);
// False when `ns` passed without a signal.
bool kv_cond_wait_for(kv_cond *c, kv_mutex *m, uint64_t ns);
void kv_cond_signal(kv_cond *c);
void kv_cond_broadcast(kv_cond *c);

typedef pthread_once_t kv_once;
#define KV_ONCE PTHREAD_ONCE_INIT
void kv_call_once(kv_once *once, void (*run)(void));

// For messages: which process this is.
long kv_process_id(void);

// ---- latch ------------------------------------------------------------------
//
// One word: the number of readers, or LATCH_WRITER. Zero is free, so a zeroed
// latch is ready. The fast paths are inline because they are the hot paths.

typedef struct kv_latch {
    _Atomic uint32_t word;
} kv_latch;

#define KV_LATCH_WRITER 0x80000000u

void kv_latch_wait_read(kv_latch *l);
void kv_latch_wait_write(kv_latch *l);

static inline void kv_latch_read(kv_latch *l)
{
    uint32_t word = atomic_load_explicit(&l->word, memory_order_relaxed);
    if (word < KV_LATCH_WRITER &&
        atomic_compare_exchange_weak_explicit(&l->word, &word, word + 1,
                                              memory_order_acquire,
                                              memory_order_relaxed)) {
        return;
    }
    kv_latch_wait_read(l);
}

static inline void kv_latch_read_end(kv_latch *l)
{
    atomic_fetch_sub_explicit(&l->word, 1, memory_order_release);
}

static inline void kv_latch_write(kv_latch *l)
{
    uint32_t word = 0;
    if (!atomic_compare_exchange_weak_explicit(&l->word, &word, KV_LATCH_WRITER,
                                               memory_order_acquire,
                                               memory_order_relaxed)) {
        kv_latch_wait_write(l);
    }
}

static inline void kv_latch_write_end(kv_latch *l)
{
    atomic_store_explicit(&l->word, 0, memory_order_release);
}

// ---- slots ------------------------------------------------------------------

// A small number for the calling thread, for counters that threads keep apart
// so as not to share a cache line: 0..KV_THREAD_SLOTS-2 belong to one living
// thread each and are handed on when it ends; the last is shared by all
// threads beyond that many.
enum { KV_THREAD_SLOTS = 32 };
unsigned kv_thread_slot_claim(void);

extern _Thread_local unsigned kv_thread_slot_plus_one; // 0: not claimed yet

static inline unsigned kv_thread_slot(void)
{
    unsigned claimed = kv_thread_slot_plus_one;
    return claimed != 0 ? claimed - 1 : kv_thread_slot_claim();
}

// Adds to a counter of the calling thread's slot: a plain addition where the
// slot is its own, a locked one in the shared slot.
static inline void kv_count(_Atomic uint64_t *counter, unsigned slot,
                            uint64_t n)
{
    if (slot != KV_THREAD_SLOTS - 1) {
        uint64_t sum = atomic_load_explicit(counter, memory_order_relaxed);
        atomic_store_explicit(counter, sum + n, memory_order_relaxed);
    } else {
        atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
    }
}

#endif
