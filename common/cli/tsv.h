// tsv.h -- a key, a TAB, a value, a newline: how records come and go as text.
// SPDX-License-Identifier: MIT
//
//     cat\tmeow\n          both escaped as kv_escape does, so that any bytes
//     \xff\x00\t\n         survive; the last newline may be missing

#ifndef COMMON_CLI_TSV_H
#define COMMON_CLI_TSV_H

#include <stdio.h>

#include "common/bytes.h"

typedef struct kv_cli_tsv_reader {
    FILE *stream;
    const char *name; // for messages
    size_t key_max, value_max;
    uint64_t line;  // the number of the latest line; the first is 1
    uint64_t bytes; // read so far
    kv_buf text;    // the latest line
    kv_buf key, value;
} kv_cli_tsv_reader;

// KV_OK and a record, which is the reader's until its next call; KV_END;
// KV_INVALID with line, column and what is wrong there; KV_TOO_BIG; KV_IO.
KV_MUST_USE kv_status kv_cli_tsv_read(kv_cli_tsv_reader *r, kv_slice *key,
                                      kv_slice *value);
void kv_cli_tsv_free(kv_cli_tsv_reader *r);

void kv_cli_tsv_append(kv_buf *to, kv_slice key, kv_slice value);

// The next line without its newline, in `to`. KV_END; KV_TOO_BIG for one of
// more than `max` bytes; KV_IO.
KV_MUST_USE kv_status kv_cli_line_read(FILE *stream, size_t max, kv_buf *to);

#endif
