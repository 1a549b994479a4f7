// commit.h -- group commit: writers that arrive together become one write.
// SPDX-License-Identifier: MIT
//
//   put ──┐            ┌ leader: takes the line as one group,
//   put ──┼─▶ a line ──┤         log it, sync it, apply it,
//   put ──┘            └ wakes the others, each with the group's status
//
// Whoever finds the line empty leads; who comes while a group is being written
// waits, and the first of those leads the next group. A sync that takes 60 µs
// is thereby shared by all who arrived during the one before. With one writer
// this costs an uncontended lock.
//
// The writers of a group wake up together and mostly come again at once; who
// wakes first would go ahead alone and make the others wait for a whole sync.
// So a leader waits until the line is as long as the last group was, if that
// one was slow, and at most half as long as it took.
//
// Invariants
//   C1  Groups run one at a time, in the order of arrival: a stage's group
//       function needs no lock against another writer.
//   C2  No call returns before its group was run and its status is known.
//   C3  A call's changes are in one group, uncut and adjacent.
//
// Book: a log that makes a write durable (notes/book-map.md)

#ifndef COMMON_COMMIT_H
#define COMMON_COMMIT_H

#include "common/batch.h"
#include "common/thread.h"

// One caller's changes: applied whole or not at all.
typedef struct kv_commit_entry {
    const kv_change *changes;
    size_t count;
} kv_commit_entry;

// Writes `count` callers' entries as one group. What it returns, every caller
// in the group gets, with the sentence.
typedef kv_status kv_commit_group(void *arg, const kv_commit_entry *entries,
                                  size_t count);

enum { KV_COMMIT_GROUP_MAX = 64 };        // entries
enum { KV_COMMIT_GROUP_BYTES = 1 << 20 }; // of keys and values, roughly

typedef struct kv_commit_line {
    kv_commit_group *run;
    void *arg;
    kv_mutex lock; // guards all that follows
    struct kv_commit_waiter *first, *last;
    size_t length;            // who stands in line
    size_t last_count;        // entries of the last group
    uint64_t last_ns;         // how long it took; 0: it was of one
    uint64_t groups, entries; // so far
} kv_commit_line;

void kv_commit_open(kv_commit_line *line, kv_commit_group *run, void *arg);
void kv_commit_close(kv_commit_line *line); // requires that nobody waits
// Waits in line, leads or follows, and returns the group's status.
KV_MUST_USE kv_status kv_commit(kv_commit_line *line, const kv_change *changes,
                                size_t count);

// Runs `work` in a writer's place: no group runs meanwhile. For a flush's
// switch of logs, a checkpoint's mark, and the like.
KV_MUST_USE kv_status kv_commit_exclusive(kv_commit_line *line,
                                          kv_status (*work)(void *arg),
                                          void *arg);

#endif
