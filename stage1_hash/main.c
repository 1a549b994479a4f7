// main.c -- the command line of stage 1.
// SPDX-License-Identifier: MIT

#include "common/cli/cli.h"

#include "hash.h"

int main(int argc, char **argv)
{
    return kv_cli_main(&hash_engine, argc, argv);
}
