// memory_engine.h -- the smallest engine there is: a sorted array in memory.
// SPDX-License-Identifier: MIT
//
// Read this before you plug in an engine of your own: it is all that
// engine_impl.h asks for and nothing else. The suites in tests/engine are run
// on it first, so that what they find in a stage is the stage's.
//
//      entries  [ ant | bee | cat | dog | eel ]      sorted by key
//                               ^
//                               a cursor remembers the key it showed last, not
//                               the place: it survives any change between steps
//
// Built as a shared library with its one symbol named kv_engine_plugin, the
// same file is what `--engine ./mine.so` loads.

#ifndef TESTS_SUPPORT_MEMORY_ENGINE_H
#define TESTS_SUPPORT_MEMORY_ENGINE_H

#include "common/engine.h"

extern const kv_engine memory_engine;

#endif
