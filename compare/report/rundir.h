// rundir.h -- a run directory, read: what was measured, by engine and workload.
// SPDX-License-Identifier: MIT
//
//     manifest.tsv  measures.tsv  space.tsv  latency.tsv  void.tsv
//     timeline.tsv  openloop.tsv  claims.tsv  checks.tsv  points.tsv
//                          │
//                          ▼
//     cmp_rundir: the sheets, and who took part: engines and workloads in the
//     order of the manifest, then any that only the measures know
//
// A workload named after a data set ("wordnet-overwrite", and the manifest's
// `data` says wordnet) belongs to that group; the others to the group "".

#ifndef COMPARE_REPORT_RUNDIR_H
#define COMPARE_REPORT_RUNDIR_H

#include "compare/report/sheet.h"

// What the repetitions of one figure came to; count 0 means n/a.
typedef struct cmp_spread {
    size_t count;
    double median, min, max;
} cmp_spread;

// Names, in order, each once.
typedef struct cmp_list {
    char **names;
    size_t count, cap;
} cmp_list;

typedef enum cmp_origin { // where an engine's byte figures come from
    CMP_FROM_UNKNOWN,
    CMP_FROM_COUNTERS, // the engine's disk layer, by reason
    CMP_FROM_CALLS,    // the process's read and write calls, as a total
    CMP_FROM_WRITES,   // its write calls; reads as of a memory map
    CMP_FROM_MAPPING,  // a memory map: not knowable
    CMP_FROM_NOTHING,  // it keeps nothing on disk
} cmp_origin;

typedef struct cmp_rundir {
    char *path;
    cmp_sheet manifest, measures, space, latency, voids;
    cmp_sheet timeline, openloop;     // of calls that arrive at a rate
    cmp_sheet claims, checks, points; // of `compare claims` (claims/claims.h)
    double *values;                   // of measures, row by row
    cmp_list engines, workloads, groups;
} cmp_rundir;

// KV_NOT_FOUND or KV_INVALID with a sentence that names the file (and line).
// All but the first two may be missing: then they have no rows.
KV_MUST_USE kv_status cmp_rundir_read(const char *path, cmp_rundir *out);
void cmp_rundir_free(cmp_rundir *r);

// The manifest's value, or NULL.
const char *cmp_rundir_fact(const cmp_rundir *r, const char *key);
// The value of `prefix` + `name`: cmp_rundir_about(r, "engine.", "log").
const char *cmp_rundir_about(const cmp_rundir *r, const char *prefix,
                             const char *name);
cmp_origin cmp_rundir_origin(const cmp_rundir *r, const char *engine);
// An engine others made, here to compare with.
bool cmp_rundir_is_yardstick(const cmp_rundir *r, const char *engine);

// Of the measured part (phase "run").
cmp_spread cmp_rundir_spread(const cmp_rundir *r, const char *engine,
                             const char *workload, const char *measure);
// Whether it was tried in that workload, whatever came of it.
bool cmp_rundir_took_part(const cmp_rundir *r, const char *engine,
                          const char *workload);
// The index into `groups`.
size_t cmp_rundir_group(const cmp_rundir *r, const char *workload);

cmp_spread cmp_spread_of(double *values, size_t count); // sorts them

size_t cmp_list_find(const cmp_list *l, const char *name); // count: not there
void cmp_list_add(cmp_list *l, const char *name);          // once
void cmp_list_free(cmp_list *l);

#endif
