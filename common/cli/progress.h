// progress.h -- the line on stderr that says how far a long command is.
// SPDX-License-Identifier: MIT
//
//     loading     1,234,000 records  58 %   1,012,300/s   0:04 left
//
// Drawn only where a line can be redrawn in place, at most ten times a second.

#ifndef COMMON_CLI_PROGRESS_H
#define COMMON_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"

typedef struct kv_cli_progress {
    const char *doing; // "loading"
    bool is_on;
    uint64_t start_ns, drawn_ns;
} kv_cli_progress;

void kv_cli_progress_begin(kv_cli_progress *p, const char *doing, bool is_on);
// `done` of `total` steps of the work, of which `records` are records; total 0:
// nobody knows.
void kv_cli_progress_show(kv_cli_progress *p, uint64_t records, uint64_t done,
                          uint64_t total);
// Wipes the line.
void kv_cli_progress_end(kv_cli_progress *p);

// The line for `seconds` of work so far; for the above, and for tests.
void kv_cli_progress_line(kv_buf *to, const char *doing, double seconds,
                          uint64_t records, uint64_t done, uint64_t total);
// 1234567 as 1,234,567.
void kv_cli_print_grouped(kv_buf *to, uint64_t n);

#endif
