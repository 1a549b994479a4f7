// house.c -- housekeeping: merges in steps, syncs, backups, and closing.
// SPDX-License-Identifier: MIT

#include "common/mem.h"

#include "hint.h"
#include "store.h"

enum {
    LOOK_BYTES = 256 << 10,     // written between two looks at the garbage
    EARLY_SYNC_BYTES = 1 << 20, // written, before a background step syncs them
    PERCENT_SEGMENT = 25,       // garbage_percent=0
    PERCENT_ALL = 50,
    MIN_SHARE = 8, // an eighth of a segment's garbage is worth a merge
    LEND_FACTOR = 4,
    PERCENT_SLACK = 5, // over the limit by this much, writers lend a hand
};

static const kv_why why_sync = {KV_FOR_DATA, false};
static const kv_why why_meta = {KV_FOR_META, false};

// ---- what to merge ----------------------------------------------------------

static unsigned percent_of(const log_store *store)
{
    unsigned percent = (unsigned)log_knob_of(store, LOG_KNOB_GARBAGE_PERCENT);
    if (percent > 0) return percent;
    bool all = log_knob_of(store, LOG_KNOB_MERGE) == LOG_MERGE_ALL;
    return all ? PERCENT_ALL : PERCENT_SEGMENT;
}

// What a merge would leave out of each segment; below[i] is the position below
// which tombstones are dropped by a run that begins there.
static void list_facts(const log_segment_list *list, log_pick_fact *facts,
                       uint32_t *below)
{
    uint32_t horizon = UINT32_MAX; // F5: the lowest of older files with dead
    for (size_t i = 0; i < list->count; i++) {
        const log_segment *s = list->at[i];
        log_facts f = log_segment_facts(s);
        uint64_t dead = f.entry_bytes - f.live_bytes - f.tombstone_bytes;
        bool drops = f.span.last < horizon;
        below[i] = horizon;
        facts[i] = (log_pick_fact){
            .bytes = f.entry_bytes,
            .garbage = dead + (drops ? f.tombstone_bytes : 0),
            .can_merge =
                atomic_load(&s->is_sealed) && !atomic_load(&s->is_damaged),
        };
        if (dead > 0 && f.horizon < horizon) horizon = f.horizon;
    }
}

// The next run of a round of merge=all, beginning one if it is time.
static log_run pick_all(log_store *store, const log_segment_list *list,
                        const log_pick_fact *facts, const log_pick_rule *rule)
{
    size_t count = list->count;
    if (store->round_from > store->round_last) { // no round is under way
        if (!log_pick_is_due(facts, count, rule)) return (log_run){0};
        store->round_from = 1;
        store->round_last = count > 0 ? list->at[count - 1]->span.last : 0;
    }
    size_t from = 0, limit = 0;
    while (from < count && list->at[from]->span.first < store->round_from) {
        from++;
    }
    while (limit < count && list->at[limit]->span.last <= store->round_last) {
        limit++;
    }
    log_run run = {0};
    if (from < limit) run = log_pick_round(facts, limit, from, rule);
    store->round_from =
        run.count == 0 ? store->round_last + 1
                       : list->at[run.first + run.count - 1]->span.last + 1;
    return run;
}

// On its own the house leaves a little garbage alone: a merge costs syncs.
// Asked to settle, it does not.
static log_pick_rule rule_of(log_store *store, bool is_asked)
{
    uint64_t limit = log_segment_limit(store);
    return (log_pick_rule){.segment_bytes = limit,
                           .percent = percent_of(store),
                           .garbage_min = is_asked ? 1 : limit / MIN_SHARE};
}

static log_run pick(log_store *store, const log_segment_list *list,
                    const log_pick_fact *facts, bool is_asked)
{
    log_pick_rule rule = rule_of(store, is_asked);
    bool all = log_knob_of(store, LOG_KNOB_MERGE) == LOG_MERGE_ALL;
    if (all) return pick_all(store, list, facts, &rule);
    return log_pick_emptiest(facts, list->count, &rule);
}

// The lowest position whose deletions the index may not have seen yet.
static uint32_t horizon_of(const log_segment_list *list)
{
    const log_segment *s = list->at[list->count - 1];
    return s->span.last + (atomic_load(&s->is_sealed) ? 1 : 0);
}

