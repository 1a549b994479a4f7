// writeback.c -- pages on their way to TREE, and checkpoints; see store.h.
// SPDX-License-Identifier: MIT
//
//   begin          a new log; the pages that are dirty now are listed
//     │
//   batch …        some 2 MiB of them, in page order: what their checksums will
//     │            be is logged, the log is synced (W2), they are written
//   end            TREE synced; a superblock that needs the new log only,
//                  synced; the old logs removed (W3)
//
// Commits go on meanwhile: a page that is changed after its turn is dirty
// again, and the new log has the change. That makes the checkpoint fuzzy. A
// wave is the same without begin and end, of those pages that the cache would
// have evicted if they had not been dirty, or would evict next.

#include <assert.h>
#include <inttypes.h>

#include "common/mem.h"

#include "freelist.h"
#include "store.h"

enum {
    BATCH_BYTES = 2 << 20,
    WAVE_PART = 32, // of the budget, at least
};

typedef struct bt_writeback {
    bool is_checkpoint;
    bt_ids ids;  // to be written, ascending
    size_t next; // of them
    // Of a checkpoint: the moment it began.
    bt_shape shape;
    uint64_t seq, log_number;
} bt_writeback;

void bt_store_drop_job(bt_store *s)
{
    if (s->job != NULL) bt_ids_free(&s->job->ids);
    kv_free(s->job);
    s->job = NULL;
    atomic_store(&s->has_job, false);
}

static kv_why why_of(const bt_store *s, kv_reason reason)
{
    return s->config.steps_inline ? kv_for(reason) : kv_for_background(reason);
}

// ---- begin ------------------------------------------------------------------

static kv_status new_log(bt_store *s)
{
    // A number that failed is not tried again: its file may be half there.
    return bt_wal_rotate(&s->wal, ++s->log_number);
}

kv_status bt_store_reopen_log(bt_store *s)
{
    return s->wal.log.file != NULL ? KV_OK : new_log(s);
}

static void list_pages(bt_store *s, bool is_all, bool is_checkpoint)
{
    bt_writeback *job = kv_zalloc(sizeof *job);
    bt_cache *c = &s->cache;
    job->is_checkpoint = is_checkpoint;
    if (is_all) bt_cache_dirty_ids(c, &job->ids);
    else bt_cache_wanted_ids(c, c->frames_budget / WAVE_PART, &job->ids);
    job->shape = s->shape;
    job->seq = s->seq;
    job->log_number = s->log_number;
    s->job = job;
    atomic_store(&s->has_job, true);
}

// In line, and under the work lock.
static kv_status begin_checkpoint(bt_store *s)
{
    KV_TRY(bt_store_reopen_log(s));
    KV_TRY(new_log(s));
    if (s->config.torn == BT_TORN_IMAGES) s->tx.images_to = s->seq;
    list_pages(s, true, true);
    EXPLAIN(s->explain,
            "checkpoint at commit %" PRIu64 ": log %" PRIu64
            " begins, %zu pages are dirty",
            s->seq, s->log_number, s->job->ids.count);
    return KV_OK;
}

// ---- batch ------------------------------------------------------------------

typedef struct batch {
    uint8_t *bytes;
    uint64_t *ids, *lsns;
    size_t count, cap;
} batch;

// What must come out when one of these pages is torn and mended (L3).
static kv_status log_checksums(bt_store *s, const batch *b)
{
    kv_buf item = {0};
    bt_item_put_written(&item, b->count);
    for (size_t i = 0; i < b->count; i++) {
        uint8_t *page = b->bytes + i * s->config.page_bytes;
        bt_item_put_written_page(&item, b->ids[i], b->lsns[i],
                                 kv_get_u32(page));
    }
    bt_wal_begin(&s->wal);
    bt_wal_add(&s->wal, kv_buf_slice(&item), false);
    kv_buf_free(&item);
    KV_TRY(bt_wal_end(&s->wal, 0, why_of(s, KV_FOR_WAL)));
    return bt_wal_sync_all(&s->wal, why_of(s, KV_FOR_WAL));
}

static void gather(bt_store *s, batch *b, uint64_t *newest)
{
    bt_writeback *job = s->job;
    uint32_t page_bytes = s->config.page_bytes;
    *newest = 0;
    for (; job->next < job->ids.count && b->count < b->cap; job->next++) {
        uint8_t *to = b->bytes + b->count * page_bytes;
        uint64_t id = job->ids.id[job->next];
        if (!bt_cache_copy_dirty(&s->cache, id, to)) continue;
        if (id >= job->shape.page_count && bt_lsn(to) <= job->seq) {
            bt_cache_written(&s->cache, id, bt_lsn(to)); // was cut off
            continue;
        }
        bt_page_seal(to, s->config.store_id);
        b->ids[b->count] = id;
        b->lsns[b->count] = bt_lsn(to);
        if (bt_lsn(to) > *newest) *newest = bt_lsn(to);
        b->count++;
    }
}

