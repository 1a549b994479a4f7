// main.c -- stage 4 behind the command line that all stages share.
// SPDX-License-Identifier: MIT

#include "common/cli/cli.h"

#include "lsm.h"

int main(int argc, char **argv) { return kv_cli_main(&lsm_engine, argc, argv); }
