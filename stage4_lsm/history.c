// history.c -- the manifest told edit by edit, with the levels after each one;
// see look.h.
// SPDX-License-Identifier: MIT

#include <inttypes.h>

#include "look.h"

typedef struct history {
    kv_report *report;
    lsm_edit state; // the tables there are, without their keys
} history;

static const lsm_edit_table *find_table(const lsm_edit *state, uint64_t number)
{
    for (size_t i = 0; i < state->added_count; i++) {
        if (state->added[i].number == number) return &state->added[i];
    }
    return NULL;
}

static void forget_table(lsm_edit *state, uint64_t number)
{
    size_t kept = 0;
    for (size_t i = 0; i < state->added_count; i++) {
        if (state->added[i].number == number) continue;
        state->added[kept++] = state->added[i];
    }
    state->added_count = kept;
}

static void tell_removed(history *h, uint64_t number)
{
    const lsm_edit_table *t = find_table(&h->state, number);
    kv_report_text(h->report, "minus", "table %" PRIu64 " of level %" PRIu32,
                   number, t != NULL ? t->level : 0);
    forget_table(&h->state, number);
}

static void tell_added(history *h, const lsm_edit_table *t)
{
    kv_quoted first, last;
    kv_report_text(h->report, "plus",
                   "table %" PRIu64 " in level %" PRIu32 ", run %" PRIu64
                   ": %" PRIu64 " entries, %" PRIu64 " bytes, %s to %s",
                   t->number, t->level, t->run, t->entry_count, t->file_bytes,
                   kv_quote(&first, t->first_key),
                   kv_quote(&last, t->last_key));
    lsm_edit_table kept = *t;
    kept.first_key = kept.last_key = (kv_slice){0}; // the record's own
    lsm_edit_add(&h->state, &kept);
}

static void tell_levels(history *h)
{
    uint64_t count[LSM_LEVELS] = {0};
    kv_buf line = {0};
    for (size_t i = 0; i < h->state.added_count; i++) {
        count[h->state.added[i].level]++;
    }
    for (uint32_t i = 0; i < LSM_LEVELS; i++) {
        kv_buf_printf(&line, "%s%" PRIu64, i > 0 ? " " : "", count[i]);
    }
    kv_report_text(h->report, "tables in levels 0 and up", "%.*s",
                   (int)line.len, (const char *)line.data);
    kv_buf_free(&line);
}

static kv_status tell_edit(void *arg, uint64_t i, const lsm_edit *edit)
{
    history *h = arg;
    kv_report_begin(h->report, "edit %" PRIu64, i);
    kv_report_text(h->report, "what", "%s", lsm_edit_word(edit->what));
    for (size_t j = 0; j < edit->removed_count; j++) {
        tell_removed(h, edit->removed[j]);
    }
    for (size_t j = 0; j < edit->added_count; j++) {
        tell_added(h, &edit->added[j]);
    }
    tell_levels(h);
    if (edit->what == LSM_EDIT_CLOSE) {
        kv_report_text(h->report, "last log", "%s, whole at %" PRIu64 " bytes",
                       lsm_log_name(edit->closed.log).text, edit->closed.bytes);
    }
    kv_report_text(h->report, "first log needed", "%s",
                   lsm_log_name(edit->log).text);
    kv_report_end(h->report);
    return KV_OK;
}

kv_status lsm_look_history(lsm_store *s, kv_report *report)
{
    history h = {.report = report};
    kv_mutex_lock(&s->install);
    kv_status st = lsm_manifest_read(s->config.disk, s->config.store_id,
                                     tell_edit, &h, kv_for(KV_FOR_READ));
    kv_mutex_unlock(&s->install);
    lsm_edit_free(&h.state);
    return st == KV_NOT_FOUND ? KV_OK : st;
}
