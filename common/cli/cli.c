// cli.c -- see cli.h: from argv to an exit code.
// SPDX-License-Identifier: MIT

#include "common/cli/cli.h"

#include "common/cli/command.h"

// ---- the store's place ------------------------------------------------------

static bool keeps_nothing(const kv_cli_session *s)
{
    return !(s->info->caps & KV_CAP_DURABLE);
}

// Whether the first word is a command already, because no directory was named.
static bool is_without_dir(const kv_cli_session *s, const kv_cli_request *r)
{
    const kv_cli_command *first = kv_cli_command_find(r->words[0]);
    if (first == NULL) return false;
    return keeps_nothing(s) || first->traits & CLI_ALONE;
}

// Who names a directory may believe that it will hold something.
static void warn_of_loss(kv_cli_session *s, const char *dir, const char *word)
{
    const kv_cli_command *command = kv_cli_command_find(word);
    if (strcmp(dir, "-") == 0 || command == NULL) return;
    if (!(command->traits & CLI_CHANGES)) return;
    (void)kv_cli_complain(s, CLI_DONE,
                          "keeps nothing: %s is not made, and what is written "
                          "is gone at the end",
                          dir);
}

// Takes DIR off the words; on a failure *code is set.
static bool take_dir(kv_cli_session *s, kv_cli_request *r, kv_cli_code *code)
{
    if (is_without_dir(s, r)) return true;
    const char *dir = r->words[0];
    if (strcmp(dir, "-") == 0 && !keeps_nothing(s)) {
        *code =
            kv_cli_complain(s, CLI_USAGE,
                            "\"-\" is for engines that keep nothing; name a "
                            "directory: %s DIR COMMAND",
                            s->program);
        return false;
    }
    // "get a" lacks its directory; "get get a" has an odd one.
    bool is_command = kv_cli_command_find(dir) != NULL;
    bool is_bare = r->word_count == 1 ||
                   (is_command && kv_cli_command_find(r->words[1]) == NULL);
    if (is_bare) {
        *code = kv_cli_complain(
            s, CLI_USAGE, "%s: %s DIR COMMAND (help says more)",
            is_command ? "a directory comes first" : "a command is missing",
            s->program);
        return false;
    }
    if (keeps_nothing(s)) warn_of_loss(s, dir, r->words[1]);
    else s->path = dir;
    for (int i = 0; i < r->word_count; i++) r->words[i] = r->words[i + 1];
    r->word_count--;
    return true;
}

// ---- running ----------------------------------------------------------------

// A knob that makes no sense is the command line's fault, not the store's.
static kv_cli_code check_knobs(kv_cli_session *s, const kv_cli_request *r)
{
    uint64_t values[KV_KNOBS_MAX];
    const char *text = r->knobs.len > 0 ? (const char *)r->knobs.data : NULL;
    kv_status st =
        kv_knobs_parse(s->info->knobs, s->info->knob_count, text, values);
    if (st == KV_OK) return CLI_DONE;
    return kv_cli_complain(s, CLI_USAGE, "%s", kv_last_error());
}

static bool does_write(const kv_cli_command *command, const kv_cli_request *r)
{
    if (command->run != kv_cli_explain) return command->traits & CLI_CHANGES;
    const kv_cli_command *call =
        r->word_count > 1 ? kv_cli_command_find(r->words[1]) : NULL;
    return call != NULL && call->traits & CLI_CHANGES;
}

static kv_cli_code break_disk(kv_cli_session *s, bool create)
{
    if (s->options->faults.len == 0) return CLI_DONE;
    if (s->path == NULL) {
        return kv_cli_complain(s, CLI_USAGE,
                               "--fault: %s uses no disk that could fail",
                               s->program);
    }
    kv_status st = kv_cli_session_break(s, create);
    if (st == KV_OK) return CLI_DONE;
    kv_cli_failed(s, st);
    return st == KV_INVALID ? CLI_USAGE : CLI_FAILED;
}

