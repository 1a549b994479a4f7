// help.c -- the pages: the first one, the program's, each command's, the
// version's. All are made from the tables.
// SPDX-License-Identifier: MIT

#include "common/cli/command.h"
#include "common/cli/prompt.h"

// What DIR looks like for this engine.
static const char *dir_of(const kv_cli_session *s)
{
    return s->info->caps & KV_CAP_DURABLE ? "DIR" : "-";
}

static void example(kv_buf *to, const kv_cli_session *s, const char *arguments,
                    const char *meaning)
{
    kv_buf line = {0};
    kv_buf_printf(&line, "%s %s", s->program, arguments);
    kv_buf_printf(to, "  %-32.*s %s\n", (int)line.len, (const char *)line.data,
                  meaning);
    kv_buf_free(&line);
}

void kv_cli_help_first_page(kv_cli_session *s, kv_buf *to)
{
    kv_buf_printf(to, "%s: %s.\n\n", s->program, s->info->title);
    if (s->info->caps & KV_CAP_DURABLE) {
        example(to, s, "pets put cat meow", "stores a value in ./pets");
        example(to, s, "pets get cat", "prints it");
        example(to, s, "pets repl", "put, get, explain get cat, inspect, ...");
    } else {
        example(to, s, "repl", "put cat meow, get cat, explain get cat, ...");
        example(to, s, "repl < script", "the same from a file");
        example(to, s, "- load words.tsv", "and forgets: it keeps nothing");
    }
    kv_buf_printf(to, "\n%s help says the rest.\n", s->program);
}

static void list_commands(kv_buf *to, unsigned wanted, unsigned unwanted)
{
    for (size_t i = 0; kv_cli_command_at(i) != NULL; i++) {
        const kv_cli_command *c = kv_cli_command_at(i);
        if ((c->traits & wanted) != wanted || c->traits & unwanted) continue;
        char usage[48];
        snprintf(usage, sizeof usage, "%s %s", c->name, c->arguments);
        kv_buf_printf(to, "  %-20s %s\n", usage, c->summary);
    }
}

static void list_knobs(const kv_cli_session *s, kv_buf *to)
{
    for (size_t i = 0; i < s->info->knob_count; i++) {
        const kv_knob *knob = &s->info->knobs[i];
        kv_buf setting = {0};
        kv_knob_print(knob, knob->value, &setting);
        kv_buf_printf(to, "  %-26.*s %s", (int)setting.len,
                      (const char *)setting.data, knob->help);
        kv_buf_clear(&setting);
        if (knob->words != NULL) {
            kv_buf_printf(to, " (%s)\n", knob->words);
        } else {
            kv_knob low = *knob, high = *knob;
            low.name = high.name = "";
            kv_knob_print(&low, knob->min, &setting);
            kv_buf_printf(to, " (%.*s", (int)setting.len - 1,
                          (const char *)setting.data + 1);
            kv_buf_clear(&setting);
            kv_knob_print(&high, knob->max, &setting);
            kv_buf_printf(to, " to %.*s)\n", (int)setting.len - 1,
                          (const char *)setting.data + 1);
        }
        kv_buf_free(&setting);
    }
}

void kv_cli_help_program(kv_cli_session *s, kv_buf *to)
{
    kv_buf_printf(to, "%s %s COMMAND [ARGUMENTS]: %s\n\n", s->program,
                  dir_of(s), s->info->title);
    kv_buf_printf(to, "Commands (help COMMAND says more):\n");
    list_commands(to, 0, CLI_REPL_ONLY);
    kv_buf_printf(to, "\nInside the repl also:\n");
    list_commands(to, CLI_REPL_ONLY, 0);
    kv_buf_printf(to, "\nOptions, anywhere; behind -- everything is a word:\n");
    kv_cli_request_options(to, true, 0);
    if (s->info->knob_count > 0) {
        kv_buf_printf(to, "\nKnobs, with their defaults, for --set:\n");
        list_knobs(s, to);
    }
    kv_buf_printf(to,
                  "\nKeys and values may hold any bytes: \\t \\n \\r \\\\ and "
                  "\\xHH, both ways.\n"
                  "Exit codes: 0 done, 1 not found, 2 usage, 3 failed.\n");
}

