// engine.h -- one interface, five engines: everything a user of a store calls.
// SPDX-License-Identifier: MIT
//
//     kv *db = NULL;
//     kv_buf value = {0};
//     kv_status st = kv_open(&log_engine, &(kv_options){.path = "d"}, &db);
//     if (st == KV_OK) st = kv_put(db, kv_str("cat"), kv_str("meow"));
//     if (st == KV_OK) st = kv_get(db, kv_str("cat"), &value);
//     if (st != KV_OK) fprintf(stderr, "%s\n", kv_last_error());
//     kv_buf_free(&value);
//     kv_close(db);
//
// Ownership, in four sentences. Slices passed in are borrowed for the length
// of the call. Values come back in a kv_buf the caller declared and frees.
// Slices from a cursor are the cursor's, until its next call. Every *_open,
// kv_scan and nothing else creates something that has to be closed.
//
// Threads. Calls on one store may come from any number of threads; a cursor, a
// batch and a kv_buf belong to one. Housekeeping is written as bounded steps:
// the knob background=N gives them N threads, background=0 runs them inside
// the calls and kv_maintain, so that the same input makes the same I/O.
//
// Errors. Every call may return KV_IO, KV_CORRUPT and KV_INVALID; others are
// named where they can occur. The sentence is in kv_last_error(). A write that
// fails with anything but KV_INVALID, KV_TOO_BIG, KV_UNSUPPORTED, KV_NO_SPACE
// or KV_READ_ONLY is indeterminate: after reopening it is there whole or not
// at all. notes/durability.md says what is promised, and names each test.

#ifndef COMMON_ENGINE_H
#define COMMON_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/batch.h"
#include "common/bytes.h"
#include "common/disk.h"
#include "common/explain.h"
#include "common/knobs.h"
#include "common/report.h"
#include "common/status.h"
#include "common/xray.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kv kv;               // an open store
typedef struct kv_cursor kv_cursor; // a walk over a range of its keys
typedef struct kv_engine kv_engine; // a way of storing; each stage exports one

// ---- what an engine is ------------------------------------------------------

// Abilities beyond get, put, del, write and scan. Tests and the comparison ask
// for them; nobody guesses from the name.
typedef enum kv_caps {
    KV_CAP_ORDERED = 1 << 0,      // a scan yields keys in order, both ways
    KV_CAP_KEYS_ON_DISK = 1 << 1, // the keys need not fit in memory
    KV_CAP_RECLAIMS = 1 << 2,     // kv_settle gives dead bytes back
    KV_CAP_DURABLE = 1 << 3,      // survives what kv_sync_mode promises
    KV_CAP_SNAPSHOT = 1 << 4,     // a cursor sees one moment, writes or not
    KV_CAP_RANGE_DELETE = 1 << 5, // kv_del_range is atomic, and costs less
                                  // than deleting each key
    KV_CAP_BACKUP = 1 << 6,       // kv_backup while reads and writes go on
    KV_CAP_COMPACT = 1 << 7,      // kv_compact: housekeeping of some keys
} kv_caps;

typedef struct kv_engine_info {
    const char *name;  // "log": the word in files and on charts
    const char *title; // "append-only log with a hash index"
    const char *book;  // the section this stage builds
    unsigned caps;
    uint32_t key_max, value_max; // bytes; more is KV_TOO_BIG. A knob may
                                 // lower key_max: see kv_key_max
    uint16_t format_major;       // of what is on disk: see identity.h
    uint16_t format_minor;
    const kv_knob *knobs;
    size_t knob_count;
} kv_engine_info;

const kv_engine_info *kv_describe(const kv_engine *engine);

// ---- a store ----------------------------------------------------------------

// When a write's call may return. Recovery yields a prefix of the order of
// commits in all three.
typedef enum kv_sync_mode {
    KV_SYNC_COMMIT,   // on the disk; calls that arrive together share a sync
    KV_SYNC_INTERVAL, // with the operating system; synced every interval_ms
    KV_SYNC_NONE,     // with the operating system; kv_sync is the only barrier
} kv_sync_mode;

