// pressure.c -- writers are slowed down before they are stopped; see store.h.
// SPDX-License-Identifier: MIT
//
// Who writes faster than compaction can sort fills level 0, and every read has
// to look into all of it, or fills the levels below past their sizes: then
// there is a debt, bytes that wait to be compacted. How full the fuller of both
// is decides for how many bytes a writer pays with a pause:
//
//   level 0     up to 2·n runs              5·n runs      n = level0_runs
//   debt        up to 4·b bytes            16·b bytes     b = base_bytes
//   fullness          0            50         100
//   a pause each      never       32 KiB     16 KiB, and at 5·n runs
//                                             until there are fewer
//
// What a byte pays grows evenly with the fullness, so that writers come down to
// the pace of compaction and stay there, instead of running into a wall. A
// pause is short: no single write takes long, what is slowed down is the many.
// It is not shorter, since each costs two switches of threads, and one write in
// so many feels it. It ends early when something was installed.

#include "store.h"

enum {
    PAUSE_NS = 1000 * 1000,
    CREDIT_BYTES_MAX = 1 << 20,  // at a fullness of 1
    CREDIT_BYTES_MIN = 16 << 10, // at 100
};

// Where `n` is on the way from `low` to `high`: 0 to 100.
static uint32_t percent(uint64_t n, uint64_t low, uint64_t high)
{
    if (n <= low) return 0;
    if (n >= high) return 100;
    uint64_t rounded_up = ((n - low) * 100 + high - low - 1) / (high - low);
    return (uint32_t)rounded_up;
}

uint32_t lsm_fullness(const lsm_version *v, const lsm_shape *shape)
{
    uint64_t runs = 0, stop = 5 * shape->level0_runs;
    while (runs < v->run_count && v->runs[runs].level == 0) runs++;
    if (runs >= stop) return LSM_FULL;
    uint32_t of_runs = percent(runs, 2 * shape->level0_runs, stop);
    uint32_t of_debt = percent(lsm_debt_bytes(v, shape), 4 * shape->base_bytes,
                               16 * shape->base_bytes);
    return of_runs > of_debt ? of_runs : of_debt;
}

uint64_t lsm_credit_bytes(uint32_t fullness)
{
    uint64_t most = CREDIT_BYTES_MAX / CREDIT_BYTES_MIN;
    return CREDIT_BYTES_MAX / (1 + (most - 1) * (fullness - 1) / 99);
}

void lsm_store_gauge(lsm_store *s, const lsm_view *view)
{
    // Nobody to wait for, or nothing to hope for: level 0 just grows.
    bool has_stopped = s->compact_failure != KV_OK || s->flush_failure != KV_OK;
    bool is_free = s->config.steps_inline || has_stopped;
    uint32_t fullness =
        is_free ? 0 : lsm_fullness(view->version, &s->config.shape);
    atomic_store(&s->pressure, fullness);
}

static void pause_writing(lsm_store *s)
{
    kv_mutex_lock(&s->work);
    if (atomic_load(&s->pressure) == LSM_FULL) s->stops++;
    else s->delays++;
    do {
        (void)kv_cond_wait_for(&s->progress, &s->work, PAUSE_NS);
    } while (atomic_load(&s->pressure) == LSM_FULL);
    kv_mutex_unlock(&s->work);
}

void lsm_store_delay(lsm_store *s, uint64_t bytes)
{
    uint32_t fullness = atomic_load(&s->pressure);
    if (s->credit_bytes >= bytes && fullness != LSM_FULL) {
        s->credit_bytes -= bytes;
        return;
    }
    pause_writing(s);
    EXPLAIN(s->explain,
            "compaction is behind: waited, at a pressure of %u percent",
            (unsigned)fullness);
    fullness = atomic_load(&s->pressure);
    s->credit_bytes = fullness > 0 ? lsm_credit_bytes(fullness) : 0;
}
