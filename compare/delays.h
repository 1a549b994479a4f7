// delays.h -- how long calls took, told from a trial's histograms: in all, per
// moment, and in an open loop.
// SPDX-License-Identifier: MIT

#ifndef COMPARE_DELAYS_H
#define COMPARE_DELAYS_H

#include "compare/lab.h"

// The calls of one stretch of time, and what was written in it.
typedef struct cmp_window {
    cmp_histogram calls;
    uint64_t length_ns, end_ns; // of measured time
    double written, background; // bytes, when it began
} cmp_window;

// From now on, while one thread plays the run, its moments are told (line T):
// tenths of a second of a run of below ten, else seconds.
void cmp_delays_watch(cmp_lab *lab);
// What all calls took: line O and, of a closed loop, lines L and measures.
// Tells the last moment, too.
void cmp_delays_tell(cmp_lab *lab);

#endif
