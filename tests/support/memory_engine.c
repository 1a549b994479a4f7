// memory_engine.c -- see memory_engine.h.
// SPDX-License-Identifier: MIT

#include "tests/support/memory_engine.h"

#include "common/engine_impl.h"
#include "common/mem.h"

typedef struct entry {
    kv_buf key, value;
} entry;

typedef struct memory_store {
    kv base;
    kv_mutex lock; // around everything below: simple, and slow with threads
    bool has_lock;
    entry *entries; // sorted by key
    size_t count, cap;
} memory_store;

typedef struct memory_cursor {
    kv_cursor base;
    bool is_started;
    kv_buf key, value; // what was shown last: the cursor's own copy
} memory_cursor;

enum { KNOB_CAPACITY, KNOB_COUNT };

static const kv_knob knobs[KNOB_COUNT] = {
    [KNOB_CAPACITY] = {"capacity", 16, 1, 1 << 20, NULL,
                       "entries to make room for at first"},
};

static memory_store *store_of(kv *db) { return (memory_store *)db; }

static memory_cursor *cursor_of(kv_cursor *cursor)
{
    return (memory_cursor *)cursor;
}

// ---- open and close ---------------------------------------------------------

static kv_status memory_open(kv *db)
{
    memory_store *m = store_of(db);
    kv_mutex_init(&m->lock);
    m->has_lock = true;
    m->cap = (size_t)db->knob[KNOB_CAPACITY];
    m->entries = kv_alloc(m->cap * sizeof *m->entries);
    return KV_OK;
}

static void free_entries(memory_store *m, size_t from, size_t limit)
{
    for (size_t i = from; i < limit; i++) {
        kv_buf_free(&m->entries[i].key);
        kv_buf_free(&m->entries[i].value);
    }
}

static kv_status memory_close(kv *db)
{
    memory_store *m = store_of(db);
    free_entries(m, 0, m->count);
    kv_free(m->entries);
    if (m->has_lock) kv_mutex_free(&m->lock);
    return KV_OK;
}

// ---- get and write ----------------------------------------------------------

// The index of the first entry that is not below `key`.
static size_t lower_bound(const memory_store *m, kv_slice key)
{
    size_t first = 0, limit = m->count;
    while (first < limit) {
        size_t middle = first + (limit - first) / 2;
        if (kv_slice_cmp(kv_buf_slice(&m->entries[middle].key), key) < 0) {
            first = middle + 1;
        } else {
            limit = middle;
        }
    }
    return first;
}

static bool is_at(const memory_store *m, size_t i, kv_slice key)
{
    return i < m->count &&
           kv_slice_equal(kv_buf_slice(&m->entries[i].key), key);
}

static kv_status memory_get(kv *db, kv_slice key, kv_buf *value)
{
    memory_store *m = store_of(db);
    kv_mutex_lock(&m->lock);
    size_t i = lower_bound(m, key);
    bool found = is_at(m, i, key);
    if (found) kv_buf_set(value, kv_buf_slice(&m->entries[i].value));
    kv_mutex_unlock(&m->lock);
    EXPLAIN(&db->explain, "binary search among %zu entries: %s", m->count,
            found ? "there" : "not there");
    return found ? KV_OK : KV_NOT_FOUND;
}

static void put(memory_store *m, kv_slice key, kv_slice value)
{
    size_t i = lower_bound(m, key);
    if (!is_at(m, i, key)) {
        if (m->count == m->cap) {
            m->cap *= 2;
            m->entries = kv_realloc(m->entries, m->cap * sizeof *m->entries);
        }
        memmove(m->entries + i + 1, m->entries + i,
                (m->count - i) * sizeof *m->entries);
        m->entries[i] = (entry){0};
        kv_buf_set(&m->entries[i].key, key);
        m->count++;
    }
    kv_buf_set(&m->entries[i].value, value);
}

// The entries from..limit-1.
static void del(memory_store *m, size_t from, size_t limit)
{
    if (from >= limit) return;
    free_entries(m, from, limit);
    memmove(m->entries + from, m->entries + limit,
            (m->count - limit) * sizeof *m->entries);
    m->count -= limit - from;
}

static void apply(memory_store *m, const kv_change *change)
{
    size_t from = lower_bound(m, change->key);
    switch (change->kind) {
    case KV_PUT:
        put(m, change->key, change->value);
        break;
    case KV_DEL:
        del(m, from, from + is_at(m, from, change->key));
        break;
    case KV_DEL_RANGE:
        del(m, from,
            change->value.len > 0 ? lower_bound(m, change->value) : m->count);
        break;
    }
}

