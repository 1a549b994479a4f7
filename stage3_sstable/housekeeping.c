// housekeeping.c -- flushing and merging, a bounded step at a time; backup.
// SPDX-License-Identifier: MIT
//
// A flush and a merge are the same job with other inputs:
//
//   flush               frozen memtable                    ─▶ newest segment
//   flush, merge=all    frozen memtable and all segments   ─▶ the one segment
//   merge               all segments there are at its start ─▶ oldest segment
//
// start ──▶ run (some MiB, again and again) ──▶ install: segment synced, named,
// catalog switched, view switched, inputs removed (T1, W2).

#include <inttypes.h>
#include <stdio.h>

#include "common/mem.h"

#include "builder.h"
#include "store.h"

enum { STEP_BYTES = 4 << 20 };
enum { SPARED_SHARE = 16 }; // of a memtable: dead bytes not worth a merge

typedef struct sst_job {
    sst_memtable *memtable; // NULL: a merge of segments only
    sst_segment **inputs;   // the oldest `count` of the store, newest first
    size_t count;
    bool drops_tombstones; // W4
    sst_merge merge;
    sst_builder builder;
    sst_segment_id id; // of the output
    kv_why why;
    bool has_output;
} sst_job;

static void free_job(sst_job *job)
{
    if (job == NULL) return;
    sst_merge_free(&job->merge);
    sst_builder_close(&job->builder);
    sst_memtable_unref(job->memtable);
    for (size_t i = 0; i < job->count; i++) sst_segment_unref(job->inputs[i]);
    kv_free(job->inputs);
    kv_free(job);
}

void sst_store_drop_jobs(sst_store *s)
{
    free_job(s->flush);
    free_job(s->merge);
    s->flush = s->merge = NULL;
    sst_census_free(&s->census);
}

// ---- start ------------------------------------------------------------------

static kv_status add_inputs(sst_job *job)
{
    uint32_t rank = 0;
    kv_slice all = {0};
    if (job->memtable != NULL) {
        KV_TRY(sst_merge_add(
            &job->merge,
            sst_memtable_scan(job->memtable, all, all, false, SST_SEQ_MAX),
            rank++));
    }
    for (size_t i = 0; i < job->count; i++) {
        KV_TRY(sst_merge_add(
            &job->merge,
            sst_segment_scan(job->inputs[i], all, all, false, job->why),
            rank++));
    }
    return KV_OK;
}

static kv_why job_why(const sst_store *s, kv_reason reason)
{
    return s->config.steps_inline ? kv_for(reason) : kv_for_background(reason);
}

// A job over `memtable` (or NULL) and the `count` oldest segments of the view.
static kv_status start(sst_store *s, sst_memtable *memtable, size_t count,
                       sst_job **out)
{
    sst_view *view = sst_store_view(s);
    sst_job *job = kv_zalloc(sizeof *job);
    job->why = job_why(s, count > 0 ? KV_FOR_COMPACT : KV_FOR_FLUSH);
    if (memtable != NULL) job->memtable = sst_memtable_ref(memtable);
    job->inputs = kv_alloc((count + 1) * sizeof(sst_segment *));
    for (; job->count < count; job->count++) {
        size_t i = view->count - count + job->count;
        job->inputs[job->count] = sst_segment_ref(view->segments[i]);
    }
    job->drops_tombstones = count == view->count;
    job->id = (sst_segment_id){s->config.store_id, sst_store_new_number(s)};
    sst_view_unref(view);
    kv_status st = add_inputs(job);
    if (st != KV_OK) {
        free_job(job);
        return st;
    }
    *out = job;
    return KV_OK;
}

// ---- run --------------------------------------------------------------------

static kv_status add_to_output(sst_store *s, sst_job *job,
                               const sst_entry *entry)
{
    if (entry->is_tombstone && job->drops_tombstones) return KV_OK;
    if (!job->has_output) {
        // Opened with the first entry: a merge may have none to keep.
        KV_TRY(sst_builder_open(&job->builder, s->config.disk, &job->id,
                                s->codec, s->config.index_bytes, job->why));
        job->has_output = true;
    }
    return sst_builder_add(&job->builder, entry);
}

