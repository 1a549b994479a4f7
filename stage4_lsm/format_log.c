// format_log.c -- see format_log.h.
// SPDX-License-Identifier: MIT

#include "format_log.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/coding.h"
#include "common/mem.h"

const char lsm_wal_kind[] = "LSMW";
const char lsm_manifest_kind[] = "LSMM";

enum { SWITCH = 3 }; // behind the kinds of changes

lsm_name lsm_log_name(uint64_t number)
{
    lsm_name name;
    snprintf(name.text, sizeof name.text, "%06" PRIu64 ".log", number);
    return name;
}

uint64_t lsm_number_of(const char *name, const char *ending)
{
    uint64_t number = 0;
    size_t digits = strspn(name, "0123456789");
    if (digits < 6 || digits > 19 || strcmp(name + digits, ending) != 0) {
        return 0;
    }
    for (size_t i = 0; i < digits; i++) {
        number = number * 10 + (uint64_t)(name[i] - '0');
    }
    return number;
}

kv_recordlog_id lsm_log_id(uint64_t store_id, uint64_t number)
{
    kv_recordlog_id id = {.store_id = store_id, .number = number};
    memcpy(id.kind, lsm_wal_kind, sizeof id.kind);
    return id;
}

// ---- writing ----------------------------------------------------------------

static void put_byte(kv_buf *to, uint8_t byte)
{
    kv_buf_append(to, kv_slice_of(&byte, 1));
}

static void put_number(kv_buf *to, uint64_t n)
{
    kv_buf_reserve(to, KV_VARINT_MAX);
    to->len += kv_put_varint(to->data + to->len, n);
}

static void put_bytes(kv_buf *to, kv_slice bytes)
{
    put_number(to, bytes.len);
    kv_buf_append(to, bytes);
}

void lsm_put_change(kv_buf *to, const kv_change *change)
{
    put_byte(to, (uint8_t)change->kind);
    put_bytes(to, change->key);
    if (change->kind != KV_DEL) put_bytes(to, change->value);
}

void lsm_put_switch(kv_buf *to, const lsm_switch *s)
{
    put_byte(to, SWITCH);
    put_number(to, s->number);
    put_number(to, s->size);
    put_number(to, s->synced_size);
}

void lsm_put_edit(kv_buf *to, const lsm_edit *e)
{
    put_byte(to, (uint8_t)e->what);
    put_number(to, e->next);
    put_number(to, e->log);
    put_number(to, e->last_seq);
    put_number(to, e->removed_count);
    for (size_t i = 0; i < e->removed_count; i++) {
        put_number(to, e->removed[i]);
    }
    put_number(to, e->added_count);
    for (size_t i = 0; i < e->added_count; i++) {
        const lsm_edit_table *t = &e->added[i];
        put_number(to, t->level);
        put_number(to, t->run);
        put_number(to, t->number);
        put_number(to, t->file_bytes);
        put_number(to, t->entry_count);
        put_byte(to, t->last_is_open);
        put_bytes(to, t->first_key);
        put_bytes(to, t->last_key);
    }
    if (e->what == LSM_EDIT_CLOSE) {
        put_number(to, e->closed.log);
        put_number(to, e->closed.bytes);
    }
}

// ---- reading ----------------------------------------------------------------

// What is left to read. Once something is not as it should be, `is_bad`, and
// everything read from then on is zero.
typedef struct reader {
    kv_slice rest;
    bool is_bad;
} reader;

static void skip(reader *r, size_t bytes)
{
    r->rest = kv_slice_of(r->rest.data + bytes, r->rest.len - bytes);
}

static uint64_t get_number(reader *r)
{
    uint64_t n = 0;
    size_t size = r->is_bad ? 0 : kv_get_varint(r->rest, &n);
    if (size == 0) {
        r->is_bad = true;
        return 0;
    }
    skip(r, size);
    return n;
}

static uint8_t get_byte(reader *r, uint8_t limit)
{
    if (r->is_bad || r->rest.len == 0 || r->rest.data[0] >= limit) {
        r->is_bad = true;
        return 0;
    }
    uint8_t byte = r->rest.data[0];
    skip(r, 1);
    return byte;
}

