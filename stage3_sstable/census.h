// census.h -- how much of the segments is dead, counted a step at a time.
// SPDX-License-Identifier: MIT
//
//     sst_census c = {0};
//     st = sst_census_begin(&c, view, codec, why);
//     while (st == KV_OK) st = sst_census_step(&c, 4 << 20);
//     if (st == KV_END) … c.live_bytes of c.all_bytes …
//     sst_census_free(&c);                     also after a failure
//
// A segment does not know what newer ones say about its keys: a tombstone is
// small, and what it frees need not be. So it is a merge that writes nothing.
//
// Book: "Constructing and maintaining SSTables"

#ifndef SST_CENSUS_H
#define SST_CENSUS_H

#include "view.h"

typedef struct sst_census {
    sst_merge merge;
    const sst_codec *codec; // of what a merge would write
    kv_buf entry;           // scratch: one as that has it
    uint64_t all_bytes;     // of entries, in all segments of the view
    uint64_t live_bytes;    // that a merge of them would leave
} sst_census;

// Requires a zeroed census. The view need not outlive the call.
KV_MUST_USE kv_status sst_census_begin(sst_census *c, const sst_view *view,
                                       const sst_codec *codec, kv_why why);
// Counts some `bytes` of what is live; KV_END when nothing is left. Cost: 1
// read per interval it comes by.
KV_MUST_USE kv_status sst_census_step(sst_census *c, uint64_t bytes);
void sst_census_free(sst_census *c);

#endif
