// command.h -- the table of commands: the program, the repl, the help pages and
// the completion of names are all made from it.
// SPDX-License-Identifier: MIT

#ifndef COMMON_CLI_COMMAND_H
#define COMMON_CLI_COMMAND_H

#include "common/cli/request.h"
#include "common/cli/session.h"

typedef enum cli_trait {
    CLI_ALONE = 1 << 0,     // needs no store
    CLI_UNOPENED = 1 << 1,  // needs its directory, but does not open it
    CLI_CHANGES = 1 << 2,   // writes: makes the store if it is not there
    CLI_IN_REPL = 1 << 3,   // may be a line of the repl
    CLI_REPL_ONLY = 1 << 4, // may be nothing else
    CLI_FOREIGN = 1 << 5,   // takes its own options apart
    CLI_MAINTAINS = 1 << 6, // writes, but never makes a store
} cli_trait;

typedef struct cli_command {
    const char *name;
    const char *arguments; // "KEY VALUE"
    const char *summary;   // half a line
    const char *help;      // what a page of help says besides
    unsigned traits;
    unsigned flags;  // the options it takes
    int least, most; // words behind its name; most < 0: any number
    // words[0] is the command's name.
    cli_code (*run)(cli_session *s, const cli_request *r);
} cli_command;

// NULL behind the last.
const cli_command *cli_command_at(size_t index);
const cli_command *cli_command_find(const char *name);
const char *cli_command_name(size_t index);

// Checks the request's words and options against the table, then runs. The
// store is open if the command needs it.
cli_code cli_command_run(cli_session *s, const cli_command *command,
                         const cli_request *r);
// CLI_USAGE, with a sentence that names the nearest command.
cli_code cli_command_unknown(cli_session *s, const char *name);

// ---- what they do: one file for each group ----------------------------------

// records.c
cli_code cli_put(cli_session *s, const cli_request *r);
cli_code cli_get(cli_session *s, const cli_request *r);
cli_code cli_del(cli_session *s, const cli_request *r);
cli_code cli_del_range(cli_session *s, const cli_request *r);
cli_code cli_scan(cli_session *s, const cli_request *r);
// transfer.c
cli_code cli_load(cli_session *s, const cli_request *r);
cli_code cli_dump(cli_session *s, const cli_request *r);
// looking.c
cli_code cli_stats(cli_session *s, const cli_request *r);
cli_code cli_inspect(cli_session *s, const cli_request *r);
cli_code cli_check(cli_session *s, const cli_request *r);
cli_code cli_explain(cli_session *s, const cli_request *r);
cli_code cli_xray(cli_session *s, const cli_request *r);
// care.c
cli_code cli_maintain(cli_session *s, const cli_request *r);
cli_code cli_settle(cli_session *s, const cli_request *r);
cli_code cli_sync(cli_session *s, const cli_request *r);
cli_code cli_backup(cli_session *s, const cli_request *r);
// repl.c
cli_code cli_repl(cli_session *s, const cli_request *r);
cli_code cli_begin(cli_session *s, const cli_request *r);
cli_code cli_commit(cli_session *s, const cli_request *r);
cli_code cli_rollback(cli_session *s, const cli_request *r);
cli_code cli_reopen(cli_session *s, const cli_request *r);
cli_code cli_quit(cli_session *s, const cli_request *r);
// help.c
cli_code cli_help(cli_session *s, const cli_request *r);
void cli_help_first_page(cli_session *s, kv_buf *to);
void cli_help_program(cli_session *s, kv_buf *to);
void cli_help_command(cli_session *s, const cli_command *command, kv_buf *to);
void cli_help_version(cli_session *s, kv_buf *to);

#endif
