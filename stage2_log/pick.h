// pick.h -- which segments to merge next: arithmetic on garbage, no disk.
// SPDX-License-Identifier: MIT
//
//   merge=segment  When garbage is `percent` of the log, clean the segment that
//                  gives back most for what it costs: the emptiest. Neighbours
//                  that are small or as empty come along, as long as what is
//                  live of them all fills one segment.
//   merge=all      When garbage is `percent` of the log, rewrite everything
//                  that is not being written: a round of runs of
//                  neighbours, oldest first, each of which fills one segment.
//
// With u the live share of what is merged, a byte given back costs u/(1-u)
// bytes written. Cleaning the emptiest makes u small; rewriting everything at
// 50 % makes it a half, so that each byte is written twice in its life.
//
// Invariants
//   K1  A run is neighbours in the list, all of which may be merged.
//   K2  A run is picked only if it gives bytes or files back.

#ifndef LOG_PICK_H
#define LOG_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A segment as the choice sees it, oldest first in an array.
typedef struct log_pick_fact {
    uint64_t bytes;   // of its entries
    uint64_t garbage; // the part that a merge would leave out
    bool can_merge;   // sealed and undamaged
} log_pick_fact;

typedef struct log_run {
    size_t first, count; // count 0: nothing to do
} log_run;

typedef struct log_pick_rule {
    uint64_t segment_bytes; // what a merge's output should fill
    unsigned percent;       // of garbage that is tolerated
    uint64_t garbage_min;   // bytes, below which no merge is worth its syncs
} log_pick_rule;

// Whether there is more garbage than the rule tolerates.
bool log_pick_is_due(const log_pick_fact *facts, size_t count,
                     const log_pick_rule *rule);
log_run log_pick_emptiest(const log_pick_fact *facts, size_t count,
                          const log_pick_rule *rule);
// The first run at or behind `from`.
log_run log_pick_round(const log_pick_fact *facts, size_t count, size_t from,
                       const log_pick_rule *rule);

#endif
