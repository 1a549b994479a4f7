// crash.h -- every disk that a crash could have left behind, each reopened and
// judged.
// SPDX-License-Identifier: MIT
//
//   workload ─▶ engine ─▶ trace ─▶ sim          recorded once, in memory
//                           │
//        before each call that changes something: which disks are possible?
//                           │
//                           ▼
//   image ─▶ seen before? ─▶ sim ─▶ engine ─▶ judge: open, scan, get, check,
//                                               a second life, a second crash
//
// Three models of what a crash leaves:
//
//   kill    the process ends: all that was issued is there, the last write cut
//           at any byte
//   ext4    power ends on a kind file system: of each file's unsynced writes a
//           prefix, of the directory's changes a prefix
//   posix   power ends and nothing is promised: each unsynced sector, change of
//           size and change of a name is there or not, independently; what is
//           not there may be zeroes or garbage
//
// In KV_SYNC_INTERVAL the ticker's syncs come behind every fifth step, not by
// the clock: the same workload always has the same crashes.
//
// The judge's law (notes/durability.md): the store opens; its content is the
// state after some prefix of the commits that contains every one that was
// acknowledged under the sync mode's promise; get agrees with scan; kv_check is
// clean; the store can be written, closed and reopened; opening it, crashing at
// once and opening it again changes nothing.
//
// Book: reliability: faults and failures (notes/durability.md)

#ifndef COMMON_CRASH_CRASH_H
#define COMMON_CRASH_CRASH_H

#include <stdio.h>

#include "common/engine.h"

typedef enum kv_crash_model {
    KV_CRASH_KILL,
    KV_CRASH_EXT4,
    KV_CRASH_POSIX,
    KV_CRASH_MODELS // how many
} kv_crash_model;

typedef struct kv_crash_options {
    kv_crash_model model;
    kv_sync_mode sync;
    uint64_t seed;       // of the workload
    uint32_t ops;        // in the workload; 0: 40
    uint32_t sector;     // bytes written whole or not at all; 0: 512
    uint32_t depth;      // 2: also crash within a sample of recoveries
    uint64_t states_max; // judge a sample of at most about so many; 0: all
    const char *knobs;   // of the engine, and background=0 among them; NULL:
                         // the smallest sizes it allows
    bool may_lose;       // judge as if no commit had been acknowledged: any
                         // state that was will do
    // Takes something away from each disk before it is judged, to see what it
    // was good for; a state's words do not tell of it. NULL: nothing.
    kv_status (*spoil)(kv_disk *image);
    // Disks that explorations with this ledger met before do not count as
    // fresh (they are judged all the same); NULL: only this one's.
    struct kv_crash_ledger *met;
} kv_crash_options;

typedef struct kv_crash_result {
    uint64_t epochs;      // moments at which the disk was looked at
    uint64_t states;      // disks built: all, or the sample
    uint64_t distinct;    // of them reopened and judged
    uint64_t nested;      // of them within a recovery
    uint64_t fresh;       // of them not so, and met for the first time
    uint64_t pending_max; // unsynced atoms at one moment, at most
    uint64_t violations;
} kv_crash_result;

// Explores. Each violation is one line on `out` (NULL: nowhere) that ends in
// the command's words that rebuild the directory: crash replay STATE DIR.
// KV_UNSUPPORTED without KV_CAP_DURABLE; any failure of the workload on a
// healthy disk is returned. Violations are not a failure: see the result.
KV_MUST_USE kv_status kv_crash_explore(const kv_engine *engine,
                                       const kv_crash_options *options,
                                       FILE *out, kv_crash_result *result);

// Rebuilds the directory of one state, as printed, in the new directory `path`.
KV_MUST_USE kv_status kv_crash_replay(const kv_engine *engine,
                                      const char *state, const char *path);

// Settings that make one engine show everything it does within a few writes:
// every size at its minimum, background=0, and then each word of each other
// knob in turn, but for "unsafe". Appends NUL-terminated strings to `names`.
void kv_crash_knobs(const kv_engine *engine, kv_names *names);

// The command line's door: argv[0] is "explore" or "replay".
//   explore [--model kill|ext4|posix|all] [--sync commit|interval|none|all]
//           [--ops N] [--seed N] [--sector N] [--knobs K] [--states N]
//   replay STATE DIR
// K is behind the smallest sizes (kv_crash_knobs), so that it names only what
// differs; another background than 0 is refused: the disk of a store whose own
// threads still work cannot be judged.
// Prints a table of states and verdicts on `out`. 0: no violation; 1: there are
// some; 2: the words are wrong, or something failed: kv_last_error() says it.
int kv_crash_command(const kv_engine *engine, int argc, char **argv, FILE *out);

#endif
