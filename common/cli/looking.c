// looking.c -- stats, inspect, check, explain and xray.
// SPDX-License-Identifier: MIT

#include <inttypes.h>

#include "common/cli/command.h"

static kv_cli_code print_report(kv_cli_session *s, const kv_cli_request *r,
                                kv_report *report)
{
    kv_status st = kv_cli_print_report(s, r, report);
    return st == KV_OK ? CLI_DONE : kv_cli_failed(s, st);
}

// ---- stats ------------------------------------------------------------------

static kv_disk_stats sum(const kv_disk_stats by_reason[KV_REASONS])
{
    kv_disk_stats all = {0};
    for (int i = 0; i < KV_REASONS; i++) {
        all.reads += by_reason[i].reads;
        all.read_bytes += by_reason[i].read_bytes;
        all.writes += by_reason[i].writes;
        all.write_bytes += by_reason[i].write_bytes;
        all.syncs += by_reason[i].syncs;
    }
    return all;
}

static void tell_calls(kv_report *to, const kv_stats *now)
{
    kv_report_begin(to, "calls");
    kv_report_count(to, "gets", now->gets);
    kv_report_count(to, "puts", now->puts);
    kv_report_count(to, "dels", now->dels);
    kv_report_count(to, "range_dels", now->range_dels);
    kv_report_count(to, "scans", now->scans);
    kv_report_bytes(to, "user_read_bytes", now->user_read_bytes);
    kv_report_bytes(to, "user_write_bytes", now->user_write_bytes);
    kv_report_end(to);
}

static void tell_disk(kv_report *to, const kv_stats *now)
{
    kv_report_begin(to, "disk");
    for (int i = 0; i < KV_REASONS; i++) {
        const kv_disk_stats *d = &now->disk[i];
        if (d->reads + d->writes + d->syncs == 0) continue;
        kv_report_begin(to, "%s", kv_reason_word((kv_reason)i));
        if (d->reads > 0) kv_report_count(to, "reads", d->reads);
        if (d->reads > 0) kv_report_bytes(to, "read_bytes", d->read_bytes);
        if (d->writes > 0) kv_report_count(to, "writes", d->writes);
        if (d->writes > 0) kv_report_bytes(to, "write_bytes", d->write_bytes);
        if (d->syncs > 0) kv_report_count(to, "syncs", d->syncs);
        kv_report_end(to);
    }
    kv_report_end(to);
}

// One amplification, with what it is made of.
static void tell_ratio(kv_report *to, const char *name, const char *above,
                       uint64_t numerator, const char *below,
                       uint64_t denominator, bool has_meaning)
{
    kv_report_begin(to, "%s", name);
    kv_report_bytes(to, above, numerator);
    kv_report_bytes(to, below, denominator);
    if (has_meaning && denominator > 0) {
        kv_report_ratio(to, "ratio", (double)numerator / (double)denominator);
    } else {
        kv_report_text(to, "ratio", "n/a");
    }
    kv_report_end(to);
}

static kv_status live_bytes(kv *db, uint64_t *bytes)
{
    kv_cursor *cursor = NULL;
    kv_slice key, value;
    *bytes = 0;
    KV_TRY(kv_scan(db, (kv_range){0}, &cursor));
    kv_status st;
    while ((st = kv_cursor_next(cursor, &key, &value)) == KV_OK) {
        *bytes += key.len + value.len;
    }
    kv_cursor_close(cursor);
    return st == KV_END ? KV_OK : st;
}

static void tell_space(kv_report *to, const kv_stats *now)
{
    kv_report_begin(to, "held");
    if (now->key_count > 0) kv_report_count(to, "keys", now->key_count);
    kv_report_bytes(to, "memory_bytes", now->memory_bytes);
    kv_report_bytes(to, "index_bytes", now->index_bytes);
    kv_report_bytes(to, "disk_bytes", now->disk_bytes);
    kv_report_bytes(to, "disk_bytes_peak", now->disk_bytes_peak);
    kv_report_end(to);
}