enum { KV_KEY_MAX = 64 << 10 };        // bytes, any engine
enum { KV_VALUE_MAX = 256 << 20 };     // bytes, any engine
enum { KV_MEMORY_DEFAULT = 64 << 20 }; // bytes
enum { KV_INTERVAL_MS_DEFAULT = 100 };

typedef struct kv_options {
    const char *path;      // a directory that belongs to this store alone; NULL
                           // for an engine that keeps nothing
    const char *knobs;     // "name=value,name=value"; NULL for all defaults
    kv_disk *disk;         // NULL for the real one at `path`; else the store
                           // uses it, and the caller closes it afterwards
    kv_sync_mode sync;     // zero is the safe one
    uint32_t interval_ms;  // of KV_SYNC_INTERVAL; 0: the default
    uint64_t memory_bytes; // for tables, caches and filters; 0: the default;
                           // more than the machine has is KV_INVALID
    uint64_t seed;         // what is random in a store comes from it; 0: from
                           // the operating system
    bool create;           // make the directory if it is not there
    bool read_only;        // change nothing on disk; writes are KV_READ_ONLY
} kv_options;

// KV_NOT_FOUND (with a sentence) if the store is not there and `create` is
// off; KV_LOCKED if it is open elsewhere; KV_INVALID for a knob that makes no
// sense, for one that a store keeps as it began (its help says "of a new
// store") and that is asked for otherwise, and for a directory that is another
// engine's or no store. On failure *out is untouched and nothing is left open.
KV_MUST_USE kv_status kv_open(const kv_engine *engine,
                              const kv_options *options, kv **out);
// Also frees the store when it fails: then what KV_SYNC_NONE or _INTERVAL had
// not synced may be lost. kv_close(NULL) does nothing. Requires that no cursor
// is open and no call is running.
kv_status kv_close(kv *db);

// The longest key that this store takes, in bytes: the engine's key_max, or
// less where a setting makes it so (the size of a page, say).
uint32_t kv_key_max(const kv *db);

// KV_NOT_FOUND leaves *value empty. The buffer is reused, not reallocated.
// Cost: stage 2: 1 read if found, else 0.
KV_MUST_USE kv_status kv_get(kv *db, kv_slice key, kv_buf *value);
// As many gets; an engine may overlap their misses in memory. found[i] says
// which; the values of the others are empty.
KV_MUST_USE kv_status kv_get_many(kv *db, size_t count, const kv_slice *keys,
                                  kv_buf *values, bool *found);
// KV_TOO_BIG, KV_NO_SPACE, KV_READ_ONLY. Cost: stage 2: 1 write (shared by
// callers that arrive together), and 1 sync in KV_SYNC_COMMIT.
KV_MUST_USE kv_status kv_put(kv *db, kv_slice key, kv_slice value);
// KV_OK whether or not the key was there: not every engine can know.
KV_MUST_USE kv_status kv_del(kv *db, kv_slice key);
// Every key from `from` (empty: the first) up to, not including, `to` (empty:
// past the last). Without KV_CAP_RANGE_DELETE it is a scan and a del for each
// key: then not atomic, and as slow as that sounds. KV_TOO_BIG if a bound is
// longer than kv_key_max.
KV_MUST_USE kv_status kv_del_range(kv *db, kv_slice from, kv_slice to);
// All changes or none, crash or not, as one write. Of two changes to one key
// the later one counts. An empty batch does nothing. The batch stays the
// caller's, unchanged. KV_TOO_BIG also for a batch of more than a log holds:
// some 4 GiB.
KV_MUST_USE kv_status kv_write(kv *db, kv_batch *batch);
// Everything written before this call survives a power cut after it.
KV_MUST_USE kv_status kv_sync(kv *db);

// ---- a range of keys --------------------------------------------------------

typedef struct kv_range {
    kv_slice from; // inclusive; empty means from the first key
    kv_slice to;   // exclusive; empty means to the last key
    bool reverse;  // from the last key to the first
} kv_range;

