// yardstick.h -- what a module tells about the library behind it, besides the
// engine it exports.
// SPDX-License-Identifier: MIT
//
// A yardstick is a module, loaded when asked for: the library is no part of our
// programs. It exports
//
//     KV_API const kv_engine kv_engine_plugin = {.abi = KV_ENGINE_ABI, ..};
//     KV_API const cmp_yardstick kv_yardstick = {..};      may be missing
//
// and goes through the same front door as the stages. Its own files are its own
// business: the harness learns their bytes from /proc/self/io, if at all.

#ifndef COMPARE_YARDSTICKS_YARDSTICK_H
#define COMPARE_YARDSTICKS_YARDSTICK_H

#include "common/status.h"

typedef enum cmp_bytes {
    CMP_BYTES_COUNTED, // through kv_disk, which counts; a stage does
    CMP_BYTES_CALLS,   // through read and write calls of its own
    CMP_BYTES_WRITTEN, // through write calls; of reads nobody knows
    CMP_BYTES_MAPPED,  // through a mapping: nobody knows
    CMP_BYTES_NONE,    // in memory only
} cmp_bytes;

typedef struct cmp_yardstick {
    const char *(*library)(void); // "Tkrzw 1.0.25"
    cmp_bytes bytes;
} cmp_yardstick;

#endif