// Merges until the output grew by STEP_BYTES; KV_END when nothing is left.
// What is read counts, too: a step over nothing but garbage ends as well.
static kv_status run(sst_store *s, sst_job *job)
{
    uint64_t bytes = 0;
    while (bytes < STEP_BYTES) {
        sst_entry entry;
        KV_TRY(sst_merge_next(&job->merge, &entry));
        bytes += entry.key.len + entry.value.len;
        KV_TRY(add_to_output(s, job, &entry));
    }
    return KV_OK;
}

// ---- install ----------------------------------------------------------------

// The segments after the job: those newer than its inputs, then its output.
static size_t list_segments(const sst_view *view, const sst_job *job,
                            sst_segment *output, sst_segment **out)
{
    size_t newer = job->memtable != NULL ? 0 : view->count - job->count;
    size_t count = 0;
    for (size_t i = 0; i < newer; i++) out[count++] = view->segments[i];
    if (output != NULL) out[count++] = output;
    for (size_t i = newer; i < view->count - job->count; i++) {
        out[count++] = view->segments[i];
    }
    return count;
}

static void add_segments(sst_catalog *c, const sst_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        const sst_segment *segment = view->segments[i];
        sst_catalog_add(c, segment->id.number, segment->file_bytes,
                        segment->is_merged);
    }
}

kv_status sst_store_write_catalog(const sst_config *config, kv_disk *disk,
                                  const sst_view *view, uint64_t next,
                                  uint64_t log, kv_why why)
{
    sst_catalog c = {.is_text = config->is_text, .next = next, .log = log};
    add_segments(&c, view);
    kv_status st = sst_catalog_write(disk, config->store_id, &c, why);
    sst_catalog_free(&c);
    return st;
}

static uint64_t first_log(const sst_view *view)
{
    return sst_memtable_number(view->frozen ? view->frozen : view->active);
}

kv_status sst_store_write_last_catalog(sst_store *s)
{
    sst_catalog c = {.is_text = s->config.is_text,
                     .next = atomic_load(&s->next_number),
                     .log = first_log(s->view),
                     .closed = {s->log.id.number, s->log.size}};
    add_segments(&c, s->view);
    kv_status st = sst_catalog_write(s->config.disk, s->config.store_id, &c,
                                     kv_for(KV_FOR_META));
    sst_catalog_free(&c);
    return st == KV_NO_SPACE ? KV_OK : st;
}

// The view after the job.
static sst_view *make_view(const sst_view *old, const sst_job *job,
                           sst_segment *output)
{
    sst_segment **segments = kv_alloc((old->count + 1) * sizeof(sst_segment *));
    size_t count = list_segments(old, job, output, segments);
    sst_memtable *frozen = job->memtable != NULL ? NULL : old->frozen;
    sst_view *view = sst_view_new(old->active, frozen, segments, count);
    kv_free(segments);
    return view;
}

// The catalog no longer names them. One that cannot be removed is an orphan:
// the next open tries again (T2).
static void remove_inputs(sst_store *s, const sst_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        sst_name name = sst_segment_name(job->inputs[i]->id.number);
        kv_status st = kv_disk_remove(s->config.disk, name.text, job->why);
        (void)st;
    }
    if (job->memtable == NULL) return;
    sst_name name = sst_log_name(sst_memtable_number(job->memtable));
    kv_status st = kv_disk_remove(s->config.disk, name.text, job->why);
    (void)st;
}

static kv_status finish_output(sst_store *s, sst_job *job, sst_segment **out)
{
    if (!job->has_output) return KV_OK;
    KV_TRY(sst_builder_finish(&job->builder));
    KV_TRY(kv_disk_sync_dir(s->config.disk, job->why)); // T1
    return sst_segment_open(s->config.disk, &job->id, s->config.use_map,
                            job->why, out);
}

static kv_status install(sst_store *s, sst_job *job)
{
    sst_segment *output = NULL;
    KV_TRY(finish_output(s, job, &output));
    if (output != NULL) output->is_merged = job->count > 0;
    sst_view *old = sst_store_view(s);
    sst_view *view = make_view(old, job, output);
    kv_status st = sst_store_write_catalog(&s->config, s->config.disk, view,
                                           atomic_load(&s->next_number),
                                           first_log(view), job->why);
    if (st == KV_OK) {
        sst_store_set_view(s, sst_view_ref(view));
        remove_inputs(s, job);
    }
    sst_view_unref(view);
    sst_view_unref(old);
    sst_segment_unref(output);
    return st;
}

