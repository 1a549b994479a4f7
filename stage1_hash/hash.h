// hash.h -- stage 1: an index in memory, and nothing else.
// SPDX-License-Identifier: MIT

#ifndef STAGE1_HASH_HASH_H
#define STAGE1_HASH_HASH_H

#include "common/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

extern KV_API const kv_engine hash_engine;

#ifdef __cplusplus
}
#endif

#endif