// Neighbours in the file go in one write.
static kv_status write_pages(bt_store *s, const batch *b, kv_why why)
{
    uint32_t page_bytes = s->config.page_bytes;
    for (size_t i = 0, n; i < b->count; i += n) {
        for (n = 1; i + n < b->count && b->ids[i + n] == b->ids[i] + n; n++) {
        }
        kv_slice bytes = kv_slice_of(b->bytes + i * page_bytes, n * page_bytes);
        KV_TRY(kv_file_write(s->file, b->ids[i] * page_bytes, bytes, why));
        if (b->ids[i] + n > s->file_pages) s->file_pages = b->ids[i] + n;
    }
    return KV_OK;
}

// Has it pages that could be mended by patches only? With images that is so of
// what opening found: it may have been logged with another setting.
static bool needs_checksums(const bt_store *s, const batch *b)
{
    bool has_found = false;
    for (size_t i = 0; i < b->count; i++) {
        has_found |= b->lsns[i] <= s->found_seq;
    }
    return s->config.torn == BT_TORN_REPAIR ||
           (s->config.torn == BT_TORN_IMAGES && has_found);
}

static kv_status log_and_write(bt_store *s, const batch *b, uint64_t newest)
{
    if (b->count == 0) return KV_OK;
    if (needs_checksums(s, b)) {
        KV_TRY(log_checksums(s, b));
    }
    KV_TRY(bt_wal_sync(&s->wal, newest, why_of(s, KV_FOR_WAL))); // W2
    KV_TRY(write_pages(s, b, why_of(s, KV_FOR_PAGE)));
    for (size_t i = 0; i < b->count; i++) {
        bt_cache_written(&s->cache, b->ids[i], b->lsns[i]);
    }
    if (s->job->is_checkpoint) s->traffic.checkpoint_pages += b->count;
    else s->traffic.evicted_pages += b->count;
    EXPLAIN(s->explain, "%zu pages written back, from page %" PRIu64 " on",
            b->count, b->ids[0]);
    return KV_OK;
}

static kv_status write_batch(bt_store *s)
{
    size_t cap = BATCH_BYTES / s->config.page_bytes, next = s->job->next;
    uint64_t newest;
    if (cap > s->job->ids.count - next) cap = s->job->ids.count - next;
    batch b = {.bytes = kv_alloc(cap * s->config.page_bytes),
               .ids = kv_alloc(cap * sizeof *b.ids),
               .lsns = kv_alloc(cap * sizeof *b.lsns),
               .cap = cap};
    gather(s, &b, &newest);
    kv_status st = log_and_write(s, &b, newest);
    if (st != KV_OK) s->job->next = next; // again, when it can be done
    kv_free(b.bytes);
    kv_free(b.ids);
    kv_free(b.lsns);
    return st;
}

// ---- end --------------------------------------------------------------------

static kv_status doubt(bt_store *s, kv_status st)
{
    if (st == KV_IO) atomic_store(&s->in_doubt, true);
    return st;
}

static kv_status write_super(bt_store *s, const bt_super *super)
{
    uint8_t bytes[BT_SUPER_BYTES];
    kv_why why = why_of(s, KV_FOR_META);
    bt_super_encode(super, bytes);
    KV_TRY(doubt(s, kv_file_sync(s->file, why))); // S2
    KV_TRY(kv_file_write(s->file, super->counter % 2 * s->config.page_bytes,
                         kv_slice_of(bytes, sizeof bytes), why));
    KV_TRY(doubt(s, kv_file_sync(s->file, why)));
    s->super = *super;
    return KV_OK;
}

kv_status bt_store_write_super(bt_store *s, const bt_shape *shape, uint64_t seq,
                               uint64_t log)
{
    bt_super super = {
        .major = BT_FORMAT_MAJOR,
        .minor = BT_FORMAT_MINOR,
        .page_bytes = s->config.page_bytes,
        .store_id = s->config.store_id,
        .counter = s->super.counter + 1,
        .root = shape->root,
        .page_count = shape->page_count,
        .free_list = shape->free_list,
        .free_count = shape->free_count,
        .lsn = seq,
        .key_count = shape->key_count,
        .journal = s->config.is_cow,
        .log = log,
    };
    s->lacks_twin = true;
    return write_super(s, &super);
}

kv_status bt_store_write_twin(bt_store *s, const bt_closed *closed)
{
    bt_super twin = s->super;
    if (!s->lacks_twin || bt_store_in_doubt(s)) return KV_OK;
    twin.counter++;
    twin.closed = *closed;
    KV_TRY(write_super(s, &twin));
    s->lacks_twin = false;
    return KV_OK;
}

