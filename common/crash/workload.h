// workload.h -- what the crashed program was doing, and what it may have left.
// SPDX-License-Identifier: MIT
//
// A workload is a list of steps made from a seed. Each step that writes is one
// commit, numbered from 1; a value says which commit wrote it, so that what a
// recovered store holds can be named:
//
// Seeds from KV_CRASH_SHORT on name the short workloads: every sequence of
// three steps out of fifteen, one seed each. What goes wrong after a crash is
// mostly the fault of few steps in the wrong order, so all of them are tried.
//
// Seeds from KV_CRASH_WIDE on name the wide ones: twice the keys, half of them
// with values that take room. What is stored grows beyond a page or a table of
// the smallest size; behind two fifths of the steps nearly all of it is
// deleted, key after key, with settling in between; then it grows again.
//
// Seeds from KV_CRASH_RANGED on name those that work on ranges of keys: range
// deletions, alone and in batches, compactions of a range, backups, and
// moments: a cursor that stays open while the store goes on, and is then
// walked.
//
//     state[n][key]   the commit that key's value is from after n commits,
//                     0 if the key is not there

#ifndef COMMON_CRASH_WORKLOAD_H
#define COMMON_CRASH_WORKLOAD_H

#include "common/engine.h"

enum {
    KV_CRASH_KEYS = 24,
    KV_CRASH_FEW = 12, // keys, of all workloads but the wide and the ranged
    KV_CRASH_CHANGES_MAX = 3,
    KV_CRASH_SHORT_STEPS = 3,
    KV_CRASH_SHORT_KINDS = 15,
    KV_CRASH_SHORT_COUNT = 15 * 15 * 15,
};
#define KV_CRASH_SHORT  ((uint64_t)1 << 40)
#define KV_CRASH_WIDE   ((uint64_t)1 << 41)
#define KV_CRASH_RANGED ((uint64_t)1 << 42)

typedef enum kv_crash_step_kind {
    KV_CRASH_WRITE,
    KV_CRASH_SYNC,
    KV_CRASH_MAINTAIN,
    KV_CRASH_SETTLE,
    KV_CRASH_REOPEN,
    KV_CRASH_COMPACT, // the range of change[0]
    KV_CRASH_MOMENT,  // see moment.h
    KV_CRASH_BACKUP,
} kv_crash_step_kind;

typedef struct kv_crash_change {
    uint32_t key;
    bool is_del;
    uint32_t to; // of a range, which this key is not in; 0: `key` alone
} kv_crash_change;

typedef struct kv_crash_step {
    kv_crash_step_kind kind;
    uint32_t commit; // of a write; otherwise the last one before
    uint32_t count;  // of changes; more than one is a batch
    kv_crash_change change[KV_CRASH_CHANGES_MAX];
} kv_crash_step;

typedef struct kv_crash_workload {
    kv_crash_step *steps;
    size_t count;
    uint32_t commits;
    uint32_t (*state)[KV_CRASH_KEYS]; // commits + 1 of them
} kv_crash_workload;

// A short workload has KV_CRASH_SHORT_STEPS steps, whatever `ops` says.
void kv_crash_workload_make(kv_crash_workload *w, uint64_t seed, uint32_t ops);
void kv_crash_workload_free(kv_crash_workload *w);

// True if the change, or the range, is of this key.
static inline bool kv_crash_covers(const kv_crash_change *change, uint32_t key)
{
    uint32_t to = change->to > 0 ? change->to : change->key + 1;
    return change->key <= key && key < to;
}

// What a writing step makes of a state.
void kv_crash_apply(uint32_t state[KV_CRASH_KEYS], const kv_crash_step *step);

// Sets the buffer to the name of a key, to the value that a commit gave it.
void kv_crash_key(kv_buf *to, uint32_t key);
void kv_crash_value(kv_buf *to, uint32_t commit, uint32_t key);

// Makes a writing step's changes, as one call. Where an engine has no range
// deletion of its own, the keys of a batch's are deleted one by one in it. One
// by itself is atomic there, too: kv_del_range makes one write of so few keys.
KV_MUST_USE kv_status kv_crash_write(kv *db, const kv_crash_step *step);
// Compacts a compacting step's range, if the engine can.
KV_MUST_USE kv_status kv_crash_compact(kv *db, const kv_crash_step *step);
// A copy in the directory beside, if the engine can.
KV_MUST_USE kv_status kv_crash_backup(kv *db);

#endif
