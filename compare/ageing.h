// ageing.h -- updates a loaded store until its writing is steady: one that was
// just filled flatters whoever postpones work.
// SPDX-License-Identifier: MIT
//
//     updates of N/4 records ─▶ write amplification of that window ─▶ ...
//
// until the last five windows differ by less than 5 % (their coefficient of
// variation) and lie within a tenth of the mean of the last half (a window
// between two flushes looks steady, and is not), after three updates per record
// at least and eight at most. The records are chosen evenly; the values come as
// in the load, 100 to a batch.
//
// Book: "Performance optimizations"

#ifndef COMPARE_AGEING_H
#define COMPARE_AGEING_H

#include "compare/lab.h"

// Of a loaded store. Tells each window in a counting run (line W).
KV_MUST_USE kv_status cmp_age(cmp_lab *lab);

#endif
