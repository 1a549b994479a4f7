// prompt_plain.c -- see prompt.h: without libedit.
// SPDX-License-Identifier: MIT

#include <stdio.h>

#include "common/cli/prompt.h"
#include "common/cli/tsv.h"

const char *const kv_cli_prompt_kind = "plain lines";

enum { LINE_MAX_BYTES = 1 << 20 };

void kv_cli_prompt_begin(const char *program) { (void)program; }

kv_status kv_cli_prompt_read(const char *prompt, kv_buf *line)
{
    fputs(prompt, stdout);
    fflush(stdout);
    kv_status st = kv_cli_line_read(stdin, LINE_MAX_BYTES, line);
    return st == KV_OK ? KV_OK : KV_END;
}

void kv_cli_prompt_end(void) {}
