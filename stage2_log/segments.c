// segments.c -- see segments.h.
// SPDX-License-Identifier: MIT

#include "segments.h"

#include "common/mem.h"

void log_segments_init(log_segments *ss, kv_disk *disk, uint64_t store_id,
                       kv_framing framing, bool maps)
{
    *ss = (log_segments){
        .disk = disk, .store_id = store_id, .framing = framing, .maps = maps};
    kv_mutex_init(&ss->lock);
    // 2 MiB, of which a small store never touches more than a page.
    ss->chunks = kv_reserve(LOG_CHUNKS * sizeof *ss->chunks);
}

void log_segments_free(log_segments *ss)
{
    if (ss->chunks == NULL) return;
    for (size_t i = 0; i < ss->count; i++) log_segment_unpin(ss->list[i]);
    kv_free(ss->list);
    kv_unreserve(ss->chunks, LOG_CHUNKS * sizeof *ss->chunks);
    kv_mutex_free(&ss->lock);
    *ss = (log_segments){0};
}

// ---- addresses --------------------------------------------------------------

static log_segment *owner_of(const log_segments *ss, uint32_t chunk)
{
    return atomic_load_explicit(&ss->chunks[chunk], memory_order_acquire);
}

static void set_owner(log_segments *ss, const log_segment *s,
                      log_segment *owner)
{
    uint32_t first = (uint32_t)(s->base >> LOG_CHUNK_SHIFT);
    for (uint32_t i = 0; i < s->chunk_count; i++) {
        atomic_store_explicit(&ss->chunks[first + i], owner,
                              memory_order_release);
    }
}

// The first chunk of a free run from `from` on; LOG_CHUNKS if there is none.
static uint32_t find_run(const log_segments *ss, uint32_t from, uint32_t count)
{
    uint32_t run = 0;
    for (uint32_t i = from; i < LOG_CHUNKS; i++) {
        run = owner_of(ss, i) == NULL ? run + 1 : 0;
        if (run == count) return i + 1 - count;
    }
    return LOG_CHUNKS;
}

static kv_status claim_addresses(log_segments *ss, log_segment *s,
                                 uint64_t capacity)
{
    s->capacity = capacity;
    s->chunk_count = (uint32_t)(capacity >> LOG_CHUNK_SHIFT) + 1;
    kv_mutex_lock(&ss->lock);
    uint32_t chunk = find_run(ss, ss->next_chunk, s->chunk_count);
    if (chunk == LOG_CHUNKS) chunk = find_run(ss, 0, s->chunk_count);
    if (chunk < LOG_CHUNKS) {
        s->base = (uint64_t)chunk << LOG_CHUNK_SHIFT;
        ss->next_chunk = chunk + s->chunk_count;
        set_owner(ss, s, s);
    }
    kv_mutex_unlock(&ss->lock);
    if (chunk < LOG_CHUNKS) return KV_OK;
    return kv_fail(KV_TOO_BIG,
                   "the store is full: its index names places in %u chunks of "
                   "%u MiB, and all are taken; a larger segment_bytes wastes "
                   "less of them",
                   LOG_CHUNKS, 1u << (LOG_CHUNK_SHIFT - 20));
}

log_segment *log_segments_at(log_segments *ss, log_place place,
                             uint64_t *offset)
{
    uint64_t address = log_place_address(place);
    log_segment *s = owner_of(ss, (uint32_t)(address >> LOG_CHUNK_SHIFT));
    assert(s != NULL); // S2
    *offset = address - s->base;
    return s;
}

// ---- files ------------------------------------------------------------------

static log_segment *new_segment(const log_segments *ss, log_span span)
{
    log_segment *s = kv_zalloc(sizeof *s);
    s->span = span;
    s->maps = ss->maps;
    atomic_store(&s->pins, 1);
    return s;
}

kv_status log_segments_create(log_segments *ss, log_span span, bool unfinished,
                              uint64_t previous_size, uint64_t capacity,
                              kv_why why, log_segment **out)
{
    kv_recordlog_id id = {.kind = LOG_SEGMENT_KIND,
                          .store_id = ss->store_id,
                          .number = log_number_of(span),
                          .previous_size = previous_size,
                          .framing = ss->framing};
    log_name name = log_name_of(span, unfinished);
    log_segment *s = new_segment(ss, span);
    kv_status st = claim_addresses(ss, s, capacity);
    if (st == KV_OK) {
        st = kv_recordlog_create(&s->log, ss->disk, name.text, &id,
                                 KV_RECORDLOG_MAX_BYTES, why);
    }
    if (st != KV_OK) {
        log_segments_drop(ss, s);
        return st;
    }
    s->header_bytes = (uint32_t)s->log.size;
    atomic_store(&s->size, s->log.size);
    *out = s;
    return KV_OK;
}

