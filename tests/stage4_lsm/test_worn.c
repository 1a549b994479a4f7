// test_worn.c -- what scans wear out, and what is compacted for them.
// SPDX-License-Identifier: MIT

#include "tests/stage4_lsm/words.h"
#include "tests/support/test.h"

// Scans have read so many bytes of each of the tables `from` to `to`.
static void scan(uint64_t from, uint64_t to, uint64_t bytes)
{
    for (uint64_t n = from; n <= to; n++) number(n)->scanned_bytes = bytes;
}

static void scans_wear_level_0_out(void **state)
{
    (void)state;
    lsm_version *v =
        VERSION(table(0, 3, "a", "k", MIB), table(0, 2, "c", "m", MIB),
                table(0, 1, "b", "d", MIB), table(LAST, 0, "a", "z", 9 * MIB));
    lsm_pick pick;
    assert_false(lsm_pick_worn(v, &leveled, &nobody, &pick)); // nobody scans
    scan(1, 3, 2 * MIB - 1);
    assert_false(lsm_pick_worn(v, &leveled, &nobody, &pick));
    scan(1, 3, 2 * MIB);
    assert_false(lsm_pick_worn(v, &tiered, &nobody, &pick));
    assert_true(lsm_pick_worn(v, &leveled, &nobody, &pick));
    // One run, with a number below what is flushed meanwhile.
    assert_string_equal(inputs(&pick), "1 2 3");
    assert_int_equal(pick.target_level, 0);
    assert_int_equal(pick.target_run, 3);
    lsm_busy busy = {(const lsm_pick *[]){&pick}, 1};
    lsm_pick other;
    assert_false(lsm_pick_worn(v, &leveled, &busy, &other));
    lsm_pick_free(&pick);
    lsm_version_unref(v);
}

static void scans_bring_one_run_down(void **state)
{
    (void)state;
    lsm_version *v = VERSION(
        table(0, 7, "a", "k", MIB), table(0, 7, "l", "z", MIB),
        table(LAST, 0, "a", "m", 4 * MIB), table(LAST, 0, "n", "z", 4 * MIB));
    lsm_pick pick;
    scan(1, 1, 20 * MIB - 1);
    assert_false(lsm_pick_worn(v, &leveled, &nobody, &pick));
    scan(1, 1, 20 * MIB); // however few of the keys are scanned
    assert_true(lsm_pick_worn(v, &leveled, &nobody, &pick));
    assert_string_equal(inputs(&pick), "1 2 3 4");
    // Not to a level between the two: that would be one more to scan.
    assert_int_equal(pick.target_level, LAST);
    lsm_pick_free(&pick);
    lsm_version_unref(v);
    // What is one run is as good as it gets.
    v = VERSION(table(0, 8, "a", "k", MIB));
    scan(5, 5, 100 * MIB);
    assert_false(lsm_pick_worn(v, &leveled, &nobody, &pick));
    lsm_version_unref(v);
}

static void what_scans_do_not_share_is_moved(void **state)
{
    (void)state;
    lsm_version *v =
        VERSION(table(0, 2, "m", "n", MIB), table(0, 1, "k", "l", MIB),
                table(LAST, 0, "a", "c", MIB));
    lsm_pick pick;
    scan(1, 2, 2 * MIB);
    assert_true(lsm_pick_worn(v, &leveled, &nobody, &pick));
    assert_true(pick.is_move);
    assert_string_equal(inputs(&pick), "2"); // the oldest
    lsm_pick_free(&pick);
    lsm_version_unref(v);
    // With nothing below, it goes where level 0 goes.
    v = VERSION(table(0, 4, "a", "m", MIB), table(0, 3, "b", "n", MIB));
    scan(4, 5, 2 * MIB);
    assert_true(lsm_pick_worn(v, &leveled, &nobody, &pick));
    assert_string_equal(inputs(&pick), "4 5");
    assert_int_equal(pick.target_level, 0);
    lsm_pick_free(&pick);
    lsm_version_unref(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(scans_wear_level_0_out, forget_tables),
        cmocka_unit_test_teardown(scans_bring_one_run_down, forget_tables),
        cmocka_unit_test_teardown(what_scans_do_not_share_is_moved,
                                  forget_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
