// engine.c -- the front door: checks and counts a call, and passes it on.
// SPDX-License-Identifier: MIT

#include "common/engine.h"

#include "common/front.h"
#include "common/mem.h"

const kv_engine_info *kv_describe(const kv_engine *engine)
{
    return &engine->info;
}

uint32_t kv_key_max(const kv *db) { return db->key_max; }

// ---- checks -----------------------------------------------------------------

static kv_status refuse_key(kv *db, kv_slice key)
{
    if (key.len == 0) return kv_fail(KV_INVALID, "a key has at least one byte");
    return kv_fail(KV_TOO_BIG,
                   "the key has %zu bytes; the engine \"%s\" takes up to %u",
                   key.len, db->engine->info.name, db->key_max);
}

static inline kv_status check_key(kv *db, kv_slice key)
{
    // One comparison for both ends: 0 - 1 wraps around.
    if (KV_LIKELY(key.len - 1 < db->key_max)) return KV_OK;
    return refuse_key(db, key);
}

// An engine may log the bounds as it logs keys, and believe none that is longer
// when it reads them back.
static kv_status check_bounds(kv *db, kv_slice from, kv_slice to)
{
    size_t longest = from.len > to.len ? from.len : to.len;
    if (longest <= db->key_max) return KV_OK;
    return kv_fail(KV_TOO_BIG,
                   "a bound of the range to delete has %zu bytes; the keys of "
                   "the engine \"%s\" have up to %u",
                   longest, db->engine->info.name, db->key_max);
}

static kv_status check_change(kv *db, const kv_change *change)
{
    const kv_engine_info *info = &db->engine->info;
    if (change->kind == KV_DEL_RANGE) {
        if (kv_has(db, KV_CAP_RANGE_DELETE)) {
            return check_bounds(db, change->key, change->value);
        }
        return kv_fail(KV_UNSUPPORTED,
                       "the engine \"%s\" has no range deletion for a batch",
                       info->name);
    }
    KV_TRY(check_key(db, change->key));
    if (KV_LIKELY(change->value.len <= info->value_max)) return KV_OK;
    return kv_fail(KV_TOO_BIG,
                   "the value has %zu bytes; the engine \"%s\" takes up to %u",
                   change->value.len, info->name, info->value_max);
}

static kv_counters *counters_of(kv *db, unsigned slot)
{
    return &db->front->counters[slot];
}

// ---- reading ----------------------------------------------------------------

kv_status kv_get(kv *db, kv_slice key, kv_buf *value)
{
    kv_buf_clear(value);
    KV_TRY(check_key(db, key));
    kv_status st = db->engine->get(db, key, value);
    unsigned slot = kv_thread_slot();
    kv_counters *mine = counters_of(db, slot);
    kv_count(&mine->gets, slot, 1);
    if (st == KV_OK) {
        kv_count(&mine->user_read_bytes, slot, key.len + value->len);
    } else {
        kv_buf_clear(value);
    }
    return st;
}

static kv_status get_one_by_one(kv *db, size_t count, const kv_slice *keys,
                                kv_buf *values, bool *found)
{
    for (size_t i = 0; i < count; i++) {
        kv_status st = db->engine->get(db, keys[i], &values[i]);
        if (st != KV_OK && st != KV_NOT_FOUND) return st;
        found[i] = st == KV_OK;
    }
    return KV_OK;
}

kv_status kv_get_many(kv *db, size_t count, const kv_slice *keys,
                      kv_buf *values, bool *found)
{
    for (size_t i = 0; i < count; i++) {
        kv_buf_clear(&values[i]);
        found[i] = false;
        KV_TRY(check_key(db, keys[i]));
    }
    KV_TRY(db->engine->get_many != NULL
               ? db->engine->get_many(db, count, keys, values, found)
               : get_one_by_one(db, count, keys, values, found));
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (found[i]) {
            bytes += keys[i].len + values[i].len;
        } else {
            kv_buf_clear(&values[i]);
        }
    }
    unsigned slot = kv_thread_slot();
    kv_count(&counters_of(db, slot)->gets, slot, count);
    kv_count(&counters_of(db, slot)->user_read_bytes, slot, bytes);
    return KV_OK;
}

// ---- writing ----------------------------------------------------------------

static void count_changes(kv *db, const kv_change *changes, size_t count)
{
    uint64_t puts = 0, dels = 0, bytes = 0;
    for (size_t i = 0; i < count; i++) {
        puts += changes[i].kind == KV_PUT;
        dels += changes[i].kind == KV_DEL;
        if (changes[i].kind == KV_DEL_RANGE) continue;
        bytes += changes[i].key.len + changes[i].value.len;
    }
    unsigned slot = kv_thread_slot();
    kv_counters *mine = counters_of(db, slot);
    kv_count(&mine->puts, slot, puts);
    kv_count(&mine->dels, slot, dels);
    kv_count(&mine->range_dels, slot, count - puts - dels);
    kv_count(&mine->user_write_bytes, slot, bytes);
}

// Counted before the first byte moves and after the last, so that cursors
// without a snapshot notice a write that overlaps them at either end.
static kv_status apply(kv *db, const kv_change *changes, size_t count)
{
    KV_TRY(kv_front_writable(db));
    atomic_fetch_add(&db->front->writes_begun, 1);
    kv_status st = db->engine->write(db, changes, count);
    atomic_fetch_add(&db->front->writes_ended, 1);
    if (st == KV_OK) count_changes(db, changes, count);
    return st;
}

kv_status kv_put(kv *db, kv_slice key, kv_slice value)
{
    kv_change change = {.kind = KV_PUT, .key = key, .value = value};
    KV_TRY(check_change(db, &change));
    return apply(db, &change, 1);
}

