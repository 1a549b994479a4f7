// log.h -- stage 2's engine, for whoever opens a store with it.
// SPDX-License-Identifier: MIT

#ifndef LOG_LOG_H
#define LOG_LOG_H

#include "common/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

// An append-only log in segments, with a hash index in memory.
extern KV_API const kv_engine log_engine;

#ifdef __cplusplus
}
#endif

#endif
