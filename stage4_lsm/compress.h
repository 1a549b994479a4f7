// compress.h -- blocks made smaller and back: LZ4 and Zstandard.
// SPDX-License-Identifier: MIT
//
//   payload of a compressed block:  raw size u32 | compressed bytes
//
// A block that would not get smaller by an eighth is stored as it is.
//
// Book: "The SSTable file format"

#ifndef LSM_COMPRESS_H
#define LSM_COMPRESS_H

#include "common/thread.h"

#include "format.h"

// What Zstandard needs to work, kept from block to block. Zeroed is ready.
typedef struct lsm_compressor {
    struct ZSTD_CCtx_s *zstd;
} lsm_compressor;

// Appends the block to `to` as it will be stored, and says how: as asked, or
// LSM_COMPRESS_NONE.
lsm_compression lsm_compress(lsm_compressor *c, lsm_compression how,
                             kv_slice block, kv_buf *to);
void lsm_compressor_free(lsm_compressor *c);

// What Zstandard needs to unpack, kept for each thread: making it anew takes
// ten times as long as a block. Zeroed is ready.
typedef struct lsm_unpacker {
    struct ZSTD_DCtx_s *zstd[KV_THREAD_SLOTS];
} lsm_unpacker;

void lsm_unpacker_free(lsm_unpacker *u);

// Fills `to`, which has lsm_get_raw_size(payload) bytes, not 0. False if
// something else comes out. With `u` NULL nothing is kept.
bool lsm_decompress(lsm_unpacker *u, lsm_compression how, kv_slice payload,
                    uint8_t *to, size_t raw_size);

#endif
