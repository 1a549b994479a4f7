// claims_index.c -- what an index costs, and what it gives.
// SPDX-License-Identifier: MIT

#include <math.h>

#include "common/disk_count.h"

#include "compare/claims/claim.h"
#include "compare/machine.h"

// ---- C03 --------------------------------------------------------------------

enum { GETS = 16, NEIGHBOURS = 100, RANGES = 20 };

struct price {
    double put, get; // bytes written and read for each
    double range;    // reads for 100 neighbours
};

static const struct {
    const char *engine, *name;
    bool is_ordered;
} indexes[] = {
    {"log:merge=never,index=off,hints=off", "none", true},
    {"log:merge=never,hints=off", "hash in memory", false},
    {"log:merge=never,hints=on", "hash, and hints on disk", false},
    {"bt", "B-tree", true},
};
enum { NONE, HASH, HINTS, TREE, INDEXES };

static kv_status read_neighbours(cmp_specimen *s, uint32_t from, bool by_scan)
{
    if (by_scan) return cmp_specimen_scan(s, from, NEIGHBOURS);
    for (uint32_t i = 0; i < NEIGHBOURS; i++) {
        KV_TRY(cmp_specimen_get(s, from + i));
    }
    return KV_OK;
}

static kv_status read_it(cmp_specimen *s, size_t index, struct price *p)
{
    cmp_specimen_mark(s);
    KV_TRY(cmp_specimen_get_some(s, GETS));
    p->get = (double)cmp_specimen_read_bytes(s) / GETS;
    // Without an index there is no order to scan in.
    p->range = NAN;
    if (index == NONE) return KV_OK;
    cmp_specimen_mark(s);
    for (uint32_t i = 0; i < RANGES; i++) {
        uint32_t from = (s->records.count - NEIGHBOURS) / RANGES * i;
        KV_TRY(read_neighbours(s, from, indexes[index].is_ordered));
    }
    p->range = (double)cmp_specimen_reads(s) / RANGES;
    return KV_OK;
}

// Closing the store writes too: so the bytes are counted below it.
static kv_status measure_price(cmp_bench *b, kv_disk *disk, size_t index,
                               struct price *p)
{
    cmp_specimen s;
    kv_disk_stats all[KV_REASONS], waited[KV_REASONS];
    cmp_shape shape = {.records = b->records, .disk = disk};
    kv_status st = cmp_specimen_load(b, &s, indexes[index].engine, shape);
    if (st == KV_OK) st = read_it(&s, index, p);
    kv_status closed = kv_close(s.db);
    s.db = NULL;
    cmp_specimen_close(&s);
    kv_disk_count_read(disk, all, waited);
    p->put = 0;
    for (int i = 0; i < KV_REASONS; i++) p->put += (double)all[i].write_bytes;
    p->put /= shape.records;
    return st != KV_OK ? st : closed;
}

static kv_status price_of(cmp_bench *b, size_t index, struct price *p)
{
    kv_disk *real = NULL, *disk = NULL;
    kv_buf path = {0};
    kv_buf_printf(&path, "%s/index%c", b->dir, '\0');
    kv_status st = kv_disk_open_real((char *)path.data, true, &real);
    if (st == KV_OK) st = kv_disk_open_count(real, &disk);
    if (st == KV_OK) st = measure_price(b, disk, index, p);
    if (st == KV_OK) cmp_note(b, indexes[index].name, p->put, p->get, NAN);
    if (disk != NULL) kv_disk_close(disk);
    else if (real != NULL) kv_disk_close(real);
    cmp_remove_tree((char *)path.data);
    kv_buf_free(&path);
    return st;
}

static kv_status an_index_is_paid_by_writes(cmp_bench *b)
{
    struct price p[INDEXES];
    for (size_t i = 0; i < INDEXES; i++) KV_TRY(price_of(b, i, &p[i]));
    cmp_check_at_most(b, "bytes read per lookup, hash index / none",
                      p[HASH].get / p[NONE].get, 0.1);
    cmp_check_at_least(b, "bytes written per put, with hints / without",
                       p[HINTS].put / p[HASH].put, 1.01);
    cmp_check_at_least(b, "bytes written per put, B-tree / log with hints",
                       p[TREE].put / p[HINTS].put, 1.01);
    cmp_check_at_most(b, "reads for 100 neighbours, B-tree / hash",
                      p[TREE].range / p[HASH].range, 0.5);
    cmp_check_depends(b, "an index in memory alone: bytes written / no index",
                      p[HASH].put / p[NONE].put, 1);
    cmp_check_depends(b, "one key, by its page: bytes read, B-tree / hash",
                      p[TREE].get / p[HASH].get, 1);
    return KV_OK;
}

// ---- the claims -------------------------------------------------------------

const cmp_claim cmp_claims_of_indexes[] = {
    {.id = "C03",
     .text = "An index makes reads cheaper and writes dearer.",
     .first = "Data Structures That Power Your Database",
     .second = "Storage and Indexing for OLTP",
     .setup = "The same records in a log without an index, with a hash index, "
              "with one that is kept on disk too, and in a B-tree; bytes "
              "written, the close included, and bytes read per lookup.",
     .x = "bytes written per put",
     .y = "bytes read per lookup",
     .is_counted = true,
     .run = an_index_is_paid_by_writes},
    {0}};
