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

static bool unpack_zstd(lsm_unpacker *u, const uint8_t *from, size_t len,
                        uint8_t *to, size_t raw_size)
{
    // The last slot is shared by the threads that have none of their own.
    unsigned slot = kv_thread_slot();
    bool is_kept = u != NULL && slot != KV_THREAD_SLOTS - 1;
    struct ZSTD_DCtx_s *once = NULL,
                       **context = is_kept ? &u->zstd[slot] : &once;
    if (*context == NULL) *context = ZSTD_createDCtx();
    size_t size = *context == NULL
                      ? 0
                      : ZSTD_decompressDCtx(*context, to, raw_size, from, len);
    ZSTD_freeDCtx(once);
    return size == raw_size;
}

void lsm_unpacker_free(lsm_unpacker *u)
{
    for (int i = 0; i < KV_THREAD_SLOTS; i++) {
        ZSTD_freeDCtx(u->zstd[i]);
        u->zstd[i] = NULL;
    }
}

bool lsm_decompress(lsm_unpacker *u, lsm_compression how, kv_slice payload,
                    uint8_t *to, size_t raw_size)
{
    const uint8_t *from = payload.data + LSM_RAW_SIZE_BYTES;
    size_t len = payload.len - LSM_RAW_SIZE_BYTES;
    if (how == LSM_COMPRESS_ZSTD) {
        return unpack_zstd(u, from, len, to, raw_size);
    }
    if (how != LSM_COMPRESS_LZ4 || len > LSM_BLOCK_MAX) return false;
    return LZ4_decompress_safe((const char *)from, (char *)to, (int)len,
                               (int)raw_size) == (int)raw_size;
}
