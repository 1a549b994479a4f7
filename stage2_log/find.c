// find.c -- see find.h.
// SPDX-License-Identifier: MIT

#include "find.h"

#include "common/hash.h"
#include "common/mem.h"

enum { FEW = 4 }; // candidates that need no allocation; one is the rule

typedef struct candidate {
    log_place place;
    log_segment *segment;
    uint64_t offset;
} candidate;

uint64_t log_hash(const log_finder *finder, kv_slice key)
{
    return kv_hash(key, finder->seed);
}

// Pins the segments of up to `cap` candidates; returns how many there are.
// When that is more than `cap`, nothing is pinned.
static size_t gather(const log_finder *finder, uint64_t hash, candidate *to,
                     size_t cap)
{
    log_place few[FEW];
    log_place *places = cap > FEW ? kv_alloc(cap * sizeof *places) : few;
    log_table *table = log_index_lock(finder->index, hash);
    size_t count = log_index_search(table, hash, places, cap);
    for (size_t i = 0; i < count && count <= cap; i++) {
        to[i].place = places[i];
        to[i].segment =
            log_segments_at(finder->segments, places[i], &to[i].offset);
        // A mapped record is on its way while we pin, unlatch and count.
        log_segment_prefetch(to[i].segment, to[i].offset);
        log_segment_pin(to[i].segment); // G1
    }
    log_index_unlock(table);
    if (places != few) kv_free(places);
    return count;
}

static void say_found(const log_finder *finder, kv_slice key,
                      const log_record *record, const candidate *c)
{
    kv_quoted q;
    EXPLAIN(finder->explain,
            "index[%s] -> segment %s at %llu; 1 read, %u bytes",
            kv_quote(&q, key), log_name_of(record->segment->span, false).text,
            (unsigned long long)c->offset, record->view.read_bytes);
}

static void say_other(const log_finder *finder, kv_slice key, kv_slice other)
{
    kv_quoted q, r;
    EXPLAIN(finder->explain,
            "index[%s]: an equal hash, but the record is %s's; 1 read",
            kv_quote(&q, key), kv_quote(&r, other));
}

// Reads candidates until one is the key's; its segment stays pinned.
static kv_status choose(const log_finder *finder, kv_slice key, candidate *c,
                        size_t count, kv_why why, log_record *record)
{
    kv_status st = KV_NOT_FOUND;
    for (size_t i = 0; i < count; i++) {
        log_segment *s = c[i].segment;
        if (st == KV_NOT_FOUND) {
            kv_status read =
                log_segment_read(s, c[i].offset, log_place_bound(c[i].place),
                                 why, &record->view);
            if (read != KV_OK) {
                st = read;
            } else if (kv_slice_equal(record->view.entry.key, key)) {
                record->segment = s;
                record->place = c[i].place;
                say_found(finder, key, record, &c[i]);
                st = KV_OK;
                continue;
            } else {
                say_other(finder, key, record->view.entry.key);
            }
        }
        log_segment_unpin(s);
    }
    return st;
}

static kv_status find_among_many(const log_finder *finder, kv_slice key,
                                 uint64_t hash, size_t count, kv_why why,
                                 log_record *record)
{
    candidate *many = NULL;
    size_t cap = 0;
    while (count > cap) {
        cap = count;
        many = kv_realloc(many, cap * sizeof *many);
        count = gather(finder, hash, many, cap);
    }
    kv_status st = choose(finder, key, many, count, why, record);
    kv_free(many);
    return st;
}

kv_status log_find(const log_finder *finder, kv_slice key, uint64_t hash,
                   kv_why why, log_record *record)
{
    candidate few[FEW];
    record->segment = NULL;
    size_t count = gather(finder, hash, few, FEW);
    if (count == 0) {
        kv_quoted q;
        EXPLAIN(finder->explain, "index[%s]: no such hash; 0 reads",
                kv_quote(&q, key));
        return KV_NOT_FOUND;
    }
    if (!KV_LIKELY(count <= FEW)) {
        return find_among_many(finder, key, hash, count, why, record);
    }
    return choose(finder, key, few, count, why, record);
}

void log_find_prefetch(const log_finder *finder, uint64_t hash)
{
    log_place place;
    uint64_t offset;
    log_table *table = log_index_lock(finder->index, hash);
    if (log_index_search(table, hash, &place, 1) > 0) {
        log_segment *s = log_segments_at(finder->segments, place, &offset);
        log_segment_prefetch(s, offset); // in the list while the latch is held
    }
    log_index_unlock(table);
}

void log_record_end(log_record *record)
{
    if (record->segment != NULL) log_segment_unpin(record->segment);
    record->segment = NULL;
}

// ---- index=off --------------------------------------------------------------

typedef struct reading {
    kv_slice key;
    kv_buf *value;
    kv_buf text;
    kv_framing framing;
    uint64_t limit; // records behind it are not yet written
    bool found, is_tombstone;
} reading;

static kv_status read_record(void *arg, uint64_t offset,
                             const kv_record *record)
{
    reading *r = arg;
    log_entry entry;
    if (offset >= r->limit) return KV_OK;
    if (!log_entry_decode(record->payload, r->framing, &r->text, &entry) ||
        !kv_slice_equal(entry.key, r->key)) {
        return KV_OK;
    }
    r->found = true;
    r->is_tombstone = entry.kind == LOG_TOMBSTONE;
    kv_buf_set(r->value, entry.value);
    return KV_OK;
}

kv_status log_find_by_reading(const log_finder *finder, kv_slice key,
                              kv_buf *value)
{
    reading r = {.key = key, .value = value};
    log_segment_list list = log_segments_pin_all(finder->segments);
    kv_status st = KV_OK;
    for (size_t i = list.count; i > 0 && !r.found && st == KV_OK; i--) {
        log_segment *s = list.at[i - 1];
        kv_recovery found;
        r.limit = atomic_load_explicit(&s->size, memory_order_acquire);
        r.framing = s->log.id.framing;
        st = kv_recordlog_recover(s->log.file, NULL, read_record, &r,
                                  kv_for(KV_FOR_READ), &found);
        EXPLAIN(finder->explain, "no index: read %s, %llu bytes: %s",
                log_name_of(s->span, false).text, (unsigned long long)r.limit,
                r.found ? "the last record of the key in it" : "nothing");
    }
    kv_buf_free(&r.text);
    log_segment_list_free(&list);
    if (st != KV_OK) return st;
    return r.found && !r.is_tombstone ? KV_OK : KV_NOT_FOUND;
}