// Without KV_CAP_ORDERED entries come in no order, `reverse` is
// KV_UNSUPPORTED, and a range costs as much as a walk over everything. The
// bounds are copied, may be of any length, and from >= to is an empty range.
KV_MUST_USE kv_status kv_scan(kv *db, kv_range range, kv_cursor **out);
// KV_OK and an entry, KV_END (again and again), or a failure. With
// KV_CAP_SNAPSHOT a cursor shows the moment it was opened; without it the first
// write after that ends the cursor: its next call returns KV_STALE.
KV_MUST_USE kv_status kv_cursor_next(kv_cursor *cursor, kv_slice *key,
                                     kv_slice *value);
void kv_cursor_close(kv_cursor *cursor); // NULL is fine

// ---- looking inside ---------------------------------------------------------

// Amplification is arithmetic on these: write = bytes written for all reasons
// / user bytes written, space = disk_bytes / live bytes, read = reads / gets.
typedef struct kv_stats {
    uint64_t gets, puts, dels, range_dels, scans; // asked of the engine
    uint64_t user_read_bytes;         // keys and values, as the user counts
    uint64_t user_write_bytes;        // keys and values of puts, keys of dels
    kv_disk_stats disk[KV_REASONS];   // asked of the disk, by reason
    kv_disk_stats waited[KV_REASONS]; // that part of it that a call waited for
    uint64_t disk_bytes, disk_bytes_peak;
    uint64_t memory_bytes; // what the engine holds: tables, caches, filters
    uint64_t index_bytes;  // the part of it that finds keys
    uint64_t key_count;    // live keys if the engine knows, else 0
} kv_stats;

void kv_stats_read(kv *db, kv_stats *out);

// One bounded step of housekeeping: a merge, a compaction, a checkpoint.
KV_MUST_USE kv_status kv_maintain(kv *db, bool *did_work);
// Steps until none is left to do, and everything synced. What an open cursor
// or a backup may still need keeps its space: once they are closed it is given
// back by itself, or, where that means moving pages (stage 5), by another call.
KV_MUST_USE kv_status kv_settle(kv *db);
// All housekeeping of the keys from `from` up to, not including, `to` (empty
// ends as in kv_del_range), due or not: what is dead there goes, and what is
// live comes to lie where it is found at the least cost. Returns when that is
// done to all that was written before the call. KV_UNSUPPORTED without
// KV_CAP_COMPACT: then there is only kv_settle, for all keys; KV_NO_SPACE.
KV_MUST_USE kv_status kv_compact(kv *db, kv_slice from, kv_slice to);
// A copy in the directory `path`, made if need be (its parent not), that opens
// as a store, taken while reads and writes go on. KV_INVALID if anything is in
// there, or if it lies within the store; after a failure nothing is in it.
// KV_UNSUPPORTED without KV_CAP_BACKUP, KV_NO_SPACE.
KV_MUST_USE kv_status kv_backup(kv *db, const char *path);
// The shape of the store; what is NULL or a part: "level 1", "page 7".
// KV_INVALID names the parts there are. The report is the caller's, to be freed
// also after a failure.
KV_MUST_USE kv_status kv_inspect(kv *db, const char *what, kv_report *report);
// Verify every invariant the stage's README letters and every byte it has on
// disk; KV_CORRUPT if one fails. The report gets what was looked at.
KV_MUST_USE kv_status kv_check(kv *db, kv_report *report);

// From now on tell the listener, one sentence per step, what each call does.
// NULL: nobody. Requires that no other call is running.
void kv_explain(kv *db, kv_listener *listener, void *arg);

// The bytes of one file of a store with their meaning, without opening the
// store, so that a damaged one can be looked at: damage is counted, and no
// failure. KV_NOT_FOUND, bare, if there is no such file. The caller frees
// xray->text.
KV_MUST_USE kv_status kv_xray_file(const kv_engine *engine, kv_disk *disk,
                                   const char *file, kv_xray *xray);

#ifdef __cplusplus
}
#endif

#endif
