// repl.c -- commands without DIR: typed at a terminal, or a script on standard
// input.
// SPDX-License-Identifier: MIT

#include "common/cli/command.h"
#include "common/cli/prompt.h"
#include "common/cli/tsv.h"
#include "common/cli/words.h"

enum { LINE_BYTES_MAX = 1 << 20 };

// ---- commands that only make sense here -------------------------------------

kv_cli_code kv_cli_begin(kv_cli_session *s, const kv_cli_request *r)
{
    (void)r;
    if (s->is_batch) {
        return kv_cli_complain(s, CLI_USAGE,
                               "begin was said already: commit or "
                               "rollback first");
    }
    s->is_batch = true;
    return CLI_DONE;
}

kv_cli_code kv_cli_commit(kv_cli_session *s, const kv_cli_request *r)
{
    (void)r;
    if (!s->is_batch) {
        return kv_cli_complain(s, CLI_USAGE, "nothing to commit: begin first");
    }
    kv_status st = kv_write(s->db, &s->batch);
    kv_batch_clear(&s->batch);
    s->is_batch = false;
    return st == KV_OK ? CLI_DONE : kv_cli_failed(s, st);
}

kv_cli_code kv_cli_rollback(kv_cli_session *s, const kv_cli_request *r)
{
    (void)r;
    kv_batch_clear(&s->batch);
    s->is_batch = false;
    return CLI_DONE;
}

kv_cli_code kv_cli_reopen(kv_cli_session *s, const kv_cli_request *r)
{
    (void)r;
    kv_status st = kv_cli_session_close(s);
    if (st == KV_OK) st = kv_cli_session_open(s, false, false);
    return st == KV_OK ? CLI_DONE : kv_cli_failed(s, st);
}

kv_cli_code kv_cli_quit(kv_cli_session *s, const kv_cli_request *r)
{
    (void)r;
    s->is_over = true;
    return CLI_DONE;
}

// ---- lines ------------------------------------------------------------------

static bool never(const char *word)
{
    (void)word;
    return false;
}

static kv_cli_code run_request(kv_cli_session *s, const kv_cli_request *r)
{
    if (r->word_count == 0) return CLI_DONE;
    const kv_cli_command *command = kv_cli_command_find(r->words[0]);
    if (command == NULL) return kv_cli_command_unknown(s, r->words[0]);
    if (!(command->traits & CLI_IN_REPL)) {
        return kv_cli_complain(
            s, CLI_USAGE, "%s belongs on the command line, not in the repl",
            command->name);
    }
    if (r->help) {
        kv_buf text = {0};
        kv_cli_help_command(s, command, &text);
        kv_status st = kv_cli_print(s, &text);
        kv_buf_free(&text);
        return st == KV_OK ? CLI_DONE : kv_cli_failed(s, st);
    }
    return kv_cli_command_run(s, command, r);
}

static kv_cli_code run_line(kv_cli_session *s, kv_cli_words *words,
                            kv_slice line)
{
    kv_cli_request r = {0};
    kv_status st = kv_cli_words_cut(words, s->program, line);
    if (st == KV_OK) {
        st = kv_cli_request_parse(&r, CLI_REPL_LINE, words->count, words->word,
                                  never);
    }
    kv_cli_code code =
        st == KV_OK ? run_request(s, &r)
                    : kv_cli_complain(s, CLI_USAGE, "%s", kv_last_error());
    kv_cli_request_free(&r);
    return code;
}

// ---- the loop ---------------------------------------------------------------

static kv_status read_line(kv_cli_session *s, bool is_terminal, kv_buf *line)
{
    if (is_terminal) {
        return kv_cli_prompt_read(s->is_batch ? "batch> " : "> ", line);
    }
    s->line += !s->is_echoed; // an echo says better where an error belongs
    kv_status st = kv_cli_line_read(stdin, LINE_BYTES_MAX, line);
    if (st == KV_OK || st == KV_END) return st;
    if (kv_cli_interrupted()) return KV_END;
    char why[160];
    snprintf(why, sizeof why, "%s", kv_last_error());
    return kv_fail(st, "standard input: %s", why);
}

static kv_status echo(kv_cli_session *s, const kv_buf *line)
{
    kv_buf text = {0};
    kv_buf_printf(&text, "> %.*s\n", (int)line->len, (const char *)line->data);
    kv_status st = kv_cli_print(s, &text);
    kv_buf_free(&text);
    return st;
}

// Until the input ends, or there is no point in going on.
static kv_cli_code loop(kv_cli_session *s, const kv_cli_request *r,
                        bool is_terminal)
{
    kv_cli_words words = {0};
    kv_buf line = {0};
    kv_cli_code code = CLI_DONE;
    kv_status st = KV_OK;
    bool is_strict = (r->flags & CLI_STRICT) != 0;
    while (!s->is_over && !kv_cli_interrupted()) {
        if ((st = read_line(s, is_terminal, &line)) != KV_OK) break;
        if (s->is_echoed && (st = echo(s, &line)) != KV_OK) break;
        code = run_line(s, &words, kv_buf_slice(&line));
        if (s->db == NULL || s->out_errno != 0) break;
        if (is_strict && code != CLI_DONE) break;
    }
    kv_cli_words_free(&words);
    kv_buf_free(&line);
    if (st != KV_OK && st != KV_END) return kv_cli_failed(s, st);
    if (s->db == NULL || s->out_errno != 0) return CLI_FAILED;
    return is_strict ? code : CLI_DONE;
}

kv_cli_code kv_cli_repl(kv_cli_session *s, const kv_cli_request *r)
{
    bool is_terminal = kv_cli_is_terminal(stdin) && kv_cli_is_terminal(stdout);
    s->is_repl = true;
    s->is_echoed = (r->flags & CLI_ECHO) != 0;
    if (is_terminal) {
        fprintf(s->out, "%s: %s. Type help, or put cat meow.\n", s->program,
                s->info->title);
        kv_cli_prompt_begin(s->program);
    }
    kv_cli_code code = loop(s, r, is_terminal);
    if (is_terminal) kv_cli_prompt_end();
    s->is_repl = false;
    s->line = 0;
    return code;
}
