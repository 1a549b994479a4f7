// cli.h -- the one program that every stage is: a store on the command line.
// SPDX-License-Identifier: MIT
//
//     stage2_log DIR COMMAND [ARGUMENTS]
//
//     int main(int argc, char **argv)
//     {
//         return kv_cli_main(&log_engine, argc, argv);
//     }
//
// How the files hang together, from the bottom:
//
//     terminal   what the operating system says about 0, 1 and 2; signals
//     words      a line of the repl, cut into words
//     tsv        a line of a file, cut into a key and a value
//     progress   the line on stderr that moves
//     request    a command line, taken apart (argp)
//     session    an engine, a store and where output goes
//     command    the table of commands; records, transfer, looking, care, repl
//                and help hold what they do
//     cli        the way through all of it
//
// Exit codes: 0 done, 1 a key was not found, 2 the command line makes no
// sense, 3 it failed. A failure is one sentence on stderr.

#ifndef COMMON_CLI_CLI_H
#define COMMON_CLI_CLI_H

#include "common/engine.h"

int kv_cli_main(const kv_engine *engine, int argc, char **argv);

#endif
