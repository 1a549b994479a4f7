// front.h -- an engine that records what it is called with, behind the front
// door: durable, unordered, and able to fail as it is told.
// SPDX-License-Identifier: MIT

#ifndef TESTS_COMMON_FRONT_H
#define TESTS_COMMON_FRONT_H

#include "common/engine_impl.h"

#include "tests/support/test.h"

// What it does next, and what it was called with. One store at a time.
typedef struct front_script {
    kv_status open, write, scan, backup;
    _Atomic kv_status sync;
    _Atomic bool go_read_only; // on a write or sync that fails
    kv_cursor **open_within;   // a write opens a cursor before it ends
    unsigned opened, closed, writes, scans, ends;
    size_t last_count; // changes of the last write
    kv_change_kind last_kind;
    uint64_t knob;
    bool is_new, read_only;
    uint64_t store_id, memory_bytes;
    _Atomic unsigned ticks;
} front_script;

extern front_script script;

// What a scan of it yields, in this order, each with the value "v".
enum { ENTRIES = 4 };

extern const kv_engine fake_engine;

// A store of it in a new directory.
typedef struct fixture {
    char *dir;
    kv_options options;
    kv *db;
} fixture;

// Of cmocka; *state is a fixture, and the script is empty.
int front_setup(void **state);
int front_teardown(void **state);

#define IN_DIR(test)                                                           \
    cmocka_unit_test_setup_teardown(test, front_setup, front_teardown)

#endif
