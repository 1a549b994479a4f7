// xray.h -- the files of stage 5 with their meaning beside them; see
// common/xray.h.
// SPDX-License-Identifier: MIT

#ifndef BT_XRAY_H
#define BT_XRAY_H

#include "common/disk.h"
#include "common/xray.h"

#include "format.h"

// A file of a store, by its name: TREE, or a log. Of what is wrong each thing
// is said, and the walk goes on behind it.
KV_MUST_USE kv_status bt_xray(kv_disk *disk, const char *file, kv_xray *x);

// All of TREE: two superblocks, then page by page, each slot with its cell
// behind it.
void bt_xray_pages(kv_slice file, kv_xray *x);
// All of a log, item by item.
void bt_xray_log(kv_slice file, const char *name, kv_xray *x);

#endif