static kv_status begin_merge(log_store *store, const log_segment_list *list,
                             log_run run, uint32_t below, kv_why why)
{
    log_merge_plan plan = {
        .inputs = {kv_alloc(run.count * sizeof(log_segment *)), run.count},
        .last = list->at[run.first + run.count - 1]->span.last,
        .horizon = horizon_of(list),
        .drops_below = below,
        .why = why};
    for (size_t i = 0; i < run.count; i++) {
        plan.inputs.at[i] = list->at[run.first + i];
        log_segment_pin(plan.inputs.at[i]);
    }
    EXPLAIN(&store->base.explain, "merging %zu segment%s from %s on", run.count,
            run.count == 1 ? "" : "s",
            log_name_of(plan.inputs.at[0]->span, false).text);
    return log_merge_begin(&store->merge, plan);
}

typedef struct survey {
    log_segment_list list; // pinned
    log_pick_fact *facts;
    uint32_t *below;
} survey;

static survey begin_survey(log_store *store)
{
    survey v = {.list = log_segments_pin_all(&store->segments)};
    v.facts = kv_zalloc((v.list.count + 1) * sizeof *v.facts);
    v.below = kv_zalloc((v.list.count + 1) * sizeof *v.below);
    list_facts(&v.list, v.facts, v.below);
    return v;
}

static void end_survey(survey *v)
{
    kv_free(v->facts);
    kv_free(v->below);
    log_segment_list_free(&v->list);
}

static bool can_merge(const log_store *store)
{
    return log_knob_of(store, LOG_KNOB_MERGE) != LOG_MERGE_NEVER &&
           store->finder.index != NULL;
}

static kv_status look_for_work(log_store *store, kv_why why, bool is_asked,
                               bool *did_work)
{
    if (!can_merge(store)) return KV_OK;
    survey v = begin_survey(store);
    log_run run = pick(store, &v.list, v.facts, is_asked);
    kv_status st = KV_OK;
    if (run.count > 0) {
        st = begin_merge(store, &v.list, run, v.below[run.first], why);
        *did_work = st == KV_OK;
    }
    end_survey(&v);
    return st;
}

// ---- steps ------------------------------------------------------------------

typedef struct sync_job {
    log_store *store;
    log_segment *segment; // pinned
    uint64_t size;
    uint64_t unsynced_min; // do nothing for less
} sync_job;

static kv_status begin_sync(void *arg)
{
    sync_job *job = arg;
    log_segment *s = job->store->newest;
    if (s == NULL || s->log.size - s->log.synced_size < job->unsynced_min) {
        return KV_OK;
    }
    log_segment_pin(s);
    job->segment = s;
    job->size = s->log.size;
    return KV_OK;
}

static kv_status end_sync(void *arg)
{
    sync_job *job = arg;
    kv_recordlog *log = &job->segment->log;
    if (log->synced_size < job->size) log->synced_size = job->size;
    return KV_OK;
}

// Syncs the newest segment while writers go on appending to it.
static kv_status sync_newest(log_store *store, uint64_t unsynced_min,
                             kv_why why, bool *did_work)
{
    sync_job job = {.store = store, .unsynced_min = unsynced_min};
    KV_TRY(kv_commit_exclusive(&store->line, begin_sync, &job));
    if (job.segment == NULL) return KV_OK;
    kv_status st = kv_file_sync(job.segment->log.file, why);
    if (st == KV_OK) st = kv_commit_exclusive(&store->line, end_sync, &job);
    else log_fail(store, st);
    log_segment_unpin(job.segment);
    *did_work = true;
    return st;
}

// A merge that ran out of room, or found damage, changed nothing: that is not
// the store's failure. Doubt about what reached the disk is.
static kv_status judge(log_store *store, kv_status st)
{
    if (st == KV_OK || !store->merge.is_doubtful) return KV_OK;
    return log_fail(store, st);
}

// One step; requires work_lock.
static kv_status step(log_store *store, bool background, bool is_asked,
                      bool *did_work)
{
    log_merge *m = &store->merge;
    kv_why why = {KV_FOR_COMPACT, background};
    *did_work = false;
    if (atomic_load(&store->is_failed)) return KV_OK; // L3
    kv_status st = KV_OK;
    if (log_merge_is_under_way(m)) {
        m->plan.why = why;
        if (log_merge_is_copied(m)) {
            KV_TRY(sync_newest(store, 1, why, did_work)); // M6
        }
        st = log_merge_step(m);
        *did_work = st == KV_OK;
        if (st == KV_OK) atomic_store(&store->is_changed, true);
    } else {
        st = look_for_work(store, why, is_asked, did_work);
    }
    return judge(store, st);
}