static kv_status remove_logs(bt_store *s, uint64_t limit)
{
    for (; s->first_log_number < limit; s->first_log_number++) {
        bt_wal_name name = bt_wal_name_of(s->first_log_number);
        kv_status st =
            kv_disk_remove(s->config.disk, name.text, why_of(s, KV_FOR_META));
        if (st != KV_OK && st != KV_NOT_FOUND) return st;
    }
    return KV_OK;
}

static kv_status end_checkpoint(bt_store *s)
{
    const bt_writeback *job = s->job;
    KV_TRY(bt_store_write_super(s, &job->shape, job->seq, job->log_number));
    KV_TRY(remove_logs(s, job->log_number));
    EXPLAIN(s->explain,
            "checkpoint of commit %" PRIu64 " is complete: recovery begins "
            "with log %" PRIu64,
            job->seq, job->log_number);
    return KV_OK;
}

// ---- journal=cow ------------------------------------------------------------

static kv_status write_changed(bt_store *s, batch *b)
{
    uint32_t page_bytes = s->config.page_bytes;
    const bt_ids *changed = &s->tx.changed;
    for (size_t i = 0; i < changed->count;) {
        for (b->count = 0; b->count < b->cap && i < changed->count; i++) {
            uint8_t *to = b->bytes + b->count * page_bytes;
            uint8_t *page = bt_cache_private(&s->cache, changed->id[i]);
            bt_set_lsn(page, s->tx.seq);
            memcpy(to, page, page_bytes);
            bt_page_seal(to, s->config.store_id);
            b->ids[b->count++] = changed->id[i];
        }
        KV_TRY(write_pages(s, b, kv_for(KV_FOR_PAGE)));
        s->traffic.commit_pages += b->count;
    }
    return KV_OK;
}

kv_status bt_store_write_commit(bt_store *s)
{
    const bt_ids *changed = &s->tx.changed;
    size_t cap = BATCH_BYTES / s->config.page_bytes;
    if (cap > changed->count) cap = changed->count;
    bt_ids_sort(&s->tx.changed);
    batch b = {.bytes = kv_alloc(cap * s->config.page_bytes),
               .ids = kv_alloc(cap * sizeof *b.ids),
               .cap = cap};
    kv_status st = write_changed(s, &b);
    kv_free(b.bytes);
    kv_free(b.ids);
    KV_TRY(st);
    KV_TRY(bt_store_write_super(s, &s->tx.shape, s->tx.seq, 0));
    EXPLAIN(s->explain,
            "commit %" PRIu64 ": %zu pages written to where nothing was in "
            "use, synced, and the superblock at byte %" PRIu64 ": page %" PRIu64
            " is the root now",
            s->tx.seq, changed->count,
            s->super.counter % 2 * s->config.page_bytes, s->super.root);
    return KV_OK;
}

// ---- steps ------------------------------------------------------------------

static bool has_anything(bt_store *s)
{
    if (s->config.is_cow) return false;
    return atomic_load(&s->cache.dirty_count) > 0 || s->super.lsn != s->seq ||
           s->super.log != s->log_number;
}

// What is behind the last page of the newest superblock, and of the tree as it
// is now, is given back.
static kv_status cut_file(bt_store *s, bool *did_work)
{
    uint64_t pages = s->super.page_count > s->shape.page_count
                         ? s->super.page_count
                         : s->shape.page_count;
    if (s->file_pages <= pages) return KV_OK;
    KV_TRY(kv_file_truncate(s->file, pages * s->config.page_bytes,
                            why_of(s, KV_FOR_META)));
    s->file_pages = pages;
    *did_work = true;
    return KV_OK;
}

static bool is_log_short(bt_store *s)
{
    return bt_wal_size(&s->wal) < s->config.checkpoint_bytes;
}

static kv_status squeeze(void *arg)
{
    bt_store *s = arg;
    if (s->squeeze.phase == BT_SQUEEZE_TRIM) return bt_freelist_trim(&s->tx);
    if (s->squeeze.phase == BT_SQUEEZE_IDLE) {
        return bt_squeeze_judge(&s->squeeze, &s->tx);
    }
    return bt_squeeze_step(&s->squeeze, &s->tx);
}

static kv_status end_squeeze_step(void *arg)
{
    bt_store *s = arg;
    return bt_squeeze_end_step(&s->squeeze, &s->tx);
}

static kv_status commit_squeeze(bt_store *s)
{
    bt_squeeze_phase phase = s->squeeze.phase;
    kv_status st = bt_store_commit(s, squeeze, s);
    bool is_walk = phase == BT_SQUEEZE_MERGE || phase == BT_SQUEEZE_MOVE;
    if (st == KV_OK && is_walk) st = bt_store_commit(s, end_squeeze_step, s);
    if (st == KV_OK) return KV_OK;
    // A walk that failed is where its commit would have been: it begins anew.
    s->squeeze.phase = BT_SQUEEZE_IDLE;
    s->squeeze.is_outdated = true;
    return st;
}

