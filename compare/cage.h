// cage.h -- so much of the machine's memory for a timed run, and no more.
// SPDX-License-Identifier: MIT
//
//     the machine's memory           a cage of 256 MiB
//     ┌──────────────────────┐      ┌────────────────────────────┐
//     │ compare, the oracle, │      │ the engine's memory        │
//     │ everything else      │      │ + pages of its files,      │
//     └──────────────────────┘      │   forgotten when full      │
//                                   └────────────────────────────┘
//
// An engine's budget (--memory) is a promise of the engine; its files stay in
// the page cache besides, as long as the machine has room. In a cage the kernel
// counts both together, so that a store larger than the cage is read from the
// device, as it would be on a machine of that size. The kernel ends who needs
// more for itself: that trial is void.
//
// A control group of the kernel, version 1 or 2, which takes root to make.

#ifndef COMPARE_CAGE_H
#define COMPARE_CAGE_H

#include "common/bytes.h"
#include "common/status.h"

// Makes a cage for stores below `dir` and puts its path into `cage`, ended by a
// NUL. KV_UNSUPPORTED, with why, where there can be none: not root, no such
// groups, or `dir` is in memory itself.
KV_MUST_USE kv_status cmp_cage_make(kv_buf *cage, uint64_t bytes,
                                    const char *dir);
// What this process allocates and reads from now on counts; what it has already
// does not.
KV_MUST_USE kv_status cmp_cage_enter(const char *cage);
// Requires that all who entered have ended.
void cmp_cage_remove(const char *cage);
// Removes, below a root of groups, what programs left that were killed before
// they could: their cages hold nobody, and bear the number of a process that is
// not there. cmp_cage_make begins with it.
void cmp_cages_sweep(const char *root);

#endif
