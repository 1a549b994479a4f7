// test_thread.c -- locks, waiting, latches, and slots.
// SPDX-License-Identifier: MIT

#include <sched.h>
#include <stdlib.h>

#include "common/thread.h"

#include "tests/support/test.h"

enum { THREADS = 8, ROUNDS = 3000 };

typedef struct shared {
    kv_mutex lock;
    kv_cond turn;
    kv_latch latch;
    uint64_t plain[2]; // guarded; both always equal when nobody writes
    int whose_turn;
    _Atomic int in_slot[KV_THREAD_SLOTS];
    _Atomic uint64_t counters[KV_THREAD_SLOTS];
    _Atomic int arrived;
    _Atomic bool go, failed;
} shared;

static void start_all(kv_thread *threads, int count, void *(*run)(void *),
                      void *arg)
{
    for (int i = 0; i < count; i++) kv_thread_start(&threads[i], run, arg);
}

static void join_all(kv_thread *threads, int count)
{
    for (int i = 0; i < count; i++) kv_thread_join(&threads[i]);
}

static void *add_under_mutex(void *arg)
{
    shared *s = arg;
    for (int i = 0; i < ROUNDS; i++) {
        kv_mutex_lock(&s->lock);
        s->plain[0]++;
        kv_mutex_unlock(&s->lock);
    }
    return NULL;
}

static void a_mutex_lets_one_in(void **state)
{
    (void)state;
    shared s = {.whose_turn = 0};
    kv_thread threads[THREADS];
    kv_mutex_init(&s.lock);
    start_all(threads, THREADS, add_under_mutex, &s);
    join_all(threads, THREADS);
    kv_mutex_free(&s.lock);
    assert_int_equal(s.plain[0], THREADS * ROUNDS);
}

static void *use_latch(void *arg)
{
    shared *s = arg;
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 4 == 0) {
            kv_latch_write(&s->latch);
            s->plain[0]++;
            s->plain[1]++;
            kv_latch_write_end(&s->latch);
        } else {
            kv_latch_read(&s->latch);
            if (s->plain[0] != s->plain[1]) atomic_store(&s->failed, true);
            kv_latch_read_end(&s->latch);
        }
    }
    return NULL;
}

static void a_latch_lets_many_read_or_one_write(void **state)
{
    (void)state;
    shared s = {.whose_turn = 0};
    kv_thread threads[THREADS];
    start_all(threads, THREADS, use_latch, &s);
    join_all(threads, THREADS);
    assert_false(atomic_load(&s.failed));
    assert_int_equal(s.plain[0], THREADS * ROUNDS / 4);
    assert_int_equal(atomic_load(&s.latch.word), 0);
}

static void readers_share_a_latch(void **state)
{
    (void)state;
    kv_latch latch = {0};
    kv_latch_read(&latch);
    kv_latch_read(&latch);
    assert_int_equal(atomic_load(&latch.word), 2);
    kv_latch_read_end(&latch);
    kv_latch_read_end(&latch);
    kv_latch_write(&latch);
    assert_true(atomic_load(&latch.word) == KV_LATCH_WRITER);
    kv_latch_write_end(&latch);
    assert_int_equal(atomic_load(&latch.word), 0);
}

static void *ping(void *arg)
{
    shared *s = arg;
    for (int i = 0; i < 200; i++) {
        kv_mutex_lock(&s->lock);
        while (s->whose_turn != 1) kv_cond_wait(&s->turn, &s->lock);
        s->whose_turn = 0;
        kv_cond_signal(&s->turn);
        kv_mutex_unlock(&s->lock);
    }
    return NULL;
}

static void a_condition_wakes_who_waits(void **state)
{
    (void)state;
    shared s = {.whose_turn = 0};
    kv_thread other;
    kv_mutex_init(&s.lock);
    kv_cond_init(&s.turn);
    kv_thread_start(&other, ping, &s);
    for (int i = 0; i < 200; i++) {
        kv_mutex_lock(&s.lock);
        s.whose_turn = 1;
        kv_cond_broadcast(&s.turn);
        while (s.whose_turn != 0) kv_cond_wait(&s.turn, &s.lock);
        kv_mutex_unlock(&s.lock);
    }
    kv_thread_join(&other);
    kv_cond_free(&s.turn);
    kv_mutex_free(&s.lock);
}

static void waiting_for_nothing_ends(void **state)
{
    (void)state;
    shared s = {.whose_turn = 0};
    kv_mutex_init(&s.lock);
    kv_cond_init(&s.turn);
    kv_mutex_lock(&s.lock);
    // Waking without a signal is allowed, now and then.
    int woken = 0;
    while (woken < 100 && kv_cond_wait_for(&s.turn, &s.lock, 1000000)) woken++;
    kv_mutex_unlock(&s.lock);
    kv_cond_free(&s.turn);
    kv_mutex_free(&s.lock);
    assert_true(woken < 100);
}

static _Atomic int once_count;

static void count_once(void) { atomic_fetch_add(&once_count, 1); }

static void *call_once(void *arg)
{
    kv_call_once(arg, count_once);
    if (atomic_load(&once_count) != 1) abort();
    return NULL;
}

static void once_is_once(void **state)
{
    (void)state;
    static kv_once once = KV_ONCE;
    kv_thread threads[THREADS];
    start_all(threads, THREADS, call_once, &once);
    join_all(threads, THREADS);
    assert_int_equal(atomic_load(&once_count), 1);
}

// ---- slots ------------------------------------------------------------------

static void *hold_slot(void *arg)
{
    shared *s = arg;
    unsigned slot = kv_thread_slot();
    int others = atomic_fetch_add(&s->in_slot[slot], 1);
    if (slot != KV_THREAD_SLOTS - 1 && others != 0) {
        atomic_store(&s->failed, true);
    }
    atomic_fetch_add(&s->arrived, 1);
    while (!atomic_load(&s->go)) sched_yield();
    if (kv_thread_slot() != slot) atomic_store(&s->failed, true);
    for (int i = 0; i < 1000; i++) kv_count(&s->counters[slot], slot, 2);
    return NULL;
}

// More threads at once than there are slots: only the last slot is shared, and
// no count is lost.
static void slots_belong_to_one_thread_but_the_last(void **state)
{
    (void)state;
    enum { MANY = KV_THREAD_SLOTS + 12 };
    for (int round = 0; round < 3; round++) { // slots come back
        shared s = {.whose_turn = 0};
        kv_thread threads[MANY];
        start_all(threads, MANY, hold_slot, &s);
        while (atomic_load(&s.arrived) < MANY) sched_yield();
        assert_true(atomic_load(&s.in_slot[KV_THREAD_SLOTS - 1]) >= 12);
        atomic_store(&s.go, true);
        join_all(threads, MANY);
        assert_false(atomic_load(&s.failed));
        uint64_t sum = 0;
        for (int i = 0; i < KV_THREAD_SLOTS; i++) {
            sum += atomic_load(&s.counters[i]);
        }
        assert_int_equal(sum, MANY * 2000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mutex_lets_one_in),
        cmocka_unit_test(a_latch_lets_many_read_or_one_write),
        cmocka_unit_test(readers_share_a_latch),
        cmocka_unit_test(a_condition_wakes_who_waits),
        cmocka_unit_test(waiting_for_nothing_ends),
        cmocka_unit_test(once_is_once),
        cmocka_unit_test(slots_belong_to_one_thread_but_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
