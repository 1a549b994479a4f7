// compress.c -- see compress.h.
// SPDX-License-Identifier: MIT

#include "compress.h"

#include <lz4.h>
#include <zstd.h>

// The fastest level that is still clearly smaller than LZ4.
enum { ZSTD_LEVEL = 1 };

static size_t compress_zstd(lsm_compressor *c, kv_slice block, uint8_t *to,
                            size_t room)
{
    if (c->zstd == NULL) c->zstd = ZSTD_createCCtx();
    if (c->zstd == NULL) return 0;
    size_t size =
        ZSTD_compressCCtx(c->zstd, to, room, block.data, block.len, ZSTD_LEVEL);
    return ZSTD_isError(size) ? 0 : size;
}

lsm_compression lsm_compress(lsm_compressor *c, lsm_compression how,
                             kv_slice block, kv_buf *to)
{
    // No more room than is worth filling: both give up when it runs out.
    size_t room = block.len - block.len / 8;
    if (how != LSM_COMPRESS_NONE && room > LSM_RAW_SIZE_BYTES) {
        kv_buf_reserve(to, room);
        uint8_t *at = to->data + to->len + LSM_RAW_SIZE_BYTES;
        room -= LSM_RAW_SIZE_BYTES;
        size_t size = how == LSM_COMPRESS_ZSTD
                          ? compress_zstd(c, block, at, room)
                          : (size_t)LZ4_compress_default(
                                (const char *)block.data, (char *)at,
                                (int)block.len, (int)room);
        if (size > 0) {
            lsm_put_raw_size(to->data + to->len, block.len);
            to->len += LSM_RAW_SIZE_BYTES + size;
            return how;
        }
    }
    kv_buf_append(to, block);
    return LSM_COMPRESS_NONE;
}

void lsm_compressor_free(lsm_compressor *c)
{
    ZSTD_freeCCtx(c->zstd);
    c->zstd = NULL;
}

bool lsm_decompress(lsm_compression how, kv_slice payload, uint8_t *to,
                    size_t raw_size)
{
    const uint8_t *from = payload.data + LSM_RAW_SIZE_BYTES;
    size_t len = payload.len - LSM_RAW_SIZE_BYTES;
    if (how == LSM_COMPRESS_ZSTD) {
        return ZSTD_decompress(to, raw_size, from, len) == raw_size;
    }
    if (how != LSM_COMPRESS_LZ4 || len > LSM_BLOCK_MAX) return false;
    return LZ4_decompress_safe((const char *)from, (char *)to, (int)len,
                               (int)raw_size) == (int)raw_size;
}
