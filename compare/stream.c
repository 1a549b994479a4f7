// stream.c -- see stream.h.
// SPDX-License-Identifier: MIT

#include "compare/stream.h"

#include <assert.h>

#include "common/mem.h"

// A block stays in the processor's second cache together with what the engine
// touches; a clock is read once per block.
enum { BLOCK_OPS = 1024, BLOCK_SCANS = 64, BLOCK_BYTES = 256 << 10 };
enum { SCANNED_MAX = 1 << 20 }; // entries of all scans in a block, if it can

// ---- blocks -----------------------------------------------------------------

static size_t block_cap(const cmp_block *b, const cmp_workload *w)
{
    size_t cap = BLOCK_OPS;
    if (w->share[CMP_SCAN] > 0) {
        cap = SCANNED_MAX / ((size_t)w->scan_max + 1) + 1;
        return cap < BLOCK_SCANS ? cap : BLOCK_SCANS;
    }
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

static void forget(cmp_stream *s, cmp_expected before, size_t key_len)
{
    if (before.version == 0) return;
    s->live_count--;
    s->live_bytes -= (int64_t)key_len;
    s->live_bytes -= (int64_t)cmp_records_value_len(s->records, before.place,
                                                    before.version);
}

// The version after the one before, which a deletion does not set back: a value
// that comes back from the dead is not taken for a new one. A trace says which
// version comes.
static uint32_t note_put(cmp_stream *s, const cmp_op *op, uint32_t traced)
{
    uint32_t place = op->before.place;
    uint32_t version = traced ? traced : (s->state[place] >> 1) + 1;
    size_t value = cmp_records_value_len(s->records, place, version);
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

// What the next operation is to be.
struct choice {
    cmp_call call;
    uint32_t place;
    uint32_t version;     // of a trace's put; 0: the next one
    uint32_t scan_length; // 0: not a scan
};

static uint32_t pick_scan_length(cmp_stream *s)
{
    const cmp_workload *w = s->workload;
    if (w->scan_sizes.shape > 0) {
        return cmp_pareto_of(w->scan_sizes, kv_rng_unit(&s->rng), w->scan_min,
                             w->scan_max);
    }
    uint64_t span = (uint64_t)w->scan_max - w->scan_min + 1;
    return w->scan_min + (uint32_t)kv_rng_below(&s->rng, span);
}

static struct choice choose(cmp_stream *s)
{
    const cmp_workload *w = s->workload;
    struct choice c = {.call = pick_call(s)};
    if (c.call == CMP_INSERT) {
        c.place = own_place(s, s->inserted++);
    } else if (w->pattern == CMP_RANGES) {
        c.place = (uint32_t)cmp_choose(&s->chooser, s->records->count);
    } else {
        c.place = own_place(s, cmp_choose(&s->chooser, s->inserted));
    }
    if (c.call == CMP_SCAN) c.scan_length = pick_scan_length(s);
    if (w->extent != CMP_SOME) c.place = 0;
    return c;
}

static bool is_own(const cmp_stream *s, uint32_t place)
{
    return place % s->threads == s->thread;
}

// The next line that is this thread's. Requires that there is one.
static struct choice choose_traced(cmp_stream *s)
{
    static const cmp_call calls[CMP_VERBS] = {[CMP_VERB_GET] = CMP_READ,
                                              [CMP_VERB_PUT] = CMP_UPDATE,
                                              [CMP_VERB_DEL] = CMP_DELETE,
                                              [CMP_VERB_SCAN] = CMP_SCAN};
    const cmp_trace *t = s->records->trace;
    for (;;) {
        uint64_t line = s->next++;
        if (s->is_loading) line = t->loaded[line];
        const cmp_trace_op *op = &t->op[line];
        if (!is_own(s, op->place)) continue;
        return (struct choice){.call =
                                   s->is_loading ? CMP_INSERT : calls[op->verb],
                               .place = op->place,
                               .version = (uint32_t)line + 1,
                               .scan_length = op->scan_length};
    }
}

static void expect_scan(cmp_stream *s, cmp_block *b, cmp_op *op)
{
    op->scan_first = (uint32_t)b->scanned_count;
    bool reversed = s->workload->extent == CMP_ALL_REVERSED;
    uint32_t count = s->records->count;
    for (uint32_t at = op->before.place; at < count; at++) {
        if (op->scan_count == op->scan_length) break;
        uint32_t place = reversed ? count - 1 - at : at;
        cmp_expected there = cmp_stream_at(s, place);
        if (there.version == 0) continue;
        b->scanned[b->scanned_count++] = there;
        op->scan_count++;
    }
}

static void make_op(cmp_stream *s, cmp_block *b, size_t i)
{
    cmp_op *op = &b->op[i];
    struct choice c = s->records->trace != NULL ? choose_traced(s) : choose(s);
    uint8_t *key = b->keys + i * b->key_max;
    *op = (cmp_op){.call = c.call, .scan_length = c.scan_length};
    if (op->call == CMP_MISS) {
        op->key = cmp_records_absent(s->records, c.place, key);
        return;
    }
    op->key = cmp_records_key(s->records, c.place, key);
    op->before = cmp_stream_at(s, c.place);
    switch (op->call) {
    case CMP_UPDATE:
    case CMP_INSERT:
    case CMP_MODIFY:
        op->value =
            cmp_records_value(s->records, c.place, note_put(s, op, c.version),
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

// A trace's lines that are this thread's.
static uint64_t count_own(const cmp_stream *s)
{
    const cmp_trace *t = s->records->trace;
    uint64_t own = 0;
    uint32_t count = s->is_loading ? t->loaded_count : t->count;
    for (uint32_t i = 0; i < count; i++) {
        own += is_own(s, t->op[s->is_loading ? t->loaded[i] : i].place);
    }
    return own;
}

void cmp_stream_load(cmp_stream *s, uint32_t count, const cmp_workload *load)
{
    uint32_t others = s->records->count;
    s->limit = (others - s->thread + s->threads - 1) / s->threads;
    s->workload = load;
    s->left = (count - s->thread + s->threads - 1) / s->threads;
    assert(s->left <= s->limit);
    kv_rng_seed(&s->rng, 0);
    s->next = 0;
    s->is_loading = true;
    if (s->records->trace != NULL) s->left = count_own(s);
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
    s->chooser.exponent = w->zipf > 0 ? w->zipf : CMP_THETA;
    s->next = 0;
    s->is_loading = false;
    if (s->records->trace != NULL) s->left = count_own(s);
}

void cmp_stream_fill(cmp_stream *s, cmp_block *b)
{
    size_t count = s->left < b->cap ? (size_t)s->left : b->cap;
    b->scanned_count = 0;
    for (size_t i = 0; i < count; i++) make_op(s, b, i);
    b->count = count;
    s->left -= count;
}
