// transfer.c -- load and dump: records come and go as lines of text (tsv.h).
// SPDX-License-Identifier: MIT

#include <errno.h>

#include "common/cli/command.h"
#include "common/cli/progress.h"
#include "common/cli/tsv.h"

// ---- load -------------------------------------------------------------------

enum { BATCH_BYTES = 8 << 20 }; // a batch is written when it is this large

typedef struct load {
    kv_cli_session *s;
    kv_cli_tsv_reader reader;
    kv_cli_progress progress;
    kv_batch batch;
    uint64_t batch_max; // records
    uint64_t stored;    // records that kv_write took
    uint64_t in_doubt;  // records that it failed on and may have kept
    uint64_t input_bytes;
} load;

// A batch that was not refused and yet failed: engine.h, "Errors".
static bool is_in_doubt(kv_status st)
{
    return st != KV_OK && st != KV_INVALID && st != KV_TOO_BIG &&
           st != KV_UNSUPPORTED && st != KV_NO_SPACE && st != KV_READ_ONLY;
}

static kv_status write_batch(load *l)
{
    kv_status st = kv_write(l->s->db, &l->batch);
    if (is_in_doubt(st)) l->in_doubt = l->batch.count;
    if (st != KV_OK) return st;
    l->stored += l->batch.count;
    kv_batch_clear(&l->batch);
    kv_cli_progress_show(&l->progress, l->stored, l->reader.bytes,
                         l->input_bytes);
    return KV_OK;
}

static kv_status load_all(load *l)
{
    kv_slice key, value;
    kv_status st = KV_OK;
    while (!kv_cli_interrupted()) {
        if ((st = kv_cli_tsv_read(&l->reader, &key, &value)) != KV_OK) break;
        kv_batch_put(&l->batch, key, value);
        if (l->batch.count < l->batch_max && l->batch.bytes.len < BATCH_BYTES) {
            continue;
        }
        if ((st = write_batch(l)) != KV_OK) break;
    }
    // Ctrl-C may also have ended the read: what was whole is kept.
    bool is_whole = st == KV_END || st == KV_OK || kv_cli_interrupted();
    return is_whole ? write_batch(l) : st;
}

static kv_cli_code load_report(load *l, kv_status st)
{
    kv_cli_session *s = l->s;
    unsigned long long stored = l->stored;
    char why[512] = "interrupted", rest[128] = "nothing after them";
    if (st != KV_OK) snprintf(why, sizeof why, "%s", kv_last_error());
    if (l->in_doubt > 0) {
        snprintf(rest, sizeof rest,
                 "of the next %llu all or none: what the store holds when it "
                 "is opened again, counts",
                 (unsigned long long)l->in_doubt);
    }
    if (st != KV_OK || kv_cli_interrupted()) {
        return kv_cli_complain(s, CLI_FAILED,
                               "%s; %llu records were loaded (the first %llu "
                               "lines), %s",
                               why, stored, stored, rest);
    }
    if (kv_cli_is_terminal(s->err)) {
        kv_buf text = {0};
        kv_cli_print_grouped(&text, stored);
        fprintf(s->err, "loaded %.*s records\n", (int)text.len,
                (const char *)text.data);
        kv_buf_free(&text);
    }
    return CLI_DONE;
}

static FILE *open_or_complain(kv_cli_session *s, const char *path,
                              const char *mode)
{
    FILE *file = fopen(path, mode);
    if (file != NULL) return file;
    kv_cli_complain(s, CLI_FAILED, "%s: %s", path, strerror(errno));
    return NULL;
}

static bool is_standard(const kv_cli_request *r)
{
    return r->word_count < 2 || strcmp(r->words[1], "-") == 0;
}

kv_cli_code kv_cli_load(kv_cli_session *s, const kv_cli_request *r)
{
    if (is_standard(r) && s->is_repl) {
        return kv_cli_complain(s, CLI_USAGE,
                               "in the repl, load needs the name of a file");
    }
    load l = {.s = s, .batch_max = r->batch};
    l.reader = (kv_cli_tsv_reader){.stream = stdin,
                                   .name = "standard input",
                                   .key_max = kv_key_max(s->db),
                                   .value_max = s->info->value_max};
    if (!is_standard(r)) {
        l.reader.name = r->words[1];
        l.reader.stream = open_or_complain(s, r->words[1], "rb");
        if (l.reader.stream == NULL) return CLI_FAILED;
    }
    l.input_bytes = kv_cli_bytes_ahead(l.reader.stream);
    kv_cli_progress_begin(&l.progress, "loading", !s->options->no_progress);
    kv_status st = load_all(&l);
    kv_cli_progress_end(&l.progress);
    kv_cli_code code = load_report(&l, st);
    if (!is_standard(r)) fclose(l.reader.stream);
    kv_cli_tsv_free(&l.reader);
    kv_batch_free(&l.batch);
    return code;
}

// ---- dump -------------------------------------------------------------------

typedef struct dump {
    kv_cli_session *s;
    FILE *out;
    const char *name; // for messages
    kv_cli_progress progress;
    uint64_t written, total; // records; total 0: unknown
} dump;

static kv_status not_written(const dump *d)
{
    return kv_fail(KV_IO, "%s: %s", d->name, strerror(errno));
}

static kv_status dump_all(dump *d)
{
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    kv_buf text = {0};
    kv_status st = kv_scan(d->s->db, (kv_range){0}, &cursor);
    while (st == KV_OK && !kv_cli_interrupted()) {
        if ((st = kv_cursor_next(cursor, &key, &value)) != KV_OK) break;
        kv_buf_clear(&text);
        kv_cli_tsv_append(&text, key, value);
        if (fwrite(text.data, 1, text.len, d->out) != text.len) {
            st = not_written(d);
            break;
        }
        d->written++;
        kv_cli_progress_show(&d->progress, d->written, d->written, d->total);
    }
    if (st == KV_END) st = fflush(d->out) == 0 ? KV_OK : not_written(d);
    kv_cursor_close(cursor);
    kv_buf_free(&text);
    return st;
}

kv_cli_code kv_cli_dump(kv_cli_session *s, const kv_cli_request *r)
{
    kv_stats stats = {0};
    kv_stats_read(s->db, &stats);
    dump d = {.s = s, .out = s->out, .name = "standard output"};
    d.total = stats.key_count;
    if (!is_standard(r)) {
        d.name = r->words[1];
        d.out = open_or_complain(s, d.name, "wb");
        if (d.out == NULL) return CLI_FAILED;
    }
    // Two moving things on one terminal would be one too many.
    bool is_quiet = s->options->no_progress || kv_cli_is_terminal(d.out);
    kv_cli_progress_begin(&d.progress, "dumping", !is_quiet);
    kv_status st = dump_all(&d);
    kv_cli_progress_end(&d.progress);
    if (d.out != s->out && fclose(d.out) != 0 && st == KV_OK) {
        st = not_written(&d);
    }
    if (st != KV_OK) return kv_cli_failed(s, st);
    if (!kv_cli_interrupted()) return CLI_DONE;
    return kv_cli_complain(s, CLI_FAILED, "interrupted after %llu records",
                           (unsigned long long)d.written);
}
