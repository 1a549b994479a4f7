// session.h -- an engine, perhaps an open store, and where output goes: what
// every command works on.
// SPDX-License-Identifier: MIT
//
//              cli_session_open          cli_session_close
//     closed ───────────────────▶ open ───────────────────▶ closed
//
// Invariants
//   S1  What could not be printed is a failure of the command that printed it.
//   S2  A sentence on stderr comes after everything printed before it.

#ifndef COMMON_CLI_SESSION_H
#define COMMON_CLI_SESSION_H

#include <stdio.h>

#include "common/cli/request.h"
#include "common/engine.h"

typedef enum cli_code { // of the program, and of a line of the repl
    CLI_DONE,
    CLI_ABSENT,
    CLI_USAGE,
    CLI_FAILED,
} cli_code;

typedef struct cli_session {
    const kv_engine *engine;
    const kv_engine_info *info;
    const char *program;        // "stage2_log"
    const char *path;           // of the store; NULL for one in memory
    const cli_request *options; // the first group counts
    FILE *out, *err;
    int out_errno;  // why printing failed, or 0
    kv *db;         // NULL while closed
    kv_disk *disk;  // below the store, when faults were asked for
    bool is_repl;   // a line is being run, not a command line
    uint64_t line;  // its number, in a script; 0 at a terminal
    kv_batch batch; // what begin collects
    bool is_batch;  // between begin and commit
    bool is_echoed; // lines are printed before they are run
    bool is_over;   // quit was said
} cli_session;

// KV_NOT_FOUND and the rest as kv_open says, always with a sentence.
KV_MUST_USE kv_status cli_session_open(cli_session *s, bool create,
                                       bool read_only);
kv_status cli_session_close(cli_session *s);

// One sentence on stderr behind the program's name (or the line's number);
// returns `code`.
cli_code cli_complain(cli_session *s, cli_code code, const char *fmt, ...)
    KV_PRINTF(3, 4);
// The same for a call that failed: its sentence, and CLI_FAILED.
cli_code cli_failed(cli_session *s, kv_status st);

// Prints and empties the buffer (S1).
KV_MUST_USE kv_status cli_print(cli_session *s, kv_buf *text);
KV_MUST_USE kv_status cli_flush(cli_session *s);
// Prints a report, as text or as JSON, and frees it.
KV_MUST_USE kv_status cli_print_report(cli_session *s, const cli_request *r,
                                       kv_report *report);
// A terminal's code for dim, bold and plain, or "" without colour.
const char *cli_dim(const cli_session *s);
const char *cli_bold(const cli_session *s);
const char *cli_plain(const cli_session *s);

#endif
