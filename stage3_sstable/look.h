// look.h -- stage 3 told to a person: inspect, check, xray.
// SPDX-License-Identifier: MIT

#ifndef SST_LOOK_H
#define SST_LOOK_H

#include "common/report.h"
#include "common/xray.h"

#include "store.h"

// Memtables and segments with their key ranges. `what` is NULL, "segment N",
// or "live": then also how many entries of each segment no newer one hides,
// which reads everything.
KV_MUST_USE kv_status sst_look_inspect(sst_store *s, const char *what,
                                       kv_report *report);
// Every byte on disk and every lettered invariant.
KV_MUST_USE kv_status sst_look_check(sst_store *s, kv_report *report);

// A segment, log or catalog, field by field.
kv_status sst_xray(kv_disk *disk, const char *file, kv_xray *xray);

#endif
