// compaction.c -- see compaction.h.
// SPDX-License-Identifier: MIT

#include "compaction.h"

#include <assert.h>

#include "common/mem.h"

#include "head.h"

enum {
    BELOW_TABLES_MAX = 10, // an output overlaps about so many below it at most
};

// ---- begin ------------------------------------------------------------------

// The runs that stand behind `from` in the version hold what is older.
static void note_older(lsm_job *job, const lsm_version *v, size_t from)
{
    job->older = kv_zalloc((v->run_count + 1) * sizeof *job->older);
    for (size_t i = from; i < v->run_count; i++) {
        job->older[job->older_count++].run = &v->runs[i];
    }
}

// What keeps outputs from overlapping too much when they go down a level.
static void note_below(lsm_job *job, const lsm_version *v)
{
    for (size_t i = 0; i < v->run_count && job->below.run == NULL; i++) {
        if (v->runs[i].level > job->level) job->below.run = &v->runs[i];
    }
}

static kv_why why_of(const lsm_workshop *shop, kv_reason reason)
{
    return shop->is_background ? kv_for_background(reason) : kv_for(reason);
}

void lsm_job_flush(lsm_job *job, const lsm_workshop *shop,
                   lsm_memtable *memtable, lsm_version *version)
{
    *job = (lsm_job){.shop = shop, .why = why_of(shop, KV_FOR_FLUSH)};
    job->memtable = lsm_memtable_ref(memtable);
    job->pick.version = lsm_version_ref(version);
    job->run = atomic_fetch_add(shop->next_number, 1);
    note_older(job, version, 0);
    job->merge.prefix = lsm_memtable_prefix(memtable);
    lsm_merge_add(&job->merge, lsm_memtable_iter(memtable, LSM_SEQ_MAX));
}

void lsm_job_compact(lsm_job *job, const lsm_workshop *shop,
                     const lsm_pick *pick)
{
    *job = (lsm_job){.shop = shop, .why = why_of(shop, KV_FOR_COMPACT)};
    job->pick = *pick;
    job->level = pick->target_level;
    job->run = pick->makes_run ? atomic_fetch_add(shop->next_number, 1)
                               : pick->target_run;
    lsm_scan_how how = {.why = job->why, .is_bulk = true};
    for (size_t i = 0; i < pick->part_count; i++) {
        const lsm_pick_part *part = &pick->parts[i];
        for (size_t j = part->first; j < part->first + part->count; j++) {
            job->bytes_in += part->run->tables[j]->props.file_bytes;
        }
        lsm_merge_add(&job->merge,
                      lsm_run_iter(part->run, part->first, part->count, how));
    }
    const lsm_run *oldest = pick->parts[pick->part_count - 1].run;
    note_older(job, pick->version, (size_t)(oldest - pick->version->runs) + 1);
    note_below(job, pick->version);
    job->merge.prefix = lsm_common_prefix(pick->bounds.from, pick->bounds.to);
}

// ---- range tombstones -------------------------------------------------------

// Those of one part: its tables stand one behind the other.
static lsm_spans spans_of_part(const lsm_pick_part *part)
{
    lsm_spans s = {0};
    for (size_t i = part->first; i < part->first + part->count; i++) {
        const lsm_spans *ranges = &part->run->tables[i]->ranges;
        for (size_t j = 0; j < ranges->count; j++) {
            lsm_spans_append(&s, &ranges->at[j]);
        }
    }
    return s;
}

// Those of `count` parts, by halves: each is copied once for each halving.
static lsm_spans spans_of_parts(const lsm_pick_part *parts, size_t count)
{
    if (count == 1) return spans_of_part(parts);
    lsm_spans newer = spans_of_parts(parts, count / 2);
    lsm_spans older = spans_of_parts(parts + count / 2, count - count / 2);
    lsm_spans all = lsm_spans_join(&newer, &older);
    lsm_spans_free(&newer);
    lsm_spans_free(&older);
    return all;
}

static lsm_spans spans_of_inputs(const lsm_job *job)
{
    if (job->memtable == NULL) {
        return spans_of_parts(job->pick.parts, job->pick.part_count);
    }
    return lsm_layers_join(lsm_memtable_ranges(job->memtable, LSM_SEQ_MAX));
}

// ---- what is dropped --------------------------------------------------------

static bool ends_before(const lsm_table *t, kv_slice key)
{
    int order = lsm_end_cmp(t->props.last_key, key);
    return order < 0 || (order == 0 && t->props.last_is_open);
}

