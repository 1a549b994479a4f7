// segment.c -- see segment.h.
// SPDX-License-Identifier: MIT

#include "segment.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/mem.h"

sst_name sst_segment_name(uint64_t number)
{
    sst_name name;
    snprintf(name.text, sizeof name.text, "%06" PRIu64 ".sst", number);
    return name;
}

sst_name sst_segment_temporary(uint64_t number)
{
    sst_name name;
    snprintf(name.text, sizeof name.text, "%06" PRIu64 ".sst.tmp", number);
    return name;
}

static kv_status damaged(const sst_segment *s, const char *what,
                         uint64_t offset)
{
    return kv_fail(KV_CORRUPT,
                   "%s: damaged %s at offset %" PRIu64
                   "; restore the file from a backup",
                   sst_segment_name(s->id.number).text, what, offset);
}

// ---- opening ----------------------------------------------------------------

static kv_status read_header(sst_segment *s, kv_why why)
{
    uint8_t bytes[SST_HEADER_MAX];
    size_t got = 0;
    KV_TRY(kv_file_read(s->file, 0, bytes, sizeof bytes, &got, why));
    kv_slice header = kv_slice_of(bytes, got);
    sst_segment_id found = {0};
    s->codec = sst_codec_of(header);
    size_t size = s->codec ? s->codec->get_header(header, &found) : 0;
    if (size == 0) return damaged(s, "header", 0);
    if (found.store_id != s->id.store_id || found.number != s->id.number) {
        return kv_fail(KV_CORRUPT,
                       "%s: says it is segment %" PRIu64 " of store %016" PRIx64
                       ": a file of another store, or renamed; restore the "
                       "right one from a backup",
                       sst_segment_name(s->id.number).text, found.number,
                       found.store_id);
    }
    s->footer.index_offset = size; // where intervals begin, until it is read
    return KV_OK;
}

static kv_status read_footer(sst_segment *s, uint64_t data_from, kv_why why)
{
    uint8_t bytes[SST_FOOTER_MAX];
    size_t size = s->codec->footer_bytes;
    if (s->file_bytes < data_from + size) {
        return damaged(s, "end (it is too short)", s->file_bytes);
    }
    uint64_t offset = s->file_bytes - size;
    KV_TRY(kv_file_read_all(s->file, offset, bytes, size, why));
    sst_footer *f = &s->footer;
    if (s->codec->get_footer(kv_slice_of(bytes, size), f,
                             sst_check_seed(&s->id, offset)) == 0 ||
        f->index_offset < data_from || f->index_offset > offset ||
        f->index_size != offset - f->index_offset) {
        return damaged(s, "footer", offset);
    }
    return KV_OK;
}

static void add_place(sst_segment *s, size_t *cap, sst_place place)
{
    if (s->interval_count == *cap) {
        *cap = *cap > 0 ? 2 * *cap : 64;
        s->places = kv_realloc(s->places, *cap * sizeof *s->places);
    }
    s->places[s->interval_count++] = place;
}

// The index's lines, from `body` into memory (F3, F4).
static bool parse_index(sst_segment *s, kv_slice body, uint64_t offset)
{
    size_t at = 0, cap = 0;
    // A copy of the bytes for binary's slices; for text, room to unescape.
    kv_buf_reserve(&s->keys,
                   s->codec == &sst_codec_text ? 2 * body.len : body.len);
    kv_buf_append(&s->keys, body);
    body.data = s->keys.data;
    while (offset < s->footer.index_offset) {
        sst_index_entry entry;
        kv_slice rest = kv_slice_of(body.data + at, body.len - at);
        size_t size = s->codec->get_index_entry(rest, &s->keys, &entry);
        if (size == 0 || entry.size == 0) return false;
        if (entry.size > s->footer.index_offset - offset) return false;
        if (s->interval_count > 0 &&
            kv_slice_cmp(s->places[s->interval_count - 1].first_key,
                         entry.first_key) >= 0) {
            return false;
        }
        add_place(s, &cap, (sst_place){offset, entry.size, entry.first_key});
        offset += entry.size;
        at += size;
    }
    if (s->interval_count == 0) return false;
    kv_slice rest = kv_slice_of(body.data + at, body.len - at);
    return s->codec->get_last_key(rest, &s->keys, &s->last_key) == rest.len;
}

