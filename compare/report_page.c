// report_page.c -- compare.h's cmp_report with the report's library.
// SPDX-License-Identifier: MIT

#include <stdio.h>

#include "compare/compare.h"
#include "compare/report/report.h"

kv_status cmp_report(const char *run_dir)
{
    KV_TRY(cmp_report_write(run_dir));
    printf("look at %s/index.html\n", run_dir);
    return KV_OK;
}

kv_status cmp_report_with_png(const char *run_dir)
{
    KV_TRY(cmp_report(run_dir));
    return cmp_report_png(run_dir);
}

kv_status cmp_report_with_text(const char *run_dir)
{
    KV_TRY(cmp_report_write(run_dir));
    return cmp_report_text(run_dir, stdout);
}
