// write.c -- a group of changes: look up, append, sync, apply.
// SPDX-License-Identifier: MIT
//
// All of it runs in the commit line (commit.h): one group at a time.
//
// The index knows hashes, so whether a key is there already is known only from
// its record: overwriting or deleting a key costs a read. It comes first, so
// that a record that cannot be read fails the write before anything is written.
// A key that is new costs none.

#include "common/mem.h"

#include "store.h"

enum {
    AHEAD = 8, // changes between asking for a record's memory and reading it
    SEGMENT_BYTES_MIN = 8 << 20,   // segment_bytes=0: a 64th of the store,
    SEGMENT_BYTES_MAX = 512 << 20, // between these two
    SEGMENTS_WANTED = 64,
};

static const uint64_t group_bytes_max = (uint64_t)1 << 30;
static const kv_why why = {KV_FOR_DATA, false};

kv_status log_fail(log_store *store, kv_status st)
{
    atomic_store(&store->is_failed, true);
    return kv_go_read_only(&store->base, st);
}

// ---- the newest segment -----------------------------------------------------

uint64_t log_segment_limit(log_store *store)
{
    uint64_t limit = log_knob_of(store, LOG_KNOB_SEGMENT_BYTES), sum = 0;
    if (limit > 0) return limit;
    kv_mutex_lock(&store->segments.lock);
    for (size_t i = 0; i < store->segments.count; i++) {
        sum += log_counter(&store->segments.list[i]->size);
    }
    kv_mutex_unlock(&store->segments.lock);
    limit = sum / SEGMENTS_WANTED;
    if (limit < SEGMENT_BYTES_MIN) return SEGMENT_BYTES_MIN;
    return limit < SEGMENT_BYTES_MAX ? limit : SEGMENT_BYTES_MAX;
}

kv_status log_seal_newest(void *arg)
{
    log_store *store = arg;
    log_segment *s = store->newest;
    if (s == NULL) return KV_OK;
    kv_status st = kv_recordlog_seal(&s->log, why);
    if (st == KV_NO_SPACE) return st; // it stays open, and will be tried again
    if (st != KV_OK) return log_fail(store, st);
    atomic_store(&s->size, s->log.size);
    atomic_store(&s->is_sealed, true);
    store->newest = NULL;
    EXPLAIN(&store->base.explain, "segment %s is full: sealed at %llu bytes",
            log_name_of(s->span, false).text, (unsigned long long)s->log.size);
    return KV_OK;
}

static uint64_t size_of_newest(log_store *store)
{
    log_segments *ss = &store->segments;
    kv_mutex_lock(&ss->lock);
    uint64_t size =
        ss->count > 0 ? log_counter(&ss->list[ss->count - 1]->size) : 0;
    kv_mutex_unlock(&ss->lock);
    return size;
}

static kv_status begin_segment(log_store *store, uint64_t capacity)
{
    log_segments *ss = &store->segments;
    uint32_t position = log_segments_newest(ss) + 1;
    if (position > LOG_POSITION_MAX) {
        return kv_fail(KV_TOO_BIG, "no position is left for a new segment");
    }
    log_span span = {position, position, 0};
    log_segment *s = NULL;
    kv_status st = log_segments_create(ss, span, false, size_of_newest(store),
                                       capacity, why, &s);
    if (st == KV_NO_SPACE || st == KV_TOO_BIG) {
        // Nothing of it may stay, or the next try finds the name taken.
        log_name name = log_name_of(span, false);
        kv_status gone = kv_disk_remove(ss->disk, name.text, why);
        if (gone == KV_OK || gone == KV_NOT_FOUND) {
            return kv_fail(st, "%s: no room to begin it; nothing was changed",
                           name.text);
        }
        st = gone;
    }
    if (st == KV_OK) st = kv_disk_sync_dir(ss->disk, why);
    if (st != KV_OK) {
        if (s != NULL) log_segments_drop(ss, s);
        return log_fail(store, st);
    }
    log_segments_insert(ss, s);
    store->newest = s;
    return KV_OK;
}

// A newest segment that has room for the group, or is new. What suits the store
// grows with it; a segment keeps the limit that it was given its addresses for.
static kv_status make_room(log_store *store, uint64_t group_bytes)
{
    log_segment *s = store->newest;
    if (s != NULL && s->log.size + group_bytes <= s->capacity) return KV_OK;
    KV_TRY(log_seal_newest(store));
    uint64_t limit = log_segment_limit(store);
    uint64_t needed = KV_RECORDLOG_HEADER_MAX + group_bytes;
    return begin_segment(store, needed > limit ? needed : limit);
}

