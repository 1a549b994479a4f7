// report.h -- a tree of facts: told by an engine, drawn by somebody else.
// SPDX-License-Identifier: MIT
//
// An engine never prints. It tells a report what it holds, and report.c draws
// that as indented text for the terminal or as JSON for the browser.
//
//     kv_report r = {0};
//     kv_report_begin(&r, "segment 3");
//     kv_report_bytes(&r, "live", 1 << 20);
//     kv_report_end(&r);
//     kv_report_draw_text(&r, &out);
//     kv_report_free(&r);
//
// Branches of one parent may share a name: in JSON they become an array.

#ifndef COMMON_REPORT_H
#define COMMON_REPORT_H

#include "common/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum kv_fact_kind {
    KV_FACT_BRANCH_BEGIN,
    KV_FACT_BRANCH_END,
    KV_FACT_COUNT, // a plain number
    KV_FACT_BYTES, // drawn as "64.0 MiB"
    KV_FACT_RATIO, // drawn with two digits, or as a bar when it is a share
    KV_FACT_SHARE, // 0..1: "[######....] 58 %"
    KV_FACT_TEXT,
    KV_FACT_KEY, // bytes of a user, escaped
} kv_fact_kind;

typedef struct kv_fact {
    kv_fact_kind kind;
    char *name; // NULL for BRANCH_END
    uint64_t count;
    double ratio;
    char *text;  // of TEXT and KEY
    char *brief; // of KEY: as kv_quote cuts it
} kv_fact;

typedef struct kv_report {
    kv_fact *facts;
    size_t count, cap;
    bool is_drawing; // as text it is in a language of its own: in JSON, which
                     // has no place for that, the whole text is one string
} kv_report;

void kv_report_begin(kv_report *r, const char *fmt, ...) KV_PRINTF(2, 3);
void kv_report_end(kv_report *r);
void kv_report_count(kv_report *r, const char *name, uint64_t n);
void kv_report_bytes(kv_report *r, const char *name, uint64_t n);
void kv_report_ratio(kv_report *r, const char *name, double ratio);
void kv_report_share(kv_report *r, const char *name, double share);
void kv_report_text(kv_report *r, const char *name, const char *fmt, ...)
    KV_PRINTF(3, 4);
// Whole in JSON, cut to fit a line in text.
void kv_report_key(kv_report *r, const char *name, kv_slice key);

void kv_report_draw_text(const kv_report *r, kv_buf *to);
void kv_report_draw_json(const kv_report *r, kv_buf *to);
void kv_report_free(kv_report *r);

// A string as JSON wants it, quotes included; bytes that are not UTF-8 are
// escaped as kv_escape does.
void kv_json_string(kv_buf *to, kv_slice bytes);

#ifdef __cplusplus
}
#endif

#endif