static kv_cli_code run_opened(kv_cli_session *s, const kv_cli_command *command,
                              const kv_cli_request *r)
{
    bool creates = does_write(command, r);
    bool only_looks = !creates && !(command->traits & CLI_MAINTAINS);
    // Before a store is made for words that make no sense.
    kv_cli_code code = kv_cli_command_check(s, command, r);
    if (code == CLI_DONE) code = check_knobs(s, r);
    if (code == CLI_DONE) code = break_disk(s, creates && !r->read_only);
    if (code != CLI_DONE) return code;
    kv_status st = kv_cli_session_open(s, creates, only_looks);
    if (st == KV_OK) {
        kv_cli_catch_interrupts();
        code = kv_cli_command_run(s, command, r);
        st = kv_cli_session_close(s);
    }
    if (st != KV_OK && code != CLI_FAILED) code = kv_cli_failed(s, st);
    kv_cli_session_end(s);
    return code;
}

static kv_cli_code print(kv_cli_session *s, kv_buf *text, kv_cli_code code)
{
    kv_status st = kv_cli_print(s, text);
    if (st == KV_OK) st = kv_cli_flush(s);
    kv_buf_free(text);
    return st == KV_OK ? code : kv_cli_failed(s, st);
}

static kv_cli_code run_command(kv_cli_session *s, kv_cli_request *r)
{
    const kv_cli_command *command = kv_cli_command_find(r->words[0]);
    if (command == NULL) return kv_cli_command_unknown(s, r->words[0]);
    if (r->help) {
        kv_buf text = {0};
        kv_cli_help_command(s, command, &text);
        return print(s, &text, CLI_DONE);
    }
    if (command->traits & CLI_REPL_ONLY) {
        return kv_cli_complain(s, CLI_USAGE, "%s is a line of the repl",
                               command->name);
    }
    if (command->traits & (CLI_ALONE | CLI_UNOPENED)) {
        return kv_cli_command_run(s, command, r);
    }
    return run_opened(s, command, r);
}

static kv_cli_code run(kv_cli_session *s, kv_cli_request *r)
{
    kv_buf text = {0};
    if (r->version) {
        kv_cli_help_version(s, &text);
        return print(s, &text, CLI_DONE);
    }
    // Alone, or behind nothing but DIR.
    bool is_command =
        r->word_count > 0 && kv_cli_command_find(r->words[0]) != NULL;
    if (r->help && !is_command && r->word_count < 2) {
        kv_cli_help_program(s, &text);
        return print(s, &text, CLI_DONE);
    }
    if (r->word_count == 0) {
        kv_cli_help_first_page(s, &text);
        return print(s, &text, CLI_USAGE);
    }
    // put --help: no directory is needed to say how it is used.
    bool is_about = r->help && is_command;
    kv_cli_code code = CLI_DONE;
    if (!is_about && !take_dir(s, r, &code)) return code;
    return run_command(s, r);
}

static bool is_foreign(const char *word)
{
    const kv_cli_command *command = kv_cli_command_find(word);
    return command != NULL && command->traits & CLI_FOREIGN;
}

int kv_cli_main(const kv_engine *engine, int argc, char **argv)
{
    kv_cli_terminal_init();
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    kv_cli_request request = {0};
    kv_cli_session s = {.engine = engine,
                        .info = kv_describe(engine),
                        .program = slash ? slash + 1 : argv[0],
                        .options = &request,
                        .out = stdout,
                        .err = stderr};
    kv_status st = kv_cli_request_parse(&request, CLI_COMMAND_LINE, argc, argv,
                                        is_foreign);
    kv_cli_code code =
        st == KV_OK ? run(&s, &request)
                    : kv_cli_complain(&s, CLI_USAGE, "%s", kv_last_error());
    kv_cli_request_free(&request);
    return (int)code;
}
