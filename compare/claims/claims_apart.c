// claims_apart.c -- the claim about large values that are kept apart from their
// keys.
// SPDX-License-Identifier: MIT

#include <math.h>
#include <stdio.h>

#include "compare/claims/claim.h"
#include "compare/claims/trees.h"

// The place of a value in the log, kept in the tree in the value's stead: file,
// offset, length.
enum { KEY = 16, PLACE = 12, SIZES = 4, SMALLEST = 128 };

// One store's part: every record inserted, then replaced twice on the mean.
typedef struct part {
    double written, given; // bytes
    double expected;       // written / given, by the formulas
} part;

static kv_status update_tree(cmp_bench *b, uint32_t records, size_t value,
                             part *out)
{
    cmp_specimen s;
    cmp_shape shape = {.records = records,
                       .value_bytes = value,
                       .memory_bytes = (uint64_t)b->records * 8};
    kv_status st = cmp_specimen_load(b, &s, "lsm:compression=none", shape);
    if (st == KV_OK) st = cmp_specimen_update(&s, 2 * (uint64_t)records);
    if (st == KV_OK) {
        out->written = (double)cmp_specimen_written(&s);
        out->given = (double)cmp_specimen_user_bytes(&s);
        out->expected = cmp_tree_expected_uniform(&s, (double)(KEY + value));
    }
    cmp_specimen_close(&s);
    return st;
}

// Cleaned file by file once half of it is dead, so that it keeps to twice the
// live bytes.
static kv_status update_log(cmp_bench *b, uint32_t records, size_t value,
                            part *out)
{
    cmp_specimen s;
    char engine[96];
    cmp_shape shape = {.records = records, .value_bytes = value};
    snprintf(engine, sizeof engine,
             "log:hints=off,merge=segment,garbage_percent=50,segment_bytes=%u",
             b->records);
    kv_status st = cmp_specimen_load(b, &s, engine, shape);
    kv_stats loaded = cmp_specimen_stats(&s);
    double framing =
        (double)loaded.disk[KV_FOR_DATA].write_bytes / (double)s.live_bytes;
    if (st == KV_OK) st = cmp_specimen_update(&s, 2 * (uint64_t)records);
    if (st == KV_OK) {
        out->written = (double)cmp_specimen_written(&s);
        out->given = (double)cmp_specimen_user_bytes(&s);
        out->expected = cmp_theory_log_clean_wa(framing, 2);
    }
    cmp_specimen_close(&s);
    return st;
}

// As much data at every size: the tree with all of it, and a small tree of keys
// beside a log of values. The log names the key of each value, so that cleaning
// can ask the tree whether it is alive.
static kv_status compare_at(cmp_bench *b, size_t value, double *together,
                            double *apart, double *expected)
{
    part all, keys, values;
    double record = (double)(KEY + value);
    uint32_t records = (uint32_t)(b->records * 64.0 / record);
    KV_TRY(update_tree(b, records, value, &all));
    KV_TRY(update_tree(b, records, PLACE, &keys));
    KV_TRY(update_log(b, records, value, &values));
    *together = all.written / all.given;
    *apart = (keys.written + values.written) / values.given;
    *expected = cmp_theory_apart_wa(keys.expected, KEY + PLACE, values.expected,
                                    record, record);
    cmp_note(b, "lsm", record, *together, all.expected);
    cmp_note(b, "lsm, values in a log", record, *apart, *expected);
    return KV_OK;
}

static kv_status large_values_belong_apart(cmp_bench *b)
{
    double together[SIZES], apart[SIZES], worst = 0;
    for (int i = 0; i < SIZES; i++) {
        double expected = 0;
        size_t value = ((size_t)SMALLEST << (2 * i)) - KEY;
        KV_TRY(compare_at(b, value, &together[i], &apart[i], &expected));
        worst = cmp_worse(worst, fabs(apart[i] / expected - 1));
    }
    cmp_check_at_most(b, "records of 8 KiB: bytes written, apart / together",
                      apart[SIZES - 1] / together[SIZES - 1], 0.5);
    cmp_check_at_most(b, "apart: largest distance from theory", worst, 0.15);
    cmp_check_depends(b, "records of 128 B: bytes written, apart / together",
                      apart[0] / together[0], 0.5);
    return KV_OK;
}

const cmp_claim cmp_claims_of_values[] = {
    {.id = "C40",
     .text = "Large values are better kept apart from their keys.",
     .first = "none",
     .second = "Write amplification",
     .setup = "The same records in an LSM-tree, and in a tree of keys and "
              "places beside a log of values that is cleaned file by file; "
              "each record replaced twice on the mean. A lookup reads both.",
     .x = "bytes of a record",
     .y = "bytes written / bytes given",
     .is_counted = true,
     .run = large_values_belong_apart},
    {0}};
