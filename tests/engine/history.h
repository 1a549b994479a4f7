// history.h -- could these answers have come from one register, one call after
// the other?
// SPDX-License-Identifier: MIT
//
//   thread 1   |--- write 1 ---|            |-- read: 1 --|
//   thread 2        |-- read: 1 --|   |- write 2 -|
//              ───────────────────────────────────────────▶ ticks
//
// A history is linear if each call can be given one moment between its begin
// and its end such that the calls, in the order of the moments, are right:
// every read shows the last write before it. Keys are independent, so a store's
// history is linear if each key's is.

#ifndef TESTS_ENGINE_HISTORY_H
#define TESTS_ENGINE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HISTORY_MAX = 64 }; // calls

typedef struct history_call {
    uint64_t begin, end; // ticks; all different
    bool is_write;
    uint32_t value; // that was written or read; 0: the key is not there
} history_call;

// The register holds 0 at first. Requires count <= HISTORY_MAX. Cost: little
// while few calls overlap.
bool history_is_linear(const history_call *calls, size_t count);

#endif
