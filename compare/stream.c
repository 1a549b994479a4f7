// stream.c -- see stream.h.
// SPDX-License-Identifier: MIT

#include "compare/stream.h"

#include <assert.h>

#include "common/mem.h"

// A block stays in the processor's second cache together with what the engine
// touches; a clock is read once per block.
enum { BLOCK_OPS = 1024, BLOCK_SCANS = 64, BLOCK_BYTES = 256 << 10 };

// ---- blocks -----------------------------------------------------------------

static size_t block_cap(const cmp_block *b, const cmp_workload *w)
{
    size_t cap = w->share[CMP_SCAN] > 0 ? BLOCK_SCANS : BLOCK_OPS;
    size_t fits = BLOCK_BYTES / (b->key_max + b->value_max + 1);
    if (cap > fits) cap = fits;
    if (cap < 16) cap = 16;
    // Whole groups only.
    return cap < w->group ? w->group : cap - cap % w->group;
}

void cmp_block_init(cmp_block *b, const cmp_records *records,
                    const cmp_workload *w)
{
    *b = (cmp_block){.key_max = cmp_records_key_max(records)};
    // Real values are where they are.
    b->value_max = records->data == NULL ? records->value_bytes : 0;
    b->cap = block_cap(b, w);
    b->op = kv_zalloc(b->cap * sizeof *b->op);
    b->keys = kv_zalloc(b->cap * b->key_max + 1);
    b->values = kv_zalloc(b->cap * b->value_max + 1);
    if (w->share[CMP_SCAN] > 0) {
        b->scanned = kv_zalloc(b->cap * w->scan_max * sizeof *b->scanned);
    }
}

void cmp_block_free(cmp_block *b)
{
    kv_free(b->op);
    kv_free(b->scanned);
    kv_free(b->keys);
    kv_free(b->values);
    *b = (cmp_block){0};
}

// ---- the oracle -------------------------------------------------------------

static size_t value_len(const cmp_records *r, uint32_t place, uint32_t version)
{
    if (r->data == NULL) return r->value_bytes;
    return r->data->value[((uint64_t)place + version - 1) % r->count].len;
}

static void forget(cmp_stream *s, cmp_expected before, size_t key_len)
{
    if (before.version == 0) return;
    s->live_count--;
    s->live_bytes -= (int64_t)key_len;
    s->live_bytes -=
        (int64_t)value_len(s->records, before.place, before.version);
}

// The version after the one before, which a deletion does not set back: a value
// that comes back from the dead is not taken for a new one.
static uint32_t note_put(cmp_stream *s, const cmp_op *op)
{
    uint32_t place = op->before.place;
    uint32_t version = (s->state[place] >> 1) + 1;
    size_t value = value_len(s->records, place, version);
    forget(s, op->before, op->key.len);
    s->state[place] = version * 2 + 1;
    s->live_count++;
    s->live_bytes += (int64_t)(op->key.len + value);
    s->user_bytes += op->key.len + value;
    return version;
}

static void note_del(cmp_stream *s, const cmp_op *op)
{
    forget(s, op->before, op->key.len);
    s->state[op->before.place] &= ~UINT32_C(1);
    s->user_bytes += op->key.len;
}

// ---- operations -------------------------------------------------------------

static uint32_t own_place(const cmp_stream *s, uint64_t own)
{
    return cmp_records_place(s->records,
                             (uint32_t)(own * s->threads + s->thread));
}

static cmp_call pick_call(cmp_stream *s)
{
    const double *share = s->workload->share;
    double left = kv_rng_unit(&s->rng);
    cmp_call last = CMP_READ;
    for (unsigned call = 0; call < CMP_CALLS; call++) {
        if (share[call] <= 0) continue;
        last = (cmp_call)call;
        if (left < share[call]) break;
        left -= share[call];
    }
    // All places are taken: rare, for there are more than the share needs.
    if (last == CMP_INSERT && s->inserted == s->limit) return CMP_UPDATE;
    return last;
}

static void expect_scan(cmp_stream *s, cmp_block *b, cmp_op *op)
{
    const cmp_workload *w = s->workload;
    uint64_t span = (uint64_t)w->scan_max - w->scan_min + 1;
    op->scan_length = w->scan_min + (uint32_t)kv_rng_below(&s->rng, span);
    op->scan_first = (uint32_t)b->scanned_count;
    uint32_t place = op->before.place;
    while (op->scan_count < op->scan_length && place < s->records->count) {
        cmp_expected there = cmp_stream_at(s, place++);
        if (there.version == 0) continue;
        b->scanned[b->scanned_count++] = there;
        op->scan_count++;
    }
}

static void make_op(cmp_stream *s, cmp_block *b, size_t i)
{
    cmp_op *op = &b->op[i];
    *op = (cmp_op){.call = pick_call(s)};
    uint64_t own = op->call == CMP_INSERT
                       ? s->inserted++
                       : cmp_choose(&s->chooser, s->inserted);
    uint32_t place = own_place(s, own);
    uint8_t *key = b->keys + i * b->key_max;
    if (op->call == CMP_MISS) {
        op->key = cmp_records_absent(s->records, place, key);
        return;
    }
    op->key = cmp_records_key(s->records, place, key);
    op->before = cmp_stream_at(s, place);
    switch (op->call) {
    case CMP_UPDATE:
    case CMP_INSERT:
    case CMP_MODIFY:
        op->value = cmp_records_value(s->records, place, note_put(s, op),
                                      b->values + i * b->value_max);
        break;
    case CMP_DELETE:
        note_del(s, op);
        break;
    case CMP_SCAN:
        expect_scan(s, b, op);
        break;
    default:
        break;
    }
}

void cmp_stream_load(cmp_stream *s, uint32_t count, const cmp_workload *load)
{
    uint32_t others = s->records->count;
    s->limit = (others - s->thread + s->threads - 1) / s->threads;
    s->workload = load;
    s->left = (count - s->thread + s->threads - 1) / s->threads;
    assert(s->left <= s->limit);
    kv_rng_seed(&s->rng, 0);
}

void cmp_stream_begin(cmp_stream *s, const cmp_workload *w, uint64_t operations,
                      uint64_t seed)
{
    s->workload = w;
    s->left = operations / s->threads;
    uint64_t own_seed = kv_mix64(seed + s->thread);
    kv_rng_seed(&s->rng, own_seed);
    cmp_chooser_init(&s->chooser, w->pattern, own_seed + 1);
    s->chooser.hot_data = w->hot_data;
    s->chooser.hot_requests = w->hot_requests;
}

void cmp_stream_fill(cmp_stream *s, cmp_block *b)
{
    size_t count = s->left < b->cap ? (size_t)s->left : b->cap;
    b->scanned_count = 0;
    for (size_t i = 0; i < count; i++) make_op(s, b, i);
    b->count = count;
    s->left -= count;
}
