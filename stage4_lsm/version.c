// version.c -- see version.h.
// SPDX-License-Identifier: MIT

#include "version.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h> // qsort

#include "common/mem.h"

// ---- making one -------------------------------------------------------------

// A table and where it belongs.
typedef struct seat {
    uint32_t level;
    uint64_t run;
    lsm_table *table;
} seat;

typedef struct seats {
    seat *at;
    size_t count;
} seats;

static int compare_seats(const void *a, const void *b)
{
    const seat *x = a, *y = b;
    if (x->level != y->level) return x->level < y->level ? -1 : 1;
    if (x->run != y->run) return x->run > y->run ? -1 : 1; // V1
    return kv_slice_cmp(x->table->props.first_key, y->table->props.first_key);
}

static bool is_removed(const lsm_edit *edit, uint64_t number)
{
    for (size_t i = 0; i < edit->removed_count; i++) {
        if (edit->removed[i] == number) return true;
    }
    return false;
}

static lsm_table *find_number(lsm_table *const *tables, size_t count,
                              uint64_t number)
{
    for (size_t i = 0; i < count; i++) {
        if (tables[i]->id.number == number) return tables[i];
    }
    return NULL;
}

static seats seat_all(const lsm_version *base, const lsm_edit *edit,
                      lsm_table *const *opened, size_t opened_count)
{
    seats s = {0};
    size_t most = base->table_count + edit->added_count + 1;
    s.at = kv_alloc(most * sizeof *s.at);
    for (size_t i = 0; i < base->run_count; i++) {
        const lsm_run *run = &base->runs[i];
        for (size_t j = 0; j < run->count; j++) {
            if (is_removed(edit, run->tables[j]->id.number)) continue;
            s.at[s.count++] = (seat){run->level, run->id, run->tables[j]};
        }
    }
    for (size_t i = 0; i < edit->added_count; i++) {
        const lsm_edit_table *t = &edit->added[i];
        lsm_table *table = find_number(opened, opened_count, t->number);
        if (table == NULL) {
            table = find_number(base->tables, base->table_count, t->number);
        }
        assert(table != NULL);
        s.at[s.count++] = (seat){t->level, t->run, table};
    }
    qsort(s.at, s.count, sizeof *s.at, compare_seats);
    return s;
}

lsm_version *lsm_version_new(void)
{
    lsm_version *v = kv_zalloc(sizeof *v);
    v->refs = 1;
    return v;
}

lsm_version *lsm_version_after(const lsm_version *base, const lsm_edit *edit,
                               lsm_table *const *opened, size_t opened_count)
{
    seats s = seat_all(base, edit, opened, opened_count);
    lsm_version *v = lsm_version_new();
    v->tables = kv_alloc((s.count + 1) * sizeof(lsm_table *));
    v->runs = kv_zalloc((s.count + 1) * sizeof *v->runs);
    for (size_t i = 0; i < s.count; i++) {
        lsm_run *run = v->run_count > 0 ? &v->runs[v->run_count - 1] : NULL;
        if (run == NULL || run->level != s.at[i].level ||
            run->id != s.at[i].run) {
            run = &v->runs[v->run_count++];
            *run = (lsm_run){.id = s.at[i].run,
                             .level = s.at[i].level,
                             .tables = &v->tables[i]};
        }
        run->count++;
        run->bytes += s.at[i].table->props.file_bytes;
        run->range_count += s.at[i].table->props.range_count;
        v->tables[v->table_count++] = lsm_table_ref(s.at[i].table);
    }
    kv_free(s.at);
    return v;
}

lsm_version *lsm_version_ref(lsm_version *v)
{
    atomic_fetch_add(&v->refs, 1);
    return v;
}

void lsm_version_unref(lsm_version *v)
{
    if (v == NULL || atomic_fetch_sub(&v->refs, 1) != 1) return;
    for (size_t i = 0; i < v->table_count; i++) lsm_table_unref(v->tables[i]);
    kv_free(v->tables);
    kv_free(v->runs);
    kv_free(v);
}

lsm_edit_table lsm_table_facts(const lsm_table *t, uint32_t level, uint64_t run)
{
    return (lsm_edit_table){
        .level = level,
        .run = run,
        .number = t->id.number,
        .file_bytes = t->props.file_bytes,
        .entry_count = t->props.entry_count,
        .first_key = t->props.first_key,
        .last_key = t->props.last_key,
        .last_is_open = t->props.last_is_open,
    };
}