static kv_status read_index(sst_segment *s, uint64_t data_from, kv_why why)
{
    kv_buf bytes = {0};
    size_t size = (size_t)s->footer.index_size; // within the file: read_footer
    uint64_t offset = s->footer.index_offset;
    kv_slice body;
    kv_buf_reserve(&bytes, size);
    kv_status st = kv_file_read_all(s->file, offset, bytes.data, size, why);
    if (st == KV_OK && (!sst_get_check(s->codec, kv_slice_of(bytes.data, size),
                                       &s->id, offset, &body) ||
                        !parse_index(s, body, data_from))) {
        st = damaged(s, "index", offset);
    }
    if (st == KV_OK) s->first_key = s->places[0].first_key;
    kv_buf_free(&bytes);
    return st;
}

static kv_status open_file(sst_segment *s, kv_disk *disk, kv_why why)
{
    sst_name name = sst_segment_name(s->id.number);
    kv_status st = kv_file_open(
        disk, name.text, (kv_open_how){.mode = KV_OPEN_READ}, why, &s->file);
    if (st == KV_NOT_FOUND) {
        return kv_fail(KV_CORRUPT,
                       "%s: the catalog names this segment, and the file is "
                       "not there; restore it from a backup",
                       name.text);
    }
    KV_TRY(st);
    KV_TRY(kv_file_size(s->file, &s->file_bytes));
    KV_TRY(read_header(s, why));
    uint64_t data_from = s->footer.index_offset;
    KV_TRY(read_footer(s, data_from, why));
    return read_index(s, data_from, why);
}

kv_status sst_segment_open(kv_disk *disk, const sst_segment_id *id,
                           bool use_map, kv_why why, sst_segment **out)
{
    sst_segment *s = kv_zalloc(sizeof *s);
    s->refs = 1;
    s->id = *id;
    s->use_map = use_map;
    kv_status st = open_file(s, disk, why);
    if (st != KV_OK) {
        sst_segment_unref(s);
        return st;
    }
    *out = s;
    return KV_OK;
}