// ---- steps ------------------------------------------------------------------

// Goes on with the job, whose inputs are there; frees it when it is done or
// has failed (its inputs are as they were).
static kv_status go_on(sst_store *s, sst_job **job)
{
    kv_status st = run(s, *job);
    if (st == KV_OK) return KV_OK;
    if (st == KV_END) st = install(s, *job);
    free_job(*job);
    *job = NULL;
    return st;
}

// Has the last census seen all there is?
static bool is_counted(const sst_store *s, const sst_view *view)
{
    return view->count < 2 || view->segments[0]->id.number == s->counted;
}

static bool needs_merge(const sst_store *s, const sst_view *view)
{
    size_t flushed = 0;
    if (view->count < 2) return false;
    if (s->config.merge != SST_MERGE_EVERY) {
        return s->config.merge == SST_MERGE_ALL;
    }
    for (size_t i = 0; i < view->count; i++) {
        flushed += !view->segments[i]->is_merged;
    }
    return flushed >= s->config.every ||
           (s->mostly_dead && is_counted(s, view));
}

static kv_status flush_step(sst_store *s, const sst_view *view)
{
    bool takes_all = s->config.merge == SST_MERGE_ALL && s->merge == NULL;
    if (s->flush == NULL) {
        KV_TRY(start(s, view->frozen, takes_all ? view->count : 0, &s->flush));
    }
    return go_on(s, &s->flush);
}

// A merge that meets damage stops merging, not the store: its inputs stay as
// they are, and check says what is wrong with them.
static kv_status judge_merge(sst_store *s, kv_status st)
{
    if (st != KV_CORRUPT) return st;
    s->merge_failure = st;
    snprintf(s->merge_sentence, sizeof s->merge_sentence, "%s",
             kv_last_error());
    return st;
}

static kv_status expect_merging(const sst_store *s)
{
    if (s->merge_failure == KV_OK) return KV_OK;
    return kv_fail(s->merge_failure, "merging has stopped: %s",
                   s->merge_sentence);
}

static kv_status merge_step(sst_store *s, const sst_view *view)
{
    KV_TRY(expect_merging(s));
    kv_status st = KV_OK;
    if (s->merge == NULL) st = start(s, NULL, view->count, &s->merge);
    if (st == KV_OK) st = go_on(s, &s->merge);
    return judge_merge(s, st);
}

kv_status sst_store_step_locked(sst_store *s, bool *did_work)
{
    kv_status st = KV_OK;
    sst_view *view = sst_store_view(s);
    *did_work = true;
    if (view->frozen != NULL) {
        st = flush_step(s, view);
    } else if (s->merge != NULL || needs_merge(s, view)) {
        st = merge_step(s, view);
    } else {
        *did_work = false;
    }
    sst_view_unref(view);
    return st;
}

kv_status sst_store_step(sst_store *s, bool *did_work)
{
    kv_mutex_lock(&s->work);
    kv_status st = sst_store_step_locked(s, did_work);
    kv_mutex_unlock(&s->work);
    return st;
}

kv_status sst_store_flush_locked(sst_store *s)
{
    for (;;) {
        sst_view *view = sst_store_view(s);
        bool is_done = view->frozen == NULL;
        kv_status st = is_done ? KV_OK : flush_step(s, view);
        sst_view_unref(view);
        if (is_done || st != KV_OK) return st;
    }
}

// ---- settling ---------------------------------------------------------------

static kv_status count_some(sst_store *s, const sst_view *view)
{
    kv_status st = KV_OK;
    if (!s->is_counting) {
        s->is_counting = true;
        s->counted = view->segments[0]->id.number;
        st = sst_census_begin(&s->census, view, s->codec,
                              job_why(s, KV_FOR_COMPACT));
    }
    if (st == KV_OK) st = sst_census_step(&s->census, STEP_BYTES);
    return st;
}

static void end_census(sst_store *s, kv_status st)
{
    uint64_t dead = s->census.all_bytes - s->census.live_bytes;
    s->mostly_dead = dead > s->census.live_bytes &&
                     dead > s->config.memtable_bytes / SPARED_SHARE;
    if (st != KV_END) s->counted = 0;
    s->is_counting = false;
    sst_census_free(&s->census);
}