kv_status log_segments_open(log_segments *ss, log_span span, kv_why why,
                            log_segment **out)
{
    uint64_t size = 0;
    log_name name = log_name_of(span, false);
    log_segment *s = new_segment(ss, span);
    kv_open_how how = {.mode = KV_OPEN_READ};
    kv_status st = kv_file_open(ss->disk, name.text, how, why, &s->log.file);
    if (st == KV_NOT_FOUND) {
        st = kv_fail(KV_CORRUPT, "%s: vanished while the store was opened",
                     name.text);
    }
    if (st == KV_OK) st = kv_file_size(s->log.file, &size);
    if (st == KV_OK) st = claim_addresses(ss, s, size);
    if (st != KV_OK) {
        log_segments_drop(ss, s);
        return st;
    }
    atomic_store(&s->size, size);
    *out = s;
    return KV_OK;
}

void log_segments_drop(log_segments *ss, log_segment *s)
{
    if (owner_of(ss, (uint32_t)(s->base >> LOG_CHUNK_SHIFT)) == s) {
        set_owner(ss, s, NULL);
    }
    log_segment_unpin(s);
}

// ---- the list ---------------------------------------------------------------

static void insert_at(log_segments *ss, size_t at, log_segment *s)
{
    if (ss->count == ss->cap) {
        ss->cap = ss->cap * 2 + 8;
        ss->list = kv_realloc(ss->list, ss->cap * sizeof(log_segment *));
    }
    memmove(&ss->list[at + 1], &ss->list[at],
            (ss->count - at) * sizeof(log_segment *));
    ss->list[at] = s;
    ss->count++;
}

static size_t position_of(const log_segments *ss, uint32_t first)
{
    size_t at = 0;
    while (at < ss->count && ss->list[at]->span.first < first) at++;
    return at;
}

void log_segments_insert(log_segments *ss, log_segment *s)
{
    kv_mutex_lock(&ss->lock);
    insert_at(ss, position_of(ss, s->span.first), s);
    kv_mutex_unlock(&ss->lock);
}

void log_segments_replace(log_segments *ss, log_segment *s)
{
    kv_mutex_lock(&ss->lock);
    size_t first = position_of(ss, s->span.first), limit = first;
    while (limit < ss->count && ss->list[limit]->span.last <= s->span.last) {
        limit++;
    }
    size_t replaced = limit - first;
    log_segment **gone = kv_alloc((replaced + 1) * sizeof(log_segment *));
    memcpy(gone, &ss->list[first], replaced * sizeof(log_segment *));
    memmove(&ss->list[first], &ss->list[limit],
            (ss->count - limit) * sizeof(log_segment *));
    ss->count -= replaced;
    insert_at(ss, first, s); // S1
    for (size_t i = 0; i < replaced; i++) {
        assert(log_counter(&gone[i]->live_count) == 0); // S2
        set_owner(ss, gone[i], NULL);
    }
    kv_mutex_unlock(&ss->lock);
    for (size_t i = 0; i < replaced; i++) log_segment_unpin(gone[i]);
    kv_free(gone);
}

log_segment_list log_segments_pin_all(log_segments *ss)
{
    kv_mutex_lock(&ss->lock);
    log_segment_list list = {kv_alloc((ss->count + 1) * sizeof(log_segment *)),
                             ss->count};
    if (ss->count > 0) {
        memcpy(list.at, ss->list, ss->count * sizeof(log_segment *));
    }
    for (size_t i = 0; i < list.count; i++) log_segment_pin(list.at[i]);
    kv_mutex_unlock(&ss->lock);
    return list;
}

void log_segment_list_free(log_segment_list *list)
{
    for (size_t i = 0; i < list->count; i++) log_segment_unpin(list->at[i]);
    kv_free(list->at);
    *list = (log_segment_list){0};
}

uint32_t log_segments_newest(log_segments *ss)
{
    kv_mutex_lock(&ss->lock);
    uint32_t newest = ss->count > 0 ? ss->list[ss->count - 1]->span.last : 0;
    kv_mutex_unlock(&ss->lock);
    return newest;
}
