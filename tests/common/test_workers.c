// test_workers.c -- steps on threads, or inline when there are none.
// SPDX-License-Identifier: MIT

#include <sched.h>

#include "common/workers.h"

#include "tests/support/test.h"

typedef struct job {
    _Atomic int left;    // steps of work
    _Atomic int done;    // of them
    _Atomic int inside;  // in the step now
    _Atomic int fail_at; // the step that fails; 0: none
    _Atomic int calls;
} job;

static kv_status step(void *arg, bool *did_work)
{
    job *j = arg;
    int call = atomic_fetch_add(&j->calls, 1) + 1;
    if (atomic_load(&j->fail_at) == call) return kv_fail(KV_IO, "no luck");
    atomic_fetch_add(&j->inside, 1);
    int left = atomic_load(&j->left);
    while (left > 0 &&
           !atomic_compare_exchange_weak(&j->left, &left, left - 1)) {
    }
    *did_work = left > 0;
    if (left > 0) atomic_fetch_add(&j->done, 1);
    atomic_fetch_sub(&j->inside, 1);
    return KV_OK;
}

static void wait_for(_Atomic int *counter, int value)
{
    while (atomic_load(counter) < value) sched_yield();
}

static void work_is_done_until_none_is_left(void **state)
{
    (void)state;
    for (unsigned count = 1; count <= 4; count++) {
        job j = {.left = 100};
        kv_workers w = {0};
        kv_workers_open(&w, count, step, &j);
        wait_for(&j.done, 100);
        for (int round = 0; round < 200; round++) { // no wake-up is lost
            atomic_fetch_add(&j.left, 1);
            kv_workers_wake(&w);
            wait_for(&j.done, 100 + round + 1);
        }
        assert_ok(kv_workers_failure(&w));
        kv_workers_close(&w);
        assert_int_equal(atomic_load(&j.done), 300);
        assert_int_equal(atomic_load(&j.inside), 0);
    }
}

static void without_threads_nothing_runs_by_itself(void **state)
{
    (void)state;
    job j = {.left = 3};
    kv_workers w = {0};
    kv_workers_open(&w, 0, step, &j);
    kv_workers_wake(&w);
    assert_int_equal(atomic_load(&j.calls), 0);
    assert_ok(kv_workers_failure(&w));
    kv_workers_close(&w);
    assert_int_equal(atomic_load(&j.calls), 0);
}

static void a_failure_stops_the_work_and_is_remembered(void **state)
{
    (void)state;
    job j = {.left = 1000000, .fail_at = 5};
    kv_workers w = {0};
    kv_workers_open(&w, 2, step, &j);
    while (kv_workers_failure(&w) == KV_OK) sched_yield();
    assert_status(kv_workers_failure(&w), KV_IO);
    assert_non_null(strstr(kv_last_error(), "no luck"));
    int calls = atomic_load(&j.calls);
    kv_workers_wake(&w); // wakes nobody who would call again for long
    assert_status(kv_workers_failure(&w), KV_IO);
    kv_workers_close(&w);
    assert_in_range(atomic_load(&j.calls) - calls, 0, 2);
}

static void closing_is_fine_at_any_time(void **state)
{
    (void)state;
    kv_workers w = {0};
    kv_workers_close(&w);
    assert_ok(kv_workers_failure(&w));
    for (int i = 0; i < 50; i++) {
        job j = {.left = 1000};
        kv_workers_open(&w, 3, step, &j);
        kv_workers_close(&w);
        assert_int_equal(atomic_load(&j.inside), 0);
        kv_workers_close(&w);
    }
}

// Calls of a step that wants the next one in so many nanoseconds, every time.
typedef struct clockwork {
    kv_workers workers;
    uint64_t every_ns;
    _Atomic int calls;
} clockwork;

static kv_status call_again(void *arg, bool *did_work)
{
    clockwork *c = arg;
    atomic_fetch_add(&c->calls, 1);
    *did_work = false;
    kv_workers_wake_in(&c->workers, c->every_ns);
    return KV_OK;
}

static void an_alarm_is_a_call(void **state)
{
    (void)state;
    for (unsigned count = 1; count <= 3; count++) {
        clockwork c = {.every_ns = 1000 * 1000};
        kv_workers_open(&c.workers, count, call_again, &c);
        wait_for(&c.calls, 20);
        kv_workers_close(&c.workers);
    }
}

// Neither a call nor the end waits for an alarm that is set.
static void an_alarm_holds_up_nothing(void **state)
{
    (void)state;
    clockwork c = {.every_ns = UINT64_C(3600) * 1000 * 1000 * 1000};
    kv_workers_open(&c.workers, 2, call_again, &c);
    wait_for(&c.calls, 2);
    for (int i = 0; i < 10; i++) {
        int calls = atomic_load(&c.calls);
        kv_workers_wake(&c.workers);
        wait_for(&c.calls, calls + 1);
    }
    kv_workers_close(&c.workers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_is_done_until_none_is_left),
        cmocka_unit_test(without_threads_nothing_runs_by_itself),
        cmocka_unit_test(a_failure_stops_the_work_and_is_remembered),
        cmocka_unit_test(closing_is_fine_at_any_time),
        cmocka_unit_test(an_alarm_is_a_call),
        cmocka_unit_test(an_alarm_holds_up_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
