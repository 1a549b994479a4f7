// squeeze.c -- see squeeze.h.
// SPDX-License-Identifier: MIT

#include "squeeze.h"

#include <inttypes.h>

#include "chain.h"
#include "freelist.h"

enum {
    STEP_PAGES = 256,   // changed
    STEP_LEAVES = 1024, // looked at
    SAMPLES = 32,       // leaves
};

void bt_squeeze_free(bt_squeeze *q)
{
    kv_buf_free(&q->position);
    *q = (bt_squeeze){0};
}

// ---- is it worth it? --------------------------------------------------------

// Bytes in use in the leaf that is `part` of SAMPLES along the tree.
static kv_status sample(bt_tx *tx, size_t part, size_t *used)
{
    const uint8_t *page;
    double at = ((double)part + 0.5) / SAMPLES;
    KV_TRY(bt_tx_read(tx, tx->shape.root, &page));
    for (unsigned level = bt_level(page); level > 0; level--) {
        KV_TRY(bt_tree_expect(page, level));
        double of = at * (double)(bt_count(page) + 1);
        size_t index = (size_t)of;
        if (index > bt_count(page)) index = bt_count(page);
        at = of - (double)index;
        KV_TRY(bt_tx_read(tx, bt_page_child(page, index), &page));
    }
    KV_TRY(bt_tree_expect(page, 0));
    *used = bt_page_used(page);
    return KV_OK;
}

// Are leaves less than 60 % full? Random inserts alone leave them fuller.
static kv_status is_sparse(bt_tx *tx, bool *answer)
{
    size_t sum = 0, used;
    for (size_t i = 0; i < SAMPLES; i++, sum += used) {
        KV_TRY(sample(tx, i, &used));
    }
    size_t capacity = bt_page_capacity(tx->cache->config.page_bytes);
    *answer = sum < SAMPLES * capacity / 100 * 60;
    return KV_OK;
}

static kv_status count_page(void *arg, uint64_t id, bool is_own)
{
    uint64_t *count = arg;
    (void)id;
    (void)is_own;
    ++*count;
    return KV_OK;
}

static void begin_walk(bt_squeeze *q, bt_squeeze_phase phase)
{
    q->phase = phase;
    q->is_at_end = q->is_stuck = false;
    q->was_idle = false;
    kv_buf_clear(&q->position);
}

// An eighth of the file is free: pages move. With journal=cow each commit takes
// places for all pages on its way before it gives any up.
static kv_status judge_free(bt_squeeze *q, bt_tx *tx)
{
    const uint8_t *root;
    uint64_t count = 0, pages = tx->shape.page_count;
    KV_TRY(bt_freelist_walk(tx, count_page, &count));
    KV_TRY(bt_tx_read(tx, tx->shape.root, &root));
    uint64_t spare = tx->is_cow ? 2 * (bt_level(root) + 1u) + 2 : 0;
    bool moves = count >= pages / 8 && count > spare;
    begin_walk(q, moves ? BT_SQUEEZE_MOVE : BT_SQUEEZE_TRIM);
    q->goal = pages - count + spare;
    if (q->phase == BT_SQUEEZE_MOVE) {
        EXPLAIN(tx->explain,
                "%" PRIu64 " of %" PRIu64 " pages are free: those from page "
                "%" PRIu64 " on move to the front",
                count, pages, q->goal);
    }
    return KV_OK;
}

kv_status bt_squeeze_judge(bt_squeeze *q, bt_tx *tx)
{
    bool answer;
    KV_TRY(is_sparse(tx, &answer));
    q->is_outdated = false;
    if (!answer) return judge_free(q, tx);
    begin_walk(q, BT_SQUEEZE_MERGE);
    EXPLAIN(tx->explain, "%s", "leaves are sparse: neighbours merge");
    return KV_OK;
}

// ---- merging ----------------------------------------------------------------

// Leaves `index` and up to three on its right become one less if that leaves a
// sixteenth of each page free.
static kv_status merge_at(bt_squeeze *q, bt_tx *tx, bt_path *p, bool *done)
{
    size_t d = p->depth - 1, index = p->step[d].index, sum = 0;
    size_t capacity = bt_page_capacity(tx->cache->config.page_bytes);
    const uint8_t *parent;
    KV_TRY(bt_tx_read(tx, p->step[d].id, &parent));
    size_t children = bt_count(parent) + 1;
    for (size_t n = 1; n <= BT_DEAL_MAX && index + n <= children; n++) {
        size_t used;
        KV_TRY(bt_tree_used_in(tx, p, d, index + n - 1, &used));
        sum += used;
        if (n == 1 || sum > (n - 1) * (capacity - capacity / 16)) continue;
        KV_TRY(bt_tree_merge(tx, p, d, index, n, done));
        if (!*done) continue; // their keys have less of a front in common
        q->merged++;
        // Two to one leaves the parent's other children where they were.
        return n == 2 ? bt_tree_fill_up(tx, p, d) : KV_OK;
    }
    bool is_last = index + 1 == children;
    return is_last ? bt_tree_fill_up(tx, p, d) : KV_OK;
}

// ---- moving -----------------------------------------------------------------

