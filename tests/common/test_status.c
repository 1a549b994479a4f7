// test_status.c -- statuses, their sentences, and one sentence a thread.
// SPDX-License-Identifier: MIT

#include "common/status.h"
#include "common/thread.h"

#include "tests/support/test.h"

static void every_status_has_name_and_text(void **state)
{
    (void)state;
    for (int st = KV_OK; st <= KV_CORRUPT; st++) {
        assert_memory_equal(kv_status_name((kv_status)st), "KV_", 3);
        assert_true(strlen(kv_status_text((kv_status)st)) > 1);
    }
    assert_string_equal(kv_status_name(KV_CORRUPT), "KV_CORRUPT");
    assert_string_equal(kv_status_text((kv_status)99), "unknown status");
    assert_string_equal(kv_status_name((kv_status)-1), "unknown status");
}

static void the_latest_sentence_is_kept(void **state)
{
    (void)state;
    assert_int_equal(kv_fail(KV_IO, "first %d", 1), KV_IO);
    assert_int_equal(kv_fail(KV_CORRUPT, "second %s", "two"), KV_CORRUPT);
    assert_string_equal(kv_last_error(), "second two");
}

static void a_sentence_may_be_made_from_the_last(void **state)
{
    (void)state;
    kv_fail(KV_IO, "inner");
    kv_fail(KV_IO, "outer: %s", kv_last_error());
    assert_string_equal(kv_last_error(), "outer: inner");
}

static void a_long_sentence_is_cut_not_overrun(void **state)
{
    (void)state;
    kv_fail(KV_IO, "%05000d", 1);
    assert_in_range(strlen(kv_last_error()), 100, 4999);
}

static void *fail_elsewhere(void *arg)
{
    *(bool *)arg = kv_last_error()[0] == '\0';
    kv_fail(KV_IO, "elsewhere");
    return NULL;
}

static void each_thread_has_its_own(void **state)
{
    (void)state;
    bool was_empty = false;
    kv_thread t;
    kv_fail(KV_IO, "here");
    kv_thread_start(&t, fail_elsewhere, &was_empty);
    kv_thread_join(&t);
    assert_true(was_empty);
    assert_string_equal(kv_last_error(), "here");
}

static kv_status try_it(kv_status st, bool *went_on)
{
    KV_TRY(st);
    *went_on = true;
    return KV_OK;
}

static void try_returns_what_is_not_ok(void **state)
{
    (void)state;
    bool went_on = false;
    assert_status(try_it(KV_END, &went_on), KV_END);
    assert_false(went_on);
    assert_ok(try_it(KV_OK, &went_on));
    assert_true(went_on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_name_and_text),
        cmocka_unit_test(the_latest_sentence_is_kept),
        cmocka_unit_test(a_sentence_may_be_made_from_the_last),
        cmocka_unit_test(a_long_sentence_is_cut_not_overrun),
        cmocka_unit_test(each_thread_has_its_own),
        cmocka_unit_test(try_returns_what_is_not_ok),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