kv_cli_code kv_cli_stats(kv_cli_session *s, const kv_cli_request *r)
{
    kv_stats now = {0};
    kv_stats_read(s->db, &now); // before we read anything ourselves
    kv_disk_stats disk = sum(now.disk);
    kv_report report = {0};
    tell_calls(&report, &now);
    tell_disk(&report, &now);
    tell_space(&report, &now);
    // Without a disk there is no such ratio: 0 would look like the best one.
    bool is_durable = (s->info->caps & KV_CAP_DURABLE) != 0;
    tell_ratio(&report, "write_amplification", "disk_write_bytes",
               disk.write_bytes, "user_write_bytes", now.user_write_bytes,
               is_durable);
    kv_status st = KV_OK;
    if (r->flags & CLI_LIVE) {
        uint64_t live = 0;
        st = live_bytes(s->db, &live);
        uint64_t held = is_durable ? now.disk_bytes : now.memory_bytes;
        tell_ratio(&report, "space_amplification",
                   is_durable ? "disk_bytes" : "memory_bytes", held,
                   "live_bytes", live, true);
    }
    if (st == KV_OK) return print_report(s, r, &report);
    kv_report_free(&report);
    return kv_cli_failed(s, st);
}

// ---- inspect and check ------------------------------------------------------

kv_cli_code kv_cli_inspect(kv_cli_session *s, const kv_cli_request *r)
{
    kv_report report = {0};
    kv_buf what = {0};
    for (int i = 1; i < r->word_count; i++) { // inspect segment 3
        kv_buf_printf(&what, "%s%s", what.len > 0 ? " " : "", r->words[i]);
    }
    if (r->flags & CLI_HISTORY) { // a part that is spelled as an option
        kv_buf_printf(&what, "%shistory", what.len > 0 ? " " : "");
    }
    bool is_whole = what.len == 0;
    kv_buf_append(&what, kv_slice_of("", 1));
    const char *part = is_whole ? NULL : (const char *)what.data;
    kv_status st = kv_inspect(s->db, part, &report);
    kv_buf_free(&what);
    if (st == KV_OK) return print_report(s, r, &report);
    kv_report_free(&report);
    return kv_cli_failed(s, st);
}

kv_cli_code kv_cli_check(kv_cli_session *s, const kv_cli_request *r)
{
    kv_report report = {0};
    kv_status verdict = kv_check(s->db, &report);
    if (verdict == KV_OK && !(r->flags & CLI_JSON)) fputs("ok\n", s->out);
    if (verdict != KV_OK) kv_cli_failed(s, verdict);
    kv_cli_code code = print_report(s, r, &report);
    return verdict == KV_OK ? code : CLI_FAILED;
}

// ---- explain ----------------------------------------------------------------

typedef struct heard {
    kv_buf text; // as it is printed
    bool is_json;
    uint64_t count;
} heard;

static void hear(void *arg, const char *sentence)
{
    heard *h = arg;
    h->count++;
    if (!h->is_json) {
        kv_buf_printf(&h->text, "%3" PRIu64 "  %s\n", h->count, sentence);
        return;
    }
    if (h->count > 1) kv_buf_append(&h->text, kv_str(","));
    kv_json_string(&h->text, kv_str(sentence));
}

static void draw_cost(kv_buf *to, const char *word, uint64_t calls,
                      const char *what, uint64_t bytes)
{
    if (calls == 0) return;
    kv_buf_printf(to, "%s%" PRIu64 " %s%s (%s", to->len > 0 ? ", " : "", calls,
                  what, calls == 1 ? "" : "s", word);
    if (bytes > 0) kv_buf_printf(to, ", %" PRIu64 " bytes", bytes);
    kv_buf_append(to, kv_str(")"));
}

static void draw_costs(kv_buf *to, const kv_stats *old, const kv_stats *now)
{
    for (int i = 0; i < KV_REASONS; i++) {
        const kv_disk_stats *a = &old->disk[i], *b = &now->disk[i];
        const char *word = kv_reason_word((kv_reason)i);
        draw_cost(to, word, b->reads - a->reads, "read",
                  b->read_bytes - a->read_bytes);
        draw_cost(to, word, b->writes - a->writes, "write",
                  b->write_bytes - a->write_bytes);
        draw_cost(to, word, b->syncs - a->syncs, "sync", 0);
    }
    if (to->len == 0) kv_buf_append(to, kv_str("no disk calls"));
}

static kv_status print_explained(kv_cli_session *s, heard *h,
                                 const kv_stats *old, const kv_stats *now)
{
    kv_buf cost = {0}, text = {0};
    draw_costs(&cost, old, now);
    if (h->is_json) {
        kv_buf_printf(&text, "{\"steps\":[%.*s],\"cost\":", (int)h->text.len,
                      (const char *)h->text.data);
        kv_json_string(&text, kv_buf_slice(&cost));
        kv_buf_append(&text, kv_str("}\n"));
    } else {
        kv_buf_append(&text, kv_buf_slice(&h->text));
        kv_buf_printf(&text, "%scost %.*s%s\n", kv_cli_dim(s), (int)cost.len,
                      (const char *)cost.data, kv_cli_plain(s));
    }
    kv_status st = kv_cli_print(s, &text);
    kv_buf_free(&cost);
    kv_buf_free(&text);
    return st;
}

