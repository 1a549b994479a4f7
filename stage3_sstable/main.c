// main.c -- stage 3 behind the command line that all stages share.
// SPDX-License-Identifier: MIT

#include "common/cli/cli.h"

#include "sst.h"

int main(int argc, char **argv) { return kv_cli_main(&sst_engine, argc, argv); }
