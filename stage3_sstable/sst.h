// sst.h -- stage 3: sorted segments under a memtable, merged as they gather.
// SPDX-License-Identifier: MIT
//
//     kv_open(&sst_engine, &(kv_options){.path = "d", .create = true}, &db);

#ifndef SST_H
#define SST_H

#include "common/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

KV_API extern const kv_engine sst_engine;

#ifdef __cplusplus
}
#endif

#endif
