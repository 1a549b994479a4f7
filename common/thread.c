// thread.c -- see thread.h.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include "common/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void must(int error, const char *what)
{
    if (error == 0) return;
    fprintf(stderr, "stagecoach: %s: %s\n", what, strerror(error));
    abort();
}

void kv_thread_start(kv_thread *t, void *(*run)(void *), void *arg)
{
    // Signals are for the thread that the program began with: only there do
    // they end a read that waits.
    sigset_t all, before;
    sigfillset(&all);
    must(pthread_sigmask(SIG_SETMASK, &all, &before), "cannot block signals");
    must(pthread_create(&t->id, NULL, run, arg), "cannot start a thread");
    must(pthread_sigmask(SIG_SETMASK, &before, NULL), "cannot allow signals");
}

void kv_thread_join(kv_thread *t)
{
    must(pthread_join(t->id, NULL), "cannot join a thread");
}

void kv_thread_yield(void) { sched_yield(); }

void kv_mutex_init(kv_mutex *m)
{
    must(pthread_mutex_init(&m->m, NULL), "cannot make a mutex");
}

void kv_mutex_free(kv_mutex *m)
{
    must(pthread_mutex_destroy(&m->m), "a mutex was freed while held");
}

void kv_mutex_lock(kv_mutex *m)
{
    must(pthread_mutex_lock(&m->m), "cannot lock a mutex");
}

void kv_mutex_unlock(kv_mutex *m)
{
    must(pthread_mutex_unlock(&m->m), "cannot unlock a mutex");
}

void kv_cond_init(kv_cond *c)
{
    pthread_condattr_t attr; // the clock that never goes back
    must(pthread_condattr_init(&attr), "cannot make a condition");
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC), "no clock");
    must(pthread_cond_init(&c->c, &attr), "cannot make a condition");
    must(pthread_condattr_destroy(&attr), "cannot make a condition");
}

void kv_cond_free(kv_cond *c)
{
    must(pthread_cond_destroy(&c->c), "a condition was freed while in use");
}

void kv_cond_wait(kv_cond *c, kv_mutex *m)
{
    must(pthread_cond_wait(&c->c, &m->m), "cannot wait");
}

bool kv_cond_wait_for(kv_cond *c, kv_mutex *m, uint64_t ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t end = (uint64_t)until.tv_nsec + ns;
    until.tv_sec += (time_t)(end / 1000000000u);
    until.tv_nsec = (long)(end % 1000000000u);
    int error = pthread_cond_timedwait(&c->c, &m->m, &until);
    if (error == ETIMEDOUT) return false;
    must(error, "cannot wait");
    return true;
}

void kv_cond_signal(kv_cond *c)
{
    must(pthread_cond_signal(&c->c), "cannot signal");
}

void kv_cond_broadcast(kv_cond *c)
{
    must(pthread_cond_broadcast(&c->c), "cannot signal");
}

void kv_call_once(kv_once *once, void (*run)(void))
{
    must(pthread_once(once, run), "cannot run once");
}

long kv_process_id(void) { return (long)getpid(); }

// ---- latch ------------------------------------------------------------------

// The holder needs a handful of instructions: spin about that long, and then
// let it have the processor in case it lost it.
static void pause_a_little(unsigned *spins)
{
    if (++*spins % 64 == 0) kv_thread_yield();
}

void kv_latch_wait_read(kv_latch *l)
{
    for (unsigned spins = 0;; pause_a_little(&spins)) {
        uint32_t word = atomic_load_explicit(&l->word, memory_order_relaxed);
        if (word >= KV_LATCH_WRITER) continue;
        if (atomic_compare_exchange_weak_explicit(&l->word, &word, word + 1,
                                                  memory_order_acquire,
                                                  memory_order_relaxed)) {
            return;
        }
    }
}

void kv_latch_wait_write(kv_latch *l)
{
    for (unsigned spins = 0;; pause_a_little(&spins)) {
        uint32_t word = 0;
        if (atomic_compare_exchange_weak_explicit(
                &l->word, &word, KV_LATCH_WRITER, memory_order_acquire,
                memory_order_relaxed)) {
            return;
        }
    }
}

// ---- slots ------------------------------------------------------------------

_Thread_local unsigned kv_thread_slot_plus_one;

static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t slots_taken; // one bit a slot
static pthread_key_t slot_key;
static kv_once slot_key_once = KV_ONCE;

static void release_slot(void *slot_plus_one)
{
    uintptr_t slot = (uintptr_t)slot_plus_one - 1;
    must(pthread_mutex_lock(&slots_lock), "cannot lock a mutex");
    slots_taken &= ~((uint32_t)1 << slot);
    must(pthread_mutex_unlock(&slots_lock), "cannot unlock a mutex");
}

static void make_slot_key(void)
{
    must(pthread_key_create(&slot_key, release_slot), "cannot make a key");
}

unsigned kv_thread_slot_claim(void)
{
    kv_call_once(&slot_key_once, make_slot_key);
    must(pthread_mutex_lock(&slots_lock), "cannot lock a mutex");
    unsigned slot = 0;
    while (slot < KV_THREAD_SLOTS - 1 && (slots_taken >> slot & 1)) slot++;
    if (slot < KV_THREAD_SLOTS - 1) slots_taken |= (uint32_t)1 << slot;
    must(pthread_mutex_unlock(&slots_lock), "cannot unlock a mutex");
    if (slot < KV_THREAD_SLOTS - 1) {
        must(pthread_setspecific(slot_key, (void *)(uintptr_t)(slot + 1)),
             "cannot remember a slot");
    }
    kv_thread_slot_plus_one = slot + 1;
    return slot;
}
