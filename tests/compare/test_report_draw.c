// test_report_draw.c -- draws the report of the directory it is given.
// SPDX-License-Identifier: MIT

#include <stdio.h>

#include "compare/report/report.h"

int main(int count, char **arguments)
{
    if (count != 2 || cmp_report_write(arguments[1]) != KV_OK) {
        fprintf(stderr, "%s\n", kv_last_error());
        return 1;
    }
    return 0;
}
