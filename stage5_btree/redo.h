// redo.h -- logs, done again on the pages of a store that is being opened.
// SPDX-License-Identifier: MIT
//
//   bt_redo_survey    each log, oldest first: is it good, what does it say was
//                     written; nothing is changed
//   bt_redo_run       each log again: every commit, onto the pages
//   bt_redo_finish    is every page whole?
//
// Nothing is written to the disk before the last question is answered: a store
// that is refused stays as it was. Where the logs may change more pages than
// memory holds, run and finish are rehearsed first: a page that is good on the
// disk is good whatever the log does to it, and needs no memory; the bad ones
// do, until it is known whether they come out whole.
//
// A page that is whole and newer than a commit stays as it is: what is written
// back in between is always some version of a page. Written back it is all the
// same: after a sync that failed, the disk may not have what reads show.
//
// A page that is torn has sectors of several of its versions. Patches are
// applied to it as to any other; when its last announced version should have
// come out, the checksum that was logged before it was written proves it (L1
// and L3 of format_log.h). A page that is bad and was not announced is damage.
//
// Book: "Making B-trees reliable"

#ifndef BT_REDO_H
#define BT_REDO_H

#include "store.h"

// What a `written` item announced last for a page.
typedef struct bt_announced {
    uint64_t page_id, number, order;
    uint32_t checksum;
} bt_announced;

typedef struct bt_redo {
    bt_store *store;
    const char *file;
    bool is_survey;
    bool is_rehearsal;
    bool may_write;          // pages may be written back meanwhile
    size_t page_items;       // that the survey met
    uint64_t *met;           // a bit per page: the rehearsal met it
    bt_announced *announced; // by page id, once the survey is over
    size_t announced_count, announced_cap;
    bt_ids torn;    // pages that are not whole yet
    bt_ids changed; // by the commit that is being redone; or torn, and
                    // changed by the rehearsal
    bool is_commit; // a commit is being redone, and its items so far say
    uint64_t number;
    bt_shape shape; // the store after it
    kv_buf page;    // scratch
} bt_redo;

void bt_redo_free(bt_redo *r);
KV_MUST_USE kv_status bt_redo_survey(bt_redo *r, kv_file *log,
                                     const kv_recordlog_id *expect,
                                     kv_recovery *found);
// Call once when all logs are surveyed.
void bt_redo_end_survey(bt_redo *r);
// Could there be more dirty pages at the end than the cache should have?
bool bt_redo_may_be_much(const bt_redo *r);
// What is run in between leaves no trace; finish is asked before the end.
void bt_redo_begin_rehearsal(bt_redo *r);
void bt_redo_end_rehearsal(bt_redo *r);
KV_MUST_USE kv_status bt_redo_run(bt_redo *r, kv_file *log,
                                  const kv_recordlog_id *expect);
KV_MUST_USE kv_status bt_redo_finish(const bt_redo *r);

#endif