static kv_status memory_write(kv *db, const kv_change *changes, size_t count)
{
    memory_store *m = store_of(db);
    kv_mutex_lock(&m->lock);
    for (size_t i = 0; i < count; i++) apply(m, &changes[i]);
    kv_mutex_unlock(&m->lock);
    EXPLAIN(&db->explain, "%zu entries now", m->count);
    return KV_OK;
}

// ---- cursors ----------------------------------------------------------------

static kv_status memory_scan(kv *db, kv_cursor *cursor)
{
    (void)cursor; // zeroed: not started
    EXPLAIN(&db->explain, "a walk over %zu entries", store_of(db)->count);
    return KV_OK;
}

// The index of the entry to show next, or m->count for none.
static size_t find_next(const memory_store *m, const memory_cursor *c)
{
    kv_slice last = kv_buf_slice(&c->key), to = c->base.range.to;
    size_t i;
    if (c->base.range.reverse) {
        if (c->is_started) i = lower_bound(m, last);
        else i = to.len > 0 ? lower_bound(m, to) : m->count;
        bool is_past =
            i == 0 || kv_slice_cmp(kv_buf_slice(&m->entries[i - 1].key),
                                   c->base.range.from) < 0;
        return is_past ? m->count : i - 1;
    }
    i = lower_bound(m, c->is_started ? last : c->base.range.from);
    if (c->is_started && is_at(m, i, last)) i++;
    bool is_past = i < m->count && to.len > 0 &&
                   kv_slice_cmp(kv_buf_slice(&m->entries[i].key), to) >= 0;
    return is_past ? m->count : i;
}

static kv_status memory_next(kv_cursor *cursor, kv_slice *key, kv_slice *value)
{
    memory_store *m = store_of(cursor->db);
    memory_cursor *c = cursor_of(cursor);
    kv_mutex_lock(&m->lock);
    size_t i = find_next(m, c);
    bool found = i < m->count;
    if (found) {
        kv_buf_set(&c->key, kv_buf_slice(&m->entries[i].key));
        kv_buf_set(&c->value, kv_buf_slice(&m->entries[i].value));
    }
    kv_mutex_unlock(&m->lock);
    if (!found) return KV_END;
    c->is_started = true;
    *key = kv_buf_slice(&c->key);
    *value = kv_buf_slice(&c->value);
    return KV_OK;
}

static void memory_end(kv_cursor *cursor)
{
    kv_buf_free(&cursor_of(cursor)->key);
    kv_buf_free(&cursor_of(cursor)->value);
}

// ---- looking inside ---------------------------------------------------------

static void memory_measure(kv *db, kv_stats *stats)
{
    memory_store *m = store_of(db);
    kv_mutex_lock(&m->lock);
    stats->key_count = m->count;
    stats->index_bytes = m->cap * sizeof *m->entries;
    stats->memory_bytes = stats->index_bytes;
    for (size_t i = 0; i < m->count; i++) {
        stats->memory_bytes += m->entries[i].key.cap + m->entries[i].value.cap;
    }
    kv_mutex_unlock(&m->lock);
}

static kv_status memory_inspect(kv *db, const char *what, kv_report *report)
{
    memory_store *m = store_of(db);
    if (what != NULL)
        return kv_fail(KV_NOT_FOUND, "\"%s\": no such part", what);
    kv_mutex_lock(&m->lock);
    kv_report_count(report, "entries", m->count);
    kv_mutex_unlock(&m->lock);
    return KV_OK;
}

static kv_status memory_check(kv *db, kv_report *report)
{
    memory_store *m = store_of(db);
    kv_status st = KV_OK;
    kv_mutex_lock(&m->lock);
    for (size_t i = 1; i < m->count; i++) {
        if (kv_slice_cmp(kv_buf_slice(&m->entries[i - 1].key),
                         kv_buf_slice(&m->entries[i].key)) >= 0) {
            st = kv_fail(KV_CORRUPT, "entry %zu is out of order", i);
            break;
        }
    }
    kv_report_count(report, "entries", m->count);
    kv_mutex_unlock(&m->lock);
    return st;
}

const kv_engine memory_engine = {
    .abi = KV_ENGINE_ABI,
    .info = {.name = "memory",
             .title = "a sorted array, the smallest engine",
             .book = "",
             .caps = KV_CAP_ORDERED | KV_CAP_RANGE_DELETE,
             .key_max = KV_KEY_MAX,
             .value_max = 16 << 20,
             .knobs = knobs,
             .knob_count = KNOB_COUNT},
    .store_size = sizeof(memory_store),
    .cursor_size = sizeof(memory_cursor),
    .open = memory_open,
    .close = memory_close,
    .get = memory_get,
    .write = memory_write,
    .scan = memory_scan,
    .next = memory_next,
    .end = memory_end,
    .measure = memory_measure,
    .inspect = memory_inspect,
    .check = memory_check,
};