static kv_slice get_bytes(reader *r, uint64_t max)
{
    uint64_t len = get_number(r);
    if (r->is_bad || len > r->rest.len || len > max) {
        r->is_bad = true;
        return (kv_slice){0};
    }
    kv_slice bytes = kv_slice_of(r->rest.data, (size_t)len);
    skip(r, (size_t)len);
    return bytes;
}

size_t lsm_get_change(kv_slice from, kv_change *out)
{
    reader r = {from, false};
    kv_change change = {.kind = (kv_change_kind)get_byte(&r, SWITCH)};
    change.key = get_bytes(&r, LSM_KEY_MAX);
    if (change.kind == KV_DEL_RANGE) change.value = get_bytes(&r, LSM_KEY_MAX);
    else if (change.kind == KV_PUT) change.value = get_bytes(&r, LSM_VALUE_MAX);
    bool needs_key = change.kind != KV_DEL_RANGE;
    if (r.is_bad || (needs_key && change.key.len == 0)) return 0;
    *out = change;
    return from.len - r.rest.len;
}

bool lsm_get_switch(kv_slice from, lsm_switch *out)
{
    reader r = {from, false};
    if (get_byte(&r, SWITCH + 1) != SWITCH) return false;
    lsm_switch s = {.number = get_number(&r)};
    s.size = get_number(&r);
    s.synced_size = get_number(&r);
    if (r.is_bad || r.rest.len > 0 || s.synced_size > s.size) return false;
    *out = s;
    return true;
}

static lsm_edit_table get_table(reader *r)
{
    lsm_edit_table t = {0};
    uint64_t level = get_number(r);
    if (level >= LSM_LEVELS) r->is_bad = true;
    t.level = (uint32_t)level;
    t.run = get_number(r);
    t.number = get_number(r);
    t.file_bytes = get_number(r);
    t.entry_count = get_number(r);
    t.last_is_open = get_byte(r, 2) == 1;
    t.first_key = get_bytes(r, LSM_KEY_MAX);
    t.last_key = get_bytes(r, LSM_KEY_MAX);
    return t;
}

bool lsm_get_edit(kv_slice from, lsm_edit *out)
{
    reader r = {from, false};
    lsm_edit e = {.what = (lsm_edit_what)get_byte(&r, LSM_EDITS)};
    e.next = get_number(&r);
    e.log = get_number(&r);
    e.last_seq = get_number(&r);
    for (uint64_t i = get_number(&r); i > 0 && !r.is_bad; i--) {
        lsm_edit_remove(&e, get_number(&r));
    }
    for (uint64_t i = get_number(&r); i > 0 && !r.is_bad; i--) {
        lsm_edit_table t = get_table(&r);
        lsm_edit_add(&e, &t);
    }
    if (e.what == LSM_EDIT_CLOSE) {
        e.closed.log = get_number(&r);
        e.closed.bytes = get_number(&r);
    }
    if (r.is_bad || r.rest.len > 0) {
        lsm_edit_free(&e);
        return false;
    }
    *out = e;
    return true;
}

// ---- edits ------------------------------------------------------------------

const char *lsm_edit_word(lsm_edit_what what)
{
    static const char *const words[LSM_EDITS] = {
        [LSM_EDIT_ALL] = "all there is", [LSM_EDIT_FLUSH] = "flush",
        [LSM_EDIT_COMPACT] = "compact",  [LSM_EDIT_MOVE] = "move",
        [LSM_EDIT_CLOSE] = "close",
    };
    return words[what];
}

void lsm_edit_remove(lsm_edit *e, uint64_t number)
{
    if (e->removed_count == e->removed_cap) {
        e->removed_cap = e->removed_cap > 0 ? 2 * e->removed_cap : 8;
        e->removed =
            kv_realloc(e->removed, e->removed_cap * sizeof *e->removed);
    }
    e->removed[e->removed_count++] = number;
}

void lsm_edit_add(lsm_edit *e, const lsm_edit_table *table)
{
    if (e->added_count == e->added_cap) {
        e->added_cap = e->added_cap > 0 ? 2 * e->added_cap : 8;
        e->added = kv_realloc(e->added, e->added_cap * sizeof *e->added);
    }
    e->added[e->added_count++] = *table;
}

void lsm_edit_free(lsm_edit *e)
{
    kv_free(e->removed);
    kv_free(e->added);
    *e = (lsm_edit){0};
}
