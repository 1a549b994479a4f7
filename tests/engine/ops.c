// ops.c -- see ops.h: making runs, printing them, and making them smaller.
// SPDX-License-Identifier: MIT

#include "tests/engine/ops.h"

#include "common/mem.h"
#include "common/rng.h"

#include "tests/engine/ops_impl.h"

// ---- keys and values --------------------------------------------------------

void ops_key(uint32_t number, uint32_t key_max, kv_buf *to)
{
    kv_buf_clear(to);
    switch (number % 8) {
    case 0:
        kv_buf_printf(to, "%c%u", '\0', number);
        break;
    case 1: // each begins with all before it
        for (uint32_t i = 0; i <= number / 8; i++) {
            kv_buf_append(to, kv_str("a"));
        }
        break;
    case 2:
        kv_buf_printf(to, "line\n%u\xff", number);
        break;
    case 3:
        kv_buf_printf(to, "%0200u", number);
        break;
    case 4:
        kv_buf_printf(to, " %u  ~", number);
        break;
    default:
        kv_buf_printf(to, "k%u", number);
        break;
    }
    if (to->len > key_max) to->len = key_max;
}

void ops_value(uint32_t seed, uint32_t size, kv_buf *to)
{
    kv_buf_clear(to);
    kv_buf bytes = subject_value(seed, size);
    for (uint32_t i = 0; seed % 4 != 0 && i < size; i++) {
        bytes.data[i] = (uint8_t)('a' + bytes.data[i] % 26);
    }
    kv_buf_append(to, kv_buf_slice(&bytes));
    kv_buf_free(&bytes);
}

op ops_batch_change(const run *r, const op *batch, uint32_t i)
{
    uint32_t bits = (uint32_t)kv_mix64(batch->seed + (uint64_t)i * 7919);
    return (op){.kind = bits % 3 == 0 ? OP_DEL : OP_PUT,
                .key = (batch->key + (bits >> 8) % 16) % r->key_count,
                .size = (bits >> 4) % (bits % 32 == 5 ? 3000 : 60),
                .seed = bits};
}

// ---- making -----------------------------------------------------------------

// Of 1000.
static const unsigned frequency[OP_KINDS] = {
    [OP_PUT] = 420,     [OP_DEL] = 120,     [OP_GET] = 120,
    [OP_GET_MANY] = 10, [OP_BATCH] = 80,    [OP_DEL_RANGE] = 20,
    [OP_SCAN] = 50,     [OP_HOLD] = 20,     [OP_DROP] = 20,
    [OP_SYNC] = 20,     [OP_MAINTAIN] = 40, [OP_SETTLE] = 8,
    [OP_REOPEN] = 30,   [OP_CHECK] = 12,    [OP_BACKUP] = 5,
    [OP_COMPARE] = 25,
};

static op_kind pick_kind(kv_rng *rng)
{
    uint64_t at = kv_rng_below(rng, 1000);
    unsigned kind = 0;
    while (kind < OP_COMPARE && at >= frequency[kind]) at -= frequency[kind++];
    return (op_kind)kind;
}

static uint32_t pick_size(kv_rng *rng)
{
    static const uint32_t limits[] = {1, 8, 40, 40, 40, 300, 300, 5000};
    uint32_t limit = limits[kv_rng_below(rng, 8)];
    if (kv_rng_below(rng, 300) == 0) limit = 80000;
    return (uint32_t)kv_rng_below(rng, limit);
}

static uint32_t key_max_with(const kv_engine *engine, const char *knobs)
{
    subject s;
    subject_begin(&s, engine, knobs);
    uint32_t key_max = kv_key_max(s.db);
    subject_end(&s);
    return key_max;
}

void ops_generate(run *r, const kv_engine *engine, const char *knobs,
                  uint64_t seed, size_t count)
{
    static const uint32_t key_counts[] = {4, 12, 40, 40, 150, 600};
    kv_rng rng;
    kv_rng_seed(&rng, seed);
    *r = (run){.engine = engine, .knobs = kv_strdup(knobs), .count = count};
    r->key_max = key_max_with(engine, knobs);
    r->key_count = key_counts[kv_rng_below(&rng, 6)];
    uint64_t mode = kv_rng_below(&rng, 8);
    r->sync = mode == 0   ? KV_SYNC_COMMIT
              : mode == 1 ? KV_SYNC_INTERVAL
                          : KV_SYNC_NONE;
    // In the smaller one a cache has no room for all that the run writes.
    r->memory_bytes = kv_rng_below(&rng, 2) == 0 ? 4 << 20 : 16 << 10;
    r->ops = kv_alloc((count + 1) * sizeof *r->ops);
    for (size_t i = 0; i < count; i++) {
        op *o = &r->ops[i];
        o->kind = pick_kind(&rng);
        o->key = (uint32_t)kv_rng_below(&rng, r->key_count);
        o->key2 = (uint32_t)kv_rng_below(&rng, r->key_count);
        o->seed = (uint32_t)kv_rng_next(&rng);
        o->size = o->kind == OP_BATCH ? (uint32_t)kv_rng_below(&rng, 40)
                                      : pick_size(&rng);
    }
}

void ops_free(run *r)
{
    kv_free(r->ops);
    kv_free(r->knobs);
    *r = (run){0};
}

// ---- printing ---------------------------------------------------------------

// In quotes, for the repl.
static void print_word(kv_buf *to, const kv_buf *bytes)
{
    kv_buf escaped = {0};
    kv_escape(&escaped, kv_buf_slice(bytes));
    kv_buf_append(to, kv_str(" '"));
    for (size_t i = 0; i < escaped.len; i++) {
        if (escaped.data[i] == '\'') kv_buf_append(to, kv_str("\\x27"));
        else kv_buf_append(to, kv_slice_of(&escaped.data[i], 1));
    }
    kv_buf_append(to, kv_str("'"));
    kv_buf_free(&escaped);
}

