// results.h -- the files a run leaves behind: the contract between whoever
// measures and whoever draws.
// SPDX-License-Identifier: MIT
//
// Each is a table: a line of column names, then rows, cells parted by one tab,
// text escaped as kv_escape does, numbers as printf's %.12g, NA for what is not
// known. A row may also be missing: that is n/a too, and void.tsv says why.
//
//   manifest.tsv   key value
//   measures.tsv   engine workload phase rep measure value
//   space.tsv      engine workload rep user_bytes disk_bytes live_bytes
//   latency.tsv    engine workload op ns count
//   timeline.tsv   engine workload share second ops p50_ns p99_ns max_ns
//                  written_bytes background_bytes
//   openloop.tsv   engine workload share offered_per_s achieved_per_s p50_ns
//                  p99_ns p999_ns p9999_ns max_ns
//   ageing.tsv     engine workload rep window updates_per_record wa disk_bytes
//                  live_bytes
//   void.tsv       engine workload rep reason
//   results.json   all of them for outsiders: {"manifest": {..}, "measures":
//                  [{"engine": ..}, ..], ..}; NA is null
//
// phase     load: what was inserted beforehand; age: updates after that; run:
//           what is measured; cold: reads after everything was forgotten.
// rep       0 is the run that counts, 1..R those that are timed, R+1 the one
//           with a clock around every call; those after it are open loops. A
//           measure has rows only for the runs it is taken from (measures.h):
//           take the median over rep.
// ns        the upper edge of a bucket; its width is below 1 % of it.
// share     of what a closed loop with a clock does: the rate at which calls
//           are due in an open loop, delays counting from when a call was due;
//           0: that closed loop, run R+1, delays from when a call began.
// second    at the end of the row's moment, without the harness's own time.
// background bytes written that are not a log's: flushes, merges, pages.
// reason    "wrong: .." an answer the oracle contradicts: voids the figure and
//           fails the run · "selfcheck: .." the same for counters · "crashed:",
//           "hung:", "failed:", "full:" the child did not end well · "absent:"
//           not built · "n/a: .." the engine cannot do this. A rep that ended
//           so has no rows in measures.tsv. rep NA: all reps; workload *: all.
// manifest  engine.E title · bytes.E where byte figures come from: counted
//           (the engine's disk layer, by reason), calls (all read and write
//           calls of the process, from /proc/self/io), mapped (not knowable:
//           wa_* and ra_* are n/a), none (in memory) · knobs.E what was set ·
//           caps.E · workload.W one line · check.* verdicts · program a hash
//           of the program's file · inputs one of workloads, data and trace ·
//           share i/n, what --only said (1/1 if nothing) · host, and of runs
//           that were joined (merge.h) share.i/n: who ran it, and when · done
//           the trials and open loops that came to their end.

#ifndef COMPARE_RESULTS_H
#define COMPARE_RESULTS_H

#include <stdio.h>

#include "common/bytes.h"
#include "common/status.h"

typedef enum cmp_table {
    CMP_MANIFEST,
    CMP_MEASURES,
    CMP_SPACE,
    CMP_LATENCY,
    CMP_TIMELINE,
    CMP_OPENLOOP,
    CMP_AGEING,
    CMP_VOID,
    CMP_TABLES,
} cmp_table;

typedef struct cmp_results {
    char *dir;
    FILE *file[CMP_TABLES];
    int error; // errno of the first row that could not be written; 0: none
} cmp_results;

// Makes the directory, and the tables with their column names.
KV_MUST_USE kv_status cmp_results_open(cmp_results *r, const char *dir);
// Adds a row; cells come parted by tabs, already escaped, without the newline.
void cmp_results_row(cmp_results *r, cmp_table table, const char *row);
void cmp_results_fact(cmp_results *r, const char *key, const char *fmt, ...)
    KV_PRINTF(3, 4);
// Calls `each`, if it is not NULL, with every row of a run's table, without its
// newline; the row may be changed. KV_IO or KV_INVALID, with a sentence, if the
// directory has no such table.
KV_MUST_USE kv_status cmp_results_each(const char *dir, cmp_table table,
                                       void (*each)(void *arg, char *row),
                                       void *arg);
// Writes results.json and closes everything; also when a row failed to be
// written, which is then said: KV_NO_SPACE or KV_IO.
KV_MUST_USE kv_status cmp_results_close(cmp_results *r);

#endif
