// command.c -- see command.h.
// SPDX-License-Identifier: MIT

#include "common/cli/command.h"

#include "common/cli/words.h"

static const kv_cli_command commands[] = {
    {"put", "KEY VALUE", "store a value under a key",
     "Replaces the value that was there. Bytes that cannot be typed are "
     "written "
     "\\t \\n \\r \\\\ or \\xHH.",
     CLI_CHANGES | CLI_IN_REPL, 0, 2, 2, kv_cli_put},
    {"get", "KEY...", "print the value of a key",
     "Prints the value; of several keys, a line with key and value for each. "
     "Exit code 1 if a key is not there.",
     CLI_IN_REPL, CLI_RAW | CLI_JSON, 1, -1, kv_cli_get},
    {"del", "KEY...", "delete keys", "Succeeds whether or not a key was there.",
     CLI_CHANGES | CLI_IN_REPL, 0, 1, -1, kv_cli_del},
    {"del-range", "FROM [TO]",
     "delete every key from FROM up to, not including, TO",
     "An empty FROM ('') means from the first key; no TO means to the last.",
     CLI_CHANGES | CLI_IN_REPL, 0, 1, 2, kv_cli_del_range},
    {"scan", "[FROM [TO]]",
     "print keys and values, from FROM up to, not including, TO",
     "A line for each record: key, TAB, value. In key order where the engine "
     "keeps one.",
     CLI_IN_REPL, CLI_REVERSE | CLI_LIMIT | CLI_RAW | CLI_JSON, 0, 2,
     kv_cli_scan},
    {"load", "[FILE]", "store records from lines of text: key, TAB, value",
     "Reads standard input without FILE. Each batch is stored whole or not at "
     "all; a line that makes no sense stops the load before its batch.",
     CLI_CHANGES | CLI_IN_REPL, CLI_BATCH, 0, 1, kv_cli_load},
    {"dump", "[FILE]", "write all records as lines that load reads",
     "Writes to standard output without FILE, and replaces FILE.", CLI_IN_REPL,
     0, 0, 1, kv_cli_dump},
    {"stats", "", "what was asked, what it cost, and the amplification",
     "Counts since the store was opened: most telling inside the repl.",
     CLI_IN_REPL, CLI_JSON | CLI_LIVE, 0, 0, kv_cli_stats},
    {"inspect", "[PART]", "the shape of the store, or of a part of it",
     "Each engine has its own parts: ask for a wrong one, and it names them.",
     CLI_IN_REPL, CLI_JSON | CLI_HISTORY, 0, -1, kv_cli_inspect},
    {"check", "", "verify every byte and every invariant; changes nothing",
     "Prints ok and what was looked at, or says what is wrong (exit code 3).",
     CLI_IN_REPL, CLI_JSON, 0, 0, kv_cli_check},
    {"explain", "CALL...",
     "say each step of a get, put, del, del-range or scan, and its cost",
     "CALL is such a command with its words: explain get cat. It is carried "
     "out.",
     CLI_IN_REPL, CLI_JSON | CLI_REVERSE | CLI_LIMIT | CLI_RAW, 1, -1,
     kv_cli_explain},
    {"maintain", "", "do housekeeping that is due, until none is",
     "A step is one merge, compaction or checkpoint.",
     CLI_MAINTAINS | CLI_IN_REPL, CLI_STEP, 0, 0, kv_cli_maintain},
    {"settle", "", "do all housekeeping, and sync",
     "Afterwards the store is as small as the engine makes it.",
     CLI_MAINTAINS | CLI_IN_REPL, 0, 0, 0, kv_cli_settle},
    {"compact", "[FROM [TO]]",
     "do all housekeeping of the keys from FROM up to, not including, TO",
     "Due or not: what is dead there goes, and what is live lies in one place. "
     "Where an engine cannot do that for some keys alone, settle does it for "
     "all.",
     CLI_MAINTAINS | CLI_IN_REPL, 0, 0, 2, kv_cli_compact},
    {"backup", "PATH", "copy the store to a new directory",
     "The copy opens as a store of its own.", CLI_MAINTAINS | CLI_IN_REPL, 0, 1,
     1, kv_cli_backup},
    {"xray", "[FILE]", "the bytes of a file with their meaning",
     "Without FILE: which files there are. The store is not opened, so that a "
     "damaged one can be looked at; exit code 3 if damage is seen.",
     CLI_UNOPENED, CLI_AT, 0, 1, kv_cli_xray},
    {"repl", "", "type commands without DIR, or read them from standard input",
     "A script's errors name the line; the exit code is 0, or with --strict "
     "that of the first line that fails. Ctrl-C closes the store properly.",
     CLI_CHANGES, CLI_STRICT | CLI_ECHO, 0, 0, kv_cli_repl},
    {"crash", "explore|replay ...",
     "crash a store in every possible way, and reopen each",
     "crash explore [--model kill|ext4|posix|all] [--sync "
     "commit|interval|none|all] [--ops N] [--seed N] [--sector N] [--knobs K] "
     "[--states N] works in memory and prints a table; exit code 3 if anything "
     "was lost. Without options: all models, sync commit, 40 ops of seed 1, "
     "sectors of 512 bytes, the smallest sizes that the knobs allow (--knobs "
     "changes some of them; background is always 0), and of "
     "each model's states a sample of about 5,000, besides those of second "
     "crashes; --states=0 judges all, which takes minutes. Of the columns, "
     "moments are points in time, pending the most pieces unsynced at one, "
     "states the disks that a crash may leave, distinct those reopened and "
     "judged, nested those of them from a crash in a recovery. crash replay "
     "STATE DIR rebuilds the directory of a line that it printed.",
     CLI_ALONE | CLI_FOREIGN, 0, 0, -1, kv_cli_crash},
    {"begin", "", "collect the puts and dels that follow", "",
     CLI_IN_REPL | CLI_REPL_ONLY, 0, 0, 0, kv_cli_begin},
    {"commit", "", "apply what was collected, all or nothing", "",
     CLI_IN_REPL | CLI_REPL_ONLY, 0, 0, 0, kv_cli_commit},
    {"rollback", "", "forget what was collected", "",
     CLI_IN_REPL | CLI_REPL_ONLY, 0, 0, 0, kv_cli_rollback},
    {"sync", "", "make everything so far survive a power cut", "",
     CLI_IN_REPL | CLI_REPL_ONLY, 0, 0, 0, kv_cli_sync},
    {"reopen", "", "close the store and open it again", "",
     CLI_IN_REPL | CLI_REPL_ONLY, 0, 0, 0, kv_cli_reopen},
    {"quit", "", "leave; so does the end of the input", "",
     CLI_IN_REPL | CLI_REPL_ONLY, 0, 0, 0, kv_cli_quit},
    {"help", "[COMMAND]", "how all this, or one command, is used", "",
     CLI_ALONE | CLI_IN_REPL, 0, 0, 1, kv_cli_help},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

const kv_cli_command *kv_cli_command_at(size_t index)
{
    return index < COMMANDS ? &commands[index] : NULL;
}

const char *kv_cli_command_name(size_t index)
{
    return index < COMMANDS ? commands[index].name : NULL;
}

const kv_cli_command *kv_cli_command_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    }
    return NULL;
}