// With journal=cow the list's own pages can be cut off after another turn.
static kv_status trim(bt_store *s)
{
    uint64_t pages = s->shape.page_count;
    KV_TRY(commit_squeeze(s));
    if (s->shape.page_count < pages) return KV_OK;
    s->squeeze.phase = BT_SQUEEZE_IDLE;
    return KV_OK;
}

// One step of giving space back, if something was committed since it was last
// judged (Q3). Not while a cursor is open: it may need what moves away.
static kv_status squeeze_step(bt_store *s, bool *did_work)
{
    bt_squeeze *q = &s->squeeze;
    uint64_t seq = s->seq;
    if (bt_cache_oldest_snapshot(&s->cache) != UINT64_MAX) {
        EXPLAIN(s->explain, "%s",
                "a cursor or a backup is open: nothing moves to the front of "
                "the file; settle again when it is closed");
        return KV_OK;
    }
    if (seq != s->squeezed_seq) q->is_outdated = true;
    while (s->seq == seq && (q->phase != BT_SQUEEZE_IDLE || q->is_outdated)) {
        if (!s->config.is_cow) KV_TRY(bt_store_reopen_log(s));
        bool is_trimming = q->phase == BT_SQUEEZE_TRIM;
        KV_TRY(is_trimming ? trim(s) : commit_squeeze(s));
    }
    s->squeezed_seq = s->seq;
    *did_work = s->seq != seq;
    return KV_OK;
}

typedef struct beginning {
    bt_store *store;
    bool is_asked;
    bool did_work;
} beginning;

// In line, under the work lock: no job is under way.
static kv_status begin(bt_store *s, bool is_asked, bool *did_work)
{
    bool is_due = !s->config.is_cow && bt_store_needs_step(s);
    *did_work = false;
    if (is_asked && !is_due) KV_TRY(squeeze_step(s, did_work));
    if (*did_work) return KV_OK;
    *did_work = is_due || (is_asked && has_anything(s));
    if (!*did_work) return cut_file(s, did_work);
    if (is_asked || !is_log_short(s)) return begin_checkpoint(s);
    // A checkpoint may have closed the old one, and had no room for the next.
    KV_TRY(bt_store_reopen_log(s));
    list_pages(s, false, false);
    return KV_OK;
}

static kv_status begin_in_line(void *arg)
{
    beginning *b = arg;
    bt_store *s = b->store;
    kv_status st = KV_OK;
    KV_TRY(bt_store_expect_sure(s));
    // Opened on a full disk: what is in memory only goes to a log first.
    if (atomic_load(&s->must_recover)) KV_TRY(bt_store_make_good(s));
    kv_mutex_lock(&s->work);
    b->did_work = true;
    if (s->job == NULL) st = begin(s, b->is_asked, &b->did_work);
    kv_mutex_unlock(&s->work);
    return st;
}

static kv_status go_on(bt_store *s)
{
    bt_writeback *job = s->job;
    if (job->next < job->ids.count) return write_batch(s);
    if (job->is_checkpoint) KV_TRY(end_checkpoint(s));
    if (job->is_checkpoint) s->traffic.checkpoints++;
    else s->traffic.waves++;
    bt_store_drop_job(s);
    bt_cache_shrink(&s->cache);
    return KV_OK;
}

kv_status bt_store_step(bt_store *s, bool is_asked, bool in_line,
                        bool *did_work)
{
    *did_work = false;
    if (s->config.read_only) return KV_OK;
    beginning b = {s, is_asked, false};
    kv_mutex_lock(&s->work);
    bool has_job = s->job != NULL;
    kv_status st = bt_store_expect_sure(s);
    if (has_job && st == KV_OK) st = go_on(s);
    kv_mutex_unlock(&s->work);
    *did_work = has_job;
    if (has_job || st != KV_OK) return st;
    st = in_line ? begin_in_line(&b)
                 : kv_commit_exclusive(&s->line, begin_in_line, &b);
    *did_work = b.did_work;
    return st;
}

kv_status bt_store_write_all(bt_store *s, bool is_checkpoint)
{
    kv_status st = KV_OK;
    kv_mutex_lock(&s->work);
    assert(s->job == NULL);
    list_pages(s, true, is_checkpoint);
    while (s->job != NULL && st == KV_OK) st = go_on(s);
    kv_mutex_unlock(&s->work);
    return st;
}

kv_status bt_store_checkpoint(bt_store *s)
{
    bool did_work = true;
    while (did_work) KV_TRY(bt_store_step(s, true, true, &did_work));
    return KV_OK;
}