kv_cli_code kv_cli_explain(kv_cli_session *s, const kv_cli_request *r)
{
    static const char *const calls[] = {"get", "put", "del", "del-range",
                                        "scan"};
    const kv_cli_command *command = kv_cli_command_find(r->words[1]);
    bool is_call = false;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        is_call = is_call || strcmp(r->words[1], calls[i]) == 0;
    }
    if (!is_call || command == NULL) {
        return kv_cli_complain(
            s, CLI_USAGE,
            "explain a get, put, del, del-range or scan, not "
            "\"%s\"",
            r->words[1]);
    }
    kv_cli_request inner = *r; // the same, without the word "explain"
    inner.words++;
    inner.word_count--;
    inner.flags &= command->flags;

    heard h = {.is_json = (r->flags & CLI_JSON) != 0};
    kv_stats old = {0}, now = {0};
    kv_stats_read(s->db, &old);
    kv_explain(s->db, hear, &h);
    kv_cli_code code = kv_cli_command_run(s, command, &inner);
    kv_explain(s->db, NULL, NULL);
    kv_stats_read(s->db, &now);
    kv_status st = print_explained(s, &h, &old, &now);
    kv_buf_free(&h.text);
    return st == KV_OK ? code : kv_cli_failed(s, st);
}

// ---- xray -------------------------------------------------------------------

enum { XRAY_NEAR = 256 }; // bytes that --at shows

static kv_status list_files(kv_cli_session *s, kv_disk *disk)
{
    kv_names names = {0};
    kv_buf text = {0};
    kv_status st = kv_disk_list(disk, &names);
    for (size_t i = 0; i < names.count; i++) {
        kv_buf_printf(&text, "%s\n", names.name[i]);
    }
    if (st == KV_OK) st = kv_cli_print(s, &text);
    kv_buf_free(&text);
    kv_names_free(&names);
    return st;
}

static kv_status xray_file(kv_cli_session *s, const kv_cli_request *r,
                           kv_disk *disk)
{
    const char *name = r->words[1];
    kv_xray xray = {.limit = UINT64_MAX};
    if (r->flags & CLI_AT) {
        xray.from = r->at;
        if (r->at < UINT64_MAX - XRAY_NEAR) xray.limit = r->at + XRAY_NEAR;
    }
    kv_status st = kv_xray_file(s->engine, disk, name, &xray);
    if (st == KV_NOT_FOUND) {
        st = kv_fail(st,
                     "%s has no file \"%s\": xray without a name lists "
                     "those it has",
                     s->path, name);
    }
    uint64_t damage_count = xray.damage_count;
    bool is_blank = xray.text.len == 0;
    kv_status printed = kv_cli_print(s, &xray.text);
    kv_buf_free(&xray.text);
    if (st != KV_OK) return st;
    KV_TRY(printed);
    if (is_blank && r->flags & CLI_AT) {
        return kv_fail(KV_INVALID,
                       "%s/%s has nothing at byte %" PRIu64 ": it ends before",
                       s->path, name, r->at);
    }
    if (damage_count == 0) return KV_OK;
    return kv_fail(KV_CORRUPT, "%s/%s is damaged in %" PRIu64 " place%s",
                   s->path, name, damage_count, damage_count == 1 ? "" : "s");
}

kv_cli_code kv_cli_xray(kv_cli_session *s, const kv_cli_request *r)
{
    if (s->path == NULL) {
        return kv_cli_complain(s, CLI_USAGE,
                               "%s keeps nothing on disk: there is no file to "
                               "look into",
                               s->program);
    }
    if (r->word_count > 1 && strchr(r->words[1], '/') != NULL) {
        return kv_cli_complain(
            s, CLI_USAGE, "\"%s\": name the file as it is called inside %s",
            r->words[1], s->path);
    }
    kv_disk *disk = NULL;
    kv_status st = kv_disk_open_real(s->path, false, &disk);
    if (st == KV_NOT_FOUND) {
        st = kv_fail(st, "%s: there is no such directory", s->path);
    }
    if (st == KV_OK) {
        st = r->word_count > 1 ? xray_file(s, r, disk) : list_files(s, disk);
        kv_disk_close(disk);
    }
    return st == KV_OK ? CLI_DONE : kv_cli_failed(s, st);
}
