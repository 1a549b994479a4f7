// ops_impl.h -- what ops.c and ops_run.c share.
// SPDX-License-Identifier: MIT

#ifndef TESTS_ENGINE_OPS_IMPL_H
#define TESTS_ENGINE_OPS_IMPL_H

#include "tests/engine/ops.h"

// Change `i` of a batch: a put or a del.
op ops_batch_change(const run *r, const op *batch, uint32_t i);
void ops_value(uint32_t seed, uint32_t size, kv_buf *to);
void ops_print_one(const run *r, const op *o, kv_buf *to);

static inline bool ops_is_reverse(const run *r, const op *o)
{
    bool is_ordered = (kv_describe(r->engine)->caps & KV_CAP_ORDERED) != 0;
    return is_ordered && o->seed % 2 == 1;
}

// Half of the settlings concern a range of keys, where the engine can do that.
static inline bool ops_is_compact(const run *r, const op *o)
{
    bool is_able = (kv_describe(r->engine)->caps & KV_CAP_COMPACT) != 0;
    return o->kind == OP_SETTLE && is_able && o->seed % 2 == 1;
}

#endif
