// test_history.c -- the judge of histories knows right from wrong.
// SPDX-License-Identifier: MIT

#include "common/rng.h"

#include "tests/engine/history.h"
#include "tests/support/test.h"

#define WRITE(from, to, n)                                                     \
    {                                                                          \
        (from), (to), true, (n)                                                \
    }
#define READ(from, to, n)                                                      \
    {                                                                          \
        (from), (to), false, (n)                                               \
    }
#define JUDGE(...)                                                             \
    history_is_linear((const history_call[]){__VA_ARGS__},                     \
                      sizeof((const history_call[]){__VA_ARGS__}) /            \
                          sizeof(history_call))

static void one_call_after_the_other(void **state)
{
    (void)state;
    assert_true(history_is_linear(NULL, 0));
    assert_true(JUDGE(READ(1, 2, 0)));
    assert_false(JUDGE(READ(1, 2, 7)));
    assert_true(JUDGE(WRITE(1, 2, 7), READ(3, 4, 7)));
    assert_false(JUDGE(WRITE(1, 2, 7), READ(3, 4, 0))); // lost
    assert_true(JUDGE(WRITE(1, 2, 7), WRITE(3, 4, 0), READ(5, 6, 0)));
    assert_false(JUDGE(WRITE(1, 2, 7), WRITE(3, 4, 8), READ(5, 6, 7))); // stale
}

static void calls_that_overlap(void **state)
{
    (void)state;
    // A read during a write may see it or not,
    assert_true(JUDGE(WRITE(1, 4, 7), READ(2, 3, 7)));
    assert_true(JUDGE(WRITE(1, 4, 7), READ(2, 3, 0)));
    // but once it was seen it stays seen,
    assert_false(JUDGE(WRITE(1, 9, 7), READ(2, 3, 7), READ(4, 5, 0)));
    // by everybody.
    assert_true(JUDGE(WRITE(1, 9, 7), READ(2, 6, 7), READ(3, 5, 0)));
    // Two writes at once end in either order, which all agree on.
    assert_true(JUDGE(WRITE(1, 4, 7), WRITE(2, 3, 8), READ(5, 6, 7)));
    assert_true(JUDGE(WRITE(1, 4, 7), WRITE(2, 3, 8), READ(5, 6, 8)));
    assert_false(
        JUDGE(WRITE(1, 4, 7), WRITE(2, 3, 8), READ(5, 6, 8), READ(7, 8, 7)));
}

// A register in the middle of each call's time makes a history that is linear
// by construction; a read of another value breaks it.
static void random_histories(void **state)
{
    (void)state;
    kv_rng rng;
    kv_rng_seed(&rng, 11);
    for (int round = 0; round < 200; round++) {
        history_call calls[HISTORY_MAX];
        uint32_t value = 0;
        size_t last_read = HISTORY_MAX;
        for (uint32_t i = 0; i < HISTORY_MAX; i++) {
            uint64_t moment = 1000 + i * 10; // the call's own; reach 4 others
            history_call *c = &calls[i];
            c->begin = moment - kv_rng_below(&rng, 4) * 10 - 1;
            c->end = moment + kv_rng_below(&rng, 4) * 10 + 1;
            c->is_write = kv_rng_below(&rng, 2) == 0;
            if (c->is_write) value = i % 5 == 0 ? 0 : i + 1;
            else last_read = i;
            c->value = value;
        }
        assert_true(history_is_linear(calls, HISTORY_MAX));
        if (last_read == HISTORY_MAX) continue;
        calls[last_read].value = 1000; // nobody wrote it
        assert_false(history_is_linear(calls, HISTORY_MAX));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_call_after_the_other),
        cmocka_unit_test(calls_that_overlap),
        cmocka_unit_test(random_histories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