// Moves on to where the table over the key would be. True if there is one.
static bool advance_to(lsm_older *o, kv_slice key)
{
    while (o->i < o->run->count && ends_before(o->run->tables[o->i], key)) {
        o->i++;
    }
    return o->i < o->run->count &&
           kv_slice_cmp(o->run->tables[o->i]->props.first_key, key) <= 0;
}

static bool older_may_hold(lsm_job *job, kv_slice key)
{
    for (size_t i = 0; i < job->older_count; i++) {
        if (advance_to(&job->older[i], key)) return true;
    }
    return false;
}

static bool older_overlaps(const lsm_job *job, const lsm_bounds *bounds)
{
    for (size_t i = 0; i < job->older_count; i++) {
        size_t count;
        (void)lsm_run_overlap(job->older[i].run, bounds, &count);
        if (count > 0) return true;
    }
    return false;
}

static bool is_under_span(lsm_job *job, const lsm_entry *entry)
{
    const lsm_spans *s = &job->spans;
    while (job->span < s->count && s->at[job->span].to.len > 0 &&
           kv_slice_cmp(s->at[job->span].to, entry->key) <= 0) {
        job->span++;
    }
    return job->span < s->count && entry->seq < s->at[job->span].seq &&
           lsm_range_covers(&s->at[job->span], entry->key);
}

static bool is_dropped(lsm_job *job, const lsm_entry *entry)
{
    if (job->has_last &&
        kv_slice_equal(kv_buf_slice(&job->last_key), entry->key)) {
        return true;
    }
    kv_buf_set(&job->last_key, entry->key);
    job->has_last = true;
    if (is_under_span(job, entry)) return true;
    return entry->kind == LSM_DEL && !older_may_hold(job, entry->key); // J2
}

// ---- outputs ----------------------------------------------------------------

static double bits_for(const lsm_job *job)
{
    const lsm_workshop *shop = job->shop;
    if (!shop->allots_bits) return shop->bits_per_key;
    uint64_t keys[LSM_LEVELS] = {0};
    double bits[LSM_LEVELS];
    const lsm_version *v = job->pick.version;
    for (size_t i = 0; i < v->run_count; i++) {
        for (size_t j = 0; j < v->runs[i].count; j++) {
            keys[v->runs[i].level] += v->runs[i].tables[j]->props.entry_count;
        }
    }
    lsm_filter_allot(keys, LSM_LEVELS, shop->bits_per_key, bits);
    return bits[job->level];
}

static uint64_t lowest_seq(const lsm_job *job)
{
    if (job->memtable != NULL) return lsm_memtable_first_seq(job->memtable);
    uint64_t lowest = LSM_SEQ_MAX;
    for (size_t i = 0; i < job->pick.part_count; i++) {
        const lsm_pick_part *part = &job->pick.parts[i];
        for (size_t j = part->first; j < part->first + part->count; j++) {
            uint64_t seq = part->run->tables[j]->props.seq_min;
            if (seq < lowest) lowest = seq;
        }
    }
    return lowest;
}

static kv_status open_output(lsm_job *job)
{
    const lsm_workshop *shop = job->shop;
    job->output_id =
        (lsm_table_id){shop->store_id, atomic_fetch_add(shop->next_number, 1)};
    lsm_builder_config config = {
        .block_bytes = shop->block_bytes,
        .bits_per_key = bits_for(job),
        .compression = shop->compression[job->level],
        .seq_base = lowest_seq(job),
        .why = job->why,
    };
    job->has_output = true;
    return lsm_builder_open(&job->builder, shop->home.disk, &job->output_id,
                            &config);
}

// Gives the output the spans of its part of all keys, [output_from, to), unless
// nothing older needs them (J2).
static kv_status add_ranges(lsm_job *job, kv_slice to)
{
    kv_slice from = kv_buf_slice(&job->output_from);
    for (; job->range < job->spans.count; job->range++) {
        lsm_range_tombstone r = job->spans.at[job->range];
        if (to.len > 0 && kv_slice_cmp(r.from, to) >= 0) break;
        bool goes_on = lsm_end_cmp(to, r.to) < 0; // in the next output
        if (kv_slice_cmp(r.from, from) < 0) r.from = from;
        if (goes_on) r.to = to;
        lsm_bounds bounds = {r.from, r.to, false};
        if (older_overlaps(job, &bounds)) {
            if (!job->has_output) KV_TRY(open_output(job));
            lsm_builder_add_range(&job->builder, &r);
        }
        if (goes_on) break;
    }
    return KV_OK;
}

