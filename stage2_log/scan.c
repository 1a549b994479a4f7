// scan.c -- a walk over every living key, in no order.
// SPDX-License-Identifier: MIT
//
// The index is walked group by group. The entries of one group are copied and
// their segments pinned under the latch, then read one after the other. A merge
// may move them meanwhile: what was pinned stays readable, and moving changes
// no group, so each key is seen once. A write ends the walk (engine.h).
//
// With index=off a walk builds an index first, and throws it away afterwards.

#include "common/mem.h"

#include "recover.h"
#include "store.h"

kv_status log_scan(kv *db, kv_cursor *base)
{
    log_store *store = log_store_of(db);
    log_cursor *c = (log_cursor *)base;
    c->view.bytes = &c->bytes;
    c->index = &store->index;
    // Odd: a group is being applied, and a walk that begins now is no walk.
    c->applied = atomic_load(&store->applied) & ~(uint64_t)1;
    EXPLAIN(&db->explain, "%s",
            store->finder.index != NULL
                ? "a walk over the index, in no order: a read for each record"
                : "no index: one is built from all segments, and walked over");
    if (store->finder.index != NULL) return KV_OK;
    c->index = c->own = kv_zalloc(sizeof *c->own);
    log_finder finder = store->finder;
    finder.index = c->own;
    return log_rebuild_index(&finder, kv_for(KV_FOR_READ));
}

// The entries of the next group that has some; none at the end.
static void gather(log_cursor *c)
{
    log_segments *ss = &log_store_of(c->base.db)->segments;
    log_index_entry entries[LOG_GROUP_ENTRIES];
    c->at = c->count = c->unpinned = 0;
    while (c->count == 0 && c->table < LOG_INDEX_TABLES) {
        log_table *t = log_index_lock_table(c->index, c->table);
        c->count = log_index_group(t, c->group, entries);
        for (size_t i = 0; i < c->count; i++) {
            c->segment[i] =
                log_segments_at(ss, entries[i].place, &c->offset[i]);
            c->bound[i] = log_place_bound(entries[i].place);
            log_segment_pin(c->segment[i]); // G1
        }
        if (++c->group >= t->group_count) c->table++, c->group = 0;
        log_index_unlock(t);
    }
}

// The front door ends a walk that a write ran into; it cannot see one that lies
// within a single write.
static kv_status check_fresh(const log_cursor *c)
{
    if (atomic_load(&log_store_of(c->base.db)->applied) == c->applied) {
        return KV_OK;
    }
    return kv_fail(KV_STALE, "the store was written to since the scan began; "
                             "scan again");
}

kv_status log_next(kv_cursor *base, kv_slice *key, kv_slice *value)
{
    log_cursor *c = (log_cursor *)base;
    while (c->unpinned < c->at) log_segment_unpin(c->segment[c->unpinned++]);
    if (c->at == c->count) gather(c);
    KV_TRY(check_fresh(c));
    if (c->count == 0) return KV_END;
    size_t i = c->at++;
    KV_TRY(log_segment_read(c->segment[i], c->offset[i], c->bound[i],
                            kv_for(KV_FOR_READ), &c->view));
    *key = c->view.entry.key;
    *value = c->view.entry.value;
    return KV_OK;
}

void log_end(kv_cursor *base)
{
    log_cursor *c = (log_cursor *)base;
    while (c->unpinned < c->count) {
        log_segment_unpin(c->segment[c->unpinned++]);
    }
    if (c->own != NULL) log_index_free(c->own);
    kv_free(c->own);
    kv_buf_free(&c->bytes);
    kv_buf_free(&c->view.text);
}