kv_status kv_del(kv *db, kv_slice key)
{
    kv_change change = {.kind = KV_DEL, .key = key};
    KV_TRY(check_change(db, &change));
    return apply(db, &change, 1);
}

kv_status kv_write(kv *db, kv_batch *batch)
{
    size_t count;
    const kv_change *changes = kv_batch_changes(batch, &count);
    for (size_t i = 0; i < count; i++) KV_TRY(check_change(db, &changes[i]));
    return count > 0 ? apply(db, changes, count) : KV_OK;
}

enum { DEL_RANGE_BATCH = 256 }; // keys deleted with one write

// Some of the range's keys, as deletions in `batch`.
static kv_status gather_dels(kv *db, kv_range range, kv_batch *batch)
{
    kv_cursor *cursor = NULL;
    KV_TRY(kv_scan(db, range, &cursor));
    kv_slice key, value;
    kv_status st = KV_OK;
    while (st == KV_OK && batch->count < DEL_RANGE_BATCH) {
        st = kv_cursor_next(cursor, &key, &value);
        if (st == KV_OK) kv_batch_del(batch, key);
    }
    kv_cursor_close(cursor);
    return st;
}

static kv_status del_each(kv *db, kv_range range)
{
    kv_batch batch = {0};
    kv_status st = KV_OK;
    while (st == KV_OK) {
        kv_batch_clear(&batch);
        // What it has is deleted also when another thread's write ends the
        // cursor early; then it looks again.
        kv_status gathered = gather_dels(db, range, &batch);
        if (gathered != KV_OK && gathered != KV_END && gathered != KV_STALE) {
            st = gathered;
            break;
        }
        st = kv_write(db, &batch);
        if (gathered == KV_END) break;
    }
    kv_batch_free(&batch);
    return st;
}

kv_status kv_del_range(kv *db, kv_slice from, kv_slice to)
{
    KV_TRY(check_bounds(db, from, to));
    if (to.len > 0 && kv_slice_cmp(from, to) >= 0) return KV_OK;
    KV_TRY(kv_front_writable(db));
    if (!kv_has(db, KV_CAP_RANGE_DELETE)) {
        return del_each(db, (kv_range){.from = from, .to = to});
    }
    kv_change change = {.kind = KV_DEL_RANGE, .key = from, .value = to};
    return apply(db, &change, 1);
}

kv_status kv_sync(kv *db)
{
    if (db->engine->sync == NULL || db->read_only) return KV_OK;
    KV_TRY(kv_front_writable(db));
    return db->engine->sync(db);
}

// ---- a range of keys --------------------------------------------------------

kv_status kv_scan(kv *db, kv_range range, kv_cursor **out)
{
    bool is_ordered = kv_has(db, KV_CAP_ORDERED);
    if (range.reverse && !is_ordered) {
        return kv_fail(KV_UNSUPPORTED,
                       "the engine \"%s\" keeps no order to go backward in",
                       db->engine->info.name);
    }
    kv_cursor *cursor = kv_alloc_pages(db->engine->cursor_size);
    struct kv_cursor_front *front = kv_zalloc(sizeof *front);
    kv_buf_append(&front->from, range.from);
    kv_buf_append(&front->to, range.to);
    front->must_filter =
        !is_ordered && (range.from.len > 0 || range.to.len > 0);
    front->may_go_stale = !kv_has(db, KV_CAP_SNAPSHOT);
    front->writes_ended = atomic_load(&db->front->writes_ended);
    cursor->db = db;
    cursor->front = front;
    cursor->range = (kv_range){.from = kv_buf_slice(&front->from),
                               .to = kv_buf_slice(&front->to),
                               .reverse = range.reverse};
    kv_status st = db->engine->scan(db, cursor);
    if (st != KV_OK) {
        kv_cursor_close(cursor);
        return st;
    }
    unsigned slot = kv_thread_slot();
    kv_count(&counters_of(db, slot)->scans, slot, 1);
    *out = cursor;
    return KV_OK;
}

static kv_status expect_no_write(const kv_cursor *cursor)
{
    kv *db = cursor->db;
    if (atomic_load(&db->front->writes_begun) == cursor->front->writes_ended) {
        return KV_OK;
    }
    return kv_fail(KV_STALE,
                   "the store was written to since the scan began, and the "
                   "engine \"%s\" has no snapshots; scan again",
                   db->engine->info.name);
}

static inline kv_status check_fresh(const kv_cursor *cursor)
{
    return cursor->front->may_go_stale ? expect_no_write(cursor) : KV_OK;
}

static bool is_in_range(const kv_range *range, kv_slice key)
{
    if (kv_slice_cmp(key, range->from) < 0) return false;
    return range->to.len == 0 || kv_slice_cmp(key, range->to) < 0;
}

kv_status kv_cursor_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    kv *db = cursor->db;
    kv_slice k, v;
    do {
        KV_TRY(check_fresh(cursor));
        kv_status st = db->engine->next(cursor, &k, &v);
        // A write may have overlapped the step: then not even an end counts,
        // since what came after may have moved to where the cursor had been.
        if (st == KV_OK || st == KV_END) KV_TRY(check_fresh(cursor));
        KV_TRY(st);
    } while (cursor->front->must_filter && !is_in_range(&cursor->range, k));
    unsigned slot = kv_thread_slot();
    kv_count(&counters_of(db, slot)->user_read_bytes, slot, k.len + v.len);
    *key = k;
    *value = v;
    return KV_OK;
}

void kv_cursor_close(kv_cursor *cursor)
{
    if (cursor == NULL) return;
    cursor->db->engine->end(cursor);
    kv_buf_free(&cursor->front->from);
    kv_buf_free(&cursor->front->to);
    kv_free(cursor->front);
    kv_free_pages(cursor, cursor->db->engine->cursor_size);
}