kv_cli_code kv_cli_command_unknown(kv_cli_session *s, const char *name)
{
    const char *near = kv_cli_nearest(name, kv_cli_command_name);
    return kv_cli_complain(
        s, CLI_USAGE, "there is no command \"%s\"; %s%s (help lists them)",
        name, near ? "did you mean " : "try help", near ? near : "");
}

static kv_cli_code misplaced_flag(kv_cli_session *s,
                                  const kv_cli_command *command, unsigned flags)
{
    unsigned extra = flags & ~command->flags;
    unsigned lowest = extra & (~extra + 1);
    return kv_cli_complain(s, CLI_USAGE, "%s does not take --%s", command->name,
                           kv_cli_flag_name(lowest));
}

kv_cli_code kv_cli_command_check(kv_cli_session *s,
                                 const kv_cli_command *command,
                                 const kv_cli_request *r)
{
    int words = r->word_count - 1;
    bool is_many = command->most >= 0 && words > command->most;
    if (words < command->least || is_many) {
        return kv_cli_complain(s, CLI_USAGE, "too %s words; it is: %s %s",
                               is_many ? "many" : "few", command->name,
                               command->arguments);
    }
    if (r->flags & ~command->flags) {
        return misplaced_flag(s, command, r->flags);
    }
    return CLI_DONE;
}

kv_cli_code kv_cli_command_run(kv_cli_session *s, const kv_cli_command *command,
                               const kv_cli_request *r)
{
    kv_cli_code code = kv_cli_command_check(s, command, r);
    if (code != CLI_DONE) return code;
    code = command->run(s, r);
    kv_status st = kv_cli_flush(s); // S1
    return st == KV_OK || code == CLI_FAILED ? code : kv_cli_failed(s, st);
}
