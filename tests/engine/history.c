// history.c -- see history.h: a search for the order, which remembers where it
// has been.
// SPDX-License-Identifier: MIT

#include "tests/engine/history.h"

#include <assert.h>

#include "common/mem.h"
#include "common/rng.h"

// A dead end: these calls are done, the register holds this, and the others
// cannot follow.
typedef struct dead_end {
    uint64_t done; // a bit for each call; 0: the place is free
    uint32_t value;
} dead_end;

typedef struct search {
    const history_call *calls;
    size_t count;
    dead_end *ends;
    size_t cap, used;
} search;

static dead_end *place_of(const search *s, uint64_t done, uint32_t value)
{
    size_t i = (size_t)kv_mix64(done ^ kv_mix64(value)) & (s->cap - 1);
    while (s->ends[i].done != 0 &&
           (s->ends[i].done != done || s->ends[i].value != value)) {
        i = (i + 1) & (s->cap - 1);
    }
    return &s->ends[i];
}

static void remember(search *s, uint64_t done, uint32_t value)
{
    if (done == 0) return; // the search is over
    *place_of(s, done, value) = (dead_end){done, value};
    if (++s->used * 2 < s->cap) return;
    search old = *s;
    s->cap *= 2;
    s->ends = kv_zalloc(s->cap * sizeof *s->ends);
    for (size_t i = 0; i < old.cap; i++) {
        if (old.ends[i].done == 0) continue;
        *place_of(s, old.ends[i].done, old.ends[i].value) = old.ends[i];
    }
    kv_free(old.ends);
}

// The first of what is left to end: nothing that begins later can come next.
static uint64_t first_end(const search *s, uint64_t done)
{
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < s->count; i++) {
        if (done >> i & 1) continue;
        if (s->calls[i].end < first) first = s->calls[i].end;
    }
    return first;
}

static bool can_follow(search *s, uint64_t done, uint32_t value)
{
    uint64_t all = s->count == 64 ? UINT64_MAX : (1ull << s->count) - 1;
    if (done == all) return true;
    if (place_of(s, done, value)->done != 0) return false;
    uint64_t limit = first_end(s, done);
    for (size_t i = 0; i < s->count; i++) {
        const history_call *c = &s->calls[i];
        if (done >> i & 1 || c->begin > limit) continue;
        if (!c->is_write && c->value != value) continue;
        if (can_follow(s, done | 1ull << i, c->value)) return true;
    }
    remember(s, done, value);
    return false;
}

bool history_is_linear(const history_call *calls, size_t count)
{
    assert(count <= HISTORY_MAX);
    search s = {.calls = calls, .count = count, .cap = 256};
    s.ends = kv_zalloc(s.cap * sizeof *s.ends);
    bool is_linear = count == 0 || can_follow(&s, 0, 0);
    kv_free(s.ends);
    return is_linear;
}
