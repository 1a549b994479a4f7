// child.h -- a piece of work in a process of its own, so that a store that
// crashes, hangs or leaks takes nothing with it.
// SPDX-License-Identifier: MIT
//
//     parent ── fork ──▶ child: work(pipe, arg)
//        ▲ ◀── text ───────┘ │
//        └ waits, with a     ▼ ends well, crashes, or is ended at its limit
//          limit of time

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
    void (*tick)(void *arg); // a few times a second while waiting; may be NULL
    void *tick_arg;

    kv_buf text; // all the child wrote to `out`; the caller frees it
    cmp_ending ending;
    char reason[128];
} cmp_child;

// Runs the work to its end. Requires that no other thread is running.
void cmp_child_run(cmp_child *c);

// From now on ^C and a polite kill only end the child that runs, and make this
// true: what was measured so far gets written.
void cmp_catch_stop(void);
bool cmp_was_stopped(void);
bool cmp_is_terminal(FILE *file);

#endif
