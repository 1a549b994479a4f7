// text.h -- the same words in three languages: HTML, gnuplot, people's numbers.
// SPDX-License-Identifier: MIT
//
// Names come from files and may hold anything. Whatever goes into a page passes
// cmp_html, whatever goes into a script cmp_quoted; the charts turn gnuplot's
// enhanced mode off, so that an underscore is an underscore.

#ifndef COMPARE_REPORT_TEXT_H
#define COMPARE_REPORT_TEXT_H

#include "common/bytes.h"

// Appends the text with & < > " ' as entities and control bytes shown as
// kv_escape does.
void cmp_html(kv_buf *to, const char *text);
// Appends the text as a cell of a chart's table: gnuplot takes a double quote
// for the beginning of a string and crashes on a backslash, so these and
// control bytes stand as %22, %5C ..
void cmp_plain(kv_buf *to, const char *text);
// Appends 'text' as gnuplot's single-quoted string, equal to such a cell.
void cmp_quoted(kv_buf *to, const char *text);
// The same for a label of an axis, which gnuplot takes for a format.
void cmp_quoted_tic(kv_buf *to, const char *text);
void cmp_append(kv_buf *to, const char *text);

// A number as text, in a buffer of the caller's scope:
//     cmp_number n; printf("%s", cmp_si(&n, 1234567));
typedef struct cmp_number {
    char text[32];
} cmp_number;

const char *cmp_si(cmp_number *n, double value);    // 1.23 M, 45.6 k, 789
const char *cmp_ratio(cmp_number *n, double value); // 0.03, 1.12, 14.2, 160
const char *cmp_bytes(cmp_number *n, double value); // 64 MiB
const char *cmp_duration(cmp_number *n, double ns); // 850 ns, 1.2 µs, 34 ms
const char *cmp_count(cmp_number *n, double value); // 117,659

#endif
