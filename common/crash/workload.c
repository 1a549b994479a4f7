// workload.c -- see workload.h.
// SPDX-License-Identifier: MIT

#include "common/crash/workload.h"

#include "common/mem.h"
#include "common/rng.h"

// How a workload is thrown.
typedef struct dice {
    kv_rng rng;
    bool is_wide;
    bool is_late; // in its second half
} dice;

static kv_crash_step_kind pick_kind(dice *d)
{
    uint64_t n = kv_rng_below(&d->rng, 100);
    if (d->is_wide && d->is_late && n < 8) return KV_CRASH_SETTLE;
    if (n < 76) return KV_CRASH_WRITE;
    if (n < 82) return KV_CRASH_SYNC;
    if (n < 92) return KV_CRASH_MAINTAIN;
    return n < 94 ? KV_CRASH_SETTLE : KV_CRASH_REOPEN;
}

static void fill_write(kv_crash_step *step, dice *d)
{
    kv_rng *rng = &d->rng;
    uint32_t keys = d->is_wide ? KV_CRASH_KEYS : KV_CRASH_FEW;
    uint64_t dels = d->is_wide && d->is_late ? 3 : 1; // of 4
    bool is_batch = kv_rng_below(rng, 4) == 0;
    step->count =
        is_batch ? 2 + (uint32_t)kv_rng_below(rng, KV_CRASH_CHANGES_MAX - 1)
                 : 1;
    uint32_t first = (uint32_t)kv_rng_below(rng, keys);
    for (uint32_t i = 0; i < step->count; i++) {
        step->change[i].key = (first + i * 5) % keys;
        step->change[i].is_del = kv_rng_below(rng, 4) < dels;
    }
}

static kv_crash_step pick_step(dice *d)
{
    kv_crash_step step = {.kind = pick_kind(d)};
    if (step.kind == KV_CRASH_WRITE) fill_write(&step, d);
    return step;
}

// What three steps can be: puts, deletions and batches of up to three keys, two
// of them twice the same one, and what is no write.
static kv_crash_step short_step(uint64_t kind)
{
    static const kv_crash_step steps[KV_CRASH_SHORT_KINDS] = {
        {.count = 1, .change = {{0, false}}},
        {.count = 1, .change = {{1, false}}},
        {.count = 1, .change = {{11, false}}},
        {.count = 1, .change = {{0, true}}},
        {.count = 1, .change = {{1, true}}},
        {.count = 2, .change = {{0, false}, {1, false}}},
        {.count = 2, .change = {{0, true}, {1, false}}},
        {.count = 2, .change = {{0, true}, {1, true}}},
        {.count = 3, .change = {{0, false}, {1, false}, {11, false}}},
        {.count = 2, .change = {{0, true}, {0, false}}},
        {.count = 3, .change = {{1, false}, {0, true}, {1, true}}},
        {.kind = KV_CRASH_SYNC},
        {.kind = KV_CRASH_MAINTAIN},
        {.kind = KV_CRASH_SETTLE},
        {.kind = KV_CRASH_REOPEN},
    };
    return steps[kind];
}

void kv_crash_workload_make(kv_crash_workload *w, uint64_t seed, uint32_t ops)
{
    dice d = {.is_wide = seed >= KV_CRASH_WIDE};
    kv_rng_seed(&d.rng, seed);
    bool is_short = seed >= KV_CRASH_SHORT && !d.is_wide;
    uint64_t left = (seed - KV_CRASH_SHORT) % KV_CRASH_SHORT_COUNT;
    if (is_short) ops = KV_CRASH_SHORT_STEPS;
    *w = (kv_crash_workload){.count = ops};
    w->steps = kv_zalloc(ops * sizeof *w->steps);
    w->state = kv_zalloc((ops + 1) * sizeof *w->state);
    for (uint32_t i = 0; i < ops; i++) {
        kv_crash_step *step = &w->steps[i];
        d.is_late = i >= ops / 2;
        *step =
            is_short ? short_step(left % KV_CRASH_SHORT_KINDS) : pick_step(&d);
        left /= KV_CRASH_SHORT_KINDS;
        step->commit = w->commits;
        if (step->kind != KV_CRASH_WRITE) continue;
        uint32_t *before = w->state[w->commits];
        uint32_t *after = w->state[++w->commits];
        step->commit = w->commits;
        memcpy(after, before, sizeof w->state[0]);
        for (uint32_t c = 0; c < step->count; c++) {
            after[step->change[c].key] =
                step->change[c].is_del ? 0 : step->commit;
        }
    }
}

void kv_crash_workload_free(kv_crash_workload *w)
{
    kv_free(w->steps);
    kv_free(w->state);
    *w = (kv_crash_workload){0};
}

void kv_crash_key(kv_buf *to, uint32_t key)
{
    uint8_t text[] = {'k', 'e', 'y', (uint8_t)('0' + key / 10),
                      (uint8_t)('0' + key % 10)};
    kv_buf_set(to, kv_slice_of(text, sizeof text));
}

// Most values of the few keys are short, so that a cut at every byte is cheap;
// some are not. Those of the others take room.
void kv_crash_value(kv_buf *to, uint32_t commit, uint32_t key)
{
    kv_buf_clear(to);
    kv_buf_printf(to, "%u.%u ", commit, key);
    uint64_t mixed = kv_mix64(commit * 97u + key);
    uint64_t len = mixed % 16 == 0 ? 300 + mixed / 16 % 300 : mixed / 16 % 24;
    if (key >= KV_CRASH_FEW) len = 60 + mixed / 16 % 100;
    kv_buf_reserve(to, (size_t)len);
    for (uint64_t i = 0; i < len; i++) {
        // Line feeds and zeroes too: values are any bytes.
        to->data[to->len++] = (uint8_t) "ab\n\0 ~cd"[(mixed + i) % 8];
    }
}

kv_status kv_crash_write(kv *db, const kv_crash_step *step)
{
    kv_buf key = {0}, value = {0};
    kv_batch batch = {0};
    kv_status st = KV_OK;
    for (uint32_t i = 0; i < step->count && st == KV_OK; i++) {
        const kv_crash_change *change = &step->change[i];
        kv_crash_key(&key, change->key);
        kv_crash_value(&value, step->commit, change->key);
        kv_slice k = kv_buf_slice(&key), v = kv_buf_slice(&value);
        if (step->count > 1) {
            if (change->is_del) kv_batch_del(&batch, k);
            else kv_batch_put(&batch, k, v);
        } else {
            st = change->is_del ? kv_del(db, k) : kv_put(db, k, v);
        }
    }
    if (step->count > 1) st = kv_write(db, &batch);
    kv_batch_free(&batch);
    kv_buf_free(&key);
    kv_buf_free(&value);
    return st;
}
