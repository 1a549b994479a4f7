// test_cli_terminal.c -- Ctrl-C, whenever it comes, ends what waits for input.
// SPDX-License-Identifier: MIT

#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <unistd.h>

#include "common/cli/terminal.h"

#include "tests/support/test.h"

enum { PATIENCE_S = 30 }; // then the alarm ends the test

// The worst moment: somebody has just looked whether there was an interrupt,
// and has not yet begun to read from who will never write.
static void test_interrupt_before_a_read_ends_it(void **state)
{
    (void)state;
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    kv_cli_catch_interrupts();
    assert_false(kv_cli_interrupted());
    alarm(PATIENCE_S);
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(read(STDIN_FILENO, &byte, 1), 0);
    alarm(0);
    assert_true(kv_cli_interrupted());
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interrupt_before_a_read_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
