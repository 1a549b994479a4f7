// store.c -- opening, closing and writing; see store.h.
// SPDX-License-Identifier: MIT

#include "store.h"

#include <inttypes.h>

#include "common/mem.h"

static kv_status write_group(void *arg, const kv_commit_entry *entries,
                             size_t count);

uint64_t lsm_store_new_number(lsm_store *s)
{
    return atomic_fetch_add(&s->next_number, 1);
}

// ---- open and close ---------------------------------------------------------

static void furnish(lsm_store *s)
{
    const lsm_config *config = &s->config;
    s->cache = lsm_cache_new(config->memory_bytes, config->block_bytes);
    lsm_cache_watch(s->cache, lsm_store_note_lack, s);
    s->shop = (lsm_workshop){
        .home = {.disk = config->disk,
                 .cache = s->cache,
                 .use_map = config->use_map,
                 .explain = s->explain,
                 .memory_bytes = &s->resident_bytes},
        .store_id = config->store_id,
        .next_number = &s->next_number,
        .block_bytes = config->block_bytes,
        .bits_per_key = config->bits_per_key,
        .allots_bits = config->allots_bits,
        .is_background = !config->steps_inline,
    };
    uint64_t bytes = config->table_bytes;
    for (uint32_t i = LSM_LEVELS; i-- > 0;) {
        bool is_last = i == LSM_LEVELS - 1;
        s->shop.compression[i] =
            is_last ? config->last_compression : config->compression;
        s->shop.table_bytes[i] = bytes;
        if (config->table_growth > 1) bytes /= config->table_growth;
        if (bytes < config->block_bytes) bytes = config->block_bytes;
    }
}

// With nobody in the background, a store that is opened for a write or two and
// closed again, over and over, would only ever gain runs of level 0. So an
// opening that made one does a compaction, if one is due: not more, since
// somebody waits. What it cannot finish is as in do_steps.
static kv_status compact_once(lsm_store *s)
{
    bool did_work = s->config.steps_inline && !s->config.read_only;
    while (did_work) {
        kv_status st = lsm_store_step(s, &did_work);
        if (st == KV_NO_SPACE || st == KV_CORRUPT) return KV_OK;
        KV_TRY(st);
        if (s->job_count == 0) return KV_OK; // that was its last step
    }
    return KV_OK;
}

kv_status lsm_store_open(lsm_store *s, const lsm_config *config,
                         const kv_explainer *explain)
{
    s->config = *config;
    s->config.shape.repacks_last =
        config->last_compression != config->compression;
    s->explain = explain;
    s->rate.bytes = config->rate_bytes;
    kv_mutex_init(&s->install);
    kv_mutex_init(&s->work);
    kv_cond_init(&s->progress);
    s->has_locks = true;
    furnish(s);
    s->manifest.disk = config->disk;
    s->manifest.store_id = config->store_id;
    lsm_wal_open(&s->wal, config->disk, config->store_id, config->sync_commits);
    kv_commit_open(&s->line, write_group, s);
    KV_TRY(lsm_store_recover(s));
    if (s->has_new_run) KV_TRY(compact_once(s));
    lsm_store_rest(s);
    return KV_OK;
}

static kv_status close_files(lsm_store *s)
{
    bool seals = !s->config.read_only;
    lsm_closed closed;
    kv_status st = lsm_wal_close(&s->wal, seals, &closed);
    if (st == KV_OK && closed.log != 0) st = lsm_store_note_close(s, &closed);
    kv_status shut = lsm_manifest_close(&s->manifest, seals && st == KV_OK);
    return st != KV_OK ? st : shut;
}

kv_status lsm_store_close(lsm_store *s)
{
    if (!s->has_locks) return KV_OK;
    lsm_store_drop_jobs(s);
    kv_status st = close_files(s);
    lsm_gate_close(&s->gate);
    lsm_attic_empty(&s->attic);
    kv_commit_close(&s->line);
    lsm_cache_free(s->cache);
    s->cache = NULL;
    kv_cond_free(&s->progress);
    kv_mutex_free(&s->work);
    kv_mutex_free(&s->install);
    s->has_locks = false;
    return st;
}

// ---- freeze -----------------------------------------------------------------

kv_status lsm_store_freeze(lsm_store *s)
{
    // Where there is no room for a new log, the next writer tries again.
    KV_TRY(lsm_wal_prepare(&s->wal, &s->next_number, false));
    lsm_wal_switch(&s->wal);
    lsm_memtable *old = s->active;
    s->active = lsm_store_new_memtable(s, s->wal.active.id.number,
                                       lsm_memtable_prefix(old));
    kv_mutex_lock(&s->work);
    lsm_view *before = atomic_load(&s->gate.current);
    lsm_memtable *frozen[LSM_FROZEN_MAX] = {old};
    for (size_t i = 0; i < before->frozen_count; i++) {
        frozen[i + 1] = before->frozen[i];
    }
    lsm_view *view = lsm_view_new(s->active, frozen, before->frozen_count + 1,
                                  before->version);
    lsm_memtable_unref(s->active); // the view's reference keeps it
    lsm_gate_switch(&s->gate, view);
    if (s->compact_failure == KV_NO_SPACE) { // there may be room now
        s->compact_failure = KV_OK;
        s->may_pick = true;
    }
    lsm_store_gauge(s, view);
    atomic_fetch_add(&s->freezes, 1);
    kv_mutex_unlock(&s->work);
    return KV_OK;
}

