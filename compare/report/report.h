// report.h -- charts and page from a run directory: `compare chart DIR`.
// SPDX-License-Identifier: MIT
//
//     DIR/manifest.tsv measures.tsv space.tsv latency.tsv void.tsv   read
//                     │
//                     ├──▶ style.gp
//                     ├──▶ NAME.tsv, NAME.gp ──gnuplot──▶ NAME.svg,
//                     │      NAME.narrow.svg (one column, for a phone)
//                     └──▶ index.html, which holds the pictures itself
//
// Invariants
//   R1  index.html appears whole or not at all, and last.

#ifndef COMPARE_REPORT_REPORT_H
#define COMPARE_REPORT_REPORT_H

#include <stdio.h>

#include "common/status.h"

// Draws everything anew. KV_NOT_FOUND and KV_INVALID name the file (and line)
// that is missing or malformed; nothing is written then. KV_UNSUPPORTED says
// what to install when there is no gnuplot, KV_IO what it complained about:
// tables, scripts and the page are there all the same, without pictures.
KV_MUST_USE kv_status cmp_report_write(const char *run_dir);

// NAME.png beside every NAME.gp, twice as large. Requires cmp_report_write.
KV_MUST_USE kv_status cmp_report_png(const char *run_dir);
// NAME.txt likewise, in letters for a terminal, and all of them to `to`.
KV_MUST_USE kv_status cmp_report_text(const char *run_dir, FILE *to);

#endif
