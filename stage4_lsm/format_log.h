// format_log.h -- the payloads of stage 4's two kinds of record log: what a
// write-ahead log says of changes, and what the manifest says of tables.
// SPDX-License-Identifier: MIT
//
// Files:  000009.log, kind "LSMW", and MANIFEST, kind "LSMM"; the frame around
//         a payload is common/recordlog.h. Integers are varints
//         (common/coding.h); a key or a value is its length and its bytes.
//
// A payload in a write-ahead log is changes end to end, all of one caller; the
// records of a large batch form a group:
//
//        +---------+-----+-------+     kind 0 put, 1 del (no value), 2 delete a
//        | kind u8 | key | value |     range: from `key` up to, not including,
//        +---------+-----+-------+     `value`; an empty `value`: to the end
//
//   "cat" = "meow"    00  03 63 61 74  04 6d 65 6f 77
//   del "cat"         01  03 63 61 74
//
// and the first record of a log that follows another one is a switch:
//
//        +-------+--------+------+-------------+   the predecessor's number,
//        | 03 u8 | number | size | synced size |   its size when this log took
//        +-------+--------+------+-------------+   over, and how much of that
//                                                  was synced then
//
// A payload in the manifest is one edit: what a flush or a compaction changed.
//
//        +---------+------+-----+----------+---------------+-------------+
//        | what u8 | next | log | last seq | count, numbers | count, tables|
//        +---------+------+-----+----------+---------------+-------------+
//                                            removed          added
//
//   what      see lsm_edit_what; a clean close changes no tables, and two more
//             numbers end its edit: the last log, and how long that is
//   next      no file has had this number or a higher one
//   log       the first log whose changes are in no table
//   table     level | run | number | file bytes | entries | open end u8 |
//             first key | last key
//
// Book: "Constructing and maintaining SSTables", the log and crash recovery

#ifndef LSM_FORMAT_LOG_H
#define LSM_FORMAT_LOG_H

#include "common/batch.h"
#include "common/recordlog.h"

#include "format.h"

extern const char lsm_wal_kind[];      // "LSMW"
extern const char lsm_manifest_kind[]; // "LSMM"

lsm_name lsm_log_name(uint64_t number); // "000009.log"
// The number of "000009.log" with the right ending, or 0.
uint64_t lsm_number_of(const char *name, const char *ending);
kv_recordlog_id lsm_log_id(uint64_t store_id, uint64_t number);

// ---- write-ahead log --------------------------------------------------------

// Bytes a change takes at most, beyond its key and value.
enum { LSM_CHANGE_OVERHEAD_MAX = 11 };

typedef struct lsm_switch {
    uint64_t number, size, synced_size; // of the predecessor
} lsm_switch;

void lsm_put_change(kv_buf *to, const kv_change *change);
// How many bytes the change at the front of `from` takes; 0 if there is none.
// Its slices point into `from`.
size_t lsm_get_change(kv_slice from, kv_change *out);
void lsm_put_switch(kv_buf *to, const lsm_switch *s);
// Takes all of `from`, or returns false.
bool lsm_get_switch(kv_slice from, lsm_switch *out);

// ---- manifest ---------------------------------------------------------------

enum { LSM_LEVELS = 8 }; // 0, where flushes go, to 7

// The last log, as a clean close left it. Zeroes: nobody says.
typedef struct lsm_closed {
    uint64_t log, bytes;
} lsm_closed;

typedef enum lsm_edit_what {
    LSM_EDIT_ALL, // everything there is: the first record of a manifest
    LSM_EDIT_FLUSH,
    LSM_EDIT_COMPACT,
    LSM_EDIT_MOVE,
    LSM_EDIT_CLOSE,
    LSM_EDITS
} lsm_edit_what;

// "flush" and so on.
const char *lsm_edit_word(lsm_edit_what what);

typedef struct lsm_edit_table {
    uint32_t level;
    uint64_t run, number, file_bytes, entry_count;
    kv_slice first_key, last_key; // borrowed
    bool last_is_open;
} lsm_edit_table;

// Zeroed: changes nothing.
typedef struct lsm_edit {
    lsm_edit_what what;
    uint64_t next, log, last_seq;
    uint64_t *removed; // numbers
    size_t removed_count, removed_cap;
    lsm_edit_table *added;
    size_t added_count, added_cap;
    lsm_closed closed; // LSM_EDIT_CLOSE
} lsm_edit;

void lsm_edit_remove(lsm_edit *e, uint64_t number);
void lsm_edit_add(lsm_edit *e, const lsm_edit_table *table);
void lsm_edit_free(lsm_edit *e);

void lsm_put_edit(kv_buf *to, const lsm_edit *e);
// Fills a zeroed edit, whose keys point into `from`. False, and nothing to
// free, if `from` is not exactly one edit.
bool lsm_get_edit(kv_slice from, lsm_edit *out);

#endif
