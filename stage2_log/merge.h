// merge.h -- rewriting: what is live of some neighbours becomes one file.
// SPDX-License-Identifier: MIT
//
//   begin    000003 000004 000005      make 000003-000005.1.seg.tmp
//   step     a MiB of input at a time: copy what the index points at
//   ...
//   finish   seal, rename, sync the directory          the new file counts
//            point the index at the copies             readers see it
//            take the inputs out of the list, remove them
//
// A crash before the rename leaves the inputs and a .tmp; after it, the output
// and perhaps inputs that it covers (F1). The store has the same content at
// every moment, so a merge needs no log of its own.
//
// Invariants
//   M1  The index points at an input until the output is durable.
//   M2  A copy counts only if the index still pointed at its original when it
//       was installed; a key written meanwhile wins.
//   M3  Installing runs in the commit line, a thousand entries at a time: no
//       writer sees a place move between looking it up and using it. Readers
//       do not wait.
//   M4  A merge that fails before the rename removes its output and changes
//       nothing. An input that cannot be read ends the merge and stays.
//   M5  Tombstones are dropped only as F5 allows.
//   M6  Before the output is renamed, every record that made one of an input's
//       dead is synced: or a power cut could take the newer and the older.
//
// Book: hash indexes: compaction and merging of segments

#ifndef LOG_MERGE_H
#define LOG_MERGE_H

#include "common/commit.h"

#include "find.h"

// A record that was copied.
typedef struct log_copied {
    uint64_t hash;
    log_place source, target;
    uint32_t source_bytes, target_bytes;
} log_copied;

typedef struct log_merge_plan {
    log_segment_list inputs; // neighbours, pinned; the merge takes them over
    uint32_t last;           // position up to which the output counts
    uint32_t horizon;        // F5
    uint32_t drops_below;    // tombstones at lower positions are dropped (F5)
    kv_why why;
} log_merge_plan;

typedef struct log_merge {
    const log_finder *finder;
    kv_commit_line *line;
    log_merge_plan plan;
    log_segment *output; // NULL: no merge is under way
    size_t at_input;
    uint64_t at_offset;
    log_copied *copied;
    size_t copied_count, copied_cap, installed_count;
    kv_buf window, text;
    uint64_t merges, read_bytes, written_bytes; // so far
    bool is_doubtful; // writing failed: the store should take no more writes
} log_merge;

// Makes the output. When it fails the plan's inputs are given back. Requires
// at least one input.
KV_MUST_USE kv_status log_merge_begin(log_merge *m, log_merge_plan plan);
// Copies some, or finishes. KV_NO_SPACE, and KV_CORRUPT or KV_IO of an input,
// abandon the merge; `is_doubtful` tells whether anything worse happened.
// Cost: 1 read and 1 write of up to 1 MiB each; the last one 2 or 3 syncs.
KV_MUST_USE kv_status log_merge_step(log_merge *m);
// Gives up a merge that is under way, or does nothing.
void log_merge_abandon(log_merge *m);
void log_merge_free(log_merge *m);

// All is copied; the next step makes the output durable, after which the
// records it left out are gone. Whatever made them dead has to be durable
// before (M6).
static inline bool log_merge_is_copied(const log_merge *m)
{
    return m->output != NULL && m->at_input == m->plan.inputs.count;
}

static inline bool log_merge_is_under_way(const log_merge *m)
{
    return m->output != NULL;
}

#endif