// ---- look up ----------------------------------------------------------------

// Flattens the callers' entries; the sum of what they may take on the disk.
static size_t collect(log_store *store, const kv_commit_entry *entries,
                      size_t count, uint64_t *bytes)
{
    size_t total = 0, n = 0;
    for (size_t i = 0; i < count; i++) total += entries[i].count;
    if (total > store->group_cap) {
        store->group_cap = total;
        store->group = kv_realloc(store->group, total * sizeof *store->group);
    }
    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < entries[i].count; k++) {
            const kv_change *change = &entries[i].changes[k];
            store->group[n++] = (log_change){.change = change,
                                             .more = k + 1 < entries[i].count};
            *bytes += KV_RECORD_OVERHEAD_MAX +
                      log_entry_bound(store->segments.framing, change->key,
                                      change->value);
        }
    }
    return total;
}

static void release(log_change *group, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (group[i].old_segment) log_segment_unpin(group[i].old_segment);
    }
}

static kv_status look_up(log_store *store, log_change *group, size_t count)
{
    const log_finder *finder = &store->finder;
    if (finder->index == NULL) return KV_OK;
    for (size_t i = 0; i < count; i++) {
        group[i].hash = log_hash(finder, group[i].change->key);
        if (count > 1) log_index_prefetch(finder->index, group[i].hash);
    }
    for (size_t i = 0; i < count; i++) {
        log_change *c = &group[i];
        if (store->segments.maps && i + AHEAD < count) {
            log_find_prefetch(finder, group[i + AHEAD].hash);
        }
        log_record *old = &store->old;
        kv_status st = log_find(finder, c->change->key, c->hash, why, old);
        if (st == KV_NOT_FOUND) continue;
        if (st != KV_OK) return st;
        c->had = true;
        c->old = old->place;
        c->old_bytes = old->view.record_bytes;
        c->old_segment = old->segment; // still pinned
        old->segment = NULL;
    }
    return KV_OK;
}

// ---- append -----------------------------------------------------------------

static kv_status append(log_store *store, log_change *group, size_t count)
{
    kv_recordlog *log = &store->newest->log;
    for (size_t i = 0; i < count; i++) {
        const kv_change *change = group[i].change;
        log_entry entry = {.key = change->key, .value = change->value};
        entry.kind = change->kind == KV_PUT ? LOG_SET : LOG_TOMBSTONE;
        kv_buf_clear(&store->payload);
        log_entry_encode(&store->payload, log->id.framing, &entry);
        group[i].offset =
            kv_recordlog_add(log, kv_buf_slice(&store->payload), group[i].more);
        group[i].bytes = (uint32_t)(kv_recordlog_end(log) - group[i].offset);
    }
    kv_status st = kv_recordlog_flush(log, why);
    kv_recordlog_drop_pending(log);
    if (st == KV_OK && store->base.sync == KV_SYNC_COMMIT) {
        st = kv_recordlog_sync(log, why);
    }
    if (st == KV_OK || st == KV_NO_SPACE) return st;
    return log_fail(store, st); // L3
}

// ---- apply ------------------------------------------------------------------

// The change of this group whose record stands at that offset.
static log_change *change_at(log_change *group, size_t count, uint64_t offset)
{
    size_t low = 0, high = count - 1;
    while (low < high) {
        size_t middle = (low + high + 1) / 2;
        if (group[middle].offset <= offset) low = middle;
        else high = middle - 1;
    }
    return &group[low];
}

// A group may change a key twice. What looking up found for the second change
// is then no longer so: the index names the first one's record, of this group,
// whose key is still in memory.
static bool find_earlier(log_store *store, log_change *group, size_t count,
                         const log_place *places, size_t found, log_change *c)
{
    log_segment *s = store->newest;
    uint64_t first = s->base + group[0].offset;
    for (size_t i = 0; i < found; i++) {
        uint64_t address = log_place_address(places[i]);
        if (address < first || address >= s->base + s->log.size) continue;
        log_change *earlier = change_at(group, count, address - s->base);
        if (!kv_slice_equal(earlier->change->key, c->change->key)) continue;
        if (c->old_segment != NULL) log_segment_unpin(c->old_segment);
        log_segment_pin(s);
        c->had = true;
        c->old = places[i];
        c->old_segment = s;
        c->old_bytes = earlier->bytes;
        return true;
    }
    return false;
}

