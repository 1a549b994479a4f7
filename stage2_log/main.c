// main.c -- the program stage2_log: the shared command line over this engine.
// SPDX-License-Identifier: MIT

#include "common/cli/cli.h"

#include "log.h"

int main(int argc, char **argv) { return kv_cli_main(&log_engine, argc, argv); }
