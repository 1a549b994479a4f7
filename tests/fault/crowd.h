// crowd.h -- a store of more data than memory on a disk that fails: what is not
// in memory any more has to be read again, whatever became of it.
// SPDX-License-Identifier: MIT

#ifndef TESTS_FAULT_CROWD_H
#define TESTS_FAULT_CROWD_H

#include "tests/fault/life.h"

// Writes fail under a cursor, which shows its moment to the end.
void crowd_outlive(const kv_engine *engine);
// A sync fails, and the system does one or the other with the pages. What is
// read then is right, or an error; what is read after reopening is right.
void crowd_lose_syncs(const kv_engine *engine);

#endif
