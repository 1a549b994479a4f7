// words.h -- versions made of words, for tests of decisions: their tables are
// only facts, and no file is opened.
// SPDX-License-Identifier: MIT
//
//     lsm_version *v = VERSION(table(0, 3, "a", "k", 100),
//                              table(LSM_LEVELS - 1, 0, "a", "z", 900));
//
// Tables are numbered from 1 on as they are made, until they are forgotten,
// which is a test's teardown.

#ifndef TESTS_STAGE4_LSM_WORDS_H
#define TESTS_STAGE4_LSM_WORDS_H

#include "picker.h"

enum { LAST = LSM_LEVELS - 1, MIB = 1 << 20 };

// What decisions are made by: two shapes of a tree, and no other compaction.
extern const lsm_shape leveled, tiered;
extern const lsm_busy nobody;

// A table of so many bytes that holds keys from `first` to `last`.
lsm_edit_table table(uint32_t level, uint64_t run, const char *first,
                     const char *last, uint64_t bytes);
lsm_table *number(uint64_t n);
int forget_tables(void **state);

lsm_version *version_of(const lsm_edit_table *added, size_t count);
#define VERSION(...)                                                           \
    version_of((const lsm_edit_table[]){__VA_ARGS__},                          \
               sizeof((const lsm_edit_table[]){__VA_ARGS__}) /                 \
                   sizeof(lsm_edit_table))

// "1 3 7": the numbers of what a pick takes, newest run first. Valid until its
// next call.
const char *inputs(const lsm_pick *p);

#endif
