// prompt.h -- a line from a person: with editing and history where libedit is
// installed (prompt_editline.c), without where it is not (prompt_plain.c).
// SPDX-License-Identifier: MIT

#ifndef COMMON_CLI_PROMPT_H
#define COMMON_CLI_PROMPT_H

#include "common/bytes.h"

// "editing and history (libedit)" or "plain lines".
extern const char *const kv_cli_prompt_kind;

// Requires a terminal. `program` names the history.
void kv_cli_prompt_begin(const char *program);
// KV_END when there are no more lines, or somebody pressed Ctrl-C.
kv_status kv_cli_prompt_read(const char *prompt, kv_buf *line);
void kv_cli_prompt_end(void);

#endif
