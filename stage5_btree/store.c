// store.c -- open, close, and commits; see store.h.
// SPDX-License-Identifier: MIT

#include "store.h"

#include <inttypes.h>

#include "common/mem.h"

static kv_status write_group(void *arg, const kv_commit_entry *entries,
                             size_t count);

// ---- open and close ---------------------------------------------------------

kv_status bt_store_open(bt_store *s, const bt_config *config,
                        const kv_explainer *explain)
{
    s->config = *config;
    s->explain = explain;
    kv_mutex_init(&s->work);
    s->has_work_lock = true;
    kv_commit_open(&s->line, write_group, s);
    bt_wal_init(&s->wal, config->disk, config->store_id, config->sync_commits);
    s->tx.explain = explain;
    s->tx.cache = &s->cache;
    kv_status st = bt_store_recover(s);
    if (st != KV_OK) s->lacks_twin = false; // what is refused stays as it is
    return st;
}

kv_status bt_store_close(bt_store *s)
{
    bt_closed closed;
    bt_store_drop_job(s);
    kv_status st = bt_wal_close(&s->wal, &closed);
    if (st == KV_OK) st = bt_store_write_twin(s, &closed);
    kv_status shut = kv_file_close(s->file);
    s->file = NULL;
    bt_tx_free(&s->tx);
    bt_squeeze_free(&s->squeeze);
    bt_cache_close(&s->cache);
    kv_buf_free(&s->scratch);
    kv_commit_close(&s->line);
    if (s->has_work_lock) kv_mutex_free(&s->work);
    s->has_work_lock = false;
    return st != KV_OK ? st : shut;
}

bool bt_store_in_doubt(const bt_store *s)
{
    return atomic_load(&s->in_doubt) || atomic_load(&s->wal.in_doubt);
}

// Who waited for a turn while a sync failed: the next one may be good, and then
// says nothing of what the failed one lost.
kv_status bt_store_expect_sure(const bt_store *s)
{
    if (!bt_store_in_doubt(s)) return KV_OK;
    return kv_fail(KV_READ_ONLY, "a sync has failed: reopen the store to "
                                 "write");
}

// ---- when to write back -----------------------------------------------------

enum { LOG_TOO_LONG = 4 }; // checkpoints' worth of log; then writers wait

// So many pages are dirty that evict may soon find no other (K5).
static bool has_too_many(const bt_store *s, size_t margin)
{
    size_t dirty = atomic_load(&s->cache.dirty_count);
    return dirty + margin > bt_cache_dirty_max(&s->cache);
}

// Pages that the cache would evict if they were not dirty: enough of them to be
// worth a sync of the log. Or nearly too many are dirty: who writes them back
// in the background begins before a writer has to wait.
static bool wants_wave(const bt_store *s)
{
    size_t part = s->cache.frames_budget / 32;
    return atomic_load(&s->cache.wanted_count) > part || has_too_many(s, part);
}

bool bt_store_needs_step(bt_store *s)
{
    return atomic_load(&s->has_job) || wants_wave(s) ||
           bt_wal_size(&s->wal) >= s->config.checkpoint_bytes;
}

static bool must_wait(bt_store *s)
{
    uint64_t longest = s->config.checkpoint_bytes * LOG_TOO_LONG;
    if (longest > KV_RECORDLOG_MAX_BYTES / 2) {
        longest = KV_RECORDLOG_MAX_BYTES / 2;
    }
    return has_too_many(s, 0) || bt_wal_size(&s->wal) > longest;
}

// A step by the writer who caused it, or who would outrun those in the
// background. What it fails to write back stays where it is, in the log.
static kv_status lend_a_hand(bt_store *s)
{
    bool did_work = true;
    kv_status st = KV_OK;
    if (s->config.steps_inline && bt_store_needs_step(s)) {
        st = bt_store_step(s, false, true, &did_work);
    }
    while (st == KV_OK && did_work && must_wait(s)) {
        st = bt_store_step(s, false, true, &did_work);
    }
    if (st == KV_NO_SPACE && !must_wait(s)) return KV_OK;
    return st;
}

