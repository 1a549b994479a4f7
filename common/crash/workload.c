// workload.c -- see workload.h.
// SPDX-License-Identifier: MIT

#include "common/crash/workload.h"

#include "common/front.h"
#include "common/mem.h"
#include "common/rng.h"

// How a workload is thrown.
typedef struct dice {
    kv_rng rng;
    bool is_wide, is_ranged;
    bool shrinks;  // a wide one, until every key had its turn to go
    uint32_t turn; // of the next one
} dice;

static kv_crash_step_kind pick_kind(dice *d)
{
    uint64_t n = kv_rng_below(&d->rng, 100);
    if (d->shrinks && n < 8) return KV_CRASH_SETTLE;
    if (d->is_ranged && n < 12) return KV_CRASH_MOMENT;
    if (d->is_ranged && n < 18) return KV_CRASH_COMPACT;
    if (d->is_ranged && n < 22) return KV_CRASH_BACKUP;
    if (n < 76) return KV_CRASH_WRITE;
    if (n < 82) return KV_CRASH_SYNC;
    if (n < 92) return KV_CRASH_MAINTAIN;
    return n < 94 ? KV_CRASH_SETTLE : KV_CRASH_REOPEN;
}

// To the last key and beyond, now and then, as from the first.
static void fill_range(kv_crash_change *change, dice *d)
{
    uint32_t to = change->key + 1 + (uint32_t)kv_rng_below(&d->rng, 10);
    change->is_del = true;
    change->to = to < KV_CRASH_KEYS ? to : KV_CRASH_KEYS;
}

static void fill_write(kv_crash_step *step, dice *d)
{
    kv_rng *rng = &d->rng;
    uint32_t keys = d->is_wide || d->is_ranged ? KV_CRASH_KEYS : KV_CRASH_FEW;
    uint64_t dels = d->shrinks ? 31 : d->is_wide ? 3 : 1;
    uint64_t del_of = d->is_wide ? 32 : 4;
    bool is_batch = kv_rng_below(rng, 4) == 0;
    step->count =
        is_batch ? 2 + (uint32_t)kv_rng_below(rng, KV_CRASH_CHANGES_MAX - 1)
                 : 1;
    uint32_t first = (uint32_t)kv_rng_below(rng, keys), stride = 5;
    if (d->shrinks) {
        first = d->turn;
        stride = 1;
        d->turn += step->count;
    }
    for (uint32_t i = 0; i < step->count; i++) {
        step->change[i].key = (first + i * stride) % keys;
        step->change[i].is_del = kv_rng_below(rng, del_of) < dels;
        if (d->is_ranged && kv_rng_below(rng, 4) == 0) {
            fill_range(&step->change[i], d);
        }
    }
}

static kv_crash_step pick_step(dice *d)
{
    kv_crash_step step = {.kind = pick_kind(d)};
    if (step.kind == KV_CRASH_WRITE) fill_write(&step, d);
    if (step.kind == KV_CRASH_COMPACT) {
        step.change[0].key = (uint32_t)kv_rng_below(&d->rng, KV_CRASH_KEYS);
        fill_range(&step.change[0], d);
    }
    return step;
}

// What three steps can be: puts, deletions and batches of up to three keys, two
// of them twice the same one, and what is no write.
static kv_crash_step short_step(uint64_t kind)
{
    static const kv_crash_step steps[KV_CRASH_SHORT_KINDS] = {
        {.count = 1, .change = {{0, false, 0}}},
        {.count = 1, .change = {{1, false, 0}}},
        {.count = 1, .change = {{11, false, 0}}},
        {.count = 1, .change = {{0, true, 0}}},
        {.count = 1, .change = {{1, true, 0}}},
        {.count = 2, .change = {{0, false, 0}, {1, false, 0}}},
        {.count = 2, .change = {{0, true, 0}, {1, false, 0}}},
        {.count = 2, .change = {{0, true, 0}, {1, true, 0}}},
        {.count = 3, .change = {{0, false, 0}, {1, false, 0}, {11, false, 0}}},
        {.count = 2, .change = {{0, true, 0}, {0, false, 0}}},
        {.count = 3, .change = {{1, false, 0}, {0, true, 0}, {1, true, 0}}},
        {.kind = KV_CRASH_SYNC},
        {.kind = KV_CRASH_MAINTAIN},
        {.kind = KV_CRASH_SETTLE},
        {.kind = KV_CRASH_REOPEN},
    };
    return steps[kind];
}

void kv_crash_apply(uint32_t state[KV_CRASH_KEYS], const kv_crash_step *step)
{
    for (uint32_t i = 0; i < step->count; i++) {
        const kv_crash_change *change = &step->change[i];
        for (uint32_t key = 0; key < KV_CRASH_KEYS; key++) {
            if (!kv_crash_covers(change, key)) continue;
            state[key] = change->is_del ? 0 : step->commit;
        }
    }
}

