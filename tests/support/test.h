// test.h -- what every test program includes: cmocka, and a few words for
// stores.
// SPDX-License-Identifier: MIT

#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

// cmocka.h needs what is before it, so it is last.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
// clang-format on

#include "common/engine.h"

// Every stage's engine, NULL at the end; made by kv_engine_table (CMake).
extern const kv_engine *const kv_all_engines[];

// The engine of that name, or NULL.
const kv_engine *test_engine(const char *name);

// A new empty directory below $TMPDIR; removed by test_remove_dir, which the
// caller calls with the same pointer (it frees it).
char *test_make_dir(void);
void test_remove_dir(char *path);

// Fails the test with the status, the sentence and the place unless it is `st`.
#define assert_status(call, st)                                                \
    test_status((call), (st), #call, __FILE__, __LINE__)
#define assert_ok(call) assert_status(call, KV_OK)
void test_status(kv_status got, kv_status want, const char *call,
                 const char *file, int line);

// Fails unless the slice holds exactly this text.
#define assert_slice(slice, text)                                              \
    test_slice((slice), (text), __FILE__, __LINE__)
void test_slice(kv_slice got, const char *want, const char *file, int line);

// Says a figure that this run measured, as `goal of what figure`, a tab between
// them: "R8 log flips 21440". The line is printed and, when $KV_FIGURES names a
// file, appended to it; `make soak` makes its table of nothing else.
void test_figure(const char *goal, const char *of, const char *what,
                 uint64_t figure);

// Reads and writes whole files of the real file system, for golden tests.
kv_buf test_read_file(const char *path);
void test_write_file(const char *path, kv_slice bytes);

#endif
