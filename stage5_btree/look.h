// look.h -- what the store says about itself: inspect and check.
// SPDX-License-Identifier: MIT
//
// Book: none

#ifndef BT_LOOK_H
#define BT_LOOK_H

#include "common/engine.h"

#include "store.h"

// The shape; `what` is NULL, "page N", "tree" (every page with its fill), or
// "graphviz" (the same as a graph, see draw.h). KV_INVALID for anything else.
KV_MUST_USE kv_status bt_look_inspect(bt_store *s, const char *what,
                                      kv_report *report);
// What it cost since the store was opened: how the tree changed its shape,
// pages read and written and what for, the log, and what readers hold on to;
// `stats` are the front door's. (metrics.c) Cost: 1 read, or none.
KV_MUST_USE kv_status bt_look_metrics(bt_store *s, const kv_stats *stats,
                                      kv_report *report);
// Verifies B1 to B3, F1 of freelist.h, O2, every page's bytes in memory and in
// the file, and the log; tells which superblock is good, if one is not.
KV_MUST_USE kv_status bt_look_check(bt_store *s, kv_report *report);

#endif
