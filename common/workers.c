// workers.c -- see workers.h.
// SPDX-License-Identifier: MIT

#include "common/workers.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/mem.h"

static void remember_failure(kv_workers *w, kv_status st)
{
    if (w->failure != KV_OK) return;
    w->failure = st;
    snprintf(w->sentence, sizeof w->sentence, "%s", kv_last_error());
}

static void wake_all(kv_workers *w)
{
    w->calls++;
    w->alarm_ns = 0;
    kv_cond_broadcast(&w->wake);
}

// Sleeps until there may be something to look at: a call, or the alarm, which
// whoever hears it first passes on.
static void sleep_once(kv_workers *w)
{
    uint64_t now = w->alarm_ns > 0 ? kv_now_ns() : 0;
    if (w->alarm_ns == 0) kv_cond_wait(&w->wake, &w->lock);
    else if (w->alarm_ns <= now) wake_all(w);
    else (void)kv_cond_wait_for(&w->wake, &w->lock, w->alarm_ns - now);
}

static void *run_worker(void *arg)
{
    kv_workers *w = arg;
    kv_mutex_lock(&w->lock);
    while (!w->is_stopping && w->failure == KV_OK) {
        uint64_t calls = w->calls;
        kv_mutex_unlock(&w->lock);
        bool did_work = false;
        kv_status st = w->step(w->arg, &did_work);
        kv_mutex_lock(&w->lock);
        if (st != KV_OK) remember_failure(w, st);
        // A call that came while the step looked around may have meant work
        // that the step had already passed: look again.
        while (!did_work && calls == w->calls && !w->is_stopping &&
               w->failure == KV_OK) {
            sleep_once(w);
        }
    }
    kv_mutex_unlock(&w->lock);
    return NULL;
}

void kv_workers_open(kv_workers *w, unsigned count, kv_step *step, void *arg)
{
    w->step = step;
    w->arg = arg;
    kv_mutex_init(&w->lock);
    kv_cond_init(&w->wake);
    w->threads = kv_zalloc((count + 1) * sizeof *w->threads);
    w->count =
        count; // before the first of them runs: steps may wake the others
    for (unsigned i = 0; i < count; i++) {
        kv_thread_start(&w->threads[i], run_worker, w);
    }
}

void kv_workers_wake(kv_workers *w)
{
    if (w->count == 0) return;
    kv_mutex_lock(&w->lock);
    wake_all(w);
    kv_mutex_unlock(&w->lock);
}

void kv_workers_wake_in(kv_workers *w, uint64_t ns)
{
    if (w->count == 0) return;
    uint64_t moment = kv_now_ns() + ns;
    kv_mutex_lock(&w->lock);
    if (w->alarm_ns == 0 || w->alarm_ns > moment) w->alarm_ns = moment;
    kv_mutex_unlock(&w->lock);
}

void kv_workers_close(kv_workers *w)
{
    if (w->threads == NULL) return;
    kv_mutex_lock(&w->lock);
    w->is_stopping = true;
    kv_cond_broadcast(&w->wake);
    kv_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->count; i++) kv_thread_join(&w->threads[i]);
    kv_cond_free(&w->wake);
    kv_mutex_free(&w->lock);
    kv_free(w->threads);
    *w = (kv_workers){0};
}

kv_status kv_workers_failure(kv_workers *w)
{
    if (w->threads == NULL) return KV_OK;
    kv_mutex_lock(&w->lock);
    kv_status st = w->failure;
    if (st != KV_OK) kv_fail(st, "in the background: %s", w->sentence);
    kv_mutex_unlock(&w->lock);
    return st;
}
