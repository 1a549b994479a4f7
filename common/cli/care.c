// care.c -- maintain, settle, sync, backup, and their opposite: crash.
// SPDX-License-Identifier: MIT

#include "common/cli/command.h"
#include "common/crash/crash.h"

kv_cli_code kv_cli_maintain(kv_cli_session *s, const kv_cli_request *r)
{
    unsigned long long steps = 0;
    bool did_work = true, is_single = (r->flags & CLI_STEP) != 0;
    while (did_work && !kv_cli_interrupted()) {
        kv_status st = kv_maintain(s->db, &did_work);
        if (st != KV_OK) return kv_cli_failed(s, st);
        steps += did_work;
        if (is_single) break;
    }
    fprintf(s->out, steps == 0 ? "nothing to do\n" : "%llu step%s done\n",
            steps, steps == 1 ? "" : "s");
    return CLI_DONE;
}

static kv_cli_code code_of(kv_cli_session *s, kv_status st)
{
    return st == KV_OK ? CLI_DONE : kv_cli_failed(s, st);
}

kv_cli_code kv_cli_settle(kv_cli_session *s, const kv_cli_request *r)
{
    (void)r;
    return code_of(s, kv_settle(s->db));
}

kv_cli_code kv_cli_sync(kv_cli_session *s, const kv_cli_request *r)
{
    (void)r;
    return code_of(s, kv_sync(s->db));
}

kv_cli_code kv_cli_backup(kv_cli_session *s, const kv_cli_request *r)
{
    if (strcmp(r->words[1], "-") == 0) {
        return kv_cli_complain(s, CLI_USAGE,
                               "backup makes a directory: name it, not \"-\" "
                               "(dump writes to standard output)");
    }
    return code_of(s, kv_backup(s->db, r->words[1]));
}

kv_cli_code kv_cli_crash(kv_cli_session *s, const kv_cli_request *r)
{
    bool is_question = r->word_count < 2;
    for (int i = 1; i < r->word_count; i++) {
        is_question = is_question || strcmp(r->words[i], "--help") == 0;
    }
    if (is_question) {
        kv_buf text = {0};
        kv_cli_help_command(s, kv_cli_command_find("crash"), &text);
        kv_status st = kv_cli_print(s, &text);
        kv_buf_free(&text);
        return code_of(s, st);
    }
    int answer =
        kv_crash_command(s->engine, r->word_count - 1, r->words + 1, s->out);
    if (answer == 0) return CLI_DONE;
    if (answer == 1) {
        return kv_cli_complain(s, CLI_FAILED,
                               "a crash broke the promise: the "
                               "lines above say how");
    }
    return kv_cli_complain(s, CLI_USAGE, "%s", kv_last_error());
}