// Ends the output, whose part of all keys goes up to `to` (empty: to the end).
static kv_status end_output(lsm_job *job, kv_slice to)
{
    KV_TRY(add_ranges(job, to)); // J3
    kv_buf_set(&job->output_from, to);
    if (!job->has_output) return KV_OK;
    KV_TRY(lsm_builder_finish(&job->builder));
    lsm_table_id id = job->output_id;
    job->bytes_out += job->builder.written;
    lsm_builder_close(&job->builder);
    job->has_output = false;
    job->outputs =
        kv_realloc(job->outputs, (job->output_count + 1) * sizeof(lsm_table *));
    KV_TRY(lsm_table_open(&job->shop->home, &id, job->why,
                          &job->outputs[job->output_count]));
    job->output_count++;
    return KV_OK;
}

// True if the output should end before this key: it is large enough, or would
// later drag too much of the level below along.
static bool should_end(lsm_job *job, kv_slice key)
{
    lsm_older *below = &job->below;
    bool crosses = false;
    while (below->run != NULL && below->i < below->run->count &&
           ends_before(below->run->tables[below->i], key)) {
        job->below_bytes += below->run->tables[below->i++]->props.file_bytes;
        crosses = true;
    }
    if (job->memtable != NULL || !job->has_output) return false;
    uint64_t bytes = lsm_builder_bytes(&job->builder);
    uint64_t full = job->shop->table_bytes[job->level];
    if (bytes >= full) return true;
    return crosses &&
           (bytes >= full / 2 || job->below_bytes >= BELOW_TABLES_MAX * full);
}

static kv_status keep(lsm_job *job, const lsm_entry *entry)
{
    if (should_end(job, entry->key)) KV_TRY(end_output(job, entry->key));
    if (!job->has_output) {
        job->below_bytes = 0;
        KV_TRY(open_output(job));
    }
    job->entries_out++;
    return lsm_builder_add(&job->builder, entry);
}

// ---- run --------------------------------------------------------------------

kv_status lsm_job_run(lsm_job *job, uint64_t bytes)
{
    if (!job->has_begun) {
        job->spans = spans_of_inputs(job);
        KV_TRY(lsm_merge_seek(&job->merge, (kv_slice){0}, false));
    }
    job->has_begun = true;
    for (uint64_t moved = 0; moved < bytes;) {
        const lsm_entry *entry = lsm_merge_entry(&job->merge);
        if (entry == NULL) {
            kv_status st = end_output(job, (kv_slice){0});
            return st == KV_OK ? KV_END : st;
        }
        moved += entry->key.len + entry->value.len + 8;
        job->entries_in++;
        if (!is_dropped(job, entry)) KV_TRY(keep(job, entry));
        KV_TRY(lsm_merge_next(&job->merge));
    }
    return KV_OK;
}

uint64_t lsm_job_written(const lsm_job *job)
{
    return job->bytes_out + (job->has_output ? job->builder.written : 0);
}

// ---- end --------------------------------------------------------------------

void lsm_job_edit(const lsm_job *job, lsm_edit *edit)
{
    edit->what = job->memtable != NULL ? LSM_EDIT_FLUSH : LSM_EDIT_COMPACT;
    for (size_t i = 0; i < job->pick.part_count; i++) {
        const lsm_pick_part *part = &job->pick.parts[i];
        for (size_t j = part->first; j < part->first + part->count; j++) {
            lsm_edit_remove(edit, part->run->tables[j]->id.number);
        }
    }
    for (size_t i = 0; i < job->output_count; i++) {
        lsm_edit_table t =
            lsm_table_facts(job->outputs[i], job->level, job->run);
        lsm_edit_add(edit, &t);
    }
}

void lsm_job_drop(lsm_job *job)
{
    for (size_t i = 0; i < job->output_count; i++) {
        // One that cannot be removed is an orphan: the next open tries again.
        lsm_name name = lsm_table_name(job->outputs[i]->id.number);
        kv_status st =
            kv_disk_remove(job->shop->home.disk, name.text, job->why);
        (void)st;
    }
}

void lsm_job_free(lsm_job *job)
{
    lsm_merge_free(&job->merge);
    lsm_builder_close(&job->builder);
    for (size_t i = 0; i < job->output_count; i++) {
        lsm_table_unref(job->outputs[i]);
    }
    kv_free(job->outputs);
    kv_free(job->older);
    lsm_spans_free(&job->spans);
    kv_buf_free(&job->last_key);
    kv_buf_free(&job->output_from);
    lsm_memtable_unref(job->memtable);
    lsm_pick_free(&job->pick);
    *job = (lsm_job){0};
}