static void use_earlier(log_store *store, log_change *group, size_t count,
                        log_change *c)
{
    enum { FEW = 8 };
    log_place few[FEW], *places = few;
    // Held (I5), and changed by nobody else (I4): no latch is needed.
    const log_table *table = &store->index.tables[log_hash_table(c->hash)];
    size_t found = log_index_search(table, c->hash, few, FEW);
    if (found > FEW) {
        places = kv_alloc(found * sizeof *places);
        log_index_search(table, c->hash, places, found);
    }
    if (!find_earlier(store, group, count, places, found, c) && c->had) {
        c->had = false; // unless no earlier change has deleted it
        for (size_t i = 0; i < found; i++) {
            uint64_t address = log_place_address(places[i]);
            c->had = c->had || address == log_place_address(c->old);
        }
    }
    if (places != few) kv_free(places);
}

static void apply_change(log_store *store, const log_change *c)
{
    log_segment *s = store->newest;
    bool is_put = c->change->kind == KV_PUT;
    log_place place = log_segment_place(s, c->offset, c->bytes);
    log_segment_count_entry(s, is_put ? LOG_SET : LOG_TOMBSTONE, c->bytes);
    if (store->finder.index == NULL) return;
    if (c->had) log_segment_count_dead(c->old_segment, c->old_bytes);
    if (is_put) log_segment_count_live(s, c->bytes);
    bool done = true;
    if (c->had && is_put) {
        done = log_index_move(&store->index, c->hash, c->old, place);
    } else if (c->had) {
        done = log_index_remove(&store->index, c->hash, c->old);
    } else if (is_put) {
        log_index_add(&store->index, c->hash, place);
    }
    assert(done); // M3: nobody moved it meanwhile
    (void)done;
}

// Applies one call's changes, group[from] and what follows, at once (I5).
static size_t apply_call(log_store *store, log_change *group, size_t count,
                         size_t from)
{
    size_t limit = from + 1;
    while (group[limit - 1].more) limit++;
    bool has_index = store->finder.index != NULL;
    bool holds = has_index && limit - from > 1;
    if (holds) {
        uint64_t *hashes = kv_alloc((limit - from) * sizeof *hashes);
        for (size_t i = from; i < limit; i++) hashes[i - from] = group[i].hash;
        log_index_hold(&store->index, hashes, limit - from);
        kv_free(hashes);
    }
    for (size_t i = from; i < limit; i++) {
        if (i > 0 && has_index) use_earlier(store, group, count, &group[i]);
        apply_change(store, &group[i]);
    }
    if (holds) log_index_let_go(&store->index);
    return limit;
}

static void apply(log_store *store, log_change *group, size_t count)
{
    log_segment *s = store->newest;
    uint64_t before = log_counter(&s->size);
    // A scan that sees this number change has seen the group by halves.
    atomic_fetch_add(&store->applied, 1);
    atomic_store_explicit(&s->size, s->log.size, memory_order_release); // G2
    for (size_t i = 0; i < count;) i = apply_call(store, group, count, i);
    atomic_fetch_add(&store->applied, 1);
    atomic_store(&store->is_changed, true);
    atomic_fetch_add(&store->unlooked_bytes, s->log.size - before);
    EXPLAIN(&store->base.explain,
            "appended to segment %s at %llu: %zu record%s, %llu bytes, 1 write",
            log_name_of(s->span, false).text,
            (unsigned long long)group[0].offset, count, count == 1 ? "" : "s",
            (unsigned long long)(s->log.size - before));
}

// ---- a group ----------------------------------------------------------------

static kv_status refuse_failed(const log_store *store)
{
    return kv_fail(KV_READ_ONLY,
                   "%s: an earlier write failed; reopen the store to write",
                   store->base.path);
}

kv_status log_write_group(void *arg, const kv_commit_entry *entries,
                          size_t count)
{
    log_store *store = arg;
    uint64_t bytes = 0;
    if (atomic_load(&store->is_failed)) return refuse_failed(store); // L3
    size_t total = collect(store, entries, count, &bytes);
    if (bytes > group_bytes_max) {
        return kv_fail(KV_TOO_BIG,
                       "the batch takes up to %llu bytes in the log, which "
                       "takes %llu at once; split it",
                       (unsigned long long)bytes,
                       (unsigned long long)group_bytes_max);
    }
    log_change *group = store->group;
    kv_status st = look_up(store, group, total);
    // Deleting what is not there changes nothing. In a longer group an earlier
    // change may have put it there.
    bool changes_nothing = total == 1 && store->finder.index != NULL &&
                           group[0].change->kind == KV_DEL && !group[0].had;
    if (st == KV_OK && !changes_nothing) {
        st = make_room(store, bytes);
        if (st == KV_OK) st = append(store, group, total);
        if (st == KV_OK) apply(store, group, total);
    }
    release(group, total);
    return st;
}
