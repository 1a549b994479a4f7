// address.c -- see address.h.
// SPDX-License-Identifier: MIT

#include "common/crash/address.h"

#include <inttypes.h>
#include <string.h>

enum { OPS_MAX = 1000000, SECTOR_MAX = 1 << 20 };

static const char *const model_words[] = {"kill", "ext4", "posix"};
static const char *const sync_words[] = {"commit", "interval", "none"};

void kv_crash_address_print(const kv_crash_options *o,
                            const kv_crash_address *at, kv_buf *to)
{
    kv_buf_printf(to, "%s:%s:%" PRIu64 ":%u:%u:%" PRIu64 ".%" PRIu64,
                  model_words[o->model], sync_words[o->sync], o->seed, o->ops,
                  o->sector, at->event, at->index);
    if (at->is_nested) {
        kv_buf_printf(to, "/%" PRIu64 ".%" PRIu64, at->inner_event,
                      at->inner_index);
    }
    kv_buf_printf(to, ":%s", o->knobs != NULL ? o->knobs : "");
}

bool kv_crash_address_equal(const kv_crash_address *a,
                            const kv_crash_address *b)
{
    return a->event == b->event && a->index == b->index &&
           a->is_nested == b->is_nested &&
           (!a->is_nested || (a->inner_event == b->inner_event &&
                              a->inner_index == b->inner_index));
}

// ---- reading ----------------------------------------------------------------

typedef struct reader {
    const char *text, *at;
    kv_status status; // of the first part that made no sense
} reader;

static void refuse(reader *r, const char *part, const char *wants)
{
    kv_quoted rest;
    if (r->status != KV_OK) return;
    r->status = kv_fail(
        KV_INVALID,
        "a state is model:sync:seed:ops:sector:event.disk[/event.disk]:knobs, "
        "as crash explore prints it; at byte %zu, the %s: \"%s\" is not %s",
        (size_t)(r->at - r->text), part, kv_quote(&rest, kv_str(r->at)), wants);
}

static void expect(reader *r, char sign, const char *part)
{
    char wants[] = {'\'', sign, '\'', '\0'};
    if (r->status == KV_OK && *r->at == sign) r->at++;
    else refuse(r, part, wants);
}

static unsigned read_word(reader *r, const char *const *words, unsigned count,
                          const char *part, const char *wants)
{
    size_t len = strcspn(r->at, ":");
    for (unsigned i = 0; i < count && r->status == KV_OK; i++) {
        if (strlen(words[i]) != len || strncmp(words[i], r->at, len) != 0) {
            continue;
        }
        r->at += len;
        return i;
    }
    refuse(r, part, wants);
    return 0;
}

static uint64_t read_number(reader *r, uint64_t max, const char *part)
{
    uint64_t n = 0;
    const char *at = r->at;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (n > (max - digit) / 10) {
            refuse(r, part, "a number that is small enough");
            return 0;
        }
        n = n * 10 + digit;
    }
    if (at == r->at) refuse(r, part, "a number");
    else if (r->status == KV_OK) r->at = at;
    return n;
}

static void read_moment(reader *r, uint64_t *event, uint64_t *index)
{
    *event = read_number(r, UINT64_MAX, "event");
    expect(r, '.', "sign behind the event");
    *index = read_number(r, UINT64_MAX, "disk");
}

kv_status kv_crash_address_parse(const char *text, kv_crash_options *o,
                                 kv_crash_address *at)
{
    reader r = {.text = text, .at = text};
    *o = (kv_crash_options){.depth = 2};
    *at = (kv_crash_address){0};
    o->model = (kv_crash_model)read_word(&r, model_words, KV_CRASH_MODELS,
                                         "model", "kill, ext4 or posix");
    expect(&r, ':', "sign behind the model");
    o->sync = (kv_sync_mode)read_word(&r, sync_words, 3, "sync mode",
                                      "commit, interval or none");
    expect(&r, ':', "sign behind the sync mode");
    o->seed = read_number(&r, UINT64_MAX, "seed");
    expect(&r, ':', "sign behind the seed");
    o->ops = (uint32_t)read_number(&r, OPS_MAX, "number of operations");
    expect(&r, ':', "sign behind the operations");
    o->sector = (uint32_t)read_number(&r, SECTOR_MAX, "size of a sector");
    expect(&r, ':', "sign behind the sector");
    read_moment(&r, &at->event, &at->index);
    at->is_nested = r.status == KV_OK && *r.at == '/';
    if (at->is_nested) {
        r.at++;
        read_moment(&r, &at->inner_event, &at->inner_index);
    }
    expect(&r, ':', "sign before the knobs");
    o->knobs = r.at;
    return r.status;
}
