// lsm.h -- stage 4: the LSM-tree as production engines build it.
// SPDX-License-Identifier: MIT
//
//     kv_open(&lsm_engine, &(kv_options){.path = "d", .create = true}, &db);

#ifndef LSM_H
#define LSM_H

#include "common/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

KV_API extern const kv_engine lsm_engine;

#ifdef __cplusplus
}
#endif

#endif
