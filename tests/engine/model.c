// model.c -- see model.h.
// SPDX-License-Identifier: MIT

#include "tests/engine/model.h"

#include "common/mem.h"

static size_t lower_bound(const model *m, kv_slice key)
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

static bool is_at(const model *m, size_t i, kv_slice key)
{
    return i < m->count &&
           kv_slice_equal(kv_buf_slice(&m->entries[i].key), key);
}

void model_put(model *m, kv_slice key, kv_slice value)
{
    size_t i = lower_bound(m, key);
    if (!is_at(m, i, key)) {
        if (m->count == m->cap) {
            m->cap = m->cap > 0 ? m->cap * 2 : 64;
            m->entries = kv_realloc(m->entries, m->cap * sizeof *m->entries);
        }
        memmove(m->entries + i + 1, m->entries + i,
                (m->count - i) * sizeof *m->entries);
        m->entries[i] = (model_entry){0};
        kv_buf_set(&m->entries[i].key, key);
        m->count++;
    }
    kv_buf_set(&m->entries[i].value, value);
}

static void del(model *m, size_t first, size_t limit)
{
    if (first >= limit) return;
    for (size_t i = first; i < limit; i++) {
        kv_buf_free(&m->entries[i].key);
        kv_buf_free(&m->entries[i].value);
    }
    memmove(m->entries + first, m->entries + limit,
            (m->count - limit) * sizeof *m->entries);
    m->count -= limit - first;
}

void model_del(model *m, kv_slice key)
{
    size_t i = lower_bound(m, key);
    if (is_at(m, i, key)) del(m, i, i + 1);
}

void model_find_range(const model *m, kv_slice from, kv_slice to, size_t *first,
                      size_t *limit)
{
    *first = lower_bound(m, from);
    *limit = to.len > 0 ? lower_bound(m, to) : m->count;
    if (*limit < *first) *limit = *first;
}

void model_del_range(model *m, kv_slice from, kv_slice to)
{
    size_t first, limit;
    model_find_range(m, from, to, &first, &limit);
    del(m, first, limit);
}

const kv_buf *model_get(const model *m, kv_slice key)
{
    size_t i = lower_bound(m, key);
    return is_at(m, i, key) ? &m->entries[i].value : NULL;
}

void model_copy(model *to, const model *from)
{
    for (size_t i = 0; i < from->count; i++) {
        model_put(to, kv_buf_slice(&from->entries[i].key),
                  kv_buf_slice(&from->entries[i].value));
    }
}

void model_free(model *m)
{
    del(m, 0, m->count);
    kv_free(m->entries);
    *m = (model){0};
}

// ---- comparing --------------------------------------------------------------

static kv_status differ(const char *how, kv_slice key)
{
    kv_quoted q;
    return kv_fail(KV_INVALID, "%s \"%s\"", how, kv_quote(&q, key));
}

static kv_status compare_entry(const model_entry *want, kv_slice key,
                               kv_slice value)
{
    kv_quoted q, q2;
    if (!kv_slice_equal(kv_buf_slice(&want->key), key)) {
        return kv_fail(KV_INVALID, "the scan shows \"%s\" where \"%s\" is due",
                       kv_quote(&q, key),
                       kv_quote(&q2, kv_buf_slice(&want->key)));
    }
    if (!kv_slice_equal(kv_buf_slice(&want->value), value)) {
        return kv_fail(KV_INVALID,
                       "the scan shows \"%s\" with %zu bytes \"%s\", not with "
                       "the %zu bytes that were put last",
                       kv_quote(&q, key), value.len, kv_quote(&q2, value),
                       want->value.len);
    }
    return KV_OK;
}

static kv_status compare_gets(const model *m, kv *db)
{
    kv_buf value = {0};
    kv_status st = KV_OK;
    for (size_t i = 0; i < m->count && st == KV_OK; i++) {
        kv_slice key = kv_buf_slice(&m->entries[i].key);
        st = kv_get(db, key, &value);
        if (st == KV_NOT_FOUND) st = differ("get does not find", key);
        if (st == KV_OK &&
            !kv_slice_equal(kv_buf_slice(&value),
                            kv_buf_slice(&m->entries[i].value))) {
            st = differ("get shows another value than was put last for", key);
        }
    }
    kv_buf_free(&value);
    return st;
}

// Entry `seen` of an ordered scan over first..limit-1.
static kv_status compare_ordered(const model *m, const kv_range *range,
                                 size_t first, size_t limit, size_t seen,
                                 kv_slice key, kv_slice value)
{
    if (seen >= limit - first)
        return differ("the scan shows beyond its end", key);
    size_t i = range->reverse ? limit - 1 - seen : first + seen;
    return compare_entry(&m->entries[i], key, value);
}

// One of an unordered scan; `shown` says which of first..limit-1 it has shown.
static kv_status compare_unordered(const model *m, size_t first, size_t limit,
                                   bool *shown, kv_slice key, kv_slice value)
{
    size_t i = lower_bound(m, key);
    if (!is_at(m, i, key))
        return differ("the scan shows a key that is not in", key);
    if (i < first || i >= limit)
        return differ("the scan leaves its range with", key);
    if (shown[i]) return differ("the scan shows twice", key);
    shown[i] = true;
    return compare_entry(&m->entries[i], key, value);
}

kv_status model_compare_range(const model *m, kv *db, kv_range range,
                              bool is_ordered)
{
    size_t first, limit, seen = 0;
    model_find_range(m, range.from, range.to, &first, &limit);
    kv_cursor *cursor = NULL;
    KV_TRY(kv_scan(db, range, &cursor));
    bool *shown = kv_zalloc(m->count + 1);
    kv_status st = KV_OK;
    for (kv_slice key, value; st == KV_OK; seen++) {
        st = kv_cursor_next(cursor, &key, &value);
        if (st == KV_END) break;
        if (st != KV_OK) continue;
        st = is_ordered
                 ? compare_ordered(m, &range, first, limit, seen, key, value)
                 : compare_unordered(m, first, limit, shown, key, value);
    }
    if (st == KV_END) {
        kv_slice key, value;
        st = KV_OK;
        if (seen != limit - first) {
            st = kv_fail(KV_INVALID, "the scan ends after %zu of %zu entries",
                         seen, limit - first);
        } else if (kv_cursor_next(cursor, &key, &value) != KV_END) {
            st = kv_fail(KV_INVALID, "the scan goes on after its end");
        }
    }
    kv_free(shown);
    kv_cursor_close(cursor);
    return st;
}

kv_status model_compare(const model *m, kv *db, bool is_ordered)
{
    KV_TRY(compare_gets(m, db));
    KV_TRY(model_compare_range(m, db, (kv_range){0}, is_ordered));
    if (!is_ordered) return KV_OK;
    return model_compare_range(m, db, (kv_range){.reverse = true}, is_ordered);
}
