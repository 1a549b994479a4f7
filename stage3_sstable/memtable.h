// memtable.h -- the newest entries, in memory and in order: an AVL tree.
// SPDX-License-Identifier: MIT
//
//   user0017, user0020, user0031: all begin with "user00" (M5)
//
//                ┌────────────┐     head: eight bytes of the key as a number,
//                │ "20" ··· │ │     from where keys begin to differ: most
//                └─┬────────┬─┘     comparisons need no look at the key itself
//           ┌──────┘        └─────┐
//     ┌─────┴──────┐       ┌──────┴─────┐     versions of one key, newest
//     │ "17" ··· │ │       │ "31" ··· │ │───▶ first; the older ones are there
//     └────────────┘       └────────────┘     only while a cursor needs them:
//                                             [seq 9 †]─▶[seq 4 "woof"]
//
// Nodes lie together in one arena, keys and versions in another, so that a
// search touches little memory. Nothing is given back before the whole memtable
// is: a pointer to any of them stays valid as long as the memtable.
//
// Invariants
//   M1  In-order, keys ascend strictly.
//   M2  The heights of a node's two subtrees differ by at most one: a search
//       takes at most 1.44·log2(n) steps.
//   M3  A key's versions have descending sequence numbers.
//   M4  A version that a cursor may see is never changed: it is overwritten in
//       place only if its number is above the newest snapshot's.
//   M5  All keys begin with the same `shared_len` bytes, and a node's head is
//       the eight bytes of its key that follow.
//
// Threads: any number of readers, or one writer; the memtable's latch says
// which. Once frozen, nobody writes and nobody needs the latch.
//
// Book: "Constructing and maintaining SSTables"

#ifndef SST_MEMTABLE_H
#define SST_MEMTABLE_H

#include "common/thread.h"

#include "format.h"

typedef struct sst_memtable sst_memtable;
typedef struct sst_node sst_node;

#define SST_SEQ_MAX UINT64_MAX // newer than anything

// One version of one key, as a walk hands it out; the memtable's own.
typedef struct sst_version {
    const struct sst_version *older;
    uint64_t seq;
    uint32_t value_len;
    uint32_t room; // for a value written over this one
    bool is_tombstone;
    uint8_t value[];
} sst_version;

// Comes with one reference.
sst_memtable *sst_memtable_new(uint64_t number);
sst_memtable *sst_memtable_ref(sst_memtable *m);
void sst_memtable_unref(sst_memtable *m);

// The number of the log that holds the same entries.
uint64_t sst_memtable_number(const sst_memtable *m);
// Bytes of its nodes and versions, and keys, tombstones included.
uint64_t sst_memtable_bytes(const sst_memtable *m);
uint64_t sst_memtable_count(const sst_memtable *m);
kv_latch *sst_memtable_latch(sst_memtable *m);

// Sets a key's newest version. Requires the latch for writing, and a `seq` not
// below any before. `snapshot` is the newest number a cursor may be reading.
void sst_memtable_put(sst_memtable *m, const sst_entry *entry, uint64_t seq,
                      uint64_t snapshot);

// The key's newest version of number `seq` or less, or NULL.
const sst_version *sst_memtable_find(const sst_memtable *m, kv_slice key,
                                     uint64_t seq);

// A walk hands out a handful of entries at a time, so that the latch is held
// briefly; between handfuls the tree may change its shape.
enum { SST_HANDFUL = 32 };

typedef struct sst_handful {
    struct {
        kv_slice key;
        const sst_version *version;
    } at[SST_HANDFUL];
    size_t count;
    kv_slice last; // the key up to which the walk has come
    bool is_end;   // nothing follows
} sst_handful;

// Fills in the next entries that `seq` sees, beyond `after` (from it, if
// `inclusive`) upward, or downward if `reverse`; `after` NULL: from the end.
void sst_memtable_walk(const sst_memtable *m, const kv_slice *after,
                       bool inclusive, bool reverse, uint64_t seq,
                       sst_handful *out);

// Verifies M1 to M3 and M5. KV_CORRUPT names what is broken.
kv_status sst_memtable_check(const sst_memtable *m);

#endif