// Waits until a memtable may be frozen (S4). With nobody in the background, or
// if that has failed, the writer flushes.
static kv_status wait_for_room(lsm_store *s)
{
    size_t most = s->config.frozen_max - 1;
    bool must_flush = s->config.steps_inline || s->must_flush;
    kv_mutex_lock(&s->work);
    bool has_stopped = false;
    while (!must_flush && atomic_load(&s->gate.current)->frozen_count > most) {
        must_flush = s->flush_failure != KV_OK;
        if (must_flush) break;
        if (!has_stopped) s->stops++;
        has_stopped = true;
        // Not for ever: who does the housekeeping may have been told to stop.
        (void)kv_cond_wait_for(&s->progress, &s->work, 10 * 1000 * 1000);
    }
    kv_mutex_unlock(&s->work);
    if (has_stopped) {
        EXPLAIN(s->explain, "%zu memtables were frozen: waited for a flush",
                most + 1);
    }
    return must_flush ? lsm_store_flush(s, s->must_flush ? 0 : most) : KV_OK;
}

// After a freeze, with nobody in the background: everything there is to do. A
// compaction that fails is not this writer's failure; maintain will tell.
static kv_status do_steps(lsm_store *s)
{
    KV_TRY(lsm_store_flush(s, 0));
    for (bool did_work = true; did_work;) {
        kv_status st = lsm_store_step(s, &did_work);
        if (st == KV_NO_SPACE || st == KV_CORRUPT) return KV_OK;
        KV_TRY(st);
    }
    return KV_OK;
}

// Sees to an active memtable that is not full and a log that is open.
static kv_status make_room(lsm_store *s)
{
    bool is_full = lsm_memtable_bytes(s->active) >= s->memtable_bytes;
    if (!is_full && s->wal.active.file != NULL && !s->must_flush) return KV_OK;
    KV_TRY(wait_for_room(s));
    KV_TRY(lsm_store_freeze(s));
    if (is_full) {
        EXPLAIN(s->explain,
                "active memtable: full, so it is frozen and %s; log %" PRIu64
                " and an empty one take over",
                s->config.steps_inline ? "flushed at once" : "will be flushed",
                s->wal.active.id.number);
    }
    if (s->must_flush) KV_TRY(lsm_store_flush(s, 0));
    s->must_flush = false;
    return s->config.steps_inline ? do_steps(s) : KV_OK;
}

// ---- write ------------------------------------------------------------------

static void apply_change(lsm_store *s, const kv_change *change)
{
    uint64_t seq = ++s->seq;
    if (change->kind == KV_DEL_RANGE) {
        lsm_range_tombstone range = {change->key, change->value, seq};
        lsm_memtable_add_range(s->active, &range);
    } else {
        lsm_entry e = {change->key, change->value, seq, (lsm_kind)change->kind};
        lsm_memtable_add(s->active, &e);
    }
}

static uint64_t bytes_of(const kv_commit_entry *entries, size_t count)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < entries[i].count; j++) {
            bytes +=
                entries[i].changes[j].key.len + entries[i].changes[j].value.len;
        }
    }
    return bytes;
}

static kv_status write_group(void *arg, const kv_commit_entry *entries,
                             size_t count)
{
    lsm_store *s = arg;
    if (s->pressure > 0) lsm_store_delay(s, bytes_of(entries, count));
    KV_TRY(make_room(s));
    KV_TRY(lsm_wal_write(&s->wal, entries, count,
                         s->config.sync_commits)); // S1
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < entries[i].count; j++) {
            apply_change(s, &entries[i].changes[j]);
        }
    }
    // All of the group at once, to readers.
    atomic_store_explicit(&s->gate.seq, s->seq, memory_order_release);
    EXPLAIN(s->explain,
            "log %" PRIu64 ": ends at %" PRIu64 " now, %s; active memtable: "
            "%" PRIu64 " entries, newest sequence number %" PRIu64,
            s->wal.active.id.number, s->wal.active.size,
            s->config.sync_commits ? "synced" : "not synced",
            lsm_memtable_count(s->active), s->seq);
    return KV_OK;
}

kv_status lsm_store_write(lsm_store *s, const kv_change *changes, size_t count)
{
    return kv_commit(&s->line, changes, count);
}

static kv_status sync_logs(void *arg)
{
    lsm_store *s = arg;
    return lsm_wal_sync(&s->wal);
}

kv_status lsm_store_sync(lsm_store *s)
{
    return kv_commit_exclusive(&s->line, sync_logs, s);
}
