// unpack.c -- see unpack.h.
// SPDX-License-Identifier: MIT

#include "compare/unpack.h"

#include <errno.h>
#include <stdio.h>
#include <zlib.h>
#include <zstd.h>

enum { CHUNK = 1 << 20 };

static kv_status read_raw(const char *path, kv_buf *to)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    if (file == NULL) {
        return kv_fail(KV_IO, "%s: %s", path, strerror(errno));
    }
    for (size_t got = 1; got > 0; to->len += got) {
        kv_buf_reserve(to, CHUNK);
        got = fread(to->data + to->len, 1, CHUNK, file);
    }
    bool failed = ferror(file) != 0;
    if (!is_stdin) fclose(file);
    return failed ? kv_fail(KV_IO, "%s: cannot be read", path) : KV_OK;
}

static kv_status damaged(const char *path, const char *packer, const char *how)
{
    return kv_fail(KV_CORRUPT, "%s: packed by %s, but damaged: %s", path,
                   packer, how);
}

static kv_status unpack_zstd(const char *path, kv_slice raw, kv_buf *to)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (context == NULL) return kv_fail(KV_IO, "%s: no memory", path);
    ZSTD_inBuffer in = {.src = raw.data, .size = raw.len};
    kv_status st = KV_OK;
    size_t left = 0; // of the frame; 0 at its end
    for (bool is_full = true; in.pos < in.size || is_full;) {
        kv_buf_reserve(to, CHUNK);
        ZSTD_outBuffer out = {.dst = to->data + to->len, .size = CHUNK};
        left = ZSTD_decompressStream(context, &out, &in);
        if (ZSTD_isError(left)) {
            st = damaged(path, "zstd", ZSTD_getErrorName(left));
            goto out;
        }
        to->len += out.pos;
        is_full = out.pos == out.size;
    }
    if (left > 0) st = damaged(path, "zstd", "it is cut off");
out:
    ZSTD_freeDCtx(context);
    return st;
}

// One member. What it took of `raw` is cut from its front.
static kv_status unpack_member(const char *path, kv_slice *raw, kv_buf *to)
{
    // zlib's input pointer is not const, though it does not write there.
    union {
        const uint8_t *borrowed;
        uint8_t *given;
    } from = {.borrowed = raw->data};
    z_stream z = {.next_in = from.given};
    size_t fed = 0;
    int code = inflateInit2(&z, 15 + 16); // gzip's frame, not zlib's
    while (code == Z_OK) {
        if (z.avail_in == 0) {
            size_t some = raw->len - fed < CHUNK ? raw->len - fed : CHUNK;
            z.avail_in = (uInt)some;
            fed += some;
        }
        kv_buf_reserve(to, CHUNK);
        z.next_out = to->data + to->len;
        z.avail_out = CHUNK;
        code = inflate(&z, Z_NO_FLUSH);
        to->len += CHUNK - z.avail_out;
    }
    size_t used = fed - z.avail_in;
    inflateEnd(&z);
    *raw = kv_slice_of(raw->data + used, raw->len - used);
    if (code == Z_STREAM_END) return KV_OK;
    return damaged(path, "gzip",
                   code == Z_BUF_ERROR ? "it is cut off" : zError(code));
}

static bool begins(kv_slice raw, const char *magic, size_t len)
{
    return raw.len >= len && memcmp(raw.data, magic, len) == 0;
}

static kv_status unpack_gzip(const char *path, kv_slice raw, kv_buf *to)
{
    while (begins(raw, "\x1f\x8b", 2)) KV_TRY(unpack_member(path, &raw, to));
    if (raw.len == 0) return KV_OK;
    return damaged(path, "gzip", "something else follows its end");
}

kv_status cmp_unpack(const char *path, kv_buf *to)
{
    kv_buf raw = {0};
    kv_status st = read_raw(path, &raw);
    kv_slice bytes = kv_buf_slice(&raw);
    if (st != KV_OK) {
        // Nothing was read that could be unpacked.
    } else if (begins(bytes, "\x28\xb5\x2f\xfd", 4)) {
        st = unpack_zstd(path, bytes, to);
    } else if (begins(bytes, "\x1f\x8b", 2)) {
        st = unpack_gzip(path, bytes, to);
    } else {
        kv_buf_append(to, bytes);
    }
    kv_buf_free(&raw);
    return st;
}
