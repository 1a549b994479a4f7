// housekeeping.c -- flushes and compactions, a bounded step at a time.
// SPDX-License-Identifier: MIT
//
// A step goes on with one job. Who calls it, one thread or several, makes no
// difference to the job: it belongs to the store, and is lent to one caller at
// a time.
//
//   begin ──▶ run (a MiB, again and again) ──▶ install: names synced, manifest
//   (work)        (no lock held)               (install), view (work), and
//                                              inputs removed

#include <inttypes.h>
#include <stdio.h>

#include "common/mem.h"

#include "store.h"

// ---- which job --------------------------------------------------------------

static lsm_view *view_now(lsm_store *s)
{
    return atomic_load(&s->gate.current);
}

static lsm_job *begin_flush(lsm_store *s)
{
    lsm_view *view = view_now(s);
    lsm_job *job = kv_zalloc(sizeof *job);
    lsm_memtable *oldest = view->frozen[view->frozen_count - 1]; // S3
    lsm_job_flush(job, &s->shop, oldest, view->version);
    s->flush = job;
    return job;
}

lsm_busy lsm_store_busy(lsm_store *s, const lsm_pick **picks)
{
    for (size_t i = 0; i < s->job_count; i++) picks[i] = &s->jobs[i]->pick;
    return (lsm_busy){picks, s->job_count};
}

// A compaction of what is picked. A move stays a job without a merge.
lsm_job *lsm_store_begin(lsm_store *s, const lsm_pick *pick)
{
    lsm_job *job = kv_zalloc(sizeof *job);
    if (pick->is_move) {
        *job = (lsm_job){.shop = &s->shop, .pick = *pick};
        job->level = pick->target_level;
        job->run = pick->target_run;
        job->why = s->config.steps_inline ? kv_for(KV_FOR_META)
                                          : kv_for_background(KV_FOR_META);
    } else {
        lsm_job_compact(job, &s->shop, pick);
    }
    s->jobs[s->job_count++] = job;
    return job;
}

// Compactions that somebody asked for come on top.
static bool has_free_place(const lsm_store *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->job_count; i++) count += !s->jobs[i]->is_asked;
    return count < s->config.parallel && s->job_count < LSM_JOBS_MAX;
}

// Somebody who looks for work.
typedef struct seeker {
    bool only_flush;
    bool is_paced;    // by config.rate_bytes
    uint64_t wait_ns; // until something that it may not do yet; 0: nothing
} seeker;

// Whether the rate counts for a job, or for one to be begun (NULL). It does not
// for what somebody waits for, be it a writer who is slowed down.
static bool keeps_rate(lsm_store *s, const seeker *who, const lsm_job *job)
{
    bool is_awaited = job != NULL && (job->memtable != NULL || job->is_asked);
    return who->is_paced && !is_awaited && atomic_load(&s->pressure) == 0;
}

static bool must_wait(lsm_store *s, seeker *who, const lsm_job *job)
{
    uint64_t ns = keeps_rate(s, who, job) ? kv_rate_wait_ns(&s->rate) : 0;
    if (ns > 0) who->wait_ns = ns;
    return ns > 0;
}

static lsm_job *pick_compaction(lsm_store *s, seeker *who)
{
    const lsm_pick *picks[LSM_JOBS_MAX];
    lsm_pick pick;
    if (!has_free_place(s) || s->compact_failure != KV_OK) return NULL;
    bool may_pick = atomic_exchange(&s->is_worn, false) || s->may_pick;
    if (!may_pick) return NULL;
    lsm_version *version = view_now(s)->version;
    lsm_busy busy = lsm_store_busy(s, picks);
    s->may_pick = lsm_pick_next(version, &s->config.shape, &busy, &pick) ||
                  lsm_pick_worn(version, &s->config.shape, &busy, &pick);
    if (!s->may_pick) return NULL;
    if (!must_wait(s, who, NULL)) return lsm_store_begin(s, &pick);
    lsm_pick_free(&pick);
    return NULL;
}

static bool is_passed_over(const lsm_store *s)
{
    return s->config.pass_over != NULL &&
           s->config.pass_over(s->config.pass_arg);
}

// The next job's turn, among compactions that nobody runs.
static lsm_job *next_compaction(lsm_store *s, seeker *who)
{
    lsm_job *last = NULL;
    for (size_t i = 0; i < s->job_count; i++) {
        lsm_job *job = s->jobs[s->turn++ % s->job_count];
        if (job->is_running || must_wait(s, who, job)) continue;
        last = job;
        if (!is_passed_over(s)) break;
    }
    return last;
}

