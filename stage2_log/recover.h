// recover.h -- opening what is there: which files count, and what they say.
// SPDX-License-Identifier: MIT
//
//    list    names -> spans; replaced and unfinished files are set aside (F1)
//    open    every file that counts; a gap in the positions is corruption
//    hint    trust what the hint file knows of unchanged segments (F6)
//    replay  the others, oldest first, record by record
//
// Nothing on the disk changes until all of that has succeeded: an error here
// costs nothing but the attempt. Then log_recovery_tidy removes what was set
// aside. Unless the hint file proves that the newest segment was closed, bytes
// of it may be in the system's cache only; the caller rewrites it (F4) before
// anything else is written.
//
// Book: hash indexes: crash recovery, partially written records

#ifndef LOG_RECOVER_H
#define LOG_RECOVER_H

#include "find.h"
#include "hint.h"

typedef struct log_recovery {
    const log_finder *finder; // its index and list of segments are filled
    bool uses_hints;
    const char *hint_says;  // why hints were not used; NULL if they were
    log_segment *unsealed;  // the newest, unless a clean close is proven
    bool is_newest_durable; // the hint file knows its last record
    kv_names trash;         // files of ours that do not count
    uint64_t read_bytes, records, trusted; // what it took
    uint64_t torn_bytes; // behind the last whole group of the newest
} log_recovery;

KV_MUST_USE kv_status log_recover(log_recovery *r);
// Removes the trash, and makes that durable.
KV_MUST_USE kv_status log_recovery_tidy(log_recovery *r);
void log_recovery_free(log_recovery *r);

// Fills an empty index from the segments alone; for index=off, whose scans
// need one.
KV_MUST_USE kv_status log_rebuild_index(const log_finder *finder, kv_why why);

#endif
