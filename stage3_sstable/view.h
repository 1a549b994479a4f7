// view.h -- what a reader sees: the memtables and segments of one moment.
// SPDX-License-Identifier: MIT
//
//     newest ──────────────────────────────────────────────▶ oldest
//     active memtable │ frozen memtable │ segment 9 │ segment 4
//     (being filled)  │ (being flushed) │
//
// A view never changes; a flush or a merge makes a new one and switches. Who
// holds a reference keeps everything in it alive: the files of segments that
// were merged away are removed from the directory at once, and their bytes go
// when the last view that shows them does.
//
// Invariants
//   V1  Of two places that hold a key, the one further left has the newer
//       entry.

#ifndef SST_VIEW_H
#define SST_VIEW_H

#include "memtable.h"
#include "segment.h"

typedef struct sst_view {
    _Atomic uint32_t refs;
    sst_memtable *active, *frozen; // frozen may be NULL
    sst_segment **segments;        // newest first
    size_t count;
} sst_view;

// A view of these, each of which it takes a reference to. Comes with one of
// its own.
sst_view *sst_view_new(sst_memtable *active, sst_memtable *frozen,
                       sst_segment *const *segments, size_t count);
sst_view *sst_view_ref(sst_view *v);
void sst_view_unref(sst_view *v); // NULL is fine

#endif
