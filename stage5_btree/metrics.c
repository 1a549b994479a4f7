// metrics.c -- inspect metrics: what the tree cost since the store was opened,
// and who made it cost that; see look.h.
// SPDX-License-Identifier: MIT
//
// None of it is counted where a get finds its pages in memory: that a get had
// to read is counted where it does, and the others are what is left.

#include "look.h"

typedef struct look {
    bt_store *store;
    const kv_stats *stats;
    bt_cache_stats cache;
    kv_report *report;
} look;

static double ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static kv_status read_height(bt_store *s, unsigned *levels)
{
    const uint8_t *root;
    bt_tx_begin(&s->tx, s->seq + 1, &s->shape);
    bt_epochs_enter(&s->cache.epochs);
    kv_status st = bt_tx_read(&s->tx, s->shape.root, &root);
    if (st == KV_OK) *levels = bt_level(root) + 1u;
    bt_epochs_leave(&s->cache.epochs);
    return st;
}

static void report_tree(const look *l, unsigned levels)
{
    const bt_store *s = l->store;
    const bt_tally *t = &s->tx.tally;
    kv_report *r = l->report;
    kv_report_begin(r, "tree");
    kv_report_count(r, "levels", levels);
    kv_report_count(r, "keys", s->shape.key_count);
    kv_report_count(r, "pages", s->shape.page_count);
    kv_report_count(r, "free pages", s->shape.free_count);
    kv_report_count(r, "splits", t->splits);
    kv_report_count(r, "leaves begun at the edge", t->edge_leaves);
    kv_report_count(r, "shared with a neighbour", t->shares);
    kv_report_count(r, "borrowed from one", t->borrows);
    kv_report_count(r, "merges", t->merges);
    kv_report_count(r, "levels added", t->levels_added);
    kv_report_count(r, "levels removed", t->levels_removed);
    kv_report_end(r);
}

static void report_cache(const look *l)
{
    const bt_cache_stats *c = &l->cache;
    kv_report *r = l->report;
    uint64_t page_bytes = l->store->config.page_bytes, gets = l->stats->gets;
    uint64_t in_vain = atomic_load(&l->store->cache.gets_with_loads);
    kv_report_begin(r, "page cache");
    kv_report_bytes(r, "budget", c->frames_budget * page_bytes);
    kv_report_bytes(r, "pages in memory", c->frames_held * page_bytes);
    kv_report_count(r, "dirty pages", c->dirty_count);
    kv_report_count(r, "pages read", c->loaded);
    kv_report_count(r, "pages evicted", c->evicted);
    kv_report_count(r, "gets", gets);
    kv_report_count(r, "gets that read a page", in_vain);
    kv_report_share(r, "gets from memory",
                    gets > in_vain ? ratio(gets - in_vain, gets) : 0);
    kv_report_end(r);
}

static void report_writes(const look *l)
{
    const bt_traffic *t = &l->store->traffic;
    const kv_stats *stats = l->stats;
    kv_report *r = l->report;
    uint64_t bytes = 0;
    for (int i = 0; i < KV_REASONS; i++) bytes += stats->disk[i].write_bytes;
    kv_report_begin(r, "written");
    kv_report_count(r, "pages, to be evicted", t->evicted_pages);
    kv_report_count(r, "pages, by checkpoints", t->checkpoint_pages);
    kv_report_count(r, "pages, by commits", t->commit_pages);
    kv_report_count(r, "waves before evicting", t->waves);
    kv_report_count(r, "checkpoints", t->checkpoints);
    kv_report_bytes(r, "pages", stats->disk[KV_FOR_PAGE].write_bytes);
    kv_report_bytes(r, "logs", stats->disk[KV_FOR_WAL].write_bytes);
    kv_report_bytes(r, "log as it is now", bt_wal_size(&l->store->wal));
    if (stats->user_write_bytes > 0) {
        kv_report_ratio(r, "write amplification",
                        ratio(bytes, stats->user_write_bytes));
    }
    kv_report_end(r);
}

static void report_readers(const look *l)
{
    const bt_cache_stats *c = &l->cache;
    kv_report *r = l->report;
    kv_report_begin(r, "readers");
    kv_report_count(r, "open snapshots", c->snapshots);
    kv_report_count(r, "commits since the oldest",
                    l->store->seq - c->oldest_seq);
    kv_report_count(r, "versions kept for them", c->kept_count);
    kv_report_end(r);
}

static kv_status tell(void *arg)
{
    look *l = arg;
    bt_store *s = l->store;
    unsigned levels = 0;
    KV_TRY(read_height(s, &levels));
    bt_cache_read_stats(&s->cache, &l->cache);
    kv_mutex_lock(&s->work);
    report_tree(l, levels);
    report_cache(l);
    report_writes(l);
    report_readers(l);
    kv_mutex_unlock(&s->work);
    return KV_OK;
}

kv_status bt_look_metrics(bt_store *s, const kv_stats *stats, kv_report *report)
{
    look l = {.store = s, .stats = stats, .report = report};
    return kv_commit_exclusive(&s->line, tell, &l);
}
