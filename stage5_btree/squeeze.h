// squeeze.h -- giving space back: fewer leaves, at the front of the file.
// SPDX-License-Identifier: MIT
//
//   merge   [cow · · ·]  [elk · · ·]  [hen · · ·]   ─▶   [cow elk hen ·]
//
//   move    │ 2 │ · │ 4 │ · │ 6 │ 7 │          pages 6 and 7 go to free places
//           │ 2 │ 7 │ 4 │ 6 │ · │ · │          further in front, their parents
//                                              refer to them there
//   trim    │ 2 │ 7 │ 4 │ 6 │                  the end of the file is free: cut
//
// Deletes leave leaves less full, and free pages all over the file; only those
// at its end can be given back. Who asks for it (kv_settle) gets the rest, too:
// if a sample of the leaves is sparse, a walk in key order merges neighbours,
// two to one, three to two, four to three; if an eighth of the file is free,
// another one moves what lies beyond the goal, the length that the file has
// when nothing is free. A walk is made of steps, each a commit like any other
// (log, torn pages and crashes are taken care of where they always are); it
// knows its place by a key, so that commits may come between.
//
// While a cursor or a backup is open nothing is squeezed: each page that moves
// would stay in memory as the version that it may need, and the end of the file
// could not be cut. Settling ends without it, says so to who listens, and does
// it the next time. That goes for scans and gets of long values in other
// threads, too, however short: who reads all the time settles in a pause.
//
//   idle ──judge──▶ merging ──end──▶ moving ──end──▶ trimming ──▶ idle
//     └───────────────────────────────▶┘ └─little is free─▲
//
// Invariants
//   Q1  Who refers to a page that moves is changed by the same commit. The old
//       place is not used before the next (X1), or, with journal=cow, before
//       a superblock is durable that does without (X2).
//   Q2  A page moves only to a place below the goal; those of a long value
//       that finds too few there, to places below its last page. What moves
//       does not come back: the walk ends, and so does a settle.
//   Q3  A walk goes on whatever is committed between its steps, although its
//       goal may then be a wrong one. It is judged again at its end: a settle
//       ends when nothing came since the judgement but the walk's own commits.
//
// Book: none; SQLite and PostgreSQL call it vacuum

#ifndef BT_SQUEEZE_H
#define BT_SQUEEZE_H

#include "tree.h"

typedef enum bt_squeeze_phase {
    BT_SQUEEZE_IDLE,
    BT_SQUEEZE_MERGE,
    BT_SQUEEZE_MOVE,
    BT_SQUEEZE_TRIM,
} bt_squeeze_phase;

typedef struct bt_squeeze {
    bt_squeeze_phase phase;
    bool is_outdated;       // others have committed since it was judged
    uint64_t goal;          // MOVE: pages in the file when nothing is free
    kv_buf position;        // the walk has done what is below this key
    bool is_at_end;         // of the walk
    bool is_stuck;          // no place below the goal was free in time
    bool was_idle;          // for that reason: the last step moved nothing
    uint64_t merged, moved; // pages, since the store was opened
} bt_squeeze;

void bt_squeeze_free(bt_squeeze *q);
// Is there anything to merge or to move? Cost: up to 32 leaves are read, and
// the free list.
KV_MUST_USE kv_status bt_squeeze_judge(bt_squeeze *q, bt_tx *tx);
// What a step does in its commit: changes up to some 256 pages, or one long
// value.
KV_MUST_USE kv_status bt_squeeze_step(bt_squeeze *q, bt_tx *tx);
// After the commit: on to the next phase, if this one is over.
KV_MUST_USE kv_status bt_squeeze_end_step(bt_squeeze *q, bt_tx *tx);

#endif
