// records.c -- put, get, del, scan, and what else takes a range of keys.
// SPDX-License-Identifier: MIT

#include "common/cli/command.h"
#include "common/cli/tsv.h"

// A word of a command line as bytes.
static kv_status unescape(const char *word, kv_buf *to)
{
    kv_buf_clear(to);
    if (kv_unescape(to, kv_str(word)) == KV_OK) return KV_OK;
    char why[160];
    snprintf(why, sizeof why, "%s", kv_last_error());
    return kv_fail(KV_INVALID, "\"%s\", %s", word, why);
}

// Bytes that make no sense are the command line's fault, not the store's.
static kv_cli_code code_of(kv_cli_session *s, kv_status st)
{
    if (st == KV_OK) return CLI_DONE;
    kv_cli_failed(s, st);
    return st == KV_INVALID ? CLI_USAGE : CLI_FAILED;
}

// ---- writing ----------------------------------------------------------------

kv_cli_code kv_cli_put(kv_cli_session *s, const kv_cli_request *r)
{
    kv_buf key = {0}, value = {0};
    kv_status st = unescape(r->words[1], &key);
    if (st == KV_OK) st = unescape(r->words[2], &value);
    if (st == KV_OK && s->is_batch) {
        kv_batch_put(&s->batch, kv_buf_slice(&key), kv_buf_slice(&value));
    } else if (st == KV_OK) {
        st = kv_put(s->db, kv_buf_slice(&key), kv_buf_slice(&value));
    }
    kv_buf_free(&key);
    kv_buf_free(&value);
    return code_of(s, st);
}

kv_cli_code kv_cli_del(kv_cli_session *s, const kv_cli_request *r)
{
    kv_buf key = {0};
    kv_status st = KV_OK;
    for (int i = 1; i < r->word_count && st == KV_OK; i++) {
        if ((st = unescape(r->words[i], &key)) != KV_OK) break;
        if (s->is_batch) {
            kv_batch_del(&s->batch, kv_buf_slice(&key));
        } else {
            st = kv_del(s->db, kv_buf_slice(&key));
        }
    }
    kv_buf_free(&key);
    return code_of(s, st);
}

// FROM and TO, where they are given.
static kv_status unescape_range(const kv_cli_request *r, kv_buf *from,
                                kv_buf *to)
{
    if (r->word_count > 1) KV_TRY(unescape(r->words[1], from));
    if (r->word_count > 2) KV_TRY(unescape(r->words[2], to));
    return KV_OK;
}

kv_cli_code kv_cli_del_range(kv_cli_session *s, const kv_cli_request *r)
{
    kv_buf from = {0}, to = {0};
    kv_status st = unescape_range(r, &from, &to);
    if (st == KV_OK && s->is_batch) {
        kv_batch_del_range(&s->batch, kv_buf_slice(&from), kv_buf_slice(&to));
    } else if (st == KV_OK) {
        st = kv_del_range(s->db, kv_buf_slice(&from), kv_buf_slice(&to));
    }
    kv_buf_free(&from);
    kv_buf_free(&to);
    return code_of(s, st);
}

kv_cli_code kv_cli_compact(kv_cli_session *s, const kv_cli_request *r)
{
    kv_buf from = {0}, to = {0};
    kv_status st = unescape_range(r, &from, &to);
    if (st == KV_OK) {
        st = kv_compact(s->db, kv_buf_slice(&from), kv_buf_slice(&to));
    }
    kv_buf_free(&from);
    kv_buf_free(&to);
    return code_of(s, st);
}

// ---- reading ----------------------------------------------------------------

static void draw_json(kv_buf *to, kv_slice key, kv_slice value)
{
    kv_buf_append(to, kv_str("{\"key\":"));
    kv_json_string(to, key);
    kv_buf_append(to, kv_str(",\"value\":"));
    kv_json_string(to, value);
    kv_buf_append(to, kv_str("}\n"));
}

static void draw_record(kv_buf *to, const kv_cli_request *r, kv_slice key,
                        kv_slice value)
{
    if (r->flags & CLI_JSON) {
        draw_json(to, key, value);
    } else if (r->flags & CLI_RAW) {
        kv_buf_append(to, key);
        kv_buf_append(to, kv_str("\t"));
        kv_buf_append(to, value);
        kv_buf_append(to, kv_str("\n"));
    } else {
        kv_cli_tsv_append(to, key, value);
    }
}

// One key: its value alone. Several: keys and values, to tell them apart.
static void draw_got(kv_buf *to, const kv_cli_request *r, kv_slice key,
                     kv_slice value)
{
    if (r->word_count > 2 || r->flags & CLI_JSON) {
        draw_record(to, r, key, value);
    } else if (r->flags & CLI_RAW) {
        kv_buf_append(to, value);
    } else {
        kv_escape(to, value);
        kv_buf_append(to, kv_str("\n"));
    }
}

kv_cli_code kv_cli_get(kv_cli_session *s, const kv_cli_request *r)
{
    kv_buf key = {0}, value = {0}, text = {0};
    kv_cli_code code = CLI_DONE;
    kv_status st = KV_OK;
    for (int i = 1; i < r->word_count && st == KV_OK; i++) {
        if ((st = unescape(r->words[i], &key)) != KV_OK) break;
        st = kv_get(s->db, kv_buf_slice(&key), &value);
        if (st == KV_NOT_FOUND) {
            kv_quoted q;
            code = kv_cli_complain(s, CLI_ABSENT, "no such key: %s",
                                   kv_quote(&q, kv_buf_slice(&key)));
            st = KV_OK;
        } else if (st == KV_OK) {
            draw_got(&text, r, kv_buf_slice(&key), kv_buf_slice(&value));
            st = kv_cli_print(s, &text);
        }
    }
    kv_buf_free(&key);
    kv_buf_free(&value);
    kv_buf_free(&text);
    return st == KV_OK ? code : code_of(s, st);
}

static kv_status print_range(kv_cli_session *s, const kv_cli_request *r,
                             kv_range range)
{
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    kv_buf text = {0};
    uint64_t left = r->flags & CLI_LIMIT ? r->limit : UINT64_MAX;
    kv_status st = kv_scan(s->db, range, &cursor);
    while (st == KV_OK && left > 0 && !kv_cli_interrupted()) {
        if ((st = kv_cursor_next(cursor, &key, &value)) != KV_OK) break;
        draw_record(&text, r, key, value);
        st = kv_cli_print(s, &text);
        left--;
    }
    kv_cursor_close(cursor);
    kv_buf_free(&text);
    return st == KV_END ? KV_OK : st;
}

kv_cli_code kv_cli_scan(kv_cli_session *s, const kv_cli_request *r)
{
    kv_buf from = {0}, to = {0};
    kv_status st = unescape_range(r, &from, &to);
    if (st == KV_OK) {
        kv_range range = {kv_buf_slice(&from), kv_buf_slice(&to),
                          (r->flags & CLI_REVERSE) != 0};
        st = print_range(s, r, range);
    }
    kv_buf_free(&from);
    kv_buf_free(&to);
    return code_of(s, st);
}
