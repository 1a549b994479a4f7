// harness_cost.h -- what the harness itself takes, so that nobody has to
// believe it is little.
// SPDX-License-Identifier: MIT

#ifndef COMPARE_HARNESS_COST_H
#define COMPARE_HARNESS_COST_H

#include "compare/trial.h"

// Nanoseconds per operation of the measured loop, front door included, on an
// engine that does nothing: the best of several rounds of puts.
double cmp_harness_cost(const cmp_setup *setup);

#endif