static kv_status locked_step(log_store *store, bool background, bool is_asked,
                             bool *did_work)
{
    kv_mutex_lock(&store->work_lock);
    kv_status st = step(store, background, is_asked, did_work);
    kv_mutex_unlock(&store->work_lock);
    return st;
}

kv_status log_house_step(void *arg, bool *did_work)
{
    log_store *store = arg;
    *did_work = false;
    if (atomic_load(&store->is_failed)) return KV_OK;
    // Whoever fills a segment has to wait for its sync (F3). Doing most of it
    // beforehand, here, keeps that wait short.
    if (store->base.sync != KV_SYNC_COMMIT) {
        kv_why why = kv_for_background(KV_FOR_DATA);
        KV_TRY(sync_newest(store, EARLY_SYNC_BYTES, why, did_work));
    }
    bool merged = false;
    KV_TRY(locked_step(store, true, false, &merged));
    *did_work = *did_work || merged;
    return KV_OK;
}

// Whether garbage is so much over the limit that writers should slow down.
static bool is_behind(log_store *store)
{
    if (!can_merge(store)) return false;
    log_pick_rule rule = rule_of(store, false);
    rule.percent += PERCENT_SLACK;
    survey v = begin_survey(store);
    bool behind = log_pick_is_due(v.facts, v.list.count, &rule);
    end_survey(&v);
    return behind;
}

// Steps until four times as much was read as was written since the last look:
// with three quarters of a victim live, that is what it takes to keep up.
static kv_status lend_a_hand(log_store *store, uint64_t written)
{
    bool did_work = true;
    kv_status st = KV_OK;
    kv_mutex_lock(&store->work_lock);
    uint64_t limit = store->merge.read_bytes + LEND_FACTOR * written;
    while (st == KV_OK && did_work && store->merge.read_bytes < limit) {
        st = step(store, false, false, &did_work);
    }
    kv_mutex_unlock(&store->work_lock);
    return st;
}

kv_status log_house_look(log_store *store)
{
    // A check holds what merging needs; writers go on without.
    if (atomic_load(&store->is_checking)) return KV_OK;
    // With small segments, a look at least every quarter of one.
    uint64_t look = log_knob_of(store, LOG_KNOB_SEGMENT_BYTES) / 4;
    if (look == 0 || look > LOOK_BYTES) look = LOOK_BYTES;
    if (KV_LIKELY(atomic_load_explicit(&store->unlooked_bytes,
                                       memory_order_relaxed) < look)) {
        return KV_OK;
    }
    uint64_t written = atomic_exchange(&store->unlooked_bytes, 0);
    if (written < look) return KV_OK;
    if (store->workers.count > 0) {
        kv_workers_wake(&store->workers);
        if (!is_behind(store)) return KV_OK;
    }
    return lend_a_hand(store, written);
}

// ---- an unfinished past -----------------------------------------------------

kv_status log_house_finish_recovery(log_store *store)
{
    kv_mutex_lock(&store->work_lock);
    log_segment *s = atomic_load(&store->unsealed);
    kv_status st = KV_OK;
    if (s != NULL) {
        log_merge_plan plan = {
            .inputs = {kv_alloc(sizeof(log_segment *)), 1},
            .last = s->span.last,
            // Without an index all is kept, the dead as well.
            .horizon = store->finder.index ? s->span.last + 1 : 0,
            .drops_below = 0,
            .why = kv_for(KV_FOR_RECOVERY)};
        log_segment_pin(s);
        plan.inputs.at[0] = s;
        st = log_merge_begin(&store->merge, plan);
        while (st == KV_OK && log_merge_is_under_way(&store->merge)) {
            st = log_merge_step(&store->merge);
        }
        if (st == KV_OK) {
            atomic_store(&store->unsealed, NULL);
            atomic_store(&store->is_changed, true);
        } else if (store->merge.is_doubtful) {
            log_fail(store, st);
        }
    }
    kv_mutex_unlock(&store->work_lock);
    return st;
}