// ---- key ranges -------------------------------------------------------------

lsm_bounds lsm_table_bounds(const lsm_table *t)
{
    return (lsm_bounds){t->props.first_key, t->props.last_key,
                        !t->props.last_is_open};
}

bool lsm_bounds_before(const lsm_bounds *a, const lsm_bounds *b)
{
    if (a->to.len == 0) return false;
    int order = kv_slice_cmp(a->to, b->from);
    return a->is_closed ? order < 0 : order <= 0;
}

void lsm_bounds_join(lsm_bounds *a, const lsm_bounds *b)
{
    if (kv_slice_cmp(b->from, a->from) < 0) a->from = b->from;
    int order = lsm_end_cmp(a->to, b->to);
    if (order < 0) a->to = b->to;
    if (order < 0) a->is_closed = b->is_closed;
    if (order == 0) a->is_closed = a->is_closed || b->is_closed;
}

size_t lsm_run_overlap(const lsm_run *run, const lsm_bounds *bounds,
                       size_t *count)
{
    size_t first = 0, limit = run->count;
    while (first < limit) {
        size_t middle = first + (limit - first) / 2;
        lsm_bounds table = lsm_table_bounds(run->tables[middle]);
        if (lsm_bounds_before(&table, bounds)) first = middle + 1;
        else limit = middle;
    }
    size_t end = first;
    while (end < run->count) {
        lsm_bounds table = lsm_table_bounds(run->tables[end]);
        if (lsm_bounds_before(bounds, &table)) break;
        end++;
    }
    *count = end - first;
    return first;
}

// The first table that does not end before the key; run->count if all do.
static size_t reach(const lsm_run *run, kv_slice key)
{
    size_t first = 0, limit = run->count;
    while (first < limit) {
        size_t middle = first + (limit - first) / 2;
        const lsm_properties *p = &run->tables[middle]->props;
        int order = lsm_end_cmp(p->last_key, key);
        if (order < 0 || (order == 0 && p->last_is_open)) first = middle + 1;
        else limit = middle;
    }
    return first;
}

lsm_table *lsm_run_find(const lsm_run *run, kv_slice key)
{
    size_t i = reach(run, key);
    if (i == run->count) return NULL;
    lsm_table *t = run->tables[i];
    return kv_slice_cmp(t->props.first_key, key) <= 0 ? t : NULL;
}

void lsm_run_cut(const lsm_run *run, kv_slice key, lsm_range_tombstone *stretch)
{
    // From where the table before ends to where the next begins, only this
    // one's range tombstones count.
    size_t i = reach(run, key);
    lsm_range_tombstone alone = {0};
    if (i > 0) alone.from = run->tables[i - 1]->props.last_key;
    if (i + 1 < run->count) alone.to = run->tables[i + 1]->props.first_key;
    lsm_stretch_cut(stretch, &alone);
    if (i < run->count) lsm_spans_cut(&run->tables[i]->ranges, key, stretch);
}

// ---- check ------------------------------------------------------------------

static kv_status overlap(const lsm_run *run, size_t i)
{
    return kv_fail(KV_CORRUPT,
                   "%s and %s: overlap within run %" PRIu64 " of level %" PRIu32
                   "; restore both from a backup",
                   lsm_table_name(run->tables[i]->id.number).text,
                   lsm_table_name(run->tables[i + 1]->id.number).text, run->id,
                   run->level);
}

kv_status lsm_version_check(const lsm_version *v)
{
    for (size_t r = 0; r < v->run_count; r++) {
        const lsm_run *run = &v->runs[r];
        for (size_t i = 0; i + 1 < run->count; i++) {
            lsm_bounds left = lsm_table_bounds(run->tables[i]);
            lsm_bounds right = lsm_table_bounds(run->tables[i + 1]);
            if (!lsm_bounds_before(&left, &right)) return overlap(run, i);
        }
    }
    return KV_OK;
}

// ---- a walk over a run ------------------------------------------------------

typedef struct run_walk {
    lsm_iter base;
    lsm_table *const *tables;
    size_t count;
    lsm_scan_how how;
    size_t i;        // of the table that `inner` walks over
    lsm_iter *inner; // NULL: none
} run_walk;

