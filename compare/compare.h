// compare.h -- what main.c and run.c ask of the rest of the room.
// SPDX-License-Identifier: MIT

#ifndef COMPARE_COMPARE_H
#define COMPARE_COMPARE_H

#include "common/status.h"

// Makes the page from a run's directory and says where it is. Without the
// report's library it does nothing.
KV_MUST_USE kv_status cmp_report(const char *run_dir);
// The same and, twice as large, a picture of each chart as a PNG file.
KV_MUST_USE kv_status cmp_report_with_png(const char *run_dir);
// The same, and the charts in letters on the standard output.
KV_MUST_USE kv_status cmp_report_with_text(const char *run_dir);

// Prints what there is, by name and meaning: engines, workloads, profiles,
// measures or claims, or all of these if `part` is NULL. KV_INVALID names the
// nearest.
KV_MUST_USE kv_status cmp_list(const char *part);

#endif
