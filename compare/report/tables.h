// tables.h -- the page's tables: every measure, and the twin of each chart.
// SPDX-License-Identifier: MIT

#ifndef COMPARE_REPORT_TABLES_H
#define COMPARE_REPORT_TABLES_H

#include "compare/report/rundir.h"

// Any sheet as a table; `label` names it for those who cannot see it.
void cmp_table_draw(const cmp_sheet *sheet, const char *label, kv_buf *to);
// All measures, one folded table per family, a row per workload and engine.
void cmp_tables_draw(const cmp_rundir *r, kv_buf *to);
size_t cmp_voids_count(const cmp_rundir *r);
// Void figures (not n/a and not absent) as a table; false if there are none.
bool cmp_voids_draw(const cmp_rundir *r, kv_buf *to);
// What is n/a or was not built, and why.
void cmp_absences_draw(const cmp_rundir *r, kv_buf *to);

#endif