static void leave(run_walk *w)
{
    if (w->inner != NULL) w->inner->ops->free(w->inner);
    w->inner = NULL;
}

static void enter(run_walk *w, size_t i)
{
    if (w->inner != NULL && w->i == i) return;
    leave(w);
    w->i = i;
    w->inner = lsm_table_iter(w->tables[i], w->how);
}

static kv_status show(run_walk *w)
{
    w->base.is_valid = w->inner != NULL && w->inner->is_valid;
    if (w->base.is_valid) w->base.entry = w->inner->entry;
    return KV_OK;
}

// On from where `inner` has ended, over tables without entries as well.
static kv_status show_or_go_on(run_walk *w)
{
    while (!w->inner->is_valid && w->i + 1 < w->count) {
        enter(w, w->i + 1);
        KV_TRY(w->inner->ops->first(w->inner));
    }
    return show(w);
}

static kv_status show_or_go_back(run_walk *w)
{
    while (!w->inner->is_valid && w->i > 0) {
        enter(w, w->i - 1);
        KV_TRY(w->inner->ops->last(w->inner));
    }
    return show(w);
}

// How many tables begin at or below the key (below, if not `inclusive`).
static size_t count_begun(const run_walk *w, kv_slice key, bool inclusive)
{
    size_t first = 0, limit = w->count;
    while (first < limit) {
        size_t middle = first + (limit - first) / 2;
        int order = kv_slice_cmp(w->tables[middle]->props.first_key, key);
        if (order < 0 || (order == 0 && inclusive)) first = middle + 1;
        else limit = middle;
    }
    return first;
}

static kv_status run_seek(lsm_iter *it, kv_slice key)
{
    run_walk *w = (run_walk *)it;
    w->base.is_valid = false;
    if (w->count == 0) return KV_OK;
    size_t begun = count_begun(w, key, true);
    enter(w, begun > 0 ? begun - 1 : 0);
    KV_TRY(w->inner->ops->seek(w->inner, key));
    return show_or_go_on(w);
}

static kv_status run_seek_before(lsm_iter *it, kv_slice key)
{
    run_walk *w = (run_walk *)it;
    w->base.is_valid = false;
    size_t begun = count_begun(w, key, false);
    if (begun == 0) return KV_OK;
    enter(w, begun - 1);
    KV_TRY(w->inner->ops->seek_before(w->inner, key));
    return show_or_go_back(w);
}

static kv_status run_first(lsm_iter *it)
{
    run_walk *w = (run_walk *)it;
    w->base.is_valid = false;
    if (w->count == 0) return KV_OK;
    enter(w, 0);
    KV_TRY(w->inner->ops->first(w->inner));
    return show_or_go_on(w);
}

static kv_status run_last(lsm_iter *it)
{
    run_walk *w = (run_walk *)it;
    w->base.is_valid = false;
    if (w->count == 0) return KV_OK;
    enter(w, w->count - 1);
    KV_TRY(w->inner->ops->last(w->inner));
    return show_or_go_back(w);
}

static kv_status run_next(lsm_iter *it)
{
    run_walk *w = (run_walk *)it;
    KV_TRY(w->inner->ops->next(w->inner));
    return show_or_go_on(w);
}

static kv_status run_prev(lsm_iter *it)
{
    run_walk *w = (run_walk *)it;
    KV_TRY(w->inner->ops->prev(w->inner));
    return show_or_go_back(w);
}

static void run_free(lsm_iter *it)
{
    leave((run_walk *)it);
    kv_free(it);
}

lsm_iter *lsm_run_iter(const lsm_run *run, size_t first, size_t count,
                       lsm_scan_how how)
{
    static const lsm_iter_ops ops = {
        .seek = run_seek,
        .seek_before = run_seek_before,
        .first = run_first,
        .last = run_last,
        .next = run_next,
        .prev = run_prev,
        .free = run_free,
    };
    if (count == 1) return lsm_table_iter(run->tables[first], how);
    run_walk *w = kv_zalloc(sizeof *w);
    w->base.ops = &ops;
    w->tables = run->tables + first;
    w->count = count;
    w->how = how;
    return &w->base;
}
