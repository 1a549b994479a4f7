// workload.h -- what is asked of a store: a mix of operations, read from a file
// of properties.
// SPDX-License-Identifier: MIT
//
// The files are those of YCSB: NAME=VALUE lines, # comments. Its own core
// workloads can be given as they are; a property that means nothing here (field
// counts, table names) is passed over, as YCSB does. The following ones mean
// something; those with kv. in front are ours:
//
//   readproportion updateproportion insertproportion scanproportion
//   readmodifywriteproportion          shares of the operations
//   requestdistribution                uniform zipfian latest hotspot
//                                      sequential, and zipf, ycsb-zipf,
//                                      hot-ranges (chooser.h)
//   hotspotdatafraction hotspotopnfraction
//   minscanlength maxscanlength        evenly between them
//   insertorder                        hashed (random), ordered (by key), and
//                                      filed (as in the data's file)
//   kv.missingproportion               reads of keys that are absent
//   kv.deleteproportion
//   kv.group                           operations per get_many or batch
//   kv.load                            records there before: all, none
//   kv.operations                      how many, per record; YCSB's own counts
//                                      give way to the profile's
//   kv.records                         a share of the profile's
//   kv.keybytes kv.valuebytes          of made-up records, instead of the
//                                      comparison's
//   kv.valuesizes kv.scansizes         "pareto SHAPE SCALE": many small, few
//                                      large; valuebytes and maxscanlength are
//                                      then the most
//   kv.zipf                            the exponent of requestdistribution=zipf
//   kv.scan                            some, all (one cursor over everything),
//                                      all-reversed
//   kv.sync                            commit, interval, none
//   kv.writers                         threads that only write, in timed runs,
//                                      beside those that only read
//   kv.age                             yes: the store is aged before the run
//   kv.purge                           share of the records that is deleted,
//                                      first inserted first, right before it
//   kv.paced                           yes: also run in an open loop
//   kv.default                         no: runs only when it is named
//   kv.core                            yes: guests run it, too (plan.h)
//   kv.about                           one line for charts
//
// A trace (trace.h) is a workload, too: its operations are those of the file.
//
// An update writes the whole value: a key-value store has no fields.

#ifndef COMPARE_WORKLOAD_H
#define COMPARE_WORKLOAD_H

#include <stdbool.h>

#include "common/engine.h"

#include "compare/chooser.h"
#include "compare/records.h"

#define CMP_CALL_LIST(X)                                                       \
    X(CMP_READ, "read")                                                        \
    X(CMP_UPDATE, "update")                                                    \
    X(CMP_INSERT, "insert")                                                    \
    X(CMP_DELETE, "delete")                                                    \
    X(CMP_MISS, "miss")                                                        \
    X(CMP_SCAN, "scan")                                                        \
    X(CMP_MODIFY, "read-modify-write")

typedef enum cmp_call {
#define X(code, word) code,
    CMP_CALL_LIST(X)
#undef X
        CMP_CALLS // how many
} cmp_call;

const char *cmp_call_word(cmp_call call);

typedef enum cmp_extent {
    CMP_SOME,
    CMP_ALL,
    CMP_ALL_REVERSED,
} cmp_extent;

typedef struct cmp_workload {
    char name[48];
    char about[128];
    double share[CMP_CALLS]; // sum to 1
    cmp_pattern pattern;
    double hot_data, hot_requests, zipf;
    uint32_t scan_min, scan_max;
    cmp_extent extent; // of a scan
    cmp_pareto value_sizes, scan_sizes;
    size_t key_bytes, value_bytes; // 0: the comparison's
    double records;                // share of the comparison's
    cmp_order order;
    uint32_t group;    // 1: one by one
    bool loads;        // the records are there before the operations
    bool is_real;      // of the data that was given, not of made-up records
    bool is_default;   // runs when no workload is named
    bool is_core;      // of the few that every engine runs
    double operations; // per record
    bool has_sync;
    kv_sync_mode sync;
    uint32_t writers;
    bool ages;    // before the run
    double purge; // share of the records deleted right before the run
    bool paced;   // in an open loop, too, if a profile has time for it
    const cmp_trace *trace; // or NULL
} cmp_workload;

// Reads the text of a property file. KV_INVALID and KV_UNSUPPORTED name the
// line. `name` is cut to fit.
KV_MUST_USE kv_status cmp_workload_parse(cmp_workload *w, const char *name,
                                         kv_slice text);
// The replay of a trace, which has to outlive it.
void cmp_workload_of_trace(cmp_workload *w, const char *name,
                           const cmp_trace *trace);
// The built-in one of that name, hyphens and case aside, or the property file
// at that path. KV_INVALID with the nearest name.
KV_MUST_USE kv_status cmp_workload_find(cmp_workload *w, const char *name);
// The built-in names, NULL after the last.
const char *cmp_workload_name(size_t index);

// The files of workloads/, made into text by CMake, NULL at the end.
typedef struct cmp_workload_file {
    const char *name, *text;
} cmp_workload_file;
extern const cmp_workload_file cmp_workload_files[];

#endif
