// test_random_ops.c -- does the random run find a planted bug, and make it
// small? The engine is the memory engine with something taken away.
// SPDX-License-Identifier: MIT

#include <stdlib.h>

#include "common/engine_impl.h"
#include "common/mem.h"

#include "tests/engine/ops.h"
#include "tests/support/memory_engine.h"

typedef kv_status write_function(kv *db, const kv_change *changes,
                                 size_t count);

static kv_status forget_dels_in_batches(kv *db, const kv_change *changes,
                                        size_t count)
{
    kv_change *some = kv_alloc((count + 1) * sizeof *some);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (count > 1 && changes[i].kind == KV_DEL) continue;
        some[kept++] = changes[i];
    }
    kv_status st = memory_engine.write(db, some, kept);
    kv_free(some);
    return st;
}

static kv_status let_the_first_change_win(kv *db, const kv_change *changes,
                                          size_t count)
{
    kv_status st = KV_OK;
    for (size_t i = count; i-- > 0 && st == KV_OK;) {
        st = memory_engine.write(db, &changes[i], 1);
    }
    return st;
}

static kv_status die_of_a_long_value(kv *db, const kv_change *changes,
                                     size_t count)
{
    if (count == 1 && changes[0].value.len > 2000) abort();
    return memory_engine.write(db, changes, count);
}

static kv_status end_early(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    kv_status st = memory_engine.next(cursor, key, value);
    bool is_last = st == KV_OK && key->len > 150;
    return is_last ? KV_END : st;
}

// Runs until one fails, shrinks it, and returns how many operations are left.
static size_t hunt(const kv_engine *engine)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        run r;
        kv_buf message = {0}, script = {0};
        ops_generate(&r, engine, "", seed, 300);
        size_t left = 0;
        if (ops_fail(&r, &message)) {
            ops_shrink(&r, &message);
            ops_print_script(&r, &script);
            left = r.count;
        }
        bool is_told = message.len > 0 && script.len > 0;
        kv_buf_free(&message);
        kv_buf_free(&script);
        ops_free(&r);
        if (left > 0) return is_told ? left : 0;
    }
    return 0;
}

static void a_planted_bug_becomes_a_short_script(void **state)
{
    (void)state;
    static write_function *const bugs[] = {
        forget_dels_in_batches, let_the_first_change_win, die_of_a_long_value};
    for (int i = 0; i < 3; i++) {
        kv_engine engine = memory_engine;
        engine.write = bugs[i];
        assert_in_range(hunt(&engine), 1, 2);
    }
    kv_engine engine = memory_engine;
    engine.next = end_early;
    assert_in_range(hunt(&engine), 1, 2);
}

static void a_sound_engine_passes(void **state)
{
    (void)state;
    assert_int_equal(hunt(&memory_engine), 0);
}

static void a_seed_brings_the_same_run_back(void **state)
{
    (void)state;
    run a, b;
    ops_generate(&a, &memory_engine, "", 7, 100);
    ops_generate(&b, &memory_engine, "", 7, 100);
    kv_buf first = {0}, second = {0};
    ops_print_script(&a, &first);
    ops_print_script(&b, &second);
    bool is_same = kv_slice_equal(kv_buf_slice(&first), kv_buf_slice(&second));
    kv_buf_free(&first);
    kv_buf_free(&second);
    ops_free(&a);
    ops_free(&b);
    assert_true(is_same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planted_bug_becomes_a_short_script),
        cmocka_unit_test(a_sound_engine_passes),
        cmocka_unit_test(a_seed_brings_the_same_run_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
