// request.h -- what somebody asked for: a command line or a line of the repl,
// taken apart.
// SPDX-License-Identifier: MIT
//
//     program [options] DIR COMMAND [words and options in any order]
//
// Options may stand anywhere; behind -- everything is a word. Options of the
// first group concern the whole program and have no place in a repl line;
// those of the second belong to the commands that name them in their table.

#ifndef COMMON_CLI_REQUEST_H
#define COMMON_CLI_REQUEST_H

#include <stdbool.h>

#include "common/cli/terminal.h"
#include "common/engine.h"

struct kv_cli_command;

typedef enum kv_cli_flag { // the second group, as bits
    CLI_REVERSE = 1 << 0,
    CLI_LIMIT = 1 << 1,
    CLI_RAW = 1 << 2,
    CLI_BATCH = 1 << 3,
    CLI_STEP = 1 << 4,
    CLI_AT = 1 << 5,
    CLI_LIVE = 1 << 6,
    CLI_STRICT = 1 << 7,
    CLI_ECHO = 1 << 8,
    CLI_JSON = 1 << 9,
    CLI_HISTORY = 1 << 10,
} kv_cli_flag;

typedef struct kv_cli_request {
    char **words; // the caller's; what is no option, in order
    int word_count;
    unsigned flags;        // kv_cli_flag
    uint64_t limit, batch; // records; what CLI_LIMIT and CLI_BATCH came with
    uint64_t at;           // bytes
    bool help, version;

    // The first group. In a repl line these keep their zeroes.
    kv_buf knobs; // "name=value,name=value", ends in a NUL, or empty
    kv_sync_mode sync;
    uint64_t memory_bytes;
    bool read_only, no_progress;
    kv_cli_color color;
    kv_buf faults; // rules with blanks between, ends in a NUL, or empty
} kv_cli_request;

typedef enum kv_cli_request_kind {
    CLI_COMMAND_LINE,
    CLI_REPL_LINE,
} kv_cli_request_kind;

// KV_INVALID with the sentence. argv is permuted, and words point into it.
// Reading stops at the first word for which is_foreign(word) holds: all that
// follow it are words, whatever they look like.
KV_MUST_USE kv_status
kv_cli_request_parse(kv_cli_request *r, kv_cli_request_kind kind, int argc,
                     char **argv, bool (*is_foreign)(const char *word));
void kv_cli_request_free(kv_cli_request *r);

// The options with their sentences, those of the first group or those in
// `flags`, for help pages.
void kv_cli_request_options(kv_buf *to, bool is_first_group, unsigned flags);
// The name of one flag: "reverse".
const char *kv_cli_flag_name(unsigned flag);

#endif
