// laws.h -- the laws that every engine keeps, by what they are about.
// SPDX-License-Identifier: MIT

#ifndef TESTS_ENGINE_LAWS_H
#define TESTS_ENGINE_LAWS_H

#include "tests/engine/subject.h"

typedef struct law_list {
    const char *about;
    const law *laws;
    size_t count;
} law_list;

extern const law_list key_laws;    // get, put, del, limits
extern const law_list scan_laws;   // cursors and ranges
extern const law_list batch_laws;  // write
extern const law_list store_laws;  // open, close, sync, backup
extern const law_list settle_laws; // maintain, settle, compact
extern const law_list look_laws;   // stats, inspect, check, explain

#endif
