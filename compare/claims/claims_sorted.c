// claims_sorted.c -- claims about sorted files and their merging.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "compare/claims/claim.h"
#include "compare/theory.h"

// ---- C13 --------------------------------------------------------------------

struct sparse {
    double index, reads, bytes;
};

static kv_status look_up_sparsely(cmp_bench *b, unsigned block,
                                  struct sparse *out)
{
    cmp_specimen s;
    char engine[64];
    const uint64_t gets = 1000;
    // With memory for all of it, so that one flush makes the one segment.
    cmp_shape shape = {.records = b->records,
                       .memory_bytes = (uint64_t)b->records << 11};
    snprintf(engine, sizeof engine, "sst:merge=all,index_bytes=%u", block);
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) cmp_specimen_mark(&s);
    if (st == KV_OK) st = cmp_specimen_get_some(&s, gets);
    out->index = (double)cmp_specimen_stats(&s).index_bytes / shape.records;
    out->reads = (double)cmp_specimen_reads(&s) / (double)gets;
    out->bytes = (double)cmp_specimen_read_bytes(&s) / (double)gets;
    cmp_specimen_close(&s);
    return st;
}

static kv_status a_sparse_index_is_enough(cmp_bench *b)
{
    double x[8], y[8], reads = 0;
    size_t n = 0;
    for (unsigned block = 512; block <= 64 << 10; block *= 2, n++) {
        struct sparse found;
        KV_TRY(look_up_sparsely(b, block, &found));
        cmp_note(b, "index bytes per key", block, found.index, NAN);
        cmp_note(b, "bytes read per lookup", block, found.bytes, NAN);
        reads = cmp_worse(reads, fabs(found.reads - 1));
        x[n] = log((double)block);
        y[n] = log(found.index);
    }
    cmp_check_at_most(b, "reads per found key, distance from 1", reads, 0);
    cmp_check_near(b, "slope of index bytes over block bytes",
                   cmp_slope(x, y, n), -1, 0.05);
    return KV_OK;
}

// ---- C15 --------------------------------------------------------------------

enum { FLUSHES = 40 };

// Bytes of sorted files; a flush that merges at once is all compaction.
static uint64_t sorted_bytes(const cmp_specimen *s)
{
    return cmp_specimen_written_for(s, KV_FOR_FLUSH) +
           cmp_specimen_written_for(s, KV_FOR_COMPACT);
}

// Inserts until the next flush has happened.
static kv_status fill_to_flush(cmp_specimen *s)
{
    uint64_t before = sorted_bytes(s);
    while (sorted_bytes(s) == before) KV_TRY(cmp_specimen_fill(s, 1));
    return KV_OK;
}

// Merged at every flush: 1 + (n+1)/2; at every k-th: 2 + (n/k+1)/2.
static kv_status insert_and_merge(cmp_bench *b, const char *engine,
                                  const char *series, unsigned every,
                                  double *distance)
{
    cmp_specimen s;
    cmp_shape shape = {.records = b->records * 9 / 8}; // room for the last
    double framing = 0; // bytes of a record in a sorted file / the user's
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    for (unsigned n = 1; n <= FLUSHES && st == KV_OK; n++) {
        st = fill_to_flush(&s);
        double user = (double)cmp_specimen_user_bytes(&s);
        if (n == 1) framing = (double)sorted_bytes(&s) / user;
        if (n % every != 0 || st != KV_OK) continue;
        double theory = every == 1 ? cmp_theory_merge_all_wa(n)
                                   : cmp_theory_merge_every_wa(n, every);
        double log = (double)cmp_specimen_written_for(&s, KV_FOR_WAL) / user;
        theory = log + (theory - 1) * framing;
        double wa = (double)cmp_specimen_written(&s) / user;
        cmp_note(b, series, n, wa, theory);
        *distance = fabs(wa / theory - 1);
    }
    cmp_specimen_close(&s);
    return st;
}

// Stage 4 with the same memtable, for contrast.
static kv_status insert_into_levels(cmp_bench *b, double *last)
{
    cmp_specimen s;
    char engine[96];
    unsigned memtable = (unsigned)(b->records * 128 / FLUSHES);
    cmp_shape shape = {.records = b->records,
                       .memory_bytes = (uint64_t)memtable * 16};
    snprintf(engine, sizeof engine,
             "lsm:compression=none,memtable_bytes=%u,table_bytes=%u", memtable,
             memtable);
    kv_status st = cmp_specimen_open(b, &s, engine, shape);
    for (unsigned n = 4; n <= FLUSHES && st == KV_OK; n += 4) {
        st = cmp_specimen_fill(&s, shape.records / (FLUSHES / 4));
        *last = (double)cmp_specimen_written(&s) /
                (double)cmp_specimen_user_bytes(&s);
        if (st == KV_OK) cmp_note(b, "leveled", n, *last, NAN);
    }
    cmp_specimen_close(&s);
    return st;
}

