// test_stream.c -- the stream of operations and its oracle, against a model.
// SPDX-License-Identifier: MIT

#include "common/mem.h"

#include "compare/stream.h"
#include "tests/support/test.h"

enum { RECORDS = 300, PLACES = 400, SEED = 9 };

static cmp_workload all_calls(void)
{
    cmp_workload w = {.pattern = CMP_UNIFORM,
                      .scan_min = 1,
                      .scan_max = 20,
                      .group = 1,
                      .loads = true};
    for (int call = 0; call < CMP_CALLS; call++)
        w.share[call] = 1.0 / CMP_CALLS;
    return w;
}

static const cmp_workload inserts = {.share = {[CMP_INSERT] = 1}, .group = 1};

struct bench {
    cmp_records records;
    uint32_t state[PLACES];
    cmp_block block;
    cmp_stream stream;
    cmp_workload workload;
};

static void open_bench(struct bench *b, uint32_t thread, uint32_t threads)
{
    b->workload = all_calls();
    memset(b->state, 0, sizeof b->state);
    cmp_records_init(
        &b->records,
        (cmp_records){
            .count = PLACES, .key_bytes = 16, .value_bytes = 30, .seed = SEED},
        CMP_SHUFFLED);
    cmp_block_init(&b->block, &b->records, &b->workload);
    b->stream = (cmp_stream){.records = &b->records,
                             .state = b->state,
                             .thread = thread,
                             .threads = threads};
    cmp_stream_load(&b->stream, RECORDS, &inserts);
}

static void close_bench(struct bench *b)
{
    cmp_block_free(&b->block);
    cmp_records_free(&b->records);
}

static void skip_load(struct bench *b)
{
    do cmp_stream_fill(&b->stream, &b->block);
    while (b->block.count > 0);
    cmp_stream_begin(&b->stream, &b->workload, 20000, SEED);
}

// The model: the version at each place, 0 for nothing there, and the versions
// that were.
struct model {
    uint32_t now[PLACES], last[PLACES];
    uint64_t user_bytes;
};

static void model_op(struct model *m, const struct bench *b, const cmp_op *op)
{
    uint32_t place = op->before.place;
    assert_int_equal(op->before.version,
                     op->call == CMP_MISS ? 0 : m->now[place]);
    uint8_t scratch[64];
    if (op->call != CMP_MISS) {
        kv_slice key = cmp_records_key(&b->records, place, scratch);
        assert_true(kv_slice_equal(key, op->key));
    }
    if (op->call == CMP_DELETE) {
        m->now[place] = 0;
        m->user_bytes += 16;
    }
    if (op->call == CMP_UPDATE || op->call == CMP_INSERT ||
        op->call == CMP_MODIFY) {
        m->now[place] = ++m->last[place];
        m->user_bytes += 16 + 30;
        kv_slice right =
            cmp_records_value(&b->records, place, m->now[place], scratch);
        assert_true(kv_slice_equal(right, op->value));
    }
    if (op->call != CMP_SCAN) return;
    uint32_t at = place;
    for (uint32_t n = 0; n < op->scan_count; n++, at++) {
        while (m->now[at] == 0) at++;
        cmp_expected there = b->block.scanned[op->scan_first + n];
        assert_int_equal(there.place, at);
        assert_int_equal(there.version, m->now[at]);
    }
    while (at < PLACES && m->now[at] == 0) at++;
    assert_true(op->scan_count == op->scan_length || at == PLACES);
}

static void the_oracle_agrees_with_a_model(void **state)
{
    (void)state;
    static struct bench b;
    static struct model m;
    memset(&m, 0, sizeof m);
    open_bench(&b, 0, 1);
    uint64_t made = 0;
    for (int phase = 0; phase < 2; phase++) {
        if (phase == 1) cmp_stream_begin(&b.stream, &b.workload, 20000, SEED);
        do {
            cmp_stream_fill(&b.stream, &b.block);
            for (size_t i = 0; i < b.block.count; i++) {
                model_op(&m, &b, &b.block.op[i]);
            }
            made += b.block.count;
        } while (b.block.count > 0);
    }
    assert_int_equal(made, RECORDS + 20000);
    int64_t live = 0;
    for (uint32_t i = 0; i < PLACES; i++) live += m.now[i] != 0;
    assert_int_equal(b.stream.live_count, live);
    assert_int_equal(b.stream.live_bytes, live * (16 + 30));
    assert_int_equal(b.stream.user_bytes, m.user_bytes);
    close_bench(&b);
}

// S1.
static void the_same_seed_gives_the_same_operations(void **state)
{
    (void)state;
    static struct bench a, b;
    open_bench(&a, 0, 1);
    open_bench(&b, 0, 1);
    skip_load(&a);
    skip_load(&b);
    bool differs_by_seed = false;
    static struct bench c;
    open_bench(&c, 0, 1);
    skip_load(&c);
    cmp_stream_begin(&c.stream, &c.workload, 20000, SEED + 1);
    do {
        cmp_stream_fill(&a.stream, &a.block);
        cmp_stream_fill(&b.stream, &b.block);
        cmp_stream_fill(&c.stream, &c.block);
        assert_int_equal(a.block.count, b.block.count);
        for (size_t i = 0; i < a.block.count; i++) {
            const cmp_op *left = &a.block.op[i], *right = &b.block.op[i];
            assert_int_equal(left->call, right->call);
            assert_true(kv_slice_equal(left->key, right->key));
            assert_true(kv_slice_equal(left->value, right->value));
            differs_by_seed |= !kv_slice_equal(left->key, c.block.op[i].key);
        }
    } while (a.block.count > 0);
    assert_true(differs_by_seed);
    close_bench(&a);
    close_bench(&b);
    close_bench(&c);
}

// Three threads insert every record once, and never meet at a key.
static void threads_share_no_key(void **state)
{
    (void)state;
    static uint8_t owner[PLACES];
    memset(owner, 0, sizeof owner);
    uint32_t inserted = 0;
    for (uint32_t thread = 0; thread < 3; thread++) {
        static struct bench b;
        open_bench(&b, thread, 3);
        for (int phase = 0; phase < 2; phase++) {
            if (phase == 1) {
                cmp_stream_begin(&b.stream, &b.workload, 20000, SEED);
            }
            do {
                cmp_stream_fill(&b.stream, &b.block);
                for (size_t i = 0; i < b.block.count; i++) {
                    if (b.block.op[i].call == CMP_MISS) continue;
                    uint8_t *of = &owner[b.block.op[i].before.place];
                    assert_true(*of == 0 || *of == thread + 1);
                    *of = (uint8_t)(thread + 1);
                }
                if (phase == 0) inserted += (uint32_t)b.block.count;
            } while (b.block.count > 0);
        }
        close_bench(&b);
    }
    assert_int_equal(inserted, RECORDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oracle_agrees_with_a_model),
        cmocka_unit_test(the_same_seed_gives_the_same_operations),
        cmocka_unit_test(threads_share_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
