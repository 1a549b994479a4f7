// prompt_editline.c -- see prompt.h: with libedit, which brings editing,
// history and completion.
// SPDX-License-Identifier: MIT

#include <editline/readline.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cli/command.h"
#include "common/cli/prompt.h"
#include "common/mem.h"

const char *const kv_cli_prompt_kind = "editing and history (libedit)";

// The command number `state` or later that begins with `text`; libedit frees
// what it is given with free().
static char *next_command(const char *text, int state)
{
    static size_t index;
    if (state == 0) index = 0;
    for (const kv_cli_command *c; (c = kv_cli_command_at(index)) != NULL;) {
        index++;
        bool fits = strncmp(c->name, text, strlen(text)) == 0;
        if (fits && c->traits & CLI_IN_REPL) return kv_strdup(c->name);
    }
    return NULL;
}

// Commands only, and only where a command can stand.
static char **complete(const char *text, int start, int end)
{
    (void)end;
    rl_attempted_completion_over = 1;
    if (start > 0 && strncmp(rl_line_buffer, "explain ", 8) != 0 &&
        strncmp(rl_line_buffer, "help ", 5) != 0) {
        return NULL;
    }
    return rl_completion_matches(text, next_command);
}

void kv_cli_prompt_begin(const char *program)
{
    rl_readline_name = program;
    rl_initialize();
    rl_attempted_completion_function = complete;
    using_history();
}

kv_status kv_cli_prompt_read(const char *prompt, kv_buf *line)
{
    char *text = readline(prompt);
    if (text == NULL || kv_cli_interrupted()) {
        free(text);
        fputc('\n', stdout);
        return KV_END;
    }
    if (text[0] != '\0') add_history(text);
    kv_buf_clear(line);
    kv_buf_append(line, kv_str(text));
    free(text);
    return KV_OK;
}

void kv_cli_prompt_end(void) { clear_history(); }
