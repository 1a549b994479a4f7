// options.h -- what the command line says, for `run`, `plan`,
// `replay` and `duel`.
// SPDX-License-Identifier: MIT

#ifndef COMPARE_OPTIONS_H
#define COMPARE_OPTIONS_H

#include "compare/trial.h"

enum { CMP_LIST_MAX = 96 };

// A size of everything, by name; science needs the same ratios, not the same
// sizes.
typedef struct cmp_profile {
    const char *name;
    uint32_t records;
    unsigned reps;
    double open_s;   // of each open loop; 0: there is none
    double rates[8]; // its shares of a closed loop's speed; 0 ends them
    const char *about;
} cmp_profile;
extern const cmp_profile cmp_profiles[]; // a NULL name ends it

typedef struct cmp_options {
    const cmp_profile *profile;
    cmp_setup setup;
    cmp_engine engine[CMP_LIST_MAX];
    size_t engine_count;
    cmp_workload workload[CMP_LIST_MAX];
    size_t workload_count;
    cmp_dataset data;
    char data_name[32]; // "wordnet", of --data some/wordnet.tsv; or ""
    cmp_trace trace;
    char trace_name[32];    // "oltp", of oltp.tsv.zst; or ""
    const char *out;        // NULL only of `plan`: the standard output
    unsigned share, shares; // which of how many: 1 of 1 is all (plan.h)
    unsigned reps, limit_s;
    double open_s, rate[8]; // of open loops, as in a profile
    size_t rate_count;
    bool paces_all;     // not only those workloads that ask for it
    bool spares_guests; // yardsticks run the core workloads only (plan.h)
    bool no_progress, no_page;
    char command[1024]; // the whole line, for the manifest
} cmp_options;

// Reads argv[2..]. `engines`: how many come as plain words (duel: 2), 0 for
// --engines; after `replay` the trace is a plain word, too. KV_INVALID, with
// what would be right. Free it in any case.
KV_MUST_USE kv_status cmp_options_read(cmp_options *o, int argc, char **argv,
                                       size_t engines);
void cmp_options_free(cmp_options *o);
// "2/5", share 2 of 5; false if there is no such share.
bool cmp_share_read(const char *text, unsigned *share, unsigned *shares);
// The options with their meaning, for help.
void cmp_options_help(FILE *to);

#endif