// What this commit gives up may do for the next one: places that it moved pages
// from, and those of the free list's own pages. If two in a row moved nothing,
// there are none, and what has no place stays.
static bool may_wait(const bt_squeeze *q, const bt_tx *tx)
{
    return !q->was_idle || tx->changed.count > 0;
}

// The pages on the way down to a leaf, and the leaf.
static kv_status move_path(bt_squeeze *q, bt_tx *tx, bt_path *p)
{
    for (size_t d = 0; d <= p->depth; d++) {
        bool has_low;
        if (p->step[d].id < q->goal) continue;
        // With journal=cow the pages above are copied, too.
        KV_TRY(bt_freelist_load(tx, tx->is_cow ? d + 1 : 1, &has_low));
        if (!has_low) {
            q->is_stuck = may_wait(q, tx);
            return KV_OK;
        }
        KV_TRY(bt_tree_move(tx, p, d));
        q->moved++;
    }
    return KV_OK;
}

static kv_status move_value(bt_squeeze *q, bt_tx *tx, bt_path *p, size_t slot)
{
    bt_cell cell;
    const uint8_t *leaf;
    uint8_t *page;
    size_t count;
    bool done;
    kv_buf key = {0};
    KV_TRY(bt_tx_read(tx, p->step[p->depth].id, &leaf));
    bt_cell_read(leaf, slot, &cell);
    if (cell.page_id == 0) return KV_OK;
    uint64_t first = cell.page_id;
    size_t spare = tx->is_cow ? p->depth + 1 : 0; // the leaf changes, too
    bool waits = may_wait(q, tx);
    KV_TRY(bt_chain_move(tx, &first, cell.value_bytes, spare, !waits, &count,
                         &done));
    q->is_stuck = !done && waits;
    if (!done || count == 0) return KV_OK;
    q->moved += count;
    if (first == cell.page_id) return KV_OK;
    bt_cell_key(&cell, &key);
    bt_cell moved_cell =
        bt_cell_of_overflow(kv_buf_slice(&key), first, cell.value_bytes);
    kv_status st = bt_tree_own(tx, p, p->depth, &page);
    if (st == KV_OK) (void)bt_page_replace(page, slot, &moved_cell);
    kv_buf_free(&key);
    return st;
}

static kv_status move_leaf(bt_squeeze *q, bt_tx *tx, bt_path *p)
{
    const uint8_t *leaf;
    KV_TRY(move_path(q, tx, p));
    KV_TRY(bt_tx_read(tx, p->step[p->depth].id, &leaf));
    size_t count = bt_count(leaf);
    for (size_t slot = 0; slot < count && !q->is_stuck; slot++) {
        KV_TRY(move_value(q, tx, p, slot));
    }
    return KV_OK;
}

// ---- the walk ---------------------------------------------------------------

// The separator on the right of the path's leaf: there the walk goes on.
static kv_status find_next(bt_tx *tx, const bt_path *p, kv_buf *next,
                           bool *is_last)
{
    const uint8_t *page;
    *is_last = true;
    for (size_t d = p->depth; d-- > 0;) {
        KV_TRY(bt_tx_read(tx, p->step[d].id, &page));
        if (p->step[d].index == bt_count(page)) continue;
        bt_page_key(page, p->step[d].index, next);
        *is_last = false;
        break;
    }
    return KV_OK;
}

static kv_status visit_leaf(bt_squeeze *q, bt_tx *tx, kv_buf *next)
{
    bt_path p;
    bool done = false, is_last;
    kv_slice at =
        q->position.len > 0 ? kv_buf_slice(&q->position) : kv_slice_of("", 0);
    // Between two leaves no page is held: what was retired can be reused.
    bt_epochs_leave(&tx->cache->epochs);
    bt_epochs_enter(&tx->cache->epochs);
    KV_TRY(bt_tree_descend(tx, at, 0, &p));
    KV_TRY(find_next(tx, &p, next, &is_last));
    if (q->phase == BT_SQUEEZE_MOVE) KV_TRY(move_leaf(q, tx, &p));
    else if (p.depth > 0) KV_TRY(merge_at(q, tx, &p, &done));
    if (done || q->is_stuck) return KV_OK; // the same leaf again
    q->is_at_end = is_last;
    if (!is_last) kv_buf_set(&q->position, kv_buf_slice(next));
    return KV_OK;
}

kv_status bt_squeeze_step(bt_squeeze *q, bt_tx *tx)
{
    kv_buf next = {0};
    kv_status st = KV_OK;
    uint64_t moved = q->moved;
    tx->goal = q->phase == BT_SQUEEZE_MOVE ? q->goal : 0;
    q->is_stuck = false;
    for (int n = 0; n < STEP_LEAVES && st == KV_OK && !q->is_stuck &&
                    !q->is_at_end && tx->changed.count < STEP_PAGES;
         n++) {
        st = visit_leaf(q, tx, &next);
    }
    kv_buf_free(&next);
    q->was_idle = q->is_stuck && q->moved == moved;
    return st;
}

kv_status bt_squeeze_end_step(bt_squeeze *q, bt_tx *tx)
{
    if (!q->is_at_end) return KV_OK;
    if (q->phase == BT_SQUEEZE_MERGE) return judge_free(q, tx);
    begin_walk(q, BT_SQUEEZE_TRIM);
    return KV_OK;
}
