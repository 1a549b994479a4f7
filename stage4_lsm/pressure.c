// pressure.c -- writers are slowed down before they are stopped; see store.h.
// SPDX-License-Identifier: MIT
//
// Who writes faster than compaction can sort fills level 0, and every read has
// to look into all of it. So from twice the runs that start a compaction on, a
// writer pauses for a moment now and then; the fuller level 0, the more often:
//
//   runs    0 … 2·n   2·n + 1 …                                5·n
//   pause   never     1 ms for each MiB, then 512 KiB … 16     until fewer
//
// One pause is short, so that no single write takes long; what is slowed down
// is the many. A pause ends early when something was installed.

#include "store.h"

enum {
    PAUSE_NS = 1000 * 1000,
    CREDIT_BYTES_MAX = 1 << 20,
    CREDIT_BYTES_MIN = 16 << 10,
    PRESSURE_STOP = 1000,
};

void lsm_store_gauge(lsm_store *s, const lsm_view *view)
{
    uint64_t runs = 0;
    const lsm_version *v = view->version;
    while (runs < v->run_count && v->runs[runs].level == 0) runs++;
    uint64_t slow = 2 * s->config.shape.level0_runs;
    uint64_t stop = 5 * s->config.shape.level0_runs;
    uint32_t pressure = runs > slow ? (uint32_t)(runs - slow) : 0;
    if (runs >= stop) pressure = PRESSURE_STOP;
    // Nobody to wait for, or nothing to hope for: level 0 just grows.
    bool has_stopped = s->compact_failure != KV_OK || s->flush_failure != KV_OK;
    if (s->config.steps_inline || has_stopped) pressure = 0;
    atomic_store(&s->pressure, pressure);
}

static void pause_writing(lsm_store *s)
{
    kv_mutex_lock(&s->work);
    bool is_stop = atomic_load(&s->pressure) == PRESSURE_STOP;
    if (is_stop) s->stops++;
    else s->delays++;
    do {
        (void)kv_cond_wait_for(&s->progress, &s->work, PAUSE_NS);
    } while (atomic_load(&s->pressure) == PRESSURE_STOP);
    kv_mutex_unlock(&s->work);
}

void lsm_store_delay(lsm_store *s, uint64_t bytes)
{
    uint32_t pressure = atomic_load(&s->pressure);
    if (s->credit_bytes >= bytes && pressure != PRESSURE_STOP) {
        s->credit_bytes -= bytes;
        return;
    }
    pause_writing(s);
    uint64_t credit = CREDIT_BYTES_MAX;
    for (uint32_t i = 1; i < pressure && credit > CREDIT_BYTES_MIN; i++) {
        credit /= 2;
    }
    s->credit_bytes = credit;
}
