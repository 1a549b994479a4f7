// answer.h -- the page's first words: which engine was best at what, against
// whom, by how much, and where the figures do not say.
// SPDX-License-Identifier: MIT
//
//     In 3 workloads, among log, bt and leveldb: bt was fastest in 2 ..
//     In 9 workloads, among log and bt: log was fastest in 5 ..
//
// Engines that keep data on disk and engines that keep it in memory only are
// two leagues: what the second saves is what the first is for. Within a league
// the workloads are told apart by who took part in them (race.h), so that
// nobody is said to have won where a rival was not asked to run.

#ifndef COMPARE_REPORT_ANSWER_H
#define COMPARE_REPORT_ANSWER_H

#include "compare/report/rundir.h"

// Appends HTML: some paragraphs, and a table with a row per workload.
void cmp_answer_draw(const cmp_rundir *r, kv_buf *to);

#endif