// Lends out a job, or returns NULL. Flushes first: writers wait for them. What
// is passed over has its turn if there is nothing else.
static lsm_job *take_job(lsm_store *s, seeker *who)
{
    lsm_job *flush = s->flush;
    if (flush == NULL && view_now(s)->frozen_count > 0) flush = begin_flush(s);
    if (flush != NULL && flush->is_running) flush = NULL;
    lsm_job *job = flush;
    if (!who->only_flush && (job == NULL || is_passed_over(s))) {
        job = is_passed_over(s) ? NULL : pick_compaction(s, who);
        if (job == NULL) job = next_compaction(s, who);
        if (job == NULL) job = flush != NULL ? flush : pick_compaction(s, who);
    }
    if (job == NULL) return NULL;
    job->is_running = true;
    job->is_paced = keeps_rate(s, who, job);
    return job;
}

static void forget_job(lsm_store *s, const lsm_job *job)
{
    if (s->flush == job) s->flush = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < s->job_count; i++) {
        if (s->jobs[i] != job) s->jobs[kept++] = s->jobs[i];
    }
    s->job_count = kept;
}

void lsm_store_drop_jobs(lsm_store *s)
{
    if (s->flush != NULL) lsm_job_free(s->flush);
    kv_free(s->flush);
    s->flush = NULL;
    for (size_t i = 0; i < s->job_count; i++) {
        lsm_job_free(s->jobs[i]);
        kv_free(s->jobs[i]);
    }
    s->job_count = 0;
}

// ---- install ----------------------------------------------------------------

void lsm_store_all(lsm_store *s, const lsm_version *version, uint64_t log,
                   lsm_edit *out)
{
    *out = (lsm_edit){.what = LSM_EDIT_ALL,
                      .next = atomic_load(&s->next_number),
                      .log = log,
                      .last_seq = atomic_load(&s->gate.seq)};
    for (size_t i = 0; i < version->run_count; i++) {
        const lsm_run *run = &version->runs[i];
        for (size_t j = 0; j < run->count; j++) {
            lsm_edit_table t =
                lsm_table_facts(run->tables[j], run->level, run->id);
            lsm_edit_add(out, &t);
        }
    }
}

// The first log that is still needed when `flushed` (or NULL) is in a table.
static uint64_t first_log(lsm_store *s, const lsm_memtable *flushed)
{
    kv_mutex_lock(&s->work);
    const lsm_view *view = view_now(s);
    size_t count = view->frozen_count;
    if (flushed != NULL) count--; // the last one: S3
    const lsm_memtable *oldest =
        count > 0 ? view->frozen[count - 1] : view->active;
    uint64_t number = lsm_memtable_number(oldest);
    kv_mutex_unlock(&s->work);
    return number;
}

static void make_edit(lsm_store *s, const lsm_job *job, lsm_edit *edit)
{
    lsm_job_edit(job, edit);
    if (job->pick.is_move) {
        const lsm_pick_part *part = &job->pick.parts[0];
        lsm_edit_table t = lsm_table_facts(part->run->tables[part->first],
                                           job->level, job->run);
        edit->what = LSM_EDIT_MOVE;
        lsm_edit_add(edit, &t);
    }
    edit->log = first_log(s, job->memtable);
    edit->next = atomic_load(&s->next_number);
    edit->last_seq = atomic_load(&s->gate.seq);
}

static kv_status begin_manifest(lsm_store *s, const lsm_version *version,
                                uint64_t log, kv_why why)
{
    lsm_edit all;
    uint64_t number = lsm_store_new_number(s);
    lsm_store_all(s, version, log, &all);
    kv_status st = lsm_manifest_begin(&s->manifest, &all, number, why);
    lsm_edit_free(&all);
    return st;
}

// The edit becomes durable. One that has grown long is rolled over first; where
// there is no room for that, it goes on growing.
static kv_status log_edit(lsm_store *s, const lsm_edit *edit,
                          const lsm_version *after, kv_why why)
{
    bool is_long =
        lsm_manifest_bytes(&s->manifest) > s->config.manifest_bytes &&
        s->manifest.edits > after->table_count;
    if (s->manifest.log.file == NULL || is_long) {
        kv_status st = begin_manifest(s, after, edit->log, why);
        if (st != KV_NO_SPACE || s->manifest.log.file == NULL) return st;
    }
    return lsm_manifest_append(&s->manifest, edit, why);
}