static void print_key(kv_buf *to, const run *r, uint32_t number)
{
    kv_buf key = {0};
    ops_key(number, r->key_max, &key);
    print_word(to, &key);
    kv_buf_free(&key);
}

static void print_change(kv_buf *to, const run *r, const op *o)
{
    kv_buf_append(to, kv_str(o->kind == OP_PUT ? "put" : "del"));
    print_key(to, r, o->key);
    if (o->kind == OP_PUT) {
        kv_buf value = {0};
        ops_value(o->seed, o->size, &value);
        print_word(to, &value);
        kv_buf_free(&value);
    }
    kv_buf_append(to, kv_str("\n"));
}

static void print_batch(kv_buf *to, const run *r, const op *o)
{
    kv_buf_append(to, kv_str("begin\n"));
    for (uint32_t i = 0; i < o->size; i++) {
        op change = ops_batch_change(r, o, i);
        print_change(to, r, &change);
    }
    kv_buf_append(to, kv_str("commit\n"));
}

void ops_print_one(const run *r, const op *o, kv_buf *to)
{
    static const char *const words[OP_KINDS] = {
        [OP_GET] = "get",
        [OP_GET_MANY] = "get",
        [OP_SCAN] = "scan",
        [OP_DEL_RANGE] = "del-range",
        [OP_HOLD] = "# a cursor is opened here, over",
        [OP_DROP] = "# and walked here",
        [OP_SYNC] = "sync",
        [OP_MAINTAIN] = "maintain",
        [OP_SETTLE] = "settle",
        [OP_REOPEN] = "reopen",
        [OP_CHECK] = "check",
        [OP_BACKUP] = "backup copy",
        [OP_COMPARE] = "scan"};
    if (o->kind == OP_PUT || o->kind == OP_DEL) {
        print_change(to, r, o);
        return;
    }
    if (o->kind == OP_BATCH) {
        print_batch(to, r, o);
        return;
    }
    bool is_compact = ops_is_compact(r, o);
    kv_buf_append(to, kv_str(is_compact ? "compact" : words[o->kind]));
    bool has_range = o->kind == OP_SCAN || o->kind == OP_DEL_RANGE ||
                     o->kind == OP_HOLD || is_compact;
    if (o->kind == OP_GET || o->kind == OP_GET_MANY || has_range) {
        print_key(to, r, o->key);
    }
    if (o->kind == OP_GET_MANY || has_range) print_key(to, r, o->key2);
    if ((o->kind == OP_SCAN || o->kind == OP_HOLD) && ops_is_reverse(r, o)) {
        kv_buf_append(to, kv_str(" --reverse"));
    }
    kv_buf_append(to, kv_str("\n"));
}

void ops_print_script(const run *r, kv_buf *to)
{
    for (size_t i = 0; i < r->count; i++) ops_print_one(r, &r->ops[i], to);
}

// ---- shrinking --------------------------------------------------------------

enum { ATTEMPTS_MAX = 3000 };

// Takes the smaller run if it fails, too.
static bool try_smaller(run *r, op *ops, size_t count, kv_buf *message,
                        size_t *attempts)
{
    if (*attempts >= ATTEMPTS_MAX) return false;
    run smaller = *r;
    smaller.ops = ops;
    smaller.count = count;
    kv_buf what = {0};
    ++*attempts;
    bool fails = ops_fail(&smaller, &what);
    if (fails) {
        memcpy(r->ops, ops, count * sizeof *ops);
        r->count = count;
        kv_buf_set(message, kv_buf_slice(&what));
    }
    kv_buf_free(&what);
    return fails;
}

// Without `len` operations from `at` on?
static bool try_without(run *r, op *scratch, size_t at, size_t len,
                        kv_buf *message, size_t *attempts)
{
    memcpy(scratch, r->ops, at * sizeof *scratch);
    memcpy(scratch + at, r->ops + at + len,
           (r->count - at - len) * sizeof *scratch);
    return try_smaller(r, scratch, r->count - len, message, attempts);
}

static bool drop_pieces(run *r, op *scratch, size_t piece, kv_buf *message,
                        size_t *attempts)
{
    bool dropped = false;
    // From the end: what comes late depends on what came before.
    for (size_t end = r->count; end > 0;) {
        size_t len = piece < end ? piece : end;
        dropped |= try_without(r, scratch, end - len, len, message, attempts);
        end = end - len < r->count ? end - len : r->count;
    }
    return dropped;
}

static bool lessen(run *r, op *scratch, kv_buf *message, size_t *attempts)
{
    bool lessened = false;
    for (size_t i = 0; i < r->count; i++) {
        for (uint32_t size = 0; size < r->ops[i].size; size = size * 2 + 1) {
            memcpy(scratch, r->ops, r->count * sizeof *scratch);
            scratch[i].size = size;
            if (try_smaller(r, scratch, r->count, message, attempts)) {
                lessened = true;
                break;
            }
        }
    }
    return lessened;
}

size_t ops_shrink(run *r, kv_buf *message)
{
    size_t attempts = 0;
    op *scratch = kv_alloc((r->count + 1) * sizeof *scratch);
    for (size_t piece = r->count / 2; piece > 1; piece /= 2) {
        drop_pieces(r, scratch, piece, message, &attempts);
    }
    bool again = true;
    while (again && attempts < ATTEMPTS_MAX) {
        again = drop_pieces(r, scratch, 1, message, &attempts);
        again |= lessen(r, scratch, message, &attempts);
    }
    kv_free(scratch);
    return attempts;
}
