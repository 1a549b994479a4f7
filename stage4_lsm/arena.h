// arena.h -- memory that is taken piece by piece and given back all at once.
// SPDX-License-Identifier: MIT
//
//   newest block                       first block: sized for all, roughly
//   [ taken | free ] ─▶ [ taken ] ─▶ [ taken ······························ ]
//
// The first block of an arena that is gone serves the next, from the attic: its
// pages are mapped and were touched, while a writer who touches new ones waits
// for each to be found and zeroed, and for others who map or unmap meanwhile.
//
// Invariants
//   A1  A piece stays where it is until the arena is freed.
//   A2  A block has one owner: an arena or an attic. Old bytes in it mean
//       nothing; whoever takes a piece writes it before it is read.
//
// Threads: one taker; an attic may be used by any.

#ifndef LSM_ARENA_H
#define LSM_ARENA_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

// Where one block waits for the next arena, and where it is known how much
// memory all arenas that were given the attic have. Zeroed at first; outlives
// these arenas, and is then emptied.
typedef struct lsm_attic {
    _Atomic(void *) block;
    _Atomic uint64_t kept_bytes; // of it
    _Atomic uint64_t bytes;      // of all blocks, this one included
    _Atomic uint64_t peak_bytes; // the most that were ever, or since a reset
} lsm_attic;

void lsm_attic_empty(lsm_attic *attic);
// The peak is from now on what there is now.
void lsm_attic_reset_peak(lsm_attic *attic);

typedef struct lsm_arena {
    lsm_attic *attic; // or NULL
    struct lsm_arena_block *newest;
    uint8_t *free, *free_end; // in the newest block
    size_t block_bytes;       // of the next one
} lsm_arena;

// `bytes` is what it will hold, roughly; more is allocated as needed. `attic`
// may be NULL.
void lsm_arena_open(lsm_arena *arena, size_t bytes, lsm_attic *attic);
// A piece of `bytes`, a multiple of 16, aligned to that.
void *lsm_arena_take(lsm_arena *arena, size_t bytes);
void lsm_arena_free(lsm_arena *arena);

#endif
