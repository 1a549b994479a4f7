// hint.h -- the hint file: the index as a clean close left it.
// SPDX-License-Identifier: MIT
//
// Reading the whole log again to rebuild the index takes as long as the log is
// big. The hint file is the index itself, ten bytes a key. It is a cache: it
// says which segments it was made from, and an entry counts only if its segment
// is still there, of the same span and size. Segments that it does not know are
// read; when a checksum fails, all of them are. What is read then may be older
// than what the hint says of a key: the higher position counts.
//
// Why one such file and not one for each segment: entries hold no keys. Of two
// segments' hints made at different moments nobody could tell whether an entry
// of one overwrites an entry of the other. One moment needs no telling.
//
// Book: hash indexes: how the index comes back after a restart

#ifndef LOG_HINT_H
#define LOG_HINT_H

#include "segments.h"

typedef struct log_hint {
    kv_file *file; // NULL: there is none, or it is in doubt
    log_hint_header header;
    log_facts *segments;
    uint64_t size, block_offset;
    const char *doubt; // why it was not used; NULL if it was
} log_hint;

// Reads header and segments' lines. A hint file that is not there, damaged, or
// another store's is not a failure: `hint->file` is NULL then.
KV_MUST_USE kv_status log_hint_open(kv_disk *disk, uint64_t store_id,
                                    log_hint *hint);
// What the hint file knew of that span; NULL if nothing, or of another size.
const log_facts *log_hint_find(const log_hint *hint, log_span span,
                               uint64_t size);
// Puts the entries of trusted segments into the empty index. segments[i] is
// the one that hint->segments[i] describes, NULL if it is not to be trusted.
// *is_good is false if a block is damaged; the index is useless then.
KV_MUST_USE kv_status log_hint_restore(const log_hint *hint,
                                       log_segment *const *segments,
                                       log_index *index, bool *is_good);
void log_hint_close(log_hint *hint);

// Writes the file anew: to a temporary name, synced, renamed, and the directory
// synced. Without an index it holds the segments' lines alone. Requires that
// nothing changes meanwhile and that all segments are sealed.
KV_MUST_USE kv_status log_hint_save(kv_disk *disk, uint64_t store_id,
                                    log_segments *segments, log_index *index);

#endif
