// cursor.c -- walks over one moment of the store; see store.h.
// SPDX-License-Identifier: MIT

#include "common/mem.h"

#include "head.h"
#include "store.h"

// ---- open -------------------------------------------------------------------

static void add_memtable(lsm_cursor *c, lsm_memtable *m, uint64_t seq)
{
    const lsm_layer *ranges = lsm_memtable_ranges(m, seq);
    if (ranges != NULL) c->ranges[c->range_count++] = ranges;
    if (lsm_memtable_count(m) == 0) return;
    EXPLAIN(c->store->explain, "%s memtable: %llu entries join the merge",
            m == c->view->active ? "active" : "frozen",
            (unsigned long long)lsm_memtable_count(m));
    lsm_merge_add(&c->merge, lsm_memtable_iter(m, seq));
}

static void add_run(lsm_cursor *c, const lsm_run *run, const lsm_bounds *bounds)
{
    lsm_scan_how how = {.why = kv_for(KV_FOR_READ)};
    size_t count, first = lsm_run_overlap(run, bounds, &count);
    EXPLAIN(c->store->explain, "level %u, run %llu: %zu of %zu tables %s",
            (unsigned)run->level, (unsigned long long)run->id, count,
            run->count, count > 0 ? "join the merge" : "overlap: skipped");
    if (count == 0) return;
    c->has_ranges = c->has_ranges || run->range_count > 0;
    const lsm_properties *last = &run->tables[first + count - 1]->props;
    if (c->merge.prefix.len == 0) {
        c->merge.prefix = lsm_common_prefix(run->tables[first]->props.first_key,
                                            last->last_key);
    }
    if (run->level == 0) {
        atomic_fetch_add_explicit(&run->tables[first]->scanned_bytes,
                                  c->store->config.block_bytes,
                                  memory_order_relaxed);
    }
    lsm_merge_add(&c->merge, lsm_run_iter(run, first, count, how));
}

kv_status lsm_cursor_open(lsm_cursor *c, lsm_store *s, kv_slice from,
                          kv_slice to, bool reverse)
{
    uint64_t seq;
    c->store = s;
    c->from = from;
    c->to = to;
    c->reverse = reverse;
    c->view = lsm_gate_view(&s->gate, &seq);
    lsm_bounds bounds = {from, to, false};
    add_memtable(c, c->view->active, seq);
    for (size_t i = 0; i < c->view->frozen_count; i++) {
        add_memtable(c, c->view->frozen[i], seq);
    }
    c->has_ranges = c->range_count > 0;
    const lsm_version *v = c->view->version;
    for (size_t i = 0; i < v->run_count; i++) {
        add_run(c, &v->runs[i], &bounds);
    }
    lsm_store_note_scan(s, v);
    return lsm_merge_seek(&c->merge, reverse ? to : from, reverse);
}

// ---- next -------------------------------------------------------------------

// What one source says around the key.
static void ask(const lsm_cursor *c, size_t source, kv_slice key,
                lsm_range_tombstone *out)
{
    *out = (lsm_range_tombstone){0};
    if (source < c->range_count) {
        lsm_layers_cut(c->ranges[source], key, out);
        return;
    }
    const lsm_run *run = &c->view->version->runs[source - c->range_count];
    if (run->range_count > 0) lsm_run_cut(run, key, out);
}

// The number of the newest range tombstone over the key. Costs a search only
// where a stretch begins, and only in those sources that say so: of many with
// small ranges, most say nothing new.
static uint64_t range_seq(lsm_cursor *c, kv_slice key)
{
    lsm_range_tombstone *s = &c->stretch;
    bool is_first = c->said == NULL;
    if (!is_first && lsm_range_covers(s, key)) return s->seq;
    size_t sources = c->range_count + c->view->version->run_count;
    if (is_first) c->said = kv_alloc(sources * sizeof *c->said);
    *s = (lsm_range_tombstone){0};
    for (size_t i = 0; i < sources; i++) {
        if (is_first || !lsm_range_covers(&c->said[i], key)) {
            ask(c, i, key, &c->said[i]);
        }
        lsm_stretch_cut(s, &c->said[i]);
    }
    if (s->seq > 0) {
        EXPLAIN(c->store->explain,
                "a range tombstone of sequence number %llu: from here to its "
                "end what is older is gone",
                (unsigned long long)s->seq);
    }
    return s->seq;
}

static bool is_gone(lsm_cursor *c, const lsm_entry *e)
{
    if (e->kind == LSM_DEL) return true;
    return c->has_ranges && e->seq < range_seq(c, e->key);
}

// Past what is left of the last key's versions.
static kv_status pass_versions(lsm_cursor *c)
{
    const lsm_entry *e = lsm_merge_entry(&c->merge);
    if (e == NULL) return KV_OK;
    kv_buf_set(&c->key, e->key);
    do {
        KV_TRY(lsm_merge_next(&c->merge));
        e = lsm_merge_entry(&c->merge);
    } while (e != NULL && kv_slice_equal(e->key, kv_buf_slice(&c->key)));
    return KV_OK;
}

static kv_status next_up(lsm_cursor *c, kv_slice *key, kv_slice *value)
{
    for (;;) {
        if (c->has_begun) KV_TRY(pass_versions(c));
        c->has_begun = true;
        const lsm_entry *e = lsm_merge_entry(&c->merge);
        if (e == NULL) return KV_END;
        if (c->to.len > 0 && kv_slice_cmp(e->key, c->to) >= 0) return KV_END;
        if (is_gone(c, e)) continue;
        *key = e->key;
        *value = e->value;
        return KV_OK;
    }
}

// Downward a key's oldest version comes first: only when the next key has come
// is it known which was the newest, so that one is kept.
static kv_status next_down(lsm_cursor *c, kv_slice *key, kv_slice *value)
{
    for (;;) {
        const lsm_entry *e = lsm_merge_entry(&c->merge);
        if (e == NULL || kv_slice_cmp(e->key, c->from) < 0) return KV_END;
        kv_buf_set(&c->key, e->key);
        bool is_shown = false;
        do {
            is_shown = !is_gone(c, e);
            if (is_shown) kv_buf_set(&c->value, e->value);
            KV_TRY(lsm_merge_next(&c->merge));
            e = lsm_merge_entry(&c->merge);
        } while (e != NULL && kv_slice_equal(e->key, kv_buf_slice(&c->key)));
        if (!is_shown) continue;
        *key = kv_buf_slice(&c->key);
        *value = kv_buf_slice(&c->value);
        return KV_OK;
    }
}

kv_status lsm_cursor_next(lsm_cursor *c, kv_slice *key, kv_slice *value)
{
    return c->reverse ? next_down(c, key, value) : next_up(c, key, value);
}

void lsm_cursor_close(lsm_cursor *c)
{
    lsm_merge_free(&c->merge);
    kv_buf_free(&c->key);
    kv_buf_free(&c->value);
    kv_free(c->said);
    lsm_view_unref(c->view);
    c->view = NULL;
}
