// test_pick.c -- which segments are merged next.
// SPDX-License-Identifier: MIT

#include "pick.h"
#include "tests/support/test.h"

static const log_pick_rule rule = {
    .segment_bytes = 100, .percent = 25, .garbage_min = 10};

static void nothing_is_due_below_the_limit(void **state)
{
    (void)state;
    log_pick_fact facts[] = {{100, 24, true}, {100, 24, true}};
    assert_false(log_pick_is_due(facts, 2, &rule));
    assert_int_equal(log_pick_emptiest(facts, 2, &rule).count, 0);
    facts[0].garbage = 26;
    assert_true(log_pick_is_due(facts, 2, &rule));
    log_pick_fact few[] = {{12, 9, true}};
    assert_false(log_pick_is_due(few, 1, &rule));
}

static void the_emptiest_goes_first(void **state)
{
    (void)state;
    log_pick_fact facts[] = {
        {100, 10, true}, {100, 60, true}, {100, 20, true}, {100, 55, false}};
    log_run run = log_pick_emptiest(facts, 4, &rule);
    assert_int_equal(run.first, 1);
    assert_int_equal(run.count, 1);
}

static void empty_and_small_neighbours_come_along(void **state)
{
    (void)state;
    log_pick_fact facts[] = {{100, 90, true}, {100, 80, true}, {100, 99, true},
                             {12, 0, true},   {100, 1, true},  {100, 99, true}};
    log_run run = log_pick_emptiest(facts, 6, &rule);
    assert_int_equal(run.first, 0);
    assert_int_equal(run.count, 4);
}

static void what_is_live_of_a_run_fits_one_segment(void **state)
{
    (void)state;
    log_pick_fact facts[] = {{100, 50, true}, {100, 60, true}, {100, 30, true}};
    log_run run = log_pick_emptiest(facts, 3, &rule);
    assert_int_equal(run.first, 0); // 50 + 40, and 70 more would not fit
    assert_int_equal(run.count, 2);
}

static void garbage_being_written_is_no_reason(void **state)
{
    (void)state;
    log_pick_fact facts[] = {{100, 2, true}, {100, 90, false}};
    assert_true(log_pick_is_due(facts, 2, &rule));
    assert_int_equal(log_pick_emptiest(facts, 2, &rule).count, 0);
}

static void many_small_files_become_one(void **state)
{
    (void)state;
    log_pick_fact facts[40];
    for (int i = 0; i < 40; i++) facts[i] = (log_pick_fact){2, 0, true};
    log_run run = log_pick_emptiest(facts, 40, &rule);
    assert_int_equal(run.first, 0);
    assert_int_equal(run.count, 40);
    assert_int_equal(log_pick_emptiest(facts, 10, &rule).count, 0);
}

static void a_round_goes_through_everything_once(void **state)
{
    (void)state;
    log_pick_fact facts[] = {{100, 60, true},
                             {100, 50, true},
                             {100, 0, true},
                             {100, 10, false},
                             {100, 99, true}};
    log_run run = log_pick_round(facts, 5, 0, &rule);
    assert_int_equal(run.first, 0);
    assert_int_equal(run.count, 2);
    run = log_pick_round(facts, 5, 2, &rule);
    assert_int_equal(run.first, 2);
    assert_int_equal(run.count, 1);
    run = log_pick_round(facts, 5, 3, &rule);
    assert_int_equal(run.first, 4);
    assert_int_equal(log_pick_round(facts, 5, 5, &rule).count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_due_below_the_limit),
        cmocka_unit_test(the_emptiest_goes_first),
        cmocka_unit_test(empty_and_small_neighbours_come_along),
        cmocka_unit_test(what_is_live_of_a_run_fits_one_segment),
        cmocka_unit_test(garbage_being_written_is_no_reason),
        cmocka_unit_test(many_small_files_become_one),
        cmocka_unit_test(a_round_goes_through_everything_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