// ---- what users ask for -----------------------------------------------------

// When nothing else is left, garbage may sit in the segment being written.
static kv_status seal_if_garbage(log_store *store, bool *did_work)
{
    if (!can_merge(store)) return KV_OK;
    log_pick_rule rule = rule_of(store, true);
    survey v = begin_survey(store);
    size_t count = v.list.count;
    bool should_seal = count > 0 && log_pick_is_due(v.facts, count, &rule) &&
                       !atomic_load(&v.list.at[count - 1]->is_sealed) &&
                       log_pick_is_due(&v.facts[count - 1], 1, &rule);
    end_survey(&v);
    if (!should_seal) return KV_OK;
    KV_TRY(kv_commit_exclusive(&store->line, log_seal_newest, store));
    *did_work = true;
    return KV_OK;
}

kv_status log_maintain(kv *db, bool *did_work)
{
    log_store *store = log_store_of(db);
    if (atomic_load(&store->unsealed)) {
        KV_TRY(log_house_finish_recovery(store));
    }
    KV_TRY(locked_step(store, false, true, did_work));
    return *did_work ? KV_OK : seal_if_garbage(store, did_work);
}

kv_status log_sync(kv *db)
{
    log_store *store = log_store_of(db);
    bool did_work;
    if (atomic_load(&store->unsealed)) {
        KV_TRY(log_house_finish_recovery(store));
    }
    return sync_newest(store, 1, why_sync, &did_work);
}

// ---- backup -----------------------------------------------------------------

static kv_status link_all(log_store *store, kv_disk *target)
{
    log_segment_list list = log_segments_pin_all(&store->segments);
    kv_status st = KV_OK;
    for (size_t i = 0; i < list.count && st == KV_OK; i++) {
        log_segment *s = list.at[i];
        if (!atomic_load(&s->is_sealed)) continue; // begun since
        log_name name = log_name_of(s->span, false);
        st = kv_disk_share(store->base.disk, name.text, target, why_meta);
    }
    log_segment_list_free(&list);
    return st == KV_OK ? kv_disk_sync_dir(target, why_meta) : st;
}

kv_status log_backup(kv *db, kv_disk *target)
{
    log_store *store = log_store_of(db);
    if (atomic_load(&store->unsealed)) {
        KV_TRY(log_house_finish_recovery(store));
    }
    // No merge may be installed between two links: the copy needs every
    // position exactly once (F1). Reads and writes go on.
    kv_mutex_lock(&store->work_lock);
    kv_status st = kv_commit_exclusive(&store->line, log_seal_newest, store);
    if (st == KV_OK) st = link_all(store, target);
    kv_mutex_unlock(&store->work_lock);
    return st;
}

// ---- close ------------------------------------------------------------------

static kv_status seal_and_hint(log_store *store)
{
    bool has_hints = log_knob_of(store, LOG_KNOB_HINTS) != 0;
    if (store->unsealed != NULL) return KV_OK; // there was no room to rewrite
    KV_TRY(log_seal_newest(store));
    if (!store->is_changed) return KV_OK;
    return log_hint_save(store->base.disk, store->base.store_id,
                         &store->segments,
                         has_hints ? store->finder.index : NULL);
}

static kv_status finish_files(log_store *store)
{
    // An open that was refused must not sum up what it read of the rest.
    if (!store->is_recovered || store->is_failed ||
        store->segments.count == 0) {
        return KV_OK;
    }
    kv_status st = seal_and_hint(store);
    if (st != KV_NO_SPACE) return st;
    // Nothing is lost: the next open reads what this one could not sum up.
    bool did_work;
    return sync_newest(store, 1, why_sync, &did_work);
}

kv_status log_close(kv *db)
{
    log_store *store = log_store_of(db);
    kv_workers_close(&store->workers);
    log_merge_free(&store->merge);
    kv_status st = store->line.run != NULL ? finish_files(store) : KV_OK;
    log_segments_free(&store->segments);
    log_index_free(&store->index);
    if (store->line.run != NULL) {
        kv_commit_close(&store->line);
        kv_mutex_free(&store->work_lock);
    }
    kv_free(store->group);
    kv_buf_free(&store->payload);
    kv_buf_free(&store->old_bytes);
    kv_buf_free(&store->old.view.text);
    return st;
}
