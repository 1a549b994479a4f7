// report_none.c -- compare.h's cmp_report where the report's library is not
// built: the tables are there, the page is not.
// SPDX-License-Identifier: MIT

#include "compare/compare.h"

kv_status cmp_report(const char *run_dir)
{
    (void)run_dir;
    return KV_OK;
}

kv_status cmp_report_with_png(const char *run_dir)
{
    return cmp_report(run_dir);
}

kv_status cmp_report_with_text(const char *run_dir)
{
    return cmp_report(run_dir);
}
