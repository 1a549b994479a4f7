// selection.h -- who takes part: engines and workloads, from lists of names.
// SPDX-License-Identifier: MIT

#ifndef COMPARE_SELECTION_H
#define COMPARE_SELECTION_H

#include "compare/options.h"

// One engine, or a list parted by commas. KV_INVALID names the nearest.
KV_MUST_USE kv_status cmp_select_engine(cmp_options *o, const char *spec);
KV_MUST_USE kv_status cmp_select_engines(cmp_options *o, const char *list);
// The trace, if there is one; then a list of workloads, or NULL for those that
// run when nobody names any (but none beside a trace).
KV_MUST_USE kv_status cmp_select_workloads(cmp_options *o, const char *list);
// --set: "log:read=map", for an engine that was selected.
KV_MUST_USE kv_status cmp_select_knob(cmp_options *o, const char *text);

#endif