// Lines of at most 76 columns.
static void wrap(kv_buf *to, const char *text)
{
    size_t column = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (column > 0 && column + 1 + len > 76) {
            kv_buf_append(to, kv_str("\n"));
            column = 0;
        }
        if (column > 0) kv_buf_append(to, kv_str(" "));
        kv_buf_append(to, kv_slice_of(text, len));
        column += len + (column > 0);
        text += len;
        text += strspn(text, " ");
    }
    kv_buf_append(to, kv_str("\n"));
}

void kv_cli_help_command(kv_cli_session *s, const kv_cli_command *command,
                         kv_buf *to)
{
    const char *space = command->arguments[0] != '\0' ? " " : "";
    if (command->traits & (CLI_REPL_ONLY | CLI_ALONE) || s->is_repl) {
        kv_buf_printf(to, "%s%s%s: %s\n", command->name, space,
                      command->arguments, command->summary);
    } else {
        kv_buf_printf(to, "%s %s %s%s%s: %s\n", s->program, dir_of(s),
                      command->name, space, command->arguments,
                      command->summary);
    }
    if (command->help[0] != '\0') {
        kv_buf_append(to, kv_str("\n"));
        wrap(to, command->help);
    }
    if (command->flags != 0) {
        kv_buf_append(to, kv_str("\n"));
        kv_cli_request_options(to, false, command->flags);
    }
}

static void list_abilities(const kv_cli_session *s, kv_buf *to)
{
    static const struct {
        unsigned cap;
        const char *word;
    } abilities[] = {
        {KV_CAP_ORDERED, "ordered"},   {KV_CAP_KEYS_ON_DISK, "keys-on-disk"},
        {KV_CAP_RECLAIMS, "reclaims"}, {KV_CAP_DURABLE, "durable"},
        {KV_CAP_SNAPSHOT, "snapshot"}, {KV_CAP_RANGE_DELETE, "range-delete"},
        {KV_CAP_BACKUP, "backup"},     {KV_CAP_COMPACT, "compact"},
    };
    kv_buf_printf(to, "abilities:");
    for (size_t i = 0; i < sizeof abilities / sizeof abilities[0]; i++) {
        if (!(s->info->caps & abilities[i].cap)) continue;
        kv_buf_printf(to, " %s", abilities[i].word);
    }
    kv_buf_printf(to, "\n");
}

void kv_cli_help_version(kv_cli_session *s, kv_buf *to)
{
    const kv_engine_info *info = s->info;
    kv_buf_printf(to, "%s %s\n", s->program, KV_CLI_VERSION);
    kv_buf_printf(to, "engine: %s, %s\n", info->name, info->title);
    if (info->book != NULL && info->book[0] != '\0') {
        kv_buf_printf(to, "book: %s\n", info->book);
    }
    list_abilities(s, to);
    if (info->caps & KV_CAP_DURABLE) {
        kv_buf_printf(to, "format: %u.%u\n", info->format_major,
                      info->format_minor);
    }
    kv_buf_printf(to, "limits: keys of %u bytes, values of %u\n", info->key_max,
                  info->value_max);
    kv_buf_printf(to, "repl: %s\n", kv_cli_prompt_kind);
}

kv_cli_code kv_cli_help(kv_cli_session *s, const kv_cli_request *r)
{
    kv_buf text = {0};
    const kv_cli_command *command = NULL;
    if (r->word_count > 1) {
        command = kv_cli_command_find(r->words[1]);
        if (command == NULL) return kv_cli_command_unknown(s, r->words[1]);
        kv_cli_help_command(s, command, &text);
    } else if (s->is_repl) {
        list_commands(&text, CLI_IN_REPL, 0);
    } else {
        kv_cli_help_program(s, &text);
    }
    kv_status st = kv_cli_print(s, &text);
    kv_buf_free(&text);
    return st == KV_OK ? CLI_DONE : kv_cli_failed(s, st);
}
