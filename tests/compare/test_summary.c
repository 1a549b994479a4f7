// test_summary.c -- the table of the terminal: a rate that is small is not
// nothing, and one that is not known says so.
// SPDX-License-Identifier: MIT

#include "common/engine_impl.h"

#include "compare/summary.h"
#include "tests/support/test.h"

static void slow_operations_have_a_rate(void **state)
{
    (void)state;
    static cmp_options o; // too large for a stack
    o.reps = 1;
    o.engine_count = 1;
    static const kv_engine engine; // there is one; nobody calls it
    o.engine[0].engine = &engine;
    snprintf(o.engine[0].label, sizeof o.engine[0].label, "mine");
    static const char *const workloads[] = {"walk", "read", "never"};
    for (size_t w = 0; w < 3; w++) {
        cmp_workload *workload = &o.workload[o.workload_count++];
        snprintf(workload->name, sizeof workload->name, "%s", workloads[w]);
    }
    cmp_summary s;
    cmp_summary_init(&s, &o);
    cmp_summary_add(&s, "mine", "walk", 18.78);
    cmp_summary_add(&s, "mine", "read", 824123);
    FILE *to = tmpfile();
    assert_non_null(to);
    cmp_summary_print(&s, to);
    rewind(to);
    char text[1024] = "";
    size_t len = fread(text, 1, sizeof text - 1, to);
    assert_true(len > 0);
    assert_non_null(strstr(text, "\nwalk                       0.0188\n"));
    assert_non_null(strstr(text, "\nread                        824.1\n"));
    assert_non_null(strstr(text, "\nnever                         n/a\n"));
    fclose(to);
    cmp_summary_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_operations_have_a_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
