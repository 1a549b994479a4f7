// cursor.c -- walks over one moment of the store; see store.h.
// SPDX-License-Identifier: MIT

#include "common/mem.h"

#include "store.h"

// ---- a memtable as a source -------------------------------------------------

typedef struct mem_walk {
    sst_source base;
    sst_memtable *memtable;
    uint64_t seq;
    bool reverse;
    kv_buf bound; // where it begins
    bool has_begun;
    sst_handful some;
    size_t next; // how many of `some` were handed out
} mem_walk;

static void refill(mem_walk *w)
{
    kv_latch *latch = sst_memtable_latch(w->memtable);
    kv_slice bound = kv_buf_slice(&w->bound), last = w->some.last;
    const kv_slice *after = w->has_begun    ? &last
                            : bound.len > 0 ? &bound
                                            : NULL;
    kv_latch_read(latch);
    // A bound is the first key wanted going up, the first unwanted going down.
    sst_memtable_walk(w->memtable, after, !w->has_begun && !w->reverse,
                      w->reverse, w->seq, &w->some);
    kv_latch_read_end(latch);
    w->has_begun = true;
    w->next = 0;
}

static kv_status mem_next(sst_source *source)
{
    mem_walk *w = (mem_walk *)source;
    if (!w->has_begun || (w->next == w->some.count && !w->some.is_end)) {
        refill(w);
    }
    source->has_entry = w->next < w->some.count;
    if (!source->has_entry) return KV_OK;
    const sst_version *v = w->some.at[w->next].version;
    source->entry = (sst_entry){.key = w->some.at[w->next].key,
                                .value = kv_slice_of(v->value, v->value_len),
                                .is_tombstone = v->is_tombstone};
    w->next++;
    return KV_OK;
}

static void mem_free(sst_source *source)
{
    mem_walk *w = (mem_walk *)source;
    sst_memtable_unref(w->memtable);
    kv_buf_free(&w->bound);
    kv_free(w);
}

sst_source *sst_memtable_scan(sst_memtable *m, kv_slice from, kv_slice to,
                              bool reverse, uint64_t seq)
{
    mem_walk *w = kv_zalloc(sizeof *w);
    w->base = (sst_source){.next = mem_next, .free = mem_free};
    w->memtable = sst_memtable_ref(m);
    w->seq = seq;
    w->reverse = reverse;
    kv_buf_append(&w->bound, reverse ? to : from);
    return &w->base;
}

// ---- cursor -----------------------------------------------------------------

// From here on writers keep what the snapshot sees (M4). Under the active
// memtable's latch, so that no group is half applied; a group that went to a
// newer memtable meanwhile is not in our view, and so is not seen.
static uint64_t register_snapshot(sst_store *s, sst_view *view)
{
    kv_latch *latch = sst_memtable_latch(view->active);
    kv_latch_read(latch);
    uint64_t seq = atomic_load(&s->visible_seq);
    uint64_t newest = atomic_load(&s->newest_snapshot);
    while (newest < seq &&
           !atomic_compare_exchange_weak(&s->newest_snapshot, &newest, seq)) {
    }
    kv_latch_read_end(latch);
    return seq;
}

static kv_status add_sources(sst_cursor *c, uint64_t seq)
{
    sst_view *v = c->view;
    uint32_t rank = 0;
    sst_memtable *memtables[] = {v->active, v->frozen};
    for (int i = 0; i < 2; i++) {
        if (memtables[i] == NULL) continue;
        if (sst_memtable_count(memtables[i]) > 0) {
            EXPLAIN(c->store->explain, "%s memtable: joins the merge",
                    i == 0 ? "active" : "frozen");
        }
        KV_TRY(sst_merge_add(
            &c->merge,
            sst_memtable_scan(memtables[i], c->from, c->to, c->reverse, seq),
            rank++));
    }
    for (size_t i = 0; i < v->count; i++) {
        sst_segment *segment = v->segments[i];
        bool is_outside =
            kv_slice_cmp(segment->last_key, c->from) < 0 ||
            (c->to.len > 0 && kv_slice_cmp(c->to, segment->first_key) <= 0);
        EXPLAIN(c->store->explain, "segment %llu: %s",
                (unsigned long long)segment->id.number,
                is_outside ? "its key range is outside: skipped"
                           : "joins the merge");
        if (is_outside) continue;
        KV_TRY(sst_merge_add(&c->merge,
                             sst_segment_scan(segment, c->from, c->to,
                                              c->reverse, kv_for(KV_FOR_READ)),
                             rank++));
    }
    return KV_OK;
}

kv_status sst_cursor_open(sst_cursor *c, sst_store *s, kv_slice from,
                          kv_slice to, bool reverse)
{
    c->store = s;
    c->from = from;
    c->to = to;
    c->reverse = reverse;
    c->merge.reverse = reverse;
    c->view = sst_store_view(s);
    uint64_t seq = register_snapshot(s, c->view);
    return add_sources(c, seq);
}

// The bound at the far end; the near one was the sources'.
static bool is_beyond(const sst_cursor *c, kv_slice key)
{
    if (c->reverse) return kv_slice_cmp(key, c->from) < 0;
    return c->to.len > 0 && kv_slice_cmp(key, c->to) >= 0;
}

kv_status sst_cursor_next(sst_cursor *c, kv_slice *key, kv_slice *value)
{
    sst_entry entry;
    do {
        KV_TRY(sst_merge_next(&c->merge, &entry));
        if (is_beyond(c, entry.key)) return KV_END;
    } while (entry.is_tombstone);
    *key = entry.key;
    *value = entry.value;
    return KV_OK;
}

void sst_cursor_close(sst_cursor *c)
{
    sst_merge_free(&c->merge);
    sst_view_unref(c->view);
}