kv_status lsm_store_note_close(lsm_store *s, const lsm_closed *closed)
{
    if (s->manifest.log.file == NULL || s->manifest.in_doubt) return KV_OK;
    lsm_edit edit = {.what = LSM_EDIT_CLOSE,
                     .next = atomic_load(&s->next_number),
                     .log = first_log(s, NULL),
                     .last_seq = atomic_load(&s->gate.seq),
                     .closed = *closed};
    return lsm_manifest_append(&s->manifest, &edit, kv_for(KV_FOR_META));
}

static void count_job(lsm_store *s, const lsm_job *job)
{
    lsm_level_tally *t = &s->levels[job->level];
    if (job->pick.is_move) t->moves++;
    else t->jobs++;
    t->bytes_in += job->bytes_in;
    t->bytes_out += job->bytes_out;
    t->entries_in += job->entries_in;
    t->entries_out += job->entries_out;
}

// Requires the work lock.
static void show_version(lsm_store *s, const lsm_job *job, lsm_version *after)
{
    lsm_view *before = view_now(s);
    size_t frozen = before->frozen_count - (job->memtable != NULL);
    lsm_view *view =
        lsm_view_new(before->active, before->frozen, frozen, after);
    lsm_gate_switch(&s->gate, view);
    s->ending_count++; // from here on nobody else knows that it is not over
    count_job(s, job);
    if (job->memtable != NULL) s->flush_failure = KV_OK;
    lsm_store_gauge(s, view);
    kv_cond_broadcast(&s->progress);
}

// The manifest no longer names them.
static void remove_inputs(lsm_store *s, const lsm_job *job,
                          const lsm_edit *edit)
{
    for (size_t i = 0; i < edit->removed_count && !job->pick.is_move; i++) {
        // One that cannot be removed is an orphan: the next open tries again.
        lsm_name name = lsm_table_name(edit->removed[i]);
        kv_status st = kv_disk_remove(s->config.disk, name.text, job->why);
        (void)st;
    }
    if (job->memtable != NULL) lsm_wal_retire(&s->wal, edit->log, job->why);
}

static kv_status install(lsm_store *s, const lsm_job *job)
{
    lsm_edit edit = {0};
    kv_mutex_lock(&s->install);
    kv_status st = KV_OK;
    if (job->output_count > 0) {
        st = kv_disk_sync_dir(s->config.disk, job->why); // X1
    }
    make_edit(s, job, &edit);
    // Only who has the install lock changes the version, but a freeze may
    // switch the view meanwhile.
    lsm_view *now = lsm_gate_view(&s->gate, NULL);
    lsm_version *after =
        lsm_version_after(now->version, &edit, job->outputs, job->output_count);
    lsm_view_unref(now);
    if (st == KV_OK) st = log_edit(s, &edit, after, job->why);
    if (st == KV_OK) {
        kv_mutex_lock(&s->work);
        show_version(s, job, after);
        kv_mutex_unlock(&s->work);
        remove_inputs(s, job, &edit); // X3
    }
    lsm_version_unref(after);
    lsm_edit_free(&edit);
    kv_mutex_unlock(&s->install);
    return st;
}

// ---- steps ------------------------------------------------------------------

// What a failed job leaves for others to know. Requires the work lock.
static void note_failure(lsm_store *s, const lsm_job *job, kv_status st)
{
    if (job->memtable != NULL) {
        s->flush_failure = st;
    } else {
        s->compact_failure = st;
        snprintf(s->compact_sentence, sizeof s->compact_sentence, "%s",
                 kv_last_error());
    }
    lsm_store_gauge(s, view_now(s));
    kv_cond_broadcast(&s->progress);
}

static void end_job(lsm_store *s, lsm_job *job, kv_status st)
{
    // Whether the manifest names them or not is in doubt after an I/O error:
    // then they stay, for the next open to see.
    if (st == KV_NO_SPACE || st == KV_CORRUPT) lsm_job_drop(job);
    if (st == KV_NO_SPACE) lsm_wal_yield_space(&s->wal); // for the next try
    kv_mutex_lock(&s->work);
    forget_job(s, job);
    s->may_pick = true; // what it claimed is free: only now, not at its install
    if (st != KV_OK) {
        note_failure(s, job, st);
        s->ending_count++;
    }
    lsm_gate_reclaim(&s->gate);
    kv_mutex_unlock(&s->work);
    lsm_job_free(job); // removed inputs that are still open take room
    kv_free(job);
    kv_mutex_lock(&s->work);
    s->ending_count--;
    kv_cond_broadcast(&s->progress);
    kv_mutex_unlock(&s->work);
}

