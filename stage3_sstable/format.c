// format.c -- what both formats of a segment share; see format.h.
// SPDX-License-Identifier: MIT

#include "format.h"

#include "common/coding.h"
#include "common/rng.h"

uint32_t sst_check_seed(const sst_segment_id *id, uint64_t offset)
{
    return (uint32_t)kv_mix64(kv_mix64(id->store_id ^ id->number) + offset);
}

void sst_put_check(const sst_codec *codec, kv_buf *to, size_t from,
                   const sst_segment_id *id, uint64_t offset)
{
    kv_slice part = kv_slice_of(to->data + from, to->len - from);
    codec->put_check(to, kv_crc32c(sst_check_seed(id, offset), part));
}

bool sst_get_check(const sst_codec *codec, kv_slice part,
                   const sst_segment_id *id, uint64_t offset, kv_slice *body)
{
    if (part.len < codec->check_bytes) return false;
    size_t len = part.len - codec->check_bytes;
    uint32_t crc;
    kv_slice check = kv_slice_of(part.data + len, codec->check_bytes);
    if (codec->get_check(check, &crc) != codec->check_bytes) return false;
    *body = kv_slice_of(part.data, len);
    return kv_crc32c(sst_check_seed(id, offset), *body) == crc;
}

const sst_codec *sst_codec_of(kv_slice from)
{
    if (from.len == 0) return NULL;
    return from.data[0] == '#' ? &sst_codec_text : &sst_codec_binary;
}
