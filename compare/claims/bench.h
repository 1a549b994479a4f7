// bench.h -- where a claim is tried: stores, made-up records, and a protocol.
// SPDX-License-Identifier: MIT
//
// A specimen is one store in a fresh directory with an oracle beside it: every
// value that is read is compared with the one that was written last. Background
// work runs inside calls (background=0), so the same seed gives the same
// counters, byte for byte.
//
//     cmp_specimen s;
//     KV_TRY(cmp_specimen_open(bench, &s, "log:merge=never", shape));
//     KV_TRY(cmp_specimen_fill(&s, s.records.count));
//     cmp_note(bench, "merge=never", x, cmp_specimen_written(&s), NAN);
//     ...
//     cmp_specimen_close(&s);    also after a failure

#ifndef COMPARE_CLAIMS_BENCH_H
#define COMPARE_CLAIMS_BENCH_H

#include <stdio.h>

#include "common/engine.h"
#include "common/rng.h"

#include "compare/engines.h"
#include "compare/records.h"

typedef struct cmp_bench {
    const char *dir;       // scratch: each specimen's store is below it
    uint32_t records;      // of the profile; an experiment scales with it
    uint64_t seed;         // everything random comes from it
    const char *claim;     // the id of the one that is tried
    FILE *points, *checks; // open tables; see claims.h
    unsigned held, failed, conditions;
} cmp_bench;

// A point of the claim's chart. `theory` is NAN where there is none.
void cmp_note(cmp_bench *b, const char *series, double x, double y,
              double theory);

// Each check is a line of the protocol: what, measured, expected, verdict.
// `share` is the most by which measured may differ, as a part of expected.
void cmp_check_near(cmp_bench *b, const char *what, double measured,
                    double expected, double share);
void cmp_check_at_most(cmp_bench *b, const char *what, double measured,
                       double most);
void cmp_check_at_least(cmp_bench *b, const char *what, double measured,
                        double least);
// A condition under which the claim holds: its verdict is then "depends".
void cmp_check_depends(cmp_bench *b, const char *what, double measured,
                       double expected);

// The larger of two distances; not a number if one of them is none, so that a
// figure that is missing fails its check (fmax would pass over it).
double cmp_worse(double a, double b);
// The slope of a line through points (x, y), by least squares.
double cmp_slope(const double *x, const double *y, size_t count);

// ---- a store under trial ----------------------------------------------------

typedef struct cmp_shape {
    uint32_t records;
    size_t key_bytes, value_bytes; // 0: 16 and 112
    uint64_t memory_bytes;         // 0: a sixteenth of the data
    bool is_sorted;                // inserted in the order of keys
    kv_disk *disk; // NULL: the real one; else the caller's, who closes it
} cmp_shape;

typedef struct cmp_specimen {
    cmp_bench *bench;
    char path[512];
    cmp_engine engine;
    kv_options options;
    kv *db;
    cmp_records records;
    uint32_t *version; // of each place; 0: not there
    uint8_t *key, *scratch;
    kv_buf value;
    kv_rng rng;
    uint32_t filled; // numbers that were inserted
    uint64_t live_count, live_bytes;
    kv_stats mark; // what the counters said at cmp_specimen_mark
} cmp_specimen;

// KV_NOT_FOUND, without a sentence, if there is no such engine here.
KV_MUST_USE kv_status cmp_specimen_open(cmp_bench *b, cmp_specimen *s,
                                        const char *engine, cmp_shape shape);
// The same with every record inserted, settled, and marked.
KV_MUST_USE kv_status cmp_specimen_load(cmp_bench *b, cmp_specimen *s,
                                        const char *engine, cmp_shape shape);
// Closes the store, opens it again, with options.memory_bytes as they are now.
// Counters begin anew.
KV_MUST_USE kv_status cmp_specimen_reopen(cmp_specimen *s);
// Closes and removes it. Takes what a failed open left.
void cmp_specimen_close(cmp_specimen *s);

// Inserts the next `count` records.
KV_MUST_USE kv_status cmp_specimen_fill(cmp_specimen *s, uint32_t count);
// Replaces the value at a place, or at `count` places chosen evenly.
KV_MUST_USE kv_status cmp_specimen_put(cmp_specimen *s, uint32_t place);
KV_MUST_USE kv_status cmp_specimen_update(cmp_specimen *s, uint64_t count);
// The same in one batch, which is one commit.
KV_MUST_USE kv_status cmp_specimen_update_batch(cmp_specimen *s,
                                                uint32_t count);
KV_MUST_USE kv_status cmp_specimen_del(cmp_specimen *s, uint32_t place);
// Reads, and checks the answer; KV_CORRUPT if it is wrong.
KV_MUST_USE kv_status cmp_specimen_get(cmp_specimen *s, uint32_t place);
KV_MUST_USE kv_status cmp_specimen_get_some(cmp_specimen *s, uint64_t count);
KV_MUST_USE kv_status cmp_specimen_get_absent(cmp_specimen *s, uint64_t count);
// Scans from a place over `rows` rows and checks each.
KV_MUST_USE kv_status cmp_specimen_scan(cmp_specimen *s, uint32_t place,
                                        uint32_t rows);
KV_MUST_USE kv_status cmp_specimen_settle(cmp_specimen *s);

// ---- what it cost, since the mark (or the open) -----------------------------
//
// A store that did not open cost nothing, and has no facts: so an experiment
// may compute its figures before it looks whether it got there.

void cmp_specimen_mark(cmp_specimen *s);
kv_stats cmp_specimen_stats(const cmp_specimen *s);   // all, not since the mark
uint64_t cmp_specimen_written(const cmp_specimen *s); // bytes, all reasons
uint64_t cmp_specimen_written_for(const cmp_specimen *s, kv_reason reason);
uint64_t cmp_specimen_user_bytes(const cmp_specimen *s);
uint64_t cmp_specimen_reads(const cmp_specimen *s);      // read calls of users
uint64_t cmp_specimen_read_bytes(const cmp_specimen *s); // bytes of these
uint64_t cmp_specimen_recovery_bytes(const cmp_specimen *s);
// A fact that the store's inspection tells, in the first branch of that name
// ("" for none); NAN if it tells no such number.
double cmp_specimen_fact(const cmp_specimen *s, const char *branch,
                         const char *name);
// The same of a part that the engine can be asked for: "metrics".
double cmp_specimen_fact_of(const cmp_specimen *s, const char *part,
                            const char *branch, const char *name);
// The same of stage 4's metrics: of a level (0 if it has none), and the sum.
enum { CMP_LEVELS = 8 };
double cmp_specimen_level(const cmp_specimen *s, unsigned level,
                          const char *name);
double cmp_specimen_levels(const cmp_specimen *s, const char *name);

#endif
