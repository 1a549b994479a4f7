// session.h -- an engine, perhaps an open store, and where output goes: what
// every command works on.
// SPDX-License-Identifier: MIT
//
//              kv_cli_session_open          kv_cli_session_close
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

typedef enum kv_cli_code { // of the program, and of a line of the repl
    CLI_DONE,
    CLI_ABSENT,
    CLI_USAGE,
    CLI_FAILED,
} kv_cli_code;

typedef struct kv_cli_session {
    const kv_engine *engine;
    const kv_engine_info *info;
    const char *program;           // "stage2_log"
    const char *path;              // of the store; NULL for one in memory
    const kv_cli_request *options; // the first group counts
    FILE *out, *err;
    int out_errno;  // why printing failed, or 0
    kv *db;         // NULL while closed
    kv_disk *disk;  // below the store, when it is to fail; else NULL
    bool is_repl;   // a line is being run, not a command line
    uint64_t line;  // its number, in a script; 0 at a terminal
    kv_batch batch; // what begin collects
    bool is_batch;  // between begin and commit
    bool is_echoed; // lines are printed before they are run
    bool is_over;   // quit was said
} kv_cli_session;

// As kv_open, with the options of the session.
KV_MUST_USE kv_status kv_cli_session_open(kv_cli_session *s, bool create,
                                          bool read_only);
kv_status kv_cli_session_close(kv_cli_session *s);
// Before the first open: puts a disk that fails as --fault says below the
// store. KV_INVALID for a rule that makes no sense.
KV_MUST_USE kv_status kv_cli_session_break(kv_cli_session *s, bool create);
// After the last close: takes that disk away, and says how often it failed.
void kv_cli_session_end(kv_cli_session *s);

// One sentence on stderr behind the program's name (or the line's number);
// returns `code`.
kv_cli_code kv_cli_complain(kv_cli_session *s, kv_cli_code code,
                            const char *fmt, ...) KV_PRINTF(3, 4);
// The same for a call that failed: its sentence, and CLI_FAILED.
kv_cli_code kv_cli_failed(kv_cli_session *s, kv_status st);

// Prints and empties the buffer (S1).
KV_MUST_USE kv_status kv_cli_print(kv_cli_session *s, kv_buf *text);
KV_MUST_USE kv_status kv_cli_flush(kv_cli_session *s);
// Prints a report, as text or as JSON, and frees it.
KV_MUST_USE kv_status kv_cli_print_report(kv_cli_session *s,
                                          const kv_cli_request *r,
                                          kv_report *report);
// A terminal's code for dim, bold and plain, or "" without colour.
const char *kv_cli_dim(const kv_cli_session *s);
const char *kv_cli_bold(const kv_cli_session *s);
const char *kv_cli_plain(const kv_cli_session *s);

#endif