static kv_status rewriting_all_is_hopeless(cmp_bench *b)
{
    static const struct {
        const char *merge, *series;
        unsigned every;
    } ways[] = {{"all", "at every flush", 1},
                {"every,every=4", "at every fourth", 4}};
    for (size_t i = 0; i < 2; i++) {
        char engine[96], what[64];
        double distance = 0;
        snprintf(engine, sizeof engine, "sst:merge=%s,memtable_bytes=%u",
                 ways[i].merge, (unsigned)(b->records * 128 / FLUSHES));
        snprintf(what, sizeof what, "merged %s, distance from theory",
                 ways[i].series);
        KV_TRY(insert_and_merge(b, engine, ways[i].series, ways[i].every,
                                &distance));
        cmp_check_at_most(b, what, distance, 0.03);
    }
    double leveled = 0;
    KV_TRY(insert_into_levels(b, &leveled));
    cmp_check_at_most(b, "in levels: bytes written / merged at every flush",
                      leveled / cmp_theory_merge_all_wa(FLUSHES), 0.5);
    return KV_OK;
}

// ---- C17 --------------------------------------------------------------------

static kv_status delete_half(cmp_specimen *s)
{
    for (uint32_t i = 0; i < s->records.count; i += 2) {
        KV_TRY(cmp_specimen_del(s, cmp_records_place(&s->records, i)));
    }
    return KV_OK;
}

static kv_status read_all(cmp_specimen *s)
{
    for (uint32_t i = 0; i < s->records.count; i++) {
        KV_TRY(cmp_specimen_get(s, i));
    }
    return KV_OK;
}

static kv_status deletes_add_data_first(cmp_bench *b)
{
    cmp_specimen s;
    cmp_shape shape = {.records = b->records};
    kv_status st = cmp_specimen_open(b, &s, "sst:merge=all", shape);
    if (st == KV_OK) st = cmp_specimen_fill(&s, shape.records);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    if (st == KV_OK) cmp_specimen_mark(&s);
    double before = (double)cmp_specimen_stats(&s).disk_bytes;
    if (st == KV_OK) st = delete_half(&s);
    double peak = (double)cmp_specimen_stats(&s).disk_bytes_peak;
    double deleting = (double)cmp_specimen_written(&s);
    if (st == KV_OK) st = cmp_specimen_settle(&s);
    double after = (double)cmp_specimen_stats(&s).disk_bytes;
    if (st == KV_OK) st = read_all(&s);
    if (st == KV_OK) {
        cmp_note(b, "sst", 0, before, NAN);
        cmp_note(b, "sst", 1, peak, NAN);
        cmp_note(b, "sst", 2, after, NAN);
        cmp_check_at_least(b, "most bytes on disk / before deleting",
                           peak / before, 1);
        cmp_check_at_least(b, "bytes that deleting wrote", deleting, 1);
        cmp_check_at_most(b, "bytes on disk / live, in the end",
                          after / (double)s.live_bytes, 1.2);
    }
    cmp_specimen_close(&s);
    return st;
}

// ---- the claims -------------------------------------------------------------

const cmp_claim cmp_claims_of_sorted_files[] = {
    {.id = "C13",
     .text = "Sorted files need only a sparse index in memory.",
     .first = "SSTables and LSM-Trees",
     .second = "The SSTable file format",
     .setup = "One sorted segment, an index entry per so many bytes; index "
              "bytes per key, bytes read per lookup.",
     .x = "bytes per index entry",
     .y = "bytes",
     .is_counted = true,
     .run = a_sparse_index_is_enough},
    {.id = "C15",
     .text = "Rewriting a sorted file for each batch of inserts is hopeless; "
             "keeping several files and merging them now and then is not.",
     .first = "Constructing and maintaining SSTables",
     .second = "Constructing and merging SSTables",
     .setup = "Records inserted in random order; merged at every flush, and "
              "at every fourth; and in stage 4's levels.",
     .x = "flushes",
     .y = "bytes written / bytes given",
     .is_counted = true,
     .run = rewriting_all_is_hopeless},
    {.id = "C17",
     .text = "A deletion adds data first, and gives space back when it is "
             "merged down.",
     .first = "Constructing and maintaining SSTables",
     .second = "Disk space usage",
     .setup = "Half of the records deleted; bytes on disk before, at most, "
              "and after settling; every key read.",
     .x = "before, peak, after",
     .y = "bytes on disk",
     .is_counted = true,
     .run = deletes_add_data_first},
    {0}};
