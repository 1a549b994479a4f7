// metrics.c -- inspect metrics: what each level cost and what it was good for,
// since the store was opened; see look.h.
// SPDX-License-Identifier: MIT

#include <inttypes.h>

#include "look.h"

// What the tables of a level, or of all, hold.
typedef struct content {
    uint64_t tables, entries, unpacked_bytes, filter_bytes;
} content;

static void add_run(content *c, const lsm_run *run)
{
    c->tables += run->count;
    for (size_t i = 0; i < run->count; i++) {
        const lsm_table *t = run->tables[i];
        c->entries += t->props.entry_count;
        c->unpacked_bytes += t->props.raw_bytes;
        c->filter_bytes += t->footer.filter_bytes;
    }
}

static content content_of_level(const lsm_version *v, uint32_t level)
{
    content c = {0};
    for (size_t i = 0; i < v->run_count; i++) {
        if (v->runs[i].level == level) add_run(&c, &v->runs[i]);
    }
    return c;
}

static uint64_t sum_steps(lsm_store *s, uint32_t level, lsm_step step)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < KV_THREAD_SLOTS; i++) {
        sum += atomic_load(&s->gets[i].steps[level][step]);
    }
    return sum;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

// ---- a level ----------------------------------------------------------------

static void report_gets(lsm_store *s, uint32_t level, kv_report *report)
{
    uint64_t stopped = sum_steps(s, level, LSM_STEP_FILTER);
    uint64_t wrong = sum_steps(s, level, LSM_STEP_BLOCK);
    kv_report_count(report, "gets that found the key",
                    sum_steps(s, level, LSM_STEP_FOUND));
    kv_report_count(report, "gets that the filter stopped", stopped);
    kv_report_count(report, "gets that read for nothing", wrong);
    kv_report_ratio(report, "percent of absent keys that it let through",
                    100 * share(wrong, wrong + stopped));
}

static bool is_untouched(lsm_store *s, uint32_t level,
                         const lsm_level_tally *tally)
{
    uint64_t gets = sum_steps(s, level, LSM_STEP_FOUND) +
                    sum_steps(s, level, LSM_STEP_BLOCK) +
                    sum_steps(s, level, LSM_STEP_FILTER);
    return tally->jobs + tally->moves + gets == 0;
}

static void report_level(lsm_store *s, const lsm_version *v,
                         const lsm_plan *plan, uint32_t level,
                         const lsm_level_tally *tally, uint64_t flushed,
                         kv_report *report)
{
    content c = content_of_level(v, level);
    if (c.tables == 0 && is_untouched(s, level, tally)) return;
    kv_report_begin(report, "level %" PRIu32, level);
    kv_report_count(report, "runs", plan->runs[level]);
    kv_report_count(report, "tables", c.tables);
    kv_report_bytes(report, "bytes", plan->bytes[level]);
    kv_report_bytes(report, "bytes of a table, at most about",
                    s->shop.table_bytes[level]);
    kv_report_bytes(report, "unpacked blocks", c.unpacked_bytes);
    kv_report_bytes(report, "filters", c.filter_bytes);
    kv_report_ratio(report, "filter bits for each entry",
                    8 * share(c.filter_bytes, c.entries));
    kv_report_bytes(report, "target", plan->target[level]);
    kv_report_count(report, "jobs", tally->jobs);
    kv_report_count(report, "tables moved", tally->moves);
    kv_report_bytes(report, "read", tally->bytes_in);
    kv_report_bytes(report, "written", tally->bytes_out);
    // Those of all levels add up to the whole's.
    kv_report_ratio(report, "write amplification",
                    share(tally->bytes_out, flushed));
    kv_report_count(report, "entries in", tally->entries_in);
    kv_report_count(report, "entries out", tally->entries_out);
    report_gets(s, level, report);
    kv_report_end(report);
}

// ---- the whole --------------------------------------------------------------

static void report_cache(lsm_store *s, kv_report *report)
{
    lsm_cache_stats cache;
    lsm_cache_read_stats(s->cache, &cache);
    kv_report_count(report, "cache hits", cache.hits);
    kv_report_count(report, "cache misses", cache.misses);
    kv_report_count(report, "cache evictions", cache.evictions);
    kv_report_bytes(report, "cache bytes", cache.bytes);
    kv_report_bytes(report, "cache budget", cache.budget_bytes);
}

static void report_memory(lsm_store *s, kv_report *report)
{
    lsm_memory m;
    lsm_store_memory(s, &m);
    kv_report_begin(report, "memory");
    kv_report_bytes(report, "budget", m.budget);
    kv_report_bytes(report, "filters and indexes", m.tables);
    kv_report_bytes(report, "memtables", m.memtables);
    kv_report_bytes(report, "spare arena", m.spare);
    kv_report_bytes(report, "cached blocks", m.cache);
    kv_report_bytes(report, "in all", m.all);
    kv_report_bytes(report, "beside it, buffers of compactions", m.buffers);
    kv_report_bytes(report, "size of a memtable",
                    atomic_load(&s->memtable_bytes));
    kv_report_end(report);
}

void lsm_look_metrics(lsm_store *s, const lsm_view *view, kv_report *report)
{
    const lsm_version *v = view->version;
    lsm_plan plan = lsm_make_plan(v, &s->config.shape);
    lsm_level_tally levels[LSM_LEVELS];
    content all = {0};
    uint64_t written = 0, from_memtable = 0;
    kv_mutex_lock(&s->work);
    memcpy(levels, s->levels, sizeof levels);
    uint64_t delays = s->delays, stops = s->stops;
    uint64_t held_ns = s->rate.waited_ns;
    kv_mutex_unlock(&s->work);
    uint64_t flushed = levels[0].bytes_out;
    for (uint32_t i = 0; i < LSM_LEVELS; i++) {
        report_level(s, v, &plan, i, &levels[i], flushed, report);
        written += levels[i].bytes_out;
    }
    for (size_t i = 0; i < v->run_count; i++) add_run(&all, &v->runs[i]);
    for (unsigned i = 0; i < KV_THREAD_SLOTS; i++) {
        from_memtable += atomic_load(&s->gets[i].from_memtable);
    }
    if (flushed > 0) {
        kv_report_ratio(report, "bytes written to tables for each flushed",
                        share(written, flushed));
    }
    kv_report_count(report, "pressure in percent", atomic_load(&s->pressure));
    kv_report_count(report, "writes delayed", delays);
    kv_report_count(report, "writes stopped", stops);
    if (s->config.rate_bytes > 0) {
        kv_report_count(report, "ms that compactions waited for their rate",
                        held_ns / 1000000);
    }
    kv_report_count(report, "gets that a memtable answered", from_memtable);
    kv_report_bytes(report, "filters", all.filter_bytes);
    report_cache(s, report);
    report_memory(s, report);
}