// Sets *did_work if it counted: then a merge may be due.
static kv_status census_step(sst_store *s, bool *did_work)
{
    kv_mutex_lock(&s->work);
    sst_view *view = sst_store_view(s);
    kv_status st = KV_OK;
    if (s->is_counting || !is_counted(s, view)) {
        *did_work = true;
        st = expect_merging(s);
        if (st == KV_OK) st = judge_merge(s, count_some(s, view));
        if (st != KV_OK) end_census(s, st);
    }
    sst_view_unref(view);
    kv_mutex_unlock(&s->work);
    return st == KV_END ? KV_OK : st;
}

static kv_status freeze_now(void *arg)
{
    sst_store *s = arg;
    kv_mutex_lock(&s->work);
    kv_status st = sst_store_flush_locked(s);
    if (st == KV_OK && sst_memtable_count(s->active) > 0) {
        st = sst_store_freeze(s);
    }
    kv_mutex_unlock(&s->work);
    return st;
}

kv_status sst_store_settle_step(sst_store *s, bool *did_work)
{
    KV_TRY(sst_store_step(s, did_work));
    if (*did_work) return KV_OK;
    uint64_t before = atomic_load(&s->next_number);
    KV_TRY(kv_commit_exclusive(&s->line, freeze_now, s));
    *did_work = atomic_load(&s->next_number) != before;
    if (*did_work || s->config.merge != SST_MERGE_EVERY) return KV_OK;
    return census_step(s, did_work);
}

// ---- backup -----------------------------------------------------------------

static kv_status link_segments(sst_store *s, const sst_view *view,
                               kv_disk *target)
{
    for (size_t i = 0; i < view->count; i++) {
        sst_name name = sst_segment_name(view->segments[i]->id.number);
        KV_TRY(kv_disk_share(s->config.disk, name.text, target,
                             kv_for(KV_FOR_META)));
    }
    return KV_OK;
}

// A store that may not change holds in memory what is in its logs: that becomes
// a segment of the copy.
static kv_status add_memtable(sst_store *s, sst_view **view, kv_disk *target)
{
    sst_memtable *m = (*view)->active;
    if (!s->config.read_only || sst_memtable_count(m) == 0) return KV_OK;
    sst_segment *newest = NULL;
    KV_TRY(sst_store_shelve(s, m, target, &newest));
    size_t count = (*view)->count + 1;
    sst_segment **segments = kv_alloc(count * sizeof(sst_segment *));
    segments[0] = newest;
    for (size_t i = 1; i < count; i++) segments[i] = (*view)->segments[i - 1];
    sst_view *with = sst_view_new(m, NULL, segments, count);
    kv_free(segments);
    sst_segment_unref(newest); // the view's reference keeps it
    sst_view_unref(*view);
    *view = with;
    return KV_OK;
}

// A new log, and a catalog that names it and all segments. Making the log also
// makes their names durable (T1).
static kv_status write_rest(sst_store *s, const sst_view *view, kv_disk *target)
{
    kv_why why = kv_for(KV_FOR_META);
    uint64_t number = sst_store_new_number(s);
    kv_recordlog log = {0};
    KV_TRY(sst_log_create(&s->config, target, number, 0, &log));
    kv_status st = kv_recordlog_seal(&log, why);
    kv_status closed = kv_recordlog_close(&log);
    KV_TRY(st != KV_OK ? st : closed);
    return sst_store_write_catalog(&s->config, target, view, number + 1, number,
                                   why);
}

// The work lock keeps the segments from being merged away while they are
// linked; readers and writers go on.
kv_status sst_store_backup(sst_store *s, kv_disk *target)
{
    bool flushes = !s->config.read_only;
    if (flushes) KV_TRY(kv_commit_exclusive(&s->line, freeze_now, s));
    kv_mutex_lock(&s->work);
    kv_status st = flushes ? sst_store_flush_locked(s) : KV_OK;
    sst_view *view = sst_store_view(s);
    if (st == KV_OK) st = link_segments(s, view, target);
    if (st == KV_OK) st = add_memtable(s, &view, target);
    if (st == KV_OK) st = write_rest(s, view, target);
    sst_view_unref(view);
    kv_mutex_unlock(&s->work);
    return st;
}
