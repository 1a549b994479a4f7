// main.c -- stage 5 behind the command line that all stages share.
// SPDX-License-Identifier: MIT

#include "common/cli/cli.h"

#include "bt.h"

int main(int argc, char **argv) { return kv_cli_main(&bt_engine, argc, argv); }
