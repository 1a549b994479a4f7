// child.h -- a piece of work in a process of its own, so that a store that
// crashes, hangs or leaks takes nothing with it.
// SPDX-License-Identifier: MIT
//
//     parent ── fork ──▶ child: work(pipe, arg)
//        ▲ ◀── text ───────┘ │
//        └ waits, with a     ▼ ends well, crashes, or is ended at its limit
//          limit of time
//
// Several may run at once, where no time is measured: one a processor.

#ifndef COMPARE_CHILD_H
#define COMPARE_CHILD_H

#include <stdio.h>

#include "common/bytes.h"

typedef enum cmp_ending {
    CMP_ENDED_WELL,
    CMP_ENDED_BADLY, // exit status or signal: see cmp_child.reason
    CMP_HUNG,        // ended by us after the limit
    CMP_STOPPED,     // ended by us because the user pressed ^C
} cmp_ending;

typedef struct cmp_child {
    void (*work)(FILE *out, void *arg);
    void *arg;
    unsigned limit_s;
    void (*tick)(void *arg); // a few times a second; may be NULL
    void *tick_arg;

    kv_buf text; // all the child wrote to `out`; the caller frees it
    cmp_ending ending;
    char reason[128];

    int pid, from; // while it runs
    uint64_t deadline;
} cmp_child;

enum { CMP_CHILDREN_MAX = 8 };

// Runs the work to its end. Requires that no other thread is running.
void cmp_child_run(cmp_child *c);
// The same for all of them at once; each has its own limit and ending. The
// first one's tick is called.
void cmp_children_run(cmp_child *c, size_t count);
// How many the machine has processors for.
unsigned cmp_children_at_once(void);

// From now on ^C and a polite kill only end the child that runs, and make this
// true: what was measured so far gets written.
void cmp_catch_stop(void);
bool cmp_was_stopped(void);
bool cmp_is_terminal(FILE *file);

#endif
