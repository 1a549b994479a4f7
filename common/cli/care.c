// care.c -- maintain, settle, sync and backup.
// SPDX-License-Identifier: MIT

#include "common/cli/command.h"

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
    return code_of(s, kv_backup(s->db, r->words[1]));
}
