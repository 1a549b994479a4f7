// ledger.h -- the book's claims with their verdicts, as a part of the page.
// SPDX-License-Identifier: MIT

#ifndef COMPARE_REPORT_LEDGER_H
#define COMPARE_REPORT_LEDGER_H

#include "compare/report/rundir.h"

// Nothing if no claim was tried in this run's directory.
void cmp_ledger_draw(const cmp_rundir *r, kv_buf *to);

#endif
