// test_picker.c -- decisions about versions whose tables are only facts: no
// file is opened.
// SPDX-License-Identifier: MIT

#include "tests/stage4_lsm/words.h"
#include "tests/support/test.h"

// ---- versions ---------------------------------------------------------------

static void runs_stand_from_the_newest_to_the_oldest(void **state)
{
    (void)state;
    lsm_version *v =
        VERSION(table(LAST, 0, "d", "f", 1), table(0, 7, "a", "z", 2),
                table(0, 9, "a", "z", 4), table(LAST, 0, "a", "c", 8));
    assert_int_equal(v->run_count, 3);
    assert_int_equal(v->runs[0].id, 9);
    assert_int_equal(v->runs[1].id, 7);
    assert_int_equal(v->runs[2].level, LAST);
    assert_int_equal(v->runs[2].bytes, 9);
    assert_ptr_equal(v->runs[2].tables[0], number(4));
    lsm_version_unref(v);
}

static void a_key_is_in_one_table_of_a_run_at_most(void **state)
{
    (void)state;
    lsm_version *v = VERSION(table(1, 0, "b", "d", 1), table(1, 0, "f", "h", 1),
                             table(1, 0, "m", "p", 1));
    const lsm_run *run = &v->runs[0];
    static const struct {
        const char *key;
        uint64_t number; // 0: none
    } cases[] = {{"a", 0}, {"b", 1}, {"d", 1}, {"e", 0}, {"f", 2},
                 {"h", 2}, {"i", 0}, {"n", 3}, {"p", 3}, {"q", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lsm_table *t = lsm_run_find(run, kv_str(cases[i].key));
        assert_int_equal(t != NULL ? t->id.number : 0, cases[i].number);
    }
    // One that ends in a range tombstone does not hold its last key.
    number(2)->props.last_is_open = true;
    assert_null(lsm_run_find(run, kv_str("h")));
    lsm_version_unref(v);
}

static void overlap_is_what_neither_side_is_before(void **state)
{
    (void)state;
    lsm_version *v = VERSION(table(1, 0, "b", "d", 1), table(1, 0, "f", "h", 1),
                             table(1, 0, "m", "p", 1));
    static const struct {
        const char *from, *to;
        bool is_closed;
        size_t first, count;
    } cases[] = {{"", "", false, 0, 3},   {"a", "b", false, 0, 0},
                 {"a", "b", true, 0, 1},  {"d", "f", false, 0, 1},
                 {"d", "f", true, 0, 2},  {"e", "f", false, 1, 0},
                 {"g", "", false, 1, 2},  {"q", "", false, 3, 0},
                 {"c", "n", false, 0, 3}, {"", "g", false, 0, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lsm_bounds b = {kv_str(cases[i].from), kv_str(cases[i].to),
                        cases[i].is_closed};
        size_t count, first = lsm_run_overlap(&v->runs[0], &b, &count);
        assert_int_equal(count, cases[i].count);
        if (count > 0) assert_int_equal(first, cases[i].first);
    }
    lsm_version_unref(v);
}

static void an_edit_replaces_and_keeps_the_rest(void **state)
{
    (void)state;
    lsm_version *v = VERSION(table(0, 5, "a", "z", 1), table(1, 0, "a", "m", 1),
                             table(1, 0, "n", "z", 1));
    lsm_edit edit = {0};
    lsm_edit_table added = table(1, 0, "a", "m", 2);
    lsm_edit_add(&edit, &added);
    lsm_edit_remove(&edit, 1);
    lsm_edit_remove(&edit, 2);
    lsm_table *opened[] = {number(4)};
    lsm_version *after = lsm_version_after(v, &edit, opened, 1);
    assert_int_equal(after->run_count, 1);
    assert_int_equal(after->table_count, 2);
    assert_ptr_equal(after->tables[0], number(4));
    assert_ptr_equal(after->tables[1], number(3));
    assert_int_equal(v->table_count, 3); // the old one stays as it was
    lsm_edit_free(&edit);
    lsm_version_unref(after);
    lsm_version_unref(v);
}

static void tables_of_a_run_that_overlap_are_noticed(void **state)
{
    (void)state;
    lsm_version *v =
        VERSION(table(1, 0, "a", "m", 1), table(1, 0, "n", "z", 1));
    number(1)->props.last_key = kv_str("n");
    assert_status(lsm_version_check(v), KV_CORRUPT);
    number(1)->props.last_is_open = true; // up to n, without it
    assert_ok(lsm_version_check(v));
    lsm_version_unref(v);
}

// ---- sizes ------------------------------------------------------------------

static void levels_grow_upward_from_the_last(void **state)
{
    (void)state;
    static const struct {
        uint64_t last_mib;
        uint32_t base;
    } cases[] = {{1, LAST},      {4, LAST},      {5, LAST - 1},
                 {40, LAST - 1}, {41, LAST - 2}, {4000, LAST - 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lsm_version *v =
            VERSION(table(LAST, 0, "a", "z", cases[i].last_mib * MIB));
        lsm_plan p = lsm_make_plan(v, &leveled);
        assert_int_equal(p.base, cases[i].base);
        assert_true(p.target[p.base] <= leveled.base_bytes || p.base == LAST);
        for (uint32_t level = p.base; level < LAST; level++) {
            assert_int_equal(p.target[level], p.target[level + 1] / 10);
        }
        lsm_version_unref(v);
    }
}

static void
a_level_above_the_base_that_holds_something_is_the_base(void **state)
{
    (void)state;
    lsm_version *v =
        VERSION(table(3, 0, "a", "b", MIB), table(LAST, 0, "a", "z", MIB));
    lsm_plan p = lsm_make_plan(v, &leveled);
    assert_int_equal(p.base, 3);
    assert_int_equal(p.target[3], 0);
    lsm_pick pick; // and is emptied downward, a level at a time
    assert_true(lsm_pick_next(v, &leveled, &nobody, &pick));
    assert_int_equal(pick.target_level, 4);
    assert_true(pick.is_move);
    lsm_pick_free(&pick);
    lsm_version_unref(v);
}

// ---- leveled ----------------------------------------------------------------

static void level_0_waits_for_its_runs(void **state)
{
    (void)state;
    lsm_version *v =
        VERSION(table(0, 3, "a", "k", MIB), table(0, 2, "c", "m", MIB),
                table(0, 1, "b", "d", MIB), table(LAST, 0, "a", "c", MIB),
                table(LAST, 0, "l", "p", MIB), table(LAST, 0, "q", "z", MIB));
    lsm_pick pick;
    assert_false(lsm_pick_next(v, &leveled, &nobody, &pick));
    assert_int_equal(lsm_debt_bytes(v, &leveled), 0);
    lsm_shape eager = leveled;
    eager.level0_runs = 3;
    assert_true(lsm_pick_next(v, &eager, &nobody, &pick));
    assert_string_equal(inputs(&pick), "1 2 3 4 5"); // not 6: it is apart
    assert_int_equal(pick.target_level, LAST);
    assert_int_equal(pick.target_run, LSM_SORTED_RUN);
    assert_false(pick.is_move);
    assert_int_equal(lsm_debt_bytes(v, &eager), 3 * MIB);
    lsm_pick_free(&pick);
    lsm_version_unref(v);
}

static void what_stands_clear_is_moved(void **state)
{
    (void)state;
    lsm_version *v =
        VERSION(table(0, 4, "s", "t", MIB), table(0, 3, "q", "r", MIB),
                table(0, 2, "o", "p", MIB), table(0, 1, "m", "n", MIB),
                table(LAST, 0, "a", "l", MIB));
    lsm_pick pick;
    assert_true(lsm_pick_next(v, &leveled, &nobody, &pick));
    assert_true(pick.is_move);
    assert_string_equal(inputs(&pick), "4"); // the oldest
    lsm_pick_free(&pick);
    // Not if it has a tombstone, which vanishes only when it is rewritten.
    number(4)->props.tombstone_count = 1;
    assert_true(lsm_pick_next(v, &leveled, &nobody, &pick));
    assert_false(pick.is_move);
    assert_string_equal(inputs(&pick), "1 2 3 4");
    lsm_pick_free(&pick);
    lsm_version_unref(v);
}

// What the last level packs otherwise is rewritten on its way there, once; on
// the way to levels above it, it is moved.
static void what_is_packed_otherwise_is_not_moved_to_the_last(void **state)
{
    (void)state;
    lsm_shape repacks = leveled;
    repacks.repacks_last = true;
    lsm_version *v =
        VERSION(table(0, 4, "s", "t", MIB), table(0, 3, "q", "r", MIB),
                table(0, 2, "o", "p", MIB), table(0, 1, "m", "n", MIB),
                table(LAST, 0, "a", "l", MIB));
    lsm_bounds all = {.is_closed = false};
    lsm_pick pick;
    assert_true(lsm_pick_next(v, &repacks, &nobody, &pick));
    assert_false(pick.is_move);
    lsm_pick_free(&pick);
    assert_true(lsm_pick_range(v, &repacks, &nobody, &all, LSM_SEQ_MAX, &pick));
    assert_false(pick.is_move);
    lsm_pick_free(&pick);
    lsm_version_unref(v);
    v = VERSION(table(3, 0, "a", "b", MIB), table(LAST, 0, "c", "z", MIB));
    assert_true(lsm_pick_next(v, &repacks, &nobody, &pick)); // to level 4
    assert_true(pick.is_move);
    lsm_pick_free(&pick);
    lsm_version_unref(v);
    v = VERSION(table(LAST - 1, 0, "a", "b", MIB),
                table(LAST, 0, "c", "z", MIB));
    assert_true(lsm_pick_next(v, &leveled, &nobody, &pick));
    assert_true(pick.is_move);
    lsm_pick_free(&pick);
    assert_true(lsm_pick_next(v, &repacks, &nobody, &pick));
    assert_string_equal(inputs(&pick), "8");
    assert_false(pick.is_move);
    lsm_pick_free(&pick);
    lsm_version_unref(v);
}

// 41 MiB below: the base is LAST - 2, and LAST - 1 may hold 4.1 MiB.
static lsm_version *full_level(void)
{
    return VERSION(
        table(LAST - 1, 0, "a", "c", 2 * MIB),
        table(LAST - 1, 0, "d", "f", 2 * MIB),
        table(LAST - 1, 0, "g", "i", 2 * MIB),
        table(LAST, 0, "a", "b", 20 * MIB), table(LAST, 0, "c", "d", 10 * MIB),
        table(LAST, 0, "e", "e", 2 * MIB), table(LAST, 0, "g", "h", 5 * MIB),
        table(LAST, 0, "x", "z", 4 * MIB));
}

static void the_table_that_drags_least_goes_first(void **state)
{
    (void)state;
    lsm_version *v = full_level();
    lsm_pick pick;
    assert_true(lsm_pick_next(v, &leveled, &nobody, &pick));
    assert_string_equal(inputs(&pick), "3 7");
    assert_true(pick.score > 1);
    lsm_pick_free(&pick);
    // One that holds tombstones weighs what it will free.
    number(2)->props.tombstone_count = 90;
    assert_true(lsm_pick_next(v, &leveled, &nobody, &pick));
    assert_string_equal(inputs(&pick), "2 5 6");
    lsm_pick_free(&pick);
    lsm_version_unref(v);
}

static void picks_under_way_never_meet(void **state)
{
    (void)state;
    lsm_version *v = full_level();
    lsm_pick first, second, third;
    assert_true(lsm_pick_next(v, &leveled, &nobody, &first));
    const lsm_pick *picks[] = {&first, &second};
    lsm_busy one = {picks, 1}, two = {picks, 2};
    assert_true(lsm_pick_next(v, &leveled, &one, &second));
    assert_string_equal(inputs(&second), "2 5 6");
    assert_true(lsm_bounds_before(&second.bounds, &first.bounds));
    // What is left shares table 5 with the second.
    assert_false(lsm_pick_next(v, &leveled, &two, &third));
    lsm_pick_free(&first);
    lsm_pick_free(&second);
    lsm_version_unref(v);
}

// ---- tiered -----------------------------------------------------------------

static void a_tier_is_merged_whole_into_a_new_run(void **state)
{
    (void)state;
    lsm_version *v =
        VERSION(table(1, 9, "a", "m", MIB), table(1, 8, "n", "z", MIB),
                table(1, 7, "a", "z", MIB), table(2, 6, "a", "z", MIB));
    lsm_pick pick;
    assert_true(lsm_pick_next(v, &tiered, &nobody, &pick));
    assert_string_equal(inputs(&pick), "1 2 3");
    assert_int_equal(pick.target_level, 2);
    assert_true(pick.makes_run);
    const lsm_pick *picks[] = {&pick};
    lsm_busy busy = {picks, 1};
    lsm_pick second;
    assert_false(lsm_pick_next(v, &tiered, &busy, &second));
    lsm_pick_free(&pick);
    lsm_version_unref(v);
}

// ---- a range ----------------------------------------------------------------

static void a_range_sinks_with_what_lies_below(void **state)
{
    (void)state;
    lsm_version *v =
        VERSION(table(0, 9, "c", "f", MIB), table(5, 0, "a", "d", MIB),
                table(5, 0, "e", "h", MIB), table(LAST, 0, "a", "b", MIB),
                table(LAST, 0, "g", "k", MIB), table(LAST, 0, "l", "z", MIB));
    lsm_bounds d = {kv_str("d"), kv_str("e"), false};
    lsm_pick pick;
    assert_false(lsm_range_is_compact(v, &leveled, &d, LSM_SEQ_MAX));
    assert_true(lsm_pick_range(v, &leveled, &nobody, &d, LSM_SEQ_MAX, &pick));
    assert_string_equal(inputs(&pick), "1 2 3 4 5");
    assert_int_equal(pick.target_level, LAST);
    lsm_pick_free(&pick);
    // What is newer than the call is let be.
    number(1)->props.seq_min = 1000;
    assert_true(lsm_pick_range(v, &leveled, &nobody, &d, 999, &pick));
    assert_string_equal(inputs(&pick), "2 4");
    lsm_pick_free(&pick);
    // At the bottom, without tombstones, it is where it should be.
    lsm_bounds m = {kv_str("m"), kv_str("n"), false};
    assert_true(lsm_range_is_compact(v, &leveled, &m, LSM_SEQ_MAX));
    assert_false(lsm_pick_range(v, &leveled, &nobody, &m, LSM_SEQ_MAX, &pick));
    number(6)->props.range_count = 1;
    assert_true(lsm_pick_range(v, &leveled, &nobody, &m, LSM_SEQ_MAX, &pick));
    assert_string_equal(inputs(&pick), "6");
    assert_false(pick.is_move);
    lsm_pick_free(&pick);
    lsm_version_unref(v);
}

static void a_range_of_tiers_becomes_one_run(void **state)
{
    (void)state;
    lsm_version *v =
        VERSION(table(0, 9, "c", "f", MIB), table(2, 6, "e", "m", MIB),
                table(2, 6, "n", "z", MIB), table(2, 5, "a", "b", MIB),
                table(2, 5, "l", "m", MIB));
    lsm_bounds d = {kv_str("d"), kv_str("e"), false};
    lsm_pick pick;
    // One run only holds such keys: there is nothing to gain.
    assert_true(lsm_range_is_compact(v, &tiered, &d, LSM_SEQ_MAX));
    // Two do, here; 5 overlaps 2, and a new run over both must hide nothing.
    d.to = kv_str("f");
    assert_true(lsm_pick_range(v, &tiered, &nobody, &d, LSM_SEQ_MAX, &pick));
    assert_string_equal(inputs(&pick), "1 2 5");
    assert_int_equal(pick.target_level, 2);
    assert_true(pick.makes_run);
    lsm_pick_free(&pick);
    lsm_version_unref(v);
}

// Until the last level has one run again, what goes there must not come to lie
// over a table of it that stays: all that overlaps goes at once.
static void what_was_tiered_becomes_one_sorted_run(void **state)
{
    (void)state;
    lsm_version *v =
        VERSION(table(0, 9, "c", "d", MIB), table(LAST, 6, "a", "m", MIB),
                table(LAST, 6, "n", "z", MIB), table(LAST, 5, "k", "p", MIB));
    lsm_bounds d = {kv_str("d"), kv_str("e"), false};
    lsm_pick pick;
    assert_true(lsm_pick_range(v, &leveled, &nobody, &d, LSM_SEQ_MAX, &pick));
    assert_string_equal(inputs(&pick), "1 2 3 4");
    assert_int_equal(pick.target_run, 6);
    assert_false(pick.makes_run);
    lsm_pick_free(&pick);
    lsm_version_unref(v);
}

// If they hide a third of the store, and not if a ninth.
static void tombstones_in_level_0_do_not_wait_for_more_runs(void **state)
{
    (void)state;
    lsm_version *v =
        VERSION(table(0, 9, "a", "z", 4000), table(LAST, 0, "a", "z", MIB));
    lsm_pick pick;
    number(1)->props.tombstone_count = 20;
    assert_false(lsm_pick_next(v, &leveled, &nobody, &pick));
    number(1)->props.tombstone_count = 60;
    assert_true(lsm_pick_next(v, &leveled, &nobody, &pick));
    lsm_pick_free(&pick);
    lsm_version_unref(v);
}

static void cleaning_takes_what_frees_most(void **state)
{
    (void)state;
    lsm_version *v =
        VERSION(table(5, 0, "a", "d", MIB), table(5, 0, "e", "h", MIB),
                table(LAST, 0, "a", "c", MIB), table(LAST, 0, "f", "z", MIB));
    lsm_pick pick;
    assert_false(lsm_pick_cleaning(v, &leveled, &nobody, &pick));
    number(1)->props.tombstone_count = 1; // too few to bother
    assert_false(lsm_pick_cleaning(v, &leveled, &nobody, &pick));
    number(2)->props.tombstone_count = 50;
    assert_true(lsm_pick_cleaning(v, &leveled, &nobody, &pick));
    assert_string_equal(inputs(&pick), "2 4");
    lsm_pick_free(&pick);
    lsm_version_unref(v);
}

#define PICKER(test) cmocka_unit_test_teardown(test, forget_tables)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PICKER(runs_stand_from_the_newest_to_the_oldest),
        PICKER(a_key_is_in_one_table_of_a_run_at_most),
        PICKER(overlap_is_what_neither_side_is_before),
        PICKER(an_edit_replaces_and_keeps_the_rest),
        PICKER(tables_of_a_run_that_overlap_are_noticed),
        PICKER(levels_grow_upward_from_the_last),
        PICKER(a_level_above_the_base_that_holds_something_is_the_base),
        PICKER(level_0_waits_for_its_runs),
        PICKER(what_stands_clear_is_moved),
        PICKER(what_is_packed_otherwise_is_not_moved_to_the_last),
        PICKER(tombstones_in_level_0_do_not_wait_for_more_runs),
        PICKER(the_table_that_drags_least_goes_first),
        PICKER(picks_under_way_never_meet),
        PICKER(a_tier_is_merged_whole_into_a_new_run),
        PICKER(a_range_sinks_with_what_lies_below),
        PICKER(a_range_of_tiers_becomes_one_run),
        PICKER(what_was_tiered_becomes_one_sorted_run),
        PICKER(cleaning_takes_what_frees_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