enum { STEP_BYTES_MAX = 1 << 20, STEP_BYTES_MIN = 16 << 10 };

// A limited rate takes smaller steps, some ten of them in a second.
static uint64_t step_bytes(const lsm_store *s)
{
    uint64_t rate = s->config.rate_bytes, bytes = rate / 10;
    if (s->config.step_bytes > 0) return s->config.step_bytes;
    if (rate == 0 || bytes > STEP_BYTES_MAX) return STEP_BYTES_MAX;
    return bytes > STEP_BYTES_MIN ? bytes : STEP_BYTES_MIN;
}

static kv_status go_on(lsm_store *s, lsm_job *job)
{
    uint64_t before = lsm_job_written(job);
    kv_status st = job->pick.is_move ? KV_END : lsm_job_run(job, step_bytes(s));
    kv_mutex_lock(&s->work);
    if (job->is_paced) kv_rate_take(&s->rate, lsm_job_written(job) - before);
    job->is_running = st != KV_OK; // its end goes on with it
    kv_mutex_unlock(&s->work);
    if (st == KV_OK) return KV_OK;
    if (st == KV_END) st = install(s, job);
    end_job(s, job, st);
    return st;
}

static void wake(const lsm_store *s, uint64_t in_ns)
{
    if (s->config.wake != NULL) s->config.wake(s->config.wake_arg, in_ns);
}

void lsm_store_note_scan(lsm_store *s, const lsm_version *version)
{
    if (!lsm_level_0_is_worn(version) || atomic_load(&s->is_worn)) return;
    atomic_store(&s->is_worn, true);
    wake(s, 0);
}

static kv_status run_job(lsm_store *s, lsm_job *job)
{
    kv_status st = go_on(s, job);
    lsm_store_balance(s); // tables came, or went
    wake(s, 0);
    return st;
}

// Makes the log for the next freeze, so that no writer has to.
static kv_status make_spare(lsm_store *s, bool *did_work)
{
    if (s->config.steps_inline || lsm_wal_has_spare(&s->wal)) return KV_OK;
    KV_TRY(lsm_wal_prepare(&s->wal, &s->next_number, true));
    *did_work = true;
    return KV_OK;
}

// After an I/O error nobody knows what is on the disk (D4): nothing is tried
// again.
static kv_status stopped(void)
{
    return kv_fail(KV_IO, "housekeeping has stopped after an error; reopen "
                          "the store");
}

static kv_status step(lsm_store *s, seeker *who, bool *did_work)
{
    *did_work = false;
    kv_status spare = make_spare(s, did_work);
    if (spare != KV_OK && spare != KV_NO_SPACE) return spare;
    kv_mutex_lock(&s->work);
    bool has_stopped = s->flush_failure == KV_IO || s->compact_failure == KV_IO;
    lsm_job *job = has_stopped ? NULL : take_job(s, who);
    kv_mutex_unlock(&s->work);
    if (has_stopped) return stopped();
    // Where there is no room for a log, a job may make some; without one, there
    // is nothing to do until something else has changed.
    if (job == NULL) return spare;
    *did_work = true;
    return run_job(s, job);
}

kv_status lsm_store_step(lsm_store *s, bool *did_work)
{
    seeker who = {0};
    return step(s, &who, did_work);
}

kv_status lsm_store_paced_step(lsm_store *s, bool *did_work)
{
    seeker who = {.is_paced = true};
    kv_status st = step(s, &who, did_work);
    if (!*did_work && who.wait_ns > 0) wake(s, who.wait_ns);
    return st;
}

kv_status lsm_store_flush(lsm_store *s, size_t most)
{
    seeker who = {.only_flush = true};
    for (;;) {
        kv_mutex_lock(&s->work);
        if (s->flush_failure == KV_IO) {
            kv_mutex_unlock(&s->work);
            return stopped();
        }
        bool is_done = view_now(s)->frozen_count <= most;
        lsm_job *job = is_done ? NULL : take_job(s, &who);
        if (!is_done && job == NULL) { // somebody is at it
            (void)kv_cond_wait_for(&s->progress, &s->work, 1000 * 1000);
        }
        kv_mutex_unlock(&s->work);
        if (is_done) return KV_OK;
        if (job != NULL) KV_TRY(run_job(s, job));
    }
}
