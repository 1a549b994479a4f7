// settle.c -- housekeeping that somebody asked for: everything, or a range of
// keys; see store.h.
// SPDX-License-Identifier: MIT

#include "store.h"

// ---- what failed before -----------------------------------------------------

// Compacting that stopped for want of room, or because of damage, is said once
// more; room may have come meanwhile.
static kv_status tell_failure(lsm_store *s)
{
    kv_mutex_lock(&s->work);
    kv_status st = s->compact_failure;
    if (st == KV_NO_SPACE) {
        s->compact_failure = KV_OK;
        s->may_pick = true;
    } else if (st != KV_OK) {
        st = kv_fail(st, "compacting has stopped: %s", s->compact_sentence);
    }
    kv_mutex_unlock(&s->work);
    return st == KV_NO_SPACE ? KV_OK : st;
}

// ---- everything -------------------------------------------------------------

kv_status lsm_store_freeze_all(void *arg)
{
    lsm_store *s = arg;
    if (lsm_memtable_count(s->active) == 0 &&
        lsm_memtable_range_count(s->active) == 0) {
        return KV_OK;
    }
    KV_TRY(lsm_store_flush(s, s->config.frozen_max - 1));
    KV_TRY(lsm_store_freeze(s));
    if (s->must_flush) KV_TRY(lsm_store_flush(s, 0));
    s->must_flush = false;
    return KV_OK;
}

static bool begin_cleaning(lsm_store *s)
{
    const lsm_pick *picks[LSM_JOBS_MAX];
    lsm_pick pick;
    kv_mutex_lock(&s->work);
    lsm_busy busy = lsm_store_busy(s, picks);
    bool is_picked = s->job_count < LSM_JOBS_MAX &&
                     s->compact_failure == KV_OK &&
                     lsm_pick_cleaning(atomic_load(&s->gate.current)->version,
                                       &s->config.shape, &busy, &pick);
    if (is_picked) lsm_store_begin(s, &pick)->is_asked = true;
    kv_mutex_unlock(&s->work);
    return is_picked;
}

// Somebody else's jobs are work as well, and what an end of one makes due:
// settled is when there are none, and nothing is held that they removed.
static bool is_busy(lsm_store *s)
{
    kv_mutex_lock(&s->work);
    bool may_pick = s->may_pick && s->compact_failure == KV_OK;
    bool is_busy =
        s->flush != NULL || s->job_count > 0 || s->ending_count > 0 || may_pick;
    if (is_busy) (void)kv_cond_wait_for(&s->progress, &s->work, 1000 * 1000);
    kv_mutex_unlock(&s->work);
    return is_busy;
}

static kv_status trim_logs(void *arg)
{
    lsm_store *s = arg;
    return lsm_wal_trim(&s->wal);
}

// Logs reserve space for writers to come; who settles wants it back. The spare
// is made now, so that none comes with its space a moment later.
static kv_status give_back_log_space(lsm_store *s)
{
    if (!s->config.steps_inline) {
        kv_status st = lsm_wal_prepare(&s->wal, &s->next_number, false);
        if (st != KV_OK && st != KV_NO_SPACE) return st;
    }
    return kv_commit_exclusive(&s->line, trim_logs, s);
}

kv_status lsm_store_settle_step(lsm_store *s, bool *did_work)
{
    KV_TRY(tell_failure(s));
    KV_TRY(lsm_store_step(s, did_work));
    if (*did_work) return KV_OK;
    uint64_t before = atomic_load(&s->freezes);
    KV_TRY(kv_commit_exclusive(&s->line, lsm_store_freeze_all, s));
    *did_work =
        atomic_load(&s->freezes) != before || is_busy(s) || begin_cleaning(s);
    if (*did_work) return KV_OK;
    lsm_store_rest(s);
    return give_back_log_space(s);
}

// ---- a range ----------------------------------------------------------------

// Begins what the range needs next, unless somebody is at it already.
static kv_status begin_in_range(lsm_store *s, const lsm_bounds *bounds,
                                uint64_t seq_max, bool *is_done)
{
    const lsm_pick *picks[LSM_JOBS_MAX];
    lsm_pick pick;
    kv_mutex_lock(&s->work);
    kv_status st = s->compact_failure;
    if (st != KV_OK) {
        st = kv_fail(st, "compacting has stopped: %s", s->compact_sentence);
    }
    lsm_version *v = atomic_load(&s->gate.current)->version;
    lsm_busy busy = lsm_store_busy(s, picks);
    bool has_place = st == KV_OK && s->job_count < LSM_JOBS_MAX;
    *is_done = lsm_range_is_compact(v, &s->config.shape, bounds, seq_max);
    if (has_place && !*is_done &&
        lsm_pick_range(v, &s->config.shape, &busy, bounds, seq_max, &pick)) {
        lsm_store_begin(s, &pick)->is_asked = true;
    }
    kv_mutex_unlock(&s->work);
    return st;
}

// Where others took part, they may still hold what was replaced.
static void wait_for_endings(lsm_store *s)
{
    kv_mutex_lock(&s->work);
    while (s->ending_count > 0) {
        (void)kv_cond_wait_for(&s->progress, &s->work, 1000 * 1000);
    }
    kv_mutex_unlock(&s->work);
}

// What is written meanwhile has higher numbers and is let be: so there is an
// end to it.
kv_status lsm_store_compact(lsm_store *s, kv_slice from, kv_slice to)
{
    lsm_bounds bounds = {from, to, false};
    KV_TRY(tell_failure(s));
    KV_TRY(kv_commit_exclusive(&s->line, lsm_store_freeze_all, s));
    uint64_t seq_max = atomic_load(&s->gate.seq);
    KV_TRY(lsm_store_flush(s, 0));
    for (;;) {
        bool is_done, did_work;
        KV_TRY(begin_in_range(s, &bounds, seq_max, &is_done));
        if (is_done) break;
        KV_TRY(lsm_store_step(s, &did_work));
        if (!did_work) (void)is_busy(s); // waits for whoever is at it
    }
    wait_for_endings(s);
    return give_back_log_space(s);
}
