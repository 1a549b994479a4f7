// look.h -- stage 4 told to a person: inspect, check, xray.
// SPDX-License-Identifier: MIT

#ifndef LSM_LOOK_H
#define LSM_LOOK_H

#include "common/report.h"
#include "common/xray.h"

#include "store.h"

// Memtables and levels, each run as a bar of its tables' key ranges. `what` is
// NULL, or one of
//   "level N"     its tables with their key ranges
//   "table N"     what one table holds
//   "metrics"     since the store was opened, per level: tables, bytes, read,
//                 written, write amplification, what its filters stopped and
//                 let through; of the whole: stalls, cache, memory of filters
//                 and indexes
//   "history"     the manifest's edits, one by one, and the levels after each
KV_MUST_USE kv_status lsm_look_inspect(lsm_store *s, const char *what,
                                       kv_report *report);
// Every byte on disk and every lettered invariant.
KV_MUST_USE kv_status lsm_look_check(lsm_store *s, kv_report *report);

// metrics.c: the numbers of "metrics".
void lsm_look_metrics(lsm_store *s, const lsm_view *view, kv_report *report);

// history.c: the manifest, replayed step by step.
KV_MUST_USE kv_status lsm_look_history(lsm_store *s, kv_report *report);

// A bar of `width` cells, each filled where a table of the run lies, between
// the keys `first` and `last`.
void lsm_draw_bar(const lsm_run *run, kv_slice first, kv_slice last,
                  size_t width, char *bar);

// A table, a log or the manifest, field by field.
kv_status lsm_xray(kv_disk *disk, const char *file, kv_xray *xray);

#endif
