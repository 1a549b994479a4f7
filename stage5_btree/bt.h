// bt.h -- stage 5: a B+tree of pages changed in place, with a write-ahead log.
// SPDX-License-Identifier: MIT
//
// Book: "B-Trees"

#ifndef BT_H
#define BT_H

#include "common/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

KV_API extern const kv_engine bt_engine;

#ifdef __cplusplus
}
#endif

#endif