void kv_crash_workload_make(kv_crash_workload *w, uint64_t seed, uint32_t ops)
{
    dice d = {.is_wide = seed >= KV_CRASH_WIDE && seed < KV_CRASH_RANGED,
              .is_ranged = seed >= KV_CRASH_RANGED};
    kv_rng_seed(&d.rng, seed);
    bool is_short = seed >= KV_CRASH_SHORT && seed < KV_CRASH_WIDE;
    uint64_t left = (seed - KV_CRASH_SHORT) % KV_CRASH_SHORT_COUNT;
    if (is_short) ops = KV_CRASH_SHORT_STEPS;
    *w = (kv_crash_workload){.count = ops};
    w->steps = kv_zalloc(ops * sizeof *w->steps);
    w->state = kv_zalloc((ops + 1) * sizeof *w->state);
    for (uint32_t i = 0; i < ops; i++) {
        kv_crash_step *step = &w->steps[i];
        d.shrinks = d.is_wide && i >= ops / 5 * 2 && d.turn < KV_CRASH_KEYS;
        *step =
            is_short ? short_step(left % KV_CRASH_SHORT_KINDS) : pick_step(&d);
        left /= KV_CRASH_SHORT_KINDS;
        step->commit = w->commits;
        if (step->kind != KV_CRASH_WRITE) continue;
        uint32_t *before = w->state[w->commits];
        uint32_t *after = w->state[++w->commits];
        step->commit = w->commits;
        memcpy(after, before, sizeof w->state[0]);
        kv_crash_apply(after, step);
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

// The ends of a range; there is none before the first key and behind the last.
static void name_bounds(const kv_crash_change *change, kv_buf *from, kv_buf *to)
{
    kv_buf_clear(from);
    kv_buf_clear(to);
    if (change->key > 0) kv_crash_key(from, change->key);
    if (change->to < KV_CRASH_KEYS) kv_crash_key(to, change->to);
}

static void add_range(kv *db, kv_batch *batch, const kv_crash_change *change)
{
    kv_buf from = {0}, to = {0};
    if (kv_has(db, KV_CAP_RANGE_DELETE)) {
        name_bounds(change, &from, &to);
        kv_batch_del_range(batch, kv_buf_slice(&from), kv_buf_slice(&to));
    }
    for (uint32_t key = change->key; key < change->to; key++) {
        if (kv_has(db, KV_CAP_RANGE_DELETE)) break;
        kv_crash_key(&from, key);
        kv_batch_del(batch, kv_buf_slice(&from));
    }
    kv_buf_free(&from);
    kv_buf_free(&to);
}

static kv_status write_batch(kv *db, const kv_crash_step *step)
{
    kv_buf key = {0}, value = {0};
    kv_batch batch = {0};
    for (uint32_t i = 0; i < step->count; i++) {
        const kv_crash_change *change = &step->change[i];
        kv_crash_key(&key, change->key);
        kv_crash_value(&value, step->commit, change->key);
        kv_slice k = kv_buf_slice(&key);
        if (change->to > 0) add_range(db, &batch, change);
        else if (change->is_del) kv_batch_del(&batch, k);
        else kv_batch_put(&batch, k, kv_buf_slice(&value));
    }
    kv_status st = kv_write(db, &batch);
    kv_batch_free(&batch);
    kv_buf_free(&key);
    kv_buf_free(&value);
    return st;
}

kv_status kv_crash_write(kv *db, const kv_crash_step *step)
{
    if (step->count > 1) return write_batch(db, step);
    const kv_crash_change *change = &step->change[0];
    kv_buf key = {0}, other = {0};
    kv_status st;
    if (change->to > 0) {
        name_bounds(change, &key, &other);
        st = kv_del_range(db, kv_buf_slice(&key), kv_buf_slice(&other));
    } else {
        kv_crash_key(&key, change->key);
        kv_crash_value(&other, step->commit, change->key);
        kv_slice k = kv_buf_slice(&key);
        st = change->is_del ? kv_del(db, k)
                            : kv_put(db, k, kv_buf_slice(&other));
    }
    kv_buf_free(&key);
    kv_buf_free(&other);
    return st;
}

kv_status kv_crash_compact(kv *db, const kv_crash_step *step)
{
    if (!kv_has(db, KV_CAP_COMPACT)) return KV_OK;
    kv_buf from = {0}, to = {0};
    name_bounds(&step->change[0], &from, &to);
    kv_status st = kv_compact(db, kv_buf_slice(&from), kv_buf_slice(&to));
    kv_buf_free(&from);
    kv_buf_free(&to);
    return st;
}

kv_status kv_crash_backup(kv *db)
{
    return kv_has(db, KV_CAP_BACKUP) ? kv_backup(db, "beside") : KV_OK;
}
