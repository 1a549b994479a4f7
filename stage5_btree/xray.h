// xray.h -- the file of pages with its meaning beside it; see common/xray.h.
// SPDX-License-Identifier: MIT

#ifndef BT_XRAY_H
#define BT_XRAY_H

#include "common/xray.h"

#include "format.h"

// All of the file: two superblocks, then page by page, each slot with its cell
// behind it. What is wrong with a page is said, and the next one drawn.
void bt_xray_pages(kv_slice file, kv_xray *x);

#endif
