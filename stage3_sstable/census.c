// census.c -- see census.h.
// SPDX-License-Identifier: MIT

#include "census.h"

kv_status sst_census_begin(sst_census *c, const sst_view *view,
                           const sst_codec *codec, kv_why why)
{
    kv_slice all = {0};
    c->codec = codec;
    for (size_t i = 0; i < view->count; i++) {
        sst_segment *segment = view->segments[i];
        c->all_bytes += segment->footer.index_offset;
        KV_TRY(sst_merge_add(&c->merge,
                             sst_segment_scan(segment, all, all, false, why),
                             (uint32_t)i));
    }
    return KV_OK;
}

kv_status sst_census_step(sst_census *c, uint64_t bytes)
{
    uint64_t passed = 0;
    while (passed < bytes) {
        sst_entry entry;
        KV_TRY(sst_merge_next(&c->merge, &entry));
        passed += entry.key.len + entry.value.len;
        if (entry.is_tombstone) continue;
        kv_buf_clear(&c->entry);
        c->codec->put_entry(&c->entry, &entry);
        c->live_bytes += c->entry.len;
    }
    return KV_OK;
}

void sst_census_free(sst_census *c)
{
    sst_merge_free(&c->merge);
    kv_buf_free(&c->entry);
    *c = (sst_census){0};
}
