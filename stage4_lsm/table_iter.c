// table_iter.c -- a walk over a table; see table.h.
// SPDX-License-Identifier: MIT
//
//   blocks     … │ 11 │ 12 │ 13 │ 14 │ 15 │ 16 │ …
//   the first few of a walk through the cache, one by one; then some at once
//   into the walk's own memory, which the cache never sees:
//                                    └─ ahead ─┘

#include "common/mem.h"

#include "table_block.h"

enum {
    CACHED_BLOCKS = 4, // of a walk that are worth keeping for others
    AHEAD_BYTES_MIN = 32 << 10,
    AHEAD_BYTES_MAX = 256 << 10,
};

typedef struct table_iter {
    lsm_iter base;
    lsm_table *table;
    lsm_scan_how how;
    size_t i;            // the block it is in
    lsm_block_walk walk; // and where
    lsm_frame *frame;    // what keeps the block, or NULL
    size_t run;          // blocks so far without a jump
    // Blocks that were read at once: `ahead_count` from `ahead_first` on.
    kv_buf ahead, room;
    size_t ahead_first, ahead_count, ahead_bytes;
} table_iter;

static table_iter *self(lsm_iter *it) { return (table_iter *)it; }

static kv_status end(table_iter *w)
{
    w->base.is_valid = false;
    return KV_OK;
}

// ---- blocks -----------------------------------------------------------------

// Reads blocks at once, so that `i` is among them: from it onward, or up to it
// if the walk goes backward.
static kv_status read_ahead(table_iter *w, size_t i, bool is_backward)
{
    const lsm_index *x = &w->table->index;
    size_t first = i, limit = i + 1, bytes = lsm_index_size(x, i);
    size_t wanted = w->ahead_bytes;
    while (is_backward ? first > 0 : limit < x->count) {
        size_t more = lsm_index_size(x, is_backward ? first - 1 : limit);
        if (bytes + more > wanted) break;
        bytes += more;
        *(is_backward ? &first : &limit) += is_backward ? (size_t)-1 : 1;
    }
    if (2 * wanted <= AHEAD_BYTES_MAX) w->ahead_bytes = 2 * wanted;
    w->ahead_count = 0;
    kv_buf_clear(&w->ahead);
    kv_buf_reserve(&w->ahead, bytes);
    KV_TRY(kv_file_read_all(w->table->file, x->fences[first].offset,
                            w->ahead.data, bytes, w->how.why));
    w->ahead_first = first;
    w->ahead_count = limit - first;
    return KV_OK;
}

static bool is_ahead(const table_iter *w, size_t i)
{
    return i >= w->ahead_first && i - w->ahead_first < w->ahead_count;
}

static kv_status enter_ahead(table_iter *w, size_t i)
{
    const lsm_fence *fences = w->table->index.fences;
    uint64_t from = fences[i].offset - fences[w->ahead_first].offset;
    kv_slice stored =
        kv_slice_of(w->ahead.data + from, lsm_index_size(&w->table->index, i));
    kv_slice raw;
    return lsm_table_unpack(w->table, i, stored, &w->room, &raw,
                            &w->walk.block);
}

// Makes block `i` the one the walk is in.
static kv_status enter(table_iter *w, size_t i)
{
    bool is_next = i == w->i + 1, is_before = i + 1 == w->i;
    w->run = is_next || is_before ? w->run + 1 : 1;
    w->i = i;
    w->base.is_valid = false;
    lsm_frame_unpin(w->frame);
    w->frame = NULL;
    bool is_long = w->how.is_bulk || w->run > CACHED_BLOCKS;
    if (is_long && !is_ahead(w, i) &&
        (w->how.is_bulk || !w->table->home.use_map)) {
        KV_TRY(read_ahead(w, i, is_before));
    }
    if (is_long && is_ahead(w, i)) return enter_ahead(w, i);
    lsm_pinned p;
    KV_TRY(lsm_table_block(w->table, i, w->how.why, &p));
    w->walk.block = p.block;
    w->frame = p.frame;
    return KV_OK;
}

// The first entry of block `i`, or the last.
static kv_status enter_at(table_iter *w, size_t i, bool at_end)
{
    KV_TRY(enter(w, i));
    (at_end ? lsm_block_last : lsm_block_first)(&w->walk, &w->base.entry);
    w->base.is_valid = true;
    return KV_OK;
}

// ---- the walk ---------------------------------------------------------------

static kv_status iter_first(lsm_iter *it)
{
    table_iter *w = self(it);
    return w->table->index.count > 0 ? enter_at(w, 0, false) : end(w);
}

static kv_status iter_last(lsm_iter *it)
{
    table_iter *w = self(it);
    size_t count = w->table->index.count;
    return count > 0 ? enter_at(w, count - 1, true) : end(w);
}

static kv_status iter_next(lsm_iter *it)
{
    table_iter *w = self(it);
    if (KV_LIKELY(lsm_block_next(&w->walk, &it->entry))) return KV_OK;
    if (w->i + 1 == w->table->index.count) return end(w);
    return enter_at(w, w->i + 1, false);
}

static kv_status iter_prev(lsm_iter *it)
{
    table_iter *w = self(it);
    if (KV_LIKELY(lsm_block_prev(&w->walk, &it->entry))) return KV_OK;
    return w->i > 0 ? enter_at(w, w->i - 1, true) : end(w);
}

static kv_status iter_seek(lsm_iter *it, kv_slice key)
{
    table_iter *w = self(it);
    size_t i = lsm_index_find(&w->table->index, key);
    if (i == w->table->index.count) return end(w);
    KV_TRY(enter(w, i));
    it->is_valid = lsm_block_seek(&w->walk, key, &it->entry);
    // Between the block's last key and its separator: the next one's first.
    if (it->is_valid) return KV_OK;
    if (i + 1 == w->table->index.count) return end(w);
    return enter_at(w, i + 1, false);
}

static kv_status iter_seek_before(lsm_iter *it, kv_slice key)
{
    table_iter *w = self(it);
    size_t i = lsm_index_find(&w->table->index, key);
    if (i == w->table->index.count) return iter_last(it);
    KV_TRY(enter(w, i));
    it->is_valid = lsm_block_seek_before(&w->walk, key, &it->entry);
    if (it->is_valid) return KV_OK;
    return i > 0 ? enter_at(w, i - 1, true) : end(w);
}

static void iter_free(lsm_iter *it)
{
    table_iter *w = self(it);
    lsm_frame_unpin(w->frame);
    lsm_table_unref(w->table);
    kv_buf_free(&w->walk.key);
    kv_buf_free(&w->ahead);
    kv_buf_free(&w->room);
    kv_free(w);
}

static const lsm_iter_ops table_iter_ops = {
    .seek = iter_seek,
    .seek_before = iter_seek_before,
    .first = iter_first,
    .last = iter_last,
    .next = iter_next,
    .prev = iter_prev,
    .free = iter_free,
};

lsm_iter *lsm_table_iter(lsm_table *t, lsm_scan_how how)
{
    table_iter *w = kv_zalloc(sizeof *w);
    w->base.ops = &table_iter_ops;
    w->table = lsm_table_ref(t);
    w->how = how;
    w->ahead_bytes = how.is_bulk ? AHEAD_BYTES_MAX : AHEAD_BYTES_MIN;
    return &w->base;
}