sst_segment *sst_segment_ref(sst_segment *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

void sst_segment_unref(sst_segment *s)
{
    if (s == NULL || atomic_fetch_sub(&s->refs, 1) != 1) return;
    // It was only read: closing it has nothing to lose.
    kv_file_close(s->file);
    kv_buf_free(&s->keys);
    kv_free(s->places);
    kv_free(s);
}

uint64_t sst_segment_index_bytes(const sst_segment *s)
{
    return s->interval_count * sizeof *s->places + s->keys.cap;
}

// ---- intervals --------------------------------------------------------------

// The interval's entries, verified (S2), in `bytes` or in the mapping.
static kv_status read_interval(sst_segment *s, size_t i, kv_buf *bytes,
                               kv_why why, kv_slice *body)
{
    const sst_place *place = &s->places[i];
    kv_slice part;
    if (s->use_map) {
        KV_TRY(kv_file_map(s->file, place->offset, (size_t)place->size, why,
                           &part));
    } else {
        kv_buf_clear(bytes);
        kv_buf_reserve(bytes, (size_t)place->size);
        part = kv_slice_of(bytes->data, (size_t)place->size);
        KV_TRY(kv_file_read_all(s->file, place->offset, bytes->data, part.len,
                                why));
    }
    if (sst_get_check(s->codec, part, &s->id, place->offset, body)) {
        return KV_OK;
    }
    return damaged(s, "interval", place->offset);
}

// The last interval whose first key is not above `key`, or 0.
static size_t find_interval(const sst_segment *s, kv_slice key)
{
    size_t low = 0, high = s->interval_count; // the answer is in [low, high)
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (kv_slice_cmp(s->places[middle].first_key, key) <= 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

// ---- get --------------------------------------------------------------------

bool sst_segment_may_hold(const sst_segment *s, kv_slice key)
{
    return kv_slice_cmp(s->first_key, key) <= 0 &&
           kv_slice_cmp(key, s->last_key) <= 0;
}

static kv_status find_entry(sst_segment *s, const sst_place *place,
                            kv_slice body, kv_slice key, sst_entry *entry,
                            kv_buf *room)
{
    if (s->codec == &sst_codec_text) kv_buf_reserve(room, body.len);
    for (size_t at = 0; at < body.len;) {
        kv_slice rest = kv_slice_of(body.data + at, body.len - at);
        kv_buf_clear(room);
        size_t size = s->codec->get_entry(rest, room, entry);
        if (size == 0) return damaged(s, "entry", place->offset + at);
        int order = kv_slice_cmp(entry->key, key);
        if (order == 0) return KV_OK;
        if (order > 0) break;
        at += size;
    }
    return KV_NOT_FOUND;
}

kv_status sst_segment_get(sst_segment *s, kv_slice key,
                          const kv_explainer *explain, kv_buf *value,
                          bool *is_tombstone)
{
    size_t i = find_interval(s, key);
    kv_buf bytes = {0}, room = {0};
    kv_slice body;
    sst_entry entry = {0};
    EXPLAIN(explain,
            "segment %" PRIu64
            ": sparse index says interval %zu of %zu, %" PRIu64
            " bytes at %" PRIu64,
            s->id.number, i, s->interval_count, s->places[i].size,
            s->places[i].offset);
    kv_status st = read_interval(s, i, &bytes, kv_for(KV_FOR_READ), &body);
    if (st == KV_OK)
        st = find_entry(s, &s->places[i], body, key, &entry, &room);
    if (st == KV_OK) {
        *is_tombstone = entry.is_tombstone;
        if (!entry.is_tombstone) kv_buf_set(value, entry.value);
    }
    EXPLAIN(explain, "segment %" PRIu64 ": 1 read, %s", s->id.number,
            st == KV_NOT_FOUND ? "the key is not in the interval"
            : st != KV_OK      ? "and it failed"
            : *is_tombstone    ? "a tombstone: the key is gone"
                               : "found");
    kv_buf_free(&room);
    kv_buf_free(&bytes);
    return st;
}

// ---- scan -------------------------------------------------------------------

// A cursor: the entries of one interval, decoded, and where it is in them.
typedef struct walk {
    sst_source base;
    sst_segment *segment;
    kv_why why;
    bool reverse;
    size_t next_interval; // how many intervals are before it (reverse: left)
    kv_buf bytes, room;
    sst_entry *entries;
    size_t count, cap, next; // `next` entries were handed out
} walk;

static void add_entry(walk *w, const sst_entry *entry)
{
    if (w->count == w->cap) {
        w->cap = w->cap > 0 ? 2 * w->cap : 64;
        w->entries = kv_realloc(w->entries, w->cap * sizeof *w->entries);
    }
    w->entries[w->count++] = *entry;
}

static kv_status load_interval(walk *w, size_t i)
{
    sst_segment *s = w->segment;
    kv_slice body;
    KV_TRY(read_interval(s, i, &w->bytes, w->why, &body));
    w->count = w->next = 0;
    kv_buf_clear(&w->room);
    if (s->codec == &sst_codec_text) kv_buf_reserve(&w->room, body.len);
    for (size_t at = 0; at < body.len;) {
        sst_entry entry;
        kv_slice rest = kv_slice_of(body.data + at, body.len - at);
        size_t size = s->codec->get_entry(rest, &w->room, &entry);
        if (size == 0) return damaged(s, "entry", s->places[i].offset + at);
        add_entry(w, &entry);
        at += size;
    }
    return KV_OK;
}

static kv_status walk_next(sst_source *source)
{
    walk *w = (walk *)source;
    while (w->next == w->count) {
        size_t intervals = w->segment->interval_count;
        if (w->reverse ? w->next_interval == 0
                       : w->next_interval == intervals) {
            source->has_entry = false;
            return KV_OK;
        }
        KV_TRY(load_interval(w, w->reverse ? --w->next_interval
                                           : w->next_interval++));
    }
    size_t i = w->reverse ? w->count - 1 - w->next : w->next;
    w->next++;
    source->entry = w->entries[i];
    source->has_entry = true;
    return KV_OK;
}

// The first step of a walk that has a bound passes over what is outside it.
static kv_status walk_first(sst_source *source)
{
    walk *w = (walk *)source;
    kv_buf bound = w->room; // where scan() left it
    w->room = (kv_buf){0};
    source->next = walk_next;
    kv_status st;
    int order;
    do {
        st = walk_next(source);
        if (st != KV_OK || !source->has_entry) break;
        order = kv_slice_cmp(source->entry.key, kv_buf_slice(&bound));
    } while (w->reverse ? order >= 0 : order < 0);
    kv_buf_free(&bound);
    return st;
}

static void walk_free(sst_source *source)
{
    walk *w = (walk *)source;
    sst_segment_unref(w->segment);
    kv_buf_free(&w->bytes);
    kv_buf_free(&w->room);
    kv_free(w->entries);
    kv_free(w);
}

sst_source *sst_segment_scan(sst_segment *s, kv_slice from, kv_slice to,
                             bool reverse, kv_why why)
{
    walk *w = kv_zalloc(sizeof *w);
    kv_slice bound = reverse ? to : from;
    w->base = (sst_source){.next = bound.len > 0 ? walk_first : walk_next,
                           .free = walk_free};
    w->segment = sst_segment_ref(s);
    w->why = why;
    w->reverse = reverse;
    kv_buf_append(&w->room, bound);
    size_t start = bound.len > 0 ? find_interval(s, bound) : 0;
    w->next_interval = start;
    if (reverse)
        w->next_interval = bound.len > 0 ? start + 1 : s->interval_count;
    return &w->base;
}

// ---- check ------------------------------------------------------------------

// The entries of interval `i`: in order, and as its index entry says.
static kv_status check_interval(walk *w, size_t i, kv_buf *last_key)
{
    sst_segment *s = w->segment;
    KV_TRY(load_interval(w, i));
    if (w->count == 0 ||
        !kv_slice_equal(w->entries[0].key, s->places[i].first_key)) {
        return damaged(s, "interval (not what the index says)",
                       s->places[i].offset);
    }
    for (size_t e = 0; e < w->count; e++) {
        kv_slice key = w->entries[e].key;
        if (last_key->len > 0 &&
            kv_slice_cmp(kv_buf_slice(last_key), key) >= 0) { // F1
            return damaged(s, "order", s->places[i].offset);
        }
        kv_buf_set(last_key, key);
    }
    return KV_OK;
}

kv_status sst_segment_check(sst_segment *s)
{
    walk *w = (walk *)sst_segment_scan(s, (kv_slice){0}, (kv_slice){0}, false,
                                       kv_for(KV_FOR_READ));
    kv_buf last_key = {0};
    uint64_t entries = 0, tombstones = 0;
    kv_status st = KV_OK;
    for (size_t i = 0; i < s->interval_count && st == KV_OK; i++) {
        st = check_interval(w, i, &last_key);
        if (st != KV_OK) break;
        entries += w->count;
        for (size_t e = 0; e < w->count; e++) {
            tombstones += w->entries[e].is_tombstone;
        }
    }
    if (st == KV_OK &&
        (entries != s->footer.entry_count ||
         tombstones != s->footer.tombstone_count ||
         !kv_slice_equal(kv_buf_slice(&last_key), s->last_key))) {
        st = damaged(s, "index (not what the entries say)",
                     s->footer.index_offset);
    }
    kv_buf_free(&last_key);
    w->base.free(&w->base);
    return st;
}