// ---- commits ----------------------------------------------------------------

static kv_status log_commit(bt_store *s)
{
    kv_why why = kv_for(KV_FOR_WAL);
    bt_wal_begin(&s->wal);
    bt_tx_log(&s->tx, &s->scratch, bt_wal_add, &s->wal);
    KV_TRY(bt_wal_end(&s->wal, s->tx.seq, why));
    if (s->config.sync_commits) KV_TRY(bt_wal_sync(&s->wal, s->tx.seq, why));
    EXPLAIN(s->explain,
            "log %" PRIu64 ": commit %" PRIu64 " changes %zu pages; ends at "
            "%" PRIu64 " now, %s",
            s->log_number, s->tx.seq, s->tx.changed.count, s->wal.log.size,
            s->config.sync_commits ? "synced" : "not synced");
    return KV_OK;
}

static kv_status finish(bt_store *s)
{
    if (bt_tx_is_empty(&s->tx)) return KV_OK; // nothing was there to delete
    if (s->config.is_cow) KV_TRY(bt_store_write_commit(s));
    else if (s->config.is_unlogged) bt_tx_stamp(&s->tx);
    else KV_TRY(log_commit(s)); // W1
    bt_tx_publish(&s->tx);
    for (size_t i = 0; s->config.is_cow && i < s->tx.changed.count; i++) {
        bt_cache_written(&s->cache, s->tx.changed.id[i], s->tx.seq);
    }
    s->shape = s->tx.shape;
    s->seq = s->tx.seq;
    return KV_OK;
}

kv_status bt_store_commit(bt_store *s, kv_status (*work)(void *arg), void *arg)
{
    bt_tx_begin(&s->tx, s->seq + 1, &s->shape);
    bt_epochs_enter(&s->cache.epochs);
    kv_status st = work(arg);
    if (st == KV_OK) st = bt_tx_close_free_list(&s->tx);
    bt_epochs_leave(&s->cache.epochs);
    if (st == KV_OK) st = finish(s);
    if (st != KV_OK) bt_tx_forget(&s->tx);
    return st;
}

typedef struct group {
    bt_store *store;
    const kv_commit_entry *entries;
    size_t count;
} group;

static kv_status apply_change(bt_store *s, const kv_change *change)
{
    // Between two changes no page is held: what was retired can be reused.
    bt_epochs_leave(&s->cache.epochs);
    bt_epochs_enter(&s->cache.epochs);
    if (change->kind == KV_DEL) return bt_tree_del(&s->tx, change->key);
    return bt_tree_put(&s->tx, change->key, change->value);
}

static kv_status apply_group(void *arg)
{
    const group *g = arg;
    for (size_t i = 0; i < g->count; i++) {
        for (size_t j = 0; j < g->entries[i].count; j++) {
            KV_TRY(apply_change(g->store, &g->entries[i].changes[j]));
        }
    }
    return KV_OK;
}

static kv_status write_group(void *arg, const kv_commit_entry *entries,
                             size_t count)
{
    bt_store *s = arg;
    group g = {s, entries, count};
    KV_TRY(bt_store_expect_sure(s));
    if (atomic_load(&s->must_recover)) KV_TRY(bt_store_make_good(s));
    KV_TRY(lend_a_hand(s));
    if (!s->config.is_cow) KV_TRY(bt_store_reopen_log(s));
    return bt_store_commit(s, apply_group, &g);
}

kv_status bt_store_write(bt_store *s, const kv_change *changes, size_t count)
{
    return kv_commit(&s->line, changes, count);
}

static kv_status sync_log(void *arg)
{
    bt_store *s = arg;
    KV_TRY(bt_store_expect_sure(s));
    if (s->wal.log.file == NULL) return KV_OK; // old logs, and synced
    return bt_wal_sync(&s->wal, s->seq, kv_for(KV_FOR_WAL));
}

kv_status bt_store_sync(bt_store *s)
{
    return kv_commit_exclusive(&s->line, sync_log, s);
}
