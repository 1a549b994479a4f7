// duel.h -- two engines, or two settings of one, on the same work, in turns.
// SPDX-License-Identifier: MIT
//
//     compare duel log tkrzw --workload fill-random --records 2M
//
// Every claim of speed in this repository names such a command. The two take
// turns (A B, B A, A B, …) so that whatever else the machine does hits both,
// and only their ratio is worth anything.

#ifndef COMPARE_DUEL_H
#define COMPARE_DUEL_H

#include "compare/options.h"

// The exit code: 0 done, 3 something failed.
int cmp_duel(cmp_options *o);

#endif
