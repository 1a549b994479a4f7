// session.c -- see session.h.
// SPDX-License-Identifier: MIT

#include "common/cli/session.h"

#include <errno.h>
#include <stdarg.h>

#include "common/disk_fault.h"

// ---- the store --------------------------------------------------------------

static const char *text_or_null(const kv_buf *text)
{
    return text->len > 0 ? (const char *)text->data : NULL;
}

kv_status kv_cli_session_break(kv_cli_session *s, bool create)
{
    kv_disk *real = NULL;
    const char *rules = text_or_null(&s->options->faults);
    kv_status st = kv_disk_open_real(s->path, create, &real);
    if (st == KV_NOT_FOUND) {
        return kv_fail(st, "%s: there is no such directory", s->path);
    }
    KV_TRY(st);
    st = kv_disk_open_fault(real, rules, &s->disk);
    if (st != KV_OK) kv_disk_close(real);
    return st;
}

kv_status kv_cli_session_open(kv_cli_session *s, bool create, bool read_only)
{
    const kv_cli_request *o = s->options;
    kv_options options = {
        .path = s->path,
        .knobs = text_or_null(&o->knobs),
        .disk = s->disk,
        .sync = o->sync,
        .memory_bytes = o->memory_bytes,
        .create = create && !o->read_only,
        .read_only = (read_only || o->read_only) && s->path != NULL,
    };
    return kv_open(s->engine, &options, &s->db);
}

kv_status kv_cli_session_close(kv_cli_session *s)
{
    kv_status st = kv_close(s->db);
    s->db = NULL;
    kv_batch_free(&s->batch);
    s->is_batch = false;
    return st;
}

void kv_cli_session_end(kv_cli_session *s)
{
    if (s->disk == NULL) return;
    uint64_t calls = 0, hits = 0;
    kv_disk_fault_counts(s->disk, &calls, &hits);
    fflush(s->out); // S2
    fprintf(s->err, "fault: %llu of %llu disk calls met a rule\n",
            (unsigned long long)hits, (unsigned long long)calls);
    kv_disk_close(s->disk);
    s->disk = NULL;
}

// ---- complaints -------------------------------------------------------------

static void print_prefix(kv_cli_session *s)
{
    bool is_colored = kv_cli_wants_color(s->err, s->options->color);
    if (is_colored) fputs("\033[1;31m", s->err);
    if (!s->is_repl) fprintf(s->err, "%s: ", s->program);
    if (s->is_repl && s->line == 0) fputs("error: ", s->err);
    if (s->is_repl && s->line > 0) {
        fprintf(s->err, "line %llu: ", (unsigned long long)s->line);
    }
    if (is_colored) fputs("\033[0m", s->err);
}

kv_cli_code kv_cli_complain(kv_cli_session *s, kv_cli_code code,
                            const char *fmt, ...)
{
    if (fflush(s->out) != 0)
        s->out_errno = errno; // S2; kv_cli_flush reports it
    print_prefix(s);
    va_list args;
    va_start(args, fmt);
    vfprintf(s->err, fmt, args);
    va_end(args);
    fputc('\n', s->err);
    fflush(s->err);
    return code;
}

kv_cli_code kv_cli_failed(kv_cli_session *s, kv_status st)
{
    const char *why = kv_last_error();
    return kv_cli_complain(s, CLI_FAILED, "%s",
                           why[0] != '\0' ? why : kv_status_text(st));
}

// ---- output -----------------------------------------------------------------

static kv_status not_printed(kv_cli_session *s)
{
    // A stream that failed once stays failed; errno does not stay.
    if (s->out_errno == 0) s->out_errno = errno;
    return kv_fail(KV_IO, "standard output: %s", strerror(s->out_errno));
}

kv_status kv_cli_print(kv_cli_session *s, kv_buf *text)
{
    size_t len = text->len; // of nothing, data may be NULL
    bool is_whole = len == 0 || fwrite(text->data, 1, len, s->out) == len;
    kv_buf_clear(text);
    return is_whole ? KV_OK : not_printed(s);
}

kv_status kv_cli_flush(kv_cli_session *s)
{
    bool is_whole = fflush(s->out) == 0 && !ferror(s->out);
    return is_whole ? KV_OK : not_printed(s);
}

kv_status kv_cli_print_report(kv_cli_session *s, const kv_cli_request *r,
                              kv_report *report)
{
    kv_buf text = {0};
    if (r->flags & CLI_JSON) {
        kv_report_draw_json(report, &text);
    } else {
        kv_report_draw_text(report, &text);
    }
    kv_status st = kv_cli_print(s, &text);
    kv_buf_free(&text);
    kv_report_free(report);
    return st;
}

static const char *code_if_colored(const kv_cli_session *s, const char *code)
{
    return kv_cli_wants_color(s->out, s->options->color) ? code : "";
}

const char *kv_cli_dim(const kv_cli_session *s)
{
    return code_if_colored(s, "\033[2m");
}

const char *kv_cli_bold(const kv_cli_session *s)
{
    return code_if_colored(s, "\033[1m");
}

const char *kv_cli_plain(const kv_cli_session *s)
{
    return code_if_colored(s, "\033[0m");
}
