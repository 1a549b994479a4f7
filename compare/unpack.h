// unpack.h -- the whole text of a file, also of one that zstd or gzip packed.
// SPDX-License-Identifier: MIT
//
// The first bytes tell: 28 b5 2f fd is Zstandard, 1f 8b gzip; all else is taken
// as it is. Files of several frames or members, one after the other, are read
// whole.

#ifndef COMPARE_UNPACK_H
#define COMPARE_UNPACK_H

#include "common/bytes.h"
#include "common/status.h"

// Appends to `to`. The path "-" is standard input. KV_IO: cannot be read;
// KV_CORRUPT: packed, but damaged or cut off.
KV_MUST_USE kv_status cmp_unpack(const char *path, kv_buf *to);

#endif
