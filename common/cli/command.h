// command.h -- the table of commands: the program, the repl, the help pages and
// the completion of names are all made from it.
// SPDX-License-Identifier: MIT

#ifndef COMMON_CLI_COMMAND_H
#define COMMON_CLI_COMMAND_H

#include "common/cli/request.h"
#include "common/cli/session.h"

typedef enum kv_cli_trait {
    CLI_ALONE = 1 << 0,     // needs no store
    CLI_UNOPENED = 1 << 1,  // needs its directory, but does not open it
    CLI_CHANGES = 1 << 2,   // writes: makes the store if it is not there
    CLI_IN_REPL = 1 << 3,   // may be a line of the repl
    CLI_REPL_ONLY = 1 << 4, // may be nothing else
    CLI_FOREIGN = 1 << 5,   // takes its own options apart
    CLI_MAINTAINS = 1 << 6, // writes, but never makes a store
} kv_cli_trait;

typedef struct kv_cli_command {
    const char *name;
    const char *arguments; // "KEY VALUE"
    const char *summary;   // half a line
    const char *help;      // what a page of help says besides
    unsigned traits;
    unsigned flags;  // the options it takes
    int least, most; // words behind its name; most < 0: any number
    // words[0] is the command's name.
    kv_cli_code (*run)(kv_cli_session *s, const kv_cli_request *r);
} kv_cli_command;

// NULL behind the last.
const kv_cli_command *kv_cli_command_at(size_t index);
const kv_cli_command *kv_cli_command_find(const char *name);
const char *kv_cli_command_name(size_t index);

// CLI_USAGE, with a sentence, if the table says that the request has too few or
// too many words, or an option that the command does not take.
kv_cli_code kv_cli_command_check(kv_cli_session *s,
                                 const kv_cli_command *command,
                                 const kv_cli_request *r);
// Checks, then runs. The store is open if the command needs it.
kv_cli_code kv_cli_command_run(kv_cli_session *s, const kv_cli_command *command,
                               const kv_cli_request *r);
// CLI_USAGE, with a sentence that names the nearest command.
kv_cli_code kv_cli_command_unknown(kv_cli_session *s, const char *name);

// ---- what they do: one file for each group ----------------------------------

// records.c
kv_cli_code kv_cli_put(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_get(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_del(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_del_range(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_compact(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_scan(kv_cli_session *s, const kv_cli_request *r);
// transfer.c
kv_cli_code kv_cli_load(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_dump(kv_cli_session *s, const kv_cli_request *r);
// looking.c
kv_cli_code kv_cli_stats(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_inspect(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_check(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_explain(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_xray(kv_cli_session *s, const kv_cli_request *r);
// care.c
kv_cli_code kv_cli_maintain(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_settle(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_sync(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_backup(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_crash(kv_cli_session *s, const kv_cli_request *r);
// repl.c
kv_cli_code kv_cli_repl(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_begin(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_commit(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_rollback(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_reopen(kv_cli_session *s, const kv_cli_request *r);
kv_cli_code kv_cli_quit(kv_cli_session *s, const kv_cli_request *r);
// help.c
kv_cli_code kv_cli_help(kv_cli_session *s, const kv_cli_request *r);
void kv_cli_help_first_page(kv_cli_session *s, kv_buf *to);
void kv_cli_help_program(kv_cli_session *s, kv_buf *to);
void kv_cli_help_command(kv_cli_session *s, const kv_cli_command *command,
                         kv_buf *to);
void kv_cli_help_version(kv_cli_session *s, kv_buf *to);

#endif
