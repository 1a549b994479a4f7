// test_bench.c -- the claims' bench and their list.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <string.h>

#include "compare/claims/claim.h"
#include "tests/support/test.h"

// An experiment computes before it looks whether its store is there.
static void a_store_that_did_not_open_cost_nothing(void **state)
{
    (void)state;
    char *dir = test_make_dir();
    cmp_bench b = {.dir = dir, .records = 100, .seed = 1, .claim = "C00"};
    cmp_specimen s;
    cmp_shape shape = {.records = 10};
    assert_status(cmp_specimen_open(&b, &s, "log:no_such_knob=1", shape),
                  KV_INVALID);
    cmp_specimen_mark(&s);
    assert_int_equal(cmp_specimen_written(&s), 0);
    assert_int_equal(cmp_specimen_stats(&s).disk_bytes, 0);
    assert_int_equal(cmp_specimen_reads(&s), 0);
    assert_true(isnan(cmp_specimen_fact(&s, "", "page size")));
    cmp_specimen_close(&s);
    assert_status(cmp_specimen_open(&b, &s, "nowhere", shape), KV_NOT_FOUND);
    assert_int_equal(cmp_specimen_user_bytes(&s), 0);
    cmp_specimen_close(&s);
    test_remove_dir(dir);
}

// In ascending order, so none is there twice, and none without its words.
static void claims_are_told_in_order(void **state)
{
    (void)state;
    const char *before = "";
    const cmp_claim *claim;
    size_t count = 0;
    for (; (claim = cmp_claim_at(count)) != NULL; count++) {
        assert_true(strcmp(before, claim->id) < 0);
        const char *const words[] = {claim->text,  claim->first, claim->second,
                                     claim->setup, claim->x,     claim->y};
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            assert_non_null(words[i]);
            assert_null(strpbrk(words[i], "\t\n"));
        }
        assert_non_null(claim->run);
        before = claim->id;
    }
    assert_true(count >= 16);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_that_did_not_open_cost_nothing),
        cmocka_unit_test(claims_are_told_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
