// compaction.h -- sorted inputs become new tables: the job behind every flush
// and every compaction, a bounded step at a time.
// SPDX-License-Identifier: MIT
//
//   begin ─▶ run, run, run … ─▶ end: outputs are there, synced
//              │ per entry, in order:
//              ├ an older version of the key before?        dropped
//              ├ a newer range tombstone over it?           dropped
//              ├ a tombstone, and no older run may hold it? dropped
//              └ else: into the output; a new one where it is full or would
//                overlap too much of the level below
//
// No reader needs what is dropped. A get sees only the newest; a cursor holds
// on to the memtables and tables of its moment, and reads those.
//
// Invariants
//   J1  The newest version of a key is kept, unless it is a tombstone, or lies
//       under a range tombstone, that nothing older needs.
//   J2  A tombstone or a range tombstone is dropped only where no run older
//       than the inputs has a table over it.
//   J3  Outputs do not overlap: a range tombstone is cut where they are.
//
// Book: "Compaction strategies"; "Constructing and maintaining SSTables"

#ifndef LSM_COMPACTION_H
#define LSM_COMPACTION_H

#include "builder.h"
#include "memtable.h"
#include "merge.h"
#include "picker.h"

// What jobs need of their store; constant while it is open.
typedef struct lsm_workshop {
    lsm_table_home home;
    uint64_t store_id;
    _Atomic uint64_t *next_number;
    uint64_t table_bytes[LSM_LEVELS]; // of an output, roughly
    uint32_t block_bytes;
    lsm_compression compression[LSM_LEVELS];
    double bits_per_key;
    bool allots_bits; // over the levels (Monkey), rather than alike
    bool is_background;
} lsm_workshop;

// A run older than the inputs, and how far the job has come along it.
typedef struct lsm_older {
    const lsm_run *run;
    size_t i;
} lsm_older;

typedef struct lsm_job {
    const lsm_workshop *shop;
    lsm_memtable *memtable; // what is flushed; NULL: a compaction
    lsm_pick pick;          // of a compaction; of a flush: only the version
    uint32_t level;         // of the outputs
    uint64_t run;
    kv_why why;

    lsm_merge merge;
    kv_buf last_key; // of the last entry seen
    bool has_last;
    lsm_spans spans; // of all inputs
    size_t span;     // the first that does not end before last_key
    size_t range;    // the first that no output has up to its end
    lsm_older *older;
    size_t older_count;
    lsm_older below; // the run below the outputs, if any
    uint64_t below_bytes;

    lsm_builder builder;
    bool has_output; // the builder is at work
    lsm_table_id output_id;
    kv_buf output_from;  // where the output's part of all keys begins
    lsm_table **outputs; // finished
    size_t output_count;

    uint64_t entries_in, entries_out, bytes_in, bytes_out;
    bool has_begun;
    bool is_running; // the owner's marks: somebody runs it,
    bool is_asked;   // somebody asked for it and waits,
    bool is_paced;   // what it writes now counts for the rate
} lsm_job;

// A flush of a frozen memtable into a run of level 0, above the tables of
// `version`. Takes references.
void lsm_job_flush(lsm_job *job, const lsm_workshop *shop,
                   lsm_memtable *memtable, lsm_version *version);
// A compaction; takes over the pick. Requires that it is not a move.
void lsm_job_compact(lsm_job *job, const lsm_workshop *shop,
                     const lsm_pick *pick);
// Merges some `bytes` more; KV_END when all is done: outputs are synced, their
// names are not. After a failure only lsm_job_drop may follow.
KV_MUST_USE kv_status lsm_job_run(lsm_job *job, uint64_t bytes);
// Bytes in its outputs' files so far.
uint64_t lsm_job_written(const lsm_job *job);
// What becomes of the tables when the job is installed. The caller fills in
// next, log and last_seq, and frees it before the job.
void lsm_job_edit(const lsm_job *job, lsm_edit *edit);
// Removes the outputs' files: the job will not be installed.
void lsm_job_drop(lsm_job *job);
// Gives everything back. A zeroed one is fine.
void lsm_job_free(lsm_job *job);

#endif
